//! The tables of stored forms, printed by the codecs themselves.

use rest_schema::FieldType;
use rest_schema::types::TYPES;

use super::{code, compare, table};
use crate::codec::{Codec, Form};
use crate::migrate::create::literal;

const PAGE: &str = include_str!("stored-forms.md");

/// A value of each type as a client sends it, and what SQLAlchemy declares for it.
fn examples() -> Vec<(FieldType, &'static str, &'static [&'static str])> {
    let words = vec!["draft".to_owned(), "published".to_owned()];
    vec![
        (FieldType::String, "susan", &["VARCHAR(64)"]),
        (FieldType::Text, "a long text", &["TEXT"]),
        (FieldType::Integer, "42", &["INTEGER"]),
        (FieldType::Bigint, "9007199254740993", &["BIGINT"]),
        (FieldType::Float, "2.5", &["FLOAT"]),
        (
            FieldType::Decimal {
                precision: 8,
                scale: 2,
            },
            "12.30",
            &["NUMERIC(8, 2)", "VARCHAR(20)"],
        ),
        (FieldType::Boolean, "true", &["BOOLEAN"]),
        (FieldType::Date, "2026-01-31", &["DATE"]),
        (FieldType::Time, "13:30:00", &["TIME"]),
        (FieldType::Timestamp, "2026-01-31T13:30:00.25Z", &["DATETIME"]),
        (
            FieldType::Uuid,
            "0197f4a1-6c3b-7d52-9a3e-5b1f0c2d4e6f",
            &["CHAR(32)", "VARCHAR(36)", "BINARY(16)"],
        ),
        (FieldType::Json, r#"{"a":[1,null]}"#, &["JSON"]),
        (FieldType::Bytes, "AP8Q", &["BLOB"]),
        (FieldType::Enum(words), "draft", &["VARCHAR(9)"]),
        (FieldType::Email, "susan@example.com", &["VARCHAR(120)"]),
        (FieldType::Url, "https://example.com/", &["VARCHAR(200)"]),
        (FieldType::Slug, "a-slug", &["VARCHAR(80)"]),
    ]
}

#[test]
fn stored_forms() {
    let page = PAGE
        .replace("{ours}\n", &ours())
        .replace("{foreign}\n", &foreign());
    compare("stored-forms.md", &page);
}

#[test]
fn every_type_has_an_example() {
    let shown: Vec<_> = examples().iter().map(|(ty, ..)| ty.name()).collect();
    let all: Vec<_> = TYPES
        .iter()
        .map(|row| row.name)
        .filter(|name| *name != "password")
        .collect();
    assert_eq!(shown, all);
}

fn ours() -> String {
    table(
        &["type", "column", "JSON", "stored"],
        examples().into_iter().map(|(ty, text, _)| {
            let (stored, shown) = kept(&ty, text, &Form::Ours);
            vec![
                code(ty.name()),
                code(ty.row().sqlite),
                code(&shown),
                code(&stored),
            ]
        }),
    )
}

fn foreign() -> String {
    let rows = examples().into_iter().flat_map(|(ty, text, declared)| {
        declared.iter().map(move |declared| {
            let (stored, shown) = kept(&ty, text, &Form::foreign(declared));
            vec![code(ty.name()), code(declared), code(&shown), code(&stored)]
        })
    });
    table(&["type", "declared", "JSON", "stored"], rows)
}

/// The stored form as SQL, and what is shown of it.
fn kept(ty: &FieldType, text: &str, form: &Form) -> (String, String) {
    let codec = Codec::new(ty, form);
    let cell = codec.encode(&ty.parse_text(text).expect("a value"));
    let mut shown = Vec::new();
    codec
        .write_json(cell.as_ref(), &mut shown)
        .expect("a value that fits");
    (literal(&cell), String::from_utf8(shown).expect("UTF-8"))
}
