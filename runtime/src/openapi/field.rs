//! A field as JSON Schema: what an answer shows, what a body may say, and what a parameter looks for.

use rest_schema::{Bounds, Field, FieldType, Value as Stored};
use serde_json::{Map, Value, json};

/// A JSON Schema under way.
pub(super) type Object = Map<String, Value>;

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It is shown. `limits`: whether every stored row keeps to the limits of the schema.
    Shown { limits: bool },
    /// A body says it.
    Given,
    /// A parameter looks for it.
    Sought,
}

/// The most bytes of a query string, and so of what stands in one.
pub(super) const LONGEST_QUERY: usize = crate::request::query::MAX_LENGTH;

/// The schema of a field; `length` are the bounds that really hold for it, `longest` those of any text.
pub(super) fn schema(field: &Field, length: Option<&Bounds<u64>>, usage: Use, longest: u64) -> Object {
    let mut schema = of_type(&field.ty, usage);
    let is_text = is_text(&field.ty);
    if matches!(usage, Use::Given | Use::Shown { limits: true }) {
        if is_text {
            schema.insert("maxLength".to_owned(), json!(most_characters(&field.ty, longest)));
            lengths(&field.ty, length, &mut schema);
        }
        range(field, &mut schema);
        if let Some(pattern) = &field.pattern {
            schema.insert("pattern".to_owned(), json!(pattern));
        }
    }
    if usage == Use::Sought && is_text {
        schema.insert("maxLength".to_owned(), json!(longest));
    }
    if let FieldType::Keys(of) = &field.ty {
        keys(of, length, usage, longest, &mut schema);
    }
    if usage == Use::Given && field.ty == FieldType::Json && !field.optional {
        schema.insert("not".to_owned(), json!({ "type": "null" }));
    }
    if usage != Use::Sought && field.optional {
        nullable(&mut schema);
    }
    if usage != Use::Sought {
        told(field, &mut schema);
    }
    schema
}

/// Whether it is a string of any characters, and no word of a list.
fn is_text(ty: &FieldType) -> bool {
    ty.row().json == "string" && !matches!(ty, FieldType::Enum(_))
}

/// Keys of related items. A body says so many at most; pairs of their own may have made more.
fn keys(of: &FieldType, length: Option<&Bounds<u64>>, usage: Use, longest: u64, schema: &mut Object) {
    let mut key = of_type(of, usage);
    if is_text(of) {
        key.insert("maxLength".to_owned(), json!(most_characters(of, longest)));
    }
    let most = match usage {
        Use::Given => length.and_then(|length| length.max),
        Use::Shown { .. } | Use::Sought => None,
    };
    schema.insert("items".to_owned(), Value::Object(key));
    schema.insert("uniqueItems".to_owned(), json!(true));
    schema.insert("maxItems".to_owned(), json!(most.unwrap_or(u64::from(u32::MAX))));
}

/// The schema of what a parameter looks for in a field.
pub(super) fn sought(field: &Field) -> Object {
    sought_in(field, LONGEST_QUERY)
}

/// The same, where there is room for so much.
pub(super) fn sought_in(field: &Field, room: usize) -> Object {
    schema(field, None, Use::Sought, room as u64)
}

/// The schema of a type alone.
fn of_type(ty: &FieldType, usage: Use) -> Object {
    let row = ty.row();
    let mut schema = Object::new();
    if !row.json.is_empty() {
        schema.insert("type".to_owned(), json!(row.json));
    }
    // What is looked for need not be an address itself.
    let any_text = usage == Use::Sought && matches!(ty, FieldType::Email | FieldType::Url | FieldType::Slug);
    if let Some(format) = row.format.filter(|_| !any_text) {
        schema.insert("format".to_owned(), json!(format));
    }
    match ty {
        FieldType::Integer => bounds(&mut schema, json!(i32::MIN), json!(i32::MAX)),
        FieldType::Bigint => bounds(&mut schema, json!(i64::MIN), json!(i64::MAX)),
        FieldType::Decimal { precision, scale } => {
            schema.insert("pattern".to_owned(), json!(decimal(*precision, *scale, usage)));
            if usage == Use::Given {
                schema.insert("type".to_owned(), json!(["string", "number"]));
            }
        }
        FieldType::Time => {
            let seconds = match usage {
                Use::Shown { .. } => r":[0-5][0-9](\.[0-9]{1,6})?",
                Use::Given | Use::Sought => r"(:[0-5][0-9](\.[0-9]{1,6})?)?",
            };
            let pattern = format!("^([01][0-9]|2[0-3]):[0-5][0-9]{seconds}$");
            schema.insert("pattern".to_owned(), json!(pattern));
        }
        FieldType::Bytes => {
            schema.insert("contentEncoding".to_owned(), json!("base64"));
        }
        FieldType::Enum(values) => {
            schema.insert("enum".to_owned(), json!(values));
        }
        FieldType::Slug if usage != Use::Sought => {
            schema.insert("pattern".to_owned(), json!("^[a-z0-9]+(-[a-z0-9]+)*$"));
        }
        _ => {}
    }
    schema
}

