//! What a program's own code asks of the transaction it runs in.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use jiff::Timestamp;
use rest_schema::ResourceId;
use rusqlite::Connection;
use tokio::runtime::Handle;

use super::{Action, Write};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::hook::{self, Ask};
use crate::plan::read::ReadPlan;
use crate::problem::Problem;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::rows::Found;
use crate::storage::sqlite::read::{self, execute};
use crate::storage::sqlite::writer::{Done, Job, Written};
use crate::typed::Binding;
use crate::write::Changes;

/// Writes within writes within writes: more is taken for hooks that call each other for ever.
const DEEPEST: u8 = 8;

/// How deep in which writes it is.
pub(crate) struct Depth<'a> {
    pub(crate) now: Timestamp,
    pub(crate) writes: u8,
    pub(crate) changes: &'a Changes,
    /// Where code that waits for something else finds it: so that it is seen waiting.
    pub(crate) threads: Option<&'a Handle>,
}

/// A transaction, from within.
pub(crate) struct Inside<'a> {
    engine: &'a Arc<Engine>,
    connection: &'a Connection,
    depth: Depth<'a>,
    wrote: Cell<bool>,
}

impl<'a> Inside<'a> {
    pub(crate) fn new(engine: &'a Arc<Engine>, connection: &'a Connection, depth: Depth<'a>) -> Self {
        Self {
            engine,
            connection,
            depth,
            wrote: Cell::new(false),
        }
    }

    /// Whether the code has written.
    pub(crate) fn has_written(&self) -> bool {
        self.wrote.get()
    }

    /// Runs code in it.
    pub(crate) fn drive(
        &self,
        name: &dyn Fn() -> String,
        running: Pin<&mut dyn Future<Output = Result<(), Problem>>>,
        asked: &Receiver<Ask>,
    ) -> Result<(), Refusal> {
        let _entered = self.depth.threads.map(Handle::enter);
        hook::drive(name, running, asked, &|ask| self.serve(ask))
    }

    /// Does what a hook asks; fails where the transaction is gone, for then nothing may go on in it.
    fn serve(&self, ask: Ask) -> Result<(), Refusal> {
        match ask {
            Ask::Find { plan, caller, reply } => {
                // A hook that has ended in the meantime doesn't hear it.
                let _ = reply.send(self.find(&plan, &caller));
            }
            Ask::Write {
                resource,
                caller,
                action,
                wanted,
                reply,
            } => {
                self.wrote.set(true);
                let _ = reply.send(self.nested(resource, caller, *action, wanted));
            }
        }
        if self.connection.is_autocommit() {
            return Err(Refusal::Internal(
                "the transaction was rolled back from within".into(),
            ));
        }
        Ok(())
    }

    fn find(&self, plan: &ReadPlan, caller: &Caller) -> Result<Found, Refusal> {
        let compiled = self.engine.compiled(&plan.shape);
        let values = Values {
            model: &self.engine.model,
            params: &plan.params,
            caller,
            given: &[],
            now: self.depth.now,
        };
        read::find(self.connection, &compiled.read, &values, plan.limit)
    }

    /// A write that a hook asks for: all its steps, undone alone where it fails.
    fn nested(
        &self,
        resource: ResourceId,
        caller: Caller,
        action: Action,
        wanted: Option<Arc<Binding>>,
    ) -> Result<Vec<Written>, Refusal> {
        let depth = self.depth.writes + 1;
        if depth > DEEPEST {
            let name = &self.engine.model.resource(resource).name;
            let message = format!("hooks write more than {DEEPEST} deep, at last {name}");
            return Err(Refusal::Problem(Problem::internal(message)));
        }
        let changes = self.depth.changes;
        let nested = Write {
            engine: Arc::clone(self.engine),
            resource,
            caller,
            now: self.depth.now,
            action,
            wanted,
            depth,
            changes: changes.clone(),
            threads: self.depth.threads.cloned(),
        };
        let before = changes.count();
        execute(self.connection, "SAVEPOINT nested")?;
        let done = nested.run(self.connection);
        if self.connection.is_autocommit() {
            return done.map(|_| Vec::new());
        }
        if done.is_err() {
            changes.keep(before);
            execute(self.connection, "ROLLBACK TO nested")?;
        }
        execute(self.connection, "RELEASE nested")?;
        match done? {
            Done::Items(items) => Ok(items),
            Done::Number(_) => Ok(Vec::new()),
        }
    }
}
