//! The schemas of `tests/schemas` as structs: written by hand, and by the generator.

pub mod derived;
// Laid out for the projects that the generator writes, whose lines break elsewhere.
#[rustfmt::skip]
pub mod generated;

#[cfg(test)]
mod tests {
    use rest_runtime::{RestService, Service};

    use super::{derived, generated};

    fn same<S: RestService>(yaml: &str) {
        let builder = Service::build::<S>().unwrap();
        let read = rest_schema::read_one("rest.yaml", yaml).unwrap();
        assert_eq!(
            rest_schema::export(builder.schema()),
            rest_schema::export(&read.schema)
        );
        assert_eq!(*builder.schema(), read.schema);
    }

    macro_rules! services {
        ($($name:ident: $structs:ident,)*) => {$(
            #[test]
            fn $name() {
                let yaml = include_str!(concat!("../../schemas/", stringify!($name), ".yaml"));
                same::<derived::$name::$structs>(yaml);
                same::<generated::$name::$structs>(yaml);
            }
        )*};
    }

    services! {
        bin: Bin,
        blog: Blog,
        gate: Gate,
        keys: Keys,
        many: Many,
        rules: Rules,
        sets: Sets,
        shapes: Shapes,
        teams: Teams,
        types: Types,
    }
}
