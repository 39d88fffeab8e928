//! The keys under which writes were sent.

use super::{Statements, run};
use crate::cell::Cell;
use crate::model::Model;
use crate::storage::Refusal;
use crate::storage::connection::Reading;
use crate::storage::once::Once;

/// What was sent under a key, and what it gave, if that is known.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn find_once<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    once: &Once,
) -> Result<Option<([u8; 32], Option<String>)>, Refusal> {
    let params = [id_of(once), Cell::Integer(once.now)];
    let found = run(connection, model, &state.find_once, &params, 2).await?;
    let Some([Cell::Blob(request), given]) = found.as_deref() else {
        return Ok(None);
    };
    let request = request.as_slice().try_into();
    let request = request.map_err(|error| Refusal::Internal(Box::new(error)))?;
    let given = match given {
        Cell::Text(given) => Some(given.clone()),
        _ => None,
    };
    Ok(Some((request, given)))
}

/// Takes a key for so many seconds, if it isn't taken, and forgets those whose time is over.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn claim_once<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    once: &Once,
    kept: i64,
) -> Result<bool, Refusal> {
    let now = Cell::Integer(once.now);
    run(connection, model, &state.forget_once, &[now], 0).await?;
    let until = Cell::Integer(once.now.saturating_add(kept));
    let params = [id_of(once), Cell::Blob(once.request.to_vec()), until];
    let claimed = run(connection, model, &state.claim_once, &params, 1).await?;
    Ok(claimed.is_some())
}

/// Keeps what a write gave under a key that is taken.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn keep_once<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    once: &Once,
    given: &str,
) -> Result<(), Refusal> {
    let params = [Cell::Text(given.to_owned()), id_of(once)];
    run(connection, model, &state.keep_once, &params, 0)
        .await
        .map(drop)
}

/// Gives a key back.
///
/// # Errors
///
/// Where the database refuses.
pub(crate) async fn release_once<C: Reading>(
    connection: &C,
    state: &Statements,
    model: &Model,
    once: &Once,
) -> Result<(), Refusal> {
    run(connection, model, &state.release_once, &[id_of(once)], 0)
        .await
        .map(drop)
}

fn id_of(once: &Once) -> Cell {
    Cell::Blob(once.id.to_vec())
}
