//! Text → raw: YAML 1.2 core, read into a tree with places, then against the table of keys.
//!
//! The tree is read whole before anything is checked, so that one run reports every fault. Files are loaded by whoever
//! calls, for this crate has no I/O.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Spanned, from_str_with_options};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{self, Node, NodeKind};
use crate::source::{Excerpt, FileId, Sources, Span};

/// Bytes that all files of a schema may have together: a hundred times what a large service needs.
pub const MAX_BYTES: usize = 4 << 20;
const MAX_NODES: usize = 200_000;
const MAX_DEPTH: usize = 32;
const MAX_FILES: usize = 1_000;

/// Finds the files that a glob names, relative to the file it stands in: names and texts, in a stable order.
pub type Loader<'a> = dyn FnMut(&str) -> Result<Vec<(String, String)>, String> + 'a;

/// Reads a schema and all that it includes. `None` where the text isn't YAML or nothing of it could be read.
pub fn parse(
    name: &str,
    text: &str,
    load: &mut Loader<'_>,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<raw::Service> {
    let mut total = 0;
    let node = file(name, text, &mut total, sources, diagnostics)?;
    let mut service = raw::read(&node, sources, diagnostics)?;
    let globs = service.root.texts("include").to_vec();
    let before = diagnostics.faults();
    let mut seen = HashSet::from([name.to_owned()]);
    for glob in &globs {
        for (name, text) in found(glob, load, diagnostics) {
            if sources.len() >= MAX_FILES || !seen.insert(name.clone()) {
                continue;
            }
            if let Some(node) = file(&name, &text, &mut total, sources, diagnostics) {
                raw::include(&mut service, &node, sources, diagnostics);
            }
        }
    }
    // Without a file all that speaks of it would be blamed.
    (globs.is_empty() || diagnostics.faults() == before).then_some(service)
}

/// Reads a file of data as a tree, with the limits of a schema.
pub fn tree(name: &str, text: &str, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<Node> {
    file(name, text, &mut 0, sources, diagnostics)
}

fn found(glob: &Excerpt, load: &mut Loader<'_>, diagnostics: &mut Diagnostics) -> Vec<(String, String)> {
    let message = match load(&glob.text) {
        Ok(files) if files.is_empty() => format!("no file matches `{}`", glob.text),
        Ok(files) if files.len() > MAX_FILES => format!("more than {MAX_FILES} files match `{}`", glob.text),
        Ok(files) => return files,
        Err(error) => format!("`{}` can't be read: {error}", glob.text),
    };
    diagnostics.push(Diagnostic::new("include", glob.span, message));
    Vec::new()
}

/// One file as a tree.
fn file(
    name: &str,
    text: &str,
    total: &mut usize,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    *total += text.len();
    if *total > MAX_BYTES {
        let id = sources.add(name, "");
        diagnostics.push(
            Diagnostic::new(
                "too-large",
                Span::new(id, 0, 0),
                format!("a schema has at most {} MiB", MAX_BYTES >> 20),
            )
            .help("data belongs in the database, not in the schema"),
        );
        return None;
    }
    let id = sources.add(name, text);
    match from_str_with_options::<Spanned<Tree>>(text, options()) {
        Ok(tree) => Some(
            Builder {
                id,
                text,
                diagnostics,
            }
            .node(&tree),
        ),
        Err(error) => {
            diagnostics.push(refusal(error.without_snippet(), id, text));
            None
        }
    }
}

/// YAML 1.2 core; keys that stand twice and merge keys are looked at by us, so that all of them are told.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        budget: serde_saphyr::budget! { max_nodes: MAX_NODES, max_depth: MAX_DEPTH, max_documents: 1 },
    }
}

fn refusal(error: &Error, file: FileId, text: &str) -> Diagnostic {
    let at = error.location().map_or(0, |location| offset(text, &location));
    let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let width = text[at..line_end].chars().next().map_or(0, char::len_utf8);
    let span = Span::new(file, at, at + width);
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().trim();
    if message.contains("documents") {
        return Diagnostic::new(
            "yaml",
            span,
            "a schema is one document; `---` begins a second one",
        );
    }
    if message.contains("budget breached") || message.contains("replay") {
        return Diagnostic::new("too-large", span, budget(message));
    }
    if message.contains("recursion limit") {
        return Diagnostic::new(
            "too-large",
            span,
            format!("values are nested more than {MAX_DEPTH} deep"),
        );
    }
    let line_start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let fault = Diagnostic::new("yaml", span, format!("this isn't YAML: {message}"));
    match advice(&text[line_start..line_end]) {
        Some(help) => fault.help(help),
        None => fault,
    }
}

fn budget(message: &str) -> String {
    if message.contains("depth") || message.contains("Depth") {
        format!("values are nested more than {MAX_DEPTH} deep")
    } else {
        format!("the schema has more than {MAX_NODES} values, those that aliases repeat included")
    }
}

