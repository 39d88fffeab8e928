//! How code is set: attributes, doc comments and imports as rustfmt leaves them alone.
//!
//! rustfmt sets attributes that are made of names and literals (70 characters within the parentheses, else an entry a
//! line) and lets all others stand. prettyplease sets them in another way, so they are set here, by rustfmt's rules.

/// Where rustfmt breaks a line.
const WIDTH: usize = 100;
/// Where it breaks what is within an attribute's parentheses.
const INNER: usize = 70;

/// One entry of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arg {
    /// `unique`, `"lower(name)"`, `-created_at`.
    Word(String),
    /// `length = 1..=64`.
    Value(String, String),
    /// `access(…)`.
    List(String, Vec<Arg>),
}

impl Arg {
    /// A key and a text in quotes.
    pub(super) fn text(key: &str, text: &str) -> Self {
        Self::Value(key.to_owned(), literal(text))
    }

    fn line(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Value(key, value) => format!("{key} = {value}"),
            Self::List(key, args) => format!("{key}({})", line(args)),
        }
    }

    /// Whether rustfmt understands it.
    fn is_meta(&self) -> bool {
        match self {
            Self::Word(word) => !word.starts_with('-'),
            Self::Value(_, value) => is_literal(value),
            Self::List(_, args) => args.iter().all(Self::is_meta),
        }
    }

    /// How deep lists nest in it.
    fn depth(&self) -> usize {
        match self {
            Self::Word(_) | Self::Value(..) => 0,
            Self::List(_, args) => 1 + depth(args),
        }
    }

    /// Whether a list of several entries in it is too long for a line.
    fn is_long(&self) -> bool {
        match self {
            Self::Word(_) | Self::Value(..) => false,
            Self::List(_, args) => is_long(args),
        }
    }

    /// Set on a line of its own, or on several.
    fn set(&self, indent: usize, free: bool) -> String {
        match self {
            Self::List(key, args) => {
                let line = self.line();
                let fits = indent + width(&line) < WIDTH - self.depth();
                if fits && (free || !self.is_long()) {
                    line
                } else {
                    list(key, args, indent, free)
                }
            }
            Self::Word(_) | Self::Value(..) => self.line(),
        }
    }
}

fn depth(args: &[Arg]) -> usize {
    args.iter().map(Arg::depth).max().unwrap_or_default()
}

fn is_long(args: &[Arg]) -> bool {
    (args.len() > 1 && width(&line(args)) > INNER) || args.iter().any(Arg::is_long)
}

fn line(args: &[Arg]) -> String {
    args.iter().map(Arg::line).collect::<Vec<_>>().join(", ")
}

fn is_literal(value: &str) -> bool {
    let begins = |c: char| c == '"' || c.is_ascii_digit();
    matches!(value, "true" | "false")
        || value.starts_with("r#")
        || value.starts_with("r\"")
        || (value.starts_with(begins) && (value.starts_with('"') || !value.contains("..")))
}

/// `key(` … `)` over several lines; a single list within is opened with it.
fn list(key: &str, args: &[Arg], indent: usize, free: bool) -> String {
    if let [Arg::List(inner, args)] = args {
        return format!("{key}({})", list(inner, args, indent, free));
    }
    let pad = " ".repeat(indent + 4);
    let args = args.iter().map(|arg| pad.clone() + &arg.set(indent + 4, free));
    let args: Vec<String> = args.collect();
    format!("{key}(\n{}\n{})", args.join(",\n"), " ".repeat(indent))
}

/// `#[rest(…)]` with the line's end; nothing where it would say nothing.
pub(super) fn attribute(args: &[Arg], indent: usize) -> String {
    if args.is_empty() {
        return String::new();
    }
    let pad = " ".repeat(indent);
    let line = format!("{pad}#[rest({})]\n", line(args));
    let free = !args.iter().all(Arg::is_meta);
    // rustfmt counts a column for each list within lists, and one within a struct.
    let fits = width(&line) <= WIDTH + 1 - depth(args) - usize::from(indent > 0);
    if fits && (free || !is_long(args)) {
        return line;
    }
    format!("{pad}#[{}]\n", list("rest", args, indent, free))
}

