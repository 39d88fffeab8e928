//! The rows that names can mean at a point of a rule.

use crate::schema::{FieldId, Ref, RelationId, ResourceId, Row};

/// A row, or the row that to-one steps lead to from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) row: Row,
    pub(super) path: Vec<RelationId>,
    pub(super) resource: ResourceId,
}

impl Base {
    pub(super) fn row(row: Row, resource: ResourceId) -> Self {
        Self {
            row,
            path: Vec::new(),
            resource,
        }
    }

    /// A field of the row by its place.
    pub(super) fn field(&self, field: FieldId) -> Ref {
        Ref {
            row: self.row,
            path: self.path.clone(),
            field,
        }
    }
}

/// What names mean at a point of a rule.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// Bare names.
    pub(super) bare: Base,
    /// `this.x`: the row that the rule is about.
    pub(super) this: Base,
    /// `old.x`, where a row can have been another before.
    pub(super) old: Option<Base>,
    /// How many `exists` are around.
    pub(super) level: u8,
}

impl Scope {
    /// The row that a rule guards.
    pub(super) fn guarded(resource: ResourceId, has_old: bool) -> Self {
        let row = Base::row(Row::Level(0), resource);
        Self {
            bare: row.clone(),
            this: row,
            old: has_old.then(|| Base::row(Row::Old, resource)),
            level: 0,
        }
    }

    /// The condition of an `exists` whose rows are of `resource`.
    pub(super) fn inside_exists(&self, resource: ResourceId) -> Self {
        let level = self.level + 1;
        Self {
            bare: Base::row(Row::Level(level), resource),
            level,
            ..self.clone()
        }
    }

    /// The inside of another rule, which is about `base`. A related row doesn't change, so its `old` is itself.
    pub(super) fn inside_rule(&self, base: Base) -> Self {
        let old = if base == self.this {
            self.old.clone()
        } else {
            Some(base.clone())
        };
        Self {
            bare: base.clone(),
            this: base,
            old,
            level: self.level,
        }
    }
}
