//! A schema as it is written: names and entries with their places, nothing decided.
//!
//! A front end makes a tree of [`Node`]s; [`read()`] checks it against the table of keys and gives a [`Service`], which is
//! sparse: what isn't written isn't there. What the words mean is [`crate::resolve()`]'s business.

mod read;

pub(crate) use read::is_name;
#[cfg(feature = "rust")]
pub(crate) use read::unknown_key;
pub use read::{duration, include, read};

use crate::keys::{KeyRow, Level};
use crate::source::{Excerpt, Span};

/// A value with its place, as a front end found it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// Kinds of nodes, after YAML's core schema.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true`, `false`.
    Flag(bool),
    /// A number, as it is written.
    Number(Excerpt),
    /// A text.
    Text {
        /// What it says.
        text: Excerpt,
        /// Whether it stands without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Keys and values in their order; no key twice.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// What it is, for people.
    pub fn what(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Flag(_) => "a truth value",
            NodeKind::Number(_) => "a number",
            NodeKind::Text { .. } => "a text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    /// The text of a scalar, whatever its type; `None` for null and collections.
    pub fn scalar(&self) -> Option<Excerpt> {
        match &self.kind {
            NodeKind::Flag(flag) => Some(Excerpt::whole(flag.to_string(), self.span)),
            NodeKind::Number(text) | NodeKind::Text { text, .. } => Some(text.clone()),
            NodeKind::Null | NodeKind::List(_) | NodeKind::Map(_) => None,
        }
    }
}

/// A whole schema as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// The top level; what included files hold stands in its `resources` and `mixins` as well.
    pub root: Block,
}

/// The entries of one thing: of a field, a resource, the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Which keys may stand in it.
    pub level: Level,
    /// Where it stands.
    pub span: Span,
    /// What is written, in its order; no key twice.
    pub entries: Vec<Entry>,
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's row.
    pub key: &'static KeyRow,
    /// Where the key stands.
    pub at: Span,
    /// The value, of the row's shape.
    pub value: Value,
    /// Where the value stands.
    pub span: Span,
}

/// A value of some [`crate::keys::Shape`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Flag
    Flag(bool),
    /// Count, Size (bytes), Duration (seconds)
    Number(u64),
    /// Text, Name, Rule, Interval, Type, Word
    Text(Excerpt),
    /// Names, Texts, Sort, Terms
    Texts(Vec<Excerpt>),
    /// Uniques
    Lists(Vec<Vec<Excerpt>>),
    /// Rules
    Rules(Vec<(Excerpt, Excerpt)>),
    /// Literal, Default
    Literal(Node),
    /// Block; Key in its long form
    Block(Block),
    /// Indexes
    Blocks(Vec<Block>),
    /// Named
    Named(Vec<Named>),
    /// A value of another shape than its row's; that has been told.
    Broken,
}

/// An entry of a mapping whose keys are names.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The name.
    pub name: Excerpt,
    /// What it has.
    pub block: Block,
}

impl Block {
    /// A block with nothing in it.
    pub fn empty(level: Level, span: Span) -> Self {
        Self {
            level,
            span,
            entries: Vec::new(),
        }
    }

    /// An entry by its key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        debug_assert!(
            self.level.row(key).is_some(),
            "{:?} has no key `{key}`",
            self.level
        );
        self.entries.iter().find(|entry| entry.key.key == key)
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Whether a key is written.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Where a key's value stands; the block where the key isn't written.
    pub fn place(&self, key: &str) -> Span {
        self.entry(key).map_or(self.span, |entry| entry.span)
    }

    /// A flag, where it is written.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Whether a flag is written and true.
    pub fn is(&self, key: &str) -> bool {
        self.flag(key) == Some(true)
    }

    /// A number.
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A text with its place.
    pub fn text(&self, key: &str) -> Option<&Excerpt> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text without its place.
    pub fn string(&self, key: &str) -> Option<String> {
        self.text(key).map(|text| text.text.clone())
    }

    /// A list of texts; empty where the key isn't written.
    pub fn texts(&self, key: &str) -> &[Excerpt] {
        match self.value(key) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// A list of lists of texts.
    pub fn lists(&self, key: &str) -> &[Vec<Excerpt>] {
        match self.value(key) {
            Some(Value::Lists(lists)) => lists,
            _ => &[],
        }
    }

    /// Rules by name.
    pub fn rules(&self, key: &str) -> &[(Excerpt, Excerpt)] {
        match self.value(key) {
            Some(Value::Rules(rules)) => rules,
            _ => &[],
        }
    }

    /// A literal.
    pub fn literal(&self, key: &str) -> Option<&Node> {
        match self.value(key)? {
            Value::Literal(node) => Some(node),
            _ => None,
        }
    }

    /// A block below.
    pub fn block(&self, key: &str) -> Option<&Self> {
        match self.value(key)? {
            Value::Block(block) => Some(block),
            _ => None,
        }
    }

    /// A list of blocks.
    pub fn blocks(&self, key: &str) -> &[Self] {
        match self.value(key) {
            Some(Value::Blocks(blocks)) => blocks,
            _ => &[],
        }
    }

    /// Blocks by name.
    pub fn named(&self, key: &str) -> &[Named] {
        match self.value(key) {
            Some(Value::Named(named)) => named,
            _ => &[],
        }
    }
}
