//! Nodes → raw: every key looked up in the table, every value brought into the shape that its row names.

use super::{Block, Entry, Named, Node, NodeKind, Service, Value};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::{KeyRow, Level, Shape};
use crate::source::{Excerpt, Sources, Span};

/// Reads the top file; `None` where it isn't a mapping.
pub fn read(node: &Node, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Service> {
    let mut reader = Reader { sources, diagnostics };
    let root = reader.block(Level::Service, node, "the schema")?;
    Some(Service { root })
}

/// Reads an included file and adds what it holds to a service.
pub fn include(service: &mut Service, node: &Node, sources: &Sources, diagnostics: &mut Diagnostics) {
    let mut reader = Reader { sources, diagnostics };
    let Some(block) = reader.block(Level::Included, node, "an included file") else {
        return;
    };
    for entry in block.entries {
        let Some(row) = Level::Service.row(entry.key.key) else {
            continue;
        };
        let there = service
            .root
            .entries
            .iter_mut()
            .find(|one| one.key.key == entry.key.key);
        match (there.map(|one| &mut one.value), entry.value) {
            (Some(Value::Named(all)), Value::Named(more)) => reader.join(all, more),
            (_, value) => service.root.entries.push(Entry {
                key: row,
                value,
                ..entry
            }),
        }
    }
}

/// What is said of a word that isn't among the `words` that a level has.
pub(crate) fn unknown_key<'a>(
    level: Level,
    word: &Excerpt,
    words: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let words: Vec<&str> = words.collect();
    let message = format!("{} has no key `{}`", level.title(), word.text);
    let fault = Diagnostic::new("unknown-key", word.span, message).near(&word.text, &words);
    if word.text == "<<" {
        return fault.help("name shared parts once under `mixins:`");
    }
    if fault.nearest.is_some() {
        return fault;
    }
    let served = |word: &&&str| level.row(word).is_none_or(KeyRow::served);
    let words: Vec<&str> = words.iter().filter(served).copied().collect();
    fault.help(format!("it has {}", words.join(", ")))
}

