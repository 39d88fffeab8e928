//! The steps of a write, inside its transaction: one list for every way to write.
//!
//! `pre-select → 404, 403, 412, 422 → keys that name no row the caller may read → hooks → statement → 409 → post-select
//! and the rule on the new row → 403 → hooks`. What only the row can tell is found here, as a [`Refusal`].

mod along;
mod asked;
mod audit;
mod checks;
mod deleted;
mod fill;
mod hooks;
pub(crate) mod inside;
mod judge;
mod link;
mod pairs;
mod several;
mod through;
pub(crate) mod transaction;

use std::sync::atomic::AtomicBool;

use futures_util::future::join;
use rest_schema::{FieldId, Operation, Value};

pub use self::asked::{Action, Write};
use self::audit::Act;
use self::judge::Become;
pub use self::link::Pair;
pub use self::several::{Change, Several};
pub use self::through::{Paired, Put};
use crate::caller::Caller;
use crate::cell::Cell;
use crate::engine::Engine;
use crate::plan::access::Permit;
use crate::problem::{Code, Fault, Problem};
use crate::request::body::Pointer;
use crate::request::precondition::Preconditions;
use crate::sql::Statement;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{Connection, First, Take};
use crate::storage::constraint::Context;
use crate::storage::job::{Done, Job, Written};
use crate::storage::once::{self, Known};
use crate::storage::rows::Output;
use crate::validate::{New, Unfit, Update};

/// Rows that are written together with others' jobs; more are a transaction of their own.
const FEW: usize = 100;

impl Job for Write {
    fn is_long(&self) -> bool {
        match &self.action {
            Action::Create { rows, .. } => rows.iter().map(New::count).sum::<usize>() > FEW,
            Action::Several(several) => several.rows.len() > FEW,
            Action::Update { .. }
            | Action::Delete { .. }
            | Action::Restore { .. }
            | Action::Link { .. }
            | Action::Paired(_) => false,
        }
    }

    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let steps = Steps {
            write: self,
            connection,
            hooks_wrote: AtomicBool::new(false),
        };
        if self.depth == 0 {
            // It may be the second time.
            self.changes.keep(0);
        }
        let Some(once) = &self.once else {
            return steps.done().await;
        };
        match once.claim(connection, &self.engine).await? {
            Known::Nothing => {}
            known => return Ok(Done::Known(known)),
        }
        let done = steps.done().await?;
        if let Done::Items(items) = &done {
            once.keep(connection, &self.engine, &once::written(items)).await?;
        }
        Ok(done)
    }
}

struct Steps<'a, C> {
    write: &'a Write,
    connection: &'a C,
    /// Whether a hook of this write has written too.
    hooks_wrote: AtomicBool,
}

