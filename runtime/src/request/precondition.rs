//! `If-Match` on a write (RFC 9110, 13.1.1): the states that the caller expects the item to be in.
//!
//! An item's tag is `"state.representation"`; for a write any tag with the present state counts, whatever the
//! representation it came with. A weak tag never does.

use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;

use crate::problem::{Code, Fault, Problem};

/// The states named by `If-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any, as long as there is one.
    Any,
    /// One of these.
    States {
        /// The states, as they stand in strong tags.
        states: Vec<u64>,
        /// Whether a weak tag was among them, which the refusal then names.
        weak: bool,
    },
}

impl IfMatch {
    /// Reads the header; `None` where there is none.
    pub fn parse(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut lines = headers.get_all(IF_MATCH).iter().peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        let (mut states, mut weak, mut any) = (Vec::new(), false, false);
        for line in lines {
            let line = line.to_str().map_err(|_| bad())?;
            for tag in tags(line) {
                match tag.ok_or_else(bad)? {
                    Tag::Any => any = true,
                    Tag::Weak => weak = true,
                    Tag::Strong(tag) => states.extend(state_of(tag)),
                }
            }
        }
        Ok(Some(if any {
            Self::Any
        } else {
            Self::States { states, weak }
        }))
    }

    /// Whether the item's present state is one that was expected.
    pub fn holds_for(&self, state: u64) -> Result<(), Problem> {
        match self {
            Self::Any => Ok(()),
            Self::States { states, .. } if states.contains(&state) => Ok(()),
            Self::States { weak: true, .. } => Err(Problem::new(Code::PreconditionFailed)
                .detail("a weak entity tag (W/…) can't satisfy If-Match; send the item's own tag")),
            Self::States { .. } => Err(Problem::new(Code::PreconditionFailed)
                .detail("the item has changed since the state that If-Match names")),
        }
    }
}

enum Tag<'a> {
    Any,
    Weak,
    Strong(&'a str),
}

/// The tags of a header's line, `None` for what is none.
fn tags(line: &str) -> Vec<Option<Tag<'_>>> {
    let mut rest = line.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            continue;
        }
        if let Some(after) = rest.strip_prefix('*') {
            found.push(Some(Tag::Any));
            rest = after.trim_start();
            continue;
        }
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let Some((tag, after)) = quoted.strip_prefix('"').and_then(|text| text.split_once('"')) else {
            found.push(None);
            break;
        };
        found.push(Some(if weak { Tag::Weak } else { Tag::Strong(tag) }));
        rest = after.trim_start();
    }
    found
}

fn state_of(tag: &str) -> Option<u64> {
    let state = tag.split_once('.').map_or(tag, |(state, _)| state);
    let is_hex = state.len() == 16 && state.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then(|| u64::from_str_radix(state, 16).ok()).flatten()
}

fn bad() -> Problem {
    let detail = "is no list of entity tags: each is a text in double quotes, or the whole is *";
    Problem::new(Code::BadHeader).fault(Fault::header("If-Match", "bad-header", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn parse(text: &'static str) -> Option<IfMatch> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_static(text));
        IfMatch::parse(&headers).ok().flatten()
    }

    #[test]
    fn the_state_before_the_dot_counts() {
        let expected = parse(r#""00000000000000ff.1", "00000000000000fe.2-gzip""#).expect("tags");
        assert!(expected.holds_for(0xff).is_ok());
        assert!(expected.holds_for(0xfe).is_ok());
        assert!(expected.holds_for(0xfd).is_err());
    }

    #[test]
    fn a_weak_tag_never_holds() {
        let expected = parse(r#"W/"00000000000000ff.1""#).expect("tags");
        assert!(expected.holds_for(0xff).is_err());
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        assert_eq!(parse("abc"), None);
        assert_eq!(parse("\"abc"), None);
        assert_eq!(parse("*"), Some(IfMatch::Any));
    }
}
