//! Runs plans; the only I/O. Finds what only the rows can tell.

pub mod bind;
pub mod connection;
pub mod constraint;
mod groups;
pub mod job;
pub mod once;
pub mod postgres;
pub mod read;
mod refusal;
pub mod rows;
pub mod sqlite;
pub mod state;
pub mod steps;

use std::sync::Arc;

use jiff::Timestamp;

use crate::caller::Caller;
use crate::cell::Cell;
use crate::engine::{Compiled, Engine};
use crate::plan::read::ReadPlan;
use job::{Done, Job};
pub use refusal::Refusal;
use rows::{Found, Output};
use sqlite::files::Files;

/// The database of a service, and where its own state is kept.
#[derive(Debug)]
pub enum Storage {
    /// Files of SQLite.
    Sqlite(Files),
    /// A database of PostgreSQL, which keeps our own state as well.
    Postgres(Arc<postgres::Database>),
}

impl Storage {
    /// Runs a read.
    ///
    /// # Errors
    ///
    /// Where the database refuses, or a stored value doesn't fit its field.
    pub async fn read(
        &self,
        engine: &Arc<Engine>,
        compiled: &Arc<Compiled>,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Output, Refusal> {
        match self {
            Self::Sqlite(files) => files.data.read(engine, compiled, plan, caller, now).await,
            // What waits for a server is large, and would be a part of every future that reads.
            Self::Postgres(database) => Box::pin(database.read(engine, compiled, plan, caller, now)).await,
        }
    }

    /// Runs a read of which the values are wanted.
    ///
    /// # Errors
    ///
    /// As [`Storage::read`].
    pub async fn find(
        &self,
        engine: &Arc<Engine>,
        compiled: &Arc<Compiled>,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Found, Refusal> {
        match self {
            Self::Sqlite(files) => files.data.find(engine, compiled, plan, caller, now).await,
            Self::Postgres(database) => Box::pin(database.find(engine, compiled, plan, caller, now)).await,
        }
    }

    /// Does a job, and waits until it is committed or refused.
    ///
    /// # Errors
    ///
    /// What the job gives; where the database can't be written.
    pub async fn write(&self, job: impl Job) -> Result<Done, Refusal> {
        match self {
            Self::Sqlite(files) => files.data.writer.write(job).await,
            Self::Postgres(database) => Box::pin(database.write(&job, "")).await,
        }
    }

    /// The same on our own state.
    ///
    /// # Errors
    ///
    /// As [`Storage::write`].
    pub async fn write_state(&self, job: impl Job) -> Result<Done, Refusal> {
        match self {
            Self::Sqlite(files) => files.state.writer.write(job).await,
            Self::Postgres(database) => Box::pin(database.write(&job, "")).await,
        }
    }

    /// Whether one transaction holds rows and our own state.
    pub fn is_one(&self) -> bool {
        match self {
            Self::Sqlite(files) => files.is_one(),
            Self::Postgres(_) => true,
        }
    }

    /// Whether the database answers.
    pub async fn is_ready(&self) -> bool {
        match self {
            Self::Sqlite(files) => files.is_ready(),
            Self::Postgres(database) => database.is_ready().await,
        }
    }

    /// Looks at how much waits, for what operators ask.
    pub fn measure(&self) {
        match self {
            Self::Sqlite(files) => files.measure(),
            Self::Postgres(database) => database.measure(),
        }
    }

    /// Remembers that a caller has written, where he could read what is older.
    pub async fn wrote(&self, engine: &Engine, caller: &Caller) {
        if let Some(account) = &caller.account {
            let key = &engine.model.resource(account.resource).key.fields;
            let key: Vec<Cell> = key.iter().map(|field| account.cell(*field).clone()).collect();
            self.wrote_as(engine, &key).await;
        }
    }

    /// The same for the account of this key.
    pub async fn wrote_as(&self, engine: &Engine, account: &[Cell]) {
        if let Self::Postgres(database) = self {
            Box::pin(database.wrote(engine, account)).await;
        }
    }

    /// Does what is queued, then ends all threads.
    pub fn close(&self) {
        match self {
            Self::Sqlite(files) => files.close(),
            Self::Postgres(database) => database.close(),
        }
    }
}
