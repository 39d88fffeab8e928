//! What is going to be written, while it can still be changed.

use std::marker::PhantomData;
use std::sync::Arc;

use rest_schema::{FieldId, Operation, ResourceId, Value};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::db::{Db, contents};
use crate::problem::{Fault, Problem};
use crate::service::Inner;
use crate::typed::{Binding, Field, FieldValue, RestResource, Set, Taker};
use crate::validate::{New, Update};

/// A draft without the struct's type.
#[derive(Debug)]
pub(crate) struct RawDraft {
    pub(crate) service: Arc<Inner>,
    pub(crate) resource: ResourceId,
    pub(crate) caller: Caller,
    /// Of the row that is changed or deleted.
    pub(crate) key: Option<Vec<Cell>>,
    pub(crate) work: Work,
}

/// What is going to be done.
#[derive(Debug)]
pub(crate) enum Work {
    Create(New),
    /// With what makes the row where it isn't there.
    Update(Update, Option<Result<Box<New>, Vec<Fault>>>),
    Delete,
}

/// What is going to be written to one row, as far as it is known: what the request says, and defaults on a create.
#[derive(Debug)]
pub struct Draft<R> {
    raw: RawDraft,
    binding: Arc<Binding>,
    of: PhantomData<fn() -> R>,
}

impl<R: RestResource> Draft<R> {
    pub(crate) fn of(raw: RawDraft, binding: Arc<Binding>) -> Self {
        Self {
            raw,
            binding,
            of: PhantomData,
        }
    }

    pub(crate) fn into_raw(self) -> RawDraft {
        self.raw
    }

    /// Create, update or delete. A PUT is an update, also where it may turn out to create.
    pub fn operation(&self) -> Operation {
        match self.raw.work {
            Work::Create(_) => Operation::Create,
            Work::Update(..) => Operation::Update,
            Work::Delete => Operation::Delete,
        }
    }

    /// Who writes.
    pub fn caller(&self) -> &Caller {
        &self.raw.caller
    }

    /// The service's data.
    pub fn db(&self) -> Db {
        Db::of(Arc::clone(&self.raw.service))
    }

    /// The key of the row that is changed or deleted; `None` on a create.
    pub fn key(&self) -> Option<R::Key> {
        let model = &self.raw.service.engine.model;
        let fields = &model.resource(self.raw.resource).key.fields;
        let cells = self.raw.key.as_ref()?;
        let decoded = |(field, cell): (&FieldId, &Cell)| model.codec(*field).decode(cell.as_ref()).ok();
        let values: Option<Vec<Value>> = fields.iter().zip(cells).map(decoded).collect();
        R::Key::take(&mut Taker::new(values?)).ok()
    }

    /// What a field is going to be; `None` where it stays, or isn't known yet, and for passwords.
    pub fn get<T: FieldValue>(&self, field: Field<R, T>) -> Option<T> {
        let fields = self.binding.columns.get(field.place())?;
        let values: Option<Vec<Value>> = fields.iter().map(|field| self.value(*field)).collect();
        T::take(&mut Taker::new(values?)).ok()
    }

    fn value(&self, field: FieldId) -> Option<Value> {
        match &self.raw.work {
            Work::Create(new) => new.values.get(field.index as usize).cloned().flatten(),
            Work::Update(update, _) => update.value(field.index).cloned(),
            Work::Delete => None,
        }
    }

    /// Gives a field another value: any field that is stored, past all rules, within the field's own limits.
    ///
    /// # Errors
    ///
    /// 422 where the value is outside them; `internal` on a delete.
    pub fn set(&mut self, set: Set<R>) -> Result<(), Problem> {
        let engine = Arc::clone(&self.raw.service.engine);
        let validator = engine.validators.resource(self.raw.resource);
        let contents = contents(&engine.model, &self.binding, [set])?;
        for (field, content) in &contents {
            let done = match &mut self.raw.work {
                Work::Create(new) => validator.set_in_new(*field, content, new),
                Work::Update(update, create) => {
                    let created = match create {
                        Some(Ok(new)) => validator.set_in_new(*field, content, new),
                        Some(Err(_)) | None => Ok(()),
                    };
                    created.and_then(|()| validator.set_in_update(*field, content, update))
                }
                Work::Delete => {
                    return Err(Problem::internal("a hook sets a field of a row that is deleted"));
                }
            };
            done.map_err(|fault| Problem::invalid(vec![fault]))?;
        }
        Ok(())
    }
}
