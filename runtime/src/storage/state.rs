//! State of our own: tokens, and the keys that hashes and cursors are made with.
//!
//! In the database where that is ours, else apart, so that the owner's migration tool never sees it. A token is looked up
//! by one statement each time; nothing is cached, so that a revocation is at once, in every instance.

use jiff::Timestamp;

use crate::cell::Cell;
use crate::model::Model;
use crate::plan::expr::Slot;
use crate::plan::read::json_of;
use crate::sql::{Bind, Statement};
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{Connection, First, Reading};
use crate::storage::job::{Done, Job};
use crate::token::Digest;

/// The tables on SQLite; made where they are missing.
pub const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS rest_state (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS rest_tokens (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  account TEXT NOT NULL,
  name TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT",
];

/// The statements that make the tables on PostgreSQL, where their names begin so.
pub(crate) fn tables(before: &str) -> [String; 2] {
    let if_missing = if before.is_empty() { "" } else { "IF NOT EXISTS " };
    [
        format!("CREATE TABLE {if_missing}{before}rest_state (name text PRIMARY KEY, value bytea NOT NULL)"),
        format!(
            "CREATE TABLE {if_missing}{before}rest_tokens (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,
  account text NOT NULL,
  name text,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
)"
        ),
    ]
}

/// The name of the table that tells a database as ours.
pub const MARK: &str = "rest_state";

/// What is asked of our own tables.
#[derive(Debug)]
pub struct Statements {
    find: Statement,
    expire: Statement,
    add: Statement,
    revoke_one: Statement,
    revoke_all: Statement,
    keep_key: Statement,
    find_key: Statement,
}

impl Statements {
    /// For tables whose names begin so.
    pub fn new(before: &str) -> Self {
        let written = |text: &str| statement(&text.replace("rest_", &format!("{before}rest_")));
        Self {
            find: written("SELECT id, account FROM rest_tokens WHERE digest = ? AND expires_at > ?"),
            expire: written("DELETE FROM rest_tokens WHERE expires_at <= ?"),
            add: written(
                "INSERT INTO rest_tokens (digest, account, name, created_at, expires_at) \
                 VALUES (?, ?, ?, ?, ?) RETURNING id",
            ),
            revoke_one: written("DELETE FROM rest_tokens WHERE id = ? RETURNING id"),
            revoke_all: written("DELETE FROM rest_tokens WHERE account = ? RETURNING id"),
            keep_key: written("INSERT INTO rest_state (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"),
            find_key: written("SELECT value FROM rest_state WHERE name = ?"),
        }
    }
}

/// A text whose parameters are the values in their order.
fn statement(text: &str) -> Statement {
    let count = text.matches('?').count();
    let places = 0..u16::try_from(count).unwrap_or(u16::MAX);
    Statement {
        text: text.to_owned(),
        slots: places.map(|place| Bind::Slot(Slot::Param(place))).collect(),
    }
}

async fn run<C: Reading>(
    connection: &C,
    model: &Model,
    statement: &Statement,
    params: &[Cell],
    columns: usize,
) -> Result<Option<Vec<Cell>>, Refusal> {
    let mut first = First::of(columns);
    let values = Values::of_nobody(model, params, &[], Timestamp::UNIX_EPOCH);
    connection.each(statement, values.into(), &mut first).await?;
    Ok(first.found)
}

/// A token found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: i64,
    /// The key of its account.
    pub account: Vec<Cell>,
}

/// Finds a token that hasn't expired at `now` (seconds since 1970).
///
/// # Errors
///
/// Where the database refuses.
pub async fn find_token<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    digest: &Digest,
    now: i64,
) -> Result<Option<Found>, Refusal> {
    let params = [Cell::Blob(digest.0.to_vec()), Cell::Integer(now)];
    let found = run(connection, model, &state.find, &params, 2).await?;
    Ok(match found.as_deref() {
        Some([Cell::Integer(id), Cell::Text(account)]) => Some(Found {
            id: *id,
            account: key_of(account),
        }),
        _ => None,
    })
}

fn key_of(text: &str) -> Vec<Cell> {
    let Ok(serde_json::Value::Array(parts)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let part = |part| match part {
        serde_json::Value::String(text) => Cell::Text(text),
        serde_json::Value::Number(number) => number.as_i64().map_or(Cell::Null, Cell::Integer),
        _ => Cell::Null,
    };
    parts.into_iter().map(part).collect()
}

fn text_of(key: &[Cell]) -> Cell {
    let account: serde_json::Value = key.iter().map(json_of).collect();
    Cell::Text(account.to_string())
}

/// Keeps a token.
#[derive(Debug)]
pub struct AddToken {
    /// The service.
    pub engine: std::sync::Arc<crate::engine::Engine>,
    /// What is kept of its secret.
    pub digest: Digest,
    /// The key of its account.
    pub account: Vec<Cell>,
    /// What its maker calls it.
    pub name: Option<String>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
}

impl Job for AddToken {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        // Who makes tokens clears away the expired ones.
        run(
            connection,
            model,
            &state.expire,
            &[Cell::Integer(self.created_at)],
            0,
        )
        .await?;
        let params = [
            Cell::Blob(self.digest.0.to_vec()),
            text_of(&self.account),
            self.name.clone().map_or(Cell::Null, Cell::Text),
            Cell::Integer(self.created_at),
            Cell::Integer(self.expires_at),
        ];
        match run(connection, model, &state.add, &params, 1).await?.as_deref() {
            Some([Cell::Integer(id)]) => Ok(Done::Number(*id)),
            _ => Err(Refusal::Internal("a token got no id".into())),
        }
    }
}

/// Revokes tokens.
#[derive(Debug)]
pub struct RevokeTokens {
    /// The service.
    pub engine: std::sync::Arc<crate::engine::Engine>,
    /// Which.
    pub which: Revoked,
}

/// Which tokens are revoked.
#[derive(Debug)]
pub enum Revoked {
    /// The one with this id.
    One(i64),
    /// All of an account.
    Account(Vec<Cell>),
}

impl Job for RevokeTokens {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        let gone = match &self.which {
            Revoked::One(id) => run(connection, model, &state.revoke_one, &[Cell::Integer(*id)], 1).await?,
            Revoked::Account(key) => run(connection, model, &state.revoke_all, &[text_of(key)], 1).await?,
        };
        Ok(Done::Number(i64::from(gone.is_some())))
    }
}

/// A key of so many random bytes, made the first time it is asked for.
///
/// # Errors
///
/// Where the system gives no random bytes, or the database refuses.
pub async fn key<const N: usize, C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    name: &str,
) -> Result<[u8; N], Refusal> {
    let mut fresh = [0; N];
    getrandom::fill(&mut fresh).map_err(|error| Refusal::Internal(error.to_string().into()))?;
    let name_of = || Cell::Text(name.to_owned());
    let params = [name_of(), Cell::Blob(fresh.to_vec())];
    run(connection, model, &state.keep_key, &params, 0).await?;
    let found = run(connection, model, &state.find_key, &[name_of()], 1).await?;
    let kept = match found.and_then(|mut cells| cells.pop()) {
        Some(Cell::Blob(kept)) => kept.try_into().ok(),
        _ => None,
    };
    kept.ok_or_else(|| Refusal::Internal(format!("the key `{name}` has a wrong length").into()))
}
