//! The floor: rows to JSON, no contract.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use rusqlite::{Connection, OptionalExtension, Result};
use serde::Deserialize;

use crate::app::App;
use crate::json;
use crate::writer::Outcome;

#[derive(Deserialize)]
struct Post {
    title: Option<String>,
    body: Option<String>,
}

/// Answers every request.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let key = request
        .uri()
        .path()
        .strip_prefix("/api/posts/")
        .and_then(|key| key.parse().ok());
    let body = match (request.method(), key) {
        (&Method::GET, Some(key)) => app.slots.with(|connection| item(connection, key)),
        (&Method::GET, None) => {
            let query = request.uri().query().unwrap_or_default();
            app.slots.with(|connection| list(connection, query)).map(Some)
        }
        _ => return write(&app, key, request).await,
    };
    match body {
        Ok(Some(body)) => answer(StatusCode::OK, body),
        Ok(None) => answer(StatusCode::NOT_FOUND, Vec::new()),
        Err(error) => failed(&error),
    }
}

fn item(connection: &Connection, id: i64) -> Result<Option<Vec<u8>>> {
    connection
        .prepare_cached(
            "SELECT p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at FROM post p WHERE p.id = ?1",
        )?
        .query_row([id], |row| {
            let mut body = Vec::with_capacity(512);
            json::post(&mut body, row)?;
            body.push(b'}');
            Ok(body)
        })
        .optional()
}

/// A page; the cursor is what the contract's server made, of which only the place is looked at.
fn list(connection: &Connection, query: &str) -> Result<Vec<u8>> {
    let value = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let author = value("author_id").and_then(|author| author.parse::<i64>().ok());
    let after = value("cursor").and_then(|cursor| cursor.parse::<i64>().ok());
    let include = value("include").is_some();
    let sql = match (author, include) {
        (Some(_), false) => {
            "SELECT p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at FROM post p \
             WHERE p.user_id = ?1 AND +p.status = 'published' ORDER BY p.created_at DESC, p.id DESC LIMIT 20"
        }
        (None, true) => {
            "SELECT p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at, u.id, u.username, u.about_me \
             FROM post p JOIN \"user\" u ON u.id = p.user_id ORDER BY p.created_at DESC, p.id DESC LIMIT 20"
        }
        _ => {
            "SELECT p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at FROM post p \
             WHERE p.id < ?1 ORDER BY p.id DESC LIMIT 20"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    if !include {
        statement.raw_bind_parameter(1, author.or(after).unwrap_or(i64::MAX))?;
    }
    let mut body = Vec::with_capacity(12 * 1024);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        body.push(if body.is_empty() { b'[' } else { b',' });
        json::post(&mut body, row)?;
        if include {
            body.extend_from_slice(b",\"author\":");
            json::user(&mut body, row, json::POST_COLUMNS)?;
        }
        body.push(b'}');
    }
    body.extend_from_slice(if body.is_empty() { b"[]" } else { b"]" });
    Ok(body)
}

async fn write(app: &App, key: Option<i64>, request: Request) -> Response<Body> {
    let post = match axum::body::to_bytes(request.into_body(), 1 << 20).await {
        Ok(bytes) => serde_json::from_slice::<Post>(&bytes).ok(),
        Err(_) => None,
    };
    let Some(post) = post else {
        return answer(StatusCode::BAD_REQUEST, Vec::new());
    };
    let status = if key.is_some() {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let outcome = app
        .writer
        .run(move |connection| {
            let id = match key {
                Some(id) => {
                    let mut statement = connection.prepare_cached(
                        "UPDATE post SET title = coalesce(?2, title), body = coalesce(?3, body) WHERE id = ?1",
                    )?;
                    statement.execute((id, post.title, post.body))?;
                    id
                }
                None => {
                    let mut statement = connection.prepare_cached(
                        "INSERT INTO post (user_id, title, body, status, score, created_at) \
                         VALUES (1, ?1, ?2, 'published', 0, strftime('%Y-%m-%d %H:%M:%f000'))",
                    )?;
                    statement.execute((post.title, post.body))?;
                    connection.last_insert_rowid()
                }
            };
            Ok(item(connection, id)?.map_or(Outcome::Absent, |body| Outcome::Written { id, state: 0, body }))
        })
        .await;
    match outcome {
        Some(Outcome::Written { body, .. }) => answer(status, body),
        Some(Outcome::Failed(error)) => failed(&error),
        _ => answer(StatusCode::NOT_FOUND, Vec::new()),
    }
}

/// JSON, with this status.
pub(crate) fn answer(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut answer = Response::new(Body::from(Bytes::from(body)));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn failed(error: &rusqlite::Error) -> Response<Body> {
    eprintln!("{error}");
    answer(StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
}
