//! A database's refusal of a write, told by field.

use rest_schema::{Expr, Field, FieldId, IndexExpr, IndexTerm, Resource, ResourceId};

use crate::model::Model;
use crate::problem::{Code, Fault, Problem, words};
use crate::request::body::Pointer;
use crate::storage::Refusal;

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

/// A constraint that refused a row, as far as its database tells which.
#[derive(Debug)]
pub enum Broken {
    /// Another row has these fields' values; empty where it isn't known which.
    Unique(Vec<FieldId>),
    /// These fields were NULL.
    NotNull(Vec<FieldId>),
    /// A row that is pointed at isn't there, or one that is deleted is pointed at.
    ForeignKey,
    /// The condition of this name.
    Check(String),
    /// Something else: a trigger, an exclusion.
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// What the client is told of it.
pub fn told(broken: Broken, context: Context<'_>) -> Refusal {
    match broken {
        Broken::Unique(fields) => unique(&fields, context),
        Broken::NotNull(fields) => {
            let detail = "the database asks for a value here";
            let faults = faults(&fields, words::NOT_NULL, detail, context);
            Refusal::Problem(Problem::invalid(faults))
        }
        Broken::ForeignKey if context.deleting => in_use(context.at),
        Broken::ForeignKey => Refusal::Problem(
            Problem::new(Code::Conflict).detail("the item refers to an item that isn't there"),
        ),
        Broken::Check(name) => check(&name, context),
        Broken::Other(error) => Refusal::Problem(
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

/// The refusal of a delete, where others need the item.
pub fn in_use(at: &Pointer) -> Refusal {
    let detail = "other items still refer to this one";
    Refusal::conflict(Fault::pointer(at.as_str(), words::IN_USE, detail))
}

fn unique(fields: &[FieldId], context: Context<'_>) -> Refusal {
    let detail = if fields.len() > 1 {
        "another item has the same values here together"
    } else {
        "another item has this value"
    };
    let faults = faults(fields, words::TAKEN, detail, context);
    if faults.is_empty() {
        return Refusal::Problem(Problem::new(Code::Conflict).detail(detail));
    }
    Refusal::Problem(Problem::conflict(faults))
}

/// A condition that isn't the schema's own stays with us, whatever it is called.
fn check(name: &str, context: Context<'_>) -> Refusal {
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

/// The fields of the resource's unique index over expressions, where it has just one: by its name alone the database's
/// owner could mean any of several.
pub(super) fn of_only_expression(resource: &Resource) -> Vec<FieldId> {
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
