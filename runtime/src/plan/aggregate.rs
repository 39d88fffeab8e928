//! Plans of aggregates: what is worked out of the rows that a page would show, by groups.

use std::sync::Arc;

use rest_schema::{Aggregate, FieldId};

use crate::plan::expr::Expr;
use crate::plan::hidden_field;
use crate::plan::level::SharedLevel;
use crate::plan::read::{From, Planner, ReadPlan, Select, Shape};
use crate::problem::Problem;
use crate::request::aggregate::MAX_ITEMS;
use crate::request::{Aggregation, Path, Query};

/// What is worked out of rows, by groups.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Groups {
    /// Whose values make the groups; without any, all rows are one.
    pub by: Vec<Value>,
    /// What is told of each.
    pub terms: Vec<Term>,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Value {
    /// Its name, `author.username`.
    pub name: String,
    /// The field that it is a value of.
    pub field: FieldId,
    /// Where it is.
    pub expr: Expr,
}

/// What is told of a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// How it is worked out.
    pub function: Aggregate,
    /// Of which values; `None`: the rows are counted.
    pub of: Option<Value>,
}

impl Planner<'_> {
    /// What is worked out of the rows that a query finds.
    pub(super) fn groups(
        &self,
        level: SharedLevel,
        aggregation: &Aggregation,
        query: &Query,
        from: Option<&From>,
    ) -> Result<ReadPlan, Problem> {
        let resource = level.resource;
        let (condition, params) = self.which(resource, query, from)?;
        let by = aggregation.groups.iter().map(|path| self.of_row(path, "group"));
        let terms = aggregation.terms.iter().map(|term| {
            let of = term.path.as_ref().map(|path| self.of_row(path, "aggregate"));
            Ok(Term {
                function: term.function,
                of: of.transpose()?,
            })
        });
        let groups = Groups {
            by: by.collect::<Result<_, Problem>>()?,
            terms: terms.collect::<Result<_, Problem>>()?,
        };
        let shape = Arc::new(Shape {
            resource,
            level,
            condition,
            select: Select::Groups(groups),
        });
        Ok(ReadPlan {
            shape,
            params,
            limit: MAX_ITEMS,
            binding: 0,
            keeping: self.keeping_of(resource, query, from),
            format: query.format,
        })
    }

    /// A value of each row; from values that some rows hide nothing is worked out.
    fn of_row(&self, path: &Path, parameter: &'static str) -> Result<Value, Problem> {
        if !self.is_open(path.field) {
            return Err(hidden_field(self.model, path.field, parameter));
        }
        let steps = path.steps.iter().map(|step| &self.model.relation(*step).name);
        let names = steps.chain([&self.model.field(path.field).api_name]);
        Ok(Value {
            name: names.map(String::as_str).collect::<Vec<_>>().join("."),
            field: path.field,
            expr: self.value(path)?,
        })
    }
}
