//! The trace that a request is part of (W3C Trace Context): its log lines name it, so that they are found beside those of
//! the programs in front.

use axum::http::HeaderMap;

/// The id of the trace that `traceparent` names; `None` where there is none, or it is in no form that we know.
///
/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`: version, trace, parent, flags. Versions to come may say more
/// behind that, but never less.
pub(super) fn id(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all("traceparent").into_iter();
    let only = all.next().filter(|_| all.next().is_none())?;
    let value = only.to_str().ok()?;
    let mut parts = value.split('-');
    let version = hex(parts.next()?, 2)?;
    let trace = hex(parts.next()?, 32)?;
    let parent = hex(parts.next()?, 16)?;
    hex(parts.next()?, 2)?;
    let is_known = version != "ff" && (version != "00" || parts.next().is_none());
    let is_some = |id: &str| id.bytes().any(|digit| digit != b'0');
    (is_known && is_some(trace) && is_some(parent)).then_some(trace)
}

/// A part of so many digits, which are lower case.
fn hex(part: &str, length: usize) -> Option<&str> {
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    (part.len() == length && part.bytes().all(is_digit)).then_some(part)
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
        id(&headers).map(str::to_owned)
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
