//! A database in use: connections that requests share, and those that transactions have for themselves.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::address::causes;
use super::error::Uniques;
use super::link::Types;
use super::transaction::Transaction;
use super::{Address, Link};
use crate::caller::Caller;
use crate::engine::{Compiled, Engine};
use crate::hook;
use crate::plan::read::ReadPlan;
use crate::problem::Problem;
use crate::sql::Statement;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{Bound, Reading, Take};
use crate::storage::constraint;
use crate::storage::job::{Done, Job};
use crate::storage::read;
use crate::storage::rows::{Found, Output};

/// Connections that requests share.
const SHARED: usize = 2;
/// How long a request waits for a connection of its own.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nobody tries to connect after a failure: the ones that ask meanwhile are refused at once.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a transaction that lost against another is run.
const ATTEMPTS: u32 = 10;

/// A database in use.
#[derive(Debug)]
pub struct Database {
    door: Arc<Door>,
    shared: [Mutex<Shared>; SHARED],
    next: AtomicUsize,
    pool: Pool<Maker>,
}

/// How connections are made.
#[derive(Debug)]
struct Door {
    address: Address,
    uniques: Arc<Uniques>,
    types: Arc<Types>,
}

/// A place for a connection that is shared.
#[derive(Debug, Default)]
struct Shared {
    link: Option<Arc<Link>>,
    failed: Option<(Instant, String)>,
}

/// The pool's way to make connections.
#[derive(Debug)]
struct Maker(Arc<Door>);

