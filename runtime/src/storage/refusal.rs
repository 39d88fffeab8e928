//! Why a statement, a read or a write did not come to its end.

use std::fmt;

use rest_schema::{FieldId, ResourceId};

use crate::cell::Cell;
use crate::problem::{Code, Fault, Problem};

/// Why a statement, a read or a write did not come to its end.
#[derive(Debug)]
pub enum Refusal {
    /// A refusal that is the client's to know, made where it was found.
    Problem(Problem),
    /// A stored value doesn't fit its field's type.
    StoredValue {
        /// The field.
        field: FieldId,
        /// The item's key; empty where nobody knows which of several it is.
        key: Vec<Cell>,
        /// What would have fitted.
        expected: &'static str,
    },
    /// The database is away, locked or full: 503, and by itself better later.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    /// The database ended it because of others at the same time, or of what has changed since: it may be run again.
    Again(Box<dyn std::error::Error + Send + Sync>),
    /// A read took more steps than an inline read may: it is run again, elsewhere.
    Overrun,
    /// Anything else.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => write!(f, "{}", problem.told()),
            Self::StoredValue { expected, .. } => write!(f, "a stored value is not {expected}"),
            Self::Unavailable(error) | Self::Again(error) | Self::Internal(error) => error.fmt(f),
            Self::Overrun => f.write_str("the read took too many steps"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Says which of several items it is about.
    #[must_use]
    pub fn of_one(self, model: &crate::model::Model, resource: ResourceId, key: &[Cell]) -> Self {
        let Self::Problem(problem) = self else { return self };
        let key: Vec<String> = key.iter().map(plain).collect();
        let collection = &model.resource(resource).collection;
        let which = format!("the item that is refused is {collection}/{}", key.join(","));
        let detail = format!("{}; {which}", problem.told());
        Self::Problem(problem.detail(detail))
    }

    /// As a client is told it.
    pub fn into_problem(self, model: &crate::model::Model) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::StoredValue { field, key, expected } => {
                let resource = &model.resource(field.resource).name;
                let name = &model.field(field).api_name;
                let key: Vec<String> = key.iter().map(plain).collect();
                Problem::new(Code::StoredValue).detail(match key.as_slice() {
                    [] => format!("a stored value of `{name}` in {resource} is not {expected}"),
                    key => format!(
                        "the stored value of `{name}` in {resource} {} is not {expected}",
                        key.join(",")
                    ),
                })
            }
            Self::Unavailable(error) | Self::Again(error) => {
                Problem::new(Code::Unavailable).retry_after(1).because(error)
            }
            Self::Overrun => {
                let detail = "the request took longer than one may here; ask for less, or by indexed fields";
                Problem::new(Code::Unavailable).detail(detail).retry_after(1)
            }
            Self::Internal(error) => Problem::internal(error),
        }
    }

    /// A conflict of one place in the body.
    pub fn conflict(fault: Fault) -> Self {
        Self::Problem(Problem::conflict(vec![fault]))
    }
}

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Integer(value) => value.to_string(),
        Cell::Real(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Blob(_) => "(bytes)".to_owned(),
    }
}
