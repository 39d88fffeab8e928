//! Texts that match a pattern, made from the pattern itself.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The characters that are taken first where a class has them, so that samples are readable.
const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

/// The repetitions beyond the least that are tried.
const MOST_EXTRA: u32 = 70;

thread_local! {
    /// Patterns are compiled once: a search asks thousands of times.
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

/// Whether a text contains a match.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(pattern) {
            compiled.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        let found = compiled.get(pattern).and_then(Option::as_ref);
        found.is_some_and(|pattern| pattern.is_match(text))
    })
}

/// The `nth` texts that the pattern makes, of growing length; not all of them need to match (look-around isn't
/// followed), so whoever asks checks.
pub(super) fn texts(pattern: &str, nth: usize) -> impl Iterator<Item = String> + use<> {
    let hir = regex_syntax::parse(pattern).ok();
    (0..MOST_EXTRA).filter_map(move |extra| {
        let mut text = String::new();
        Walk { nth, extra }.write(hir.as_ref()?, &mut text);
        Some(text)
    })
}

struct Walk {
    /// What is left of the number: each choice takes its share, like the digits of a counter.
    nth: usize,
    extra: u32,
}

impl Walk {
    fn choose(&mut self, count: usize) -> usize {
        let chosen = self.nth % count.max(1);
        self.nth /= count.max(1);
        chosen
    }

    fn write(&mut self, hir: &Hir, text: &mut String) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => text.extend(self.one_of(class)),
            HirKind::Repetition(repetition) => {
                let least = repetition.min;
                let most = repetition.max.unwrap_or(u32::MAX);
                for _ in 0..least.saturating_add(self.extra).min(most) {
                    self.write(&repetition.sub, text);
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub, text),
            HirKind::Concat(all) => all.iter().for_each(|part| self.write(part, text)),
            HirKind::Alternation(all) => {
                let chosen = self.choose(all.len());
                self.write(&all[chosen], text);
            }
        }
    }

    fn one_of(&mut self, class: &Class) -> Option<char> {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => class
                .ranges()
                .iter()
                .map(|range| (range.start(), range.end()))
                .collect(),
            Class::Bytes(class) => class
                .ranges()
                .iter()
                .map(|range| (char::from(range.start()), char::from(range.end())))
                .collect(),
        };
        let has = |c: &char| ranges.iter().any(|(start, end)| start <= c && c <= end);
        let plain: Vec<char> = PLAIN.chars().filter(has).collect();
        if plain.is_empty() {
            return ranges.first().map(|(start, _)| *start);
        }
        Some(plain[self.choose(plain.len())])
    }
}

#[cfg(test)]
mod test {
    use super::texts;

    fn first(pattern: &str, nth: usize) -> String {
        texts(pattern, nth).next().unwrap_or_default()
    }

    #[test]
    fn a_pattern_makes_its_own_texts() {
        assert_eq!(first("^[A-Z]{2}-[0-9]{4}$", 0), "AA-0000");
        assert_eq!(first("^[A-Z]{2}-[0-9]{4}$", 27), "BB-0000");
        assert_eq!(first("^(red|green)$", 1), "green");
        assert!(texts("^[a-z]+$", 0).any(|text| text == "aaa"));
    }
}
