//! Bodies against a small schema, made by hand: an article of an author, of which every kind of field exists.

use std::sync::LazyLock;

use rest_schema::value::{Decimal, Float};
use rest_schema::{
    Access, Bounds, DefaultValue, Expr, Field, FieldId, FieldRole, FieldType, Key, KeyKind, Limits, Link,
    OnDelete, PageSizes, Relation, RelationId, RelationKind, Resource, ResourceId, Rule, Schema, Tokens,
    Value,
};

use super::{Changes, New, Unfit, Update, Validators, Writer};
use crate::problem::{Fault, Place};
use crate::request::body::{Json, parse};

const AUTHOR: ResourceId = ResourceId(0);
const ARTICLE: ResourceId = ResourceId(1);
const WORD: ResourceId = ResourceId(2);

static VALIDATORS: LazyLock<Validators> =
    LazyLock::new(|| Validators::new(&schema()).expect("sound patterns"));

const NOW: &str = "2026-01-31T13:30:00.123456Z";

fn field(name: &str, ty: FieldType) -> Field {
    Field {
        name: name.into(),
        api_name: name.into(),
        column: name.into(),
        ty,
        role: FieldRole::Plain,
        optional: false,
        default: None,
        length: None,
        range: None,
        pattern: None,
        unique: false,
        immutable: false,
        readonly: false,
        writeonly: false,
        private: false,
        index: false,
        filterable: false,
        sortable: false,
        searchable: false,
        readable: None,
        writable: None,
        computed: None,
        description: None,
        example: None,
        deprecated: None,
        was: None,
    }
}

fn optional(name: &str, ty: FieldType) -> Field {
    Field {
        optional: true,
        ..field(name, ty)
    }
}

fn rule() -> Rule {
    Rule {
        source: "me.is_admin".into(),
        expr: Expr::Literal(Value::Boolean(true)),
    }
}

fn resource(id: ResourceId, name: &str, kind: KeyKind, fields: Vec<Field>) -> Resource {
    Resource {
        name: name.into(),
        collection: format!("{name}s"),
        table: name.into(),
        description: None,
        key: Key {
            fields: vec![FieldId {
                resource: id,
                index: 0,
            }],
            kind,
            by_client: kind == KeyKind::Natural,
        },
        fields,
        relations: Vec::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        condition: None,
        rules: Vec::new(),
        sort: Vec::new(),
        access: Access::default(),
        kept: rest_schema::Kept::default(),
        caching: None,
        deprecated: None,
    }
}

pub(super) fn article_fields() -> Vec<Field> {
    let author = RelationId {
        resource: ARTICLE,
        index: 0,
    };
    vec![
        field("id", FieldType::Bigint),
        Field {
            role: FieldRole::ForeignKey(author),
            default: Some(DefaultValue::Me),
            ..field("author_id", FieldType::Bigint)
        },
        Field {
            length: Some(Bounds {
                min: Some(2),
                max: Some(10),
            }),
            ..field("title", FieldType::String)
        },
        Field {
            pattern: Some("^[a-z]+$".into()),
            ..optional("code", FieldType::String)
        },
        Field {
            default: Some(DefaultValue::Literal(Value::Text("draft".into()))),
            ..field(
                "status",
                FieldType::Enum(vec!["draft".into(), "published".into()]),
            )
        },
        Field {
            range: Some(Bounds {
                min: Some(Value::Integer(0)),
                max: Some(Value::Integer(100)),
            }),
            ..optional("score", FieldType::Integer)
        },
        optional(
            "price",
            FieldType::Decimal {
                precision: 6,
                scale: 2,
            },
        ),
        optional("meta", FieldType::Json),
        Field {
            readonly: true,
            default: Some(DefaultValue::Now),
            ..field("created_at", FieldType::Timestamp)
        },
        Field {
            immutable: true,
            ..optional("kind", FieldType::String)
        },
        Field {
            writeonly: true,
            ..optional("hint", FieldType::String)
        },
        Field {
            private: true,
            ..optional("secret", FieldType::String)
        },
        Field {
            computed: Some(rule()),
            ..optional("length", FieldType::Integer)
        },
        Field {
            writable: Some(rule()),
            ..optional("pinned", FieldType::Boolean)
        },
        Field {
            length: Some(Bounds {
                min: Some(3),
                max: None,
            }),
            ..optional("password", FieldType::Password)
        },
        Field {
            default: Some(DefaultValue::Database),
            ..field("views", FieldType::Integer)
        },
        Field {
            api_name: "a/b~c".into(),
            ..optional("odd", FieldType::Boolean)
        },
        optional("ratio", FieldType::Float),
        optional("day", FieldType::Date),
        optional("link", FieldType::Url),
        optional("blob", FieldType::Bytes),
    ]
}

