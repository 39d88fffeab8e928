//! What diagnostics quote, in the spelling of attributes: where a schema is written in Rust, `optional: true` helps nobody.

use crate::diagnostic::Diagnostic;
use crate::raw::is_name;

/// Spells what a diagnostic quotes as Rust does.
pub fn in_rust(mut one: Diagnostic) -> Diagnostic {
    one.message = quotes(&one.message);
    one.help = one
        .help
        .map(|help| quotes(&help).replace("`optional`", "an `Option<…>`"));
    one
}

/// A text, the parts between backticks spelled anew.
fn quotes(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts: Vec<String> = parts
        .map(|(at, part)| {
            if at % 2 == 1 {
                quoted(part)
            } else {
                part.to_owned()
            }
        })
        .collect();
    parts.join("`")
}

fn quoted(text: &str) -> String {
    if let Some(key) = text.strip_suffix(':').filter(|key| is_name(key)) {
        return key.to_owned();
    }
    if is_interval(text) {
        return interval(text);
    }
    if let Some(inner) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return format!("{:?}", inner.replace("''", "'"));
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return format!("({inner})");
    }
    let items: Option<Vec<String>> = split(text).into_iter().map(entry).collect();
    match items {
        Some(items) => items.join(", "),
        None => text.to_owned(),
    }
}

/// `key: value` as an attribute says it.
fn entry(text: &str) -> Option<String> {
    let (key, value) = text.split_once(": ")?;
    let (key, value) = (key.trim(), value.trim());
    if !is_name(key) || value.is_empty() {
        return None;
    }
    Some(match value {
        "true" if key == "optional" => "Option<…>".to_owned(),
        "true" => key.to_owned(),
        _ if is_interval(value) => format!("{key} = {}", interval(value)),
        _ => match around(value) {
            Some(inner) => format!("{key}({})", list(inner)),
            None if is_word(value) => format!("{key} = {value}"),
            None => format!("{key} = \"{value}\""),
        },
    })
}

/// What stands in the brackets of a value.
fn around(value: &str) -> Option<&str> {
    let within = |open, close| value.strip_prefix(open)?.strip_suffix(close);
    let inner = within('[', ']').or_else(|| within('{', '}'))?.trim();
    // A list of one list is said by the list.
    Some(
        inner
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(inner),
    )
}

fn list(inner: &str) -> String {
    let items = split(inner).into_iter();
    let items: Vec<String> = items
        .map(|item| entry(item).unwrap_or_else(|| item.trim().to_owned()))
        .collect();
    items.join(", ")
}

/// Parts between commas that stand in no brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|c: char| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn is_word(value: &str) -> bool {
    is_name(value.trim_start_matches('-')) || value.parse::<f64>().is_ok()
}

fn is_interval(text: &str) -> bool {
    let number = |end: &str| end.is_empty() || end.parse::<f64>().is_ok();
    text.split_once("..")
        .is_some_and(|(low, high)| text.len() > 2 && number(low) && number(high))
}

/// Both ends are in it.
fn interval(text: &str) -> String {
    match text.split_once("..") {
        Some((low, high)) if !high.is_empty() => format!("{low}..={high}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::quotes;

    #[test]
    fn what_is_quoted_is_spelled_as_attributes_are() {
        for (yaml, rust) in [
            (
                "say `optional: true`, or `on_delete: cascade`",
                "say `Option<…>`, or `on_delete = cascade`",
            ),
            (
                "say `precision: 8, scale: 2` for more",
                "say `precision = 8, scale = 2` for more",
            ),
            ("write `unique: [[title, day]]`", "write `unique(title, day)`"),
            ("what `unique:` says", "what `unique` says"),
            ("say `on: [name]`", "say `on(name)`"),
            (
                "write `1..64`, `..64`, `1..` or `8..8`",
                "write `1..=64`, `..=64`, `1..` or `8..=8`",
            ),
            ("`default: slug(title)`", "`default = \"slug(title)\"`"),
            ("write `'5'`", "write `\"5\"`"),
            ("say `access: { read: public }`", "say `access(read = public)`"),
            (
                "`accounts: { resource: User, identify_by: [email], password: password }`",
                "`accounts(resource = User, identify_by(email), password = password)`",
            ),
            ("write `exists(author where …)`", "write `exists(author where …)`"),
            ("no resource is called `Usr`", "no resource is called `Usr`"),
            ("`a, b`", "`a, b`"),
            ("write `[title, -day]`", "write `(title, -day)`"),
        ] {
            assert_eq!(quotes(yaml), rust);
        }
    }
}
