//! What of a body only the rows can tell: what may be written, and which rows its keys name.

use rest_schema::{FieldId, RelationId};

use super::Steps;
use super::judge::Before;
use crate::cell::Cell;
use crate::plan::expr::Expr;
use crate::problem::{Code, Fault, Problem, words};
use crate::request::body::Pointer;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::connection::Connection;

impl<C: Connection> Steps<'_, C> {
    pub(super) fn is_shown(&self, field: u32, before: &Before) -> bool {
        let shown = self.engine().model.field(self.field(field)).is_shown();
        shown && before.may_read.get(field as usize).copied().flatten() != Some(false)
    }

    pub(super) fn check_writable(&self, changed: &[u32], before: &Before) -> Result<(), Refusal> {
        let closed: Vec<u32> = changed
            .iter()
            .copied()
            .filter(|field| before.may_write.get(*field as usize).copied().flatten() == Some(false))
            .collect();
        self.not_writable(&closed, &Pointer::root())
    }

    pub(super) fn not_writable(&self, fields: &[u32], at: &Pointer) -> Result<(), Refusal> {
        if fields.is_empty() {
            return Ok(());
        }
        let faults = fields.iter().map(|field| {
            let pointer = at.member(&self.engine().model.field(self.field(*field)).api_name);
            Fault::pointer(
                pointer.as_str().to_owned(),
                words::READONLY,
                "you may not set this in this item",
            )
        });
        Err(Refusal::Problem(Problem::new(Code::Forbidden).faults(faults)))
    }

    /// A foreign key in the body must name a row that the caller may read; a hidden one is told like a missing one.
    pub(super) async fn check_targets(
        &self,
        row: &[Cell],
        given: &[u32],
        at: &Pointer,
    ) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        for (relation, local) in self.foreign_keys() {
            let Some(named) = local.iter().find(|field| given.contains(&field.index)) else {
                continue;
            };
            let Some(key) = key_in(row, local) else { continue };
            if !self.has_target(relation, &key).await? {
                faults.push(self.no_such_item(at, *named, "no item that you may read has this key"));
            }
        }
        conflict(faults)
    }

    /// The belongs_tos of the resource, each with the fields that hold its key.
    pub(super) fn foreign_keys(&self) -> impl Iterator<Item = (RelationId, &[FieldId])> {
        let model = &self.engine().model;
        let resource = self.write.resource;
        let count = model.resource(resource).relations.len();
        (0u32..).take(count).filter_map(move |index| {
            let relation = RelationId { resource, index };
            Some((relation, model.foreign_key(relation)?))
        })
    }

    pub(super) fn no_such_item(&self, at: &Pointer, named: FieldId, detail: &str) -> Fault {
        let pointer = at.member(&self.engine().model.field(named).api_name);
        Fault::pointer(pointer, words::NO_SUCH_ITEM, detail)
    }

    pub(super) async fn has_target(&self, relation: RelationId, key: &[Cell]) -> Result<bool, Refusal> {
        let model = &self.engine().model;
        let target = model.relation(relation).target;
        let rule = model.rules(target).read.permit(&self.write.caller).condition();
        if rule == Expr::Boolean(false) {
            return Ok(false);
        }
        let statement = sql::target(model, relation, &rule);
        let found = self.first(&statement, key, &[], 0).await?;
        Ok(found.is_some())
    }
}

/// The key that these fields of a row hold; `None` where it leads nowhere.
pub(super) fn key_in(row: &[Cell], fields: &[FieldId]) -> Option<Vec<Cell>> {
    let cells = fields.iter().map(|field| row[field.index as usize].clone());
    let key: Vec<Cell> = cells.collect();
    (!key.contains(&Cell::Null)).then_some(key)
}

/// 409 where there are faults.
pub(super) fn conflict(faults: Vec<Fault>) -> Result<(), Refusal> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Problem(Problem::conflict(faults)))
    }
}
