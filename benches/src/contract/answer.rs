//! Answers: items, pages and problems.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::json::hex;
use crate::writer::Outcome;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
// The read rule speaks of `me`, so every answer depends on who asks.
const VARY: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding, Authorization, Cookie");

/// What is refused.
pub(super) enum Problem {
    /// A token that isn't valid, or none where one is needed.
    Unauthorized,
    /// Not for this caller.
    Forbidden,
    /// No such thing for this caller.
    NotFound,
    /// Not at this address.
    MethodNotAllowed,
    /// A parameter that can't be understood.
    Parameter,
    /// A body of a type that isn't taken.
    MediaType,
    /// A body that can't be read.
    Body,
    /// A member that is wrong.
    Member(&'static str),
    /// The `If-Match` header doesn't hold.
    Precondition,
    /// The database failed.
    Database(rusqlite::Error),
    /// The writer has gone.
    Unavailable,
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Problem {
    fn row(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "a valid token is needed",
            ),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "not for this caller"),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "there is nothing at this address",
            ),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "not here"),
            Self::Parameter => (
                StatusCode::BAD_REQUEST,
                "parameter",
                "a parameter isn't understood",
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "the body must be JSON",
            ),
            Self::Body => (StatusCode::BAD_REQUEST, "body", "the body can't be read"),
            Self::Member(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "a member is wrong"),
            Self::Precondition => (
                StatusCode::PRECONDITION_FAILED,
                "precondition",
                "the item has changed",
            ),
            Self::Database(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "something went wrong",
            ),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "try again"),
        }
    }
}

/// A problem's answer.
pub(super) fn problem(refusal: &Problem, id: Uuid) -> Response<Body> {
    let (status, code, detail) = refusal.row();
    if let Problem::Database(error) = refusal {
        eprintln!("{id}: {error}");
    }
    let mut body = serde_json::json!({
        "type": format!("/api/problems/{code}"), "code": code, "title": detail, "status": status.as_u16(),
        "detail": detail, "instance": format!("urn:uuid:{id}"),
    });
    if let Problem::Member(name) = refusal {
        body["errors"] = serde_json::json!([{ "pointer": format!("/{name}"), "code": "invalid" }]);
    }
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, PROBLEM);
    answer.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"bench\""),
        );
    }
    answer
}

/// One item.
pub(super) fn item(state: u64, body: Vec<u8>) -> Response<Body> {
    let mut answer = tagged(body, state);
    answer.headers_mut().insert(header::CACHE_CONTROL, PRIVATE);
    answer.headers_mut().insert(header::VARY, VARY);
    answer
}

/// A page, with its links in a header.
pub(super) fn page(body: Vec<u8>, link: Option<String>) -> Response<Body> {
    let mut tag = b"W/\"".to_vec();
    hex(&mut tag, xxh3_64(&body));
    tag.push(b'"');
    let mut answer = json(body);
    let headers = answer.headers_mut();
    set(headers, header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, PRIVATE);
    headers.insert(header::VARY, VARY);
    if let Some(link) = link {
        set(headers, header::LINK, link.into_bytes());
    }
    answer
}

/// What came of a write.
pub(super) fn written(outcome: Option<Outcome>, status: StatusCode) -> Result<Response<Body>, Problem> {
    let (id, state, body) = match outcome {
        Some(Outcome::Written { id, state, body }) => (id, state, body),
        Some(Outcome::Absent) => return Err(Problem::NotFound),
        Some(Outcome::Forbidden) => return Err(Problem::Forbidden),
        Some(Outcome::Changed) => return Err(Problem::Precondition),
        Some(Outcome::Failed(error)) => return Err(Problem::Database(error)),
        None => return Err(Problem::Unavailable),
    };
    let mut answer = tagged(body, state);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    let mut place = b"/api/posts/".to_vec();
    crate::json::integer(&mut place, id);
    if status == StatusCode::CREATED {
        set(headers, header::LOCATION, place.clone());
    }
    set(headers, header::CONTENT_LOCATION, place);
    Ok(answer)
}

fn tagged(body: Vec<u8>, state: u64) -> Response<Body> {
    let tag = tag(state, &body);
    let mut answer = json(body);
    set(answer.headers_mut(), header::ETAG, tag);
    answer
}

fn tag(state: u64, body: &[u8]) -> Vec<u8> {
    let mut tag = Vec::with_capacity(35);
    tag.push(b'"');
    hex(&mut tag, state);
    tag.push(b'.');
    hex(&mut tag, xxh3_64(body));
    tag.push(b'"');
    tag
}

fn json(body: Vec<u8>) -> Response<Body> {
    let mut answer = Response::new(Body::from(Bytes::from(body)));
    answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    answer
}

fn set(headers: &mut axum::http::HeaderMap, name: header::HeaderName, value: Vec<u8>) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
        headers.insert(name, value);
    }
}