impl Manager for Maker {
    type Type = Link;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Link, tokio_postgres::Error> {
        self.0.open().await
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<tokio_postgres::Error> {
        if !link.is_usable() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

impl Door {
    async fn open(&self) -> Result<Link, tokio_postgres::Error> {
        Link::open(&self.address, &self.uniques, &self.types).await
    }
}

/// A connection that is given back only where its transaction has ended.
struct Lent {
    object: Option<Object<Maker>>,
}

impl Lent {
    fn link(&self) -> Result<&Link, Refusal> {
        let link = self.object.as_deref();
        link.ok_or_else(|| Refusal::Internal("a connection was given back too early".into()))
    }

    fn give_back(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Lent {
    /// Whoever asked has gone away in the middle: the database undoes what was begun when the connection ends.
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

impl Database {
    /// A database whose connections are made when they are needed, by the runtime on which that is.
    pub(crate) fn new(address: Address, uniques: Uniques) -> Self {
        let pool_size = address.connections;
        let door = Arc::new(Door {
            address,
            uniques: Arc::new(uniques),
            types: Arc::default(),
        });
        let builder = Pool::builder(Maker(Arc::clone(&door)))
            .max_size(pool_size)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE));
        // It fails only where time-outs are asked for without a runtime.
        let pool = builder.build().unwrap_or_else(|error| unreachable!("{error}"));
        Self {
            door,
            shared: Default::default(),
            next: AtomicUsize::new(0),
            pool,
        }
    }

    /// A connection that is shared, made where there is none.
    async fn shared(&self) -> Result<Arc<Link>, Refusal> {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % SHARED;
        let mut shared = self.shared[place].lock().await;
        if let Some(link) = shared.link.as_ref().filter(|link| link.is_usable()) {
            return Ok(Arc::clone(link));
        }
        if let Some((when, told)) = &shared.failed
            && when.elapsed() < PAUSE
        {
            return Err(Refusal::Unavailable(told.clone().into()));
        }
        shared.link = None;
        match tokio::time::timeout(PATIENCE, self.door.open()).await {
            Ok(Ok(link)) => {
                let link = Arc::new(link);
                shared.link = Some(Arc::clone(&link));
                shared.failed = None;
                Ok(link)
            }
            failed => {
                let told = match failed {
                    Ok(Err(error)) => causes(&error),
                    _ => "it doesn't answer".to_owned(),
                };
                shared.failed = Some((Instant::now(), told.clone()));
                Err(Refusal::Unavailable(told.into()))
            }
        }
    }

    /// A connection for one transaction.
    async fn own(&self) -> Result<Lent, Refusal> {
        match self.pool.get().await {
            Ok(object) => Ok(Lent { object: Some(object) }),
            Err(PoolError::Timeout(managed::TimeoutType::Wait)) => {
                Err(Refusal::Unavailable("too many writes are waiting".into()))
            }
            Err(PoolError::Backend(error)) => Err(Refusal::Unavailable(causes(&error).into())),
            Err(error) => Err(Refusal::Unavailable(error.to_string().into())),
        }
    }

    /// Runs a read.
    pub(crate) async fn read(
        &self,
        engine: &Engine,
        compiled: &Compiled,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Output, Refusal> {
        let values = Values::of_plan(&engine.model, plan, caller, now);
        again(|| read::run(self, &compiled.read, values, plan.limit, &engine.state_key)).await
    }

    /// Runs a read of which the values are wanted.
    pub(crate) async fn find(
        &self,
        engine: &Engine,
        compiled: &Compiled,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Found, Refusal> {
        let values = Values::of_plan(&engine.model, plan, caller, now);
        again(|| read::find(self, &compiled.read, values, plan.limit)).await
    }

    /// Does a job in a transaction of its own, of this isolation level; again, where it lost against another one.
    pub(crate) async fn write(&self, job: &impl Job, isolation: &str) -> Result<Done, Refusal> {
        let begin = self.door.address.begin(isolation);
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.write_once(job, &begin).await {
                Err(Refusal::Again(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(pause_before(attempt)).await;
                }
                other => return other,
            }
        }
    }

    async fn write_once<J: Job>(&self, job: &J, begin: &str) -> Result<Done, Refusal> {
        let lent = self.own().await?;
        let link = lent.link()?;
        link.batch(begin).await?;
        let transaction = Transaction::new(link);
        let running = AssertUnwindSafe(job.run(&transaction)).catch_unwind();
        let result = running.await.unwrap_or_else(|panic| {
            let told = hook::said(&*panic);
            Err(Refusal::Problem(Problem::internal(format!(
                "a panic within a write: {told}"
            ))))
        });
        let is_to_run_again = transaction.is_to_run_again();
        let ended = match &result {
            Ok(_) if !is_to_run_again => link.commit().await,
            _ => link.batch("ROLLBACK").await.map(|()| true),
        };
        let result = match (result, ended) {
            _ if is_to_run_again => Err(Refusal::Again("another transaction was faster".into())),
            (Ok(_), Ok(false)) => Err(constraint::at_commit()),
            (Ok(_), Err(refusal)) | (Err(refusal), _) => Err(refusal),
            (Ok(done), Ok(true)) => Ok(done),
        };
        lent.give_back();
        result
    }

    /// Whether the database answers.
    pub(crate) async fn is_ready(&self) -> bool {
        let answered = async {
            let link = self.shared().await.ok()?;
            link.client.batch_execute("").await.ok()
        };
        matches!(
            tokio::time::timeout(Duration::from_secs(2), answered).await,
            Ok(Some(()))
        )
    }

    /// Ends the pool; connections end with the last request that has one.
    pub(crate) fn close(&self) {
        self.pool.close();
        for shared in &self.shared {
            if let Ok(mut shared) = shared.try_lock() {
                shared.link = None;
            }
        }
    }

    /// Learns the types of a statement's parameters, where no connection may keep it.
    async fn learn<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> Result<(), Refusal> {
        let lent = self.own().await?;
        let link = lent.link()?;
        link.batch(&self.door.address.begin("READ ONLY")).await?;
        let read = link.each(statement, bound, take).await;
        link.batch("COMMIT").await?;
        lent.give_back();
        read
    }
}

/// Reads, each statement on a connection that is shared: what is behind another is sent without waiting for it.
impl Reading for Database {
    async fn each<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> Result<(), Refusal> {
        let link = self.shared().await?;
        if !link.knows(&statement.text) {
            return self.learn(statement, bound, take).await;
        }
        let read = link.each(statement, bound, take).await;
        if matches!(read, Err(Refusal::Again(_))) {
            link.forget();
        }
        read
    }
}

/// Runs a read once more where its statement was prepared before its tables changed, or it lost against a write.
async fn again<T, F: Future<Output = Result<T, Refusal>>>(mut read: impl FnMut() -> F) -> Result<T, Refusal> {
    match read().await {
        Err(Refusal::Again(_)) => read().await,
        other => other,
    }
}

/// Longer each time, and not the same for two that met.
fn pause_before(attempt: u32) -> Duration {
    let mut random = [0; 2];
    // Without random bytes they may meet again.
    let _ = getrandom::fill(&mut random);
    let most = 2u64.saturating_pow(attempt).min(200);
    Duration::from_micros(1_000 * most * u64::from(u16::from_le_bytes(random)) / 65_536)
}
