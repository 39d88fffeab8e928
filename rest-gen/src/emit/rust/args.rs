//! Entries of a schema as entries of `#[rest(…)]`, one for one, by the shapes of the table of keys.

use rest_schema::export::{duration, size};
use rest_schema::keys::Shape;
use rest_schema::raw::{Block, Entry, Node, NodeKind, Value};

use super::layout::{Arg, literal};
use super::names::is_word;

/// What a block says, without some keys.
pub(super) fn args(block: &Block, without: &[&str]) -> Vec<Arg> {
    let entries = block.entries.iter();
    let entries = entries.filter(|entry| !without.contains(&entry.key.key));
    entries.flat_map(of_entry).collect()
}

/// One entry; several where Rust repeats the key.
fn of_entry(entry: &Entry) -> Vec<Arg> {
    let key = entry.key.key;
    let list = |args: Vec<Arg>| vec![Arg::List(key.to_owned(), args)];
    match &entry.value {
        Value::Flag(true) => vec![Arg::Word(key.to_owned())],
        Value::Flag(false) => vec![value(key, "false")],
        Value::Number(number) => vec![match entry.key.shape {
            Shape::Size => Arg::text(key, &size(*number)),
            Shape::Duration => Arg::text(key, &duration(*number)),
            _ => value(key, &number.to_string()),
        }],
        Value::Text(text) => vec![value(key, &spelt(entry.key.shape, &text.text))],
        Value::Texts(texts) => {
            let words: Vec<String> = texts
                .iter()
                .map(|text| spelt(entry.key.shape, &text.text))
                .collect();
            match (entry.key.shape, words.as_slice()) {
                (Shape::Sort | Shape::TextOrTexts, [only]) => vec![value(key, only)],
                _ => list(words.into_iter().map(Arg::Word).collect()),
            }
        }
        Value::Lists(lists) => {
            let words = lists
                .iter()
                .map(|list| list.iter().map(|name| Arg::Word(word(&name.text))).collect());
            words.map(|words| Arg::List(key.to_owned(), words)).collect()
        }
        Value::Rules(rules) => {
            let rules = rules
                .iter()
                .map(|(name, rule)| value(&name.text, &word(&rule.text)));
            list(rules.collect())
        }
        Value::Literal(node) => vec![value(key, &self::node(node))],
        Value::Block(block) => vec![short(key, block)],
        Value::Blocks(blocks) => blocks.iter().map(|block| index(key, block)).collect(),
        Value::Named(named) => list(
            named
                .iter()
                .map(|one| short(&one.name.text, &one.block))
                .collect(),
        ),
        Value::Broken => Vec::new(),
    }
}

fn value(key: &str, value: &str) -> Arg {
    Arg::Value(key.to_owned(), value.to_owned())
}

/// A block as `key = x` where it says nothing but what its short form says.
fn short(key: &str, block: &Block) -> Arg {
    match (block.entries.as_slice(), block.level.short()) {
        (
            [
                Entry {
                    key: only,
                    value: Value::Text(text),
                    ..
                },
            ],
            Some(short),
        ) if only.key == short => value(key, &spelt(only.shape, &text.text)),
        (
            [
                Entry {
                    key: only,
                    value: flag @ Value::Flag(_),
                    ..
                },
            ],
            Some(short),
        ) if only.key == short => match flag {
            Value::Flag(true) => Arg::Word(key.to_owned()),
            _ => value(key, "false"),
        },
        _ => Arg::List(key.to_owned(), args(block, &[])),
    }
}

/// An index of nothing but terms is a list of them.
fn index(key: &str, block: &Block) -> Arg {
    let mut all = args(block, &[]);
    match all.as_mut_slice() {
        [Arg::List(_, terms)] => Arg::List(key.to_owned(), std::mem::take(terms)),
        _ => Arg::List(key.to_owned(), all),
    }
}

/// A text as its shape is spelt in Rust.
fn spelt(shape: Shape, text: &str) -> String {
    match shape {
        Shape::Interval => interval(text),
        Shape::Text | Shape::Texts => literal(text),
        _ => word(text),
    }
}

/// A name as it is, with `-` too; all else in quotes.
fn word(text: &str) -> String {
    if is_word(text.strip_prefix('-').unwrap_or(text)) {
        text.to_owned()
    } else {
        literal(text)
    }
}

/// `1..64` as `1..=64`, for that is what it means; ends that aren't numbers keep the schema's spelling, in quotes.
fn interval(text: &str) -> String {
    match text.split_once("..") {
        Some((least, greatest)) if is_number(least) && is_number(greatest) => match greatest {
            "" => format!("{least}.."),
            _ => format!("{least}..={greatest}"),
        },
        _ => literal(text),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text.is_empty()
        || (digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// A literal, down to JSON's documents.
pub(super) fn node(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Flag(flag) => flag.to_string(),
        NodeKind::Number(number) => number.text.clone(),
        NodeKind::Text { text, .. } => literal(&text.text),
        NodeKind::List(items) => {
            let items: Vec<String> = items.iter().map(self::node).collect();
            format!("[{}]", items.join(", "))
        }
        NodeKind::Map(entries) if entries.is_empty() => "{}".to_owned(),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let key = key.scalar().map(|key| key.text).unwrap_or_default();
                format!("{}: {}", literal(&key), self::node(value))
            });
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
