//! Which form an answer takes (RFC 9110, 12.5.1), and how a media type is read.
//!
//! A problem is told in its own media type whatever the client accepts, so that type never takes part here.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HeaderName};

use crate::problem::{Code, Problem};

/// The media types of documents about the service.
pub(crate) mod about {
    /// OpenAPI, and what a problem means.
    pub(crate) const JSON: &[&str] = &["application/json"];
    /// JSON Schema.
    pub(crate) const SCHEMA: &[&str] = &["application/schema+json", "application/json"];
    /// A catalogue of APIs (RFC 9727).
    pub(crate) const LINKSET: &[&str] = &["application/linkset+json", "application/json"];
    /// A page for people.
    #[cfg(feature = "docs-ui")]
    pub(crate) const HTML: &[&str] = &["text/html"];
}

/// The media type that `Accept` likes best of those that are served, the first of equals; without one it is the first.
///
/// # Errors
///
/// 406 where it admits none.
pub fn choose<T>(
    headers: &HeaderMap,
    served: &'static [T],
    name: impl Fn(&'static T) -> &'static str,
) -> Result<&'static T, Problem> {
    if elements_of(headers).next().is_none() {
        return Ok(&served[0]);
    }
    let mut best = (0, None);
    for media in served {
        let weight = weight(headers, name(media));
        if weight > best.0 {
            best = (weight, Some(media));
        }
    }
    best.1.ok_or_else(|| {
        let names: Vec<&str> = served.iter().map(name).collect();
        let detail = format!("what there is: {}", names.join(", "));
        Problem::new(Code::NotAcceptable)
            .detail(detail.clone())
            .in_header("Accept", Code::NotAcceptable, detail)
    })
}

fn elements_of(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(ACCEPT).into_iter();
    values.flat_map(|value| elements(value.as_bytes()))
}

/// How much words of a list are liked (RFC 9110, 12.5.3), in thousandths: those that stand there by name, and all others
/// by `*`. What can't be read is passed over; of a word that stands there twice the first counts.
pub fn weights<const N: usize>(
    headers: &HeaderMap,
    name: &HeaderName,
    wanted: [&str; N],
) -> ([Option<u16>; N], Option<u16>) {
    let (mut found, mut others) = ([None; N], None);
    let values = headers.get_all(name).into_iter();
    for element in values.flat_map(|value| elements(value.as_bytes())) {
        let Some((word, q)) = weighed(element) else {
            continue;
        };
        if word == "*" {
            others = Some(q);
        }
        let place = wanted.iter().position(|wanted| word.eq_ignore_ascii_case(wanted));
        if let Some(place) = place {
            found[place].get_or_insert(q);
        }
    }
    (found, others)
}

/// A word and its weight.
fn weighed(element: &[u8]) -> Option<(&str, u16)> {
    let text = std::str::from_utf8(element).ok()?;
    let (word, rest) = text.split_once(';').unwrap_or((text, ""));
    let q = match rest
        .trim()
        .strip_prefix(['q', 'Q'])
        .and_then(|q| q.strip_prefix('='))
    {
        Some(q) => thousandths(q.trim())?,
        None => 1000,
    };
    let word = word.trim();
    // RFC 9110, 8.4.1.3: x-gzip is gzip.
    let bare = word.strip_prefix("x-").or_else(|| word.strip_prefix("X-"));
    Some((bare.unwrap_or(word), q))
}

/// How much a media type is liked, in thousandths: the closest range counts, of equally close ones the kindest.
fn weight(headers: &HeaderMap, media: &str) -> u16 {
    let weights = elements_of(headers).filter_map(|element| matching(element, media));
    weights.max().map_or(0, |(_, q)| q)
}

/// How closely a media range names a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    All,
    Type,
    Subtype,
}

/// How closely an element of `Accept` names the type, and its weight in thousandths; `None` where it doesn't, or where
/// it can't be read. Parameters of the type itself are passed over: `application/json; charset=utf-8` is widely sent.
fn matching(element: &[u8], served: &str) -> Option<(Specificity, u16)> {
    let (kind, subtype) = served.split_once('/')?;
    let media = MediaType::parse(element)?;
    let q = match media.parameter("q") {
        Some(text) => thousandths(&text)?,
        None => 1000,
    };
    let specificity = match (media.kind.as_str(), media.subtype.as_str()) {
        ("*", "*") => Specificity::All,
        (k, "*") if k == kind => Specificity::Type,
        (k, s) if k == kind && s == subtype => Specificity::Subtype,
        _ => return None,
    };
    Some((specificity, q))
}

