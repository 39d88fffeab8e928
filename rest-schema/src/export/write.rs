//! YAML's spelling: when a text needs quotes, when a mapping fits on a line.

use crate::raw::is_name;

/// The widest line that a mapping within braces may make.
const WIDTH: usize = 120;

/// What is to be written.
#[derive(Debug, Clone)]
pub(super) enum Out {
    /// A scalar, spelt.
    Scalar(String),
    /// A text of several lines, kept as it stands.
    Prose(String),
    /// A list, within brackets.
    List(Vec<Out>),
    /// A mapping, within braces where it fits.
    Map(Vec<(String, Out)>),
    /// A mapping over several lines.
    Block(Vec<(String, Out)>),
}

/// A text as a value.
pub(super) fn text(text: &str) -> Out {
    Out::Scalar(spelt(text))
}

/// A key and a text.
pub(super) fn entry(key: &str, value: &str) -> (String, Out) {
    (key.to_owned(), text(value))
}

impl Out {
    pub(super) fn flag(flag: bool) -> Self {
        Self::Scalar(flag.to_string())
    }

    /// A text for people: over several lines where it has them.
    pub(super) fn prose(prose: &str) -> Self {
        let lines = prose.strip_suffix('\n').unwrap_or(prose);
        let kept = prose.contains('\n')
            && !lines.is_empty()
            && !lines.starts_with([' ', '\t', '\n'])
            && !lines.ends_with('\n')
            && prose.chars().all(|c| c == '\n' || is_printable(c))
            && lines.lines().all(|line| line.trim_end() == line);
        if kept {
            Self::Prose(prose.to_owned())
        } else {
            text(prose)
        }
    }

    /// A whole document.
    pub(super) fn document(&self) -> String {
        let mut document = String::new();
        if let Self::Block(entries) = self {
            block(entries, 0, &mut document);
        }
        document
    }

    /// On one line, where that is possible at all.
    fn line(&self) -> Option<String> {
        match self {
            Self::Scalar(scalar) => Some(scalar.clone()),
            Self::Prose(_) => None,
            Self::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(Self::line).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Self::Map(entries) | Self::Block(entries) if entries.is_empty() => Some("{}".to_owned()),
            Self::Block(_) => None,
            Self::Map(entries) => {
                let entries = entries.iter();
                let entries: Option<Vec<String>> = entries
                    .map(|(key, value)| Some(format!("{}: {}", spelt(key), value.line()?)))
                    .collect();
                Some(format!("{{ {} }}", entries?.join(", ")))
            }
        }
    }
}

fn block(entries: &[(String, Out)], indent: usize, document: &mut String) {
    for (key, value) in entries {
        let start = format!("{:indent$}{}:", "", spelt(key));
        document.push_str(&start);
        let line = value.line();
        match (value, line) {
            // What has no mapping in it can't be broken, however long it is.
            (Out::Map(inner), Some(line)) if start.len() + line.len() >= WIDTH => {
                document.push('\n');
                block(inner, indent + 2, document);
                drop(line);
            }
            (_, Some(line)) => {
                document.push(' ');
                document.push_str(&line);
                document.push('\n');
            }
            (Out::Map(inner) | Out::Block(inner), None) => {
                document.push('\n');
                block(inner, indent + 2, document);
            }
            (Out::Prose(prose), None) => paragraph(prose, indent + 2, document),
            (Out::List(items), None) => items_below(items, indent + 2, document),
            (Out::Scalar(_), None) => document.push('\n'),
        }
    }
}

fn paragraph(prose: &str, indent: usize, document: &mut String) {
    document.push_str(if prose.ends_with('\n') { " |\n" } else { " |-\n" });
    for line in prose.lines() {
        if !line.is_empty() {
            document.push_str(&format!("{:indent$}{line}", ""));
        }
        document.push('\n');
    }
}

fn items_below(items: &[Out], indent: usize, document: &mut String) {
    document.push('\n');
    for item in items {
        let line = item.line().unwrap_or_default();
        document.push_str(&format!("{:indent$}- {line}\n", ""));
    }
}

/// What YAML 1.2 lets stand as it is, and no terminal takes for a command.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// A text in the plainest spelling that reads back as this text, within braces too.
pub(super) fn spelt(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let printable = text.chars().all(is_printable);
    if printable && text.contains('\'') && !text.contains(['"', '\\']) {
        return format!("\"{text}\"");
    }
    if printable {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

fn is_plain(text: &str) -> bool {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let inner = |c: char| c.is_ascii_alphanumeric() || "_.-/@()=<>!+*|; ".contains(c);
    let name = text.strip_prefix('-').unwrap_or(text);
    let interval = text.contains("..") && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || text.starts_with('/');
    let safe = text.chars().all(inner) && text.trim() == text && !text.contains("  ");
    let word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    (interval && text != ".." && !text.starts_with("--"))
        || (text.starts_with('-') && is_name(name))
        || (begins && safe && !word)
}
