//! Items that are made along with the one they belong to.

use std::sync::atomic::AtomicBool;

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
        if along.is_empty() {
            return Ok(());
        }
        let model = &self.engine().model;
        let own = &model.resource(self.write.resource).key.fields;
        let own = self.decode_fields(key, own.iter().copied(), key)?;
        for Along { relation, rows } in along {
            let way = model.relation(*relation);
            let at = at.member(&way.name);
            let write = self.write.along(way.target);
            let steps = Steps {
                write: &write,
                connection: self.connection,
                hooks_wrote: AtomicBool::new(false),
            };
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
}
