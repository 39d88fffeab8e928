//! Requests that are sent again under their `Idempotency-Key`: at the same time, and after a crash.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::Request;
use crate::support::postgres::Cluster;
use crate::support::server::{Place, Server};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let blog = || SchemaSource::Named("blog".to_owned());
    vec![
        trial("once::of_many_at_once_one_is_done", move || {
            together(&Place::new(&blog())?)
        }),
        trial("once::of_many_at_once_one_is_done_on_postgresql", move || {
            together(&Place::on(&Cluster::start()?, &blog())?)
        }),
        trial("once::beside_another_program", apart),
        trial("once::in_a_database_of_an_earlier_version", move || {
            earlier(&Place::new(&blog())?)
        }),
    ]
}

fn post(title: &str, key: &str) -> Request {
    let body = json!({ "title": title }).to_string();
    Request::new("POST", "/api/posts")
        .json(body)
        .header("Idempotency-Key", key)
}

fn together(place: &Place) -> Result<(), String> {
    let server = place.serve()?;
    let token = Api::sign_in(server.address, "susan", "susan-password")?
        .token()
        .to_owned();
    let sent: Vec<Result<(u16, String), String>> = std::thread::scope(|scope| {
        let one = || {
            let answer = Api::new(server.address).send(post("Once", "\"k\"").bearer(&token))?;
            Ok((answer.status, answer.header("location").unwrap_or_default()))
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        all.into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err("a client panicked".to_owned())))
            .collect()
    });
    let sent = sent.into_iter().collect::<Result<Vec<_>, _>>()?;
    if sent.iter().any(|one| *one != sent[0]) || sent[0].0 != 201 {
        return Err(format!("the answers differ: {sent:?}"));
    }
    let mut susan = Api::sign_in(server.address, "susan", "susan-password")?;
    match &susan.get("/api/posts?title=Once&count=exact")?["page"]["total"] {
        total if *total == 1 => Ok(()),
        total => Err(format!("{total} posts were made")),
    }
}

/// A database that was made before there were keys gets a table for them.
fn earlier(place: &Place) -> Result<(), String> {
    let rows = Connection::open(&place.database).map_err(|e| e.to_string())?;
    rows.execute_batch("DROP TABLE rest_idempotency")
        .map_err(|e| e.to_string())?;
    drop(rows);
    let server = place.serve()?;
    let mut susan = Api::sign_in(server.address, "susan", "susan-password")?;
    susan.expect(201, post("Once", "\"k\"")).map(drop)
}

const NOTES: &str = "
service: notes
managed: false
resources:
  User:
    table: users
    fields:
      name: { type: string, unique: true }
      password: { type: password, column: password_hash }
    access: { read: public, create: public }
  Post:
    table: posts
    fields: { title: string }
    access: { read: public, create: authenticated }
accounts: { resource: User, identify_by: [name], password: password }
";

/// The keys lie in a file of their own: one that is under way there is told so, and one of which nobody knows what
/// became of it isn't done again.
fn apart() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let told = |error: rusqlite::Error| error.to_string();
    let database = folder.path().join("data.db");
    let schema = folder.path().join("rest.yaml");
    std::fs::write(&schema, NOTES).map_err(|e| e.to_string())?;
    let rows = Connection::open(&database).map_err(told)?;
    rows.execute_batch(
        "PRAGMA journal_mode = wal;
         CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL);",
    )
    .map_err(told)?;
    let server = Server::of(&schema, &database.display().to_string())?;
    let account = json!({ "name": "susan", "password": "susan-password" });
    Api::new(server.address).post("/api/users", &account)?;
    let mut susan = Api::sign_in(server.address, "susan", "susan-password")?;
    let mut again = Api::sign_in(server.address, "susan", "susan-password")?;

    susan.expect(201, post("One", "\"a\""))?;
    let answer = susan.send(post("One", "\"a\""))?;
    if (answer.status, answer.header("idempotency-replayed").as_deref()) != (201, Some("true")) {
        return Err(format!("it wasn't repeated: {}", answer.text()));
    }

    // The other program holds the file, so that the first request waits.
    rows.execute_batch("BEGIN IMMEDIATE").map_err(told)?;
    let code = std::thread::scope(|scope| {
        let first = scope.spawn(|| susan.expect(201, post("Two", "\"b\"")));
        let deadline = Instant::now() + Duration::from_secs(4);
        let mut code = String::new();
        let key = folder.path().join("data.db.rest-state");
        let begun = Connection::open(&key).map_err(told)?;
        while Instant::now() < deadline && code.is_empty() {
            let waits: i64 = begun
                .query_row(
                    "SELECT count(*) FROM rest_idempotency WHERE given IS NULL",
                    [],
                    |row| row.get(0),
                )
                .map_err(told)?;
            if waits == 1 {
                let problem = again.expect(409, post("Two", "\"b\""))?;
                code = problem["code"].as_str().unwrap_or_default().to_owned();
            }
        }
        rows.execute_batch("COMMIT").map_err(told)?;
        first.join().map_err(|_| "the first request panicked")??;
        Ok::<_, String>(code)
    })?;
    if code != "idempotency-in-flight" {
        return Err(format!("while it was under way: `{code}`"));
    }

    // As if the service had ended between the key and what became of it.
    server.kill()?;
    let state = Connection::open(folder.path().join("data.db.rest-state")).map_err(told)?;
    state
        .execute_batch("UPDATE rest_idempotency SET given = NULL")
        .map_err(told)?;
    let server = Server::of(&schema, &database.display().to_string())?;
    let mut susan = Api::sign_in(server.address, "susan", "susan-password")?;
    let problem = susan.expect(409, post("Two", "\"b\""))?;
    if problem["code"] != "idempotency-unknown" {
        return Err(format!("after the crash: {problem}"));
    }
    let made: i64 = rows
        .query_row("SELECT count(*) FROM posts", [], |row| row.get(0))
        .map_err(told)?;
    if made == 2 {
        Ok(())
    } else {
        Err(format!("{made} posts were made, not 2"))
    }
}
