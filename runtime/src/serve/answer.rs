//! The answers of the good paths, with the headers that belong to them.

use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    LAST_MODIFIED, LINK, LOCATION, VARY,
};
use axum::http::{HeaderName, Method, Response, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use rest_schema::Caching;

use super::coded;
use crate::problem::Problem;
use crate::request::body;
use crate::request::precondition::Preconditions;
use crate::request::prefer::{Preferences, Return};
use crate::respond::etag;
use crate::respond::format::Media;
use crate::respond::json::Links;
use crate::respond::link;
use crate::session::CSRF_HEADERS;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Where the token of a session is told and sent.
const CSRF_TOKEN: HeaderName = HeaderName::from_static(CSRF_HEADERS[0]);
const BY_CALLER: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding, Authorization, Cookie");
const BY_FORM: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding");
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Headers that an answer usually has, so that there is room for them from the beginning.
const USUAL: usize = 8;

/// Whether a cache that others use may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privacy {
    /// It depends on who asks, or was asked with credentials.
    Private,
    /// Everybody gets the same; it may be kept for so long, or not without asking.
    Public(Option<Caching>),
    /// The answer to a write.
    NoStore,
}

fn json(status: StatusCode, bytes: impl Into<Bytes>, privacy: Privacy) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(USUAL);
    headers.insert(CONTENT_TYPE, JSON);
    let (cache, vary) = match privacy {
        Privacy::Private => (PRIVATE, BY_CALLER),
        Privacy::Public(caching) => (cache_control(caching), BY_FORM),
        Privacy::NoStore => (NO_STORE, BY_CALLER),
    };
    headers.insert(CACHE_CONTROL, cache);
    headers.insert(VARY, vary);
    response
}

fn cache_control(caching: Option<Caching>) -> HeaderValue {
    let Some(caching) = caching else {
        return NO_CACHE;
    };
    let shared = caching.shared_max_age.map(|age| format!(", s-maxage={age}"));
    let text = format!("max-age={}{}", caching.max_age, shared.unwrap_or_default());
    HeaderValue::from_str(&text).unwrap_or(NO_CACHE)
}

/// What is kept of an answer is for those only who send the same header.
pub(super) fn varies_by(headers: &mut HeaderMap, name: &'static str) {
    let said = headers.get(VARY).and_then(|value| value.to_str().ok());
    let whole = said.map(|said| format!("{said}, {name}"));
    let value = whole.and_then(|whole| HeaderValue::from_str(&whole).ok());
    headers.insert(VARY, value.unwrap_or_else(|| HeaderValue::from_static(name)));
}

