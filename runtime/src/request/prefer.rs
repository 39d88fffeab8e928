//! `Prefer` (RFC 7240): what a client would like, which nothing depends on.

use axum::http::HeaderMap;
use axum::http::header::HeaderName;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a write's answer should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// No more than headers.
    Minimal,
    /// The item.
    Representation,
}

/// The preferences that are understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `return=`
    pub returned: Option<Return>,
    /// `handling=strict`: as it always is. `lenient` isn't served.
    pub is_strict: bool,
}

impl Preferences {
    /// Reads the header. What isn't understood is passed over, and of a preference said twice the first counts (RFC 7240,
    /// 2).
    pub fn parse(headers: &HeaderMap) -> Self {
        let mut all = Self::default();
        let mut has_handling = false;
        let values = headers
            .get_all(PREFER)
            .iter()
            .filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            // Parameters of a preference stand behind semicolons; none of ours has any.
            let preference = preference.split(';').next().unwrap_or_default();
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "return" if all.returned.is_none() => {
                    all.returned = match value {
                        "minimal" => Some(Return::Minimal),
                        "representation" => Some(Return::Representation),
                        _ => None,
                    };
                }
                "handling" if !has_handling => {
                    has_handling = true;
                    all.is_strict = value == "strict";
                }
                _ => {}
            }
        }
        all
    }

    /// `Preference-Applied` (RFC 7240, 3) of an answer that has content or not; `None` where nothing was followed.
    pub fn applied(self, has_content: bool) -> Option<&'static str> {
        let returned = match (self.returned, has_content) {
            (Some(Return::Minimal), false) => Some("return=minimal"),
            (Some(Return::Representation), true) => Some("return=representation"),
            _ => None,
        };
        match (returned, self.is_strict) {
            (Some("return=minimal"), true) => Some("return=minimal, handling=strict"),
            (Some(_), true) => Some("return=representation, handling=strict"),
            (None, true) => Some("handling=strict"),
            (returned, false) => returned,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn parse(values: &[&'static str]) -> Preferences {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, HeaderValue::from_static(value));
        }
        Preferences::parse(&headers)
    }

    #[test]
    fn what_is_understood_is_told_apart_from_the_rest() {
        assert_eq!(parse(&[]), Preferences::default());
        for text in [
            "return=minimal",
            "Return = \"minimal\"; x=1",
            "wait=5, return=minimal",
        ] {
            assert_eq!(parse(&[text]).returned, Some(Return::Minimal), "{text}");
        }
        let first = parse(&["return=representation", "return=minimal, handling=strict"]);
        assert_eq!(
            (first.returned, first.is_strict),
            (Some(Return::Representation), true)
        );
        assert_eq!(parse(&["return=some, handling=lenient"]), Preferences::default());
    }

    #[test]
    fn only_what_was_followed_is_acknowledged() {
        assert_eq!(parse(&["return=minimal"]).applied(false), Some("return=minimal"));
        assert_eq!(parse(&["return=minimal"]).applied(true), None);
        assert_eq!(parse(&["return=representation"]).applied(false), None);
        assert_eq!(
            parse(&["handling=strict, return=representation"]).applied(true),
            Some("return=representation, handling=strict")
        );
        assert_eq!(parse(&["handling=strict"]).applied(true), Some("handling=strict"));
        assert_eq!(parse(&["respond-async"]).applied(true), None);
    }
}
