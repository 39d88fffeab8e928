//! A database's refusal of a write, told by field.

use rest_schema::{Expr, Field, FieldId, IndexExpr, IndexTerm, Resource, ResourceId};
use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::model::Model;
use crate::problem::{Code, Fault, Problem, words};
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
            let faults = faults(
                &fields,
                words::NOT_NULL,
                "the database asks for a value here",
                context,
            );
            Refusal::Problem(Problem::invalid(faults))
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY if context.deleting => in_use(context),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Refusal::Problem(
            Problem::new(Code::Conflict).detail("the item refers to an item that isn't there"),
        ),
        ffi::SQLITE_CONSTRAINT_CHECK => check(message, context),
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

fn in_use(context: Context<'_>) -> Refusal {
    let detail = "other items still refer to this one";
    Refusal::conflict(Fault::pointer(context.at.as_str(), words::IN_USE, detail))
}

fn unique(message: &str, context: Context<'_>) -> Refusal {
    let fields = columns_of(message, context);
    let detail = if fields.len() > 1 {
        "another item has the same values here together"
    } else {
        "another item has this value"
    };
    let faults = faults(&fields, words::TAKEN, detail, context);
    if faults.is_empty() {
        return Refusal::Problem(Problem::new(Code::Conflict).detail(detail));
    }
    Refusal::Problem(Problem::conflict(faults))
}

/// `CHECK constraint failed: name`, or the condition itself where it has no name; that stays with us.
fn check(message: &str, context: Context<'_>) -> Refusal {
    let name = message.split_once(": ").map_or("", |(_, name)| name);
    let checks = &context.model.resource(context.resource).checks;
    let fault = match checks.iter().find(|check| check.name == name) {
        Some(check) => {
            let detail = check.message.clone();
            let detail = detail.unwrap_or_else(|| format!("the item must satisfy {}", check.rule.source));
            Fault::pointer(context.at.as_str(), check.name.clone(), detail)
        }
        None => {
            let detail = "the item breaks a condition of its table";
            Fault::pointer(context.at.as_str(), words::CHECK, detail)
        }
    };
    Refusal::Problem(Problem::invalid(vec![fault]))
}

/// A fault at each of the fields that a client may know of.
fn faults(fields: &[FieldId], code: &'static str, detail: &str, context: Context<'_>) -> Vec<Fault> {
    let shown = fields.iter().map(|field| context.model.field(*field));
    let fault = |field: &Field| {
        let pointer = context.at.member(&field.api_name);
        Fault::pointer(pointer, code, detail)
    };
    shown.filter(|field| !field.private).map(fault).collect()
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

/// The fields of the resource's unique index over expressions, where it has just one: by its name alone the database's
/// owner could mean any of several.
fn of_only_expression(resource: &Resource) -> Vec<FieldId> {
    let is_expression = |term: &IndexTerm| matches!(term.expr, IndexExpr::Expression(_));
    let mut all = resource
        .indexes
        .iter()
        .filter(|index| index.unique && index.terms.iter().any(is_expression));
    let (Some(index), None) = (all.next(), all.next()) else {
        return Vec::new();
    };
    let mut fields = Vec::new();
    for term in &index.terms {
        match &term.expr {
            IndexExpr::Field(field) => fields.push(*field),
            IndexExpr::Expression(rule) => own_fields(&rule.expr, &mut fields),
        }
    }
    fields.dedup();
    fields
}

fn own_fields(expr: &Expr, fields: &mut Vec<FieldId>) {
    match expr {
        Expr::Ref(reference) => fields.push(reference.field),
        Expr::Call(_, all) => all.iter().for_each(|part| own_fields(part, fields)),
        Expr::Negate(part) => own_fields(part, fields),
        Expr::Arithmetic(_, a, b) => {
            own_fields(a, fields);
            own_fields(b, fields);
        }
        _ => {}
    }
}
