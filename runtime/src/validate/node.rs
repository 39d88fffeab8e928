//! A JSON document whose leaves stay as they are written: numbers of any length, another program's escapes.

use std::collections::HashMap;

use rest_schema::Value;
use serde_json::value::RawValue;

use super::patch::Members;
use crate::request::body::Json;

/// A part of a document.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A number, a string, true, false or null, as it is written.
    Leaf(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// A value of a body.
    pub(super) fn of_json(json: &Json) -> Self {
        match json {
            Json::Array(items) => Self::Array(items.iter().map(Self::of_json).collect()),
            Json::Object(members) => {
                let member = |(name, json): &(String, Json)| (name.clone(), Self::of_json(json));
                Self::Object(members.iter().map(member).collect())
            }
            leaf => Self::Leaf(leaf.to_text()),
        }
    }

    /// A stored value, as an answer shows it.
    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Json(document) => Self::read(document),
            other => Self::of_json(&Json::of_value(other)),
        }
    }

    fn read(text: &str) -> Self {
        let raw = text.trim_start();
        if raw.starts_with('{')
            && let Ok(Members(members)) = serde_json::from_str(raw)
        {
            let member = |(name, raw): (String, Box<RawValue>)| (name, Self::read(raw.get()));
            return Self::Object(members.into_iter().map(member).collect());
        }
        if raw.starts_with('[')
            && let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(raw)
        {
            return Self::Array(items.iter().map(|raw| Self::read(raw.get())).collect());
        }
        Self::Leaf(text.trim().to_owned())
    }

    /// Compact JSON.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(text) => out.push_str(text),
            Self::Array(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (place, (name, member)) in members.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    out.push_str(&Json::Text(name.clone()).to_text());
                    out.push(':');
                    member.write(out);
                }
                out.push('}');
            }
        }
    }

    /// About how many bytes it has as JSON.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Leaf(text) => text.len() + 1,
            Self::Array(items) => 2 + items.iter().map(Self::size).sum::<usize>(),
            Self::Object(members) => {
                let of = |(name, member): &(String, Self)| name.len() + 4 + member.size();
                2 + members.iter().map(of).sum::<usize>()
            }
        }
    }

    /// How deep arrays and objects nest in it.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|(_, node)| node.depth()).max().unwrap_or(0),
        }
    }

    /// What a token of a pointer names in it (RFC 6901, 4).
    pub(super) fn child(&self, token: &str) -> Option<&Self> {
        match self {
            Self::Leaf(_) => None,
            Self::Array(items) => items.get(index(token)?),
            Self::Object(members) => members
                .iter()
                .find(|(name, _)| name == token)
                .map(|(_, node)| node),
        }
    }

    pub(super) fn child_mut(&mut self, token: &str) -> Option<&mut Self> {
        match self {
            Self::Leaf(_) => None,
            Self::Array(items) => items.get_mut(index(token)?),
            Self::Object(members) => members
                .iter_mut()
                .find(|(name, _)| name == token)
                .map(|(_, node)| node),
        }
    }

    /// Adds (RFC 6902, 4.1): a member, or an item before the place or, with `-`, at the end. `None` where there is no such
    /// place.
    pub(super) fn add(&mut self, token: &str, node: Self) -> Option<()> {
        match self {
            Self::Leaf(_) => return None,
            Self::Array(items) => {
                let place = if token == "-" { items.len() } else { index(token)? };
                if place > items.len() {
                    return None;
                }
                items.insert(place, node);
            }
            Self::Object(members) => match members.iter_mut().find(|(name, _)| name == token) {
                Some((_, member)) => *member = node,
                None => members.push((token.to_owned(), node)),
            },
        }
        Some(())
    }

    /// Takes away (RFC 6902, 4.2); `None` where there is nothing.
    pub(super) fn remove(&mut self, token: &str) -> Option<Self> {
        match self {
            Self::Leaf(_) => None,
            Self::Array(items) => {
                let place = index(token).filter(|place| *place < items.len())?;
                Some(items.remove(place))
            }
            Self::Object(members) => {
                let place = members.iter().position(|(name, _)| name == token)?;
                Some(members.remove(place).1)
            }
        }
    }
}

/// Equal as JSON (RFC 6902, 4.6): numbers by value, objects whatever their order.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(one), Self::Leaf(other)) => one == other || is_same(one, other),
            (Self::Array(one), Self::Array(other)) => one == other,
            (Self::Object(one), Self::Object(other)) => {
                let members: HashMap<&str, &Self> =
                    other.iter().map(|(name, node)| (name.as_str(), node)).collect();
                one.len() == members.len()
                    && one
                        .iter()
                        .all(|(name, node)| members.get(name.as_str()).is_some_and(|other| node == *other))
            }
            _ => false,
        }
    }
}

/// Whether two leaves that are written differently are the same value.
fn is_same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match (read(one), read(other)) {
        (Some(serde_json::Value::Number(one)), Some(serde_json::Value::Number(other))) => {
            one == other || one.as_f64() == other.as_f64() && (one.is_f64() || other.is_f64())
        }
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// An index of an array: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let is_index = token == "0" || !token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit());
    is_index.then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::body::parse;

    fn node(text: &str) -> Node {
        Node::read(text)
    }

    #[test]
    fn what_is_not_spoken_of_stays_to_the_digit() {
        let text = r#"{"big":123456789012345678901234567890,"a":[1.00,{"é":"\u00e9"}]}"#;
        assert_eq!(node(text).to_text(), text);
        assert_eq!(node(" [ 1 , 2 ] ").to_text(), "[1,2]");
    }

    #[test]
    fn numbers_are_equal_by_value_and_objects_whatever_their_order() {
        let json = |text: &str| Node::of_json(&parse(text.as_bytes()).expect("JSON"));
        assert!(node(r#"{"a":1.0,"b":"\u00e9"}"#) == json(r#"{"b":"é","a":1}"#));
        assert!(node("[1,2]") != json("[2,1]"));
        assert!(node(r#"{"a":null}"#) != json("{}"));
        assert!(node("9007199254740993") != json("9007199254740992"));
    }

    #[test]
    fn places_are_those_of_the_pointer() {
        let mut list = node("[1,2]");
        assert_eq!(list.child("1").map(Node::to_text).as_deref(), Some("2"));
        for none in ["2", "-", "01", "x", ""] {
            assert!(list.child(none).is_none(), "{none}");
        }
        assert_eq!(list.add("-", node("3")), Some(()));
        assert_eq!(list.add("0", node("0")), Some(()));
        assert_eq!(list.add("9", node("0")), None);
        assert_eq!(list.to_text(), "[0,1,2,3]");
        assert_eq!(list.remove("1").map(|node| node.to_text()).as_deref(), Some("1"));
        assert!(list.remove("3").is_none());
        assert!(node("1").child("0").is_none());
    }
}
