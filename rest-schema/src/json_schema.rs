//! A JSON Schema of the YAML, for editors: from the table of keys, so that it knows every word that is served.
//!
//! It says what a schema may look like. What it may mean is checked by [`crate::resolve()`] alone.

use serde_json::{Map, Value, json};

use crate::keys::{KeyRow, Level, Shape};
use crate::types::TYPES;

/// The JSON Schema (2020-12) of a schema's top file.
pub fn json_schema() -> Value {
    let mut schema = level(Level::Service);
    let defs: Map<String, Value> = Level::ALL
        .iter()
        .filter(|one| !matches!(one, Level::Service | Level::Included))
        .map(|one| (name(*one), level(*one)))
        .collect();
    if let Value::Object(top) = &mut schema {
        top.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        top.insert("title".to_owned(), json!("A service"));
        top.insert("required".to_owned(), json!(["service"]));
        top.insert("$defs".to_owned(), Value::Object(defs));
    }
    schema
}

/// `BelongsTo` → `belongs_to`.
fn name(level: Level) -> String {
    crate::naming::snake(&format!("{level:?}"))
}

fn level(level: Level) -> Value {
    let rows = level.rows().iter().filter(|row| row.served());
    let properties: Map<String, Value> = rows.map(|row| (row.key.to_owned(), property(row))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn property(row: &KeyRow) -> Value {
    let mut property = shape(row.shape);
    if let Value::Object(property) = &mut property {
        property.insert("description".to_owned(), json!(row.doc));
    }
    property
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items, "minItems": 1 })
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// A rule may be a bare `true` or number, which YAML doesn't read as text.
fn rule() -> Value {
    json!({ "type": ["string", "boolean", "number"] })
}

fn shape(shape: Shape) -> Value {
    let text = json!({ "type": "string" });
    let word = pattern("^[A-Za-z_][A-Za-z0-9_]{0,62}$");
    match shape {
        Shape::Text => text,
        Shape::Name | Shape::Resource => word,
        Shape::Names => list(&word),
        Shape::Texts => list(&text),
        Shape::TextOrTexts | Shape::Sort => json!({ "anyOf": [text, list(&text)] }),
        Shape::Rule => rule(),
        Shape::Rules => json!({ "type": "object", "propertyNames": word, "additionalProperties": rule() }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Count => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Shape::Size => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, pattern("^[0-9]+(KiB|MiB|GiB)$")] })
        }
        Shape::Duration => pattern("^[0-9]+[smhd]$"),
        Shape::Interval => pattern(r"\.\."),
        Shape::Literal | Shape::Default => json!({}),
        Shape::Type => {
            let types: Vec<&str> = TYPES.iter().map(|row| row.name).collect();
            json!({ "enum": types })
        }
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Terms => list(&rule()),
        Shape::Uniques => list(&list(&word)),
        Shape::Indexes => list(&block(Level::Index)),
        Shape::Key => json!({ "anyOf": [word, list(&word), { "$ref": "#/$defs/key" }] }),
        Shape::Block(level) => block(level),
        Shape::Named(level) => {
            json!({ "type": "object", "propertyNames": word, "additionalProperties": block(level) })
        }
        Shape::Later => json!(false),
    }
}

/// A level in its long form or its short one.
fn block(level: Level) -> Value {
    let long = json!({ "$ref": format!("#/$defs/{}", name(level)) });
    match level.short().and_then(|key| level.row(key)) {
        Some(row) => json!({ "anyOf": [shape(row.shape), long] }),
        None => long,
    }
}
