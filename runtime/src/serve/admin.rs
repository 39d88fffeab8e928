//! What operators ask, at an address of their own.

use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use axum::response::IntoResponse;

use super::{Arrival, Health, health_of, peer, without_body};
use crate::metrics::{MEDIA_TYPE, Route};
use crate::problem::{Code, Problem};
use crate::service::Inner;

/// Answers `/metrics` and what balancers ask.
pub(crate) async fn administer(service: Arc<Inner>, request: Request<Body>) -> Response<Body> {
    let (asked, _) = Arrival::of(&service, peer(&request), &request);
    let uri = request.into_parts().0.uri;
    let answer = pin!(answer(&service, &asked, uri.path()));
    let response = asked.answered(&service, answer).await;
    if asked.method == Method::HEAD {
        without_body(response)
    } else {
        response
    }
}

async fn answer(service: &Inner, asked: &Arrival<'_>, path: &str) -> Result<Response<Body>, Problem> {
    let route = match path {
        "/health/live" | "/health/ready" => Route::Health,
        "/metrics" => Route::Metrics,
        _ => return Err(Problem::new(Code::NotFound)),
    };
    asked.is_for(route);
    if !matches!(asked.method, Method::GET | Method::HEAD) {
        return Err(Problem::method_not_allowed("GET, HEAD"));
    }
    match path {
        "/health/live" => health_of(service, Health::Live).await,
        "/health/ready" => health_of(service, Health::Ready).await,
        _ => Ok(metrics(service)),
    }
}

fn metrics(service: &Inner) -> Response<Body> {
    let headers = [("content-type", MEDIA_TYPE), ("cache-control", "no-store")];
    (headers, service.measured()).into_response()
}
