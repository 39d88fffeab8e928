//! A write from what is asked to what is told: the program's own code before it, the passwords, the write itself, and
//! the program's own code after it.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use jiff::Timestamp;
use rest_schema::{ResourceId, Value};
use tokio::runtime::Handle;
use tokio::task::JoinError;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::hook::{self, RawChange};
use crate::password::{Failure, Plain};
use crate::problem::{Code, Problem};
use crate::service::Inner;
use crate::storage::job::{Done, Job, Written};
use crate::storage::once::{self, Doing, Known, OfKey, Once};
use crate::storage::steps::{Action, Change, Write};
use crate::storage::{Refusal, Storage};
use crate::typed::Binding;
use crate::validate::{New, Update};

/// Who asks for a write of what, and what of it is wanted.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) resource: ResourceId,
    pub(crate) caller: Caller,
    pub(crate) now: Timestamp,
    /// The struct that is made of what was written.
    pub(crate) wanted: Option<Arc<Binding>>,
}

/// What the hooks of a write, and of those within it, are told once it is committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<Vec<(ResourceId, RawChange)>>>);

impl Changes {
    pub(crate) fn add(&self, resource: ResourceId, change: RawChange) {
        self.all(|all| all.push((resource, change)));
    }

    pub(crate) fn count(&self) -> usize {
        self.all(|all| all.len())
    }

    /// Forgets what was undone.
    pub(crate) fn keep(&self, count: usize) {
        self.all(|all| all.truncate(count));
    }

    fn take(&self) -> Vec<(ResourceId, RawChange)> {
        self.all(std::mem::take)
    }

