//! Literals of the schema: a node read as a value of a type, and a value held against a field's rules.

use super::pattern;
use crate::diagnostic::Diagnostic;
use crate::raw::{Node, NodeKind};
use crate::schema::{Bounds, Field};
use crate::source::{Excerpt, Span};
use crate::types::{FieldType, Kind};
use crate::value::Value;

/// Reads a node as a value of a type.
pub(super) fn read(ty: &FieldType, node: &Node) -> Result<Value, Diagnostic> {
    let wrong = |message: String| Diagnostic::new("bad-literal", node.span, message);
    if *ty == FieldType::Json {
        return Ok(Value::Json(json(node).to_string()));
    }
    let expected = || format!("a value of type {} is expected, not {}", ty.name(), node.what());
    match (&node.kind, ty.kind()) {
        (NodeKind::Flag(flag), Kind::Boolean) => Ok(Value::Boolean(*flag)),
        (NodeKind::Text { .. }, Kind::Boolean | Kind::Integer | Kind::Float) => Err(wrong(expected())),
        (NodeKind::Number(text), Kind::Integer | Kind::Float | Kind::Decimal)
        | (NodeKind::Text { text, .. }, _) => parse(ty, &text.text, node.span),
        (NodeKind::Flag(_) | NodeKind::Number(_), Kind::Text) => {
            let text = node.scalar().map(|text| text.text).unwrap_or_default();
            Err(wrong(expected()).help(format!("write `'{text}'`")))
        }
        (NodeKind::Null, _) => Err(wrong(expected()).help("without a value, leave the key out")),
        _ => Err(wrong(expected())),
    }
}

/// Reads a text as a value of a type.
pub(super) fn parse(ty: &FieldType, text: &str, span: Span) -> Result<Value, Diagnostic> {
    ty.parse_text(text).map_err(|fault| {
        let message = format!("`{text}` is no value of type {}: {}", ty.name(), fault.message);
        let mut diagnostic = Diagnostic::new("bad-literal", span, message);
        diagnostic.nearest = fault.nearest;
        diagnostic
    })
}

fn json(node: &Node) -> serde_json::Value {
    match &node.kind {
        NodeKind::Null => serde_json::Value::Null,
        NodeKind::Flag(flag) => serde_json::Value::Bool(*flag),
        NodeKind::Number(text) => serde_json::from_str(&text.text)
            .ok()
            .filter(serde_json::Value::is_number)
            .unwrap_or_else(|| serde_json::Value::String(text.text.clone())),
        NodeKind::Text { text, .. } => serde_json::Value::String(text.text.clone()),
        NodeKind::List(items) => items.iter().map(json).collect(),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.scalar().map(|key| key.text).unwrap_or_default(), json(value)))
            .collect(),
    }
}

/// Reads `a..b`, both ends included, one of them perhaps open.
pub(super) fn interval<T>(
    written: &Excerpt,
    mut read: impl FnMut(&str, Span) -> Result<T, Diagnostic>,
    ordered: impl Fn(&T, &T) -> bool,
) -> Result<Bounds<T>, Diagnostic> {
    let wrong = |message: String| Diagnostic::new("bad-interval", written.span, message);
    let right = "write `1..64`, `..64`, `1..` or `8..8`; both ends are included";
    let Some((min, max)) = written.text.split_once("..") else {
        return Err(wrong(format!("`{}` is no interval", written.text)).help(right));
    };
    // `..=` is Rust's spelling of what `..` means here.
    let max = max.strip_prefix('=').unwrap_or(max);
    let split = written.text.len() - max.len();
    let mut end = |text: &str, start: usize| {
        let text = text.trim();
        (!text.is_empty())
            .then(|| read(text, written.sub(start, start + text.len())))
            .transpose()
    };
    let bounds = Bounds {
        min: end(min, 0)?,
        max: end(max, split)?,
    };
    match (&bounds.min, &bounds.max) {
        (None, None) => Err(wrong("an interval has one end at least".to_owned()).help(right)),
        (Some(min), Some(max)) if !ordered(min, max) => Err(wrong(format!(
            "no value is in `{}`: its ends are swapped",
            written.text
        ))),
        _ => Ok(bounds),
    }
}

/// What is wrong with a value by the field's own rules.
pub(super) fn breaks(field: &Field, value: &Value) -> Option<String> {
    let length = match value {
        Value::Text(text) => Some(text.chars().count() as u64),
        Value::Bytes(bytes) => Some(bytes.len() as u64),
        _ => None,
    };
    if let (Some(bounds), Some(length)) = (&field.length, length)
        && (bounds.min.is_some_and(|min| length < min) || bounds.max.is_some_and(|max| length > max))
    {
        return Some(format!("its length is {length}, which `length` doesn't allow"));
    }
    if let Some(bounds) = &field.range {
        let below = |end: &Option<Value>| end.as_ref().and_then(|end| value.compare(end));
        if below(&bounds.min).is_some_and(std::cmp::Ordering::is_lt)
            || below(&bounds.max).is_some_and(std::cmp::Ordering::is_gt)
        {
            return Some("it is outside of `range`".to_owned());
        }
    }
    if let (Some(written), Value::Text(text)) = (&field.pattern, value)
        && pattern::parse(written).is_ok_and(|pattern| !pattern.matches(text))
    {
        return Some("it doesn't match `pattern`".to_owned());
    }
    None
}
