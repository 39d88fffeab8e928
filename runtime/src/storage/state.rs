//! State of our own: tokens, and the keys that hashes and cursors are made with.
//!
//! In the database where that is ours, else apart, so that the owner's migration tool never sees it. A token is looked up
//! by one statement each time; nothing is cached, so that a revocation is at once, in every instance.

mod log;
mod once;

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::accounts::SigningIn;
use crate::cell::Cell;
use crate::model::Model;
use crate::plan::expr::Slot;
use crate::plan::read::json_of;
use crate::scope::{self, Scopes};
use crate::sql::{Bind, Statement, constants};
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{Connection, First, Reading, Row, Take};
use crate::storage::job::{Done, Job};
use crate::storage::postgres::AFTER_A_WRITE;
use crate::token::Digest;

pub(crate) use log::{Line, log};
pub(crate) use once::{claim_once, find_once, keep_once, release_once};

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
pub(crate) fn tables(before: &str) -> [(String, String); 6] {
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
        let has_written = if has_replicas {
            format!(
                "EXISTS (SELECT FROM rest_writers WHERE rest_writers.account = rest_tokens.account AND {of_late})"
            )
        } else {
            "FALSE".to_owned()
        };
        Self {
            find: written(&format!(
                "SELECT id, account, {has_written}, scopes, password FROM rest_tokens WHERE digest = ? AND expires_at > ?"
            )),
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
        let mut part = 0;
        let by_token = constants(&account.text, &mut || {
            part += 1;
            format!("(k.account::jsonb ->> {})", part - 1)
        });
        Statement {
            text: format!(
                "SELECT k.id, k.has_written, k.scopes, k.password, a.* \
                 FROM ({}) k (id, account, has_written, scopes, password), LATERAL ({by_token}) a",
                self.find.text
            ),
            slots: self.find.slots.clone(),
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

/// A token found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: i64,
    /// The key of its account.
    pub account: Vec<Cell>,
    /// Whether the account has written of late, so that a replica may not know of it yet.
    pub has_written: bool,
    /// What it may do.
    pub scopes: Scopes,
    /// What its account's password was when it was made.
    pub password: Cell,
}

/// What tells one password of an account from another, by its kept hash: a part of a digest of that. A token is valid as
/// long as its account has the password that it had, whichever program sets another one.
pub(crate) fn of_password(hash: Option<&str>) -> Cell {
    let digest = Sha256::digest(hash.unwrap_or_default().as_bytes());
    Cell::Blob(digest[..16].to_vec())
}

/// Whether a token is of the password that its account has; those made before this was kept are.
pub(crate) fn is_of_password(kept: &Cell, hash: Option<&str>) -> bool {
    *kept == Cell::Null || *kept == of_password(hash)
}

/// What a token may do, by what is kept of that; nothing is, of those that were made before there were scopes.
pub(crate) fn scopes(model: &Model, kept: &Cell) -> Scopes {
    match kept {
        Cell::Text(words) => model.scopes.read(words),
        _ => Scopes::ALL,
    }
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
    let found = run(connection, model, &state.find, &params, 5).await?;
    Ok(match found.as_deref() {
        Some(
            [
                Cell::Integer(id),
                Cell::Text(account),
                Cell::Integer(has_written),
                kept,
                password,
            ],
        ) => Some(Found {
            id: *id,
            account: key_of(account),
            has_written: *has_written != 0,
            scopes: scopes(model, kept),
            password: password.clone(),
        }),
        _ => None,
    })
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

/// Keeps a token.
#[derive(Debug)]
pub struct AddToken {
    /// The service.
    pub engine: std::sync::Arc<crate::engine::Engine>,
    /// What is kept of its secret.
    pub digest: Digest,
    /// The key of its account.
    pub account: Vec<Cell>,
    /// The hash of that one's password.
    pub hash: Option<String>,
    /// What its maker calls it.
    pub name: Option<String>,
    /// What it may do: words with spaces between.
    pub scopes: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
}

impl Job for AddToken {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        // Who makes tokens clears away what isn't valid any more.
        let now = [Cell::Integer(self.created_at)];
        run(connection, model, &state.expire, &now, 0).await?;
        let password = of_password(self.hash.as_deref());
        let others = [text_of(&self.account), password.clone()];
        run(connection, model, &state.outdate, &others, 0).await?;
        let params = [
            Cell::Blob(self.digest.0.to_vec()),
            text_of(&self.account),
            self.name.clone().map_or(Cell::Null, Cell::Text),
            Cell::Integer(self.created_at),
            Cell::Integer(self.expires_at),
            Cell::Text(self.scopes.clone()),
            password,
        ];
        match run(connection, model, &state.add, &params, 1).await?.as_deref() {
            Some([Cell::Integer(id)]) => Ok(Done::Number(*id)),
            _ => Err(Refusal::Internal("a token got no id".into())),
        }
    }
}

/// What is kept of a token, and may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: i64,
    /// What its maker calls it.
    pub name: Option<String>,
    /// What it may do: words with spaces between.
    pub scopes: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Seconds since 1970, to the minute or so; `None`: never.
    pub last_used_at: Option<i64>,
}

/// Tokens that are told of an account, at most.
pub(crate) const MOST_TOKENS: i64 = 1_000;

/// Which tokens of an account are asked for: those that haven't expired.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// The latest.
    Latest,
    /// The one with this id.
    One(i64),
}