impl<C: Connection> Steps<'_, C> {
    async fn done(&self) -> Result<Done, Refusal> {
        match &self.write.action {
            Action::Create { rows, many } => self.create_all(rows, *many).await,
            Action::Update {
                key,
                update,
                create,
                expected,
            } => {
                let written = self.update(key, update, create.as_ref(), expected).await?;
                Ok(Done::Items(vec![written]))
            }
            Action::Delete { key, expected } => self.delete(key, expected).await,
            Action::Restore { key, expected } => {
                let written = self.restore(key, expected).await?;
                Ok(Done::Items(vec![written]))
            }
            Action::Several(several) => self.several(several).await,
            Action::Link { pair, expected } => self.link(pair, expected).await,
            Action::Paired(paired) => self.paired(paired).await,
        }
    }

    fn engine(&self) -> &Engine {
        &self.write.engine
    }

    fn values<'v>(&'v self, params: &'v [Cell], given: &'v [Cell], caller: &'v Caller) -> Values<'v> {
        Values {
            model: &self.engine().model,
            params,
            caller,
            given,
            now: self.write.now,
        }
    }

    async fn create_all(&self, rows: &[New], many: bool) -> Result<Done, Refusal> {
        let mut written = Vec::with_capacity(rows.len());
        for (place, new) in rows.iter().enumerate() {
            let at = if many {
                Pointer::root().index(place)
            } else {
                Pointer::root()
            };
            written.push(self.create(new, &at).await?);
        }
        Ok(Done::Items(written))
    }

    async fn create(&self, new: &New, at: &Pointer) -> Result<Written, Refusal> {
        let model = &self.engine().model;
        let mut given = self.encode_new(new);
        self.fill_by_expression(new, &mut given).await?;
        let fields: Vec<FieldId> = model
            .stored(self.write.resource)
            .map(|(field, _)| field)
            .filter(|field| {
                new.values[field.index as usize].is_some() || given[field.index as usize].is_some()
            })
            .collect();
        let row: Vec<Cell> = given.into_iter().map(|cell| cell.unwrap_or(Cell::Null)).collect();
        self.check_targets(&row, &new.given, at).await?;
        let set = (0u32..).zip(&new.values);
        let set = set.filter_map(|(field, value)| Some((field, value.as_ref()?)));
        let pairs = self.pairs(set, &[], at).await?;
        if self.is_hooked() {
            let coming = self.coming_row(&[], &row, |field| fields.contains(&self.field(field)))?;
            self.before(Operation::Create, None, Some(coming)).await?;
        }
        let key = self.insert(&fields, &row, at).await?;
        self.write_pairs(&key, &pairs, at).await?;
        self.create_along(&key, &new.along, at).await?;
        let maker = self.maker(&key).await?;
        let output = self
            .post_select(&key, Become::Created, &maker, &new.given, at)
            .await?;
        self.log_written(Act::Created, &key, None, &output).await?;
        let output = self.after(Operation::Create, &key, None, output, &maker).await?;
        self.written(key, true, output).await
    }

    async fn insert(&self, fields: &[FieldId], row: &[Cell], at: &Pointer) -> Result<Vec<Cell>, Refusal> {
        let model = &self.engine().model;
        let params: Vec<Cell> = fields
            .iter()
            .map(|field| row[field.index as usize].clone())
            .collect();
        let statement = sql::insert(model, self.write.resource, fields);
        let mut key = First::of(model.resource(self.write.resource).key.fields.len());
        self.write_row(&statement, &params, self.context(at, false), &mut key)
            .await?;
        key.found
            .ok_or_else(|| Refusal::Internal("an insert gave no key".into()))
    }

    async fn update(
        &self,
        key: &[Cell],
        update: &Update,
        create: Option<&Result<Box<New>, Vec<Fault>>>,
        expected: &Preconditions,
    ) -> Result<Written, Refusal> {
        let model = &self.engine().model;
        let has_column = |field: &u32| model.field(self.field(*field)).is_stored();
        let compared = update.compared().chain(update.sets());
        let compared: Vec<u32> = compared.filter(|field| !has_column(field)).collect();
        let before = match self.pre_select(key, Operation::Update, &compared).await {
            Ok(Some(before)) => before,
            Ok(None) => return self.create_absent(create, expected).await,
            // A row that is hidden is refused as what can't be made: to say that it isn't there would tell that it is.
            Err(refusal) if create.is_some() && is_not_found(&refusal) => {
                return self.create_absent(create, expected).await;
            }
            Err(refusal) => return Err(refusal),
        };
        let modified = self.modified(&before.cells);
        expected
            .hold_for(before.state, modified)
            .map_err(Refusal::Problem)?;
        let old = self.decode(key, &before.cells)?;
        let shown = |field: u32| self.is_shown(field, &before);
        let validator = self.engine().validators.resource(self.write.resource);
        let mut changes = update.against(validator, &old, &shown).map_err(unfit)?;
        // What the program set itself is not the caller's to be refused.
        let by_caller = |field: &u32| !update.forced().contains(field);
        let asked = changes.set.iter().map(|(field, _)| *field);
        let asked: Vec<u32> = asked.filter(by_caller).collect();
        self.check_writable(&asked, &before)?;
        if changes.is_empty() {
            let output = self.unchanged(key, &self.write.caller).await?;
            return self.written(key.to_vec(), false, output).await;
        }
        changes.put(self.kept(&old));
        let changed = changes.set.iter().map(|(field, _)| *field);
        let changed: Vec<u32> = changed.filter(has_column).collect();
        let after = self.changed(&before.cells, &changes.set);
        let at = Pointer::root();
        self.check_targets(&after, &asked, &at).await?;
        let set = changes.set.iter().map(|(field, value)| (*field, value));
        let pairs = self.pairs(set, &old, &at).await?;
        let was = self.was(key, &before.cells).await?;
        if self.is_hooked() {
            let coming = self.coming_row(key, &after, |_| true)?;
            self.before(Operation::Update, was.clone(), Some(coming)).await?;
        }
        let reader = &self.write.caller;
        let (statement, params) = self.update_of(key, &changed, &after);
        let (context, mut nothing) = (self.context(&at, false), First::of(0));
        let write = self.write_row(&statement, &params, context, &mut nothing);
        let read = self.post_select(key, Become::Changed(&before.cells), reader, &[], &at);
        let output = if pairs.is_empty() && self.connection.goes_out_at_once(&statement) {
            let (written, output) = join(write, read).await;
            written.and(output)?
        } else {
            if !changed.is_empty() {
                write.await?;
            }
            self.write_pairs(key, &pairs, &at).await?;
            read.await?
        };
        self.log_written(Act::Updated, key, Some(&before.cells), &output)
            .await?;
        let output = self.after(Operation::Update, key, was, output, reader).await?;
        self.written(key.to_vec(), false, output).await
    }

    /// The item as it is, for a reader.
    async fn unchanged(&self, key: &[Cell], reader: &Caller) -> Result<Output, Refusal> {
        self.post_select(key, Become::Unchanged, reader, &[], &Pointer::root())
            .await
    }

    async fn create_absent(
        &self,
        create: Option<&Result<Box<New>, Vec<Fault>>>,
        expected: &Preconditions,
    ) -> Result<Written, Refusal> {
        let Some(create) = create else {
            return Err(not_found());
        };
        let rule = &self.engine().model.rules(self.write.resource).create;
        if rule.permit(&self.write.caller) == Permit::Never {
            return Err(not_found());
        }
        expected.hold_for_none().map_err(Refusal::Problem)?;
        let new = create.as_ref().map_err(|faults| invalid(faults.clone()))?;
        self.create(new, &Pointer::root()).await
    }

    fn update_of(&self, key: &[Cell], changed: &[u32], after: &[Cell]) -> (Statement, Vec<Cell>) {
        let model = &self.engine().model;
        let fields: Vec<FieldId> = changed.iter().map(|index| self.field(*index)).collect();
        let mut params = key.to_vec();
        params.extend(changed.iter().map(|index| after[*index as usize].clone()));
        (sql::update(model, self.write.resource, &fields), params)
    }

    async fn delete(&self, key: &[Cell], expected: &Preconditions) -> Result<Done, Refusal> {
        let before = self.pre_select(key, Operation::Delete, &[]).await?;
        let before = before.ok_or_else(not_found)?;
        let modified = self.modified(&before.cells);
        expected
            .hold_for(before.state, modified)
            .map_err(Refusal::Problem)?;
        let was = self.was(key, &before.cells).await?;
        self.before(Operation::Delete, was.clone(), None).await?;
        let model = &self.engine().model;
        if let Some(deleted) = model.resource(self.write.resource).kept.deleted {
            self.mark_deleted(deleted, key, &before.cells).await?;
        } else {
            self.log(
                self.write.resource,
                Act::Deleted,
                key,
                [Some(&before.cells), None],
            )
            .await?;
            self.log_dependents(key).await?;
            let statement = sql::delete(model, self.write.resource);
            let at = Pointer::root();
            self.write_row(&statement, key, self.context(&at, true), &mut First::of(0))
                .await?;
        }
        self.within(Operation::Delete, was, None).await?;
        Ok(Done::Number(1))
    }

    fn decode(&self, key: &[Cell], cells: &[Cell]) -> Result<Vec<Value>, Refusal> {
        let fields = self.engine().model.fields(self.write.resource);
        self.decode_fields(key, fields.map(|(field, _)| field), cells)
    }

    /// The values of fields of the row with this key.
    fn decode_fields(
        &self,
        key: &[Cell],
        fields: impl Iterator<Item = FieldId>,
        cells: &[Cell],
    ) -> Result<Vec<Value>, Refusal> {
        let model = &self.engine().model;
        fields
            .zip(cells)
            .map(|(id, cell)| {
                model
                    .codec(id)
                    .decode(cell.as_ref())
                    .map_err(|unfit| Refusal::StoredValue {
                        field: id,
                        key: key.to_vec(),
                        expected: unfit.expected,
                    })
            })
            .collect()
    }

    fn changed(&self, before: &[Cell], set: &[(u32, Value)]) -> Vec<Cell> {
        let mut after = before.to_vec();
        for (field, value) in set {
            after[*field as usize] = self.engine().model.codec(self.field(*field)).encode(value);
        }
        after
    }

    fn field(&self, index: u32) -> FieldId {
        FieldId {
            resource: self.write.resource,
            index,
        }
    }

    fn context<'c>(&'c self, at: &'c Pointer, deleting: bool) -> Context<'c> {
        Context {
            model: &self.engine().model,
            resource: self.write.resource,
            at,
            deleting,
        }
    }

    async fn write_row<T: Take>(
        &self,
        statement: &Statement,
        params: &[Cell],
        context: Context<'_>,
        take: &mut T,
    ) -> Result<u64, Refusal> {
        let values = self.values(params, &[], &self.write.caller);
        self.connection
            .change(statement, values.into(), context, take)
            .await
    }

    /// The first cells of the first row.
    async fn first(
        &self,
        statement: &Statement,
        params: &[Cell],
        given: &[Cell],
        columns: usize,
    ) -> Result<Option<Vec<Cell>>, Refusal> {
        let mut first = First::of(columns);
        let values = self.values(params, given, &self.write.caller);
        self.connection.each(statement, values.into(), &mut first).await?;
        Ok(first.found)
    }
}

fn not_found() -> Refusal {
    Refusal::Problem(Problem::new(Code::NotFound))
}

fn is_not_found(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Problem(problem) if problem.code() == Code::NotFound)
}

fn unfit(unfit: Unfit) -> Refusal {
    Refusal::Problem(match unfit {
        Unfit::Invalid(faults) => Problem::invalid(faults),
        Unfit::Conflict(faults) => Problem::conflict(faults),
    })
}

fn invalid(faults: Vec<Fault>) -> Refusal {
    Refusal::Problem(Problem::invalid(faults))
}
