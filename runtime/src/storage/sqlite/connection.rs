//! How a connection is opened, and how its errors read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::storage::Refusal;

/// Steps of SQLite's machine between two looks at a read's budget.
const STRIDE: i32 = 1_000;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 128;
/// Bytes of a file that are mapped, at most: what SQLite allows as it is usually built. Of what lies beyond, each page
/// is a call of the operating system.
const MAPPED: i64 = 0x7fff_0000;

/// What a connection that may wait for another's lock waits at most.
const LOCKED: Duration = Duration::from_secs(5);

/// A database file and how it is to be treated.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Whether its tables, and so its journal mode, are ours.
    pub ours: bool,
    /// Whether it is switched to WAL.
    pub wal: bool,
}

/// A connection and the steps that its present statement may still take.
#[derive(Debug)]
pub struct Link {
    /// The connection.
    pub connection: Connection,
    budget: Arc<Budget>,
}

impl Link {
    /// Allows the next statements so many steps; beyond, they are interrupted.
    pub fn allow(&self, steps: i64) {
        self.budget.steps.store(steps, Ordering::Relaxed);
    }

    /// Allows the next statements any number of steps in this time; beyond, they are interrupted, and a write loses the
    /// whole transaction.
    pub fn allow_for(&self, time: Duration) {
        self.allow(i64::MAX);
        let end = self.budget.opened.elapsed().saturating_add(time).as_millis();
        self.budget
            .end
            .store(u64::try_from(end).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// What a connection's present statements may still use.
#[derive(Debug)]
struct Budget {
    steps: AtomicI64,
    opened: Instant,
    /// Milliseconds since it was opened.
    end: AtomicU64,
}

impl Budget {
    fn new() -> Self {
        Self {
            steps: AtomicI64::new(i64::MAX),
            opened: Instant::now(),
            end: AtomicU64::new(u64::MAX),
        }
    }

    /// Takes so many steps; whether it is used up.
    fn take(&self, steps: i64) -> bool {
        let end = self.end.load(Ordering::Relaxed);
        self.steps.fetch_sub(steps, Ordering::Relaxed) < steps
            || end != u64::MAX && self.opened.elapsed().as_millis() > u128::from(end)
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reads on the runtime's own threads: never waits.
    Inline,
    /// Reads that may take long.
    Pool,
    /// Writes.
    Write,
}

/// Makes a database, or opens the one that another instance made a moment ago.
pub fn create(path: &Path) -> rusqlite::Result<Link> {
    let file = File {
        path: path.to_owned(),
        ours: false,
        wal: false,
    };
    open_as(
        &file,
        Purpose::Write,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
}

/// Makes a database by a script, which may name tables before it makes them.
pub fn script(path: &Path, sql: &str) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.execute_batch(sql)
}

/// Opens a database to look at it, and to make tables in it if they are ours.
pub fn inspect(path: &Path) -> rusqlite::Result<Link> {
    open(
        &File {
            path: path.to_owned(),
            ours: false,
            wal: false,
        },
        Purpose::Write,
    )
}

/// Opens a connection; the file has to be there.
pub fn open(file: &File, purpose: Purpose) -> rusqlite::Result<Link> {
    let access = match purpose {
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Purpose::Inline | Purpose::Pool => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    open_as(file, purpose, access)
}

fn open_as(file: &File, purpose: Purpose, access: OpenFlags) -> rusqlite::Result<Link> {
    let mut connection = Connection::open_with_flags(&file.path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The plan that chose the lane stays the plan; without this SQLite also parses a cached statement anew whenever
    // the value of a bound range changes, which costs more than a page does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let wait = if purpose == Purpose::Inline {
        Duration::ZERO
    } else {
        LOCKED
    };
    connection.busy_timeout(wait)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    if purpose == Purpose::Write {
        if file.wal {
            switch_to_wal(&connection)?;
        }
        connection.pragma_update(None, "synchronous", "full")?;
    }
    if file.ours {
        // Only where nobody but us changes the file's size.
        connection.pragma_update(None, "mmap_size", MAPPED)?;
    }
    add_functions(&connection)?;
    let budget = Arc::new(Budget::new());
    let left = Arc::clone(&budget);
    connection.progress_handler(STRIDE, Some(move || left.take(i64::from(STRIDE))))?;
    Ok(Link { connection, budget })
}

/// Switches the journal's mode. SQLite itself doesn't wait for others here: who switches holds a lock already, and of two
/// who switch at once one is refused.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    let start = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && start.elapsed() < LOCKED =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            done => return done,
        }
    }
}

fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("rest_slug", 1, flags, |context| {
        Ok(context.get::<Option<String>>(0)?.map(|text| slug(&text)))
    })
}

/// Lower-case ASCII letters and digits, words joined by dashes; all other characters part words.
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if slug.ends_with('-') {
        slug.pop();
    }
    slug
}

/// Sorts an error of the driver into what can be done about it.
pub fn refusal(error: rusqlite::Error) -> Refusal {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Refusal::Overrun,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::SchemaChanged,
        ) => Refusal::Unavailable(Box::new(error)),
        _ => Refusal::Internal(Box::new(error)),
    }
}

/// Whether a file begins as a SQLite database does (or is empty, which SQLite takes for a new one).
pub fn is_database(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut head = Vec::with_capacity(16);
    std::fs::File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(head.is_empty() || head == b"SQLite format 3\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_words_joined_by_dashes() {
        assert_eq!(slug("  Hello, World!  "), "hello-world");
        assert_eq!(slug("a--b"), "a-b");
        assert_eq!(slug("???"), "");
    }

    #[test]
    fn who_switches_the_journal_waits_for_who_writes() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data.db");
        script(&path, "CREATE TABLE t (a)").expect("a database");
        let writing = inspect(&path).expect("a connection");
        writing
            .connection
            .execute_batch("BEGIN IMMEDIATE")
            .expect("a lock");
        let file = File {
            path,
            ours: true,
            wal: true,
        };
        let (tell, told) = std::sync::mpsc::channel();
        let switching = std::thread::spawn(move || {
            tell.send(()).expect("somebody waits");
            open(&file, Purpose::Write).map(drop)
        });
        told.recv().expect("a thread");
        // Who does not wait has been refused by then.
        std::thread::sleep(Duration::from_millis(50));
        writing.connection.execute_batch("COMMIT").expect("no lock");
        assert_eq!(switching.join().expect("no panic"), Ok(()));
    }

    #[test]
    fn a_read_ends_when_its_time_or_its_steps_are_used_up() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data.db");
        drop(create(&path).expect("a database"));
        let file = File {
            path,
            ours: true,
            wal: false,
        };
        let link = open(&file, Purpose::Pool).expect("a connection");
        let endless =
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        let run = || {
            link.connection
                .query_row(endless, [], |row| row.get::<_, i64>(0))
                .map_err(refusal)
        };
        link.allow(20_000);
        assert!(matches!(run(), Err(Refusal::Overrun)));
        link.allow_for(Duration::from_millis(1));
        assert!(matches!(run(), Err(Refusal::Overrun)));
        link.allow_for(Duration::from_secs(60));
        assert_eq!(
            link.connection
                .query_row("SELECT 1", [], |row| row.get::<_, i64>(0))
                .ok(),
            Some(1)
        );
    }
}
