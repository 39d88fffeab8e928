//! The full-text search of a collection, `q`: any text is one, and none is a syntax error.
//!
//! Words are what stands between spaces; all of them are looked for. What stands in double quotes is a phrase, and so is
//! a word with signs within, as `e-mail`: its parts follow each other. A `*` at the end asks for what begins so.

use std::sync::LazyLock;

use regex::Regex;
use rest_schema::ResourceId;

use super::names::Names;
use super::query::Parameters;
use crate::problem::{Code, Fault};

/// Characters of a search.
pub const MAX_LENGTH: usize = 500;

/// Letters, digits, the marks upon them, and what is for private use: what either database makes words of.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\p{L}\p{N}\p{M}\p{Co}]+").ok());

/// What is looked for as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// Letters and digits alone; never empty.
    pub(crate) words: Vec<String>,
    /// Whether the last word may go on.
    pub(crate) is_prefix: bool,
}

/// Reads `q`; a field that it could look into has been found.
pub(super) fn read(
    names: &Names,
    resource: ResourceId,
    parameters: &Parameters,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let asked = parameters.named("q")?;
    if !names.is_searchable(resource) {
        let detail = "nothing is searched here: no field is searchable";
        faults.push(Fault::parameter("q", Code::UnknownParameter, detail));
        return None;
    }
    let text = asked.single();
    if text.chars().count() > MAX_LENGTH {
        let detail = format!("q has more than {MAX_LENGTH} characters");
        let limit = u32::try_from(MAX_LENGTH).unwrap_or(u32::MAX);
        faults.push(Fault::parameter("q", Code::LimitExceeded, detail).limit(limit));
    }
    Some(text.to_owned())
}

/// The phrases of a search, all of which are to be found; none where no word stands in it.
pub(crate) fn phrases(text: &str) -> Vec<Phrase> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (inner, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_at(
                rest.find(|c: char| c.is_whitespace() || c == '"')
                    .unwrap_or(rest.len()),
            ),
        };
        let (is_starred, after) = match after.strip_prefix('*') {
            Some(after) if rest.starts_with('"') => (true, after),
            _ => (inner.ends_with('*'), after),
        };
        let words = WORD.iter().flat_map(|word| word.find_iter(inner));
        let words: Vec<String> = words.map(|word| word.as_str().to_owned()).collect();
        if !words.is_empty() {
            found.push(Phrase {
                words,
                is_prefix: is_starred,
            });
        }
        rest = after.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture::{posts, refused};
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let tell = |phrase: Phrase| phrase.words.join("+") + if phrase.is_prefix { "*" } else { "" };
        phrases(text).into_iter().map(tell).collect()
    }

    #[test]
    fn words_phrases_and_prefixes() {
        for (text, expected) in [
            ("rust sqlite", vec!["rust", "sqlite"]),
            ("  \"hello  world\" rust* ", vec!["hello+world", "rust*"]),
            ("\"hello wor\"* x", vec!["hello+wor*", "x"]),
            ("\"hello wor*\" x", vec!["hello+wor*", "x"]),
            ("e-mail don't", vec!["e+mail", "don+t"]),
            ("\"not closed", vec!["not+closed"]),
            ("a\"b c\"d", vec!["a", "b+c", "d"]),
            ("ca*fé NOT (a OR b)", vec!["ca+fé", "NOT", "a", "OR", "b"]),
            ("", vec![]),
            ("* \"\" ! \"", vec![]),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn a_search_has_its_field_and_its_length() {
        let search = |raw: &str| posts(raw).expect("a query").search;
        assert_eq!(search("q=a+b").as_deref(), Some("a b"));
        assert_eq!(search("q=").as_deref(), Some(""));
        assert_eq!(search(""), None);
        let long = format!("q={}", "a".repeat(MAX_LENGTH + 1));
        assert_eq!(
            refused(posts(&long)),
            "limit-exceeded q: q has more than 500 characters"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_search(text in "\\PC{0,40}") {
            for phrase in phrases(&text) {
                prop_assert!(!phrase.words.is_empty());
                prop_assert!(phrase.words.iter().all(|word| !word.is_empty() && !word.contains(['\'', '"', ' '])));
            }
        }
    }
}