/// What people write within braces that YAML reads otherwise.
fn advice(line: &str) -> Option<&'static str> {
    if line.contains("enum [") || line.contains("enum[") {
        Some("write `type: enum, values: [a, b]`")
    } else if line.contains("'") && line.contains(['{', ':']) {
        Some(
            "put the whole value in double quotes: within braces a comma ends it, and a quote at its start ends with the next one",
        )
    } else {
        None
    }
}

/// The byte at which a place stands; the parser doesn't always know it.
fn offset(text: &str, location: &Location) -> usize {
    let known = location
        .span()
        .byte_offset()
        .and_then(|at| usize::try_from(at).ok());
    if let Some(at) = known.filter(|at| text.is_char_boundary(*at)) {
        return at;
    }
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let column = usize::try_from(location.column()).unwrap_or(1).max(1);
    text[start..]
        .char_indices()
        .nth(column - 1)
        .map_or(text.len(), |(at, _)| start + at)
}

/// What the reader gives: a value of YAML's core schema, its children with their places.
#[derive(Debug)]
enum Tree {
    Null,
    Flag(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<Tree>, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Tree, E> {
        Ok(Tree::Text(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = access.next_entry()? {
            list.push(entry);
        }
        Ok(Tree::Map(list))
    }
}

/// Gives a tree its places in the file, and refuses a key that stands twice in one mapping.
struct Builder<'a> {
    id: FileId,
    text: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl Builder<'_> {
    fn node(&mut self, tree: &Spanned<Tree>) -> Node {
        let span = self.span(&tree.defined);
        match &tree.value {
            Tree::Null => Node {
                span,
                kind: NodeKind::Null,
            },
            Tree::Flag(flag) => Node {
                span,
                kind: NodeKind::Flag(*flag),
            },
            Tree::Number(number) => Node {
                span,
                kind: NodeKind::Number(self.number(number, span)),
            },
            Tree::Text(text) => self.scalar(text, span),
            Tree::List(items) => {
                let items: Vec<Node> = items.iter().map(|item| self.node(item)).collect();
                let end = items.last().map_or(span, |last| last.span);
                Node {
                    span: self.closed(span, end, b'[', b']'),
                    kind: NodeKind::List(items),
                }
            }
            Tree::Map(entries) => {
                let entries = self.entries(entries);
                let end = entries
                    .last()
                    .map_or(span, |(key, value)| key.span.to(value.span));
                Node {
                    span: self.closed(span, end, b'{', b'}'),
                    kind: NodeKind::Map(entries),
                }
            }
        }
    }

    fn entries(&mut self, entries: &[(Spanned<Tree>, Spanned<Tree>)]) -> Vec<(Node, Node)> {
        let mut seen = HashSet::with_capacity(entries.len());
        let mut list = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.node(key);
            let value = self.node(value);
            let word = key.scalar().map(|word| word.text).unwrap_or_default();
            if seen.insert(word.clone()) {
                list.push((key, value));
            } else {
                self.diagnostics.push(Diagnostic::new(
                    "duplicate-key",
                    key.span,
                    format!("`{word}` stands here a second time"),
                ));
            }
        }
        list
    }

    fn span(&self, location: &Location) -> Span {
        let start = offset(self.text, location);
        let length = location
            .span()
            .byte_len()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(0);
        let end = (start + length).min(self.text.len());
        // A block scalar's part ends with its last line break, which would draw the line after it.
        let end = start + self.text.get(start..end).map_or(0, |part| part.trim_end().len());
        Span::new(self.id, start, end)
    }

    /// A collection reaches from its beginning to the end of its last child, and to its bracket where it has one.
    fn closed(&self, start: Span, last: Span, open: u8, close: u8) -> Span {
        let span = if last.start < start.start {
            start
        } else {
            start.to(last)
        };
        let flow = self.text.as_bytes().get(start.start as usize) == Some(&open);
        let rest = self.text.get(span.end as usize..).unwrap_or_default();
        let gap = rest.len() - rest.trim_start_matches([' ', ',']).len();
        if flow && rest.as_bytes().get(gap) == Some(&close) {
            return Span::new(self.id, span.start as usize, span.end as usize + gap + 1);
        }
        span
    }

    fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// Numbers keep their digits: `12.30` isn't `12.3`.
    fn number(&self, read: &str, span: Span) -> Excerpt {
        let written = self.slice(span);
        let decimal = written
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        if decimal && !written.is_empty() {
            return Excerpt {
                text: written.to_owned(),
                span,
                verbatim: Some(span.start),
            };
        }
        Excerpt::whole(read, span)
    }

    fn scalar(&self, text: &str, span: Span) -> Node {
        let written = self.slice(span);
        let plain = !written.starts_with(['\'', '"', '|', '>']);
        let inner = if plain || written.len() < 2 {
            written
        } else {
            &written[1..written.len() - 1]
        };
        let skipped = usize::from(!plain);
        let verbatim = (inner == text).then(|| Span::new(self.id, span.start as usize + skipped, 0).start);
        Node {
            span,
            kind: NodeKind::Text {
                text: Excerpt {
                    text: text.to_owned(),
                    span,
                    verbatim,
                },
                plain,
            },
        }
    }
}
