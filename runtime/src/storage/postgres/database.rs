//! A database in use: the server that writes, and those that follow it.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::FusedFuture as _;
use futures_util::{FutureExt as _, poll};
use jiff::Timestamp;

use super::error::Uniques;
use super::replicas::Replicas;
use super::server::Server;
use super::transaction::Transaction;
use super::{Address, Link};
use crate::caller::Caller;
use crate::cell::Cell;
use crate::engine::{Compiled, Engine};
use crate::hook;
use crate::metrics::{Databases, WriteMeters};
use crate::plan::read::ReadPlan;
use crate::problem::Problem;
use crate::storage::bind::Values;
use crate::storage::job::{Done, Job};
use crate::storage::rows::{Found, Output};
use crate::storage::{Refusal, constraint, read, state};

/// How often a transaction that lost against another is run.
const ATTEMPTS: u32 = 10;

/// A database in use.
#[derive(Debug)]
pub struct Database {
    primary: Server,
    pub(super) replicas: Replicas,
    meters: WriteMeters,
}

impl Database {
    /// A database whose connections are made when they are needed, by the runtime on which that is.
    pub(crate) fn new(
        address: Address,
        replicas: Vec<Address>,
        uniques: Uniques,
        counts: &Databases,
    ) -> Self {
        let uniques = Arc::new(uniques);
        Self {
            replicas: Replicas::new(replicas, &uniques, counts),
            primary: Server::new(address, &uniques, counts.connections("data")),
            meters: counts.of_writes("data"),
        }
    }

    /// The server that writes: what has to be as it is now is read there.
    pub(crate) fn primary(&self) -> &Server {
        &self.primary
    }

    /// Runs a read of a request: on a replica, where one is as good.
    pub(crate) async fn read(
        self: &Arc<Self>,
        engine: &Engine,
        compiled: &Compiled,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Output, Refusal> {
        let values = || Values::of_plan(&engine.model, plan, caller, now);
        if let Some(replica) = self.replicas.pick(self, caller) {
            let read = read::run(
                replica,
                &compiled.read,
                values(),
                plan.limit,
                plan.format,
                &engine.state_key,
            )
            .await;
            match read {
                // What a replica can't do the primary may: it is away, or what was read has just changed there.
                Err(Refusal::Again(_) | Refusal::Unavailable(_)) => {}
                other => return other,
            }
        }
        again(|| {
            read::run(
                &self.primary,
                &compiled.read,
                values(),
                plan.limit,
                plan.format,
                &engine.state_key,
            )
        })
        .await
    }

    /// Runs a read of which the values are wanted, for the program: what it does with them may be a write.
    pub(crate) async fn find(
        &self,
        engine: &Engine,
        compiled: &Compiled,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Found, Refusal> {
        let values = Values::of_plan(&engine.model, plan, caller, now);
        again(|| read::find(&self.primary, &compiled.read, values, plan.limit)).await
    }

    /// Remembers that a caller has written, so that what he reads next isn't older.
    pub(crate) async fn wrote(&self, engine: &Engine, account: &[Cell]) {
        if !self.replicas.are_there() || self.replicas.is_marked(account) {
            return;
        }
        let at = Instant::now();
        match state::mark_writer(&self.primary, &engine.state, &engine.model, account).await {
            Ok(()) => self.replicas.marked(account, at),
            Err(refusal) => {
                tracing::warn!(
                    "a writer can't be remembered, and may read what is older than his write: {refusal}"
                );
            }
        }
    }

    /// Does a job in a transaction of its own, of this isolation level; again, where it lost against another one.
    pub(crate) async fn write(&self, job: &impl Job, isolation: &str) -> Result<Done, Refusal> {
        let begin = self.primary.address().begin(isolation);
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.write_once(job, &begin).await {
                Err(Refusal::Again(_)) if attempt < ATTEMPTS => {
                    self.meters.retries.inc();
                    tokio::time::sleep(pause_before(attempt)).await;
                }
                other => return other,
            }
        }
    }

    async fn write_once<J: Job>(&self, job: &J, begin: &str) -> Result<Done, Refusal> {
        let lent = self.primary.own().await?;
        let result = transaction_on(lent.link()?, job, begin).await?;
        lent.give_back();
        result
    }

    /// Whether the database answers.
    pub(crate) async fn is_ready(&self) -> bool {
        self.primary.is_ready().await
    }

    /// Looks at its connections, for what operators ask.
    pub(crate) fn measure(&self) {
        self.meters.waiting.set(self.primary.measure());
        self.replicas.measure();
    }

    /// Ends the pools; connections end with the last request that has one.
    pub(crate) fn close(&self) {
        self.primary.close();
        self.replicas.close();
    }
}

/// Does a job within a transaction. The outer error says that it isn't known whether the transaction has ended.
async fn transaction_on<J: Job>(link: &Link, job: &J, begin: &str) -> Result<Result<Done, Refusal>, Refusal> {
    // It is sent, and its answer waited for at the end: what follows goes the same way, behind it.
    let mut begun = pin!(link.batch(begin).fuse());
    if let Poll::Ready(failed) = poll!(&mut begun) {
        failed?;
    }
    let transaction = Transaction::new(link);
    let running = AssertUnwindSafe(job.run(&transaction)).catch_unwind();
    let result = running.await.unwrap_or_else(|panic| {
        let told = hook::said(&*panic);
        Err(Refusal::Problem(Problem::internal(format!(
            "a panic within a write: {told}"
        ))))
    });
    if !begun.is_terminated() {
        begun.await?;
    }
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
    Ok(result)
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
