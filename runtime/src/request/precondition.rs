//! `If-Match` and `If-None-Match` on a write (RFC 9110, 13.1): the states in which the item is expected, or isn't.
//!
//! An item's tag is `"state.representation"`; for a write any tag with the present state counts, whatever the
//! representation it came with. A weak tag never satisfies `If-Match`.

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};

use crate::problem::{Code, Fault, Problem};

/// What a write expects of the item as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The tags of one header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any, as long as there is one.
    Any,
    /// One of these.
    States {
        /// The states in strong tags.
        strong: Vec<u64>,
        /// The states in weak tags.
        weak: Vec<u64>,
    },
}

impl Preconditions {
    /// Reads the headers.
    ///
    /// # Errors
    ///
    /// 400 where one is no list of entity tags.
    pub fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            if_match: read(headers, &IF_MATCH)?,
            if_none_match: read(headers, &IF_NONE_MATCH)?,
        })
    }

    /// Whether the item's present state is one that was expected.
    ///
    /// # Errors
    ///
    /// 412 that says which expectation failed.
    pub fn hold_for(&self, state: u64) -> Result<(), Problem> {
        match &self.if_match {
            None | Some(Tags::Any) => {}
            Some(Tags::States { strong, .. }) if strong.contains(&state) => {}
            Some(Tags::States { weak, .. }) if !weak.is_empty() => {
                return Err(failed(
                    "a weak entity tag (W/…) can't satisfy If-Match; send the item's own tag",
                ));
            }
            Some(Tags::States { .. }) => {
                return Err(failed("the item has changed since the state that If-Match names"));
            }
        }
        match &self.if_none_match {
            Some(Tags::Any) => Err(failed("there is an item here already")),
            Some(Tags::States { strong, weak }) if strong.contains(&state) || weak.contains(&state) => {
                Err(failed("the item is in a state that If-None-Match names"))
            }
            _ => Ok(()),
        }
    }

    /// Whether an item may be made where there is none.
    ///
    /// # Errors
    ///
    /// 412 where one was expected.
    pub fn hold_for_none(&self) -> Result<(), Problem> {
        if self.if_match.is_some() {
            Err(failed("there is no item here yet"))
        } else {
            Ok(())
        }
    }
}

fn failed(detail: &str) -> Problem {
    Problem::new(Code::PreconditionFailed).detail(detail)
}

/// The tags of a header; `None` where there is none.
fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut lines = headers.get_all(name).iter().peekable();
    if lines.peek().is_none() {
        return Ok(None);
    }
    let (mut strong, mut weak, mut any) = (Vec::new(), Vec::new(), false);
    for line in lines {
        let line = line.to_str().map_err(|_| bad(name))?;
        for tag in tags(line) {
            match tag.ok_or_else(|| bad(name))? {
                Tag::Any => any = true,
                // A tag that can't be one of ours names a state that no item is in.
                Tag::Weak(tag) => weak.push(state_of(tag).unwrap_or(0)),
                Tag::Strong(tag) => strong.extend(state_of(tag)),
            }
        }
    }
    Ok(Some(if any {
        Tags::Any
    } else {
        Tags::States { strong, weak }
    }))
}

enum Tag<'a> {
    Any,
    Weak(&'a str),
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
        found.push(Some(if weak { Tag::Weak(tag) } else { Tag::Strong(tag) }));
        rest = after.trim_start();
    }
    found
}

fn state_of(tag: &str) -> Option<u64> {
    let state = tag.split_once('.').map_or(tag, |(state, _)| state);
    let is_hex = state.len() == 16 && state.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then(|| u64::from_str_radix(state, 16).ok()).flatten()
}

fn bad(name: &HeaderName) -> Problem {
    let shown = if *name == IF_MATCH {
        "If-Match"
    } else {
        "If-None-Match"
    };
    let detail = "is no list of entity tags: each is a text in double quotes, or the whole is *";
    Problem::new(Code::BadHeader).fault(Fault::header(shown, "bad-header", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn parse(name: HeaderName, text: &'static str) -> Option<Preconditions> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(text));
        Preconditions::parse(&headers).ok()
    }

    #[test]
    fn the_state_before_the_dot_counts() {
        let expected = parse(IF_MATCH, r#""00000000000000ff.1", "00000000000000fe.2-gzip""#).expect("tags");
        assert!(expected.hold_for(0xff).is_ok());
        assert!(expected.hold_for(0xfe).is_ok());
        assert!(expected.hold_for(0xfd).is_err());
        assert!(expected.hold_for_none().is_err());
    }

    #[test]
    fn a_weak_tag_never_matches_but_excludes() {
        let tag = r#"W/"00000000000000ff.1""#;
        assert!(parse(IF_MATCH, tag).expect("tags").hold_for(0xff).is_err());
        assert!(parse(IF_NONE_MATCH, tag).expect("tags").hold_for(0xff).is_err());
        assert!(parse(IF_NONE_MATCH, tag).expect("tags").hold_for(0xfe).is_ok());
    }

    #[test]
    fn a_star_means_any_item() {
        assert!(parse(IF_MATCH, "*").expect("a star").hold_for(1).is_ok());
        assert!(parse(IF_MATCH, "*").expect("a star").hold_for_none().is_err());
        assert!(parse(IF_NONE_MATCH, "*").expect("a star").hold_for(1).is_err());
        assert!(parse(IF_NONE_MATCH, "*").expect("a star").hold_for_none().is_ok());
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        assert_eq!(parse(IF_MATCH, "abc"), None);
        assert_eq!(parse(IF_NONE_MATCH, "\"abc"), None);
    }
}
