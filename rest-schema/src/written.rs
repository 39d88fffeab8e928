//! A schema as a program says it: the calls that a derive emits, made into the tree that a front end gives.
//!
//! What is written knows its lines and columns and not its text, for the text stays with the compiler; so its files are
//! lists of places ([`crate::Sources::add_places`]).

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{self, Node, NodeKind};
use crate::report::{Loaded, Report};
use crate::source::{Excerpt, FileId, Position, Sources, Span};

/// A line and a column, both from 1.
pub type At = (u32, u32);

/// Takes down what is written, in its order.
#[derive(Debug)]
pub struct Writer {
    sources: Sources,
    file: FileId,
    /// The files so far: a service and its resources may take turns.
    files: HashMap<String, FileId>,
    open: Vec<Open>,
}

/// A collection that is still being written.
#[derive(Debug)]
struct Open {
    key: Node,
    is_list: bool,
    entries: Vec<(Node, Node)>,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// Nothing yet but the mapping at the top.
    pub fn new() -> Self {
        let top = Open {
            key: Node {
                span: Span::default(),
                kind: NodeKind::Null,
            },
            is_list: false,
            entries: Vec::new(),
        };
        Self {
            sources: Sources::new(),
            file: FileId::default(),
            files: HashMap::new(),
            open: vec![top],
        }
    }

    /// Says in which file what follows stands.
    pub fn file(&mut self, name: &str) {
        let sources = &mut self.sources;
        let known = self.files.entry(name.to_owned());
        self.file = *known.or_insert_with(|| sources.add_places(name));
    }

    /// Begins a mapping; within a list the key says nothing.
    pub fn open(&mut self, key: &str, at: At) {
        self.begin(key, at, false);
    }

    /// Begins a list.
    pub fn open_list(&mut self, key: &str, at: At) {
        self.begin(key, at, true);
    }

    /// Ends the mapping or list begun last.
    pub fn close(&mut self) {
        if self.open.len() < 2 {
            return;
        }
        let Some(Open {
            key,
            is_list,
            entries,
        }) = self.open.pop()
        else {
            return;
        };
        let span = key.span;
        let kind = if is_list {
            NodeKind::List(entries.into_iter().map(|(_, value)| value).collect())
        } else {
            NodeKind::Map(entries)
        };
        self.push(key, Node { span, kind });
    }

    /// A text in quotes.
    pub fn text(&mut self, key: &str, text: &str, at: At) {
        self.scalar(key, at, |span| NodeKind::Text {
            text: Excerpt::whole(text, span),
            plain: false,
        });
    }

    /// A word: a name, an interval.
    pub fn word(&mut self, key: &str, word: &str, at: At) {
        self.scalar(key, at, |span| NodeKind::Text {
            text: Excerpt::whole(word, span),
            plain: true,
        });
    }

    /// A number, digit by digit.
    pub fn number(&mut self, key: &str, digits: &str, at: At) {
        self.scalar(key, at, |span| NodeKind::Number(Excerpt::whole(digits, span)));
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, flag: bool, at: At) {
        self.scalar(key, at, |_| NodeKind::Flag(flag));
    }

    /// `null`, within JSON.
    pub fn null(&mut self, key: &str, at: At) {
        self.scalar(key, at, |_| NodeKind::Null);
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &str, texts: &[&str], at: At) {
        self.open_list(key, at);
        for text in texts {
            self.text("", text, at);
        }
        self.close();
    }

    /// The tree, and the places in it.
    pub fn finish(mut self, diagnostics: &mut Diagnostics) -> (Node, Sources) {
        while self.open.len() > 1 {
            self.close();
        }
        let entries = self.open.pop().map(|top| top.entries).unwrap_or_default();
        let node = Node {
            span: Span::default(),
            kind: NodeKind::Map(entries),
        };
        (unrepeated(node, diagnostics), self.sources)
    }

    fn begin(&mut self, key: &str, at: At, is_list: bool) {
        let key = self.key(key, at);
        self.open.push(Open {
            key,
            is_list,
            entries: Vec::new(),
        });
    }

    fn scalar(&mut self, key: &str, at: At, kind: impl FnOnce(Span) -> NodeKind) {
        let key = self.key(key, at);
        let span = key.span;
        self.push(
            key,
            Node {
                span,
                kind: kind(span),
            },
        );
    }

    fn key(&mut self, key: &str, (line, column): At) -> Node {
        let place = Position {
            line: line as usize,
            column: column as usize,
        };
        let span = self.sources.place(self.file, place);
        let text = Excerpt::whole(key, span);
        Node {
            span,
            kind: NodeKind::Text { text, plain: true },
        }
    }

    fn push(&mut self, key: Node, value: Node) {
        if let Some(open) = self.open.last_mut() {
            open.entries.push((key, value));
        }
    }
}

/// Reads what was written.
///
/// # Errors
///
/// Every fault there is, and the warnings beside them.
pub fn read(writer: Writer) -> Result<Loaded, Report> {
    let mut diagnostics = Diagnostics::new();
    let (node, sources) = writer.finish(&mut diagnostics);
    let raw = raw::read(&node, &sources, &mut diagnostics);
    Loaded::of(raw, sources, diagnostics)
}

/// The tree with each key once, as every front end gives it; what stood there a second time is told.
pub fn unrepeated(node: Node, diagnostics: &mut Diagnostics) -> Node {
    let kind = match node.kind {
        NodeKind::Map(entries) => {
            let mut seen = HashSet::new();
            let mut list = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let word = key.scalar().map(|word| word.text).unwrap_or_default();
                if seen.insert(word.clone()) {
                    list.push((key, unrepeated(value, diagnostics)));
                } else {
                    let message = format!("`{word}` stands here a second time");
                    diagnostics.push(Diagnostic::new("duplicate-key", key.span, message));
                }
            }
            NodeKind::Map(list)
        }
        NodeKind::List(items) => NodeKind::List(
            items
                .into_iter()
                .map(|item| unrepeated(item, diagnostics))
                .collect(),
        ),
        kind => kind,
    };
    Node { kind, ..node }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_has_its_places() {
        let mut writer = Writer::new();
        writer.file("src/main.rs");
        writer.text("service", "blog", (3, 8));
        writer.open("resources", (5, 1));
        writer.open("Post", (6, 5));
        writer.word("sort", "-id", (7, 9));
        writer.close();
        writer.open("Post", (9, 5));
        writer.close();
        let mut diagnostics = Diagnostics::new();
        let (node, sources) = writer.finish(&mut diagnostics);
        let told = crate::diagnostic::lines(&diagnostics.finish(), &sources);
        assert_eq!(
            told,
            "src/main.rs:9:5: error[duplicate-key]: `Post` stands here a second time\n"
        );
        let NodeKind::Map(entries) = &node.kind else {
            panic!("{node:?}");
        };
        assert_eq!(entries.len(), 2);
        assert_eq!(
            sources.position(entries[0].1.span),
            Some(Position { line: 3, column: 8 })
        );
    }
}
