//! Tokens: made, found, listed, used, revoked.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Statements, key_of, run, text_of};
use crate::cell::Cell;
use crate::engine::Engine;
use crate::model::Model;
use crate::scope::{self, Scopes};
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{Connection, Reading, Row, Take};
use crate::storage::job::{Done, Job};
use crate::token::Digest;

/// An account that signs in: its key and its password's hash.
#[derive(Debug, Clone)]
pub(crate) struct SigningIn {
    pub(crate) key: Vec<Cell>,
    pub(crate) hash: Option<String>,
}

/// A token found, or a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The token's id; a session has none.
    pub(crate) token: Option<i64>,
    /// The key of its account.
    pub(crate) account: Vec<Cell>,
    /// Whether the account has written of late, so that a replica may not know of it yet.
    pub(crate) has_written: bool,
    /// What it may do.
    pub(crate) scopes: Scopes,
    /// What its account's password was when it was made or begun.
    pub(crate) password: Cell,
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
pub(crate) async fn find_token<C: Reading>(
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
            token: Some(*id),
            account: key_of(account),
            has_written: *has_written != 0,
            scopes: scopes(model, kept),
            password: password.clone(),
        }),
        _ => None,
    })
}

/// Keeps a token.
#[derive(Debug)]
pub(crate) struct AddToken {
    /// The service.
    pub(crate) engine: Arc<Engine>,
    /// What is kept of its secret.
    pub(crate) digest: Digest,
    /// Its account.
    pub(crate) account: SigningIn,
    /// What its maker calls it.
    pub(crate) name: Option<String>,
    /// What it may do: words with spaces between.
    pub(crate) scopes: String,
    /// Seconds since 1970.
    pub(crate) created_at: i64,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

impl Job for AddToken {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        // Who makes tokens clears away what isn't valid any more.
        let now = [Cell::Integer(self.created_at)];
        run(connection, model, &state.expire, &now, 0).await?;
        let password = of_password(self.account.hash.as_deref());
        let others = [text_of(&self.account.key), password.clone()];
        run(connection, model, &state.outdate, &others, 0).await?;
        let params = [
            Cell::Blob(self.digest.0.to_vec()),
            text_of(&self.account.key),
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

/// Has the tokens and sessions of an account follow another hash of the same password.
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
    run(connection, model, &state.follow, &params, 0).await?;
    run(connection, model, &state.follow_sessions, &params, 0)
        .await
        .map(drop)
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
    pub(crate) engine: Arc<Engine>,
    /// The token's id.
    pub(crate) id: i64,
    /// Seconds since 1970.
    pub(crate) at: i64,
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
pub(crate) struct RevokeTokens {
    /// The service.
    pub(crate) engine: Arc<Engine>,
    /// Which.
    pub(crate) which: Revoked,
}

/// Which tokens are revoked.
#[derive(Debug)]
pub(crate) enum Revoked {
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
