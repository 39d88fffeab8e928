//! `If-Match` and `If-None-Match` (RFC 9110, 13.1): the states in which something is expected, or isn't.
//!
//! An item's tag is `"state.representation"`. A read compares the whole of it; for a write any tag with the present
//! state counts, whatever the representation it came with. A weak tag never satisfies `If-Match`. Where a moment of
//! the last change is known, and no tag is named, `If-Modified-Since` and `If-Unmodified-Since` are looked at too.

use axum::http::HeaderMap;
use axum::http::header::{
    HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE,
};
use jiff::Timestamp;

use crate::problem::{Code, Fault, Problem};

/// What a request expects of what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
    /// In seconds since 1970; `None` where it isn't said, or beside a tag.
    if_modified_since: Option<i64>,
    if_unmodified_since: Option<i64>,
    /// Whether a write has to say on which state it is based.
    is_required: bool,
}

/// The tags of one header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any, as long as there is one.
    Any,
    /// One of these.
    Listed(Vec<Tag>),
}

/// An entity tag (RFC 9110, 8.8.3).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    /// What stands in the quotes.
    opaque: String,
}

impl Preconditions {
    /// Reads the headers.
    ///
    /// # Errors
    ///
    /// 400 where one is no list of entity tags.
    pub fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        let if_match = read(headers, &IF_MATCH)?;
        let if_none_match = read(headers, &IF_NONE_MATCH)?;
        Ok(Self {
            if_modified_since: moment(headers, &IF_MODIFIED_SINCE).filter(|_| if_none_match.is_none()),
            if_unmodified_since: moment(headers, &IF_UNMODIFIED_SINCE).filter(|_| if_match.is_none()),
            if_match,
            if_none_match,
            is_required: false,
        })
    }

    /// The same, where a write may have to say on which state it is based.
    #[must_use]
    pub fn required(self, is_required: bool) -> Self {
        Self { is_required, ..self }
    }

    /// Whether what would be answered to GET and HEAD is to be sent: not where the client has it already. `modified` is
    /// when it was last changed, where that is known.
    ///
    /// # Errors
    ///
    /// 412 where it isn't what the client expected.
    pub fn want(&self, tag: &HeaderValue, modified: Option<&HeaderValue>) -> Result<bool, Problem> {
        let modified = modified.and_then(seconds);
        self.unmodified(modified)?;
        if let (Some(since), Some(modified)) = (self.if_modified_since, modified)
            && modified <= since
        {
            return Ok(false);
        }
        let Some((tag, _)) = tag.to_str().ok().and_then(first) else {
            return Ok(true);
        };
        if let Some(Tags::Listed(listed)) = &self.if_match
            && !listed
                .iter()
                .any(|other| !other.is_weak && !tag.is_weak && *other == tag)
        {
            return Err(if listed.iter().all(|other| !other.is_weak) && !tag.is_weak {
                failed("what is here isn't what If-Match names")
            } else {
                failed(WEAK)
            });
        }
        Ok(match &self.if_none_match {
            None => true,
            Some(Tags::Any) => false,
            Some(Tags::Listed(listed)) => listed.iter().all(|other| other.opaque != tag.opaque),
        })
    }

    fn unmodified(&self, modified: Option<i64>) -> Result<(), Problem> {
        match (self.if_unmodified_since, modified) {
            (Some(since), Some(modified)) if modified > since => Err(failed(
                "the item has changed since the moment that If-Unmodified-Since names",
            )),
            _ => Ok(()),
        }
    }

    /// Whether an item whose present state this is may be written; `modified` is when it was last changed, where that is
    /// known.
    ///
    /// # Errors
    ///
    /// 428 where an expectation has to be said and isn't; 412 that says which one failed.
    pub fn hold_for(&self, state: u64, modified: Option<Timestamp>) -> Result<(), Problem> {
        self.are_said(modified.is_some())?;
        self.unmodified(modified.map(Timestamp::as_second))?;
        match &self.if_match {
            None | Some(Tags::Any) => {}
            Some(Tags::Listed(listed)) => {
                if !listed
                    .iter()
                    .any(|tag| !tag.is_weak && tag.state() == Some(state))
                {
                    return Err(if listed.iter().any(|tag| tag.is_weak) {
                        failed(WEAK)
                    } else {
                        failed("the item has changed since the state that If-Match names")
                    });
                }
            }
        }
        match &self.if_none_match {
            Some(Tags::Any) => Err(failed("there is an item here already")),
            Some(Tags::Listed(listed)) if listed.iter().any(|tag| tag.state() == Some(state)) => {
                Err(failed("the item is in a state that If-None-Match names"))
            }
            _ => Ok(()),
        }
    }

    fn are_said(&self, has_moment: bool) -> Result<(), Problem> {
        let is_said = self.if_match.is_some() || (has_moment && self.if_unmodified_since.is_some());
        if is_said || !self.is_required {
            return Ok(());
        }
        let detail = "say by If-Match on which state this is based: the ETag of the item as it was read";
        Err(Problem::new(Code::PreconditionRequired).in_header(
            "If-Match",
            Code::PreconditionRequired,
            detail,
        ))
    }

    /// Whether the items of a collection may be written: it is always there, and its tags are weak.
    ///
    /// # Errors
    ///
    /// 428 as for items; 412 where a tag is expected, or nothing.
    pub fn hold_for_collection(&self) -> Result<(), Problem> {
        self.are_said(false)?;
        match (&self.if_match, &self.if_none_match) {
            (Some(Tags::Listed(_)), _) => Err(failed(
                "a collection has no tag that If-Match could name; it takes * alone",
            )),
            (_, Some(Tags::Any)) => Err(failed("the collection is there")),
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

const WEAK: &str = "a weak entity tag (W/…) can't satisfy If-Match; send the item's own tag";

fn failed(detail: &str) -> Problem {
    Problem::new(Code::PreconditionFailed).detail(detail)
}

/// The tags of a header; `None` where there is none.
fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut lines = headers.get_all(name).iter().peekable();
    if lines.peek().is_none() {
        return Ok(None);
    }
    let (mut listed, mut any) = (Vec::new(), false);
    for line in lines {
        let line = line.to_str().map_err(|_| bad(name))?.trim();
        if line == "*" {
            any = true;
        } else {
            listed.extend(tags(line).ok_or_else(|| bad(name))?);
        }
    }
    match (any, listed.is_empty()) {
        (true, true) => Ok(Some(Tags::Any)),
        (false, false) => Ok(Some(Tags::Listed(listed))),
        (true, false) | (false, true) => Err(bad(name)),
    }
}

/// What the headers are as they should be sent (RFC 9110, 13.1.1), as a regular expression. Empty elements of a list are
/// taken, too (5.6.1.2).
pub const PATTERN: &str = "^(\\*|(W/)?\"[!#-~]*\"( *, *(W/)?\"[!#-~]*\")*)$";

/// The tags of a list.
fn tags(line: &str) -> Option<Vec<Tag>> {
    let (mut listed, mut rest) = (Vec::new(), line);
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            return Some(listed);
        }
        let (tag, after) = first(rest)?;
        listed.push(tag);
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

/// The tag that a text begins with, and what is behind it.
fn first(text: &str) -> Option<(Tag, &str)> {
    let (is_weak, quoted) = match text.strip_prefix("W/") {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
    if !opaque.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let opaque = opaque.to_owned();
    Some((Tag { is_weak, opaque }, after))
}

impl Tag {
    /// The state of a row that it names; `None` where it can't be one of ours.
    fn state(&self) -> Option<u64> {
        let state = self
            .opaque
            .split_once('.')
            .map_or(self.opaque.as_str(), |(state, _)| state);
        let is_hex = state.len() == 16 && state.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| u64::from_str_radix(state, 16).ok()).flatten()
    }
}

/// The seconds of a header that holds a moment. One that holds anything else counts as if it weren't there (RFC 9110,
/// 13.1.3).
fn moment(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    headers.get(name).and_then(seconds)
}

fn seconds(value: &HeaderValue) -> Option<i64> {
    let moment = httpdate::parse_http_date(value.to_str().ok()?).ok()?;
    let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
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
        assert!(expected.hold_for(0xff, None).is_ok());
        assert!(expected.hold_for(0xfe, None).is_ok());
        assert!(expected.hold_for(0xfd, None).is_err());
        assert!(expected.hold_for_none().is_err());
    }

    #[test]
    fn a_weak_tag_never_matches_but_excludes() {
        let tag = r#"W/"00000000000000ff.1""#;
        assert!(parse(IF_MATCH, tag).expect("tags").hold_for(0xff, None).is_err());
        assert!(
            parse(IF_NONE_MATCH, tag)
                .expect("tags")
                .hold_for(0xff, None)
                .is_err()
        );
        assert!(
            parse(IF_NONE_MATCH, tag)
                .expect("tags")
                .hold_for(0xfe, None)
                .is_ok()
        );
    }

    #[test]
    fn a_star_means_any_item() {
        assert!(parse(IF_MATCH, "*").expect("a star").hold_for(1, None).is_ok());
        assert!(parse(IF_MATCH, "*").expect("a star").hold_for_none().is_err());
        assert!(
            parse(IF_NONE_MATCH, "*")
                .expect("a star")
                .hold_for(1, None)
                .is_err()
        );
        assert!(parse(IF_NONE_MATCH, "*").expect("a star").hold_for_none().is_ok());
    }

    #[test]
    fn a_read_compares_the_whole_tag() {
        let item = HeaderValue::from_static("\"00000000000000ff.1\"");
        let wants = |name, text| {
            parse(name, text)
                .expect("tags")
                .want(&item, None)
                .map_err(|problem| problem.code())
        };
        for (text, is_sent) in [
            (r#""00000000000000ff.1""#, false),
            (r#"W/"00000000000000ff.1""#, false),
            (r#""00000000000000ff.2", "00000000000000ff.1""#, false),
            (r#""00000000000000ff.2""#, true),
            ("*", false),
        ] {
            assert_eq!(wants(IF_NONE_MATCH, text), Ok(is_sent), "{text}");
        }
        for (text, expected) in [
            (r#""00000000000000ff.1""#, Ok(true)),
            ("*", Ok(true)),
            (r#""00000000000000ff.2""#, Err(Code::PreconditionFailed)),
            (r#"W/"00000000000000ff.1""#, Err(Code::PreconditionFailed)),
        ] {
            assert_eq!(wants(IF_MATCH, text), expected, "{text}");
        }
    }

    #[test]
    fn a_weak_tag_of_ours_satisfies_only_a_star() {
        let list = HeaderValue::from_static("W/\"1\"");
        let wants = |name, text| {
            parse(name, text)
                .expect("tags")
                .want(&list, None)
                .map_err(|problem| problem.code())
        };
        assert_eq!(wants(IF_MATCH, r#"W/"1""#), Err(Code::PreconditionFailed));
        assert_eq!(wants(IF_MATCH, r#""1""#), Err(Code::PreconditionFailed));
        assert_eq!(wants(IF_MATCH, "*"), Ok(true));
        assert_eq!(wants(IF_NONE_MATCH, r#""1""#), Ok(false));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in [
            "abc",
            "\"abc",
            "",
            ",",
            "**",
            "*, \"a\"",
            "\"a\" \"b\"",
            "\"a b\"",
            "w/\"a\"",
        ] {
            assert_eq!(parse(IF_MATCH, text), None, "{text}");
            assert_eq!(parse(IF_NONE_MATCH, text), None, "{text}");
        }
    }

    #[test]
    fn what_the_document_says_is_taken() {
        let pattern = regex::Regex::new(PATTERN).expect("a pattern");
        for text in ["*", "\"\"", "W/\"a\"", "\"a\", \"b\"", "\"a,\",W/\"*\""] {
            assert!(
                pattern.is_match(text) && parse(IF_MATCH, text).is_some(),
                "{text}"
            );
        }
        assert!(parse(IF_MATCH, ", \"a\",, \"b\",").is_some());
    }

    const EARLIER: &str = "Fri, 27 Nov 2026 09:00:00 GMT";
    const THEN: &str = "Fri, 27 Nov 2026 10:00:00 GMT";

    #[test]
    fn a_moment_counts_where_no_tag_is_named() {
        let then = HeaderValue::from_static(THEN);
        let tag = HeaderValue::from_static("\"00000000000000ff.1\"");
        let wants = |name, text| {
            let expected = parse(name, text).expect("a moment");
            expected.want(&tag, Some(&then)).map_err(|problem| problem.code())
        };
        assert_eq!(wants(IF_MODIFIED_SINCE, THEN), Ok(false));
        assert_eq!(
            wants(IF_MODIFIED_SINCE, "Friday, 27-Nov-26 10:00:01 GMT"),
            Ok(false)
        );
        assert_eq!(wants(IF_MODIFIED_SINCE, EARLIER), Ok(true));
        assert_eq!(wants(IF_MODIFIED_SINCE, "yesterday"), Ok(true));
        assert_eq!(wants(IF_UNMODIFIED_SINCE, THEN), Ok(true));
        assert_eq!(wants(IF_UNMODIFIED_SINCE, EARLIER), Err(Code::PreconditionFailed));
        let mut headers = HeaderMap::new();
        headers.insert(IF_MODIFIED_SINCE, then.clone());
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
        let both = Preconditions::parse(&headers).expect("a tag and a moment");
        assert_eq!(
            both.want(&tag, Some(&then)).map_err(|problem| problem.code()),
            Ok(true)
        );
    }

    #[test]
    fn a_state_may_have_to_be_named() {
        let code = |expected: &Preconditions, modified: Option<Timestamp>| {
            expected.hold_for(1, modified).map_err(|problem| problem.code())
        };
        let nothing = Preconditions::default().required(true);
        assert_eq!(code(&nothing, None), Err(Code::PreconditionRequired));
        let any = parse(IF_MATCH, "*").expect("a star").required(true);
        assert_eq!(code(&any, None), Ok(()));
        let unmodified = parse(IF_UNMODIFIED_SINCE, THEN).expect("a moment").required(true);
        assert_eq!(code(&unmodified, None), Err(Code::PreconditionRequired));
        assert_eq!(code(&unmodified, Some(Timestamp::UNIX_EPOCH)), Ok(()));
        assert_eq!(
            code(&unmodified, Some(Timestamp::MAX)),
            Err(Code::PreconditionFailed)
        );
    }
}
