//! The log of changes, `rest_audit`: lines are added and never changed.

use jiff::Timestamp;
use rest_schema::Value;

use super::{Statements, run, text_of};
use crate::cell::Cell;
use crate::codec::Codec;
use crate::model::Model;
use crate::storage::Refusal;
use crate::storage::connection::Reading;

/// A line of the log.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The moment of the request.
    pub(crate) at: Timestamp,
    /// The key of who did it; `None`: nobody who was signed in, or the program by itself.
    pub(crate) account: Option<Vec<Cell>>,
    /// The token it was done with.
    pub(crate) token: Option<i64>,
    /// `create`, `update`, `delete`, `restore`, `link` or `unlink`.
    pub(crate) done: &'static str,
    /// The name of the resource.
    pub(crate) resource: &'a str,
    /// The key of the row.
    pub(crate) key: &'a [Cell],
    /// JSON objects of what was, and of what is.
    pub(crate) change: [Option<String>; 2],
}

/// Adds a line.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn log<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    line: Line<'_>,
) -> Result<(), Refusal> {
    let [before, after] = line.change.map(|text| text.map_or(Cell::Null, Cell::Text));
    let params = [
        Codec::Text.encode(&Value::Timestamp(line.at)),
        line.account.as_deref().map_or(Cell::Null, text_of),
        line.token.map_or(Cell::Null, Cell::Integer),
        Cell::Text(line.done.to_owned()),
        Cell::Text(line.resource.to_owned()),
        text_of(line.key),
        before,
        after,
    ];
    run(connection, model, &state.log, &params, 0).await.map(drop)
}
