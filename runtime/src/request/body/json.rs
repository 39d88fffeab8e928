//! A JSON value as a client wrote it, merge patches, and pointers to its places.

use std::collections::HashMap;
use std::fmt;

use rest_schema::Value;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The greatest integer up to which a double has every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A JSON value; members keep their order, and no name stands twice.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// null
    Null,
    /// true, false
    Bool(bool),
    /// An integer of 64 bits with a sign.
    Integer(i64),
    /// An integer that only fits without a sign.
    Unsigned(u64),
    /// A number with a point or an exponent; finite.
    Float(f64),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// What JSON calls its type, with an article.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Unsigned(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// A value as JSON has it on the wire.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(flag) => Self::Bool(*flag),
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Float(float) => Self::Float(float.get()),
            other => Self::Text(other.to_wire()),
        }
    }

    /// The integer it is, whichever way it is written (`5`, `5.0`, `5e0`); `None` where a digit could be lost.
    pub fn as_integer(&self) -> Option<i64> {
        match *self {
            Self::Integer(value) => Some(value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT => Some(value as i64),
            _ => None,
        }
    }

    /// A member of an object.
    pub fn member(&self, name: &str) -> Option<&Json> {
        let Self::Object(members) = self else { return None };
        members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Compact JSON.
    pub fn to_text(&self) -> String {
        // Names are strings and numbers are finite: nothing that JSON can't hold.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(items) => items.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Applies a merge patch (RFC 7396): objects member by member, null takes a member away, anything else replaces.
pub fn merge(target: &mut Json, patch: Json) {
    let Json::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !matches!(target, Json::Object(_)) {
        *target = Json::Object(Vec::new());
    }
    let Json::Object(members) = target else { return };
    // By name, so that two large objects don't take the product of their sizes.
    let places: HashMap<String, usize> = (0..)
        .zip(&*members)
        .map(|(i, (name, _))| (name.clone(), i))
        .collect();
    let mut gone = vec![false; members.len()];
    for (name, value) in patch {
        match (places.get(&name), value) {
            (Some(&place), Json::Null) => gone[place] = true,
            (Some(&place), value) => merge(&mut members[place].1, value),
            (None, Json::Null) => {}
            (None, value) => {
                let mut added = Json::Null;
                merge(&mut added, value);
                members.push((name, added));
            }
        }
    }
    let mut gone = gone.into_iter();
    members.retain(|_| !gone.next().unwrap_or(false));
}

/// A place in a body (RFC 6901), built from the outside inwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// The whole body.
    pub fn root() -> Self {
        Self::default()
    }

    /// A member of the object at this place.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        Self(format!("{}/{}", self.0, escaped(name)))
    }

    /// An item of the array at this place.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// Its string form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name as a pointer spells it (RFC 6901, 3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse;
    use super::*;

    fn json(text: &str) -> Json {
        parse(text.as_bytes()).expect("JSON")
    }

    /// The table of RFC 7396, appendix A.
    #[test]
    fn a_merge_is_that_of_rfc_7396() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (
                r#"{"a":{"b":"c"}}"#,
                r#"{"a":{"b":"d","c":null}}"#,
                r#"{"a":{"b":"d"}}"#,
            ),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let mut merged = json(target);
            merge(&mut merged, json(patch));
            assert_eq!(merged.to_text(), result, "{target} + {patch}");
        }
    }

    #[test]
    fn an_integer_is_one_however_it_is_written() {
        assert_eq!(json("9223372036854775807").as_integer(), Some(i64::MAX));
        assert_eq!(json("5.0").as_integer(), Some(5));
        assert_eq!(json("-0").as_integer(), Some(0));
        assert_eq!(json("5.5").as_integer(), None);
        assert_eq!(json("1e300").as_integer(), None);
        assert_eq!(json("9223372036854775808").as_integer(), None);
    }

    #[test]
    fn a_pointer_escapes_its_names() {
        let pointer = Pointer::root().index(1).member("a/b").member("m~n");
        assert_eq!(pointer.as_str(), "/1/a~1b/m~0n");
        assert_eq!(Pointer::root().as_str(), "");
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Integer),
            (i64::MAX as u64 + 1..).prop_map(Json::Unsigned),
            (-1e15..1e15).prop_map(Json::Float),
            "\\PC{0,6}".prop_map(Json::Text),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
                proptest::collection::btree_map("\\PC{0,4}", inner, 0..5)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_json()) {
            prop_assert_eq!(parse(value.to_text().as_bytes()).expect("JSON"), value);
        }

        #[test]
        fn a_merge_twice_is_a_merge_once(target in any_json(), patch in any_json()) {
            let mut once = target;
            merge(&mut once, patch.clone());
            let mut twice = once.clone();
            merge(&mut twice, patch);
            prop_assert_eq!(once, twice);
        }
    }
}
