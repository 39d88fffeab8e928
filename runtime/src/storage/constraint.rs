//! A database's refusal of a write, told by field.

use rest_schema::{FieldId, ResourceId};
use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::model::Model;
use crate::problem::{Code, Fault, Problem};
use crate::request::body::Pointer;
use crate::storage::Refusal;
use crate::storage::sqlite::connection::refusal;

/// What a write of one resource's row was doing.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The service.
    pub model: &'a Model,
    /// Whose row.
    pub resource: ResourceId,
    /// Where the row's object stands in the body.
    pub at: &'a Pointer,
    /// Whether the row was being deleted.
    pub deleting: bool,
}

/// Turns a driver's error of a writing statement into what the client is told.
pub fn told(error: rusqlite::Error, context: Context<'_>) -> Refusal {
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return refusal(error);
    };
    if failure.code != ErrorCode::ConstraintViolation {
        return refusal(error);
    }
    let message = message.as_deref().unwrap_or_default();
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            unique(message, context)
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            let fields = columns_of(message, context);
            conflict(fields, "required", "the database asks for a value here", context)
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY if context.deleting => in_use(),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Refusal::Problem(
            Problem::new(Code::Conflict).detail("the item refers to an item that isn't there"),
        ),
        ffi::SQLITE_CONSTRAINT_CHECK => check(message),
        _ => Refusal::Problem(
            Problem::new(Code::Conflict)
                .detail("the database refused the write by a rule of its own")
                .because(error),
        ),
    }
}

/// The refusal of a deferred constraint, which the database tells at the end and without a name.
pub fn at_commit() -> Refusal {
    Refusal::Problem(
        Problem::new(Code::Conflict)
            .detail("the item refers to an item that isn't there, or is referred to by one"),
    )
}

fn in_use() -> Refusal {
    Refusal::Problem(Problem::new(Code::Conflict).detail("other items still refer to this one"))
}

fn unique(message: &str, context: Context<'_>) -> Refusal {
    let fields = columns_of(message, context);
    let detail = if fields.len() > 1 {
        "another item has the same values here together"
    } else {
        "another item has this value"
    };
    conflict(fields, "taken", detail, context)
}

fn check(message: &str) -> Refusal {
    let name = message.rsplit(": ").next().unwrap_or_default();
    Refusal::Problem(Problem::new(Code::Conflict).detail(format!("the check `{name}` doesn't hold")))
}

fn conflict(fields: Vec<FieldId>, code: &'static str, detail: &str, context: Context<'_>) -> Refusal {
    let model = context.model;
    let shown: Vec<FieldId> = fields
        .into_iter()
        .filter(|field| !model.field(*field).private)
        .collect();
    if shown.is_empty() {
        return Refusal::Problem(Problem::new(Code::Conflict).detail(detail.to_owned()));
    }
    let fault = |field: FieldId| {
        let pointer = context.at.member(&model.field(field).api_name);
        Fault::pointer(pointer.as_str().to_owned(), code, detail)
    };
    Refusal::Problem(Problem::conflict(shown.into_iter().map(fault).collect()))
}

/// `UNIQUE constraint failed: users.username, users.email` → the fields; an index over expressions names itself only.
fn columns_of(message: &str, context: Context<'_>) -> Vec<FieldId> {
    let (model, resource) = (context.model, context.resource);
    let Some((_, columns)) = message.split_once(": ") else {
        return Vec::new();
    };
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