fn schema() -> Schema {
    let mut article = resource(ARTICLE, "article", KeyKind::Autoincrement, article_fields());
    article.relations.push(Relation {
        through: None,
        name: "author".into(),
        kind: RelationKind::BelongsTo,
        target: AUTHOR,
        inverse: None,
        declared: true,
        link: Link::Keys {
            local: vec![FieldId {
                resource: ARTICLE,
                index: 1,
            }],
            remote: vec![FieldId {
                resource: AUTHOR,
                index: 0,
            }],
        },
        access: None,
        nested: false,
        on_delete: OnDelete::Restrict,
        limit: None,
        sort: Vec::new(),
        description: None,
    });
    Schema {
        version: "1.0.0".to_owned(),
        name: "test".into(),
        description: None,
        prefix: "/api".into(),
        managed: Some(true),
        journal: None,
        resources: vec![
            resource(
                AUTHOR,
                "author",
                KeyKind::Autoincrement,
                vec![field("id", FieldType::Bigint)],
            ),
            article,
            resource(
                WORD,
                "word",
                KeyKind::Natural,
                vec![
                    field("word", FieldType::String),
                    Field {
                        immutable: true,
                        ..field("language", FieldType::String)
                    },
                    field("meaning", FieldType::String),
                ],
            ),
        ],
        accounts: None,
        tokens: Tokens {
            scopes: Vec::new(),
            lifetime: 3_600,
            max_lifetime: 86_400,
        },
        sessions: None,
        jwt: None,
        page: PageSizes { limit: 20, max: 100 },
        limits: Limits {
            body: 1 << 20,
            bulk: 1_000,
            include_depth: 3,
            includes: 10,
            filters: 20,
            quota: None,
            statement_timeout: 30,
        },
        cors: None,
        caching: None,
    }
}

fn body(text: &str) -> Json {
    parse(text.as_bytes()).expect("JSON")
}

const ME: &[Value] = &[Value::Integer(7)];

