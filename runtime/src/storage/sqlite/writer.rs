//! The writer: one thread, one connection, group commit.
//!
//! Everything queued goes into one transaction, a savepoint each, and is answered after the commit; what may take long
//! has one for itself. A job is a value that can run again: where the whole transaction was lost (a trigger's `RAISE(ROLLBACK)`, a full disk, a deferred
//! foreign key at COMMIT), each job of the batch runs alone, once, and is answered by its own result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use prometheus_client::metrics::histogram::Histogram;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::hook;
use crate::problem::Problem;
use crate::storage::Refusal;
use crate::storage::connection::driven;
use crate::storage::constraint;
use crate::storage::job::{Done, Job};
use crate::storage::sqlite::connection::{self, File, Link, Purpose, refusal};
use crate::storage::sqlite::statement::execute;

/// Jobs in one transaction, at most.
const BATCH: usize = 256;
/// Time after which a batch takes no further job.
const SLICE: Duration = Duration::from_millis(5);
/// Jobs that wait; beyond: 503.
const QUEUE: usize = 4_096;
/// What the writer leaves to other programs after each batch: without it Python's sqlite3, which polls for its turn,
/// hardly gets one beside a saturated service.
const PAUSE: Duration = Duration::from_micros(500);

/// A job without its type.
trait AnyJob: Send {
    fn run(&self, connection: &Connection) -> Result<Done, Refusal>;

    fn is_long(&self) -> bool {
        false
    }
}

impl<J: Job> AnyJob for J {
    fn is_long(&self) -> bool {
        Job::is_long(self)
    }

    fn run(&self, connection: &Connection) -> Result<Done, Refusal> {
        driven(Job::run(self, connection))
    }
}

struct Queued {
    job: Box<dyn AnyJob>,
    since: Instant,
    reply: oneshot::Sender<Result<Done, Refusal>>,
}

/// The queue to the writing thread.
#[derive(Debug)]
pub struct Writer {
    queue: Mutex<Option<Sender<Queued>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Opens the connection and starts the thread. A job may wait so long for its turn, and take so long;
    /// beyond: 503.
    pub(crate) fn open(file: &File, time: Duration, sizes: Histogram) -> rusqlite::Result<Self> {
        let link = connection::open(file, Purpose::Write)?;
        let (queue, jobs) = bounded(QUEUE);
        let pause = if file.ours { None } else { Some(PAUSE) };
        let thread = std::thread::Builder::new()
            .name("rest-write".to_owned())
            .spawn(move || work(&Desk { link, time }, &jobs, pause, &sizes))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a job and waits until it is committed or refused.
    pub async fn write(&self, job: impl Job) -> Result<Done, Refusal> {
        self.queued(Box::new(job)).await
    }

    async fn queued(&self, job: Box<dyn AnyJob>) -> Result<Done, Refusal> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or_else(|| Refusal::Unavailable("the service is shutting down".into()))?;
        queue
            .try_send(Queued {
                job,
                since: Instant::now(),
                reply,
            })
            .map_err(|error| match error {
                TrySendError::Full(_) => Refusal::Unavailable("too many writes are waiting".into()),
                TrySendError::Disconnected(_) => Refusal::Internal("the writing thread has ended".into()),
            })?;
        answer.await.map_err(|error| Refusal::Internal(Box::new(error)))?
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().map_or(0, Sender::len)
    }

    /// Ends the thread once what is queued is done.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writing thread had panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the thread works with.
struct Desk {
    link: Link,
    /// What a job may take.
    time: Duration,
}

fn work(desk: &Desk, jobs: &Receiver<Queued>, pause: Option<Duration>, sizes: &Histogram) {
    let mut left = None;
    while let Some(first) = left.take().or_else(|| jobs.recv().ok()) {
        // Those behind it are younger.
        if first.since.elapsed() >= desk.time {
            answer(first, Err(Refusal::Unavailable("writes take too long".into())));
            continue;
        }
        if first.job.is_long() {
            sizes.observe(1.0);
            each_alone(desk, std::iter::once(first));
        } else {
            left = batch(desk, first, jobs, sizes);
        }
        if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
    }
}

/// Runs what is queued as one transaction and answers; gives back the long job that ended it.
fn batch(desk: &Desk, first: Queued, jobs: &Receiver<Queued>, sizes: &Histogram) -> Option<Queued> {
    let connection = &desk.link.connection;
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        answer(first, Err(error));
        return None;
    }
    let started = Instant::now();
    let mut done: Vec<(Queued, Result<Done, Refusal>)> = Vec::new();
    let (mut next, mut left) = (Some(first), None);
    while let Some(queued) = next {
        let result = in_savepoint(desk, queued.job.as_ref());
        if connection.is_autocommit() {
            // The transaction is gone, and with it what the jobs before had done.
            let mut again: Vec<Queued> = done.into_iter().map(|(queued, _)| queued).collect();
            match result {
                // It has had its time.
                Err(Refusal::Overrun) => answer(queued, result),
                _ => again.push(queued),
            }
            each_alone(desk, again.into_iter());
            return None;
        }
        done.push((queued, result));
        let full = done.len() == BATCH || started.elapsed() > SLICE;
        next = if full { None } else { jobs.try_recv().ok() };
        left = next.take_if(|next| next.job.is_long());
    }
    #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
    sizes.observe(done.len() as f64);
    match commit(connection) {
        Ok(()) => done
            .into_iter()
            .for_each(|(queued, result)| answer(queued, result)),
        Err(error) if is_constraint(&error) => {
            each_alone(desk, done.into_iter().map(|(queued, _)| queued));
        }
        Err(error) => {
            let told = error.to_string();
            for (queued, _) in done {
                answer(queued, Err(Refusal::Unavailable(told.clone().into())));
            }
        }
    }
    left
}

