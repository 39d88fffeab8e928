//! Values as Rust writes them within `json!`.

use rest_schema::Value;

use super::refused::base64;

/// From so many equal characters on, a text is written as a repetition.
const MANY: usize = 24;

/// What stands within `json!(…)`.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Integer(integer) => integer_text(*integer),
        Value::Float(float) => format!("{:?}", float.get()),
        Value::Json(text) => {
            serde_json::from_str(text).map_or_else(|_| "null".to_owned(), |value| document(&value))
        }
        Value::Bytes(bytes) => text(&base64(bytes)),
        other => text(&other.to_wire()),
    }
}

/// The same as the JSON that is sent.
pub(super) fn wire(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(flag) => (*flag).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Float(float) => float.get().into(),
        Value::Json(text) => serde_json::from_str(text).unwrap_or_default(),
        Value::Bytes(bytes) => base64(bytes).into(),
        other => other.to_wire().into(),
    }
}

/// A JSON document, its texts escaped as Rust escapes them.
fn document(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(words) => format!("{words:?}"),
        serde_json::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(document).collect();
            format!("[{}]", items.join(", "))
        }
        serde_json::Value::Object(members) => {
            let members = members.iter();
            let members: Vec<String> = members
                .map(|(name, value)| format!("{name:?}: {}", document(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        serde_json::Value::Number(number) => number.as_i64().map_or_else(|| number.to_string(), integer_text),
        other => other.to_string(),
    }
}

/// Literals without a suffix are 32 bits wide.
fn integer_text(integer: i64) -> String {
    if i32::try_from(integer).is_ok() {
        integer.to_string()
    } else {
        format!("{}_i64", grouped(integer))
    }
}

/// Clippy asks for groups of three in long numbers.
fn grouped(integer: i64) -> String {
    let digits = integer.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    if integer < 0 { format!("-{text}") } else { text }
}

/// A text; a long run of one character at its end, or within it, is a repetition.
pub(super) fn text(text: &str) -> String {
    let Some((start, end)) = longest_run(text) else {
        return format!("{text:?}");
    };
    let (before, run, after) = (&text[..start], &text[start..end], &text[end..]);
    let first = run.chars().next().unwrap_or('x');
    let count = run.chars().count();
    let repeated = format!("{:?}.repeat({count})", first.to_string());
    if before.is_empty() && after.is_empty() {
        repeated
    } else {
        let shape = format!("{}{{}}{}", braces(before), braces(after));
        format!("format!({shape:?}, {repeated})")
    }
}

fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// The place of the longest run of one character, where it is long enough to be written as one.
fn longest_run(text: &str) -> Option<(usize, usize)> {
    let mut best = (0, 0, 0);
    let mut run = (0, 0, None);
    for (place, c) in text.char_indices() {
        if run.2 != Some(c) {
            run = (place, 0, Some(c));
        }
        run.1 += 1;
        if run.1 > best.2 {
            best = (run.0, place + c.len_utf8(), run.1);
        }
    }
    (best.2 >= MANY).then_some((best.0, best.1))
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn long_runs_are_repetitions() {
        assert_eq!(text("a\"b"), r#""a\"b""#);
        assert_eq!(text(&"x".repeat(121)), r#""x".repeat(121)"#);
        assert_eq!(
            text(&format!("{}@example.com", "x".repeat(30))),
            r#"format!("{}@example.com", "x".repeat(30))"#
        );
        assert_eq!(
            json(&Value::Integer(-9_007_199_254_740_993)),
            "-9_007_199_254_740_993_i64"
        );
    }
}
