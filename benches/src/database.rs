//! Connections: slots that the runtime's threads read through, each thread trying its own first.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Connections that read.
pub(crate) struct Slots(Vec<Mutex<Connection>>);

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed));
}

impl Slots {
    /// One for each thread of the runtime.
    pub(crate) fn open(path: &str) -> rusqlite::Result<Self> {
        let count = std::thread::available_parallelism().map_or(2, usize::from);
        (0..count)
            .map(|_| Ok(Mutex::new(reader(path)?)))
            .collect::<rusqlite::Result<_>>()
            .map(Self)
    }

    /// Lends one.
    pub(crate) fn with<R>(&self, run: impl FnOnce(&Connection) -> R) -> R {
        let own = THREAD.get() % self.0.len();
        let free = (0..self.0.len()).find_map(|step| self.0[(own + step) % self.0.len()].try_lock().ok());
        match free {
            Some(connection) => run(&connection),
            None => run(&self.0[own].lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

fn reader(path: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    settle(&connection)?;
    connection.execute_batch("PRAGMA query_only = 1; PRAGMA mmap_size = 1073741824;")?;
    Ok(connection)
}

/// A cached statement keeps its plan: else one with a bound range is parsed anew each time its value changes.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// The connection that writes, the only one; the tables are there afterwards.
pub(crate) fn writer(path: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    settle(&connection)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1; PRAGMA mmap_size = 1073741824;",
    )?;
    if !connection.table_exists(None, "post")? {
        connection.execute_batch(include_str!("../tables.sql"))?;
    }
    Ok(connection)
}
