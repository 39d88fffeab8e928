//! GET: an item, a page.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Response, Uri};
use rusqlite::{Connection, Row};

use super::answer::{self, Problem};
use super::page::{Place, Query, Segment, Statements};
use crate::app::App;
use crate::json;
use crate::token::{self, Credentials};

static STATEMENTS: LazyLock<Statements> = LazyLock::new(Statements::new);

/// Runs what has more than one statement in one read transaction.
fn snapshot<T>(
    connection: &Connection,
    several: bool,
    run: impl FnOnce() -> Result<T, Problem>,
) -> Result<T, Problem> {
    if !several {
        return run();
    }
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = run();
    connection.prepare_cached("COMMIT")?.execute([])?;
    result
}

fn me(connection: &Connection, credentials: &Credentials) -> Result<Option<i64>, Problem> {
    token::caller(connection, credentials)?.ok_or(Problem::Unauthorized)
}

/// One post.
pub(super) fn item(app: &App, credentials: &Credentials, id: i64) -> Result<Response<Body>, Problem> {
    app.slots.with(|connection| {
        snapshot(connection, matches!(credentials, Credentials::Token(_)), || {
            let me = me(connection, credentials)?;
            let mut statement = connection.prepare_cached(
                "SELECT p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at FROM post p \
                 WHERE p.id = ?1 AND (p.status = 'published' OR p.user_id = ?2)",
            )?;
            let mut rows = statement.query((id, me))?;
            let row = rows.next()?.ok_or(Problem::NotFound)?;
            let mut body = Vec::with_capacity(512);
            json::post(&mut body, row)?;
            body.push(b'}');
            Ok(answer::item(json::state(row, json::POST_COLUMNS, app.key)?, body))
        })
    })
}

/// A page of posts.
pub(super) fn list(app: &App, credentials: &Credentials, uri: &Uri) -> Result<Response<Body>, Problem> {
    let query = Query::parse(uri.query().unwrap_or_default(), app.key)?;
    let several = query.place.is_some() || matches!(credentials, Credentials::Token(_));
    app.slots.with(|connection| {
        snapshot(connection, several, || {
            let me = me(connection, credentials)?;
            let mut page = Page::new(&query);
            match query.place {
                None => page.fill(connection, me, Segment::All)?,
                Some(_) => {
                    page.fill(connection, me, Segment::Tie)?;
                    page.fill(connection, me, Segment::After)?;
                }
            }
            Ok(page.answer(app, uri))
        })
    })
}

/// A page being filled.
struct Page<'a> {
    query: &'a Query<'a>,
    body: Vec<u8>,
    rows: u32,
    first: Option<Place>,
    last: Option<Place>,
    more: bool,
}

impl<'a> Page<'a> {
    fn new(query: &'a Query<'a>) -> Self {
        let mut body = Vec::with_capacity(12 * 1024);
        body.extend_from_slice(b"{\"items\":[");
        Self {
            query,
            body,
            rows: 0,
            first: None,
            last: None,
            more: false,
        }
    }

    fn fill(&mut self, connection: &Connection, me: Option<i64>, segment: Segment) -> Result<(), Problem> {
        if self.more {
            return Ok(());
        }
        let query = self.query;
        let mut statement = connection.prepare_cached(STATEMENTS.get(query, segment))?;
        if let Some(author) = query.author {
            statement.raw_bind_parameter(1, author)?;
        }
        if let Some(status) = query.status {
            statement.raw_bind_parameter(2, status)?;
        }
        statement.raw_bind_parameter(3, me)?;
        if let Some(place) = &query.place {
            statement.raw_bind_parameter(4, place.created_at.as_str())?;
            if matches!(segment, Segment::Tie) {
                statement.raw_bind_parameter(5, place.id)?;
            }
        }
        statement.raw_bind_parameter(6, query.limit - self.rows + 1)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if self.rows == query.limit {
                self.more = true;
                break;
            }
            self.push(row)?;
        }
        Ok(())
    }

    fn push(&mut self, row: &Row<'_>) -> Result<(), Problem> {
        if self.rows > 0 {
            self.body.push(b',');
        }
        json::post(&mut self.body, row)?;
        if self.query.include {
            self.body.extend_from_slice(b",\"author\":");
            json::user(&mut self.body, row, json::POST_COLUMNS)?;
        }
        self.body.push(b'}');
        self.rows += 1;
        if self.rows == 1 && self.query.place.is_some() {
            self.first = Some(place(row)?);
        }
        if self.rows == self.query.limit {
            self.last = Some(place(row)?);
        }
        Ok(())
    }

    fn answer(mut self, app: &App, uri: &Uri) -> Response<Body> {
        let next = self
            .last
            .filter(|_| self.more)
            .map(|place| self.query.cursor(&place, app.key));
        let prev = self.first.map(|place| self.query.cursor(&place, app.key));
        let base = base(uri);
        let next_link = next.as_ref().map(|cursor| format!("{base}cursor={cursor}"));
        let prev_link = prev.as_ref().map(|cursor| format!("{base}cursor={cursor}"));
        let body = &mut self.body;
        body.extend_from_slice(b"],\"page\":{\"limit\":");
        json::integer(body, i64::from(self.query.limit));
        member(body, b",\"next\":", next.as_deref());
        member(body, b",\"prev\":", prev.as_deref());
        let own = uri.path_and_query().map_or(uri.path(), |own| own.as_str());
        member(body, b"},\"links\":{\"self\":", Some(own));
        member(body, b",\"next\":", next_link.as_deref());
        member(body, b",\"prev\":", prev_link.as_deref());
        body.extend_from_slice(b"}}");
        let link = links(next_link.as_deref(), prev_link.as_deref());
        answer::page(self.body, link)
    }
}

fn place(row: &Row<'_>) -> Result<Place, Problem> {
    Ok(Place {
        created_at: row.get(6)?,
        id: row.get(0)?,
    })
}

fn member(body: &mut Vec<u8>, name: &[u8], value: Option<&str>) {
    body.extend_from_slice(name);
    match value {
        Some(value) => json::text(body, value.as_bytes()),
        None => body.extend_from_slice(b"null"),
    }
}

/// The address without its cursor, ready for another.
fn base(uri: &Uri) -> String {
    let mut base = format!("{}?", uri.path());
    for pair in uri.query().unwrap_or_default().split('&') {
        if !pair.is_empty() && !pair.starts_with("cursor=") {
            base.push_str(pair);
            base.push('&');
        }
    }
    base
}

fn links(next: Option<&str>, prev: Option<&str>) -> Option<String> {
    match (next, prev) {
        (None, None) => None,
        (Some(next), None) => Some(format!("<{next}>; rel=\"next\"")),
        (None, Some(prev)) => Some(format!("<{prev}>; rel=\"prev\"")),
        (Some(next), Some(prev)) => Some(format!("<{next}>; rel=\"next\", <{prev}>; rel=\"prev\"")),
    }
}
