//! State of our own: tokens, and the keys that hashes and cursors are made with.
//!
//! In the database where that is ours, else in a file of its own beside it, so that the owner's migration tool never
//! sees it. A token is looked up by one statement each time; nothing is cached, so that a revocation is at once.

use rusqlite::{Connection, OptionalExtension, params};

use crate::cell::Cell;
use crate::plan::read::json_of;
use crate::storage::Refusal;
use crate::storage::sqlite::connection::refusal;
use crate::storage::sqlite::writer::{Done, Job};
use crate::token::Digest;

/// The tables; made where they are missing.
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

/// The name of the table that tells a database as ours.
pub const MARK: &str = "rest_state";

/// A token found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: i64,
    /// The key of its account.
    pub account: Vec<Cell>,
}

/// Finds a token that hasn't expired at `now` (seconds since 1970).
pub fn find_token(connection: &Connection, digest: &Digest, now: i64) -> Result<Option<Found>, Refusal> {
    let mut statement = connection
        .prepare_cached("SELECT id, account FROM rest_tokens WHERE digest = ?1 AND expires_at > ?2")
        .map_err(refusal)?;
    let found = statement
        .query_row(params![digest.0.as_slice(), now], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .optional()
        .map_err(refusal)?;
    Ok(found.map(|(id, account)| Found {
        id,
        account: key_of(&account),
    }))
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

/// Keeps a token.
#[derive(Debug)]
pub struct AddToken {
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
    fn run(&self, connection: &Connection) -> Result<Done, Refusal> {
        let account: serde_json::Value = self.account.iter().map(json_of).collect();
        // Who makes tokens clears away the expired ones.
        let mut expired = connection
            .prepare_cached("DELETE FROM rest_tokens WHERE expires_at <= ?1")
            .map_err(refusal)?;
        expired.execute([self.created_at]).map_err(refusal)?;
        let mut insert = connection
            .prepare_cached(
                "INSERT INTO rest_tokens (digest, account, name, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .map_err(refusal)?;
        let id = insert
            .insert(params![
                self.digest.0.as_slice(),
                account.to_string(),
                self.name,
                self.created_at,
                self.expires_at
            ])
            .map_err(refusal)?;
        Ok(Done::Number(id))
    }
}

/// Revokes tokens.
#[derive(Debug)]
pub enum RevokeTokens {
    /// The one with this id.
    One(i64),
    /// All of an account.
    Account(Vec<Cell>),
}

impl Job for RevokeTokens {
    fn run(&self, connection: &Connection) -> Result<Done, Refusal> {
        let gone = match self {
            Self::One(id) => connection
                .prepare_cached("DELETE FROM rest_tokens WHERE id = ?1")
                .and_then(|mut statement| statement.execute([id])),
            Self::Account(key) => {
                let account: serde_json::Value = key.iter().map(json_of).collect();
                connection
                    .prepare_cached("DELETE FROM rest_tokens WHERE account = ?1")
                    .and_then(|mut statement| statement.execute([account.to_string()]))
            }
        };
        gone.map(|gone| Done::Number(i64::try_from(gone).unwrap_or(i64::MAX)))
            .map_err(refusal)
    }
}

/// A key of so many random bytes, made the first time it is asked for.
pub fn key<const N: usize>(connection: &Connection, name: &str) -> Result<[u8; N], Refusal> {
    let mut fresh = [0; N];
    getrandom::fill(&mut fresh).map_err(|error| Refusal::Internal(error.to_string().into()))?;
    connection
        .execute(
            "INSERT OR IGNORE INTO rest_state (name, value) VALUES (?1, ?2)",
            params![name, fresh.as_slice()],
        )
        .map_err(refusal)?;
    let kept: Vec<u8> = connection
        .query_row("SELECT value FROM rest_state WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .map_err(refusal)?;
    kept.try_into()
        .map_err(|_| Refusal::Internal(format!("the key `{name}` has a wrong length").into()))
}
