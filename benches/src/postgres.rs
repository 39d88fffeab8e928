//! The same two tables on PostgreSQL, by hand: two connections that all requests share, prepared statements, rows to JSON.
//! Tokens are looked up by query and the read rule is a condition; else it is as bare as [`crate::bare`].

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

use crate::bare::answer;
use crate::json;

#[derive(Deserialize)]
struct Post {
    title: Option<String>,
    body: Option<String>,
}

const POST: &str = "p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at";

/// What requests share.
#[derive(Debug)]
pub(crate) struct App {
    links: Vec<Link>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Link {
    client: Client,
    token: Statement,
    item: Statement,
    author: Statement,
    include: Statement,
    cursor: Statement,
    create: Statement,
    patch: Statement,
}

impl App {
    /// Connects, and keeps the tokens.
    pub(crate) async fn open(url: &str, tokens: &[(String, i64)]) -> Result<Self, Box<dyn Error>> {
        let mut links = Vec::new();
        for _ in 0..2 {
            links.push(Link::open(url).await?);
        }
        let keep = "INSERT INTO token (hash, user_id, expires_at) VALUES ($1, $2, now() + interval '1 day')
            ON CONFLICT DO NOTHING";
        for (token, user) in tokens {
            links[0]
                .client
                .execute(keep, &[&hash(token.as_bytes()), user])
                .await?;
        }
        Ok(Self {
            links,
            next: AtomicUsize::new(0),
        })
    }

    fn link(&self) -> &Link {
        &self.links[self.next.fetch_add(1, Ordering::Relaxed) % self.links.len()]
    }
}

impl Link {
    async fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let tables = "CREATE TABLE IF NOT EXISTS token (hash bytea PRIMARY KEY, user_id bigint NOT NULL,
            expires_at timestamptz NOT NULL)";
        client.batch_execute(tables).await?;
        let select = |rest: &str| format!("SELECT {POST} FROM post p {rest}");
        let visible = "(p.status = 'published' OR p.user_id = $2)";
        let prepare = async |text: String| client.prepare(&text).await;
        Ok(Self {
            token: prepare("SELECT user_id FROM token WHERE hash = $1 AND expires_at > now()".to_owned()).await?,
            item: prepare(select(&format!("WHERE p.id = $1 AND {visible}"))).await?,
            author: prepare(select(
                "WHERE p.user_id = $1 AND p.status = 'published' ORDER BY p.created_at DESC, p.id DESC LIMIT 20",
            ))
            .await?,
            include: prepare(format!(
                "SELECT {POST}, u.id, u.username, u.about_me FROM post p JOIN \"user\" u ON u.id = p.user_id \
                 ORDER BY p.created_at DESC, p.id DESC LIMIT 20"
            ))
            .await?,
            cursor: prepare(select(&format!("WHERE p.id < $1 AND {visible} ORDER BY p.id DESC LIMIT 20"))).await?,
            create: prepare(format!(
                "INSERT INTO post AS p (user_id, title, body, status, score, created_at) \
                 VALUES ($1, $2, $3, 'published', 0, now()) RETURNING {POST}"
            ))
            .await?,
            patch: prepare(format!(
                "UPDATE post p SET title = coalesce($3, title), body = coalesce($4, body) \
                 WHERE p.id = $1 AND p.user_id = $2 RETURNING {POST}"
            ))
            .await?,
            client,
        })
    }
}

fn hash(token: &[u8]) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// Answers every request.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    match answered(&app, request).await {
        Ok(answer) => answer,
        Err(error) => {
            eprintln!("{error}");
            answer(StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
    }
}

