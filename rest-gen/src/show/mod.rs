//! The stages of a schema as values to look at: ordered, sparse, and without types of ours.

mod raw;
mod reads;
mod schema;

use std::fmt::Write as _;

use serde_json::{Map, Value};

pub(crate) use raw::raw;
pub(crate) use reads::{plan, plans, sql};
pub(crate) use schema::schema;

/// An object of the entries that say something.
fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => true,
    };
    let entries = entries.into_iter().filter(|(_, value)| says(value));
    Value::Object(entries.map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A value as indented lines, for people.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) => entries(map, indent, out),
        Value::Array(list) => list.iter().for_each(|item| listed(item, indent, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = writeln!(out, "{:indent$}{}", "", scalar(value));
        }
    }
}

fn entries(map: &Map<String, Value>, indent: usize, out: &mut String) {
    for (key, value) in map {
        if let Value::String(text) = value
            && text.contains('\n')
        {
            let _ = writeln!(out, "{:indent$}{key}:", "");
            for line in text.lines() {
                let _ = writeln!(out, "{:indent$}  {line}", "");
            }
        } else if let Some(line) = line(value) {
            let _ = writeln!(out, "{:indent$}{key}: {line}", "");
        } else {
            let _ = writeln!(out, "{:indent$}{key}:", "");
            block(value, indent + 2, out);
        }
    }
}

fn listed(item: &Value, indent: usize, out: &mut String) {
    let mut lines = String::new();
    block(item, indent + 2, &mut lines);
    lines.replace_range(indent..indent + 1, "-");
    out.push_str(&lines);
}

/// What fits on the line of its key: a scalar or a list of scalars.
fn line(value: &Value) -> Option<String> {
    match value {
        Value::Object(_) => None,
        Value::Array(list) => {
            let items: Option<Vec<String>> = list
                .iter()
                .map(|item| (!item.is_object() && !item.is_array()).then(|| scalar(item)))
                .collect();
            items.map(|items| format!("[{}]", items.join(", ")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(scalar(value)),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if !text.contains('\n') => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_drawn_by_indentation() {
        let value = json!({
            "name": "blog", "sizes": [1, 2], "post": { "title": "a\nb" },
            "links": [{ "to": "User", "by": { "key": "id" } }, { "to": "Tag" }],
        });
        let wanted = "name: blog\nsizes: [1, 2]\npost:\n  title:\n    a\n    b\nlinks:\n  - to: User\n    by:\n      key: id\n  - to: Tag\n";
        assert_eq!(text(&value), wanted);
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let value = object([
            ("a", json!(false)),
            ("b", json!(null)),
            ("c", json!([])),
            ("d", json!(0)),
        ]);
        assert_eq!(value, json!({ "d": 0 }));
    }
}
