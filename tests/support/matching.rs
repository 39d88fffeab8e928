//! Compares what a case expects with what came, and says where they differ.

use std::collections::BTreeMap;

use super::json::Json;

/// Values that a case has given names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings(BTreeMap<String, Json>);

impl Bindings {
    /// The value of a name, as it stands in an address, a header or a body.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(in_text)
    }

    /// Puts the values of names, and repetitions (`<x*65>`), where a request speaks of them.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            filled.push_str(&rest[..start]);
            let inside = rest[start + 1..].split('>').next().unwrap_or_default();
            match self.value_of(inside) {
                Some(value) if rest.len() > start + 1 + inside.len() => {
                    filled.push_str(&value);
                    rest = &rest[start + inside.len() + 2..];
                }
                _ => {
                    filled.push('<');
                    rest = &rest[start + 1..];
                }
            }
        }
        filled + rest
    }

    fn value_of(&self, inside: &str) -> Option<String> {
        if let Some((unit, times)) = inside.rsplit_once('*') {
            return times.parse().ok().map(|times: usize| unit.repeat(times));
        }
        self.text(inside)
    }
}

fn in_text(value: &Json) -> String {
    match value {
        Json::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Compares an answer's JSON; each difference begins with its JSON Pointer.
pub(crate) fn json(expected: &Json, got: &Json, bindings: &mut Bindings) -> Vec<String> {
    let mut differences = Vec::new();
    compare(expected, got, "", bindings, &mut differences);
    differences
}

fn compare(expected: &Json, got: &Json, at: &str, bindings: &mut Bindings, differences: &mut Vec<String>) {
    match (expected, got) {
        (Json::Any, _) => {}
        (Json::Bound(name), _) => bind(name, got, at, bindings, differences),
        (Json::Text(pattern), Json::Text(got_text)) => {
            if !text(pattern, got_text, bindings) {
                differences.push(format!("{at}: expected {expected}, got {got}"));
            }
        }
        (Json::List(want), Json::List(have)) if at == "/errors" => {
            any_order(want, have, at, bindings, differences);
        }
        (Json::List(want), Json::List(have)) => list(want, have, at, bindings, differences),
        (Json::Object { members, open }, Json::Object { members: have, .. }) => {
            object(members, *open, have, at, bindings, differences);
        }
        _ if expected == got => {}
        _ => differences.push(format!("{at}: expected {expected}, got {got}")),
    }
}

fn bind(name: &str, got: &Json, at: &str, bindings: &mut Bindings, differences: &mut Vec<String>) {
    match bindings.0.get(name) {
        // A key bound in an address is text there and may be a number here.
        Some(bound) if in_text(bound) != in_text(got) => {
            differences.push(format!("{at}: expected <{name}>, which is {bound}, got {got}"));
        }
        Some(_) => {}
        None if *got == Json::Null => {
            differences.push(format!("{at}: expected a value for <{name}>, got null"));
        }
        None => {
            bindings.0.insert(name.to_owned(), got.clone());
        }
    }
}

fn list(want: &[Json], have: &[Json], at: &str, bindings: &mut Bindings, differences: &mut Vec<String>) {
    let free = want.iter().position(|w| *w == Json::Any);
    let (head, tail) = match free {
        Some(place) => (&want[..place], &want[place + 1..]),
        None => (want, &want[..0]),
    };
    let fits = if free.is_some() {
        have.len() >= head.len() + tail.len()
    } else {
        have.len() == want.len()
    };
    if !fits {
        let (want, have) = (Json::List(want.to_vec()), Json::List(have.to_vec()));
        differences.push(format!("{at}: expected {want}, got {have}"));
        return;
    }
    for (place, (w, h)) in head.iter().zip(have).enumerate() {
        compare(w, h, &format!("{at}/{place}"), bindings, differences);
    }
    let skipped = have.len() - tail.len();
    for (place, (w, h)) in tail.iter().zip(&have[skipped..]).enumerate() {
        compare(w, h, &format!("{at}/{}", skipped + place), bindings, differences);
    }
}

/// A problem's faults have no order.
fn any_order(want: &[Json], have: &[Json], at: &str, bindings: &mut Bindings, differences: &mut Vec<String>) {
    let mut left: Vec<&Json> = have.iter().collect();
    let open = want.contains(&Json::Any);
    for expected in want.iter().filter(|w| **w != Json::Any) {
        let found = left.iter().position(|candidate| {
            let mut trial = bindings.clone();
            let fits = json(expected, candidate, &mut trial).is_empty();
            if fits {
                *bindings = trial;
            }
            fits
        });
        match found {
            Some(place) => {
                left.remove(place);
            }
            None => differences.push(format!(
                "{at}: expected {expected} among {}",
                Json::List(have.to_vec())
            )),
        }
    }
    if !open {
        differences.extend(left.iter().map(|extra| format!("{at}: not expected: {extra}")));
    }
}

fn object(
    want: &[(String, Json)],
    open: bool,
    have: &[(String, Json)],
    at: &str,
    bindings: &mut Bindings,
    differences: &mut Vec<String>,
) {
    for (name, expected) in want {
        match have.iter().find(|(n, _)| n == name) {
            Some((_, got)) => compare(expected, got, &format!("{at}/{name}"), bindings, differences),
            None => differences.push(format!(
                "{at}/{name}: expected {expected}, but there is no such member"
            )),
        }
    }
    if !open {
        for (name, got) in have.iter().filter(|(n, _)| !want.iter().any(|(w, _)| w == n)) {
            differences.push(format!("{at}/{name}: not expected, got {got}"));
        }
    }
}

/// Whether a text fits a pattern with `…` and `<name>`; binds the names that were free.
pub(crate) fn text(pattern: &str, got: &str, bindings: &mut Bindings) -> bool {
    let mut trial = bindings.clone();
    let fits = fits(&pieces(pattern), got, &mut trial);
    if fits {
        *bindings = trial;
    }
    fits
}

#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Literal(&'a str),
    Any,
    Name(&'a str),
}

fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(place) = rest.find(['…', '<']) {
        pieces.push(Piece::Literal(&rest[..place]));
        rest = &rest[place..];
        if let Some(after) = rest.strip_prefix('…') {
            pieces.push(Piece::Any);
            rest = after;
        } else if let Some(name) = name_at(rest) {
            pieces.push(Piece::Name(name));
            rest = &rest[name.len() + 2..];
        } else {
            pieces.push(Piece::Literal("<"));
            rest = &rest[1..];
        }
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

fn name_at(text: &str) -> Option<&str> {
    let end = text.find('>')?;
    let name = &text[1..end];
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    is_name.then_some(name)
}

fn fits(pieces: &[Piece<'_>], got: &str, bindings: &mut Bindings) -> bool {
    let Some((first, rest)) = pieces.split_first() else {
        return got.is_empty();
    };
    match first {
        Piece::Literal(literal) => got
            .strip_prefix(literal)
            .is_some_and(|got| fits(rest, got, bindings)),
        Piece::Any => ends(got).any(|end| fits(rest, &got[end..], bindings)),
        Piece::Name(name) => match bindings.text(name) {
            Some(value) => got
                .strip_prefix(value.as_str())
                .is_some_and(|got| fits(rest, got, bindings)),
            None => ends(got).skip(1).any(|end| {
                let mut trial = bindings.clone();
                trial
                    .0
                    .insert((*name).to_owned(), Json::Text(got[..end].to_owned()));
                let fits = fits(rest, &got[end..], &mut trial);
                if fits {
                    *bindings = trial;
                }
                fits
            }),
        },
    }
}

fn ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.char_indices().map(|(place, _)| place).chain([text.len()])
}
