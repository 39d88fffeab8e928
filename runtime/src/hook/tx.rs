//! A transaction, as far as the code in it may touch it: it asks, and waits for the answer.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use jiff::Timestamp;
use rest_schema::ResourceId;
use tokio::sync::oneshot;

use crate::caller::Caller;
use crate::db::Repository;
use crate::engine::Engine;
use crate::plan::read::ReadPlan;
use crate::storage::Refusal;
use crate::storage::job::Written;
use crate::storage::rows::Found;
use crate::storage::steps::Action;
use crate::typed::Binding;

/// What is asked of a transaction.
pub(crate) enum Ask {
    /// A read.
    Find {
        plan: Box<ReadPlan>,
        caller: Caller,
        reply: oneshot::Sender<Result<Found, Refusal>>,
    },
    /// A write.
    Write {
        resource: ResourceId,
        caller: Caller,
        action: Box<Action>,
        wanted: Option<Arc<Binding>>,
        reply: oneshot::Sender<Result<Vec<Written>, Refusal>>,
    },
}

/// A transaction, for the code in it: hooks, and [`Db::transaction`](crate::Db::transaction).
pub struct Tx {
    asks: Sender<Ask>,
    engine: Arc<Engine>,
    caller: Caller,
    now: Timestamp,
}

impl Tx {
    /// A transaction, and what is asked of it.
    pub(crate) fn new(engine: &Arc<Engine>, caller: Caller, now: Timestamp) -> (Self, Receiver<Ask>) {
        let (asks, asked) = channel();
        let tx = Self {
            asks,
            engine: Arc::clone(engine),
            caller,
            now,
        };
        (tx, asked)
    }

    /// Who writes.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Rows as the caller may see and change them: all rules hold, also where the write itself is past them. Where the
    /// program writes on nobody's behalf the caller is anonymous.
    pub fn as_caller(&mut self) -> Repository<'_> {
        Repository::in_tx(&self.asks, &self.engine, self.caller.restricted(), self.now)
    }

    /// All rows: no rule holds, only the limits of fields, uniqueness and foreign keys. What is made has the caller for
    /// `default: me` all the same.
    pub fn unrestricted(&mut self) -> Repository<'_> {
        Repository::in_tx(&self.asks, &self.engine, self.caller.unrestricted(), self.now)
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}
