//! Values that a field refuses, each as Rust writes it in `json!`, with the word for what is wrong.

use base64::Engine as _;
use rest_schema::types::Kind;
use rest_schema::value::Decimal;
use rest_schema::{FieldType, Value};

use super::literal;
use super::sample::{Rules, next};

/// The longest text that a test sends, in characters; beyond, the body would be refused before it is looked at.
const LONGEST: u64 = 256 * 1024;

/// A value that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// What stands within `json!(…)`.
    pub(super) json: String,
    /// Why it is refused.
    pub(super) code: &'static str,
}

impl Refused {
    fn new(json: impl Into<String>, code: &'static str) -> Self {
        Self {
            json: json.into(),
            code,
        }
    }
}

/// One value for each thing that can be wrong with the field's values.
pub(super) fn all(rules: &Rules<'_>, body_limit: u64) -> Vec<Refused> {
    let mut all = Vec::new();
    if !rules.field.optional {
        all.push(Refused::new("null", "not-null"));
    }
    all.extend(of_type(&rules.field.ty));
    all.extend(lengths(rules, body_limit.min(LONGEST)));
    all.extend(ranges(rules));
    all.extend(pattern(rules));
    all
}

/// JSON of another type, and texts that aren't of the type.
fn of_type(ty: &FieldType) -> Vec<Refused> {
    let wrong_type = |json: &str| Refused::new(json, "wrong-type");
    let text = |code| vec![wrong_type("1"), Refused::new("\"no such thing\"", code)];
    match ty {
        FieldType::Json => Vec::new(),
        FieldType::Keys(_) => vec![wrong_type("1")],
        FieldType::String | FieldType::Text | FieldType::Password => vec![wrong_type("1")],
        FieldType::Boolean => vec![wrong_type("\"yes\"")],
        FieldType::Integer => vec![
            wrong_type("\"1\""),
            wrong_type("1.5"),
            Refused::new("2_147_483_648_i64", "out-of-range"),
        ],
        FieldType::Bigint => vec![wrong_type("\"1\""), wrong_type("1.5")],
        FieldType::Float => vec![wrong_type("\"1\"")],
        FieldType::Decimal { scale, .. } => vec![
            wrong_type("true"),
            Refused::new("\"a few\"", "not-a-decimal"),
            Refused::new(
                format!("\"0.{}1\"", "0".repeat(usize::from(*scale))),
                "too-precise",
            ),
        ],
        FieldType::Date => text("not-a-date"),
        FieldType::Time => text("not-a-time"),
        FieldType::Timestamp => text("not-a-timestamp"),
        FieldType::Uuid => text("not-a-uuid"),
        FieldType::Bytes => text("not-base64"),
        FieldType::Enum(_) => text("not-one-of"),
        FieldType::Email => text("not-an-email"),
        FieldType::Url => text("not-a-url"),
        FieldType::Slug => text("not-a-slug"),
    }
}

fn lengths(rules: &Rules<'_>, longest: u64) -> Vec<Refused> {
    let (min, max) = rules.lengths();
    let short = (min > 0).then(|| sized(&rules.field.ty, min - 1)).flatten();
    let long = (max < longest).then(|| sized(&rules.field.ty, max + 1)).flatten();
    let code = |value: Value| {
        let code = rules.fault(&value)?;
        let is_length = matches!(code, "too-short" | "too-long");
        is_length.then(|| Refused::new(literal::json(&value), code))
    };
    [short, long].into_iter().flatten().filter_map(code).collect()
}

/// A value of a type that has a length.
fn sized(ty: &FieldType, length: u64) -> Option<Value> {
    let length = usize::try_from(length).ok()?;
    if *ty == FieldType::Bytes {
        return Some(Value::Bytes(vec![0; length]));
    }
    if ty.kind() != Kind::Text {
        return None;
    }
    let (before, after) = match ty {
        FieldType::Email => ("", "@example.com"),
        FieldType::Url => ("https://example.com/", ""),
        _ => ("", ""),
    };
    let between = length.checked_sub(before.len() + after.len())?;
    ty.parse_text(&format!("{before}{}{after}", "x".repeat(between)))
        .ok()
}

fn ranges(rules: &Rules<'_>) -> Vec<Refused> {
    let Some(bounds) = &rules.field.range else {
        return Vec::new();
    };
    let below = bounds.min.as_ref().and_then(|min| next(min, false));
    let above = bounds.max.as_ref().and_then(|max| next(max, true));
    let beyond = |value: Value| {
        let value = of_scale(&rules.field.ty, value)?;
        rules.field.ty.parse_text(&value.to_wire()).ok()?;
        Some(Refused::new(literal::json(&value), rules.fault(&value)?))
    };
    [below, above].into_iter().flatten().filter_map(beyond).collect()
}

/// A decimal with the field's digits after the point.
fn of_scale(ty: &FieldType, value: Value) -> Option<Value> {
    match (ty, value) {
        (FieldType::Decimal { scale, .. }, Value::Decimal(decimal)) => {
            decimal.rescale(*scale).map(Decimal::into_value)
        }
        (_, value) => Some(value),
    }
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for Decimal {
    fn into_value(self) -> Value {
        Value::Decimal(self)
    }
}

fn pattern(rules: &Rules<'_>) -> Option<Refused> {
    rules.field.pattern.as_ref()?;
    let (min, max) = rules.lengths();
    let width = usize::try_from(min.max(1).min(max)).ok()?;
    let texts = ["!", " ", "A", "a", "0", "-", "ß"].map(|text| text.repeat(width));
    texts.into_iter().find_map(|text| {
        let value = rules.field.ty.parse_text(&text).ok()?;
        let code = rules.fault(&value).filter(|code| *code == "bad-pattern")?;
        Some(Refused::new(literal::json(&value), code))
    })
}

/// Bytes as base64 writes them.
pub(super) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