struct Reader<'a> {
    sources: &'a Sources,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn join(&mut self, all: &mut Vec<Named>, more: Vec<Named>) {
        for named in more {
            if all.iter().any(|one| one.name.text == named.name.text) {
                self.push(Diagnostic::new(
                    "duplicate-key",
                    named.name.span,
                    format!("`{}` stands in another file as well", named.name.text),
                ));
            } else {
                all.push(named);
            }
        }
    }

    /// The keys of one level, in the long form or the short one.
    fn block(&mut self, level: Level, node: &Node, what: &str) -> Option<Block> {
        let mut block = Block::empty(level, node.span);
        match (&node.kind, level.short()) {
            (NodeKind::Map(entries), _) => {
                let mut rest = entries.as_slice();
                while let Some((entry, after)) = rest.split_first() {
                    let tails = self.tails(level, entry, after);
                    rest = &after[tails..];
                    if tails > 0 {
                        self.swallowed(level, entry, &after[..tails]);
                    } else if let Some(entry) = self.entry(level, entry) {
                        block.entries.push(entry);
                    }
                }
            }
            // A field without any word, as in `title:`, has everything still to be said.
            (NodeKind::Null, None) if !matches!(level, Level::Service | Level::Included) => {}
            (NodeKind::Null, _) if level == Level::Included => {}
            (
                NodeKind::Text { .. } | NodeKind::Number(_) | NodeKind::List(_) | NodeKind::Flag(_),
                Some(short),
            ) if level.is_flag() == matches!(node.kind, NodeKind::Flag(_)) => {
                let row = level.row(short)?;
                let value = self.value(row, node).unwrap_or(Value::Broken);
                block.entries.push(Entry {
                    key: row,
                    at: node.span,
                    value,
                    span: node.span,
                });
            }
            _ => {
                self.shape(what, "a mapping of keys", node);
                return None;
            }
        }
        Some(block)
    }

    fn entry(&mut self, level: Level, (key, node): &(Node, Node)) -> Option<Entry> {
        let Some(word) = key.scalar() else {
            self.shape("a key", "a word", key);
            return None;
        };
        let Some(row) = level.row(&word.text) else {
            self.push(unknown_key(level, &word, level.rows().iter().map(|row| row.key)));
            return None;
        };
        if !row.served() {
            self.push(
                Diagnostic::new(
                    "not-yet",
                    word.span,
                    format!("`{}` isn't served by this version", word.text),
                )
                .help(format!("leave it out; it will mean: {}", lower(row.doc))),
            );
            return None;
        }
        Some(Entry {
            key: row,
            at: key.span,
            value: self.value(row, node).unwrap_or(Value::Broken),
            span: node.span,
        })
    }

    /// How many of the entries after one are what a comma cut off its value: keys without a value that no table knows.
    fn tails(&self, level: Level, (_, value): &(Node, Node), after: &[(Node, Node)]) -> usize {
        if !matches!(value.kind, NodeKind::Text { plain: true, .. }) {
            return 0;
        }
        after
            .iter()
            .take_while(|(key, value)| {
                let word = key.scalar().map(|word| word.text).unwrap_or_default();
                let nothing = matches!(value.kind, NodeKind::Null) && value.span.start == value.span.end;
                nothing && level.row(&word).is_none()
            })
            .count()
    }

    fn swallowed(&mut self, level: Level, (key, value): &(Node, Node), tails: &[(Node, Node)]) {
        let last = tails.last().map_or(value.span, |(key, _)| key.span);
        let span = value.span.to(last);
        let whole = self.sources.text(span).to_owned();
        let key = key.scalar().map(|word| word.text).unwrap_or_default();
        let is_type = key == "type" || !level.rows().iter().any(|row| row.key == key);
        let help = parameters(&whole)
            .filter(|_| is_type)
            .unwrap_or_else(|| format!("write `{key}: {}`", quoted(&whole)));
        self.push(Diagnostic::new("needs-quotes", span, "within braces a comma ends the value").help(help));
    }

    fn shape(&mut self, what: &str, expected: &str, found: &Node) {
        self.push(Diagnostic::new(
            "wrong-shape",
            found.span,
            format!("{what} is {expected}, not {}", found.what()),
        ));
    }

    fn value(&mut self, row: &'static KeyRow, node: &Node) -> Option<Value> {
        let what = format!("`{}`", row.key);
        match row.shape {
            Shape::Text => self.text(&what, node).map(Value::Text),
            Shape::Interval => self.interval(&what, node).map(Value::Text),
            Shape::Type => self.type_name(node).map(Value::Text),
            Shape::Name | Shape::Resource => self.name(&what, node).map(Value::Text),
            Shape::Rule => self.rule(&what, node).map(Value::Text),
            Shape::Word(words) => self.word(&what, words, node).map(Value::Text),
            Shape::Flag => self.flag(&what, node).map(Value::Flag),
            Shape::Count => self.count(&what, node).map(Value::Number),
            Shape::Size => self.measure(&what, node, SIZES, "a size such as `1MiB`"),
            Shape::Duration => {
                self.measure(&what, node, TIMES, "a duration such as `90s`, `15m`, `1h`, `90d`")
            }
            Shape::Literal | Shape::Default => Some(Value::Literal(node.clone())),
            Shape::Names => self.list(&what, node, Self::name).map(Value::Texts),
            Shape::Texts => self.list(&what, node, Self::text).map(Value::Texts),
            Shape::Terms => self.list(&what, node, Self::rule).map(Value::Texts),
            Shape::Sort | Shape::TextOrTexts => self.one_or_list(&what, node).map(Value::Texts),
            Shape::Uniques => self
                .list(&what, node, |reader, what, node| {
                    reader.list(what, node, Self::name)
                })
                .map(Value::Lists),
            Shape::Indexes => self
                .list(&what, node, |reader, what, node| {
                    reader.block(Level::Index, node, what)
                })
                .map(Value::Blocks),
            Shape::Rules => self.rules(&what, node).map(Value::Rules),
            Shape::Key => self.key(&what, node),
            Shape::Block(level) => self.block(level, node, &what).map(Value::Block),
            Shape::Named(level) => self.named(level, &what, node).map(Value::Named),
            Shape::Later => None,
        }
    }

    fn text(&mut self, what: &str, node: &Node) -> Option<Excerpt> {
        if let NodeKind::Text { text, .. } = &node.kind {
            return Some(text.clone());
        }
        let mut fault = Diagnostic::new(
            "wrong-shape",
            node.span,
            format!("{what} is a text, not {}", node.what()),
        );
        if let Some(scalar) = node.scalar() {
            fault = fault.help(format!("write `{}`", quoted(&scalar.text)));
        }
        self.push(fault);
        None
    }

    /// `5` is a number to YAML, and no interval to whoever reads this text next.
    fn interval(&mut self, what: &str, node: &Node) -> Option<Excerpt> {
        match &node.kind {
            NodeKind::Number(text) => Some(text.clone()),
            _ => self.text(what, node),
        }
    }

    /// A type is a word; a list after it (`enum [a, b]` in braces) is what people try first.
    fn type_name(&mut self, node: &Node) -> Option<Excerpt> {
        if let NodeKind::Text { text, .. } = &node.kind
            && let Some(help) = parameters(&text.text)
        {
            let message = "a type is one word; what it needs has keys of its own";
            self.push(Diagnostic::new("needs-quotes", text.span, message).help(help));
            return None;
        }
        self.text("`type`", node)
    }

    fn name(&mut self, what: &str, node: &Node) -> Option<Excerpt> {
        let text = node.scalar();
        match text {
            Some(text) if is_name(&text.text) => Some(text),
            Some(text) => {
                self.push(
                    Diagnostic::new("bad-name", text.span, format!("`{}` is not a name", text.text)).help(
                        "a name is a letter or `_`, then letters, digits and `_`, 63 characters at most",
                    ),
                );
                None
            }
            None => {
                self.shape(what, "a name", node);
                None
            }
        }
    }

    fn rule(&mut self, what: &str, node: &Node) -> Option<Excerpt> {
        let Some(text) = node.scalar() else {
            let mut fault = Diagnostic::new(
                "wrong-shape",
                node.span,
                format!("{what} is an expression, not {}", node.what()),
            );
            if let NodeKind::List(items) = &node.kind
                && let [Some(only)] = items.iter().map(Node::scalar).collect::<Vec<_>>().as_slice()
            {
                fault = fault.help(format!("write `{}`", only.text));
            }
            self.push(fault);
            return None;
        };
        (!self.is_cut(node, &text)).then_some(text)
    }

    /// ` #` ends a plain scalar; where it stood inside a quoted text of the rule, the rest is lost.
    fn is_cut(&mut self, node: &Node, text: &Excerpt) -> bool {
        let open = text.text.matches('\'').count() % 2 == 1;
        let plain = matches!(node.kind, NodeKind::Text { plain: true, .. });
        let end = node.span.end as usize;
        let file = self.sources.file(node.span.file);
        let rest = file.and_then(|file| file.text.get(end..)).unwrap_or_default();
        let rest = rest.lines().next().unwrap_or_default().trim_end();
        let cut = open && plain && rest.trim_start().starts_with('#');
        if cut {
            let span = Span::new(node.span.file, node.span.start as usize, end + rest.len());
            let help = format!("write `{}`", quoted(self.sources.text(span)));
            let message = "` #` begins a comment, so the rule ends before it";
            self.push(Diagnostic::new("needs-quotes", span, message).help(help));
        }
        cut
    }

    fn word(&mut self, what: &str, words: &'static [&'static str], node: &Node) -> Option<Excerpt> {
        let found = node.scalar();
        if let Some(text) = found.as_ref().filter(|text| words.contains(&text.text.as_str())) {
            return Some(text.clone());
        }
        let written = found.map_or_else(|| node.what().to_owned(), |text| format!("`{}`", text.text));
        let all = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
        self.push(
            Diagnostic::new(
                "unknown-word",
                node.span,
                format!("{what} is {}, not {written}", all.join(" or ")),
            )
            .near(written.trim_matches('`'), words),
        );
        None
    }

    fn flag(&mut self, what: &str, node: &Node) -> Option<bool> {
        if let NodeKind::Flag(flag) = node.kind {
            return Some(flag);
        }
        let written = node.scalar().map(|text| text.text).unwrap_or_default();
        let message = format!("{what} is `true` or `false`, not {}", node.what());
        let mut fault = Diagnostic::new("wrong-shape", node.span, message);
        fault.nearest = match written.to_lowercase().as_str() {
            "yes" | "on" | "y" | "true" | "1" => Some("true".to_owned()),
            "no" | "off" | "n" | "false" | "0" => Some("false".to_owned()),
            _ => None,
        };
        self.push(fault);
        None
    }

    fn count(&mut self, what: &str, node: &Node) -> Option<u64> {
        let number = match &node.kind {
            NodeKind::Number(text) => text.text.parse::<u32>().ok(),
            _ => None,
        };
        if number.is_none() {
            let written = node
                .scalar()
                .map_or(node.what().to_owned(), |text| format!("`{}`", text.text));
            self.push(Diagnostic::new(
                "wrong-shape",
                node.span,
                format!("{what} is a whole number from 0 to {}, not {written}", u32::MAX),
            ));
        }
        number.map(u64::from)
    }

    fn measure(&mut self, what: &str, node: &Node, units: &[(&str, u64)], expected: &str) -> Option<Value> {
        let text = node.scalar().map(|text| text.text).unwrap_or_default();
        let value = measured(&text, units);
        if value.is_none() {
            let written = if text.is_empty() {
                node.what().to_owned()
            } else {
                format!("`{text}`")
            };
            self.push(Diagnostic::new(
                "wrong-shape",
                node.span,
                format!("{what} is {expected}, not {written}"),
            ));
        }
        value.map(Value::Number)
    }

    fn list<T>(
        &mut self,
        what: &str,
        node: &Node,
        mut item: impl FnMut(&mut Self, &str, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let NodeKind::List(nodes) = &node.kind else {
            let mut fault = Diagnostic::new(
                "wrong-shape",
                node.span,
                format!("{what} is a list, not {}", node.what()),
            );
            if let Some(text) = node.scalar() {
                fault = fault.help(format!("write `[{}]`", text.text));
            }
            self.push(fault);
            return None;
        };
        let inner = format!("an entry of {what}");
        // An empty list says nothing, and a person who writes one means something.
        if nodes.is_empty() {
            self.push(
                Diagnostic::new("wrong-shape", node.span, format!("{what} is empty")).help("leave it out"),
            );
        }
        Some(nodes.iter().filter_map(|node| item(self, &inner, node)).collect())
    }

    fn one_or_list(&mut self, what: &str, node: &Node) -> Option<Vec<Excerpt>> {
        match &node.kind {
            NodeKind::List(_) => self.list(what, node, Self::text),
            _ => self.text(what, node).map(|text| vec![text]),
        }
    }

    fn rules(&mut self, what: &str, node: &Node) -> Option<Vec<(Excerpt, Excerpt)>> {
        self.entries(what, node, |reader, name, node| {
            let rule = reader.rule(&format!("the rule `{}`", name.text), node)?;
            Some((name, rule))
        })
    }

    fn named(&mut self, level: Level, what: &str, node: &Node) -> Option<Vec<Named>> {
        self.entries(what, node, |reader, name, node| {
            let block = reader.block(level, node, &format!("`{}`", name.text))?;
            Some(Named { name, block })
        })
    }

    fn entries<T>(
        &mut self,
        what: &str,
        node: &Node,
        mut item: impl FnMut(&mut Self, Excerpt, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let NodeKind::Map(entries) = &node.kind else {
            self.shape(what, "a mapping of names", node);
            return None;
        };
        let mut list = Vec::with_capacity(entries.len());
        let mut rest = entries.as_slice();
        while let Some((entry, after)) = rest.split_first() {
            let (key, value) = entry;
            let tails = self.name_tails(value, after);
            rest = &after[tails..];
            if tails > 0 {
                self.swallowed(Level::Field, entry, &after[..tails]);
                continue;
            }
            let Some(name) = self.name("a name", key) else {
                continue;
            };
            list.extend(item(self, name, value));
        }
        Some(list)
    }

    /// Where names are keys, only what can't be a name is a tail.
    fn name_tails(&self, value: &Node, after: &[(Node, Node)]) -> usize {
        if !matches!(value.kind, NodeKind::Text { plain: true, .. }) {
            return 0;
        }
        after
            .iter()
            .take_while(|(key, value)| {
                let word = key.scalar().map(|word| word.text).unwrap_or_default();
                matches!(value.kind, NodeKind::Null) && value.span.start == value.span.end && !is_name(&word)
            })
            .count()
    }

    fn key(&mut self, what: &str, node: &Node) -> Option<Value> {
        match &node.kind {
            NodeKind::List(_) => self.list(what, node, Self::name).map(Value::Texts),
            NodeKind::Map(_) => self.block(Level::Key, node, what).map(Value::Block),
            _ => self.name(what, node).map(Value::Text),
        }
    }
}

const SIZES: &[(&str, u64)] = &[("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const TIMES: &[(&str, u64)] = &[("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// Seconds, as a schema says them: `90s`, `15m`, `1h`, `90d`. [`crate::export::duration`] writes them so.
pub fn duration(text: &str) -> Option<u64> {
    measured(text, TIMES)
}

fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let value = number.parse::<u64>().ok()?.checked_mul(*factor)?;
    (1..=1 << 53).contains(&value).then_some(value)
}

/// Whether a text is a name of the schema.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 63
        && bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A text in YAML's single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What `decimal(8, 2)`, `enum [a, b]` and `string(64)` are in the right form.
fn parameters(text: &str) -> Option<String> {
    let at = text.find(['(', '['])?;
    let (word, rest) = text.split_at(at);
    let inner = rest[1..].trim_end().trim_end_matches([')', ']']);
    let parts: Vec<&str> = inner
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    match (word.trim().to_ascii_lowercase().as_str(), parts.as_slice()) {
        ("decimal" | "numeric", [precision, scale]) => Some(format!(
            "write `type: decimal, precision: {precision}, scale: {scale}`"
        )),
        ("decimal" | "numeric", [precision]) => {
            Some(format!("write `type: decimal, precision: {precision}`"))
        }
        ("enum", [_, ..]) => Some(format!("write `type: enum, values: [{}]`", parts.join(", "))),
        ("string" | "varchar", [length]) => Some(format!("write `type: string, length: ..{length}`")),
        _ => None,
    }
}

/// A sentence as the second half of another one.
fn lower(doc: &str) -> String {
    let mut chars = doc.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_type_have_keys_of_their_own() {
        for (written, right) in [
            ("decimal(8, 2)", "write `type: decimal, precision: 8, scale: 2`"),
            ("enum [a, b]", "write `type: enum, values: [a, b]`"),
            ("enum(a)", "write `type: enum, values: [a]`"),
            ("varchar(64)", "write `type: string, length: ..64`"),
        ] {
            assert_eq!(parameters(written).as_deref(), Some(right));
        }
        assert_eq!(parameters("lower(name)"), None);
    }

    #[test]
    fn names_are_ascii_words() {
        assert!(is_name("a") && is_name("_a1") && is_name("BlogPost"));
        for bad in ["", "1a", "a-b", "a b", "ä", &"a".repeat(64)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
