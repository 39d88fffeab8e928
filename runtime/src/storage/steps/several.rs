//! PATCH and DELETE of all that match: each row by the steps of one, all or none.

use super::Steps;
use crate::cell::Cell;
use crate::plan::expr::Expr;
use crate::request::precondition::Preconditions;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::storage::job::{Done, Written};
use crate::validate::Update;

/// Rows that were found by a condition, and what becomes of each.
#[derive(Debug)]
pub struct Several {
    /// In the order of their keys.
    pub rows: Vec<(Vec<Cell>, Change)>,
    /// What they were found by. A row for which it doesn't hold any more is let be, as one is that has gone.
    pub condition: Expr,
    /// The condition's parameters.
    pub params: Vec<Cell>,
}

/// What becomes of one of several rows.
#[derive(Debug)]
pub enum Change {
    /// It is changed.
    Update(Box<Update>),
    /// It is deleted.
    Delete,
}

impl<C: Connection> Steps<'_, C> {
    pub(super) async fn several(&self, several: &Several) -> Result<Done, Refusal> {
        let model = &self.engine().model;
        let count = several.params.len();
        let holds = sql::holds(model, self.write.resource, &several.condition, count);
        let whatever_it_is = Preconditions::default();
        let mut written = Vec::with_capacity(several.rows.len());
        for (key, change) in &several.rows {
            let params = [several.params.as_slice(), key].concat();
            if self.first(&holds, &params, &[], 0).await?.is_none() {
                continue;
            }
            let done = match change {
                Change::Update(update) => self.update(key, update, None, &whatever_it_is).await,
                Change::Delete => self.delete(key, &whatever_it_is).await.map(|_| Written {
                    key: key.clone(),
                    created: false,
                    item: None,
                    values: None,
                }),
            };
            written.push(done.map_err(|refusal| refusal.of_one(model, self.write.resource, key))?);
        }
        Ok(Done::Items(written))
    }
}
