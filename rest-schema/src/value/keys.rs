//! The keys of related items as one value: a JSON array, in the order of the keys, each once.

use super::Value;
use super::parse::{ValueCode, ValueFault, expected};
use crate::types::FieldType;

impl Value {
    /// These keys as one value.
    pub fn of_keys(mut keys: Vec<Self>) -> Self {
        keys.sort_by(|one, other| one.compare(other).unwrap_or(std::cmp::Ordering::Equal));
        keys.dedup();
        let all = keys.iter().map(|key| match key {
            Self::Integer(key) => serde_json::Value::from(*key),
            key => serde_json::Value::from(key.to_wire()),
        });
        Self::Json(serde_json::Value::Array(all.collect()).to_string())
    }

    /// The keys of this type that such a value holds; none where it holds anything else.
    pub fn keys(&self, ty: &FieldType) -> Vec<Self> {
        match self {
            Self::Json(text) => read(text, ty).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

/// The keys of a type in a JSON array.
pub(super) fn read(text: &str, ty: &FieldType) -> Result<Vec<Value>, ValueFault> {
    let array = serde_json::from_str::<Vec<serde_json::Value>>(text);
    let array = array.map_err(|_| expected(ValueCode::NotJson, "a JSON array of keys"))?;
    let key = |key: serde_json::Value| match key {
        serde_json::Value::String(text) => ty.parse_text(&text),
        other => ty.parse_text(&other.to_string()),
    };
    array.into_iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_set_in_order() {
        let text = |text: &str| Value::Text(text.to_owned());
        let names = Value::of_keys(vec![text("b"), text("a\""), text("b")]);
        assert_eq!(names, Value::Json(r#"["a\"","b"]"#.to_owned()));
        assert_eq!(names.keys(&FieldType::String), vec![text("a\""), text("b")]);
        let numbers = Value::of_keys(vec![Value::Integer(i64::MAX), Value::Integer(-2)]);
        assert_eq!(numbers, Value::Json("[-2,9223372036854775807]".to_owned()));
        assert_eq!(numbers.keys(&FieldType::Bigint).len(), 2);
        assert_eq!(Value::of_keys(Vec::new()).keys(&FieldType::Bigint), Vec::new());
    }

    #[test]
    fn what_is_no_key_is_none() {
        let read = |text: &str| FieldType::Keys(Box::new(FieldType::Integer)).parse_text(text);
        assert_eq!(read("[3, 1]"), Ok(Value::Json("[1,3]".to_owned())));
        for wrong in ["", "{}", "1", "[null]", "[1.5]", "[\"a\"]", "[[1]]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