fn each_alone(desk: &Desk, all: impl Iterator<Item = Queued>) {
    for queued in all {
        let result = alone(desk, queued.job.as_ref());
        answer(queued, result);
    }
}

/// Runs one job as a transaction of its own.
fn alone(desk: &Desk, job: &dyn AnyJob) -> Result<Done, Refusal> {
    let connection = &desk.link.connection;
    execute(connection, "BEGIN IMMEDIATE")?;
    let result = guarded(desk, job);
    if connection.is_autocommit() {
        // Rolled back from within: a success can't be one.
        return result.and(Err(Refusal::Internal(
            "the transaction was rolled back from within".into(),
        )));
    }
    match result {
        Ok(done) => match commit(connection) {
            Ok(()) => Ok(done),
            Err(error) if is_constraint(&error) => Err(constraint::at_commit()),
            Err(error) => Err(refusal(error)),
        },
        Err(error) => {
            execute(connection, "ROLLBACK")?;
            Err(error)
        }
    }
}

fn in_savepoint(desk: &Desk, job: &dyn AnyJob) -> Result<Done, Refusal> {
    let connection = &desk.link.connection;
    execute(connection, "SAVEPOINT job")?;
    let result = guarded(desk, job);
    if connection.is_autocommit() {
        return result;
    }
    if result.is_err() {
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")?;
    result
}

fn guarded(desk: &Desk, job: &dyn AnyJob) -> Result<Done, Refusal> {
    desk.link.allow_for(desk.time);
    let run = catch_unwind(AssertUnwindSafe(|| job.run(&desk.link.connection)));
    // What ends the transaction isn't the job's.
    desk.link.allow_for(Duration::MAX);
    run.unwrap_or_else(|panic| {
        let told = hook::said(&*panic);
        Err(Refusal::Problem(Problem::internal(format!(
            "a panic within a write: {told}"
        ))))
    })
}

/// Commits; where that fails, nothing stays open.
fn commit(connection: &Connection) -> rusqlite::Result<()> {
    let committed = connection.prepare_cached("COMMIT")?.raw_execute();
    if committed.is_err() && !connection.is_autocommit() {
        connection.prepare_cached("ROLLBACK")?.raw_execute()?;
    }
    committed.map(drop)
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

fn answer(queued: Queued, result: Result<Done, Refusal>) {
    // Whoever asked may have gone away; the write stands all the same.
    let _ = queued.reply.send(result);
}

#[cfg(test)]
mod tests {
    //! A batch in which one job fails in each of the ways there are: each gets its own answer, and no other is lost.

    use super::*;

    /// What a job may take.
    const TIME: Duration = Duration::from_millis(400);

    /// Runs a statement, then what follows.
    struct Text(&'static str, Then);

    #[derive(Clone, Copy)]
    enum Then {
        Done,
        /// Done, after a long time.
        Late,
        Refuse,
        Panic,
    }

    impl AnyJob for Text {
        fn is_long(&self) -> bool {
            matches!(self.1, Then::Late)
        }

        fn run(&self, connection: &Connection) -> Result<Done, Refusal> {
            connection.execute_batch(self.0).map_err(refusal)?;
            match self.1 {
                Then::Done | Then::Late => Ok(Done::Number(1)),
                Then::Refuse => Err(Refusal::Problem(Problem::new(crate::problem::Code::Forbidden))),
                Then::Panic => panic!("a hook that panics"),
            }
        }
    }

    fn database(directory: &tempfile::TempDir, more: &str) -> File {
        let path = directory.path().join("data.db");
        let connection = Connection::open(&path).expect("a database");
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = wal; CREATE TABLE t (x INTEGER UNIQUE) STRICT; {more}"
            ))
            .expect("a table");
        File {
            path,
            ours: true,
            wal: true,
        }
    }

    /// Queues all jobs while the writer is held up by a lock, so that they are one batch; gives who succeeded.
    fn run(file: &File, jobs: Vec<Text>) -> Vec<bool> {
        let lock = Connection::open(&file.path).expect("a database");
        lock.execute_batch("BEGIN IMMEDIATE").expect("a lock");
        let writer = Writer::open(file, TIME, crate::metrics::Databases::default().of("data").batch)
            .expect("a writer");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            // Polled in order, so that all are queued before the lock goes.
            let all =
                futures_util::future::join_all(jobs.into_iter().map(|job| writer.queued(Box::new(job))));
            let unlock = async { lock.execute_batch("COMMIT").expect("an end") };
            let (answers, ()) = tokio::join!(all, unlock);
            answers.into_iter().map(|result| result.is_ok()).collect()
        })
    }

    fn rows(file: &File) -> Vec<i64> {
        let connection = Connection::open(&file.path).expect("a database");
        let mut statement = connection
            .prepare("SELECT x FROM t ORDER BY x")
            .expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("numbers")
    }

    fn insert(x: i64) -> &'static str {
        [
            "",
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (2)",
            "INSERT INTO t VALUES (3)",
        ][usize::try_from(x).expect("a place")]
    }

    fn one_of_three(more: &str, second: Text) -> (Vec<bool>, Vec<i64>) {
        let directory = tempfile::tempdir().expect("a directory");
        let file = database(&directory, more);
        let jobs = vec![Text(insert(1), Then::Done), second, Text(insert(3), Then::Done)];
        (run(&file, jobs), rows(&file))
    }

    #[test]
    fn all_succeed_together() {
        let (answers, rows) = one_of_three("", Text(insert(2), Then::Done));
        assert_eq!((answers, rows), (vec![true, true, true], vec![1, 2, 3]));
    }

    #[test]
    fn a_long_job_has_a_transaction_for_itself() {
        let directory = tempfile::tempdir().expect("a directory");
        // Whether a row came in a transaction with another one: deferred, a foreign key holds if it did.
        let more = "CREATE TABLE c (t INTEGER REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED) STRICT;";
        let file = database(&directory, more);
        let child = Text("INSERT INTO c VALUES (3)", Then::Late);
        let jobs = vec![Text(insert(1), Then::Done), child, Text(insert(3), Then::Done)];
        assert_eq!(run(&file, jobs), [true, false, true]);
        assert_eq!(rows(&file), [1, 3]);
    }

    #[test]
    fn a_refusal_undoes_its_own_write_only() {
        let (answers, rows) = one_of_three("", Text(insert(2), Then::Refuse));
        assert_eq!((answers, rows), (vec![true, false, true], vec![1, 3]));
    }

    #[test]
    fn a_constraint_undoes_its_own_write_only() {
        let (answers, rows) = one_of_three("", Text(insert(1), Then::Done));
        assert_eq!((answers, rows), (vec![true, false, true], vec![1, 3]));
    }

    #[test]
    fn a_panic_undoes_its_own_write_only() {
        let (answers, rows) = one_of_three("", Text(insert(2), Then::Panic));
        assert_eq!((answers, rows), (vec![true, false, true], vec![1, 3]));
    }

    #[test]
    fn a_trigger_that_ends_the_transaction_takes_no_other_along() {
        let trigger =
            "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.x = 2 BEGIN SELECT RAISE(ROLLBACK, 'no'); END;";
        let (answers, rows) = one_of_three(trigger, Text(insert(2), Then::Done));
        assert_eq!((answers, rows), (vec![true, false, true], vec![1, 3]));
    }

    #[test]
    fn a_deferred_foreign_key_takes_no_other_along() {
        let table = "CREATE TABLE c (t INTEGER REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED) STRICT;";
        let second = Text("INSERT INTO c VALUES (9)", Then::Done);
        let (answers, rows) = one_of_three(table, second);
        assert_eq!((answers, rows), (vec![true, false, true], vec![1, 3]));
    }

    #[test]
    fn what_takes_too_long_undoes_its_own_write_only() {
        let endless =
            "INSERT INTO t WITH RECURSIVE n (x) AS (SELECT 9 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
        for then in [Then::Done, Then::Late] {
            // The third has waited as long.
            let (answers, rows) = one_of_three("", Text(endless, then));
            assert_eq!((answers, rows), (vec![true, false, false], vec![1]));
        }
    }
}
