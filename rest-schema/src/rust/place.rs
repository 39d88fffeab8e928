//! Where the tokens of Rust stand: in files whose text is known, or where the compiler alone knows.

use proc_macro2::Span as TokenSpan;
use syn::LitStr;

use crate::diagnostic::Diagnostic;
use crate::source::{Excerpt, FileId, Sources, Span};

/// Turns places of tokens into places of diagnostics, and back.
#[derive(Debug)]
pub struct Places {
    /// The files; for tokens of the compiler, a list of places and the texts of literals.
    pub sources: Sources,
    file: FileId,
    /// First and last token of each place; `None` where the files are texts.
    tokens: Option<Vec<(TokenSpan, TokenSpan)>>,
    /// For each text of a literal, the place of the literal; in the order of their files.
    literals: Vec<u32>,
}

/// What a macro tells of a diagnostic.
#[derive(Debug)]
pub struct Told {
    /// The first token it points to.
    pub start: TokenSpan,
    /// The last one.
    pub end: TokenSpan,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Places {
    /// For a macro: tokens of the compiler.
    pub fn of_tokens() -> Self {
        let mut sources = Sources::new();
        let file = sources.add("", "");
        Self {
            sources,
            file,
            tokens: Some(Vec::new()),
            literals: Vec::new(),
        }
    }

    /// For files.
    pub fn of_files() -> Self {
        Self {
            sources: Sources::new(),
            file: FileId::default(),
            tokens: None,
            literals: Vec::new(),
        }
    }

    /// Says of which file the tokens that come are.
    pub(super) fn file(&mut self, file: FileId) {
        self.file = file;
    }

    /// The place of a token.
    pub fn at(&mut self, span: TokenSpan) -> Span {
        self.between(span, span)
    }

    /// The place of several tokens.
    pub fn between(&mut self, start: TokenSpan, end: TokenSpan) -> Span {
        match &mut self.tokens {
            Some(tokens) => {
                tokens.push((start, end));
                Span::new(self.file, tokens.len() - 1, tokens.len())
            }
            None => Span::new(self.file, start.byte_range().start, end.byte_range().end),
        }
    }

    /// A literal's text with its place.
    pub(super) fn literal(&mut self, literal: &LitStr) -> Excerpt {
        let text = literal.value();
        let span = self.at(literal.span());
        if self.tokens.is_some() {
            let file = self.sources.add("", text.clone());
            self.literals.push(span.start);
            return Excerpt {
                span: Span::new(file, 0, text.len()),
                text,
                verbatim: Some(0),
            };
        }
        let written = self.sources.text(span);
        let quote = written.find('"').map_or(0, |at| at + 1);
        let inside = written.get(quote..quote + text.len()) == Some(text.as_str());
        let begin = Span::new(span.file, span.start as usize + quote, 0).start;
        Excerpt {
            text,
            span,
            verbatim: inside.then_some(begin),
        }
    }

    /// The first and the last token of a place.
    pub fn tokens(&self, span: Span) -> (TokenSpan, TokenSpan) {
        let tokens = self.tokens.as_deref().unwrap_or_default();
        let first = self.order(span);
        let last = if span.file == self.file {
            span.end.max(1) - 1
        } else {
            first
        };
        let start = tokens.get(first as usize).map(|token| token.0);
        let end = tokens.get(last as usize).map(|token| token.1);
        let unknown = TokenSpan::call_site;
        (start.unwrap_or_else(unknown), end.unwrap_or_else(unknown))
    }

    /// The line and the column of a place, both from 1.
    pub fn position(&self, span: Span) -> (u32, u32) {
        let start = self.tokens(span).0.start();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (number(start.line), number(start.column + 1))
    }

    /// Which token a place begins with.
    fn order(&self, span: Span) -> u32 {
        if span.file == self.file {
            return span.start;
        }
        let literal = usize::from(span.file.0).saturating_sub(1);
        self.literals.get(literal).copied().unwrap_or_default()
    }

    /// Diagnostics as a macro tells them, in the order of the tokens.
    pub fn told(&self, list: &[Diagnostic]) -> Vec<Told> {
        let mut list: Vec<&Diagnostic> = list.iter().collect();
        list.sort_by_key(|one| self.order(one.span));
        list.into_iter().map(|one| self.tell(one)).collect()
    }

    fn tell(&self, one: &Diagnostic) -> Told {
        let (start, end) = self.tokens(one.span);
        let mut message = format!("{} [{}]", one.message, one.code);
        // The compiler underlines a literal as a whole, so that a part of it is shown here.
        if one.span.file != self.file {
            message += &self.part(one.span);
        }
        if let Some(nearest) = &one.nearest {
            message += &format!("\ndid you mean `{nearest}`?");
        }
        if let Some(help) = &one.help {
            message += &format!("\nhelp: {help}");
        }
        Told { start, end, message }
    }

    /// The line of a literal's text that holds a part of it, the part underlined; nothing for the whole of it.
    fn part(&self, span: Span) -> String {
        let Some(source) = self.sources.file(span.file) else {
            return String::new();
        };
        if span.start == 0 && span.end as usize == source.text.len() {
            return String::new();
        }
        let (_, line) = source.lines(Span {
            end: span.start,
            ..span
        });
        let column = source.position(span.start).column;
        let width = self.sources.text(span).lines().next().unwrap_or_default();
        let marks = "^".repeat(width.chars().count().max(1));
        format!("\n  | {line}\n  | {}{marks}", " ".repeat(column - 1))
    }
}
