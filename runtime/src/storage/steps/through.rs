//! Pairs that are rows of a resource: written at the address of a pair, by that resource's own steps.

use super::{Steps, not_found};
use crate::cell::Cell;
use crate::problem::{Code, Fault};
use crate::request::precondition::Preconditions;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::storage::job::Done;
use crate::storage::steps::Pair;
use crate::validate::{New, Update};

/// What becomes of a row that is a pair.
#[derive(Debug)]
pub struct Paired {
    /// The pair; the write is of the resource whose rows the pairs are.
    pub pair: Pair,
    /// What the caller expects of the item in the address.
    pub expected: Preconditions,
    /// The key of the row as it was found before, for the program's own code; empty where there was none.
    pub key: Vec<Cell>,
    /// What is put there; `None`: it is deleted.
    pub put: Option<Put>,
}

/// What a row that is a pair becomes.
#[derive(Debug)]
pub struct Put {
    /// Of one that is there.
    pub update: Box<Update>,
    /// Of one that isn't.
    pub create: Result<Box<New>, Vec<Fault>>,
}

impl<C: Connection> Steps<'_, C> {
    /// `both readable → 404 → 412 → the steps of PUT or DELETE of the row`
    pub(super) async fn paired(&self, paired: &Paired) -> Result<Done, Refusal> {
        let Paired {
            pair, expected, put, ..
        } = paired;
        let way = self.engine().model.relation(pair.relation);
        let here = self.state_of(pair.relation.resource, &pair.key).await?;
        let (Some((state, modified)), Some(_)) = (here, self.state_of(way.target, &pair.other).await?) else {
            return Err(not_found());
        };
        expected.hold_for(state, modified).map_err(Refusal::Problem)?;
        let key = self.key_of_pair(pair).await?;
        let whatever_it_is = Preconditions::default();
        match (put, key) {
            (Some(put), Some(key)) => {
                let written = self
                    .update(&key, &put.update, Some(&put.create), &whatever_it_is)
                    .await?;
                Ok(Done::Items(vec![written]))
            }
            (Some(put), None) => {
                let written = self.create_absent(Some(&put.create), &whatever_it_is).await?;
                Ok(Done::Items(vec![written]))
            }
            (None, Some(key)) => match self.delete(&key, &whatever_it_is).await {
                // A pair that is hidden is told like one that isn't there.
                Err(Refusal::Problem(problem)) if problem.code() == Code::NotFound => Ok(Done::Number(0)),
                done => done,
            },
            (None, None) => Ok(Done::Number(0)),
        }
    }

    /// The key of the row that is a pair, whoever may read it.
    async fn key_of_pair(&self, pair: &Pair) -> Result<Option<Vec<Cell>>, Refusal> {
        let model = &self.engine().model;
        let Some(through) = model.relation(pair.relation).through else {
            return Ok(None);
        };
        let by = model.fields_of_pair(through);
        let keys = &model.resource(through.resource()).key.fields;
        let statement = sql::columns_of(model, &by, keys);
        let params = [pair.key.as_slice(), &pair.other].concat();
        self.first(&statement, &params, &[], keys.len()).await
    }
}
