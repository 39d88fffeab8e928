//! What a row that is made gets beside what is given, and who counts as its maker.

use jiff::Timestamp;
use rest_schema::{FieldId, FieldType, Value};

use super::Steps;
use crate::caller::Caller;
use crate::cell::Cell;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::validate::New;

impl<C: Connection> Steps<'_, C> {
    /// By field: its stored form, where it is known.
    pub(super) fn encode_new(&self, new: &New) -> Vec<Option<Cell>> {
        let model = &self.engine().model;
        model
            .fields(self.write.resource)
            .map(|(id, field)| {
                let value = new.values[id.index as usize].as_ref()?;
                field.is_stored().then(|| model.codec(id).encode(value))
            })
            .collect()
    }

    /// Defaults that are expressions over the new row, in the order of the schema.
    pub(super) async fn fill_by_expression(
        &self,
        new: &New,
        given: &mut [Option<Cell>],
    ) -> Result<(), Refusal> {
        let model = &self.engine().model;
        for (id, _) in model.stored(self.write.resource) {
            let place = id.index as usize;
            let Some(default) = &model.rules(self.write.resource).defaults[place] else {
                continue;
            };
            if new.values[place].is_some() {
                continue;
            }
            let row: Vec<Cell> = given
                .iter()
                .map(|cell| cell.clone().unwrap_or(Cell::Null))
                .collect();
            let statement = sql::value(model, default.of_caller(&self.write.caller), id);
            let found = self.first(&statement, &[], &row, 1).await?;
            given[place] = found.and_then(|mut cells| cells.pop());
        }
        Ok(())
    }

    /// What the service itself changes in a row that changes: by field, from the row as it is.
    pub(super) fn kept(&self, old: &[Value]) -> Vec<(u32, Value)> {
        let kept = &self.engine().model.resource(self.write.resource).kept;
        let raised = |field: FieldId| {
            let greatest = match self.engine().model.field(field).ty {
                FieldType::Integer => i64::from(i32::MAX),
                _ => i64::MAX,
            };
            let version = match old.get(field.index as usize) {
                Some(Value::Integer(version)) if *version < greatest => version + 1,
                // Other programs may have left it out; and a count has an end.
                _ => 1,
            };
            (field.index, Value::Integer(version))
        };
        let changed = |field: FieldId| (field.index, Value::Timestamp(self.write.now));
        let version = kept.version.map(raised);
        version.into_iter().chain(kept.updated.map(changed)).collect()
    }

    /// When a row was last changed, where the service keeps that.
    pub(super) fn modified(&self, cells: &[Cell]) -> Option<Timestamp> {
        let model = &self.engine().model;
        let field = model.resource(self.write.resource).kept.updated?;
        let cell = cells.get(field.index as usize)?;
        match model.codec(field).decode(cell.as_ref()) {
            Ok(Value::Timestamp(moment)) => Some(moment),
            _ => None,
        }
    }

    /// Whoever makes an account without having one counts as the account just made.
    pub(super) async fn maker(&self, key: &[Cell]) -> Result<Caller, Refusal> {
        let model = &self.engine().model;
        let is_account = model
            .schema
            .accounts
            .as_ref()
            .is_some_and(|accounts| accounts.resource == self.write.resource);
        if !is_account || self.write.caller.account.is_some() {
            return Ok(self.write.caller.clone());
        }
        let statement = sql::columns(model, self.write.resource, &model.me_fields);
        let found = self.first(&statement, key, &[], model.me_fields.len()).await?;
        Ok(Caller {
            account: found.map(|cells| model.account(self.write.resource, cells)),
            ..self.write.caller.clone()
        })
    }
}
