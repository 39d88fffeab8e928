//! POST and PATCH: validated here, then pre-select, statement and post-select in the writer's thread.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode, header};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row};
use serde::{Deserialize, Deserializer};

use super::answer::{self, Problem};
use crate::app::App;
use crate::json;
use crate::token::{self, Credentials};
use crate::writer::Outcome;

const BODY_LIMIT: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Created {
    title: String,
    body: String,
    #[serde(default = "published")]
    status: String,
    #[serde(default)]
    score: i32,
}

fn published() -> String {
    "published".to_owned()
}

/// A merge patch: what is absent stays, what is null would have to be optional.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patched {
    #[serde(default, deserialize_with = "present")]
    title: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    body: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    status: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    score: Option<Option<i32>>,
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Makes a post of the caller's.
pub(super) async fn create(
    app: &App,
    credentials: &Credentials,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let me = signed_in(app, credentials)?;
    let bytes = body(request, &["application/json"]).await?;
    let post: Created = serde_json::from_slice(&bytes).map_err(|error| fault(&error))?;
    check("title", &post.title, 1, 120)?;
    check("body", &post.body, 1, 2_000)?;
    check_status(&post.status)?;
    check_score(post.score)?;
    let key = app.key;
    let outcome = app
        .writer
        .run(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO post (user_id, title, body, status, score, created_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute((me, post.title, post.body, post.status, post.score, now()))?;
            afterwards(connection, connection.last_insert_rowid(), me, key)
        })
        .await;
    answer::written(outcome, StatusCode::CREATED)
}

/// Changes a post of the caller's.
pub(super) async fn patch(
    app: &App,
    credentials: &Credentials,
    id: i64,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let me = signed_in(app, credentials)?;
    let expected = if_match(request.headers());
    let bytes = body(request, &["application/json", "application/merge-patch+json"]).await?;
    let change: Patched = serde_json::from_slice(&bytes).map_err(|error| fault(&error))?;
    let change = checked(change)?;
    let key = app.key;
    let outcome = app
        .writer
        .run(move |connection| update(connection, id, me, key, &expected, &change))
        .await;
    answer::written(outcome, StatusCode::OK)
}

/// New values; `None` leaves a column alone.
struct Change {
    title: Option<String>,
    body: Option<String>,
    status: Option<String>,
    score: Option<i32>,
}

/// One statement for each set of columns: one that names a column with an index writes the index as well.
static UPDATES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let columns = ["title = ?2", "body = ?3", "status = ?4", "score = ?5"];
    let chosen = |mask: usize| {
        (0..4)
            .filter(move |column| mask >> column & 1 == 1)
            .map(|column| columns[column])
    };
    let sql = |mask| {
        format!(
            "UPDATE post SET {} WHERE id = ?1",
            chosen(mask).collect::<Vec<_>>().join(", ")
        )
    };
    (0..16).map(sql).collect()
});

