//! Several reads and writes as one.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::runtime::Handle;

use super::Db;
use crate::caller::Caller;
use crate::hook::{self, Tx};
use crate::problem::Problem;
use crate::storage::steps::transaction::Transaction;
use crate::write::Changes;

impl Db {
    /// Does work in one transaction: all of it stands, or nothing. Nobody else writes in between, so what it reads is
    /// still so when it writes. Hooks run as in every write; passwords have to be hashed before.
    ///
    /// The work waits for its [`Tx`] and nothing else, and may run more than once: a batch that lost its transaction
    /// runs its writes again.
    ///
    /// # Errors
    ///
    /// What the work gives; `internal` where it panics, or waits for something else.
    pub async fn transaction<T, F>(&self, caller: &Caller, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T, Problem> + Send + 'static,
    {
        hook::refuse_in_tx()?;
        let (given, changes) = (Arc::new(Mutex::new(None)), Changes::default());
        let job = Transaction {
            engine: Arc::clone(&self.service.engine),
            caller: caller.clone(),
            now: Timestamp::now(),
            work,
            given: Arc::clone(&given),
            changes: changes.clone(),
            threads: Handle::try_current().ok(),
        };
        let done = self.service.write_together(job, changes).await;
        done.map_err(|refusal| refusal.into_problem(&self.service.engine.model))?;
        self.service.storage.wrote(&self.service.engine, caller).await;
        let given = given.lock().unwrap_or_else(PoisonError::into_inner).take();
        given.ok_or_else(|| Problem::internal("a transaction gave nothing"))
    }
}