    fn all<T>(&self, with: impl FnOnce(&mut Vec<(ResourceId, RawChange)>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a write gave; empty for a delete.
pub(crate) enum Wrote {
    /// Now.
    Now(Vec<Written>),
    /// When it was sent for the first time.
    Before(Vec<Written>),
}

/// The writes that are being done under keys of their senders, where no transaction tells.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<HashSet<[u8; 32]>>);

impl UnderWay {
    /// Whether there is one of this key.
    pub(crate) fn has(&self, id: &[u8; 32]) -> bool {
        self.all(|all| all.contains(id))
    }

    /// Says that it is, if it isn't yet.
    fn begin(&self, id: [u8; 32]) -> Option<UnderWayNow<'_>> {
        let is_first = self.all(|all| all.insert(id));
        is_first.then_some(UnderWayNow { all: self, id })
    }

    fn all<T>(&self, with: impl FnOnce(&mut HashSet<[u8; 32]>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One of them, until this is dropped.
struct UnderWayNow<'a> {
    all: &'a UnderWay,
    id: [u8; 32],
}

impl Drop for UnderWayNow<'_> {
    fn drop(&mut self) {
        self.all.all(|all| all.remove(&self.id));
    }
}

impl Inner {
    /// Does a write for a caller; what it gives is empty for a delete.
    pub(crate) async fn write(
        self: &Arc<Self>,
        asked: Asking,
        action: Action,
    ) -> Result<Vec<Written>, Problem> {
        match self.write_once(asked, action, None).await? {
            Wrote::Now(items) | Wrote::Before(items) => Ok(items),
        }
    }

    /// The same, once where it has a key of its sender's.
    pub(crate) async fn write_once(
        self: &Arc<Self>,
        asked: Asking,
        mut action: Action,
        once: Option<Once>,
    ) -> Result<Wrote, Problem> {
        hook::refuse_in_tx()?;
        if action.is_hooked(&self.engine, asked.resource) {
            action = hook::prepare(self, &asked, action).await?;
        }
        self.hash_passwords(&mut action).await?;
        let caller = asked.caller.clone();
        let mut write = Write::of(Arc::clone(&self.engine), asked, action);
        let done = match once {
            Some(once) if !self.storage.is_one() => self.write_apart(write, once).await,
            once => {
                write.once = once;
                self.commit(write).await
            }
        };
        let done = done.map_err(|refusal| refusal.into_problem(&self.engine.model))?;
        self.storage.wrote(&self.engine, &caller).await;
        match done {
            Done::Items(items) => Ok(Wrote::Now(items)),
            Done::Number(_) => Ok(Wrote::Now(Vec::new())),
            Done::Known(known) => Ok(Wrote::Before(known.answer(false)?.unwrap_or_default())),
        }
    }

    async fn commit(self: &Arc<Self>, write: Write) -> Result<Done, Refusal> {
        if write.is_hooked() {
            let changes = write.changes.clone();
            self.write_hooked(write, changes).await
        } else {
            // On the heap, lest every future of a program that writes holds all steps of all databases.
            Box::pin(self.storage.write(write)).await
        }
    }

    /// A write whose key is kept in another file: the key is committed first, then the write, then what it gave. It ends
    /// also where nobody waits for it any more.
    async fn write_apart(self: &Arc<Self>, write: Write, once: Once) -> Result<Done, Refusal> {
        let service = Arc::clone(self);
        let task = tokio::spawn(async move {
            let Some(_now) = service.under_way.begin(once.id) else {
                return Err(Refusal::Problem(Problem::new(Code::IdempotencyInFlight)));
            };
            service.write_under_way(write, once).await
        });
        ended(task.await)
    }

    async fn write_under_way(self: &Arc<Self>, write: Write, once: Once) -> Result<Done, Refusal> {
        let of_key = |doing| OfKey {
            engine: Arc::clone(&self.engine),
            once: once.clone(),
            doing,
        };
        match self.storage.write_state(of_key(Doing::Claim)).await? {
            Done::Known(Known::Nothing) => {}
            known => return Ok(known),
        }
        let done = self.commit(write).await;
        let doing = match &done {
            Ok(Done::Items(items)) => Doing::Keep(once::written(items)),
            Ok(_) => Doing::Keep(once::written(&[])),
            Err(_) => Doing::Release,
        };
        if let Err(refusal) = self.storage.write_state(of_key(doing)).await {
            tracing::error!("what became of a write wasn't kept under its Idempotency-Key: {refusal}");
        }
        done
    }

    /// A write and what follows its commit belong together: they end also where nobody waits for them any more.
    async fn write_hooked(self: &Arc<Self>, write: Write, changes: Changes) -> Result<Done, Refusal> {
        let service = Arc::clone(self);
        let task = tokio::spawn(async move {
            let done = service.storage.write(write).await?;
            tell(&service.engine, &changes).await;
            Ok(done)
        });
        ended(task.await)
    }

    /// The same for a program's own transaction. Its futures may be bound to a thread, which they then have for themselves.
    pub(crate) async fn write_together(
        self: &Arc<Self>,
        job: impl Job,
        changes: Changes,
    ) -> Result<Done, Refusal> {
        let service = Arc::clone(self);
        let task = match &self.storage {
            Storage::Sqlite(files) => {
                let data = Arc::clone(&files.data);
                tokio::spawn(async move {
                    let done = data.writer.write(job).await?;
                    tell(&service.engine, &changes).await;
                    Ok(done)
                })
            }
            Storage::Postgres(database) => {
                let (database, threads) = (Arc::clone(database), Handle::current());
                tokio::task::spawn_blocking(move || {
                    threads.block_on(async {
                        let done = database.write(&job, "ISOLATION LEVEL SERIALIZABLE").await?;
                        tell(&service.engine, &changes).await;
                        Ok(done)
                    })
                })
            }
        };
        ended(task.await)
    }

    async fn hash_passwords(&self, action: &mut Action) -> Result<(), Problem> {
        match action {
            Action::Create { rows, .. } => {
                for row in rows {
                    self.hash_passwords_of(row).await?;
                }
            }
            Action::Update { update, create, .. } => {
                let new = create.as_mut().and_then(|create| create.as_mut().ok());
                self.hash_passwords_of_put(update, new).await?;
            }
            Action::Paired(paired) => {
                if let Some(put) = &mut paired.put {
                    let new = put.create.as_mut().ok();
                    self.hash_passwords_of_put(&mut put.update, new).await?;
                }
            }
            Action::Several(several) => {
                // All are given the same, unless the program's own code gave each another; each is hashed once.
                let mut hashed: Vec<(Plain, Value)> = Vec::new();
                for (_, change) in &mut several.rows {
                    let Change::Update(update) = change else { continue };
                    for (field, plain) in update.take_passwords() {
                        let known = hashed.iter().find(|(known, _)| *known == plain);
                        let hash = match known {
                            Some((_, hash)) => hash.clone(),
                            None => {
                                let hash = Value::Text(self.hashed(plain.clone()).await?);
                                hashed.push((plain, hash.clone()));
                                hash
                            }
                        };
                        update.put(field, hash);
                    }
                }
            }
            Action::Delete { .. } | Action::Restore { .. } | Action::Link { .. } => {}
        }
        Ok(())
    }

    /// A PUT's two ways have the same passwords; each is hashed once.
    async fn hash_passwords_of_put(
        &self,
        update: &mut Update,
        mut new: Option<&mut Box<New>>,
    ) -> Result<(), Problem> {
        let of_update = update.take_passwords();
        let of_create = new.as_mut().map(|new| new.take_passwords()).unwrap_or_default();
        let passwords = if of_update.is_empty() {
            of_create
        } else {
            of_update
        };
        for (field, plain) in passwords {
            let hash = Value::Text(self.hashed(plain).await?);
            if let Some(new) = &mut new {
                new.put(field, hash.clone());
            }
            update.put(field, hash);
        }
        Ok(())
    }

    /// Those of a row that is made, and of what is made along with it.
    async fn hash_passwords_of(&self, row: &mut New) -> Result<(), Problem> {
        for (field, plain) in row.take_passwords() {
            row.put(field, Value::Text(self.hashed(plain).await?));
        }
        for row in row.along.iter_mut().flat_map(|along| &mut along.rows) {
            Box::pin(self.hash_passwords_of(row)).await?;
        }
        Ok(())
    }

    /// A password's hash.
    pub(crate) async fn hashed(&self, plain: Plain) -> Result<String, Problem> {
        self.hasher.hash(plain).await.map_err(unhashed)
    }
}

fn ended(task: Result<Result<Done, Refusal>, JoinError>) -> Result<Done, Refusal> {
    task.unwrap_or_else(|error| Err(Refusal::Internal(Box::new(error))))
}

/// Hashing fails where too many wait for it, or where the system fails.
pub(crate) fn unhashed(failure: Failure) -> Problem {
    match failure {
        Failure::Busy => Problem::new(Code::Unavailable).retry_after(1),
        Failure::Broken => Problem::internal(failure),
    }
}

/// Tells the hooks what was committed; what goes wrong there changes nothing any more, and is logged.
async fn tell(engine: &Engine, changes: &Changes) {
    for (resource, change) in changes.take() {
        for hooked in engine.hooks.of(resource) {
            let telling = hooked.hooks.committed(&hooked.binding, &change);
            let told = AssertUnwindSafe(telling).catch_unwind().await;
            let failed = match &told {
                Ok(Ok(())) => continue,
                Ok(Err(problem)) => problem.cause().unwrap_or_default(),
                Err(panic) => hook::said(&**panic).to_owned(),
            };
            tracing::error!(hook = hooked.name, "the hook `committed` failed: {failed}");
        }
    }
}