async fn answered(app: &App, request: Request) -> Result<Response<Body>, Box<dyn Error>> {
    let link = app.link();
    let bearer = request.headers().get(header::AUTHORIZATION);
    let bearer = bearer.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let caller: i64 = match bearer {
        None => -1,
        Some(token) => match link.client.query_opt(&link.token, &[&hash(token)]).await? {
            Some(row) => row.try_get(0)?,
            None => return Ok(answer(StatusCode::UNAUTHORIZED, Vec::new())),
        },
    };
    let key: Option<i64> = request
        .uri()
        .path()
        .strip_prefix("/api/posts/")
        .and_then(|key| key.parse().ok());
    match (request.method(), key) {
        (&Method::GET, Some(key)) => one(link, &link.item, &[&key, &caller], StatusCode::OK).await,
        (&Method::GET, None) => list(link, request.uri().query().unwrap_or_default(), caller).await,
        _ => {
            let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await?;
            let Ok(Post { title, body }) = serde_json::from_slice(&bytes) else {
                return Ok(answer(StatusCode::BAD_REQUEST, Vec::new()));
            };
            match key {
                Some(key) => one(link, &link.patch, &[&key, &caller, &title, &body], StatusCode::OK).await,
                None => one(link, &link.create, &[&caller, &title, &body], StatusCode::CREATED).await,
            }
        }
    }
}

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

async fn one(
    link: &Link,
    statement: &Statement,
    values: Values<'_>,
    status: StatusCode,
) -> Result<Response<Body>, Box<dyn Error>> {
    let Some(row) = link.client.query_opt(statement, values).await? else {
        return Ok(answer(StatusCode::NOT_FOUND, Vec::new()));
    };
    let mut body = Vec::with_capacity(512);
    post(&mut body, &row)?;
    body.push(b'}');
    Ok(answer(status, body))
}

/// A page; the cursor is the key of the last post before it.
async fn list(link: &Link, query: &str, caller: i64) -> Result<Response<Body>, Box<dyn Error>> {
    let value = |name: &str| {
        let mut pairs = query.split('&');
        pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let author = value("author_id").and_then(|author| author.parse::<i64>().ok());
    let after = value("cursor").and_then(|cursor| cursor.parse::<i64>().ok());
    let include = value("include").is_some();
    let rows = match (author, include) {
        (Some(author), false) => link.client.query(&link.author, &[&author]).await?,
        (None, true) => link.client.query(&link.include, &[]).await?,
        _ => {
            link.client
                .query(&link.cursor, &[&after.unwrap_or(i64::MAX), &caller])
                .await?
        }
    };
    let mut body = Vec::with_capacity(12 * 1024);
    for row in &rows {
        body.push(if body.is_empty() { b'[' } else { b',' });
        post(&mut body, row)?;
        if include {
            body.extend_from_slice(b",\"author\":{\"id\":");
            json::integer(&mut body, row.try_get(7)?);
            for (place, member) in [(8, ",\"username\":"), (9, ",\"about_me\":")] {
                body.extend_from_slice(member.as_bytes());
                match row.try_get::<_, Option<&str>>(place)? {
                    Some(text) => json::text(&mut body, text.as_bytes()),
                    None => body.extend_from_slice(b"null"),
                }
            }
            body.push(b'}');
        }
        body.push(b'}');
    }
    body.extend_from_slice(if body.is_empty() { b"[]" } else { b"]" });
    Ok(answer(StatusCode::OK, body))
}

/// A post without its closing brace.
fn post(out: &mut Vec<u8>, row: &Row) -> Result<(), tokio_postgres::Error> {
    out.extend_from_slice(b"{\"id\":");
    json::integer(out, row.try_get(0)?);
    out.extend_from_slice(b",\"author_id\":");
    json::integer(out, row.try_get(1)?);
    for (place, member) in [(2, ",\"title\":"), (3, ",\"body\":"), (4, ",\"status\":")] {
        out.extend_from_slice(member.as_bytes());
        json::text(out, row.try_get::<_, &str>(place)?.as_bytes());
    }
    out.extend_from_slice(b",\"score\":");
    json::integer(out, row.try_get::<_, i32>(5)?.into());
    out.extend_from_slice(b",\"created_at\":\"");
    out.extend_from_slice(row.try_get::<_, Timestamp>(6)?.to_string().as_bytes());
    out.push(b'"');
    Ok(())
}
