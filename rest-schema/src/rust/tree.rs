//! What a struct says, as a tree of keys and values: a macro writes it as calls, a reader of files as nodes.
//!
//! A path to another type stays a path here. A macro leaves it to the compiler; a reader of files looks the type up.

use syn::{Ident, Path};

use crate::diagnostic::Diagnostics;
use crate::raw::{Node, NodeKind};
use crate::source::{Excerpt, Span};

/// A value and its place.
#[derive(Clone)]
pub struct Tree {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: TreeKind,
}

/// What a value is.
#[derive(Clone)]
pub enum TreeKind {
    /// `null` within JSON, and a key without the value that it needs.
    Null,
    /// `true`, `false`, and a key without a value.
    Flag(bool),
    /// A number, digit by digit.
    Number(Excerpt),
    /// A text in quotes.
    Text(Excerpt),
    /// A word, an interval.
    Word(Excerpt),
    /// The name of the resource that a struct is.
    Resource(Path),
    /// The words of an enum.
    Words(Path),
    /// The word of a variant of an enum.
    Variant(Path, Ident),
    /// A list.
    List(Vec<Tree>),
    /// Keys and values.
    Map(Vec<(Excerpt, Tree)>),
}

/// What the types are that paths lead to. `None` where that isn't known; who answers has told it then.
pub trait Types {
    /// The name of the resource that a struct is.
    fn resource(&self, path: &Path, at: Span, diagnostics: &mut Diagnostics) -> Option<String>;
    /// The words of an enum.
    fn words(&self, path: &Path, at: Span, diagnostics: &mut Diagnostics) -> Option<Vec<String>>;
    /// The word of a variant.
    fn variant(
        &self,
        path: &Path,
        variant: &Ident,
        at: Span,
        diagnostics: &mut Diagnostics,
    ) -> Option<String>;
}

impl Tree {
    /// A value.
    pub(super) fn new(span: Span, kind: TreeKind) -> Self {
        Self { span, kind }
    }

    /// A word that isn't written but follows from what stands at a place.
    pub(super) fn word(word: impl Into<String>, span: Span) -> Self {
        Self::new(span, TreeKind::Word(Excerpt::whole(word, span)))
    }

    /// A flag that follows from what stands at a place.
    pub(super) fn flag(span: Span) -> Self {
        Self::new(span, TreeKind::Flag(true))
    }

    /// The text of a scalar; `None` for anything else.
    pub(super) fn scalar(&self) -> Option<Excerpt> {
        match &self.kind {
            TreeKind::Text(text) | TreeKind::Word(text) | TreeKind::Number(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The tree as a front end gives it.
    pub fn node(&self, types: &dyn Types, diagnostics: &mut Diagnostics) -> Node {
        let span = self.span;
        let text = |text: &Excerpt, plain| NodeKind::Text {
            text: text.clone(),
            plain,
        };
        let unknown = || NodeKind::Text {
            text: Excerpt::whole("", span),
            plain: true,
        };
        let found =
            |name: Option<String>| name.map_or_else(unknown, |name| text(&Excerpt::whole(name, span), true));
        let kind = match &self.kind {
            TreeKind::Null => NodeKind::Null,
            TreeKind::Flag(flag) => NodeKind::Flag(*flag),
            TreeKind::Number(number) => NodeKind::Number(number.clone()),
            TreeKind::Text(value) => text(value, false),
            TreeKind::Word(word) => text(word, true),
            TreeKind::Resource(path) => found(types.resource(path, span, diagnostics)),
            TreeKind::Variant(path, variant) => found(types.variant(path, variant, span, diagnostics)),
            TreeKind::Words(path) => words(types.words(path, span, diagnostics).unwrap_or_default(), span),
            TreeKind::List(items) => {
                NodeKind::List(items.iter().map(|item| item.node(types, diagnostics)).collect())
            }
            TreeKind::Map(entries) => return map(span, entries, types, diagnostics),
        };
        Node { span, kind }
    }
}

fn words(words: Vec<String>, span: Span) -> NodeKind {
    let word = |word| Node {
        span,
        kind: NodeKind::Text {
            text: Excerpt::whole(word, span),
            plain: false,
        },
    };
    NodeKind::List(words.into_iter().map(word).collect())
}

/// A mapping. A field of an enum whose words aren't known here is a text, so that nothing is said of its words; nor of a
/// default that isn't known.
fn map(span: Span, entries: &[(Excerpt, Tree)], types: &dyn Types, diagnostics: &mut Diagnostics) -> Node {
    let mut list = Vec::with_capacity(entries.len());
    let mut open = false;
    for (key, value) in entries {
        let node = value.node(types, diagnostics);
        match (&value.kind, &node.kind) {
            (TreeKind::Words(_), NodeKind::List(words)) if words.is_empty() => open = true,
            (TreeKind::Resource(_) | TreeKind::Variant(..), NodeKind::Text { text, .. })
                if text.text.is_empty() => {}
            _ => list.push((name(key), node)),
        }
    }
    if open {
        for (key, value) in &mut list {
            if key.scalar().is_some_and(|key| key.text == "type") {
                *value = Tree::word("string", value.span).node(types, diagnostics);
            }
        }
    }
    Node {
        span,
        kind: NodeKind::Map(list),
    }
}

/// A key as a node.
pub(super) fn name(key: &Excerpt) -> Node {
    Node {
        span: key.span,
        kind: NodeKind::Text {
            text: key.clone(),
            plain: true,
        },
    }
}
