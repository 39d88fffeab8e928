//! Items that are made along with the one they belong to.

use std::sync::atomic::AtomicBool;

use rest_schema::{FieldId, Value};

use super::Steps;
use crate::cell::Cell;
use crate::request::body::Pointer;
use crate::request::methods;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::validate::Along;

impl<C: Connection> Steps<'_, C> {
    /// Makes what belongs to the row of a key, by all steps of its own.
    pub(super) async fn create_along(
        &self,
        key: &[Cell],
        along: &[Along],
        at: &Pointer,
    ) -> Result<(), Refusal> {
        let model = &self.engine().model;
        for Along { relation, rows } in along {
            let way = model.relation(*relation);
            let at = at.member(&way.name);
            let write = self.write.along(way.target);
            let steps = Steps {
                write: &write,
                connection: self.connection,
                hooks_wrote: AtomicBool::new(false),
            };
            let own = self.decode_key(key)?;
            let back = methods::back(&model.schema, *relation);
            for (place, row) in rows.iter().enumerate() {
                let mut row = row.clone();
                for (part, field) in &back {
                    row.put(field.index, own[*part].clone());
                }
                let at = if way.kind.is_to_one() {
                    at.clone()
                } else {
                    at.index(place)
                };
                Box::pin(steps.create(&row, &at)).await?;
            }
        }
        Ok(())
    }

    /// The values of a key.
    fn decode_key(&self, key: &[Cell]) -> Result<Vec<Value>, Refusal> {
        let model = &self.engine().model;
        let fields = &model.resource(self.write.resource).key.fields;
        let unfit = |field: FieldId, expected| Refusal::StoredValue {
            field,
            key: key.to_vec(),
            expected,
        };
        let decode = |(field, cell): (&FieldId, &Cell)| {
            let value = model.codec(*field).decode(cell.as_ref());
            value.map_err(|wrong| unfit(*field, wrong.expected))
        };
        fields.iter().zip(key).map(decode).collect()
    }
}
