//! The stages after the schema, to be looked at: plans, and the SQL they become.
//!
//! They are made as for a request, without a database: the first page and one item of each resource, for a caller who
//! isn't signed in and for one who is.

pub mod access;
pub mod security;

pub use crate::serve::explain::{Explained, Explanation, Ruled, Told};

use rest_schema::{Operation, ResourceId, Schema};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::codec::Columns;
use crate::migrate;
use crate::model::Model;
use crate::plan::read::{Planner, ReadPlan};
use crate::request::page::CursorKey;
use crate::request::{Query, Selection};
use crate::sql::condition::definition;
use crate::sql::dialect::{Dialect, numbered};
use crate::sql::select;

/// One read and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The resource's name.
    pub resource: String,
    /// `page` or `item`.
    pub read: &'static str,
    /// `anonymous` or `account`.
    pub caller: &'static str,
    /// The plan; `None` where the read is closed to the caller.
    pub plan: Option<String>,
    /// Its statements.
    pub sql: Vec<String>,
}

/// All reads of a schema.
pub fn reads(schema: &Schema, dialect: Dialect) -> Vec<Shown> {
    let model = Model::new(schema.clone(), Columns::ours(schema, dialect));
    let callers = [("anonymous", Caller::anonymous()), ("account", model.somebody())];
    let mut shown = Vec::new();
    for (id, resource) in schema.resources() {
        if resource.access.rule(Operation::Read).is_none() {
            continue;
        }
        for (name, caller) in &callers {
            let planner = Planner {
                model: &model,
                caller,
            };
            for read in ["page", "item"] {
                let plan = plan(&planner, id, read);
                shown.push(Shown {
                    resource: resource.name.clone(),
                    read,
                    caller: name,
                    sql: plan
                        .as_ref()
                        .map(|plan| statements(&model, plan))
                        .unwrap_or_default(),
                    plan: plan.map(|plan| format!("{:?}", plan.shape)),
                });
            }
        }
    }
    shown
}

/// The statements that make the tables, where they are ours.
pub fn tables(schema: &Schema, dialect: Dialect) -> Vec<String> {
    let model = Model::new(schema.clone(), Columns::ours(schema, dialect));
    migrate::create::statements(schema, dialect, &|rule| definition(&model, rule))
}

fn plan(planner: &Planner<'_>, id: ResourceId, read: &str) -> Option<ReadPlan> {
    let selection = Selection::default();
    if read == "item" {
        let parts = planner.model.resource(id).key.fields.len();
        return planner.item(id, vec![Cell::Null; parts], &selection).ok();
    }
    let query = Query {
        selection,
        ..Query::all(planner.model.schema.page.limit)
    };
    // No cursor is opened, so any key will do.
    planner.page(id, &query, &CursorKey::new([0; 32])).ok()
}

fn statements(model: &Model, plan: &ReadPlan) -> Vec<String> {
    let read = select::read(model, &plan.shape);
    read.segments
        .iter()
        .map(|statement| match model.columns.dialect {
            Dialect::Sqlite => statement.text.clone(),
            Dialect::Postgres => numbered(&statement.text),
        })
        .collect()
}
