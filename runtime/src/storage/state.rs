//! State of our own: tokens, and the keys that hashes and cursors are made with.
//!
//! In the database where that is ours, else apart, so that the owner's migration tool never sees it. A token is looked up
//! by one statement each time; nothing is cached, so that a revocation is at once, in every instance.

mod log;
mod once;
mod sessions;
mod tokens;

use std::time::Duration;

use jiff::Timestamp;

use crate::cell::Cell;
use crate::model::Model;
use crate::plan::expr::Slot;
use crate::plan::read::json_of;
use crate::sql::{Bind, Statement, constants};
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{First, Reading};
use crate::storage::postgres::AFTER_A_WRITE;

pub(crate) use log::{Line, log};
pub(crate) use once::{claim_once, find_once, keep_once, release_once};
pub(crate) use sessions::{AddSession, EndSessions, Ended, RenewSession, UseSession, find_session};
pub use tokens::Token;
pub(crate) use tokens::{
    AddToken, Found, MOST_TOKENS, RevokeTokens, Revoked, SigningIn, UseToken, Wanted, find_token,
    follow_password, is_of_password, scopes, tokens_of,
};

/// The tables on SQLite; made where they are missing.
pub const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS rest_state (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS rest_tokens (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  account TEXT NOT NULL,
  name TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_used_at INTEGER,
  scopes TEXT,
  password BLOB,
  UNIQUE (account, id)
) STRICT",
    "CREATE TABLE IF NOT EXISTS rest_sessions (
  digest BLOB PRIMARY KEY NOT NULL,
  account TEXT NOT NULL,
  password BLOB NOT NULL,
  begun_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  UNIQUE (account, digest)
) STRICT",
    "CREATE TABLE IF NOT EXISTS rest_idempotency (
  id BLOB PRIMARY KEY NOT NULL,
  request BLOB NOT NULL,
  kept_until INTEGER NOT NULL,
  given TEXT,
  UNIQUE (kept_until, id)
) STRICT",
    "CREATE TABLE IF NOT EXISTS rest_audit (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  account TEXT,
  token INTEGER,
  operation TEXT NOT NULL,
  resource TEXT NOT NULL,
  key TEXT NOT NULL,
  before TEXT,
  after TEXT,
  UNIQUE (resource, key, id)
) STRICT",
];

/// The tables on PostgreSQL: their names, and the statements that make them where their names begin so. What is forgotten
/// within seconds isn't logged: after a crash of the database it is empty.
pub(crate) fn tables(before: &str) -> [(String, String); 7] {
    let all = [
        ("rest_state", "", "name text PRIMARY KEY, value bytea NOT NULL"),
        (
            "rest_tokens",
            "",
            "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE,
  account text NOT NULL,
  name text,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  last_used_at bigint,
  scopes text,
  password bytea,
  UNIQUE (account, id)",
        ),
        (
            "rest_sessions",
            "",
            "digest bytea PRIMARY KEY,
  account text NOT NULL,
  password bytea NOT NULL,
  begun_at bigint NOT NULL,
  used_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  UNIQUE (account, digest)",
        ),
        (
            "rest_idempotency",
            "",
            "id bytea PRIMARY KEY,
  request bytea NOT NULL,
  kept_until bigint NOT NULL,
  given text,
  UNIQUE (kept_until, id)",
        ),
        (
            "rest_audit",
            "",
            "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  account text,
  token bigint,
  operation text NOT NULL,
  resource text NOT NULL,
  key text NOT NULL,
  before jsonb,
  after jsonb,
  UNIQUE (resource, key, id)",
        ),
        (
            "rest_writers",
            "UNLOGGED ",
            "account text PRIMARY KEY, written_at timestamptz NOT NULL",
        ),
        (
            "rest_attempts",
            "UNLOGGED ",
            "counted bigint PRIMARY KEY, empty_at bigint NOT NULL",
        ),
    ];
    all.map(|(name, kind, columns)| {
        let name = format!("{before}{name}");
        let make = format!("CREATE {kind}TABLE IF NOT EXISTS {name} (\n  {columns}\n)");
        (name, make)
    })
}

/// Columns that came after their tables, with their types on SQLite and on PostgreSQL: added where they are missing.
pub(crate) const LATER: &[[&str; 4]] = &[
    ["rest_tokens", "last_used_at", "INTEGER", "bigint"],
    ["rest_tokens", "scopes", "TEXT", "text"],
    ["rest_tokens", "password", "BLOB", "bytea"],
];

/// The name of the table that tells a database as ours.
pub const MARK: &str = "rest_state";

