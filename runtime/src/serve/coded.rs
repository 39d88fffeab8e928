//! Content codings (RFC 9110, 8.4): what a read gives is sent as zstd, br or gzip where the client takes that.
//!
//! The coding is chosen with the answer, since its tag depends on it: a strong tag is of these bytes and no others, so it
//! ends with the coding. A weak tag is of what they mean, and the same for all. The answer to a write isn't coded, nor is
//! a token ever, nor a problem.

use std::convert::Infallible;
use std::future::ready;

use axum::body::{Body, HttpBody, to_bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, HeaderValue};
use axum::http::{Request, Response};
use bytes::Bytes;
use futures_util::stream::once;
use tower::{ServiceExt, service_fn};
use tower_http::compression::Compression;
use tower_http::compression::predicate::SizeAbove;

use crate::request::negotiate;

/// Bytes from which on coding is worth its time.
const LEAST: u64 = 1_024;
/// Bytes up to which an answer is coded before it is sent, so that its length is known.
const WHOLE: u64 = 1 << 20;

/// What we code by, in the order in which we prefer it where a client doesn't care.
const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];

/// What a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Accepted {
    /// The coding that he likes best.
    coding: &'static str,
    /// Whether he doesn't take an answer as it is.
    always: bool,
}

impl Accepted {
    /// `None` where he takes no coding of ours, or doesn't say.
    fn of(headers: &HeaderMap) -> Option<Self> {
        if !headers.contains_key(ACCEPT_ENCODING) {
            return None;
        }
        let [zstd, br, gzip] = CODINGS;
        let ([zstd, br, gzip, identity], others) =
            negotiate::weights(headers, &ACCEPT_ENCODING, [zstd, br, gzip, "identity"]);
        let taken = [zstd, br, gzip].map(|weight| weight.or(others).unwrap_or(0));
        // The first of those that are liked equally.
        let liked_best = taken.into_iter().zip(CODINGS).rev();
        let (liked, coding) = liked_best.max_by_key(|(weight, _)| *weight)?;
        // `*` isn't said of what is sent as it is, unless it forbids that.
        let plain = identity.unwrap_or(if others == Some(0) { 0 } else { 1 });
        (liked > 0 && liked >= plain).then_some(Self {
            coding,
            always: plain == 0,
        })
    }
}

/// Chooses how an answer to a read is coded, and says so in its headers; [`coded`] does it.
pub(super) fn choose(response: &mut Response<Body>, headers: &HeaderMap) {
    let Some(accepted) = Accepted::of(headers) else {
        return;
    };
    let length = response.body().size_hint().exact();
    if !accepted.always && length.is_some_and(|length| length < LEAST) {
        return;
    }
    let name = HeaderValue::from_static(accepted.coding);
    let headers = response.headers_mut();
    headers.insert(CONTENT_ENCODING, name);
    let own = headers
        .get(ETAG)
        .and_then(|tag| tag.to_str().ok()?.strip_suffix('"'));
    let own = own
        .filter(|tag| tag.starts_with('"'))
        .map(|tag| format!("{tag}-{}\"", accepted.coding));
    if let Some(tag) = own.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        headers.insert(ETAG, tag);
    }
}

/// An answer, coded as its headers say.
pub(super) async fn coded(response: Response<Body>) -> Response<Body> {
    let Some(coding) = response.headers().get(CONTENT_ENCODING) else {
        return response;
    };
    let asked = Request::builder().header(ACCEPT_ENCODING, coding).body(());
    let length = response.body().size_hint().exact();
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let Ok(asked) = asked else {
        parts.headers.remove(CONTENT_ENCODING);
        return Response::from_parts(parts, body);
    };
    let mut given = Some(body);
    let plain = service_fn(move |_: Request<()>| {
        let body = given.take().unwrap_or_default();
        ready(Ok::<_, Infallible>(Response::new(body)))
    });
    let coder = Compression::new(plain).compress_when(SizeAbove::new(0));
    let Ok(coded) = coder.oneshot(asked).await;
    let body = Body::new(coded.into_body());
    let body = if length.is_some_and(|length| length <= WHOLE) {
        let bytes = to_bytes(body, usize::MAX).await;
        bytes.map_or_else(
            |error| Body::from_stream(once(ready(Err::<Bytes, _>(error)))),
            Body::from,
        )
    } else {
        body
    };
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &'static str) -> Option<(&'static str, bool)> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        Accepted::of(&headers).map(|accepted| (accepted.coding, accepted.always))
    }

    #[test]
    fn the_coding_is_the_one_that_is_liked_best() {
        for (value, is) in [
            ("gzip", Some(("gzip", false))),
            ("x-gzip", Some(("gzip", false))),
            ("GZIP;q=0.5, br;q=0.4", Some(("gzip", false))),
            ("gzip, deflate, br, zstd", Some(("zstd", false))),
            ("gzip, br", Some(("br", false))),
            ("*", Some(("zstd", false))),
            ("*;q=0.5, zstd;q=0", Some(("br", false))),
            ("identity", None),
            ("", None),
            ("deflate", None),
            ("gzip;q=0", None),
            ("gzip;q=0.3, identity;q=0.8", None),
            ("gzip;q=0.3, identity;q=0", Some(("gzip", true))),
            ("gzip, *;q=0", Some(("gzip", true))),
            ("identity;q=0", None),
        ] {
            assert_eq!(accepted(value), is, "{value}");
        }
    }

    #[test]
    fn a_strong_tag_is_of_the_coding_and_a_weak_one_of_the_content() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        for (tag, is) in [("\"a.b\"", "\"a.b-br\""), ("W/\"a\"", "W/\"a\"")] {
            let mut response = Response::new(Body::from(vec![b' '; 2_000]));
            response.headers_mut().insert(ETAG, HeaderValue::from_static(tag));
            choose(&mut response, &headers);
            assert_eq!(response.headers()[ETAG], is);
            assert_eq!(response.headers()[CONTENT_ENCODING], "br");
        }
        let mut small = Response::new(Body::from("small"));
        choose(&mut small, &headers);
        assert!(!small.headers().contains_key(CONTENT_ENCODING));
    }
}
