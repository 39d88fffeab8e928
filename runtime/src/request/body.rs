//! Bodies: which media types are taken, and JSON read strictly (RFC 8259 and 7493).
//!
//! A body that two readers could understand differently is refused: a member named twice, bytes that aren't UTF-8, an
//! integer whose digits would be lost. What the values mean is for validation to say.

mod json;
mod read;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Method};

use super::negotiate::MediaType;
use crate::problem::{Code, Problem};

pub use json::{Json, Pointer, merge};
pub use read::{MAX_DEPTH, parse};

/// What POST and PUT take.
pub const JSON_TYPES: &[&str] = &["application/json"];

/// The media types that QUERY takes (RFC 10008).
pub const ACCEPT_QUERY: HeaderName = HeaderName::from_static("accept-query");

/// Its value, a list of strings (RFC 9651).
pub const QUERY_TYPES: &str = "\"application/json\"";

/// What PATCH takes as a merge patch (RFC 7396).
pub const MERGE_PATCH_TYPES: &[&str] = &["application/merge-patch+json", "application/json"];

/// A JSON Patch (RFC 6902).
pub const JSON_PATCH_TYPE: &str = "application/json-patch+json";

/// What PATCH takes.
pub const PATCH_TYPES: &[&str] = &[MERGE_PATCH_TYPES[0], MERGE_PATCH_TYPES[1], JSON_PATCH_TYPE];

/// The media types that a method takes, as `Accept-Post` and `Accept-Patch` list them.
pub fn types_of(method: &Method) -> &'static [&'static str] {
    if method == Method::PATCH {
        PATCH_TYPES
    } else {
        JSON_TYPES
    }
}

/// Whether the body is announced as something that the method takes: a media type of [`types_of`] in UTF-8, uncoded.
pub fn check_headers(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    check_coding(headers)?;
    let types = types_of(method);
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let detail = match (values.next(), values.next()) {
        // RFC 10008, 2.1: without one the question means nothing.
        (None, _) if method.as_str() == "QUERY" => {
            let detail = "a QUERY says by Content-Type what its body is";
            return Err(Problem::new(Code::BadHeader).in_header("Content-Type", Code::BadHeader, detail));
        }
        (None, _) => "the body has no Content-Type".to_owned(),
        (Some(_), Some(_)) => "Content-Type stands twice".to_owned(),
        (Some(value), None) => match MediaType::parse(value.as_bytes()) {
            None => "Content-Type is no media type".to_owned(),
            Some(media) if !types.iter().any(|name| media.is(name)) => {
                format!("{}/{} is not taken here", media.kind, media.subtype)
            }
            Some(media) => match media.parameter("charset") {
                Some(charset) if !charset.eq_ignore_ascii_case("utf-8") => {
                    format!("the charset {charset} is not taken, only utf-8")
                }
                _ => return Ok(()),
            },
        },
    };
    Err(refused(method, &detail))
}

/// Whether a body that PATCH takes is a JSON Patch.
pub fn is_json_patch(headers: &HeaderMap) -> bool {
    let media = headers
        .get(CONTENT_TYPE)
        .and_then(|value| MediaType::parse(value.as_bytes()));
    media.is_some_and(|media| media.is(JSON_PATCH_TYPE))
}

fn refused(method: &Method, detail: &str) -> Problem {
    let list = types_of(method).join(", ");
    let detail = format!("{detail}; what is taken: {list}");
    let problem = Problem::new(Code::UnsupportedMediaType).in_header(
        "Content-Type",
        Code::UnsupportedMediaType,
        detail,
    );
    match *method {
        Method::POST => problem.accept_post(&list),
        Method::PATCH => problem.accept_patch(&list),
        _ if method.as_str() == "QUERY" => problem.header(ACCEPT_QUERY, QUERY_TYPES),
        _ => problem.accept(&list),
    }
}

/// Bodies are taken as they are; a coding is refused with the header that RFC 9110, 15.5.16 names for it.
fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let coded = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"));
    if !coded {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType)
        .in_header(
            "Content-Encoding",
            Code::UnsupportedMediaType,
            "bodies are taken without a content coding",
        )
        .header(ACCEPT_ENCODING, "identity"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{HeaderValue, Response};
    use uuid::Uuid;

    use super::*;

    fn check(method: &Method, content_type: &str) -> Result<(), Box<Response<Body>>> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_str(content_type).expect("a value"),
            );
        }
        check_headers(method, &headers).map_err(|problem| Box::new(problem.answer("/api", Uuid::nil(), "x")))
    }

    #[test]
    fn json_is_taken_and_patches_of_two_kinds() {
        for value in [
            "application/json",
            "Application/Json;charset=UTF-8",
            "application/json; charset=\"utf-8\"",
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH] {
                assert!(check(&method, value).is_ok(), "{method} {value}");
            }
        }
        assert!(check(&Method::PATCH, "application/merge-patch+json").is_ok());
        assert!(check(&Method::PATCH, "application/json-patch+json").is_ok());
    }

    #[test]
    fn what_is_not_taken_is_told_what_would_be() {
        for value in [
            "",
            "text/plain",
            "application/json; charset=latin1",
            "json",
            "application/merge-patch+json",
        ] {
            let refused = check(&Method::POST, value).expect_err(value);
            assert_eq!(refused.status(), 415);
            assert_eq!(refused.headers()["accept-post"], "application/json");
        }
        let refused = check(&Method::PATCH, "text/plain").expect_err("text");
        assert_eq!(
            refused.headers()["accept-patch"],
            "application/merge-patch+json, application/json, application/json-patch+json"
        );
        let refused = check(&Method::PUT, "").expect_err("none");
        assert_eq!(refused.headers()["accept"], "application/json");
    }

    #[test]
    fn a_coded_body_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let problem = check_headers(&Method::POST, &headers).expect_err("gzip");
        let response = problem.answer("/api", Uuid::nil(), "x");
        assert_eq!(response.headers()["accept-encoding"], "identity");
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
        assert!(check_headers(&Method::POST, &headers).is_ok());
    }

    #[test]
    fn two_content_types_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert!(check_headers(&Method::POST, &headers).is_err());
    }
}