/// Of a text that the schema doesn't limit, what a body or a query string can hold.
fn most_characters(ty: &FieldType, longest: u64) -> u64 {
    match ty {
        FieldType::Date => 10,
        FieldType::Time => 15,
        FieldType::Timestamp => 32,
        FieldType::Uuid => 36,
        _ => longest,
    }
}

fn bounds(schema: &mut Object, min: Value, max: Value) {
    schema.insert("minimum".to_owned(), min);
    schema.insert("maximum".to_owned(), max);
}

/// What is shown has exactly the scale; what is given may leave digits out, and may end with more zeros.
fn decimal(precision: u8, scale: u8, usage: Use) -> String {
    let whole = precision.saturating_sub(scale).max(1);
    let point = match (usage, scale) {
        (Use::Shown { .. }, 0) => String::new(),
        (Use::Shown { .. }, scale) => format!(r"\.[0-9]{{{scale}}}"),
        (Use::Given | Use::Sought, 0) => r"(\.0+)?".to_owned(),
        (Use::Given | Use::Sought, scale) => format!(r"(\.[0-9]{{1,{scale}}}0*)?"),
    };
    format!("^-?(0|[1-9][0-9]{{0,{}}}){point}$", whole - 1)
}

fn lengths(ty: &FieldType, length: Option<&Bounds<u64>>, schema: &mut Object) {
    let Some(length) = length else { return };
    // Base64 has four characters for three bytes.
    let characters = |bytes: u64| match ty {
        FieldType::Bytes => bytes.div_ceil(3).saturating_mul(4),
        _ => bytes,
    };
    if let Some(min) = length.min.filter(|min| *min > 0) {
        schema.insert("minLength".to_owned(), json!(characters(min)));
    }
    if let Some(max) = length.max {
        schema.insert("maxLength".to_owned(), json!(characters(max)));
    }
}

fn range(field: &Field, schema: &mut Object) {
    let Some(range) = &field.range else { return };
    let number = |bound: &Option<Stored>| match bound {
        Some(Stored::Integer(value)) => Some(json!(value)),
        Some(Stored::Float(value)) => Some(json!(value.get())),
        _ => None,
    };
    for (word, bound) in [("minimum", &range.min), ("maximum", &range.max)] {
        match (number(bound), bound) {
            (Some(number), _) => {
                schema.insert(word.to_owned(), number);
            }
            // JSON Schema has no order of texts; a reader is told all the same.
            (None, Some(bound)) => {
                schema.insert(format!("x-{word}"), json!(bound.to_wire()));
            }
            (None, None) => {}
        }
    }
}

fn nullable(schema: &mut Object) {
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push(json!("null")),
        Some(one) => *one = json!([one.clone(), "null"]),
        None => {}
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}

/// What the schema tells people of the field.
fn told(field: &Field, schema: &mut Object) {
    if let Some(description) = &field.description {
        schema.insert("description".to_owned(), json!(description));
    }
    if let Some(example) = &field.example {
        schema.insert("examples".to_owned(), json!([on_the_wire(example)]));
    }
    if field.deprecated.is_some() {
        schema.insert("deprecated".to_owned(), json!(true));
    }
}

/// A value as JSON has it.
fn on_the_wire(value: &Stored) -> Value {
    match value {
        Stored::Null => Value::Null,
        Stored::Boolean(flag) => json!(flag),
        Stored::Integer(integer) => json!(integer),
        Stored::Float(float) => json!(float.get()),
        Stored::Json(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => json!(other.to_wire()),
    }
}
