//! One field: a JSON value to a [`Value`], and the rules that the schema gives it.

use std::collections::HashSet;

use iri_string::types::UriStr;
use regex::{Regex, RegexBuilder};
use rest_schema::value::{Float, ValueCode, ValueFault};
use rest_schema::{Bounds, Field, FieldType, Value};

use crate::problem::{Fault, words};
use crate::request::body::{Json, Pointer};

/// Bytes that a compiled pattern may take.
const PATTERN_SIZE: usize = 1 << 20;

/// Characters of a password where the schema names no limit; what hashes it reads all of it.
const LONGEST_PASSWORD: u64 = 1_024;

/// What is wrong with a value, without its place.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) word: &'static str,
    pub(super) detail: String,
    limit: Option<Box<serde_json::Value>>,
    nearest: Option<String>,
    /// Which item of an array it is.
    item: Option<usize>,
}

impl Wrong {
    pub(super) fn new(word: &'static str, detail: impl Into<String>) -> Self {
        Self {
            word,
            detail: detail.into(),
            limit: None,
            nearest: None,
            item: None,
        }
    }

    fn limit(mut self, limit: impl Into<serde_json::Value>) -> Self {
        self.limit = Some(Box::new(limit.into()));
        self
    }

    /// The fault at a place.
    pub(super) fn at(self, pointer: String) -> Fault {
        let pointer = match self.item {
            Some(item) => format!("{pointer}/{item}"),
            None => pointer,
        };
        let mut fault = Fault::pointer(pointer, self.word, self.detail);
        fault.limit = self.limit;
        fault.nearest = self.nearest;
        fault
    }
}

/// A field's rules, compiled.
#[derive(Debug)]
pub(super) struct FieldRules {
    pub(super) ty: FieldType,
    optional: bool,
    length: Option<Bounds<u64>>,
    range: Option<Bounds<Value>>,
    pattern: Option<Regex>,
}

impl FieldRules {
    /// Compiles a field's rules; the message of a pattern that is none, or too large.
    pub(super) fn new(field: &Field, is_key: bool) -> Result<Self, String> {
        let pattern = field
            .pattern
            .as_deref()
            .map(|pattern| RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build())
            .transpose()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            ty: field.ty.clone(),
            optional: field.optional,
            length: length(field, is_key),
            range: field.range.clone(),
            pattern,
        })
    }

    /// The bounds of its length.
    pub(super) fn length(&self) -> Option<&Bounds<u64>> {
        self.length.as_ref()
    }

    /// A value that is to be stored: of the field's type, and within its rules.
    pub(super) fn check(&self, json: &Json) -> Result<Value, Wrong> {
        if matches!(json, Json::Null) {
            return if self.optional {
                Ok(Value::Null)
            } else {
                Err(Wrong::new(words::NOT_NULL, "must not be null"))
            };
        }
        let value = read(&self.ty, json)?;
        self.check_rules(&value)?;
        Ok(value)
    }

    /// A value of the field's type, or NULL; for comparing it with what is stored.
    pub(super) fn read(&self, json: &Json) -> Result<Value, Wrong> {
        match json {
            Json::Null => Ok(Value::Null),
            json => read(&self.ty, json),
        }
    }

    /// A JSON document, as its text.
    pub(super) fn document(&self, text: &str) -> Result<Value, Wrong> {
        self.ty.parse_text(text).map_err(wrong)
    }

    /// Whether a value, already of the field's type, is within its rules.
    pub(super) fn check_rules(&self, value: &Value) -> Result<(), Wrong> {
        self.check_length(value)?;
        self.check_range(value)?;
        match (&self.pattern, value) {
            (Some(pattern), Value::Text(text)) if !pattern.is_match(text) => Err(Wrong::new(
                words::BAD_PATTERN,
                format!("must match the pattern {}", pattern.as_str()),
            )),
            _ => Ok(()),
        }
    }

    fn check_length(&self, value: &Value) -> Result<(), Wrong> {
        let Some(bounds) = &self.length else { return Ok(()) };
        let (length, unit) = match value {
            Value::Text(text) => (text.chars().count(), "character"),
            Value::Bytes(bytes) => (bytes.len(), "byte"),
            keys @ Value::Json(_) if let FieldType::Keys(of) = &self.ty => (keys.keys(of).len(), "key"),
            _ => return Ok(()),
        };
        let plural = |limit: u64| if limit == 1 { "" } else { "s" };
        match (bounds.min, bounds.max) {
            (Some(min), _) if (length as u64) < min => {
                let detail = format!("must have at least {min} {unit}{}", plural(min));
                Err(Wrong::new(words::TOO_SHORT, detail).limit(min))
            }
            (_, Some(max)) if length as u64 > max => {
                let detail = format!("must have at most {max} {unit}{}", plural(max));
                Err(Wrong::new(words::TOO_LONG, detail).limit(max))
            }
            _ => Ok(()),
        }
    }

    fn check_range(&self, value: &Value) -> Result<(), Wrong> {
        let Some(bounds) = &self.range else { return Ok(()) };
        let outside =
            |limit: &Option<Value>, side| limit.clone().filter(|limit| value.compare(limit) == Some(side));
        if let Some(min) = outside(&bounds.min, std::cmp::Ordering::Less) {
            return Err(too_small(&min));
        }
        match outside(&bounds.max, std::cmp::Ordering::Greater) {
            Some(max) => Err(too_great(&max)),
            None => Ok(()),
        }
    }
}

