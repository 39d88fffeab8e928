//! A constraint of SQLite that refused a row, told by field.

use rest_schema::FieldId;
use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::storage::Refusal;
use crate::storage::constraint::{Broken, Context, of_only_expression, told};
use crate::storage::sqlite::connection::refusal;

/// Turns an error of a writing statement into what the client is told.
pub fn refused(error: rusqlite::Error, context: Context<'_>) -> Refusal {
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return refusal(error);
    };
    if failure.code != ErrorCode::ConstraintViolation {
        return refusal(error);
    }
    let message = message.as_deref().unwrap_or_default();
    let broken = match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Broken::Unique(columns_of(message, context))
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => Broken::NotNull(columns_of(message, context)),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Broken::ForeignKey,
        // `CHECK constraint failed: name`, or the condition itself where it has no name.
        ffi::SQLITE_CONSTRAINT_CHECK => {
            let name = message.split_once(": ").map_or("", |(_, name)| name);
            Broken::Check(name.to_owned())
        }
        _ => Broken::Other(Box::new(error)),
    };
    told(broken, context)
}

/// `UNIQUE constraint failed: users.username, users.email` → the fields; an index over expressions names itself only.
fn columns_of(message: &str, context: Context<'_>) -> Vec<FieldId> {
    let (model, resource) = (context.model, context.resource);
    let Some((_, columns)) = message.split_once(": ") else {
        return Vec::new();
    };
    if columns.starts_with("index '") {
        return of_only_expression(model.resource(resource));
    }
    columns
        .split(", ")
        .filter_map(|column| column.rsplit_once('.').map(|(_, column)| column))
        .filter_map(|column| {
            model
                .stored(resource)
                .find(|(_, field)| field.column == column)
                .map(|(field, _)| field)
        })
        .collect()
}
