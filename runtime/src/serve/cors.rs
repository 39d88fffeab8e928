//! Pages of other origins (the CORS protocol of the Fetch standard): what a browser may let them ask and read.
//!
//! It is done here and not by tower-http's layer: that takes every OPTIONS for a question of a browser's and answers it
//! itself, so `Allow` would be lost, and the methods of an address with it, which is what a browser asks for.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderValue, ORIGIN,
};
use axum::http::{Method, Request, Response, StatusCode};
use rest_schema::Origins;

use super::answer;
use crate::openapi;

/// Request headers that mean something here and that a browser asks about first.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since, Prefer, Traceparent, Tracestate",
);

/// What a schema says of other origins, with the headers that say it to browsers.
#[derive(Debug)]
pub(crate) struct Cors {
    origins: Origins,
    credentials: bool,
    max_age: HeaderValue,
    /// Headers of answers that a page may read.
    exposed: HeaderValue,
}

/// A request where other origins may call.
#[derive(Debug)]
pub(super) struct Across<'c> {
    cors: &'c Cors,
    /// Where the page that asks comes from, where a browser tells it.
    origin: Option<HeaderValue>,
    /// The method that the page means to use, where the browser asks whether it may.
    preflight: Option<HeaderValue>,
}

impl Cors {
    /// Worked out once, at start.
    pub(crate) fn new(cors: &rest_schema::Cors) -> Self {
        let exposed = openapi::exposed_headers().join(", ");
        Self {
            origins: cors.origins.clone(),
            credentials: cors.credentials,
            max_age: HeaderValue::from(cors.max_age),
            exposed: HeaderValue::from_str(&exposed).unwrap_or_else(|_| HeaderValue::from_static("ETag")),
        }
    }

    /// What `Access-Control-Allow-Origin` says to an origin; `None` where it isn't let in.
    fn lets_in(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match &self.origins {
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::Listed(listed) => {
                let is_listed = |origin: &&HeaderValue| listed.iter().any(|one| *origin == one.as_str());
                origin.filter(is_listed).cloned()
            }
        }
    }
}

impl<'c> Across<'c> {
    /// A request; `None` where other origins may not call, which then costs nothing.
    pub(super) fn of(cors: Option<&'c Cors>, request: &Request<Body>) -> Option<Self> {
        let (cors, headers) = (cors?, request.headers());
        let origin = headers.get(ORIGIN).cloned();
        let asks = request.method() == Method::OPTIONS && origin.is_some();
        let method = headers.get(ACCESS_CONTROL_REQUEST_METHOD);
        let preflight = method.filter(|_| asks).cloned();
        Some(Self {
            cors,
            origin,
            preflight,
        })
    }

    /// A program's own routes refuse OPTIONS. What else they take axum tells only after us, so a page may try its method,
    /// and can read the refusal.
    pub(super) fn answered(&self, response: Response<Body>) -> Response<Body> {
        if self.preflight.is_none() || response.status() != StatusCode::METHOD_NOT_ALLOWED {
            return response;
        }
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer
    }

    /// Tells the browser, with whatever the answer is.
    pub(super) fn tell(&self, response: &mut Response<Body>) {
        let is_answered = response.status().is_success();
        let headers = response.headers_mut();
        if self.cors.origins != Origins::Any {
            // An answer for one origin isn't one for another, though nobody asked across origins this time.
            answer::varies_by(headers, "Origin");
        }
        let Some(origin) = self.cors.lets_in(self.origin.as_ref()) else {
            return;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.cors.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        match &self.preflight {
            None => {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.cors.exposed.clone());
            }
            Some(method) if is_answered => {
                let methods = headers.get(ALLOW).unwrap_or(method).clone();
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
                headers.insert(ACCESS_CONTROL_MAX_AGE, self.cors.max_age.clone());
            }
            Some(_) => {}
        }
    }
}