/// The bounds of a text's length, with those that hold where the schema names none: a key is never empty, and
/// neither is a password.
fn length(field: &Field, is_key: bool) -> Option<Bounds<u64>> {
    let is_password = field.ty == FieldType::Password;
    let mut bounds = field.length.clone().unwrap_or(Bounds { min: None, max: None });
    if is_key || is_password {
        bounds.min = Some(bounds.min.unwrap_or(0).max(1));
    }
    if is_password {
        bounds.max = bounds.max.or(Some(LONGEST_PASSWORD));
    }
    (bounds.min.is_some() || bounds.max.is_some()).then_some(bounds)
}

fn too_small(limit: &Value) -> Wrong {
    Wrong::new(words::TOO_SMALL, format!("must be at least {limit}")).limit(on_the_wire(limit))
}

fn too_great(limit: &Value) -> Wrong {
    Wrong::new(words::TOO_GREAT, format!("must be at most {limit}")).limit(on_the_wire(limit))
}

fn on_the_wire(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(integer) => (*integer).into(),
        Value::Float(float) => float.get().into(),
        other => other.to_wire().into(),
    }
}

/// A JSON value to look for. What is looked for need not be an address or URL itself: no row has it then.
pub(crate) fn sought(ty: &FieldType, json: &Json, at: &Pointer) -> Result<Value, Fault> {
    let ty = match ty {
        FieldType::Email | FieldType::Url | FieldType::Slug => &FieldType::Text,
        other => other,
    };
    let value = match json {
        Json::Null => Err(Wrong::new(
            words::NOT_NULL,
            "null is equal to nothing; ask for it by null: true",
        )),
        json => read(ty, json),
    };
    value.map_err(|wrong| wrong.at(at.as_str().to_owned()))
}

/// A JSON value, not null, as a value of a type.
fn read(ty: &FieldType, json: &Json) -> Result<Value, Wrong> {
    match (ty, json) {
        (FieldType::Json, json) => ty.parse_text(&json.to_text()).map_err(wrong),
        (FieldType::Keys(of), json) => keys(of, json),
        (FieldType::Boolean, Json::Bool(flag)) => Ok(Value::Boolean(*flag)),
        (FieldType::Boolean, json) => Err(other_type("true or false", json)),
        (FieldType::Integer, json) => integer(json, i64::from(i32::MIN), i64::from(i32::MAX)),
        (FieldType::Bigint, json) => integer(json, i64::MIN, i64::MAX),
        (FieldType::Float, json) => float(json),
        (FieldType::Decimal { .. }, json) => decimal(ty, json),
        (ty, Json::Text(written)) => text(ty, written),
        (_, json) => Err(other_type("a string", json)),
    }
}

