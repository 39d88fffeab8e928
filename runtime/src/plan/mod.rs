//! Decides what a request means for the database: which rows, which columns, in which order.
//!
//! A plan knows the schema and the caller, and no SQL ([`crate::sql`] writes that) and no HTTP ([`crate::respond`]
//! does). It refuses what the schema or the caller's access doesn't allow. It is a value, so that tests can compare it.

pub mod access;
pub mod aggregate;
pub mod binding;
pub mod eval;
pub mod expr;
pub mod keeping;
pub mod level;
pub mod lower;
#[cfg(feature = "mutants")]
mod mutant;
pub mod read;
mod streamed;

use rest_schema::FieldId;

use crate::model::Model;
use crate::problem::{Code, Problem};

/// The refusal of what would tell values that some rows hide: an order, or what is worked out of all rows.
fn hidden_field(model: &Model, field: FieldId, parameter: &str) -> Problem {
    let name = &model.field(field).api_name;
    let (code, what) = match parameter {
        "sort" => (Code::NotSortable, "to sort by"),
        "group" => (Code::BadAggregate, "to group by"),
        _ => (Code::BadAggregate, "to work something out of"),
    };
    let detail = format!("{name} is not a field {what}: not every item shows it to you");
    Problem::new(code).parameter(parameter, code, detail)
}
