//! Rows that stay when they are deleted: marked with the moment, and brought back.
//!
//! What `on_delete` says holds for the mark as it does for the row: a row that others need isn't marked, and those that
//! go with it are marked with the same moment, by which they are known when it comes back. `set_null` has nothing to
//! do, for the row is still there.

use rest_schema::{FieldId, OnDelete, Operation, RelationId, ResourceId, Value};

use super::audit::Act;
use super::checks::{conflict, key_in};
use super::judge::Become;
use super::{Steps, not_found};
use crate::cell::Cell;
use crate::plan::access::is_there;
use crate::request::body::Pointer;
use crate::request::precondition::Preconditions;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::connection::{Connection, Every, First};
use crate::storage::constraint::{Context, in_use};
use crate::storage::job::Written;

/// Which way rows go along with the one they belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// They are deleted at a moment.
    Out,
    /// They come back, those that were deleted at it.
    Back,
}

impl<C: Connection> Steps<'_, C> {
    /// Marks a row as deleted, and all that goes with it.
    pub(super) async fn mark_deleted(
        &self,
        deleted: FieldId,
        key: &[Cell],
        cells: &[Cell],
    ) -> Result<(), Refusal> {
        let now = Value::Timestamp(self.write.now);
        let old = self.decode(key, cells)?;
        self.mark(deleted, now.clone(), key, cells, &old).await?;
        self.take_along(key, Way::Out, &now).await
    }

    /// `readable, deleted or not → 404 → 412 → what it belongs to is there → 409 → hooks → statement → 409 → hooks`
    pub(super) async fn restore(&self, key: &[Cell], expected: &Preconditions) -> Result<Written, Refusal> {
        let model = &self.engine().model;
        let deleted = model.resource(self.write.resource).kept.deleted;
        let before = self.pre_select(key, Operation::Restore, &[]).await?;
        let (Some(before), Some(deleted)) = (before, deleted) else {
            return Err(not_found());
        };
        let modified = self.modified(&before.cells);
        expected
            .hold_for(before.state, modified)
            .map_err(Refusal::Problem)?;
        let reader = &self.write.caller;
        let old = self.decode(key, &before.cells)?;
        let moment = &old[deleted.index as usize];
        if *moment == Value::Null {
            let output = self.unchanged(key, reader).await?;
            return self.written(key.to_vec(), false, output).await;
        }
        self.check_owners(&before.cells).await?;
        let was = self.was(key, &before.cells).await?;
        if self.is_hooked() {
            let after = self.changed(&before.cells, &[(deleted.index, Value::Null)]);
            let coming = self.coming_row(key, &after, |_| true)?;
            self.before(Operation::Restore, was.clone(), Some(coming)).await?;
        }
        self.mark(deleted, Value::Null, key, &before.cells, &old).await?;
        self.take_along(key, Way::Back, moment).await?;
        let output = self
            .post_select(key, Become::Unchanged, reader, &[], &Pointer::root())
            .await?;
        let output = self.after(Operation::Restore, key, was, output, reader).await?;
        self.written(key.to_vec(), false, output).await
    }

    /// Sets the mark of one row, or takes it away.
    async fn mark(
        &self,
        deleted: FieldId,
        mark: Value,
        key: &[Cell],
        cells: &[Cell],
        old: &[Value],
    ) -> Result<(), Refusal> {
        let act = if mark == Value::Null {
            Act::Restored
        } else {
            Act::Deleted
        };
        let mut set = vec![(deleted.index, mark)];
        set.extend(self.kept(old));
        let changed: Vec<u32> = set.iter().map(|(field, _)| *field).collect();
        let after = self.changed(cells, &set);
        let (statement, params) = self.update_of(key, &changed, &after);
        let at = Pointer::root();
        self.write_row(&statement, &params, self.context(&at, false), &mut First::of(0))
            .await?;
        self.log(self.write.resource, act, key, [Some(cells), Some(&after)])
            .await
    }

    /// What it belongs to has to be there, else it would come back to where nothing is; what `set_null` lets go needn't.
    async fn check_owners(&self, row: &[Cell]) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let mut faults = Vec::new();
        for (relation, local) in self.foreign_keys() {
            let owner = model.relation(relation);
            let keeps_deleted = model.resource(owner.target).kept.deleted.is_some();
            let may_be_gone = keeps_deleted && owner.on_delete != OnDelete::SetNull;
            let Some(key) = key_in(row, local).filter(|_| may_be_gone) else {
                continue;
            };
            let statement = sql::target(model, relation, &is_there(&model.schema, owner.target));
            if self.first(&statement, &key, &[], 0).await?.is_none() {
                let detail = "what it belongs to was deleted; restore that first";
                faults.push(self.no_such_item(&Pointer::root(), local[0], detail));
            }
        }
        conflict(faults)
    }

    /// All that goes with a row, and with what goes with it.
    async fn take_along(&self, key: &[Cell], way: Way, moment: &Value) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let mut owners: Vec<(ResourceId, Vec<Cell>)> = vec![(self.write.resource, key.to_vec())];
        while let Some((owner, key)) = owners.pop() {
            for relation in model.schema.pointing_at(owner) {
                match (model.relation(relation).on_delete, way) {
                    (OnDelete::Restrict, Way::Out) => self.refuse_needed(relation, &key).await?,
                    (OnDelete::Cascade, _) => {
                        let gone = self.take(relation, &key, way, moment).await?;
                        owners.extend(gone.into_iter().map(|key| (relation.resource, key)));
                    }
                    (OnDelete::Restrict, Way::Back) | (OnDelete::SetNull, _) => {}
                }
            }
        }
        Ok(())
    }

    /// A row that others need isn't deleted.
    async fn refuse_needed(&self, relation: RelationId, key: &[Cell]) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let statement = sql::dependent(model, relation);
        match self.first(&statement, key, &[], 0).await? {
            Some(_) => Err(in_use(&Pointer::root())),
            None => Ok(()),
        }
    }

    /// Marks the rows that belong to one, or takes their marks away; gives their keys.
    async fn take(
        &self,
        relation: RelationId,
        owner: &[Cell],
        way: Way,
        moment: &Value,
    ) -> Result<Vec<Vec<Cell>>, Refusal> {
        let model = &self.engine().model;
        let resource = relation.resource;
        let Some(deleted) = model.resource(resource).kept.deleted else {
            return Err(Refusal::Internal(
                "what goes with a deleted row keeps no mark".into(),
            ));
        };
        let mut params = owner.to_vec();
        // As this table keeps it.
        let mark = model.codec(deleted).encode(moment);
        params.push(mark.clone());
        if let Some(updated) = model.resource(resource).kept.updated {
            let now = Value::Timestamp(self.write.now);
            params.push(model.codec(updated).encode(&now));
        }
        let statement = sql::mark_dependents(model, relation, deleted, way == Way::Back);
        let at = Pointer::root().member(&model.resource(resource).collection);
        let context = Context {
            model,
            resource,
            at: &at,
            deleting: false,
        };
        let mut keys = Every::of(model.resource(resource).key.fields.len());
        self.write_row(&statement, &params, context, &mut keys).await?;
        let there = vec![Cell::Null; model.resource(resource).fields.len()];
        let mut gone = there.clone();
        gone[deleted.index as usize] = mark;
        let (act, change) = match way {
            Way::Out => (Act::Deleted, [&there, &gone]),
            Way::Back => (Act::Restored, [&gone, &there]),
        };
        for key in &keys.found {
            self.log(resource, act, key, change.map(|row| Some(row.as_slice())))
                .await?;
        }
        Ok(keys.found)
    }
}
