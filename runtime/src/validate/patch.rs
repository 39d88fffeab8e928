//! A merge patch (RFC 7396) applied to a stored JSON document.
//!
//! The document may hold what no request could (numbers of any length, another program's escapes), so what the patch
//! doesn't speak of is copied as it stands and never read as a number or a string.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::request::body::Json;

/// The document after the patch, compact where both were.
pub(super) fn merged(document: &str, patch: &Json) -> String {
    let mut out = String::with_capacity(document.len());
    write_merged(Some(document), patch, &mut out);
    out
}

fn write_merged(target: Option<&str>, patch: &Json, out: &mut String) {
    let Json::Object(patch) = patch else {
        out.push_str(&patch.to_text());
        return;
    };
    let Members(members) = target
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    // By name, so that two large objects don't take the product of their sizes.
    let changes: HashMap<&str, &Json> = patch.iter().map(|(name, json)| (name.as_str(), json)).collect();
    let known: HashSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    let mut separator = '{';
    let mut member = |name: &str, out: &mut String| {
        out.push(separator);
        out.push_str(&Json::Text(name.to_owned()).to_text());
        out.push(':');
        separator = ',';
    };
    for (name, value) in &members {
        match changes.get(name.as_str()) {
            Some(Json::Null) => {}
            Some(change) => {
                member(name, out);
                write_merged(Some(value.get()), change, out);
            }
            None => {
                member(name, out);
                out.push_str(value.get());
            }
        }
    }
    for (name, value) in patch {
        if *value != Json::Null && !known.contains(name.as_str()) {
            member(name, out);
            write_merged(None, value, out);
        }
    }
    out.push_str(if separator == '{' { "{}" } else { "}" });
}

/// The members of an object, their values unread; of anything else none.
#[derive(Default)]
pub(super) struct Members(pub(super) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    members.push(entry);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::merged;
    use crate::request::body::{merge, parse};

    #[test]
    fn what_the_patch_does_not_name_stays_to_the_digit() {
        let document = r#"{"big":123456789012345678901234567890,"a":{"x":1.00,"y":[1]},"é":"\u00e9"}"#;
        let patch = parse(br#"{"a":{"x":2},"new":{"n":1,"gone":null}}"#).expect("JSON");
        assert_eq!(
            merged(document, &patch),
            r#"{"big":123456789012345678901234567890,"a":{"x":2,"y":[1]},"é":"\u00e9","new":{"n":1}}"#
        );
    }

    #[test]
    fn anything_but_an_object_is_replaced() {
        let patch = parse(br#"{"a":null,"b":1}"#).expect("JSON");
        for document in ["null", "[1]", "\"x\"", "1e400", "{\"a\":2}"] {
            assert_eq!(merged(document, &patch), r#"{"b":1}"#);
        }
        let patch = parse(b"{}").expect("JSON");
        assert_eq!(merged("[1]", &patch), "{}");
        assert_eq!(merged(r#"{"a":1}"#, &patch), r#"{"a":1}"#);
    }

    proptest! {
        #[test]
        fn it_is_the_merge_of_bodies(target in json(), patch in json()) {
            let (target, patch) = (target.to_string(), parse(patch.to_string().as_bytes()).expect("JSON"));
            let mut expected = parse(target.as_bytes()).expect("JSON");
            merge(&mut expected, patch.clone());
            prop_assert_eq!(merged(&target, &patch), expected.to_text());
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(serde_json::Value::from),
            "[a-z\"é]{0,3}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                proptest::collection::btree_map("[a-d]{1,2}", inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
