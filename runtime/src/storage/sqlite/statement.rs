//! Statements on a connection of SQLite: prepared, bound, run at once.

use std::ops::ControlFlow;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection};

use crate::cell::{Cell, CellRef};
use crate::plan::read::json_of;
use crate::sql::{Bind, Statement};
use crate::storage::Refusal;
use crate::storage::connection::{self, Bound, Row, Take};
use crate::storage::constraint::Context;
use crate::storage::sqlite::connection::refusal;
use crate::storage::sqlite::constraint;

impl Row for rusqlite::Row<'_> {
    #[inline]
    fn cell(&self, column: usize) -> Result<CellRef<'_>, Refusal> {
        self.get_ref(column).map(lent).map_err(refusal)
    }
}

/// Lends what the driver gives.
pub fn lent(value: ValueRef<'_>) -> CellRef<'_> {
    match value {
        ValueRef::Null => CellRef::Null,
        ValueRef::Integer(value) => CellRef::Integer(value),
        ValueRef::Real(value) => CellRef::Real(value),
        ValueRef::Text(text) => CellRef::Text(text),
        ValueRef::Blob(bytes) => CellRef::Blob(bytes),
    }
}

impl connection::Reading for Connection {
    async fn each<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> Result<(), Refusal> {
        let mut prepared = prepare(self, statement, bound)?;
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(refusal)? {
            if take.take(row)? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

impl connection::Connection for Connection {
    async fn change<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        context: Context<'_>,
        take: &mut T,
    ) -> Result<u64, Refusal> {
        let mut prepared = prepare(self, statement, bound)?;
        let mut rows = prepared.raw_query();
        // The statement has to come to its end before it counts.
        while let Some(row) = rows.next().map_err(|error| constraint::refused(error, context))? {
            // Whether more rows are wanted or not, all are written.
            let _ = take.take(row)?;
        }
        drop(rows);
        Ok(self.changes())
    }

    async fn execute(&self, text: &'static str) -> Result<(), Refusal> {
        execute(self, text)
    }

    async fn defer_foreign_keys(&self) -> Result<(), Refusal> {
        self.execute_batch("PRAGMA defer_foreign_keys = ON")
            .map_err(refusal)
    }

    fn goes_out_at_once(&self, _: &Statement) -> bool {
        false
    }

    fn is_lost(&self) -> bool {
        self.is_autocommit()
    }
}

/// Runs several reads as one transaction: they see one moment, and the file is locked once instead of for each.
pub fn in_one<T>(connection: &Connection, reads: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    execute(connection, "BEGIN")?;
    let read = reads();
    // A read has nothing to lose: whatever came out, the transaction only ends.
    let ended = execute(connection, "ROLLBACK");
    let read = read?;
    ended.map(|()| read)
}

/// Runs a statement without parameters or rows.
pub fn execute(connection: &Connection, text: &str) -> Result<(), Refusal> {
    let mut statement = connection.prepare_cached(text).map_err(refusal)?;
    statement.raw_execute().map(drop).map_err(refusal)
}

/// Whether the database can be read at all: a question that needs its file.
pub fn answers(connection: &Connection) -> Result<(), Refusal> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM sqlite_master")
        .map_err(refusal)?;
    statement.query_row([], |_| Ok(())).map_err(refusal)
}

/// Prepares a statement and binds its parameters.
fn prepare<'c>(
    connection: &'c Connection,
    statement: &Statement,
    bound: Bound<'_>,
) -> Result<CachedStatement<'c>, Refusal> {
    let mut prepared = connection.prepare_cached(&statement.text).map_err(refusal)?;
    for (place, bind) in statement.slots.iter().enumerate() {
        bind_one(&mut prepared, place + 1, bind, &bound).map_err(refusal)?;
    }
    Ok(prepared)
}

fn bind_one(
    prepared: &mut CachedStatement<'_>,
    place: usize,
    bind: &Bind,
    bound: &Bound<'_>,
) -> rusqlite::Result<()> {
    let values = &bound.values;
    match bind {
        Bind::Slot(slot) => match values.lend(slot) {
            Some(cell) => bind_cell(prepared, place, cell),
            None => bind_cell(prepared, place, &values.cell(slot)),
        },
        Bind::Text(slot, form) => bind_cell(prepared, place, &form.of(values.cell(slot))),
        Bind::Keys(_) => prepared.raw_bind_parameter(place, array_of(bound.keys)),
        Bind::Wanted => prepared.raw_bind_parameter(place, i64::try_from(bound.wanted).unwrap_or(i64::MAX)),
    }
}

fn bind_cell(prepared: &mut CachedStatement<'_>, place: usize, cell: &Cell) -> rusqlite::Result<()> {
    match cell {
        Cell::Null => prepared.raw_bind_parameter(place, rusqlite::types::Null),
        Cell::Integer(value) => prepared.raw_bind_parameter(place, value),
        Cell::Real(value) => prepared.raw_bind_parameter(place, value),
        Cell::Text(text) => prepared.raw_bind_parameter(place, text),
        Cell::Blob(bytes) => prepared.raw_bind_parameter(place, bytes),
    }
}

/// The keys as the array that the level is run over: bare values, or arrays of the parts of composite ones.
fn array_of(keys: &[Vec<Cell>]) -> String {
    let value = |key: &Vec<Cell>| match key.as_slice() {
        [one] => json_of(one),
        parts => parts.iter().map(json_of).collect(),
    };
    keys.iter().map(value).collect::<serde_json::Value>().to_string()
}
