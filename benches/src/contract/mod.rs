//! The whole contract, by hand, for posts.

mod answer;
mod page;
mod read;
mod write;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response, header};

use crate::app::App;
use crate::token::{self, Credentials};
use answer::{Problem, problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers every request.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let id = app.request_id();
    let mut answer = match route(&app, request).await {
        Ok(answer) => answer,
        Err(refusal) => problem(&refusal, id),
    };
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    if let Ok(id) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    let size = axum::body::HttpBody::size_hint(answer.body()).lower();
    app.count(answer.status().as_u16(), size);
    answer
}

async fn route(app: &App, request: Request) -> Result<Response<Body>, Problem> {
    let credentials = credentials(&request)?;
    let path = request.uri().path();
    if path == "/api/posts" {
        return match *request.method() {
            Method::GET => read::list(app, &credentials, request.uri()),
            Method::POST => write::create(app, &credentials, request).await,
            _ => Err(Problem::MethodNotAllowed),
        };
    }
    let key = path
        .strip_prefix("/api/posts/")
        .and_then(|key| key.parse().ok())
        .ok_or(Problem::NotFound)?;
    match *request.method() {
        Method::GET if request.uri().query().is_some() => Err(Problem::Parameter),
        Method::GET => read::item(app, &credentials, key),
        Method::PATCH => write::patch(app, &credentials, key, request).await,
        _ => Err(Problem::MethodNotAllowed),
    }
}

fn credentials(request: &Request) -> Result<Credentials, Problem> {
    let header = request.headers().get(header::AUTHORIZATION);
    token::credentials(header.map(HeaderValue::as_bytes)).ok_or(Problem::Unauthorized)
}
