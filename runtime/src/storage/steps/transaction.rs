//! A program's own work as a job of the writer.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::runtime::Handle;

use super::inside::{Depth, Inside};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::hook::Tx;
use crate::problem::Problem;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::storage::job::{Done, Job};
use crate::write::Changes;

/// Work that gives a `T`.
pub(crate) struct Transaction<T, F> {
    pub(crate) engine: Arc<Engine>,
    pub(crate) caller: Caller,
    pub(crate) now: Timestamp,
    pub(crate) work: F,
    pub(crate) given: Arc<Mutex<Option<T>>>,
    pub(crate) changes: Changes,
    pub(crate) threads: Option<Handle>,
}

impl<T, F> Job for Transaction<T, F>
where
    T: Send + 'static,
    F: AsyncFn(&mut Tx) -> Result<T, Problem> + Send + 'static,
{
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        // It may be the second time.
        self.changes.keep(0);
        let depth = Depth {
            now: self.now,
            writes: 0,
            changes: &self.changes,
            threads: self.threads.as_ref(),
        };
        let inside = Inside::new(&self.engine, connection, depth);
        let (mut tx, asked) = Tx::new(&self.engine, self.caller.clone(), self.now);
        let mut running = Box::pin(async {
            let given = (self.work)(&mut tx).await?;
            *self.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
            Ok(())
        });
        let name = || format!("the work of a transaction, {},", std::any::type_name::<F>());
        inside.drive(&name, running.as_mut(), asked).await?;
        Ok(Done::Number(0))
    }
}
