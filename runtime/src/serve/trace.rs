//! The trace that a request is part of (W3C Trace Context): its log lines name it, so that they are found beside those of
//! the programs in front, and its span hangs below theirs.

use std::fmt;

use axum::http::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What `traceparent` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace {
    /// The trace's id, never 0.
    pub(crate) id: u128,
    /// The id of the span above, never 0.
    pub(crate) parent: u64,
    /// The flags; the last bit says that the span above is kept.
    pub(crate) flags: u8,
}

/// The trace's id, as it stands in the header.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.id)
    }
}

impl Trace {
    /// That of a request; `None` where there is none, or it is in no form that we know.
    ///
    /// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`: version, trace, parent, flags. Versions to come may say
    /// more behind that, but never less.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(TRACEPARENT).into_iter();
        let only = all.next().filter(|_| all.next().is_none())?;
        let value = only.to_str().ok()?;
        let mut parts = value.split('-');
        let version = hex(parts.next()?, 2)?;
        let id = hex(parts.next()?, 32)?;
        let parent = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        let is_known = version != 0xff && (version != 0 || parts.next().is_none());
        (is_known && id != 0 && parent != 0).then_some(Self { id, parent, flags })
    }
}

/// A part of so many digits, which are lower case.
fn hex(part: &str, length: usize) -> Option<u128> {
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let is_one = part.len() == length && part.bytes().all(is_digit);
    is_one.then(|| u128::from_str_radix(part, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("traceparent", HeaderValue::from_static(value));
        }
        Trace::of(&headers).map(|trace| trace.to_string())
    }

    #[test]
    fn a_trace_is_named_by_its_id() {
        let trace = Some(TRACE.to_owned());
        assert_eq!(
            of(&["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]),
            trace
        );
        assert_eq!(
            of(&["42-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"]),
            trace
        );
    }

    #[test]
    fn what_is_in_no_known_form_names_none() {
        let known = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[known, known]), None);
        for value in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(&[value]), None, "{value}");
        }
    }
}
