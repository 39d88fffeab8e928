//! What a client asks, read from HTTP: parameters and bodies against the schema. Pure; refuses with 400, 406, 413, 415.
//!
//! Nothing here knows the caller but through [`Visible`]: a field that he may never read doesn't exist for him, and
//! its name is answered exactly like a name that was never in the schema.

pub mod aggregate;
pub mod body;
pub mod condition;
pub mod filter;
#[cfg(test)]
mod fixture;
pub mod idempotency;
mod include;
pub(crate) mod methods;
mod names;
pub mod negotiate;
pub mod page;
pub mod precondition;
pub mod prefer;
pub mod query;
pub mod search;
pub mod sort;

use crate::plan::access::Which;
use crate::respond::format::Format;
pub use aggregate::Aggregation;
pub use condition::Condition;
pub use rest_schema::operators::Operator;
use rest_schema::{FieldId, Relation, RelationId, ResourceId, Schema, Value};

/// Whether a field exists for this caller.
pub type Visible<'a> = dyn Fn(FieldId) -> bool + 'a;

/// The relations of a resource that exist for somebody.
pub(crate) fn relations(schema: &Schema, resource: ResourceId) -> impl Iterator<Item = &Relation> {
    let visible: &'static Visible<'static> = &|_| true;
    let names = names::Names { schema, visible };
    let all: Vec<&Relation> = names.relations(resource).map(|(_, relation)| relation).collect();
    all.into_iter()
}

/// Whether a relation exists for somebody to whom these fields do.
pub(crate) fn names_relation(schema: &Schema, relation: RelationId, visible: &Visible) -> bool {
    let names = names::Names { schema, visible };
    let name = &schema.relation(relation).name;
    names.relation(relation.resource, name).is_some()
}

/// What is asked of a collection (or, without filters, sort and page, of an item).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// All must hold.
    pub filters: Vec<Condition>,
    /// The text of a full-text search, by which they are filtered as well.
    pub search: Option<String>,
    /// As asked; empty: the resource's own order.
    pub sort: Vec<SortTerm>,
    /// Where the page begins.
    pub page: Page,
    /// Items on the page, 1 to the schema's maximum; in a stream that has no limit, the greatest number.
    pub limit: u32,
    /// Whether `page.total` is asked for.
    pub count: bool,
    /// What is shown of each item.
    pub selection: Selection,
    /// What is worked out of the items instead of showing them.
    pub aggregation: Option<Aggregation>,
    /// The form in which it is answered.
    pub format: Format,
}

impl Query {
    /// All items in the resource's own order, but for the most on a page.
    pub fn all(limit: u32) -> Self {
        Self {
            filters: Vec::new(),
            search: None,
            sort: Vec::new(),
            page: Page::First,
            limit,
            count: false,
            selection: Selection::default(),
            aggregation: None,
            format: Format::Json,
        }
    }
}

/// One filter parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What it looks at.
    pub path: Path,
    /// How.
    pub operator: Operator,
    /// One value; several for `in` and `nin`; none for `null`.
    pub values: Vec<Value>,
}

/// A field, reached by steps of any kind from the resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// Relations, possibly none.
    pub steps: Vec<RelationId>,
    /// The field at the end.
    pub field: FieldId,
}

/// One term of the order asked for; its path has to-one steps only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortTerm {
    /// What it looks at.
    pub path: Path,
    /// From the greatest.
    pub descending: bool,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// At the beginning.
    First,
    /// After (or before) a place in the order: the text of `cursor=`, not yet opened.
    Cursor(String),
    /// `page=N`, from 1.
    Number(u32),
}

/// What is shown of an item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The fields named, in the order of the schema; `None`: all that may be read.
    pub fields: Option<Vec<FieldId>>,
    /// Relations shown within, in the order first named.
    pub includes: Vec<Include>,
    /// Which items, where the resource keeps those that were deleted; those shown within are always there.
    pub which: Which,
}

impl Selection {
    /// Nothing: whether the item is there is all that is asked.
    pub fn nothing() -> Self {
        Self {
            fields: Some(Vec::new()),
            ..Self::default()
        }
    }
}

/// A relation shown within an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Which.
    pub relation: RelationId,
    /// What is shown of its items.
    pub selection: Selection,
}
