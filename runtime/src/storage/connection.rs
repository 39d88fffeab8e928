//! What the engine asks of a database, whichever it is: statements run on a connection, their rows taken one after
//! another.
//!
//! What is above this is written once, as `async fn`s over [`Reading`] and [`Connection`]. SQLite's are ready at once, and [`driven`]
//! drives them on the thread that they are on; PostgreSQL's are awaited.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context as Polling, Poll, Waker};

use crate::cell::{Cell, CellRef};
use crate::sql::Statement;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::constraint::Context;

/// A row that a driver lends.
pub trait Row {
    /// Lends a column.
    ///
    /// # Errors
    ///
    /// Where there is no such column, or the driver gives what no codec could read.
    fn cell(&self, column: usize) -> Result<CellRef<'_>, Refusal>;
}

/// Takes the rows of a statement.
pub trait Take {
    /// Takes a row; with `Break` no further one is wanted.
    ///
    /// # Errors
    ///
    /// Where the row can't be what was asked for; that ends the statement.
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal>;
}

/// What the parameters of one run are.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The values of its slots.
    pub values: Values<'a>,
    /// The keys of the level above.
    pub keys: &'a [Vec<Cell>],
    /// The number of rows that are wanted.
    pub wanted: usize,
}

impl<'a> From<Values<'a>> for Bound<'a> {
    fn from(values: Values<'a>) -> Self {
        Self {
            values,
            keys: &[],
            wanted: 0,
        }
    }
}

/// What can be read from.
pub trait Reading {
    /// Runs a statement, and takes its rows.
    fn each<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> impl Future<Output = Result<(), Refusal>>;
}

/// A connection that a transaction has for itself.
pub trait Connection: Reading {
    /// Runs a statement that writes one row, to its end, and says how many it has written. A constraint that refuses it
    /// is told by field.
    fn change<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        context: Context<'_>,
        take: &mut T,
    ) -> impl Future<Output = Result<u64, Refusal>>;

    /// Runs a statement without parameters or rows, in words that all databases know: `SAVEPOINT nested`.
    fn execute(&self, text: &'static str) -> impl Future<Output = Result<(), Refusal>>;

    /// From now on the transaction checks foreign keys at its end.
    fn defer_foreign_keys(&self) -> impl Future<Output = Result<(), Refusal>>;

    /// Whether a statement goes out as soon as it is run, so that one that is run beside it comes after it. To be false is
    /// always right.
    fn goes_out_at_once(&self, statement: &Statement) -> bool;

    /// Whether the transaction was ended from within: by a trigger's `RAISE(ROLLBACK)`, by a full disk.
    fn is_lost(&self) -> bool;
}

/// Runs to its end what never waits.
///
/// # Errors
///
/// What it gives; and where it waits after all.
pub fn driven<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let mut context = Polling::from_waker(Waker::noop());
    match pin!(work).poll(&mut context) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Refusal::Internal("a statement of SQLite waits".into())),
    }
}

/// The cells at the beginning of the first row.
#[derive(Debug)]
pub struct First {
    columns: usize,
    /// `None` where there was no row.
    pub found: Option<Vec<Cell>>,
}

impl First {
    /// So many cells.
    pub fn of(columns: usize) -> Self {
        Self { columns, found: None }
    }
}

impl Take for First {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        if self.found.is_some() {
            return Ok(ControlFlow::Break(()));
        }
        let cells = (0..self.columns).map(|column| Ok(row.cell(column)?.to_owned()));
        self.found = Some(cells.collect::<Result<_, Refusal>>()?);
        Ok(ControlFlow::Continue(()))
    }
}

/// The cells at the beginning of every row.
#[derive(Debug)]
pub struct Every {
    columns: usize,
    /// By row.
    pub found: Vec<Vec<Cell>>,
}

impl Every {
    /// So many cells of each.
    pub fn of(columns: usize) -> Self {
        Self {
            columns,
            found: Vec::new(),
        }
    }
}

impl Take for Every {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        let cells = (0..self.columns).map(|column| Ok(row.cell(column)?.to_owned()));
        self.found.push(cells.collect::<Result<_, Refusal>>()?);
        Ok(ControlFlow::Continue(()))
    }
}

/// Copies columns of a row.
///
/// # Errors
///
/// As [`Row::cell`].
pub fn cells(row: &impl Row, columns: &[usize]) -> Result<Vec<Cell>, Refusal> {
    columns
        .iter()
        .map(|column| Ok(row.cell(*column)?.to_owned()))
        .collect()
}

/// A condition asked for as a column: TRUE, FALSE or NULL.
///
/// # Errors
///
/// As [`Row::cell`].
pub fn flag(row: &impl Row, column: usize) -> Result<Option<bool>, Refusal> {
    Ok(match row.cell(column)? {
        CellRef::Integer(value) => Some(value != 0),
        CellRef::Real(value) => Some(value != 0.0),
        CellRef::Null | CellRef::Text(_) | CellRef::Blob(_) => None,
    })
}

/// A number asked for as a column; 0 for what is none.
///
/// # Errors
///
/// As [`Row::cell`].
pub fn number(row: &impl Row, column: usize) -> Result<i64, Refusal> {
    Ok(match row.cell(column)? {
        CellRef::Integer(value) => value,
        CellRef::Null | CellRef::Real(_) | CellRef::Text(_) | CellRef::Blob(_) => 0,
    })
}