fn as_writer<T>(
    me: Option<&[Value]>,
    closed: &dyn Fn(u32) -> bool,
    then: impl FnOnce(&Writer<'_>) -> T,
) -> T {
    then(&Writer {
        is_trusted: false,
        now: NOW.parse().expect("a moment"),
        me,
        closed,
    })
}

pub(super) fn create(text: &str) -> Result<New, Vec<Fault>> {
    let validators = &*VALIDATORS;
    as_writer(Some(ME), &|_| false, |writer| {
        validators.resource(ARTICLE).create(&body(text), "", &[], writer)
    })
}

pub(super) fn patch(text: &str) -> Update {
    let validators = &*VALIDATORS;
    as_writer(Some(ME), &|_| false, |writer| {
        validators.resource(ARTICLE).merge(&body(text), writer)
    })
}

fn json_patch(text: &str) -> Update {
    let validators = &*VALIDATORS;
    as_writer(Some(ME), &|_| false, |writer| {
        validators.resource(ARTICLE).patch(&body(text), writer)
    })
}

pub(super) fn put(text: &str) -> Update {
    let validators = &*VALIDATORS;
    as_writer(Some(ME), &|_| false, |writer| {
        validators
            .resource(ARTICLE)
            .replace(&body(text), &[Value::Integer(1)], writer)
            .update
    })
}

fn place(name: &str) -> u32 {
    let fields = article_fields();
    let place = fields
        .iter()
        .position(|field| field.name == name)
        .expect("a field");
    u32::try_from(place).expect("few fields")
}

fn value(new: &New, name: &str) -> Option<Value> {
    new.values[place(name) as usize].clone()
}

/// Pointer and code of each fault.
fn told(faults: &[Fault]) -> Vec<(&str, &str)> {
    let pointer = |fault| match fault {
        &Fault {
            place: Place::Pointer(ref pointer),
            ..
        } => pointer.as_str(),
        other => panic!("{other:?}"),
    };
    faults
        .iter()
        .map(|fault| (pointer(fault), fault.code.as_ref()))
        .collect()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Vec<Fault>>) -> Vec<(String, String)> {
    let faults = answer.expect_err("a refusal");
    told(&faults)
        .into_iter()
        .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
        .collect()
}

fn pair(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

fn row() -> Vec<Value> {
    let text = |text: &str| Value::Text(text.into());
    vec![
        Value::Integer(1),
        Value::Integer(7),
        text("Title"),
        Value::Null,
        text("published"),
        Value::Integer(5),
        Value::Decimal(Decimal {
            units: 1250,
            scale: 2,
        }),
        Value::Json(r#"{"a":1,"b":{"c":2}}"#.into()),
        Value::Timestamp("2026-01-01T00:00:00Z".parse().expect("a moment")),
        text("essay"),
        text("hint"),
        text("secret"),
        Value::Integer(5),
        Value::Boolean(false),
        Value::Null,
        Value::Integer(3),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
    ]
}

fn against(update: &Update, row: &[Value], shown: &dyn Fn(u32) -> bool) -> Result<Changes, Vec<Fault>> {
    let article = VALIDATORS.resource(ARTICLE);
    update.against(article, row, shown).map_err(|unfit| match unfit {
        Unfit::Invalid(faults) | Unfit::Conflict(faults) => faults,
    })
}

fn changes(update: &Update) -> Result<Vec<(u32, Value)>, Vec<Fault>> {
    changes_of(update, &row())
}

pub(super) fn changes_of(update: &Update, row: &[Value]) -> Result<Vec<(u32, Value)>, Vec<Fault>> {
    against(update, row, &|_| true).map(|changes| changes.set)
}

#[test]
fn a_new_row_is_filled_in() {
    let new = create(r#"{"title": "Hello", "password": "secret1"}"#).expect("sound");
    assert_eq!(value(&new, "id"), None, "counted by the database");
    assert_eq!(value(&new, "author_id"), Some(Value::Integer(7)));
    assert_eq!(value(&new, "title"), Some(Value::Text("Hello".into())));
    assert_eq!(value(&new, "status"), Some(Value::Text("draft".into())));
    assert_eq!(value(&new, "score"), Some(Value::Null));
    assert_eq!(
        value(&new, "created_at"),
        Some(Value::Timestamp(NOW.parse().expect("a moment")))
    );
    assert_eq!(value(&new, "views"), None, "the database's default");
    assert_eq!(value(&new, "password"), None, "still to be hashed");
    assert_eq!(new.given, [place("title"), place("password")]);
}

#[test]
fn a_password_is_handed_over_and_put_back_as_its_hash() {
    let mut new = create(r#"{"title": "Hello", "password": "secret1"}"#).expect("sound");
    assert!(!format!("{new:?}").contains("secret1"));
    let passwords = new.take_passwords();
    assert_eq!(
        passwords,
        [(place("password"), crate::password::Plain::new("secret1"))]
    );
    new.put(place("password"), Value::Text("hash".into()));
    assert_eq!(value(&new, "password"), Some(Value::Text("hash".into())));
    let faults = create(r#"{"title": "Hello", "password": "pw"}"#).expect_err("too short");
    assert_eq!(told(&faults), [("/password", "too-short")]);
    assert!(!format!("{faults:?}").contains("pw\""));
    let long = format!(r#"{{"title": "Hello", "password": "{}"}}"#, "x".repeat(1_025));
    assert_eq!(refused(create(&long)), [pair("/password", "too-long")]);
}

#[test]
fn an_anonymous_writer_has_no_account_to_be_the_default() {
    let validators = &*VALIDATORS;
    let new = as_writer(None, &|_| false, |writer| {
        validators
            .resource(ARTICLE)
            .create(&body(r#"{"title": "Hello"}"#), "/3", &[], writer)
    });
    assert_eq!(refused(new), [pair("/3/author_id", "required")]);
}

#[test]
fn all_faults_are_told_at_once() {
    let text = r#"{
        "author_id": "7", "title": "H", "code": "A1", "status": "publishd", "score": 101, "price": "1.234",
        "created_at": "2026-01-01T00:00:00Z", "id": 1, "length": 3, "secret": "x", "titel": "x", "author": 1,
        "a/b~c": 1, "ratio": "1", "day": "2026-02-30", "link": "nowhere", "blob": "?", "views": null
    }"#;
    let faults = create(text).expect_err("faults");
    assert_eq!(
        told(&faults),
        [
            ("/secret", "unknown-field"),
            ("/titel", "unknown-field"),
            ("/author", "unknown-field"),
            ("/id", "readonly"),
            ("/author_id", "wrong-type"),
            ("/title", "too-short"),
            ("/code", "bad-pattern"),
            ("/status", "not-one-of"),
            ("/score", "too-great"),
            ("/price", "too-precise"),
            ("/created_at", "readonly"),
            ("/length", "readonly"),
            ("/views", "not-null"),
            ("/a~1b~0c", "wrong-type"),
            ("/ratio", "wrong-type"),
            ("/day", "not-a-date"),
            ("/link", "not-a-url"),
            ("/blob", "not-base64"),
        ]
    );
    let of = |pointer: &str| {
        let found = faults
            .iter()
            .find(|fault| fault.place == Place::Pointer(pointer.into()));
        found.cloned().expect("a fault")
    };
    assert_eq!(of("/titel").nearest.as_deref(), Some("title"));
    assert_eq!(of("/secret").nearest, None, "a private field has no name");
    assert_eq!(
        of("/author").detail,
        "is a relation; the member that says which is author_id"
    );
    assert_eq!(of("/author").nearest.as_deref(), Some("author_id"));
    assert_eq!(of("/status").nearest.as_deref(), Some("published"));
    assert_eq!(of("/title").limit, Some(Box::new(2.into())));
    assert_eq!(of("/score").limit, Some(Box::new(100.into())));
    assert_eq!(refused(create("{}")), [pair("/title", "required")]);
    assert_eq!(refused(create("[1]")), [pair("", "wrong-type")]);
}

#[test]
fn faults_are_bounded() {
    let members: Vec<String> = (0..5_000).map(|place| format!("\"m{place}\": 0")).collect();
    let faults = create(&format!("{{{}}}", members.join(","))).expect_err("faults");
    assert_eq!(faults.len(), super::MOST_FAULTS);
}

#[test]
fn numbers_are_what_they_are_worth_however_they_are_written() {
    let read = |name: &str, written: &str| {
        let new = create(&format!(r#"{{"title": "Hello", "{name}": {written}}}"#));
        new.map(|new| value(&new, name))
            .map_err(|faults| faults[0].code.to_string())
    };
    let decimal = |units| Ok(Some(Value::Decimal(Decimal { units, scale: 2 })));
    for written in ["5", "5.0", "5e0", "0.5e1"] {
        assert_eq!(read("score", written), Ok(Some(Value::Integer(5))), "{written}");
    }
    for (written, code) in [
        ("5.5", "wrong-type"),
        ("2147483648", "out-of-range"),
        ("18446744073709551615", "out-of-range"),
        ("1e300", "out-of-range"),
        ("\"5\"", "wrong-type"),
        ("true", "wrong-type"),
        ("[5]", "wrong-type"),
        ("-1", "too-small"),
    ] {
        assert_eq!(read("score", written), Err(code.to_owned()), "{written}");
    }
    for (written, units) in [
        ("\"12.50\"", 1250),
        ("12.5", 1250),
        ("12", 1200),
        ("\"12\"", 1200),
        ("-0.01", -1),
    ] {
        assert_eq!(read("price", written), decimal(units), "{written}");
    }
    for (written, code) in [
        ("12.345", "too-precise"),
        ("0.1e-20", "too-precise"),
        ("1e6", "out-of-range"),
        ("18446744073709551615", "out-of-range"),
        ("\"1e3\"", "not-a-decimal"),
        ("true", "wrong-type"),
    ] {
        assert_eq!(read("price", written), Err(code.to_owned()), "{written}");
    }
    let ratio = Float::new(2.0).expect("finite");
    assert_eq!(read("ratio", "2"), Ok(Some(Value::Float(ratio))));
}

#[test]
fn moments_that_other_programs_cannot_read_are_refused() {
    let read = |written: &str| create(&format!(r#"{{"title": "Hello", "day": "{written}"}}"#));
    assert!(read("0001-01-01").is_ok());
    assert_eq!(refused(read("0000-12-31")), [pair("/day", "out-of-range")]);
    assert_eq!(
        refused(read("2026-01-01T00:00:00Z")),
        [pair("/day", "not-a-date")]
    );
    assert_eq!(
        refused(create(r#"{"title": "Hel\u0000lo"}"#)),
        [pair("/title", "nul-character")]
    );
    assert_eq!(
        refused(create(r#"{"title": "Hello", "meta": ["\u0000"]}"#)),
        [pair("/meta", "nul-character")]
    );
}

#[test]
fn a_field_that_is_closed_to_the_caller_is_read_only_for_him() {
    let validators = &*VALIDATORS;
    let article = validators.resource(ARTICLE);
    let closed = |field| field == place("pinned");
    as_writer(Some(ME), &closed, |writer| {
        let new = article.create(&body(r#"{"title": "Hello", "pinned": true}"#), "", &[], writer);
        assert_eq!(refused(new), [pair("/pinned", "readonly")]);
        let same = article.merge(&body(r#"{"pinned": false}"#), writer);
        assert_eq!(changes(&same), Ok(vec![]));
        let other = article.merge(&body(r#"{"pinned": true}"#), writer);
        assert_eq!(refused(changes(&other)), [pair("/pinned", "readonly")]);
    });
    let open = patch(r#"{"pinned": true}"#);
    assert_eq!(changes(&open), Ok(vec![(place("pinned"), Value::Boolean(true))]));
}

#[test]
fn a_patch_changes_what_it_names_and_only_what_differs() {
    let update = patch(r#"{"title": "Title", "score": 6, "code": null}"#);
    assert_eq!(changes(&update), Ok(vec![(place("score"), Value::Integer(6))]));
    assert_eq!(changes(&patch("{}")), Ok(vec![]));
    assert_eq!(
        refused(changes(&patch(r#"{"title": null, "score": -1}"#))),
        [pair("/title", "not-null"), pair("/score", "too-small")]
    );
    assert_eq!(refused(changes(&patch("null"))), [pair("", "wrong-type")]);
}

#[test]
fn a_patch_merges_into_documents() {
    let merged = |text: &str| changes(&patch(text));
    let set = |document: &str| Ok(vec![(place("meta"), Value::Json(document.into()))]);
    assert_eq!(
        merged(r#"{"meta": {"b": {"c": null, "d": 3}}}"#),
        set(r#"{"a":1,"b":{"d":3}}"#)
    );
    assert_eq!(merged(r#"{"meta": {}}"#), Ok(vec![]));
    assert_eq!(merged(r#"{"meta": {"a": 1}}"#), Ok(vec![]));
    assert_eq!(merged(r#"{"meta": [1]}"#), set("[1]"));
    assert_eq!(
        merged(r#"{"meta": null}"#),
        Ok(vec![(place("meta"), Value::Null)])
    );
    assert_eq!(
        refused(merged(r#"{"meta": {"a": "\u0000"}}"#)),
        [pair("/meta", "nul-character")]
    );
    let put = put(r#"{"title": "Title", "meta": {"b": {"c": 2}, "a": 1}}"#);
    let changed = changes(&put).expect("sound");
    assert!(
        changed.iter().all(|(field, _)| *field != place("meta")),
        "the order of members is no difference"
    );
}

#[test]
fn what_cannot_change_may_be_repeated() {
    let got = r#"{"id": 1, "author_id": 7, "title": "Title", "status": "published", "score": 5, "price": "12.50",
        "meta": {"a": 1, "b": {"c": 2}}, "created_at": "2026-01-01T01:00:00+01:00", "kind": "essay", "length": 5,
        "pinned": false, "views": 3}"#;
    let update = put(got);
    assert_eq!(changes(&update), Ok(vec![]));
    assert_eq!(
        update.compared().collect::<Vec<_>>(),
        [place("id"), place("created_at"), place("kind"), place("length")]
    );
    let other = patch(r#"{"id": 2, "created_at": "2026-01-01T00:00:01Z", "kind": "x", "length": 6}"#);
    assert_eq!(
        refused(changes(&other)),
        [
            pair("/id", "readonly"),
            pair("/created_at", "readonly"),
            pair("/kind", "immutable"),
            pair("/length", "readonly")
        ]
    );
}

#[test]
fn nobody_learns_by_guessing_what_he_may_not_read() {
    let update = patch(r#"{"kind": "essay"}"#);
    assert!(against(&update, &row(), &|_| true).is_ok());
    let hidden = against(&update, &row(), &|field| field != place("kind"));
    assert_eq!(refused(hidden), [pair("/kind", "immutable")]);
    assert_eq!(
        refused(changes(&patch(r#"{"kind": 5, "secret": "secret"}"#))),
        [pair("/secret", "unknown-field"), pair("/kind", "immutable")]
    );
}

#[test]
fn a_put_resets_what_it_does_not_name_and_keeps_what_it_cannot_set() {
    let update = put(r#"{"title": "Other"}"#);
    let set = changes(&update).expect("sound");
    let expected = [
        (place("title"), Value::Text("Other".into())),
        (place("status"), Value::Text("draft".into())),
        (place("score"), Value::Null),
        (place("price"), Value::Null),
        (place("meta"), Value::Null),
    ];
    assert_eq!(
        set, expected,
        "hint is write-only, kind immutable, pinned ruled, views the database's: all kept"
    );
    assert_eq!(refused(changes(&put("{}"))), [pair("/title", "required")]);
}

#[test]
fn a_put_leaves_alone_what_its_caller_may_not_read() {
    let mut schema = schema();
    for name in ["title", "score"] {
        schema.resources[1].fields[place(name) as usize].readable = Some(rule());
    }
    let validators = Validators::new(&schema).expect("sound patterns");
    let update = as_writer(Some(ME), &|_| false, |writer| {
        let key = [Value::Integer(1)];
        validators
            .resource(ARTICLE)
            .replace(&body("{}"), &key, writer)
            .update
    });
    let hidden = |field| field != place("title") && field != place("score");
    let set = against(&update, &row(), &hidden).expect("sound").set;
    assert!(set.iter().all(|(field, _)| hidden(*field)), "{set:?}");
    assert_eq!(
        refused(against(&update, &row(), &|_| true)),
        [pair("/title", "required")]
    );
}

fn put_word(text: &str) -> super::Replacement {
    let validators = &*VALIDATORS;
    as_writer(None, &|_| false, |writer| {
        validators
            .resource(WORD)
            .replace(&body(text), &[Value::Text("cat".into())], writer)
    })
}

#[test]
fn a_put_creates_where_the_client_chooses_the_key() {
    let text = |text: &str| Some(Value::Text(text.into()));
    let whole = put_word(r#"{"language": "en", "meaning": "an animal"}"#);
    let new = whole.create.expect("may create").expect("sound");
    assert_eq!(new.values, [text("cat"), text("en"), text("an animal")]);
    let partial = put_word(r#"{"meaning": "an animal"}"#);
    let word = ["cat", "en", "a pet"].map(|text| Value::Text(text.into()));
    let kept = against(&partial.update, &word, &|_| true).expect("an immutable field keeps its value");
    assert_eq!(kept.set.len(), 1);
    assert_eq!(
        refused(partial.create.expect("may create")),
        [pair("/language", "required")]
    );
    let other = put_word(r#"{"word": "dog", "language": "en", "meaning": "an animal"}"#);
    assert_eq!(
        refused(other.create.expect("may create")),
        [pair("/word", "immutable")]
    );
    let old = [
        Value::Text("cat".into()),
        Value::Text("en".into()),
        Value::Text("x".into()),
    ];
    assert_eq!(
        refused(against(&other.update, &old, &|_| true)),
        [pair("/word", "immutable")]
    );
    let validators = &*VALIDATORS;
    let counted = as_writer(Some(ME), &|_| false, |writer| {
        validators
            .resource(ARTICLE)
            .replace(&body(r#"{"title": "Hello"}"#), &[Value::Integer(1)], writer)
            .create
    });
    assert_eq!(counted, None);
}

#[test]
fn a_key_is_not_empty() {
    let validators = &*VALIDATORS;
    let new = as_writer(None, &|_| false, |writer| {
        let text = r#"{"word": "", "language": "en", "meaning": "x"}"#;
        validators.resource(WORD).create(&body(text), "", &[], writer)
    });
    assert_eq!(refused(new), [pair("/word", "too-short")]);
}

#[test]
fn a_pattern_that_would_take_too_much_is_refused_at_start() {
    let mut schema = schema();
    schema.resources[1].fields[3].pattern = Some(r"(\w{1000}){1000}".into());
    let fault = Validators::new(&schema).expect_err("too large");
    assert_eq!(
        (fault.resource.as_str(), fault.field.as_str()),
        ("article", "code")
    );
}

#[test]
fn a_json_patch_sets_and_takes_away() {
    let update = json_patch(
        r#"[{"op": "replace", "path": "/title", "value": "New"}, {"op": "remove", "path": "/score"},
            {"op": "add", "path": "/meta/b/d", "value": [1]}, {"op": "remove", "path": "/meta/a"}]"#,
    );
    let set = changes(&update).expect("sound");
    let of = |name: &str| {
        let found = set.iter().find(|(field, _)| *field == place(name));
        found.map(|(_, value)| value.clone())
    };
    assert_eq!(of("title"), Some(Value::Text("New".into())));
    assert_eq!(of("score"), Some(Value::Null));
    assert_eq!(of("meta"), Some(Value::Json(r#"{"b":{"c":2,"d":[1]}}"#.into())));
    // What it sets whatever the row holds is known before the row is.
    assert_eq!(update.value(place("title")), Some(&Value::Text("New".into())));
}

#[test]
fn the_operations_of_a_json_patch_follow_one_another() {
    let update = json_patch(
        r#"[{"op": "test", "path": "/meta/b/c", "value": 2.0}, {"op": "move", "from": "/meta/a", "path": "/meta/z"},
            {"op": "copy", "from": "/meta/b", "path": "/meta/y"}, {"op": "replace", "path": "/meta/y/c", "value": 3},
            {"op": "test", "path": "/meta/y", "value": {"c": 3}}, {"op": "copy", "from": "/kind", "path": "/title"}]"#,
    );
    let set = changes(&update).expect("sound");
    assert_eq!(
        set,
        [
            (place("title"), Value::Text("essay".into())),
            (
                place("meta"),
                Value::Json(r#"{"b":{"c":2},"z":1,"y":{"c":3}}"#.into())
            ),
        ]
    );
}

#[test]
fn what_a_json_patch_may_not_do_is_told_by_its_place() {
    let text = r#"[{"op": "replace", "path": "/created_at", "value": "2026-01-01T00:00:00Z"}, {"op": "jump", "path": "/title"},
        {"op": "add", "path": "/titel", "value": 1}, {"op": "add", "path": "", "value": {}}, {"op": "add", "path": "/title"},
        {"op": "add", "path": "/title/x", "value": 1}, {"op": "test", "path": "/password", "value": "x"}, 5,
        {"op": "move", "from": "/meta", "path": "/meta/b"}, {"op": "add", "path": "/title", "value": ""},
        {"op": "replace", "path": "/kind", "value": "x"}, {"op": "move", "from": "/id", "path": "/score"}]"#;
    let told = refused(changes(&json_patch(text)));
    assert_eq!(
        told,
        [
            pair("/0/path", "readonly"),
            pair("/1/op", "not-one-of"),
            pair("/2/path", "unknown-field"),
            pair("/3/path", "unknown-field"),
            pair("/4/value", "required"),
            pair("/5/path", "unknown-field"),
            pair("/6", "unknown-field"),
            pair("/7", "wrong-type"),
            pair("/8/path", "wrong-type"),
            pair("/10/path", "immutable"),
            pair("/11/from", "readonly"),
            pair("/9/value", "too-short"),
        ]
    );
    assert_eq!(
        refused(changes(&json_patch(r#"{"op": "add"}"#))),
        [pair("", "wrong-type")]
    );
}

#[test]
fn what_a_row_does_not_have_conflicts_with_a_json_patch() {
    for (text, expected) in [
        (
            r#"[{"op": "test", "path": "/title", "value": "x"}]"#,
            pair("/0", "test-failed"),
        ),
        (
            r#"[{"op": "test", "path": "/meta/a", "value": 1}, {"op": "remove", "path": "/meta/x"}]"#,
            pair("/1", "no-such-place"),
        ),
        (
            r#"[{"op": "add", "path": "/meta/x/y", "value": 1}]"#,
            pair("/0", "no-such-place"),
        ),
    ] {
        let unfit = json_patch(text).against(VALIDATORS.resource(ARTICLE), &row(), &|_| true);
        assert!(matches!(unfit, Err(Unfit::Conflict(_))), "{unfit:?}");
        assert_eq!(refused(changes(&json_patch(text))), [expected]);
    }
    // A value that isn't shown is not there: nobody learns by tests what he may not read.
    let right = json_patch(r#"[{"op": "test", "path": "/kind", "value": "essay"}]"#);
    assert!(against(&right, &row(), &|_| true).is_ok());
    let hidden = against(&right, &row(), &|field| field != place("kind"));
    assert_eq!(refused(hidden), [pair("/0", "test-failed")]);
}

#[test]
fn copies_of_a_json_patch_are_bounded() {
    let copies = |path: &str, times: usize| {
        let list = r#"{"op": "add", "path": "/meta/list", "value": []}"#.to_owned();
        let copy = format!(r#"{{"op": "copy", "from": "/meta", "path": "{path}"}}"#);
        let all: Vec<String> = std::iter::once(list).chain(vec![copy; times]).collect();
        changes(&json_patch(&format!("[{}]", all.join(","))))
    };
    assert!(copies("/meta/list/-", 10).is_ok());
    // Each doubles it.
    assert_eq!(refused(copies("/meta/list/-", 40)), [pair("/15", "too-long")]);
    assert!(copies("/meta/deeper", 60).is_ok());
    assert_eq!(refused(copies("/meta/deeper", 70)), [pair("/70", "too-long")]);
    assert_eq!(refused(copies("/meta/deeper", 1_000)), [pair("", "too-long")]);
}
