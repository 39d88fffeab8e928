//! Keys of attributes against the table of keys: each value brought into the form that a schema's file has.
//!
//! What a value of the wrong kind is, is told by [`crate::raw`]; here it is carried over as it stands.

use super::attr::{Argument, Kind, Meta, Value};
use super::tree::{Tree, TreeKind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::{Level, Shape};
use crate::raw::unknown_key;
use crate::source::{Excerpt, Span};

/// Keys and values of a mapping.
pub(super) type Entries = Vec<(Excerpt, Tree)>;

/// Keys of a schema's file that Rust says in another way.
const ELSEWHERE: &[(Level, &str, &str)] = &[
    (Level::Service, "service", "write `name = \"…\"`"),
    (
        Level::Service,
        "resources",
        "the fields of the struct name them: `posts: Post`",
    ),
    (
        Level::Service,
        "include",
        "every resource is a field of the struct, wherever it stands",
    ),
    (
        Level::Service,
        "mixins",
        "there are none in Rust: each struct says all that it has",
    ),
    (
        Level::Resource,
        "mixins",
        "there are none in Rust: each struct says all that it has",
    ),
    (Level::Resource, "fields", "its fields are those of the struct"),
    (
        Level::Resource,
        "belongs_to",
        "say it of the field that holds the key: `#[rest(belongs_to = User)] author_id: i64`",
    ),
    (
        Level::Resource,
        "many_to_many",
        "it is a field: `tags: ManyToMany<Tag>`",
    ),
    (Level::Field, "values", "the words of an enum are its variants"),
    (Level::Field, "optional", "write the type as `Option<…>`"),
    (
        Level::BelongsTo,
        "to",
        "`belongs_to = User` says where it leads to",
    ),
    (Level::BelongsTo, "optional", "write the type as `Option<…>`"),
    (Level::ManyToMany, "to", "the type says where it leads to"),
];

/// The entries of a mapping of a level; `extra` are the keys that only Rust has there, which were taken out before.
pub(super) fn entries(
    level: Level,
    extra: &[&str],
    metas: Vec<Meta>,
    diagnostics: &mut Diagnostics,
) -> Entries {
    let mut entries = Entries::new();
    for meta in metas {
        let key = meta.key.text.as_str();
        let elsewhere = ELSEWHERE
            .iter()
            .find(|(one, word, _)| *one == level && *word == key);
        let fault = |message: String| Diagnostic::new("unknown-key", meta.key.span, message);
        if let Some((_, _, help)) = elsewhere {
            diagnostics.push(fault(format!("`{key}` isn't said so in Rust")).help(*help));
        } else if let Some(row) = level.row(key) {
            let value = shaped(row.shape, meta.value, diagnostics);
            add(&mut entries, row.shape, meta.key, value);
        } else {
            let words = level.rows().iter().map(|row| row.key);
            let words = words.filter(|word| !is_elsewhere(level, word));
            diagnostics.push(unknown_key(level, &meta.key, words.chain(extra.iter().copied())));
        }
    }
    entries
}

fn is_elsewhere(level: Level, word: &str) -> bool {
    ELSEWHERE
        .iter()
        .any(|(one, other, _)| *one == level && *other == word)
}

/// Lists and mappings may be said bit by bit.
fn add(entries: &mut Entries, shape: Shape, key: Excerpt, value: Tree) {
    let joins = matches!(
        shape,
        Shape::Uniques | Shape::Indexes | Shape::Rules | Shape::Named(_) | Shape::Block(_)
    );
    let there = entries.iter_mut().find(|(one, _)| joins && one.text == key.text);
    match (there.map(|(_, tree)| &mut tree.kind), value.kind) {
        (Some(TreeKind::List(all)), TreeKind::List(more)) => all.extend(more),
        (Some(TreeKind::Map(all)), TreeKind::Map(more)) => all.extend(more),
        (_, kind) => entries.push((key, Tree::new(value.span, kind))),
    }
}

/// A value in the form of its shape.
fn shaped(shape: Shape, value: Value, diagnostics: &mut Diagnostics) -> Tree {
    let span = value.span;
    match (shape, value.kind) {
        (Shape::Flag | Shape::Later, Kind::Nothing) => Tree::flag(span),
        (Shape::Block(level), Kind::Nothing) if level.is_flag() => Tree::flag(span),
        (Shape::Rules, Kind::Arguments(list)) => named(span, list, diagnostics, |value, _| plain(value)),
        (Shape::Named(level), Kind::Arguments(list)) => {
            named(span, list, diagnostics, |value, diagnostics| {
                block(level, value, diagnostics)
            })
        }
        (Shape::Block(level), Kind::Arguments(list)) => map(level, span, list, diagnostics),
        (Shape::Key, Kind::Arguments(list)) if list.iter().any(is_meta) || is_flag(&list) => {
            map(Level::Key, span, list, diagnostics)
        }
        (Shape::Uniques, kind @ (Kind::Arguments(_) | Kind::Word(..) | Kind::Text(_))) => {
            let list = listed(Value { span, kind }, diagnostics);
            Tree::new(span, TreeKind::List(vec![list]))
        }
        (Shape::Indexes, Kind::Arguments(list)) if list.iter().any(is_meta) => {
            let long = map(Level::Index, span, list, diagnostics);
            Tree::new(span, TreeKind::List(vec![long]))
        }
        (Shape::Indexes, kind @ (Kind::Arguments(_) | Kind::Word(..) | Kind::Text(_))) => {
            let list = listed(Value { span, kind }, diagnostics);
            Tree::new(span, TreeKind::List(vec![list]))
        }
        (Shape::Resource, Kind::Word(_, Some(path))) => Tree::new(span, TreeKind::Resource(path)),
        (Shape::Names | Shape::Texts | Shape::Terms, kind @ (Kind::Word(..) | Kind::Text(_))) => {
            listed(Value { span, kind }, diagnostics)
        }
        (_, Kind::Arguments(list)) => listed(
            Value {
                span,
                kind: Kind::Arguments(list),
            },
            diagnostics,
        ),
        (_, kind) => plain(Value { span, kind }),
    }
}

fn is_meta(argument: &Argument) -> bool {
    matches!(argument, Argument::Meta(_))
}

/// A key of one field is said without parentheses, so that in them stands the flag of a key.
fn is_flag(list: &[Argument]) -> bool {
    let [Argument::Value(value)] = list else {
        return false;
    };
    let flags = Level::Key.rows().iter().filter(|row| row.shape == Shape::Flag);
    let mut flags = flags.map(|row| row.key);
    matches!(&value.kind, Kind::Word(word, _) if flags.any(|flag| flag == word.text))
}

/// A list of values, or of the only one.
fn listed(value: Value, diagnostics: &mut Diagnostics) -> Tree {
    let span = value.span;
    let items = match value.kind {
        Kind::Arguments(list) => {
            let values = list.into_iter().filter_map(|argument| match argument {
                Argument::Value(value) => Some(plain(value)),
                Argument::Meta(meta) => {
                    let message = format!("`{}` has no value of its own here", meta.key.text);
                    let help = "in these parentheses stand values, one after another";
                    diagnostics.push(Diagnostic::new("wrong-shape", meta.key.span, message).help(help));
                    None
                }
            });
            values.collect()
        }
        kind => vec![plain(Value { span, kind })],
    };
    Tree::new(span, TreeKind::List(items))
}

/// The keys of a level in parentheses; a bare name is a flag.
fn map(level: Level, span: Span, list: Vec<Argument>, diagnostics: &mut Diagnostics) -> Tree {
    let metas = list
        .into_iter()
        .filter_map(|argument| flag(argument, diagnostics));
    let metas = metas.collect();
    Tree::new(span, TreeKind::Map(entries(level, &[], metas, diagnostics)))
}

/// An argument as a key with a value.
fn flag(argument: Argument, diagnostics: &mut Diagnostics) -> Option<Meta> {
    match argument {
        Argument::Meta(meta) => Some(meta),
        Argument::Value(Value {
            kind: Kind::Word(key, _),
            span,
        }) => Some(Meta {
            key,
            value: Value {
                span,
                kind: Kind::Nothing,
            },
        }),
        Argument::Value(value) => {
            let message = "a key is expected here, not a value";
            let help = "write `key = value`";
            diagnostics.push(Diagnostic::new("wrong-shape", value.span, message).help(help));
            None
        }
    }
}

/// Names with their values.
fn named(
    span: Span,
    list: Vec<Argument>,
    diagnostics: &mut Diagnostics,
    mut read: impl FnMut(Value, &mut Diagnostics) -> Tree,
) -> Tree {
    let mut entries = Entries::new();
    for argument in list {
        if let Some(meta) = flag(argument, diagnostics) {
            entries.push((meta.key, read(meta.value, diagnostics)));
        }
    }
    Tree::new(span, TreeKind::Map(entries))
}

/// A block in its long form or its short one.
fn block(level: Level, value: Value, diagnostics: &mut Diagnostics) -> Tree {
    match value.kind {
        Kind::Arguments(list) => map(level, value.span, list, diagnostics),
        _ => plain(value),
    }
}

/// A value as it stands.
fn plain(value: Value) -> Tree {
    let kind = match value.kind {
        Kind::Nothing | Kind::Null => TreeKind::Null,
        Kind::Text(text) => TreeKind::Text(text),
        Kind::Number(number) => TreeKind::Number(number),
        Kind::Flag(flag) => TreeKind::Flag(flag),
        Kind::Word(word, _) => TreeKind::Word(word),
        Kind::Arguments(list) => TreeKind::List(
            list.into_iter()
                .filter_map(|argument| match argument {
                    Argument::Value(value) => Some(plain(value)),
                    Argument::Meta(_) => None,
                })
                .collect(),
        ),
        Kind::List(list) => TreeKind::List(list.into_iter().map(plain).collect()),
        Kind::Map(entries) => TreeKind::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key, plain(value)))
                .collect(),
        ),
    };
    Tree::new(value.span, kind)
}
