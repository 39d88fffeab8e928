//! What is shown of rows: the fields and, within them, the levels below.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use rest_schema::{FieldId, Link, RelationId, ResourceId};
use xxhash_rust::xxh3::Xxh3;

use crate::model::Model;
use crate::plan::expr::Expr;
use crate::plan::lower::Kind;
use crate::plan::read::Term;

/// What is shown of a resource's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Level {
    /// Whose rows.
    pub resource: ResourceId,
    /// The fields, in the schema's order.
    pub fields: Vec<Shown>,
    /// The relations within.
    pub includes: Vec<Included>,
}

/// A [`Level`] that plans share. Its hash is worked out once: most requests ask for the same few.
#[derive(Debug, Clone)]
pub struct SharedLevel {
    level: Arc<Level>,
    hash: u64,
}

impl From<Level> for SharedLevel {
    fn from(level: Level) -> Self {
        let mut hasher = Xxh3::new();
        level.hash(&mut hasher);
        let hash = hasher.finish();
        Self {
            level: Arc::new(level),
            hash,
        }
    }
}

impl Deref for SharedLevel {
    type Target = Level;

    fn deref(&self) -> &Level {
        &self.level
    }
}

impl PartialEq for SharedLevel {
    fn eq(&self, other: &Self) -> bool {
        // An `Arc` of what is `Eq` compares by its pointer first.
        self.hash == other.hash && self.level == other.level
    }
}

impl Eq for SharedLevel {}

impl Hash for SharedLevel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// What is shown of each resource where a request doesn't say, for each kind of caller: worked out at start. `None`
/// where a field's `readable` rule may turn on who asks.
pub fn whole_levels(model: &Model, kind: Kind) -> Vec<Option<SharedLevel>> {
    let of = |(id, _)| {
        let ruled = model.rules(id).readable.iter().any(Option::is_some);
        let shown = |(field, _)| Shown {
            field,
            value: model
                .computed(field, kind)
                .cloned()
                .unwrap_or(Expr::Column(0, field)),
            guard: None,
        };
        let fields = model
            .fields(id)
            .filter(|(_, field)| field.is_shown())
            .map(shown)
            .collect();
        (!ruled).then(|| {
            SharedLevel::from(Level {
                resource: id,
                fields,
                includes: Vec::new(),
            })
        })
    };
    model.schema.resources().map(of).collect()
}

/// A field shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    /// Which.
    pub field: FieldId,
    /// Its value: a column, or what it is computed by.
    pub value: Expr,
    /// The rows in which it is shown; `None`: all.
    pub guard: Option<Expr>,
}

/// The member of an item, listed where a relation leads, that holds the pair by which it was found.
pub const THROUGH: &str = "through";

/// A relation shown within each row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Included {
    /// Which.
    pub relation: RelationId,
    /// Whether it is followed from its target back: a belongs_to of the row that is the pair by which a list of a
    /// relation found its items, shown in them as [`THROUGH`].
    pub back: bool,
    /// What is shown of its rows.
    pub level: Level,
    /// Which rows count: the read rule of theirs, as row 0.
    pub condition: Expr,
    /// Which pairs count, where those of a many-to-many are rows of a resource: a condition on such a row, row 1. Else
    /// TRUE.
    pub pairs: Expr,
    /// The order within a parent (to-many).
    pub order: Vec<Term>,
    /// The most rows within a parent (to-many).
    pub cap: u32,
}

impl Included {
    /// The member that holds it.
    pub fn name<'m>(&self, model: &'m Model) -> &'m str {
        if self.back {
            THROUGH
        } else {
            &model.relation(self.relation).name
        }
    }

    /// Whether a parent has one such row at most.
    pub fn is_to_one(&self, model: &Model) -> bool {
        self.back || model.relation(self.relation).kind.is_to_one()
    }

    /// The fields of the parent by which the rows are found.
    pub fn local(&self, model: &Model) -> Vec<FieldId> {
        match &model.relation(self.relation).link {
            Link::Keys { remote, .. } if self.back => remote.clone(),
            Link::Keys { local, .. } => local.clone(),
            Link::Join { local, .. } => local.iter().map(|join| join.field).collect(),
        }
    }

    /// The fields of the rows that have the values of the parent's; of those over pairs none do.
    pub fn remote<'m>(&self, model: &'m Model) -> Option<&'m [FieldId]> {
        match &model.relation(self.relation).link {
            Link::Keys { local, .. } if self.back => Some(local),
            Link::Keys { remote, .. } => Some(remote),
            Link::Join { .. } => None,
        }
    }
}