/// A weight: `0`, `1`, with up to three digits after a point.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    let weight = if whole == "1" { 1000 + fraction } else { fraction };
    (weight <= 1000).then_some(weight)
}

/// The elements of a list header: split at commas outside quoted strings, empty ones dropped.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(value, b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Splits outside quoted strings.
fn split(value: &[u8], at: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |&b| {
        if escaped {
            escaped = false;
        } else if quoted && b == b'\\' {
            escaped = true;
        } else if b == b'"' {
            quoted = !quoted;
        }
        b == at && !quoted && !escaped
    })
}

/// A media type or range: lower-case names, parameters as they stand, quotes taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `application`
    pub kind: String,
    /// `json`
    pub subtype: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads one (RFC 9110, 8.3.1); `None` where it isn't one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = split(text, b';').map(<[u8]>::trim_ascii);
        let essence = std::str::from_utf8(parts.next()?).ok()?;
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            parameters: read_all(parts)?,
        })
    }

    /// Whether it is `essence`, in lower case, whatever its parameters.
    pub fn is(&self, essence: &str) -> bool {
        essence
            .split_once('/')
            .is_some_and(|(kind, subtype)| self.kind == kind && self.subtype == subtype)
    }

    /// A parameter by its name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }
}

/// The parameters between semicolons, their names in lower case and quotes taken off; `None` where one can't be read.
pub fn parameters(text: &[u8]) -> Option<Vec<(String, String)>> {
    read_all(split(text, b';').map(<[u8]>::trim_ascii))
}

/// `a/b;` with nothing behind the semicolon is allowed.
fn read_all<'p>(parts: impl Iterator<Item = &'p [u8]>) -> Option<Vec<(String, String)>> {
    parts.filter(|part| !part.is_empty()).map(parameter).collect()
}

fn parameter(part: &[u8]) -> Option<(String, String)> {
    let (name, value) = std::str::from_utf8(part).ok()?.split_once('=')?;
    if !is_token(name) {
        return None;
    }
    let value = match value.strip_prefix('"') {
        Some(rest) => unquoted(rest)?,
        None if is_token(value) => value.to_owned(),
        None => return None,
    };
    Some((name.to_ascii_lowercase(), value))
}

/// What stands in a quoted string whose opening quote was taken.
fn unquoted(rest: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then_some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

fn is_token(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn plain(headers: &HeaderMap) -> Result<&'static str, Problem> {
        choose(headers, about::JSON, |name| name).copied()
    }

    fn accepts(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_str(value).expect("a header's value"));
        }
        plain(&headers).is_ok()
    }

    #[test]
    fn json_is_served_to_whom_it_is_welcome() {
        assert!(accepts(&[]));
        for value in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "Application/JSON; charset=utf-8",
            "text/html, application/json;q=0.1",
            "text/html,*/*;q=0.8",
            "text/html;level=\"a,b\", application/json",
            "application/json;q=0, application/json;q=0.5",
            "*/*;q=0, application/json",
            "application/json ; q=1.000",
        ] {
            assert!(accepts(&[value]), "{value}");
        }
        assert!(accepts(&["text/html", "application/json"]));
    }

    #[test]
    fn json_is_not_forced_on_anyone() {
        for value in [
            "text/html",
            "text/*",
            "application/xml",
            "application/problem+json",
            "application/json;q=0",
            "application/json;q=0, */*",
            "application/*;q=0.0, */*;q=1",
            "application/json;q=2",
            "application/json;q=0.1234",
            "json",
            "/",
        ] {
            assert!(!accepts(&[value]), "{value}");
        }
    }

    #[test]
    fn a_refusal_lists_what_there_is() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/html"));
        let problem = plain(&headers).expect_err("HTML isn't served");
        assert_eq!(problem.code(), Code::NotAcceptable);
        assert_eq!(problem.told(), "what there is: application/json");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = MediaType::parse(&bytes);
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.insert(ACCEPT, value);
                let _ = plain(&headers);
            }
        }

        #[test]
        fn a_media_type_is_read_as_written(kind in "[a-z]{1,8}", subtype in "[a-z+.-]{1,8}", value in "[ -~]{0,8}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!("{kind}/{subtype} ; Name=\"{quoted}\";");
            let media = MediaType::parse(text.as_bytes()).expect("a media type");
            prop_assert_eq!((media.kind.as_str(), media.subtype.as_str()), (kind.as_str(), subtype.as_str()));
            prop_assert_eq!(media.parameter("name"), Some(value));
        }
    }
}
