//! Structs of odd names and places: what is derived stands beside anything, and warns of nothing.
#![deny(warnings, missing_docs, unreachable_pub, single_use_lifetimes)]

mod odd {
    //! Names that the standard library has.

    use rest_runtime::types::Uuid;
    use rest_runtime::{RestEnum, RestResource, RestService};

    /// A word that is called like a type of a field.
    #[derive(RestEnum, Clone, Copy)]
    pub(crate) enum Date {
        Today,
        #[rest(name = "the-day-after")]
        Tomorrow,
    }

    #[derive(RestResource)]
    #[rest(access(read = public), key(r#type, of))]
    pub(crate) struct Result {
        #[rest(length = 1..=9)]
        r#type: std::string::String,
        #[rest(belongs_to = super::odd::Option)]
        of: (Uuid, i32),
        #[rest(type = enum, default = Date::Tomorrow)]
        pub(in crate::odd) name: Date,
        /// Whether it has a key.
        #[rest(optional_key, default = 1)]
        #[cfg(any())]
        gone: i64,
        key: core::option::Option<bool>,
    }

    #[derive(RestResource)]
    #[rest(access(read = public), key(vec, part))]
    struct Option {
        #[rest(belongs_to = Vec, name = "vec")]
        vec: Uuid,
        part: i32,
    }

    #[derive(RestResource)]
    #[rest(access(read = public))]
    struct Vec {
        id: Uuid,
        #[rest(belongs_to = Self, name = "values")]
        of_the_values: core::option::Option<Uuid>,
        columns: i32,
    }

    #[derive(RestResource)]
    #[rest(name = "Text", access(read = public))]
    struct String {
        id: i64,
        self_: bool,
    }

    #[derive(RestService)]
    #[rest(name = "odd")]
    struct Default {
        r#type: Result,
        of: self::Option,
        id: Vec,
        writer: String,
    }

    #[test]
    fn a_key_over_keys_is_one_tuple() {
        let result = Result {
            r#type: "a".to_owned(),
            of: (Uuid::nil(), 3),
            name: Date::Today,
            key: None,
        };
        let key: (std::string::String, Uuid, i32) = RestResource::key(&result);
        assert_eq!(key, ("a".to_owned(), Uuid::nil(), 3));
        assert_eq!(
            (Result::TYPE.place(), Result::NAME.place(), Result::KEY.place()),
            (0, 2, 3)
        );
        assert_eq!(<Result as RestResource>::NAME, "Result");
        let schema = rest_runtime::typed::load::<Default>()
            .expect("it has no fault")
            .schema;
        let names: std::vec::Vec<&str> = schema.resources.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Result", "Option", "Vec", "Text"]);
    }
}
