//! A tree in one text: what a derive emits. A literal costs the compiler hardly anything, a call for each entry a good
//! part of what a struct costs it.
//!
//! Entries follow one another, as [`Writer`] takes them: a mark, the line, the column, the key, and what it says. Texts
//! have their length in bytes before them, so nothing is escaped: `{5:1:4:sort` opens a mapping, `w5:9:4:sort3:-id` says
//! a word, `}` closes. What only the compiler of the program knows, the name of a type or an enum's words, stands beside
//! the text and is taken in its turn.

use crate::written::{At, Writer};

/// What is known only where the derive's output is compiled.
#[derive(Debug, Clone, Copy)]
pub enum Late<'a> {
    /// A name.
    Word(&'a str),
    /// A text in quotes.
    Text(&'a str),
    /// A list of texts.
    Texts(&'a [&'a str]),
}

/// Packs entries, in their order.
#[derive(Debug, Default)]
pub struct Packer {
    text: String,
}

impl Packer {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a mapping.
    pub fn open(&mut self, key: &str, at: At) {
        self.entry('{', key, at);
    }

    /// Begins a list.
    pub fn open_list(&mut self, key: &str, at: At) {
        self.entry('[', key, at);
    }

    /// Ends the mapping or list begun last.
    pub fn close(&mut self) {
        self.text.push('}');
    }

    /// A text in quotes.
    pub fn text(&mut self, key: &str, text: &str, at: At) {
        self.entry('t', key, at);
        self.said(text);
    }

    /// A word.
    pub fn word(&mut self, key: &str, word: &str, at: At) {
        self.entry('w', key, at);
        self.said(word);
    }

    /// A number, digit by digit.
    pub fn number(&mut self, key: &str, digits: &str, at: At) {
        self.entry('n', key, at);
        self.said(digits);
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, flag: bool, at: At) {
        self.entry(if flag { '+' } else { '-' }, key, at);
    }

    /// `null`.
    pub fn null(&mut self, key: &str, at: At) {
        self.entry('0', key, at);
    }

    /// The next of what is known later.
    pub fn late(&mut self, key: &str, at: At) {
        self.entry('?', key, at);
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    fn entry(&mut self, mark: char, key: &str, (line, column): At) {
        self.text.push(mark);
        self.text.push_str(&format!("{line}:{column}:"));
        self.said(key);
    }

    fn said(&mut self, text: &str) {
        self.text.push_str(&format!("{}:", text.len()));
        self.text.push_str(text);
    }
}

impl Writer {
    /// Takes down what was packed. What isn't in this form, which no [`Packer`] makes, ends it.
    pub fn packed(&mut self, text: &str, late: &[Late<'_>]) {
        let mut late = late.iter();
        let mut rest = text;
        while self.unpack(&mut rest, &mut late).is_some() {}
        debug_assert!(rest.is_empty() && late.next().is_none(), "{rest}");
    }

    fn unpack<'l>(&mut self, rest: &mut &str, late: &mut impl Iterator<Item = &'l Late<'l>>) -> Option<()> {
        let mark = rest.chars().next()?;
        *rest = &rest[mark.len_utf8()..];
        if mark == '}' {
            self.close();
            return Some(());
        }
        let at = (number(rest)?, number(rest)?);
        let key = said(rest)?;
        match mark {
            '{' => self.open(key, at),
            '[' => self.open_list(key, at),
            't' => self.text(key, said(rest)?, at),
            'w' => self.word(key, said(rest)?, at),
            'n' => self.number(key, said(rest)?, at),
            '+' | '-' => self.flag(key, mark == '+', at),
            '0' => self.null(key, at),
            _ => match late.next()? {
                Late::Word(word) => self.word(key, word, at),
                Late::Text(text) => self.text(key, text, at),
                Late::Texts(texts) => self.texts(key, texts, at),
            },
        }
        Some(())
    }
}

fn number(rest: &mut &str) -> Option<u32> {
    let (digits, after) = rest.split_once(':')?;
    *rest = after;
    digits.parse().ok()
}

fn said<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let length = number(rest)?;
    let (text, after) = rest.split_at_checked(length as usize)?;
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostics;

    #[test]
    fn what_is_packed_is_what_is_written() {
        let mut packer = Packer::new();
        packer.text("service", "größe: 7:{", (3, 8));
        packer.open("resources", (5, 1));
        packer.late("to", (6, 2));
        packer.late("values", (7, 3));
        packer.late("default", (8, 4));
        packer.open_list("key", (9, 5));
        packer.word("", "}", (9, 6));
        packer.number("", "1.50", (9, 7));
        packer.close();
        packer.flag("unique", true, (10, 1));
        packer.flag("index", false, (10, 2));
        packer.null("example", (10, 3));
        packer.close();
        let mut unpacked = Writer::new();
        let late = [Late::Word("Post"), Late::Texts(&["a", "b"]), Late::Text("x")];
        unpacked.packed(&packer.finish(), &late);

        let mut writer = Writer::new();
        writer.text("service", "größe: 7:{", (3, 8));
        writer.open("resources", (5, 1));
        writer.word("to", "Post", (6, 2));
        writer.texts("values", &["a", "b"], (7, 3));
        writer.text("default", "x", (8, 4));
        writer.open_list("key", (9, 5));
        writer.word("", "}", (9, 6));
        writer.number("", "1.50", (9, 7));
        writer.close();
        writer.flag("unique", true, (10, 1));
        writer.flag("index", false, (10, 2));
        writer.null("example", (10, 3));
        writer.close();

        let read = |writer: Writer| {
            let mut diagnostics = Diagnostics::new();
            format!("{:?}", writer.finish(&mut diagnostics))
        };
        assert_eq!(read(unpacked), read(writer));
    }
}
