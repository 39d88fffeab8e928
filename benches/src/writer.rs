//! The one thread that writes: what is queued goes into one transaction and is answered after its commit.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rusqlite::{Connection, Result};
use tokio::sync::oneshot;

/// At most this many jobs in one transaction.
const BATCH: usize = 256;
/// And at most this long.
const TIME: Duration = Duration::from_millis(5);

/// What a job has to say.
pub(crate) enum Outcome {
    /// Written: the row's key, its state and its JSON.
    Written {
        /// The key.
        id: i64,
        /// The hash of all stored columns.
        state: u64,
        /// The item.
        body: Vec<u8>,
    },
    /// No such row for this caller.
    Absent,
    /// Not for this caller.
    Forbidden,
    /// Not the state that the caller expected.
    Changed,
    /// The database refused.
    Failed(rusqlite::Error),
}

type Run = Box<dyn FnOnce(&Connection) -> Result<Outcome> + Send>;

struct Job {
    run: Run,
    reply: oneshot::Sender<Outcome>,
}

/// Sends jobs to the thread.
pub(crate) struct Writer(Sender<Job>);

impl Writer {
    /// Starts the thread; each job gets a savepoint of its own where `savepoints` says so.
    pub(crate) fn start(connection: Connection, savepoints: bool) -> std::io::Result<Self> {
        let (sender, receiver) = crossbeam_channel::bounded(1024);
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || while write(&connection, &receiver, savepoints).is_some() {})?;
        Ok(Self(sender))
    }

    /// Runs a job; `None` where the thread has gone.
    pub(crate) async fn run(
        &self,
        run: impl FnOnce(&Connection) -> Result<Outcome> + Send + 'static,
    ) -> Option<Outcome> {
        let (reply, outcome) = oneshot::channel();
        self.0
            .send(Job {
                run: Box::new(run),
                reply,
            })
            .ok()?;
        outcome.await.ok()
    }
}

/// One batch; `None` once nobody can send any more.
fn write(connection: &Connection, jobs: &Receiver<Job>, savepoints: bool) -> Option<()> {
    let first = jobs.recv().ok()?;
    let started = Instant::now();
    let mut done = Vec::with_capacity(32);
    let result = execute(connection, "BEGIN IMMEDIATE").and_then(|()| {
        let mut next = Some(first);
        while let Some(job) = next {
            done.push((job.reply, attempt(connection, job.run, savepoints)));
            let full = done.len() == BATCH || started.elapsed() > TIME;
            next = if full { None } else { jobs.try_recv().ok() };
        }
        execute(connection, "COMMIT")
    });
    let committed = result.is_ok();
    if !committed && !connection.is_autocommit() {
        // What failed above is told to everyone below; a rollback that fails as well adds nothing.
        let _ = execute(connection, "ROLLBACK");
    }
    for (reply, outcome) in done {
        // Nobody waits where the client has gone.
        let _ = reply.send(if committed {
            outcome
        } else {
            Outcome::Failed(rusqlite::Error::InvalidQuery)
        });
    }
    Some(())
}

fn attempt(connection: &Connection, run: Run, savepoints: bool) -> Outcome {
    if !savepoints {
        return run(connection).unwrap_or_else(Outcome::Failed);
    }
    let outcome = execute(connection, "SAVEPOINT job")
        .and_then(|()| run(connection))
        .unwrap_or_else(Outcome::Failed);
    let end = match outcome {
        Outcome::Written { .. } => execute(connection, "RELEASE job"),
        _ => execute(connection, "ROLLBACK TO job").and_then(|()| execute(connection, "RELEASE job")),
    };
    end.map_or_else(Outcome::Failed, |()| outcome)
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
