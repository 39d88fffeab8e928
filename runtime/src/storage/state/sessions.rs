//! Sessions of browsers: begun, found, used, given another secret, ended.

use std::sync::Arc;

use super::tokens::{Found, of_password};
use super::{Statements, key_of, run, text_of};
use crate::cell::Cell;
use crate::engine::Engine;
use crate::model::Model;
use crate::scope::Scopes;
use crate::storage::Refusal;
use crate::storage::connection::{Connection, Reading};
use crate::storage::job::{Done, Job};
use crate::storage::state::SigningIn;
use crate::token::Digest;

/// Finds a session that hasn't ended at `now` (seconds since 1970), nor been left alone for longer than `idle` seconds.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn find_session<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    digest: &Digest,
    now: i64,
    idle: i64,
) -> Result<Option<Found>, Refusal> {
    let params = [
        Cell::Blob(digest.0.to_vec()),
        Cell::Integer(now),
        Cell::Integer(now.saturating_sub(idle)),
    ];
    let found = run(connection, model, &state.find_session, &params, 3).await?;
    Ok(match found.as_deref() {
        Some([Cell::Text(account), Cell::Integer(has_written), password]) => Some(Found {
            token: None,
            account: key_of(account),
            has_written: *has_written != 0,
            scopes: Scopes::ALL,
            password: password.clone(),
        }),
        _ => None,
    })
}

/// Keeps a session.
#[derive(Debug)]
pub(crate) struct AddSession {
    /// The service.
    pub(crate) engine: Arc<Engine>,
    /// What is kept of its secret.
    pub(crate) digest: Digest,
    /// Its account.
    pub(crate) account: SigningIn,
    /// The one that ends with it.
    pub(crate) before: Option<Digest>,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Seconds after which one that isn't used has ended.
    pub(crate) idle: i64,
    /// Seconds that it lasts at most.
    pub(crate) lifetime: i64,
}

impl Job for AddSession {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        // Who signs in clears away what has ended.
        let ends = [
            Cell::Integer(self.now),
            Cell::Integer(self.now.saturating_sub(self.idle)),
        ];
        run(connection, model, &state.expire_sessions, &ends, 0).await?;
        if let Some(before) = &self.before {
            run(
                connection,
                model,
                &state.end_session,
                &[Cell::Blob(before.0.to_vec())],
                1,
            )
            .await?;
        }
        let params = [
            Cell::Blob(self.digest.0.to_vec()),
            text_of(&self.account.key),
            of_password(self.account.hash.as_deref()),
            Cell::Integer(self.now),
            Cell::Integer(self.now),
            Cell::Integer(self.now.saturating_add(self.lifetime)),
        ];
        run(connection, model, &state.add_session, &params, 0).await?;
        Ok(Done::Number(1))
    }
}

/// Gives a session another secret; gives the seconds that are left of its time, 0 where there is no such session.
#[derive(Debug)]
pub(crate) struct RenewSession {
    /// The service.
    pub(crate) engine: Arc<Engine>,
    /// What is kept of the secret that it had.
    pub(crate) old: Digest,
    /// What is to be kept.
    pub(crate) new: Digest,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Seconds after which one that isn't used has ended.
    pub(crate) idle: i64,
}

impl Job for RenewSession {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        let params = [
            Cell::Blob(self.new.0.to_vec()),
            Cell::Blob(self.old.0.to_vec()),
            Cell::Integer(self.now),
            Cell::Integer(self.now.saturating_sub(self.idle)),
        ];
        let renewed = run(connection, model, &state.renew_session, &params, 1).await?;
        Ok(Done::Number(match renewed.as_deref() {
            Some([Cell::Integer(expires_at)]) => expires_at.saturating_sub(self.now),
            _ => 0,
        }))
    }
}

/// Keeps that a session was used.
#[derive(Debug)]
pub(crate) struct UseSession {
    /// The service.
    pub(crate) engine: Arc<Engine>,
    /// Which.
    pub(crate) digest: Digest,
    /// Seconds since 1970.
    pub(crate) at: i64,
}

impl Job for UseSession {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        let params = [Cell::Integer(self.at), Cell::Blob(self.digest.0.to_vec())];
        run(connection, model, &state.use_session, &params, 0).await?;
        Ok(Done::Number(1))
    }
}

/// Ends sessions; whether there were any.
#[derive(Debug)]
pub(crate) struct EndSessions {
    /// The service.
    pub(crate) engine: Arc<Engine>,
    /// Which.
    pub(crate) which: Ended,
}

/// Which sessions end.
#[derive(Debug)]
pub(crate) enum Ended {
    /// One.
    One(Digest),
    /// All of an account.
    Account(Vec<Cell>),
}

impl Job for EndSessions {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        let gone = match &self.which {
            Ended::One(digest) => {
                let params = [Cell::Blob(digest.0.to_vec())];
                run(connection, model, &state.end_session, &params, 1).await?
            }
            Ended::Account(key) => run(connection, model, &state.end_sessions, &[text_of(key)], 1).await?,
        };
        Ok(Done::Number(i64::from(gone.is_some())))
    }
}