/// Has the tokens of an account follow another hash of the same password.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn follow_password<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    account: &[Cell],
    [old, new]: [&str; 2],
) -> Result<(), Refusal> {
    let params = [of_password(Some(new)), text_of(account), of_password(Some(old))];
    run(connection, model, &state.follow, &params, 0).await.map(drop)
}

/// An account's valid tokens at `now` (seconds since 1970), the latest first.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn tokens_of<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    account: &SigningIn,
    wanted: Wanted,
    now: i64,
) -> Result<Vec<Token>, Refusal> {
    let (up_to, most) = match wanted {
        Wanted::Latest => (i64::MAX, MOST_TOKENS),
        Wanted::One(id) => (id, 1),
    };
    let params = [
        text_of(&account.key),
        of_password(account.hash.as_deref()),
        Cell::Integer(now),
        Cell::Integer(up_to),
        Cell::Integer(most),
    ];
    let values = Values::of_nobody(model, &params, &[], Timestamp::UNIX_EPOCH);
    let mut tokens = Tokens::default();
    connection.each(&state.list, values.into(), &mut tokens).await?;
    if let Wanted::One(id) = wanted {
        tokens.0.retain(|token| token.id == id);
    }
    Ok(tokens.0)
}

#[derive(Default)]
struct Tokens(Vec<Token>);

impl Take for Tokens {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        let number = |column| match row.cell(column)?.to_owned() {
            Cell::Integer(number) => Ok(Some(number)),
            _ => Ok(None),
        };
        let text = |column| match row.cell(column)?.to_owned() {
            Cell::Text(text) => Ok::<_, Refusal>(Some(text)),
            _ => Ok(None),
        };
        let known =
            |number: Option<i64>| number.ok_or_else(|| Refusal::Internal("a token lacks a number".into()));
        self.0.push(Token {
            id: known(number(0)?)?,
            name: text(1)?,
            scopes: text(5)?.unwrap_or_else(|| scope::ALL.to_owned()),
            created_at: known(number(2)?)?,
            expires_at: known(number(3)?)?,
            last_used_at: number(4)?,
        });
        Ok(ControlFlow::Continue(()))
    }
}

/// Keeps that a token was used.
#[derive(Debug)]
pub(crate) struct UseToken {
    /// The service.
    pub engine: std::sync::Arc<crate::engine::Engine>,
    /// The token's id.
    pub id: i64,
    /// Seconds since 1970.
    pub at: i64,
}

impl Job for UseToken {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        let params = [Cell::Integer(self.at), Cell::Integer(self.id)];
        let used = run(connection, model, &state.use_one, &params, 1).await?;
        Ok(Done::Number(i64::from(used.is_some())))
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
    /// The one of an account with this id.
    One(Vec<Cell>, i64),
    /// All of an account.
    Account(Vec<Cell>),
}

impl Job for RevokeTokens {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        let gone = match &self.which {
            Revoked::One(key, id) => {
                let params = [text_of(key), Cell::Integer(*id)];
                run(connection, model, &state.revoke_one, &params, 1).await?
            }
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
