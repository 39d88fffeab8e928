//! Errors of PostgreSQL, sorted into what can be done about them.

use std::collections::HashMap;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use super::address::causes;
use crate::storage::Refusal;
use crate::storage::constraint::{Broken, Context, of_only_expression, told};

/// The columns of each unique index: by table and name. An index over an expression has none there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uniques(pub HashMap<(String, String), Vec<Option<String>>>);

/// What can be done about an error.
pub fn refusal(error: Error) -> Refusal {
    let Some(state) = error.code() else {
        // No word of the server: the connection broke, or a value could not be sent.
        let told = causes(&error).into();
        return if is_unfit(&error) || error.to_string().contains("deserializ") {
            Refusal::Internal(told)
        } else {
            Refusal::Unavailable(told)
        };
    };
    let told = causes(&error).into();
    match *state {
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Refusal::Again(told),
        SqlState::QUERY_CANCELED => Refusal::Overrun,
        // A prepared statement that the server has forgotten, or whose tables have changed since.
        SqlState::INVALID_SQL_STATEMENT_NAME => Refusal::Again(told),
        SqlState::FEATURE_NOT_SUPPORTED if is_of_plan(&error) => Refusal::Again(told),
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Refusal::Unavailable(told),
        ref other if is_of_surroundings(other.code()) => Refusal::Unavailable(told),
        _ => Refusal::Internal(told),
    }
}

/// Whether a value can't be sent as the type that is asked for.
fn is_unfit(error: &Error) -> bool {
    error.code().is_none() && error.to_string().starts_with("error serializing")
}

/// `cached plan must not change result type`
fn is_of_plan(error: &Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|error| error.message().contains("cached plan"))
}

/// Connections (08), resources (53), the operator's interventions (57), the system (58).
fn is_of_surroundings(code: &str) -> bool {
    ["08", "53", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
}

/// Turns an error of a writing statement into what the client is told.
pub(super) fn refused(error: Error, context: Context<'_>, uniques: &Uniques) -> Refusal {
    if is_unfit(&error) {
        // A document that isn't the list of the column's members, which only the column's type tells.
        return told(Broken::Other(causes(&error).into()), context);
    }
    match error
        .as_db_error()
        .and_then(|error| broken(error, context, uniques))
    {
        Some(broken) => told(broken, context),
        None => refusal(error),
    }
}

fn broken(error: &DbError, context: Context<'_>, uniques: &Uniques) -> Option<Broken> {
    let of_this_table = error.table().is_some_and(|table| {
        let own = &context.model.resource(context.resource).table;
        own.rsplit('.').next() == Some(table)
    });
    let field = |column: &str| {
        let mut stored = context.model.stored(context.resource);
        stored
            .find(|(_, field)| of_this_table && field.column == column)
            .map(|(id, _)| id)
    };
    Some(match *error.code() {
        SqlState::UNIQUE_VIOLATION => {
            let name = error.constraint().unwrap_or_default().to_owned();
            let columns = uniques
                .0
                .get(&(error.table().unwrap_or_default().to_owned(), name));
            Broken::Unique(match columns {
                Some(columns) if columns.iter().any(Option::is_none) && of_this_table => {
                    of_only_expression(context.model.resource(context.resource))
                }
                Some(columns) => columns.iter().flatten().filter_map(|name| field(name)).collect(),
                None => Vec::new(),
            })
        }
        SqlState::NOT_NULL_VIOLATION => Broken::NotNull(error.column().and_then(field).into_iter().collect()),
        SqlState::FOREIGN_KEY_VIOLATION | SqlState::RESTRICT_VIOLATION => Broken::ForeignKey,
        SqlState::CHECK_VIOLATION => Broken::Check(error.constraint().unwrap_or_default().to_owned()),
        SqlState::EXCLUSION_VIOLATION
        | SqlState::RAISE_EXCEPTION
        | SqlState::INTEGRITY_CONSTRAINT_VIOLATION => Broken::Other(error.to_string().into()),
        // A value is too long or too great for its column, or no word of its enum: the schema allows more than the table.
        ref other if other.code().starts_with("22") => Broken::Other(error.to_string().into()),
        _ => return None,
    })
}

/// Whether a commit was refused by a constraint that is checked only there.
pub(super) fn is_constraint(error: &Error) -> bool {
    error.code().is_some_and(|state| state.code().starts_with("23"))
}