/// The same answer, for nobody to keep.
pub(super) fn not_stored(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// A document without a validator.
pub(super) fn document(status: StatusCode, bytes: Vec<u8>) -> Response<Body> {
    json(status, bytes, Privacy::NoStore)
}

/// An item; `state` where the answer carries its validator.
pub(super) fn item(
    status: StatusCode,
    bytes: Vec<u8>,
    state: Option<u64>,
    privacy: Privacy,
) -> Response<Body> {
    let tag = state.map(|state| etag::item(state, &bytes));
    let mut response = json(status, bytes, privacy);
    if let Some(tag) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Says when what is shown was last changed (RFC 9110, 8.8.2): to the second, never in the future.
pub(super) fn modified(response: &mut Response<Body>, moment: Option<Timestamp>, now: Timestamp) {
    if let Some(moment) = moment {
        let text = httpdate::fmt_http_date(moment.min(now).into());
        set(response, LAST_MODIFIED, &text);
    }
}

/// What a write made of an item, as far as its writer may see it and wants to: without content there is `status` alone,
/// and the tag all the same. `address` is where the content is, if that is told.
pub(super) fn written(
    (with_content, without): (StatusCode, StatusCode),
    shown: Option<(Vec<u8>, Option<u64>)>,
    address: Option<&str>,
    preferences: Preferences,
) -> Response<Body> {
    let is_minimal = preferences.returned == Some(Return::Minimal);
    let mut response = match shown {
        None => nothing(without),
        Some((bytes, state)) if is_minimal => {
            let mut response = nothing(without);
            if let Some(state) = state {
                response.headers_mut().insert(ETAG, etag::item(state, &bytes));
            }
            response
        }
        Some((bytes, state)) => {
            let mut response = item(with_content, bytes, state, Privacy::NoStore);
            if let Some(address) = address {
                set(&mut response, CONTENT_LOCATION, address);
            }
            response
        }
    };
    applied(&mut response, preferences);
    response
}

/// Says which preferences were followed.
pub(super) fn applied(response: &mut Response<Body>, preferences: Preferences) {
    let has_content = response.headers().contains_key(CONTENT_TYPE);
    if let Some(applied) = preferences.applied(has_content) {
        set(response, PREFERENCE_APPLIED, applied);
    }
}

/// A document with a validator of its own.
pub(super) fn whole(status: StatusCode, bytes: Bytes, privacy: Privacy) -> Response<Body> {
    let tag = etag::whole(&bytes);
    let mut response = json(status, bytes, privacy);
    response.headers_mut().insert(ETAG, tag);
    response
}

/// What is told of a collection as a whole.
pub(super) fn groups(bytes: Vec<u8>, privacy: Privacy) -> Response<Body> {
    let tag = etag::collection(&bytes);
    let mut response = json(StatusCode::OK, bytes, privacy);
    response.headers_mut().insert(ETAG, tag);
    response
}

/// A page of a collection.
pub(super) fn page(bytes: Vec<u8>, links: &Links, prefix: &str, privacy: Privacy) -> Response<Body> {
    let mut response = groups(bytes, privacy);
    set(&mut response, LINK, &link::header(links, prefix));
    response
}

/// A stream of a collection's items: it has no validator, since nobody knows it whole.
pub(super) fn stream(body: Body, links: &Links, prefix: &str, privacy: Privacy) -> Response<Body> {
    let mut response = json(StatusCode::OK, Bytes::new(), privacy);
    *response.body_mut() = body;
    set(&mut response, LINK, &link::header(links, prefix));
    response
}

/// Says in which media type it is.
pub(super) fn as_media(response: &mut Response<Body>, media: &'static Media) {
    if JSON != media.content_type {
        let name = HeaderValue::from_static(media.content_type);
        response.headers_mut().insert(CONTENT_TYPE, name);
    }
}

/// The answer to a read where the client wants it; 304 (RFC 9110, 15.4.5) where he has it already.
///
/// # Errors
///
/// 412 where it isn't what he expected.
pub(super) fn if_wanted(
    mut response: Response<Body>,
    headers: &HeaderMap,
    expected: &Preconditions,
) -> Result<Response<Body>, Problem> {
    coded::choose(&mut response, headers);
    let tag = response.headers().get(ETAG);
    let modified = response.headers().get(LAST_MODIFIED);
    if tag.map_or(Ok(true), |tag| expected.want(tag, modified))? {
        return Ok(response);
    }
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.body_mut() = Body::empty();
    for header in [CONTENT_ENCODING, CONTENT_TYPE, LINK] {
        response.headers_mut().remove(header);
    }
    Ok(response)
}

/// The same answer without a validator, for nobody to keep.
pub(super) fn untagged(response: Response<Body>) -> Response<Body> {
    let mut response = not_stored(response);
    response.headers_mut().remove(ETAG);
    response
}

/// No content.
pub(super) fn nothing(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// Tells the token of the session by which the request came.
pub(super) fn with_csrf_token(response: &mut Response<Body>, token: &str) -> Result<(), Problem> {
    let value = HeaderValue::from_str(token).map_err(Problem::internal)?;
    response.headers_mut().insert(CSRF_TOKEN, value);
    Ok(())
}

/// Says where the item made is.
pub(super) fn with_location(mut response: Response<Body>, address: &str) -> Response<Body> {
    set(&mut response, LOCATION, address);
    response
}

/// OPTIONS: what the address takes, whoever asks.
pub(super) fn options(allow: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    set(&mut response, ALLOW, allow);
    let takes = |method: &str| allow.split(", ").any(|allowed| allowed == method);
    if takes("POST") {
        set(
            &mut response,
            ACCEPT_POST,
            &body::types_of(&Method::POST).join(", "),
        );
    }
    if takes("QUERY") {
        set(&mut response, body::ACCEPT_QUERY, body::QUERY_TYPES);
    }
    if takes("PATCH") {
        set(
            &mut response,
            ACCEPT_PATCH,
            &body::types_of(&Method::PATCH).join(", "),
        );
    }
    response
}

/// Header values made of ASCII that we escape ourselves.
fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