/// What is asked of our own tables.
#[derive(Debug)]
pub struct Statements {
    find: Statement,
    mark_writer: Statement,
    forget_writers: Statement,
    count_attempt: Statement,
    attempt_after: Statement,
    forget_attempts: Statement,
    forgive_account: Statement,
    forgive_address: Statement,
    expire: Statement,
    outdate: Statement,
    follow: Statement,
    add: Statement,
    list: Statement,
    use_one: Statement,
    revoke_one: Statement,
    revoke_all: Statement,
    find_session: Statement,
    expire_sessions: Statement,
    add_session: Statement,
    renew_session: Statement,
    use_session: Statement,
    end_session: Statement,
    end_sessions: Statement,
    follow_sessions: Statement,
    keep_key: Statement,
    find_key: Statement,
    find_once: Statement,
    forget_once: Statement,
    claim_once: Statement,
    keep_once: Statement,
    release_once: Statement,
    log: Statement,
}

impl Statements {
    /// For tables whose names begin so; with replicas it matters who has written of late.
    pub fn new(before: &str, has_replicas: bool) -> Self {
        let written = |text: &str| statement(&text.replace("rest_", &format!("{before}rest_")));
        let of_late = format!("written_at > clock_timestamp() - interval '{AFTER_A_WRITE} seconds'");
        let has_written = |of: &str| {
            if has_replicas {
                format!(
                    "EXISTS (SELECT FROM rest_writers WHERE rest_writers.account = {of}.account AND {of_late})"
                )
            } else {
                "FALSE".to_owned()
            }
        };
        let is_session = "expires_at > ? AND used_at > ?";
        Self {
            find: written(&format!(
                "SELECT id, account, {}, scopes, password FROM rest_tokens WHERE digest = ? AND expires_at > ?",
                has_written("rest_tokens")
            )),
            find_session: written(&format!(
                "SELECT account, {}, password FROM rest_sessions WHERE digest = ? AND {is_session}",
                has_written("rest_sessions")
            )),
            expire_sessions: written("DELETE FROM rest_sessions WHERE expires_at <= ? OR used_at <= ?"),
            add_session: written(
                "INSERT INTO rest_sessions (digest, account, password, begun_at, used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
            ),
            renew_session: written(&format!(
                "UPDATE rest_sessions SET digest = ? WHERE digest = ? AND {is_session} RETURNING expires_at"
            )),
            use_session: written("UPDATE rest_sessions SET used_at = ? WHERE digest = ?"),
            end_session: written("DELETE FROM rest_sessions WHERE digest = ? RETURNING 1"),
            end_sessions: written("DELETE FROM rest_sessions WHERE account = ? RETURNING 1"),
            follow_sessions: written(
                "UPDATE rest_sessions SET password = ? WHERE account = ? AND password = ?",
            ),
            mark_writer: written(
                "INSERT INTO rest_writers (account, written_at) VALUES (?, clock_timestamp()) \
                 ON CONFLICT (account) DO UPDATE SET written_at = excluded.written_at",
            ),
            forget_writers: written(&format!("DELETE FROM rest_writers WHERE NOT {of_late}")),
            count_attempt: written(&format!(
                "INSERT INTO rest_attempts AS kept (counted, empty_at) VALUES (?, {NOW} + ?) \
                 ON CONFLICT (counted) DO UPDATE SET empty_at = greatest(kept.empty_at, {NOW}) + ? \
                 WHERE greatest(kept.empty_at, {NOW}) + ? - {NOW} <= ? RETURNING counted"
            )),
            attempt_after: written(&format!(
                "SELECT empty_at + ? - {NOW} - ? FROM rest_attempts WHERE counted = ?"
            )),
            forget_attempts: written(&format!(
                "DELETE FROM rest_attempts WHERE counted IN (SELECT counted FROM rest_attempts \
                 WHERE empty_at < {NOW} LIMIT 100 FOR UPDATE SKIP LOCKED)"
            )),
            forgive_account: written("DELETE FROM rest_attempts WHERE counted = ?"),
            forgive_address: written("UPDATE rest_attempts SET empty_at = empty_at - ? WHERE counted = ?"),
            expire: written("DELETE FROM rest_tokens WHERE expires_at <= ?"),
            outdate: written("DELETE FROM rest_tokens WHERE account = ? AND password <> ?"),
            follow: written("UPDATE rest_tokens SET password = ? WHERE account = ? AND password = ?"),
            add: written(
                "INSERT INTO rest_tokens (digest, account, name, created_at, expires_at, scopes, password) \
                 VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            ),
            list: written(
                "SELECT id, name, created_at, expires_at, last_used_at, scopes FROM rest_tokens \
                 WHERE account = ? AND (password IS NULL OR password = ?) AND expires_at > ? AND id <= ? \
                 ORDER BY id DESC LIMIT ?",
            ),
            use_one: written("UPDATE rest_tokens SET last_used_at = ? WHERE id = ? RETURNING id"),
            revoke_one: written("DELETE FROM rest_tokens WHERE account = ? AND id = ? RETURNING id"),
            revoke_all: written("DELETE FROM rest_tokens WHERE account = ? RETURNING id"),
            keep_key: written("INSERT INTO rest_state (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"),
            find_key: written("SELECT value FROM rest_state WHERE name = ?"),
            find_once: written("SELECT request, given FROM rest_idempotency WHERE id = ? AND kept_until > ?"),
            forget_once: written("DELETE FROM rest_idempotency WHERE kept_until <= ?"),
            claim_once: written(
                "INSERT INTO rest_idempotency (id, request, kept_until) VALUES (?, ?, ?) \
                 ON CONFLICT (id) DO NOTHING RETURNING kept_until",
            ),
            keep_once: written("UPDATE rest_idempotency SET given = ? WHERE id = ?"),
            release_once: written("DELETE FROM rest_idempotency WHERE id = ?"),
            log: written(
                "INSERT INTO rest_audit (at, account, token, operation, resource, key, before, after) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ),
        }
    }
}

impl Statements {
    /// Finds a token and, by `account`, the row of the key that it names: what [`find_token`] finds but for that key, and
    /// the columns behind it. For PostgreSQL.
    pub(crate) fn token_with(&self, account: &Statement) -> Statement {
        let mut slots = self.find.slots.clone();
        let mut of_account = account.slots.iter();
        let by_token = constants(&account.text, &mut || match of_account.next() {
            Some(Bind::Slot(Slot::Param(part))) => format!("(k.account::jsonb ->> {part})"),
            other => {
                slots.extend(other.cloned());
                "?".to_owned()
            }
        });
        Statement {
            text: format!(
                "SELECT k.id, k.has_written, k.scopes, k.password, a.* \
                 FROM ({}) k (id, account, has_written, scopes, password), LATERAL ({by_token}) a",
                self.find.text
            ),
            slots,
        }
    }
}

/// The moment by PostgreSQL's clock, which all instances share, in milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

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

/// Keeps that an account has written just now, and forgets who did so long ago.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn mark_writer<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    account: &[Cell],
) -> Result<(), Refusal> {
    run(connection, model, &state.mark_writer, &[text_of(account)], 0).await?;
    run(connection, model, &state.forget_writers, &[], 0).await?;
    Ok(())
}

/// The key that a text of [`key_text`] holds.
pub(crate) fn key_of(text: &str) -> Vec<Cell> {
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

/// A key as one text.
pub(crate) fn key_text(key: &[Cell]) -> String {
    key_json(key).to_string()
}

/// A key as an array of its parts.
pub(crate) fn key_json(key: &[Cell]) -> serde_json::Value {
    key.iter().map(json_of).collect()
}

fn text_of(key: &[Cell]) -> Cell {
    Cell::Text(key_text(key))
}

/// Forgets some attempts that have run down to nothing.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn forget_attempts<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
) -> Result<(), Refusal> {
    run(connection, model, &state.forget_attempts, &[], 0)
        .await
        .map(drop)
}

/// Counts an attempt, `[interval, all]` being allowed in milliseconds; gives for how long it is refused.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn count_attempt<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    counted: Cell,
    [interval, all]: [Cell; 2],
) -> Result<Option<Duration>, Refusal> {
    let step = || interval.clone();
    let params = [counted.clone(), step(), step(), step(), all.clone()];
    if run(connection, model, &state.count_attempt, &params, 1)
        .await?
        .is_some()
    {
        return Ok(None);
    }
    let found = run(
        connection,
        model,
        &state.attempt_after,
        &[interval, all, counted],
        1,
    )
    .await?;
    let wait = match found.as_deref() {
        Some([Cell::Integer(wait)]) => u64::try_from(*wait).unwrap_or(0),
        _ => 0,
    };
    Ok(Some(Duration::from_millis(wait.max(1))))
}

/// Forgets an account's attempts, and one of an address.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn forgive_attempt<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    account: Cell,
    address: Option<Cell>,
    interval: Cell,
) -> Result<(), Refusal> {
    run(connection, model, &state.forgive_account, &[account], 0).await?;
    if let Some(address) = address {
        run(connection, model, &state.forgive_address, &[interval, address], 0).await?;
    }
    Ok(())
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
