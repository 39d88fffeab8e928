//! A schema as written: every key with its place.

use rest_schema::raw::{Block, Named, Node, NodeKind, Service, Value as Written};
use rest_schema::{Excerpt, Sources, Span};
use serde_json::{Map, Value};

/// The whole of it; each key is followed by `file:line:column`.
pub(crate) fn raw(service: &Service, sources: &Sources) -> Value {
    block(&service.root, sources)
}

fn block(block: &Block, sources: &Sources) -> Value {
    let entries = block.entries.iter().map(|entry| {
        let key = placed(entry.key.key, entry.at, sources);
        (key, written(&entry.value, sources))
    });
    Value::Object(entries.collect())
}

fn placed(word: &str, span: Span, sources: &Sources) -> String {
    let file = sources.file(span.file).map_or("", |file| file.name.as_str());
    match sources.position(span) {
        Some(place) => format!("{word} ({file}:{}:{})", place.line, place.column),
        None => word.to_owned(),
    }
}

fn written(value: &Written, sources: &Sources) -> Value {
    match value {
        Written::Flag(flag) => Value::Bool(*flag),
        Written::Number(number) => Value::from(*number),
        Written::Text(text) => said(text),
        Written::Texts(list) => list.iter().map(said).collect(),
        Written::Lists(lists) => lists
            .iter()
            .map(|list| list.iter().map(said).collect::<Value>())
            .collect(),
        Written::Rules(rules) => {
            let entries = rules
                .iter()
                .map(|(name, rule)| (placed(&name.text, name.span, sources), said(rule)));
            Value::Object(entries.collect())
        }
        Written::Literal(node) => literal(node),
        Written::Block(inner) => block(inner, sources),
        Written::Blocks(blocks) => blocks.iter().map(|inner| block(inner, sources)).collect(),
        Written::Named(list) => named(list, sources),
        Written::Broken => Value::Null,
    }
}

fn said(text: &Excerpt) -> Value {
    Value::String(text.text.clone())
}

fn named(list: &[Named], sources: &Sources) -> Value {
    let entries = list.iter().map(|one| {
        let name = placed(&one.name.text, one.name.span, sources);
        (name, block(&one.block, sources))
    });
    Value::Object(entries.collect())
}

fn literal(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Flag(flag) => Value::Bool(*flag),
        NodeKind::Number(text) | NodeKind::Text { text, .. } => said(text),
        NodeKind::List(list) => list.iter().map(literal).collect(),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let key = key.scalar().map_or_else(String::new, |key| key.text);
                (key, literal(value))
            });
            Value::Object(entries.collect::<Map<String, Value>>())
        }
    }
}
