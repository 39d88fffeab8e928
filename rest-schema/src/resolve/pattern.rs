//! Patterns: what a regular expression may be, and whether a literal matches one.
//!
//! Requests are matched by the `regex` crate, which compiles to an automaton and refuses large ones. Here nothing needs
//! to be fast: a literal of the schema is matched by walking the parsed expression with sets of places, so that this
//! crate, and every derive built on it, goes without an engine.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Roughly the states of the automaton; the largest allowed takes some hundred kilobytes.
const MAX_COST: u64 = 60_000;

/// A pattern that can be served.
#[derive(Debug)]
pub(super) struct Pattern(Hir);

/// Parses a pattern; the message says what is wrong.
pub(super) fn parse(text: &str) -> Result<Pattern, String> {
    let hir = regex_syntax::ParserBuilder::new()
        .nest_limit(100)
        .build()
        .parse(text)
        .map_err(|error| match &error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            _ => error.to_string(),
        })?;
    if cost(&hir) > MAX_COST {
        return Err("it is too large: its repetitions multiply".to_owned());
    }
    Ok(Pattern(hir))
}

fn cost(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges().iter();
            ranges
                .map(|range| if range.end().is_ascii() { 1 } else { 3 })
                .sum()
        }
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min + 1).max(1);
            u64::from(times).saturating_mul(cost(&repetition.sub).saturating_add(1))
        }
        HirKind::Capture(capture) => cost(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(cost).fold(1, u64::saturating_add)
        }
    }
}

impl Pattern {
    /// Whether the text contains a match.
    pub(super) fn matches(&self, text: &str) -> bool {
        let starts = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        !ends(&self.0, text, &starts).is_empty()
    }
}

type Places = BTreeSet<usize>;

/// Where matches end that begin at one of some places.
fn ends(hir: &Hir, text: &str, starts: &Places) -> Places {
    match hir.kind() {
        HirKind::Empty => starts.clone(),
        HirKind::Literal(literal) => starts
            .iter()
            .filter(|at| text.as_bytes()[**at..].starts_with(&literal.0))
            .map(|at| at + literal.0.len())
            .collect(),
        HirKind::Class(class) => starts.iter().filter_map(|at| step(class, text, *at)).collect(),
        HirKind::Look(look) => starts
            .iter()
            .copied()
            .filter(|at| holds(*look, text, *at))
            .collect(),
        HirKind::Repetition(repetition) => repeat(repetition, text, starts),
        HirKind::Capture(capture) => ends(&capture.sub, text, starts),
        HirKind::Concat(parts) => parts
            .iter()
            .fold(starts.clone(), |places, part| ends(part, text, &places)),
        HirKind::Alternation(parts) => parts.iter().flat_map(|part| ends(part, text, starts)).collect(),
    }
}

fn step(class: &Class, text: &str, at: usize) -> Option<usize> {
    let next = text.get(at..)?.chars().next()?;
    let inside = match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&next)),
        Class::Bytes(class) => u8::try_from(next).is_ok_and(|next| {
            class
                .ranges()
                .iter()
                .any(|range| (range.start()..=range.end()).contains(&next))
        }),
    };
    inside.then(|| at + next.len_utf8())
}

fn repeat(repetition: &regex_syntax::hir::Repetition, text: &str, starts: &Places) -> Places {
    let mut places = starts.clone();
    for _ in 0..repetition.min {
        let next = ends(&repetition.sub, text, &places);
        if next == places {
            break;
        }
        places = next;
    }
    let mut all = places.clone();
    let mut left = repetition.max.map_or(u32::MAX, |max| max - repetition.min);
    while left > 0 && !places.is_empty() {
        places = ends(&repetition.sub, text, &places)
            .difference(&all)
            .copied()
            .collect();
        all.extend(&places);
        left -= 1;
    }
    all
}

fn holds(look: Look, text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let before = text[..at].chars().next_back();
    let after = text[at..].chars().next();
    let ascii = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let word = |c: Option<char>| c.is_some_and(|c| regex_syntax::try_is_word_character(c).unwrap_or(false));
    match look {
        Look::Start => at == 0,
        Look::End => at == text.len(),
        Look::StartLF => before.is_none_or(|c| c == '\n'),
        Look::EndLF => after.is_none_or(|c| c == '\n'),
        Look::StartCRLF => before.is_none_or(|c| c == '\n' || (c == '\r' && bytes.get(at) != Some(&b'\n'))),
        Look::EndCRLF => after.is_none_or(|c| c == '\r' || (c == '\n' && before != Some('\r'))),
        Look::WordAscii => ascii(before) != ascii(after),
        Look::WordAsciiNegate => ascii(before) == ascii(after),
        Look::WordUnicode => word(before) != word(after),
        Look::WordUnicodeNegate => word(before) == word(after),
        Look::WordStartAscii => !ascii(before) && ascii(after),
        Look::WordEndAscii => ascii(before) && !ascii(after),
        Look::WordStartUnicode => !word(before) && word(after),
        Look::WordEndUnicode => word(before) && !word(after),
        Look::WordStartHalfAscii => !ascii(before),
        Look::WordEndHalfAscii => !ascii(after),
        Look::WordStartHalfUnicode => !word(before),
        Look::WordEndHalfUnicode => !word(after),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;

    const PATTERNS: &[&str] = &[
        "^[A-Za-z0-9_.]+$",
        "a|bc*",
        "(ab){2,3}",
        r"^\d{4}-\d{2}$",
        r"\bab\b",
        "(?i)^AB+$",
        "^(a*)*$",
        "(?m)^b$",
        "a{0}b?",
        "[^a]",
        r"^\w+\s?\W$",
        "(a|b){0,2}c",
        "",
    ];

    proptest! {
        #[test]
        fn a_literal_matches_as_the_engine_says(which in 0..PATTERNS.len(), text in "[abcAB1_. \n-]{0,8}") {
            let pattern = PATTERNS[which];
            let engine = regex::Regex::new(pattern).map(|engine| engine.is_match(&text));
            prop_assert_eq!(parse(pattern).map(|ours| ours.matches(&text)).ok(), engine.ok());
        }
    }

    #[test]
    fn what_is_allowed_the_engine_compiles() {
        for pattern in [
            r"^\w{1,64}$",
            r"\pL{20}",
            "^.{1,1000}$",
            "(a{100}){100}",
            r"[\w\s]{0,20}",
            "^[^@]{1,255}@.+$",
        ] {
            if parse(pattern).is_ok() {
                assert!(regex::Regex::new(pattern).is_ok(), "{pattern}");
            }
        }
        assert!(parse("^.{1,1000}$").is_ok() && parse("^[a-z]{1,2000}$").is_ok());
    }

    #[test]
    fn what_is_not_linear_or_too_large_is_refused() {
        for pattern in [
            "(?=a)",
            "(?<!a)b",
            r"(a)\1",
            "(",
            "a{1000}{1000}{1000}",
            r"\w{1000}",
        ] {
            assert!(parse(pattern).is_err(), "{pattern}");
        }
    }
}