/// An array of keys, each of them once.
fn keys(of: &FieldType, json: &Json) -> Result<Value, Wrong> {
    let Json::Array(items) = json else {
        return Err(other_type("an array of keys", json));
    };
    let mut seen = HashSet::with_capacity(items.len());
    let mut keys = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let at = |wrong: Wrong| Wrong {
            item: Some(place),
            ..wrong
        };
        let key = read(of, item).map_err(at)?;
        if !seen.insert(key.to_wire()) {
            return Err(at(Wrong::new(words::REPEATED, "stands here already")));
        }
        keys.push(key);
    }
    Ok(Value::of_keys(keys))
}

fn other_type(right: &str, json: &Json) -> Wrong {
    Wrong::new(words::WRONG_TYPE, format!("must be {right}, not {}", json.kind()))
}

fn integer(json: &Json, min: i64, max: i64) -> Result<Value, Wrong> {
    match (json, json.as_integer()) {
        (_, Some(value)) if (min..=max).contains(&value) => Ok(Value::Integer(value)),
        (Json::Float(value), None) if value.fract() != 0.0 => {
            Err(Wrong::new(words::WRONG_TYPE, "must be a whole number"))
        }
        (Json::Integer(_) | Json::Unsigned(_) | Json::Float(_), _) => Err(out_of_range(format!(
            "must be a whole number from {min} to {max}"
        ))),
        (json, _) => Err(other_type("a whole number", json)),
    }
}

fn out_of_range(detail: impl Into<String>) -> Wrong {
    Wrong::new(ValueCode::OutOfRange.word(), detail)
}

#[expect(clippy::cast_precision_loss, reason = "the field is a double")]
fn float(json: &Json) -> Result<Value, Wrong> {
    let number = match json {
        Json::Integer(value) => *value as f64,
        Json::Unsigned(value) => *value as f64,
        Json::Float(value) => *value,
        json => return Err(other_type("a number", json)),
    };
    Float::new(number)
        .map(Value::Float)
        .ok_or_else(|| out_of_range("must be a number that a double can hold"))
}

fn decimal(ty: &FieldType, json: &Json) -> Result<Value, Wrong> {
    let written = match json {
        Json::Text(written) => return text(ty, written),
        Json::Integer(value) => value.to_string(),
        Json::Unsigned(value) => value.to_string(),
        // `12.5` means 12.5 to whoever wrote it; more digits than a double shows were lost before we saw them.
        Json::Float(value) => value.to_string(),
        json => return Err(other_type("a decimal as a string", json)),
    };
    text(ty, &written)
}

fn text(ty: &FieldType, written: &str) -> Result<Value, Wrong> {
    let value = ty.parse_text(written).map_err(wrong)?;
    match (ty, &value) {
        (FieldType::Url, _) if UriStr::new(written).is_err() => Err(Wrong::new(
            ValueCode::NotAUrl.word(),
            "must be an absolute URI, `https://example.com/`",
        )),
        // Neither Python nor PostgreSQL has a year 0, and a row with one breaks every query of theirs that meets it.
        (_, Value::Date(date)) if date.year() < 1 => Err(out_of_range("must be in the years 0001 to 9999")),
        (_, Value::Timestamp(moment)) if jiff::tz::Offset::UTC.to_datetime(*moment).year() < 1 => {
            Err(out_of_range("must be in the years 0001 to 9999"))
        }
        _ => Ok(value),
    }
}

/// What isn't of its type is told in the type's own words, as in a query string.
fn wrong(fault: ValueFault) -> Wrong {
    Wrong {
        word: fault.code.word(),
        detail: fault.message,
        limit: None,
        nearest: fault.nearest,
        item: None,
    }
}
