//! Plans as SQL text with bound values. Pure; never refuses.
//!
//! Text is made once per shape. A [`Statement`] says for each of its parameters where the value comes from; nothing of
//! a request is ever part of the text.

pub mod condition;
pub mod dialect;
pub mod groups;
pub mod search;
pub mod select;
pub mod write;
#[cfg(test)]
mod written;

use crate::cell::Cell;
use crate::plan::expr::Slot;

/// A text and the values it asks for, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// The text; parameters are `?`.
    pub text: String,
    /// Where the value of each parameter comes from.
    pub slots: Vec<Bind>,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// As a plan says.
    Slot(Slot),
    /// A text parameter prepared for a text operator.
    Text(Slot, TextForm),
    /// A part of the keys of the level above, as an array; where the database has lists of lists, all of them.
    Keys(u16),
    /// The number of rows that are still wanted.
    Wanted,
}

/// How a text operator's parameter is changed before it is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// ASCII letters in lower case.
    Folded,
    /// The least text greater than all that begin with it; NULL where there is none.
    Successor,
    /// A pattern of GLOB as one of LIKE.
    Like,
    /// A search as FTS5 reads it.
    Fts5,
    /// A search as `to_tsquery` reads it.
    Tsquery,
}

impl TextForm {
    /// A text in this form; anything else stays.
    pub fn of(self, cell: Cell) -> Cell {
        match (cell, self) {
            (Cell::Text(text), Self::Folded) => Cell::Text(text.to_ascii_lowercase()),
            (Cell::Text(text), Self::Successor) => successor(&text).map_or(Cell::Null, Cell::Text),
            (Cell::Text(text), Self::Like) => Cell::Text(like_of_glob(&text)),
            (Cell::Text(text), Self::Fts5) => Cell::Text(search::fts5(&text)),
            (Cell::Text(text), Self::Tsquery) => Cell::Text(search::tsquery(&text)),
            (other, _) => other,
        }
    }
}

impl Statement {
    /// Appends text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a quoted name.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.text.push('"');
        self.text.push_str(&name.replace('"', "\"\""));
        self.text.push('"');
        self
    }

    /// Appends a table's name, which may name its schema first: `audit.entries`.
    pub fn table(&mut self, table: &str) -> &mut Self {
        for (place, part) in table.split('.').enumerate() {
            self.push(if place == 0 { "" } else { "." }).name(part);
        }
        self
    }

    /// Appends a column of a row.
    pub fn column(&mut self, row: u8, column: &str) -> &mut Self {
        self.alias(row).push(".").name(column)
    }

    /// Appends the alias of a row's table.
    pub fn alias(&mut self, row: u8) -> &mut Self {
        self.text.push('t');
        self.text.push_str(itoa::Buffer::new().format(row));
        self
    }

    /// Appends a parameter.
    pub fn bind(&mut self, bind: Bind) -> &mut Self {
        self.text.push('?');
        self.slots.push(bind);
        self
    }

    /// Appends another statement's text and parameters.
    pub fn append(&mut self, other: &Statement) -> &mut Self {
        self.text.push_str(&other.text);
        self.slots.extend(other.slots.iter().cloned());
        self
    }
}

/// A text with its parameters replaced by what `next` gives, in their order; what is quoted stays.
pub(crate) fn constants(text: &str, next: &mut dyn FnMut() -> String) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut quote = None;
    for c in text.chars() {
        match (c, quote) {
            ('?', None) => out.push_str(&next()),
            (c @ ('"' | '\''), None) => {
                quote = Some(c);
                out.push(c);
            }
            (c, Some(open)) if c == open => {
                quote = None;
                out.push(c);
            }
            (c, _) => out.push(c),
        }
    }
    out
}

/// A pattern of GLOB, whose wild cards stand in brackets where they are none, as one of LIKE.
pub(crate) fn like_of_glob(glob: &str) -> String {
    let mut like = String::with_capacity(glob.len() + 2);
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        let plain = match c {
            '*' => {
                like.push('%');
                continue;
            }
            '?' => {
                like.push('_');
                continue;
            }
            '[' => {
                let inner = chars.next();
                chars.next();
                inner
            }
            other => Some(other),
        };
        if let Some(plain) = plain {
            if matches!(plain, '%' | '_' | '\\') {
                like.push('\\');
            }
            like.push(plain);
        }
    }
    like
}

/// The least text that is greater than every text that begins with `prefix`, in code point order.
pub fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let mut statement = Statement::default();
        statement.column(0, "or\"der");
        assert_eq!(statement.text, "t0.\"or\"\"der\"");
    }

    #[test]
    fn a_glob_becomes_a_like() {
        assert_eq!(like_of_glob("a*?[*][[]%_\\é"), "a%_*[\\%\\_\\\\é");
    }

    #[test]
    fn a_successor_is_greater_than_all_that_begin_so() {
        assert_eq!(successor("ab").as_deref(), Some("ac"));
        assert_eq!(successor("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(successor("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(successor("\u{10FFFF}"), None);
        assert_eq!(successor(""), None);
    }
}
