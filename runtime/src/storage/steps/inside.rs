//! What a program's own code asks of the transaction it runs in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use jiff::Timestamp;
use rest_schema::ResourceId;
use tokio::runtime::Handle;

use super::{Action, Write};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::hook::{self, Ask};
use crate::plan::read::ReadPlan;
use crate::problem::Problem;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::Connection;
use crate::storage::job::{Done, Job, Written};
use crate::storage::read;
use crate::storage::rows::Found;
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
pub(crate) struct Inside<'a, C> {
    engine: &'a Arc<Engine>,
    connection: &'a C,
    depth: Depth<'a>,
    wrote: AtomicBool,
}

impl<'a, C: Connection> Inside<'a, C> {
    pub(crate) fn new(engine: &'a Arc<Engine>, connection: &'a C, depth: Depth<'a>) -> Self {
        Self {
            engine,
            connection,
            depth,
            wrote: AtomicBool::new(false),
        }
    }

    /// Whether the code has written.
    pub(crate) fn has_written(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }

    /// Runs code in it to its end: what it asks is done, in between.
    pub(crate) async fn drive<R>(
        &self,
        name: &(dyn Fn() -> String + Sync),
        mut running: Pin<&mut R>,
        asked: Receiver<Ask>,
    ) -> Result<(), Refusal>
    where
        R: Future<Output = Result<(), Problem>> + ?Sized,
    {
        while hook::advance(name, running.as_mut(), self.depth.threads)?.is_pending() {
            let mut served = false;
            loop {
                let Ok(ask) = asked.try_recv() else { break };
                self.serve(ask).await?;
                served = true;
            }
            if !served {
                return Err(hook::waits(name));
            }
        }
        Ok(())
    }

    /// Does what a hook asks; fails where the transaction is gone, for then nothing may go on in it.
    async fn serve(&self, ask: Ask) -> Result<(), Refusal> {
        match ask {
            Ask::Find { plan, caller, reply } => {
                // A hook that has ended in the meantime doesn't hear it.
                let _ = reply.send(self.find(&plan, &caller).await);
            }
            Ask::Write {
                resource,
                caller,
                action,
                wanted,
                reply,
            } => {
                self.wrote.store(true, Ordering::Relaxed);
                let _ = reply.send(self.nested(resource, caller, *action, wanted).await);
            }
        }
        if self.connection.is_lost() {
            return Err(Refusal::Internal(
                "the transaction was rolled back from within".into(),
            ));
        }
        Ok(())
    }

    async fn find(&self, plan: &ReadPlan, caller: &Caller) -> Result<Found, Refusal> {
        let compiled = self.engine.compiled(&plan.shape);
        let values = Values::of_plan(&self.engine.model, plan, caller, self.depth.now);
        read::find(self.connection, &compiled.read, values, plan.limit).await
    }

    /// A write that a hook asks for: all its steps, undone alone where it fails.
    async fn nested(
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
            once: None,
            threads: self.depth.threads.cloned(),
        };
        let before = changes.count();
        self.connection.execute("SAVEPOINT nested").await?;
        let done = Box::pin(nested.run(self.connection)).await;
        if self.connection.is_lost() {
            return done.map(|_| Vec::new());
        }
        if done.is_err() {
            changes.keep(before);
            self.connection.execute("ROLLBACK TO nested").await?;
        }
        self.connection.execute("RELEASE nested").await?;
        match done? {
            Done::Items(items) => Ok(items),
            Done::Number(_) | Done::Known(_) => Ok(Vec::new()),
        }
    }
}