/// A text as a literal, raw where that spares backslashes.
pub(super) fn literal(text: &str) -> String {
    let usual = format!("{text:?}");
    let escapes = usual.replace("\\\\", "").replace("\\\"", "");
    if !text.contains('\\') || escapes.contains('\\') {
        return usual;
    }
    if text.contains('"') {
        if text.contains("\"#") {
            usual
        } else {
            format!("r#\"{text}\"#")
        }
    } else {
        format!("r\"{text}\"")
    }
}

/// A doc comment.
pub(super) fn comment(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let lines = text.split('\n');
    lines
        .map(|line| {
            if line.is_empty() {
                format!("{pad}///\n")
            } else {
                format!("{pad}/// {line}\n")
            }
        })
        .collect()
}

/// Whether a text may be a doc comment and mean the same, to the derive, to rustdoc and to clippy.
pub(super) fn is_prose(text: &str) -> bool {
    let mut in_item = false;
    !text.is_empty()
        && !text.contains(['[', '\r'])
        && !["```", "~~~", "://"].iter().any(|mark| text.contains(mark))
        && !has_tag(text)
        && text
            .chars()
            .all(|c| c == '\n' || c.escape_debug().count() == 1 || matches!(c, '"' | '\'' | '\\'))
        && !text.starts_with('\n')
        && !text.ends_with('\n')
        && text.split('\n').all(|line| {
            let lazy = in_item && !line.is_empty() && !is_item(line);
            in_item = !line.is_empty() && is_item(line);
            line.trim() == line && !lazy
        })
}

fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'))
    })
}

/// Whether a line begins an item of a list or a quotation, in Markdown.
fn is_item(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = rest.len() < line.len() && rest.starts_with(['.', ')']);
    numbered || line.starts_with(['-', '*', '+', '>', '#', '|'])
}

/// `use from::{…};` with the line's end; nothing where there is nothing to import.
pub(super) fn import(keyword: &str, from: &str, names: &[String]) -> String {
    let mut names = names.to_vec();
    names.sort_by(|a, b| versions(a, b));
    names.dedup();
    match names.as_slice() {
        [] => String::new(),
        [only] => format!("{keyword} {from}::{only};\n"),
        _ => {
            let line = format!("{keyword} {from}::{{{}}};", names.join(", "));
            if line.len() <= WIDTH {
                return line + "\n";
            }
            format!("{keyword} {from}::{{\n{}}};\n", filled(&names))
        }
    }
}

/// As many names on each line as fit.
fn filled(names: &[String]) -> String {
    let mut text = String::new();
    let mut row = String::from("   ");
    for name in names {
        if row.len() + name.len() + 2 > WIDTH {
            text.push_str(&row);
            text.push('\n');
            row = String::from("   ");
        }
        row.push_str(&format!(" {name},"));
    }
    text + &row + "\n"
}

/// The order in which rustfmt puts names: by their letters, numbers within by their value.
pub(super) fn versions(a: &str, b: &str) -> std::cmp::Ordering {
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

/// Runs of digits count as numbers; `_` comes before all letters.
fn parts(name: &str) -> Vec<(u8, u128, char)> {
    let mut list = Vec::new();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match c.to_digit(10) {
            Some(digit) => {
                let mut number = u128::from(digit);
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                    number = number.saturating_mul(10).saturating_add(u128::from(digit));
                    chars.next();
                }
                list.push((1, number, '0'));
            }
            None => list.push((if c == '_' { 0 } else { 2 }, 0, c)),
        }
    }
    list
}

/// How wide a text stands; letters of East Asia take two columns.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}
