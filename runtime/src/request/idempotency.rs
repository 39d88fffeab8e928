//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): the name that a client gives to a write, so that he
//! may send it again.

use axum::http::{HeaderMap, HeaderName};

use crate::problem::{Code, Problem};

/// The header of requests.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of answers that were given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Characters that a key may have.
const LONGEST: usize = 255;

/// The key, where there is one: a string of structured fields (RFC 9651, 3.3.3), or one that lacks its quotes.
///
/// # Errors
///
/// 400 where the header is anything else, empty, longer than 255 characters, or stands twice.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all(KEY).iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|_| all.next().is_none());
    let key = text.and_then(|text| parse(text.trim()));
    match key.filter(|key| (1..=LONGEST).contains(&key.len())) {
        Some(key) => Ok(Some(key)),
        None => Err(bad(
            "is one string in double quotes, of 1 to 255 printable ASCII characters",
        )),
    }
}

/// 400 for this header.
pub fn bad(detail: &str) -> Problem {
    Problem::new(Code::BadHeader).in_header("Idempotency-Key", Code::BadHeader, detail)
}

fn parse(text: &str) -> Option<String> {
    let is_plain = |c: char| matches!(c, ' '..='~');
    let Some(quoted) = text.strip_prefix('"') else {
        return text
            .chars()
            .all(|c| is_plain(c) && c != '"')
            .then(|| text.to_owned());
    };
    let (mut key, mut chars) = (String::new(), quoted.chars());
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(key),
            '\\' => key.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            c if is_plain(c) => key.push(c),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(text: &str) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(KEY, HeaderValue::from_str(text).expect("a header"));
        key(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_is_a_string_with_quotes_or_without() {
        for (text, expected) in [
            (r#""8e03978e-40d5""#, "8e03978e-40d5"),
            ("8e03978e-40d5", "8e03978e-40d5"),
            (r#""a \"b\" \\""#, r#"a "b" \"#),
        ] {
            assert_eq!(read(text), Ok(Some(expected.to_owned())), "{text}");
        }
        assert_eq!(key(&HeaderMap::new()).ok(), Some(None));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = "x".repeat(256);
        for text in ["", "\"\"", "\"a", "a\"b", "\"a\" b", "\"\\x\"", &long] {
            assert_eq!(read(text), Err(Code::BadHeader), "{text}");
        }
    }
}