impl Change {
    fn write(&self, connection: &Connection, id: i64) -> SqlResult<()> {
        let mask = usize::from(self.title.is_some())
            | usize::from(self.body.is_some()) << 1
            | usize::from(self.status.is_some()) << 2
            | usize::from(self.score.is_some()) << 3;
        if mask == 0 {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(&UPDATES[mask])?;
        statement.raw_bind_parameter(1, id)?;
        for (place, text) in (2..).zip([&self.title, &self.body, &self.status]) {
            if let Some(text) = text {
                statement.raw_bind_parameter(place, text)?;
            }
        }
        if let Some(score) = self.score {
            statement.raw_bind_parameter(5, score)?;
        }
        statement.raw_execute().map(drop)
    }
}

fn checked(change: Patched) -> Result<Change, Problem> {
    let change = Change {
        title: not_null("title", change.title)?,
        body: not_null("body", change.body)?,
        status: not_null("status", change.status)?,
        score: not_null("score", change.score)?,
    };
    change
        .title
        .as_ref()
        .map_or(Ok(()), |title| check("title", title, 1, 120))?;
    change
        .body
        .as_ref()
        .map_or(Ok(()), |body| check("body", body, 1, 2_000))?;
    change
        .status
        .as_ref()
        .map_or(Ok(()), |status| check_status(status))?;
    change.score.map_or(Ok(()), check_score)?;
    Ok(change)
}

fn not_null<T>(name: &'static str, member: Option<Option<T>>) -> Result<Option<T>, Problem> {
    member.map(|value| value.ok_or(Problem::Member(name))).transpose()
}

fn update(
    connection: &Connection,
    id: i64,
    me: i64,
    key: (u64, u64),
    expected: &Option<Vec<String>>,
    change: &Change,
) -> SqlResult<Outcome> {
    let mut before = connection.prepare_cached(
        "SELECT p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at, p.user_id = ?2 FROM post p \
         WHERE p.id = ?1 AND (p.status = 'published' OR p.user_id = ?2)",
    )?;
    let refusal = before
        .query_row((id, me), |row| {
            if !row.get::<_, bool>(7)? {
                return Ok(Some(Outcome::Forbidden));
            }
            let state = json::state(row, json::POST_COLUMNS, key)?;
            Ok((!holds(expected, state)).then_some(Outcome::Changed))
        })
        .optional()?
        .unwrap_or(Some(Outcome::Absent));
    if let Some(refusal) = refusal {
        return Ok(refusal);
    }
    change.write(connection, id)?;
    afterwards(connection, id, me, key)
}

/// The row as it is now, the operation's rule on it, its state.
fn afterwards(connection: &Connection, id: i64, me: i64, key: (u64, u64)) -> SqlResult<Outcome> {
    connection
        .prepare_cached(
            "SELECT p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at, p.user_id = ?2 FROM post p \
             WHERE p.id = ?1 AND (p.status = 'published' OR p.user_id = ?2)",
        )?
        .query_row((id, me), |row| if row.get(7)? { item(row, key) } else { Ok(Outcome::Forbidden) })
}

fn item(row: &Row<'_>, key: (u64, u64)) -> SqlResult<Outcome> {
    let mut body = Vec::with_capacity(512);
    json::post(&mut body, row)?;
    body.push(b'}');
    Ok(Outcome::Written {
        id: row.get(0)?,
        state: json::state(row, json::POST_COLUMNS, key)?,
        body,
    })
}

/// The states of `If-Match`; `None` where there is no such header.
fn if_match(headers: &HeaderMap) -> Option<Vec<String>> {
    let text = headers.get(header::IF_MATCH)?.to_str().ok()?;
    let states = text.split(',').map(|tag| tag.trim().trim_start_matches('"'));
    Some(
        states
            .map(|tag| tag.split('.').next().unwrap_or_default().to_owned())
            .collect(),
    )
}

fn holds(expected: &Option<Vec<String>>, state: u64) -> bool {
    let Some(expected) = expected else { return true };
    let state = format!("{state:016x}");
    expected.iter().any(|tag| tag == "*" || *tag == state)
}

fn signed_in(app: &App, credentials: &Credentials) -> Result<i64, Problem> {
    app.slots
        .with(|connection| token::caller(connection, credentials))?
        .flatten()
        .ok_or(Problem::Unauthorized)
}

async fn body(request: Request, taken: &[&str]) -> Result<Bytes, Problem> {
    let media = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = media.map(|text| text.split(';').next().unwrap_or_default().trim());
    if !media.is_some_and(|media| taken.iter().any(|one| media.eq_ignore_ascii_case(one))) {
        return Err(Problem::MediaType);
    }
    axum::body::to_bytes(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|_| Problem::Body)
}

fn fault(error: &serde_json::Error) -> Problem {
    if error.is_data() {
        Problem::Member("")
    } else {
        Problem::Body
    }
}

fn check(name: &'static str, text: &str, least: usize, most: usize) -> Result<(), Problem> {
    let fits = (least..=most).contains(&text.chars().count()) && !text.contains('\0');
    if fits { Ok(()) } else { Err(Problem::Member(name)) }
}

fn check_status(status: &str) -> Result<(), Problem> {
    if matches!(status, "draft" | "published") {
        Ok(())
    } else {
        Err(Problem::Member("status"))
    }
}

fn check_score(score: i32) -> Result<(), Problem> {
    if score >= 0 {
        Ok(())
    } else {
        Err(Problem::Member("score"))
    }
}

/// The moment, as stored.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = ((since.as_secs() / 86_400) as i64, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:06}",
        since.subsec_micros()
    )
}

/// The civil date of a day after 1970-01-01, by counting from a March before it.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day = days % 146_097;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let shown = if month < 10 { month + 3 } else { month - 9 };
    (
        year + era * 400 + i64::from(shown <= 2),
        shown,
        day - (153 * month + 2) / 5 + 1,
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_779), (2026, 11, 22));
    }

    #[test]
    fn a_tag_is_compared_up_to_the_dot() {
        let mut headers = HeaderMap::new();
        assert!(holds(&if_match(&headers), 1));
        headers.insert(header::IF_MATCH, "\"0000000000000001.ff\"".parse().unwrap());
        assert!(holds(&if_match(&headers), 1));
        assert!(!holds(&if_match(&headers), 2));
        headers.insert(header::IF_MATCH, "W/\"0000000000000001.ff\"".parse().unwrap());
        assert!(!holds(&if_match(&headers), 1));
    }
}
