//! The program's own code among the steps of a write.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rest_schema::{FieldId, Operation, Value};

use super::Steps;
use super::inside::{Depth, Inside};
use crate::caller::Caller;
use crate::cell::Cell;
use crate::hook::{Moment, RawChange, Row, Tx};
use crate::plan::read::{Select, Shape};
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::storage::read;
use crate::storage::rows::Output;
use crate::typed::Binding;

impl<C: Connection> Steps<'_, C> {
    pub(super) fn is_hooked(&self) -> bool {
        !self.engine().hooks.of(self.write.resource).is_empty()
    }

    /// The row before, where somebody looks at it.
    pub(super) async fn was(&self, key: &[Cell], cells: &[Cell]) -> Result<Option<Arc<Row>>, Refusal> {
        if !self.is_hooked() {
            return Ok(None);
        }
        let row = self.whole_row(key, cells).await?;
        Ok(Some(Arc::new(row)))
    }

    /// The hooks before the statement.
    pub(super) async fn before(
        &self,
        operation: Operation,
        was: Option<Arc<Row>>,
        coming: Option<Row>,
    ) -> Result<(), Refusal> {
        match self.change(operation, was, coming) {
            Some(change) => self.hooks(Moment::Before, &change).await,
            None => Ok(()),
        }
    }

    /// The hooks after the statement; what they see is what they are told after the commit.
    pub(super) async fn within(
        &self,
        operation: Operation,
        was: Option<Arc<Row>>,
        is: Option<Row>,
    ) -> Result<(), Refusal> {
        let Some(change) = self.change(operation, was, is) else {
            return Ok(());
        };
        self.write.changes.add(self.write.resource, change.clone());
        self.hooks(Moment::Within, &change).await
    }

    /// The same for a row that is there, which is read again where hooks wrote: they may have changed it too.
    pub(super) async fn after(
        &self,
        operation: Operation,
        key: &[Cell],
        was: Option<Arc<Row>>,
        output: Output,
        reader: &Caller,
    ) -> Result<Output, Refusal> {
        if !self.is_hooked() {
            return Ok(output);
        }
        let is = self.whole_row(key, &self.row_of(&output)).await?;
        self.within(operation, was, Some(is)).await?;
        if self.hooks_wrote.load(Ordering::Relaxed) {
            self.unchanged(key, reader).await
        } else {
            Ok(output)
        }
    }

    /// Runs the hooks of a moment in the order in which they were added; the first failure ends it.
    async fn hooks(&self, moment: Moment, change: &RawChange) -> Result<(), Refusal> {
        let write = self.write;
        let inside = self.inside();
        for hooked in write.engine.hooks.of(write.resource) {
            let name = || format!("the hook `{}` by {}", moment.name(), hooked.name);
            let (mut tx, asked) = Tx::new(&write.engine, change.caller.clone(), write.now);
            let mut running = hooked.hooks.run(moment, &hooked.binding, &mut tx, change);
            inside.drive(&name, running.as_mut(), asked).await?;
        }
        if inside.has_written() {
            self.hooks_wrote.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn inside(&self) -> Inside<'_, C> {
        let write = self.write;
        Inside::new(
            &write.engine,
            self.connection,
            Depth {
                now: write.now,
                writes: write.depth,
                changes: &write.changes,
                threads: write.threads.as_ref(),
            },
        )
    }

    /// The change as hooks see it; `None` where there are none.
    fn change(
        &self,
        operation: Operation,
        before: Option<Arc<Row>>,
        after: Option<Row>,
    ) -> Option<RawChange> {
        self.is_hooked().then(|| RawChange {
            operation,
            before,
            after: after.map(Arc::new),
            caller: self.write.caller.clone(),
        })
    }

    /// A stored row as hooks see it: its columns, and what their structs compute of it.
    async fn whole_row(&self, key: &[Cell], cells: &[Cell]) -> Result<Row, Refusal> {
        let model = &self.engine().model;
        let values = self.decode(key, cells)?;
        let mut row: Row = model
            .fields(self.write.resource)
            .zip(values)
            .map(|((_, field), value)| field.is_stored().then_some(value))
            .collect();
        for hooked in self.engine().hooks.of(self.write.resource) {
            if hooked.binding.has_computed {
                let values = self.values_of(&hooked.binding, key).await?;
                for (field, value) in hooked.binding.fields().zip(values) {
                    row[field.index as usize] = Some(value);
                }
            }
        }
        Ok(row)
    }

    /// A row that isn't stored as it is yet: what is computed of it isn't known, nor what the database decides.
    pub(super) fn coming_row(
        &self,
        key: &[Cell],
        cells: &[Cell],
        is_known: impl Fn(u32) -> bool,
    ) -> Result<Row, Refusal> {
        let model = &self.engine().model;
        let known = |(id, field): (FieldId, &rest_schema::Field)| field.is_stored() && is_known(id.index);
        let values = self.decode(key, cells)?;
        let fields = model.fields(self.write.resource).zip(values);
        Ok(fields
            .map(|(field, value)| known(field).then_some(value))
            .collect())
    }

    /// The values that a struct is made of, of the row as it is now.
    pub(super) async fn values_of(&self, binding: &Binding, key: &[Cell]) -> Result<Vec<Value>, Refusal> {
        let shape = Arc::new(Shape {
            resource: binding.resource,
            level: binding.level(&self.engine().model, &self.write.caller),
            condition: sql::key_of(&self.engine().model, binding.resource),
            select: Select::Item { flags: Vec::new() },
        });
        let compiled = self.engine().compiled(&shape);
        let values = self.values(key, &[], &self.write.caller);
        let mut found = read::find(self.connection, &compiled.read, values, 1).await?;
        found
            .rows
            .pop()
            .ok_or_else(|| Refusal::Internal("the row is gone after it was written".into()))
    }
}
