//! What a write does to one row, as hooks see it.

use std::marker::PhantomData;
use std::sync::Arc;

use rest_schema::{FieldId, Operation, Value};

use crate::caller::Caller;
use crate::problem::Problem;
use crate::typed::{Binding, Field, FieldValue, RestResource, Taker};

/// A row by the place of each field; `None` where a value isn't known yet.
pub(crate) type Row = Vec<Option<Value>>;

/// A change without the struct's type.
#[derive(Debug, Clone)]
pub(crate) struct RawChange {
    pub(crate) operation: Operation,
    pub(crate) before: Option<Arc<Row>>,
    pub(crate) after: Option<Arc<Row>>,
    pub(crate) caller: Caller,
}

/// A change of one row.
#[derive(Debug)]
pub struct Change<R> {
    /// Create, update or delete.
    pub operation: Operation,
    /// The row before; `None`: a create.
    pub before: Option<R>,
    /// The row after; `None`: a delete. Before the statement also where something is still for the database to say: a
    /// key that is counted, a computed field. [`Change::value`] has what is known then.
    pub after: Option<R>,
    /// Who writes.
    pub caller: Caller,
    row: Option<Arc<Row>>,
    binding: Arc<Binding>,
    of: PhantomData<fn() -> R>,
}

impl<R: RestResource> Change<R> {
    pub(crate) fn of(raw: &RawChange, binding: &Arc<Binding>) -> Result<Self, Problem> {
        let whole = |row: &Option<Arc<Row>>| match row {
            Some(row) => whole(row, binding),
            None => Ok(None),
        };
        Ok(Self {
            operation: raw.operation,
            before: whole(&raw.before)?,
            after: whole(&raw.after)?,
            caller: raw.caller.clone(),
            row: raw.after.clone(),
            binding: Arc::clone(binding),
            of: PhantomData,
        })
    }

    /// A field of the row after the change, as far as it is known; `None` too where it doesn't fit its type.
    pub fn value<T: FieldValue>(&self, field: Field<R, T>) -> Option<T> {
        let fields = self.binding.columns.get(field.place())?;
        let values = values(self.row.as_ref()?, fields.iter().copied())?;
        T::take(&mut Taker::new(values)).ok()
    }
}

fn whole<R: RestResource>(row: &Row, binding: &Binding) -> Result<Option<R>, Problem> {
    let values = values(row, binding.fields());
    let taken = values.map(|values| R::take(&mut Taker::new(values)));
    taken.transpose().map_err(Problem::internal)
}

fn values(row: &Row, fields: impl Iterator<Item = FieldId>) -> Option<Vec<Value>> {
    fields
        .map(|field| row.get(field.index as usize).cloned().flatten())
        .collect()
}
