//! The steps of a write, inside its transaction: one list for every way to write.
//!
//! `pre-select → 404, 403, 412, 422 → keys that name no row the caller may read → hooks → statement → 409 → post-select
//! and the rule on the new row → 403 → hooks`. What only the row can tell is found here, as a [`Refusal`].

mod hooks;

use std::sync::Arc;

use jiff::Timestamp;
use rest_schema::{FieldId, Operation, ResourceId, Value};
use rusqlite::Connection;
use tokio::runtime::Handle;

use crate::caller::Caller;
use crate::cell::Cell;
use crate::engine::Engine;
use crate::plan::access::{Account, Permit, Ruling, judged, permit};
use crate::plan::closed;
use crate::plan::expr::Expr;
use crate::plan::read::{Planner, Select, Shape};
use crate::problem::{Code, Fault, Problem, words};
use crate::request::Selection;
use crate::request::body::Pointer;
use crate::request::precondition::Preconditions;
use crate::sql::Statement;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::constraint::{self, Context};
use crate::storage::rows::Output;
use crate::storage::sqlite::connection::refusal;
use crate::storage::sqlite::read::{self, StateHash, cells, prepare};
use crate::storage::sqlite::writer::{Done, Job, Written};
use crate::typed::Binding;
use crate::validate::{New, Update};
use crate::write::{Asking, Changes};

/// A write of one resource, for one caller.
#[derive(Debug)]
pub struct Write {
    /// The service.
    pub engine: Arc<Engine>,
    /// Whose rows.
    pub resource: ResourceId,
    /// Who writes.
    pub caller: Caller,
    /// The moment of the request.
    pub now: Timestamp,
    /// What is done.
    pub action: Action,
    /// The struct that is made of what was written.
    pub(crate) wanted: Option<Arc<Binding>>,
    /// How many writes it is within.
    pub(crate) depth: u8,
    /// What hooks are told after the commit.
    pub(crate) changes: Changes,
    /// Where hooks that wait for something else find it: so that they are seen waiting.
    pub(crate) threads: Option<Handle>,
}

impl Write {
    /// A write of its own.
    pub(crate) fn of(engine: Arc<Engine>, asked: Asking, action: Action) -> Self {
        Self {
            engine,
            resource: asked.resource,
            caller: asked.caller,
            now: asked.now,
            action,
            wanted: asked.wanted,
            depth: 0,
            changes: Changes::default(),
            threads: Handle::try_current().ok(),
        }
    }
}

/// What a write does.
#[derive(Debug)]
pub enum Action {
    /// Makes rows, all or none.
    Create {
        /// The rows.
        rows: Vec<New>,
        /// Whether the body is an array, so that pointers begin with a place in it.
        many: bool,
    },
    /// Changes the row of a key.
    Update {
        /// The key.
        key: Vec<Cell>,
        /// The change; what is wrong with it is told only once the row may be spoken of.
        update: Update,
        /// What makes the row if it isn't there (PUT where the client chooses keys).
        create: Option<Result<Box<New>, Vec<Fault>>>,
        /// What the caller expects of the row.
        expected: Preconditions,
    },
    /// Deletes the row of a key.
    Delete {
        /// The key.
        key: Vec<Cell>,
        /// What the caller expects of the row.
        expected: Preconditions,
    },
}

impl Job for Write {
    fn run(&self, connection: &Connection) -> Result<Done, Refusal> {
        let steps = Steps {
            write: self,
            connection,
            hooks_wrote: std::cell::Cell::new(false),
        };
        if self.depth == 0 {
            // It may be the second time.
            self.changes.keep(0);
        }
        match &self.action {
            Action::Create { rows, many } => steps.create_all(rows, *many),
            Action::Update {
                key,
                update,
                create,
                expected,
            } => steps
                .update(key, update, create.as_ref(), expected)
                .map(|written| Done::Items(vec![written])),
            Action::Delete { key, expected } => steps.delete(key, expected),
        }
    }
}

struct Steps<'a> {
    write: &'a Write,
    connection: &'a Connection,
    /// Whether a hook of this write has written too.
    hooks_wrote: std::cell::Cell<bool>,
}

/// What has become of a row.
enum Become<'a> {
    Created,
    /// From this one, by field.
    Changed(&'a [Cell]),
    Unchanged,
}

/// The row before a write.
struct Before {
    /// By field; NULL where it wasn't fetched.
    cells: Vec<Cell>,
    state: u64,
    may_write: Vec<Option<bool>>,
    may_read: Vec<Option<bool>>,
}

impl Steps<'_> {
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

    fn create_all(&self, rows: &[New], many: bool) -> Result<Done, Refusal> {
        let written = rows.iter().enumerate().map(|(place, new)| {
            let at = if many {
                Pointer::root().index(place)
            } else {
                Pointer::root()
            };
            self.create(new, &at)
        });
        written.collect::<Result<_, _>>().map(Done::Items)
    }

    fn create(&self, new: &New, at: &Pointer) -> Result<Written, Refusal> {
        let model = &self.engine().model;
        let mut given = self.encode_new(new);
        self.fill_by_expression(new, &mut given)?;
        let fields: Vec<FieldId> = model
            .stored(self.write.resource)
            .map(|(field, _)| field)
            .filter(|field| {
                new.values[field.index as usize].is_some() || given[field.index as usize].is_some()
            })
            .collect();
        let row: Vec<Cell> = given.into_iter().map(|cell| cell.unwrap_or(Cell::Null)).collect();
        self.check_targets(&row, &new.given, at)?;
        if self.is_hooked() {
            let coming = self.coming_row(&[], &row, |field| fields.contains(&self.field(field)))?;
            self.before(Operation::Create, None, Some(coming))?;
        }
        let key = self.insert(&fields, &row, at)?;
        let maker = self.maker(&key)?;
        let output = self.post_select(&key, Become::Created, &maker, &new.given, at)?;
        let output = self.after(Operation::Create, &key, None, output, &maker)?;
        self.written(key, true, output)
    }

    /// By field: its stored form, where it is known.
    fn encode_new(&self, new: &New) -> Vec<Option<Cell>> {
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
    fn fill_by_expression(&self, new: &New, given: &mut [Option<Cell>]) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let kind = self.write.caller.kind();
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
            let statement = sql::value(model, default.expr(kind), id);
            let found = self.one_row(&statement, &[], &row, |row| cells(row, &[0]))?;
            given[place] = found.and_then(|mut cells| cells.pop());
        }
        Ok(())
    }

    fn insert(&self, fields: &[FieldId], row: &[Cell], at: &Pointer) -> Result<Vec<Cell>, Refusal> {
        let model = &self.engine().model;
        let params: Vec<Cell> = fields
            .iter()
            .map(|field| row[field.index as usize].clone())
            .collect();
        let statement = sql::insert(model, self.write.resource, fields);
        let values = self.values(&params, &[], &self.write.caller);
        let mut prepared = prepare(self.connection, &statement, &values, None, 0)?;
        let parts: Vec<usize> = (0..model.resource(self.write.resource).key.fields.len()).collect();
        let mut rows = prepared.raw_query();
        let row = rows
            .next()
            .map_err(|error| constraint::told(error, self.context(at, false)))?;
        let row = row.ok_or_else(|| Refusal::Internal("an insert gave no key".into()))?;
        let key = cells(row, &parts)?;
        // The statement has to come to its end before it counts.
        rows.next()
            .map_err(|error| constraint::told(error, self.context(at, false)))?;
        Ok(key)
    }

    /// Whoever makes an account without having one counts as the account just made.
    fn maker(&self, key: &[Cell]) -> Result<Caller, Refusal> {
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
        let all: Vec<usize> = (0..model.me_fields.len()).collect();
        let found = self.one_row(&statement, key, &[], |row| cells(row, &all))?;
        let account = found.map(|cells| {
            Arc::new(Account {
                resource: self.write.resource,
                fields: Arc::clone(&model.me_fields),
                cells,
            })
        });
        Ok(Caller {
            account,
            ..self.write.caller.clone()
        })
    }

    fn update(
        &self,
        key: &[Cell],
        update: &Update,
        create: Option<&Result<Box<New>, Vec<Fault>>>,
        expected: &Preconditions,
    ) -> Result<Written, Refusal> {
        let computed: Vec<u32> = update.compared().collect();
        let Some(before) = self.pre_select(key, false, &computed)? else {
            return self.create_absent(create, expected);
        };
        expected.hold_for(before.state).map_err(Refusal::Problem)?;
        let old = self.decode(key, &before.cells)?;
        let shown = |field: u32| self.is_shown(field, &before);
        let changes = update.against(&old, &shown).map_err(invalid)?;
        let changed: Vec<u32> = changes.set.iter().map(|(field, _)| *field).collect();
        // What the program set itself is not the caller's to be refused.
        let by_caller = |field: &&u32| !update.forced().contains(field);
        let asked: Vec<u32> = changed.iter().filter(by_caller).copied().collect();
        self.check_writable(&asked, &before)?;
        if changes.is_empty() {
            let output = self.unchanged(key, &self.write.caller)?;
            return self.written(key.to_vec(), false, output);
        }
        let after = self.changed(&before.cells, &changes.set);
        self.check_targets(&after, &asked, &Pointer::root())?;
        let was = self.was(key, &before.cells)?;
        if self.is_hooked() {
            let coming = self.coming_row(key, &after, |_| true)?;
            self.before(Operation::Update, was.clone(), Some(coming))?;
        }
        self.run_update(key, &changed, &after)?;
        let at = Pointer::root();
        let reader = &self.write.caller;
        let output = self.post_select(key, Become::Changed(&before.cells), reader, &[], &at)?;
        let output = self.after(Operation::Update, key, was, output, reader)?;
        self.written(key.to_vec(), false, output)
    }

    /// The item as it is, for a reader.
    fn unchanged(&self, key: &[Cell], reader: &Caller) -> Result<Output, Refusal> {
        self.post_select(key, Become::Unchanged, reader, &[], &Pointer::root())
    }

    fn create_absent(
        &self,
        create: Option<&Result<Box<New>, Vec<Fault>>>,
        expected: &Preconditions,
    ) -> Result<Written, Refusal> {
        let Some(create) = create else {
            return Err(not_found());
        };
        let rule = self.engine().model.rules(self.write.resource).create.as_ref();
        if permit(rule, &self.write.caller) == Permit::Never {
            return Err(not_found());
        }
        expected.hold_for_none().map_err(Refusal::Problem)?;
        let new = create.as_ref().map_err(|faults| invalid(faults.clone()))?;
        self.create(new, &Pointer::root())
    }

    fn run_update(&self, key: &[Cell], changed: &[u32], after: &[Cell]) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let fields: Vec<FieldId> = changed.iter().map(|index| self.field(*index)).collect();
        let mut params = key.to_vec();
        params.extend(changed.iter().map(|index| after[*index as usize].clone()));
        let statement = sql::update(model, self.write.resource, &fields);
        self.run(&statement, &params, self.context(&Pointer::root(), false))
            .map(drop)
    }

    fn delete(&self, key: &[Cell], expected: &Preconditions) -> Result<Done, Refusal> {
        let before = self.pre_select(key, true, &[])?.ok_or_else(not_found)?;
        expected.hold_for(before.state).map_err(Refusal::Problem)?;
        let was = self.was(key, &before.cells)?;
        self.before(Operation::Delete, was.clone(), None)?;
        let statement = sql::delete(&self.engine().model, self.write.resource);
        let gone = self.run(&statement, key, self.context(&Pointer::root(), true))?;
        self.within(Operation::Delete, was, None)?;
        Ok(Done::Number(i64::try_from(gone).unwrap_or(i64::MAX)))
    }

    /// The row as it is: `None` where there is none, 404 where it is hidden, 403 where the rule says no.
    fn pre_select(&self, key: &[Cell], deleting: bool, computed: &[u32]) -> Result<Option<Before>, Refusal> {
        let engine = self.engine();
        let authority = self.write.caller.authority();
        let own;
        let select = if computed.is_empty() && !authority.is_unrestricted {
            engine.pre_select(self.write.resource, authority.kind, deleting)
        } else {
            own = sql::pre_select(&engine.model, self.write.resource, authority, deleting, computed);
            &own
        };
        let found = self.one_row(&select.statement, key, &[], |row| {
            let judged = read::flags(row, &[select.read, select.rule])?;
            if judged[0] != Some(true) {
                return Err(not_found());
            }
            if judged[1] != Some(true) {
                return Err(Refusal::Problem(closed(&self.write.caller)));
            }
            let flag = |column: &Option<usize>| {
                column.map(|column| Ok(read::flags(row, &[column])?[0] == Some(true)))
            };
            let column = |column: &Option<usize>| match column {
                Some(column) => Ok(read::cell(row, *column)?.to_owned()),
                None => Ok(Cell::Null),
            };
            let mut state = StateHash::new(&engine.state_key);
            for place in &select.stored {
                state.add(read::cell(row, *place)?);
            }
            Ok(Before {
                cells: select
                    .columns
                    .iter()
                    .map(column)
                    .collect::<Result<_, Refusal>>()?,
                state: state.finish(),
                may_write: select
                    .writable
                    .iter()
                    .map(|at| flag(at).transpose())
                    .collect::<Result<_, Refusal>>()?,
                may_read: select
                    .readable
                    .iter()
                    .map(|at| flag(at).transpose())
                    .collect::<Result<_, Refusal>>()?,
            })
        })?;
        Ok(found)
    }

    fn is_shown(&self, field: u32, before: &Before) -> bool {
        let shown = self.engine().model.field(self.field(field)).is_shown();
        shown && before.may_read.get(field as usize).copied().flatten() != Some(false)
    }

    fn decode(&self, key: &[Cell], cells: &[Cell]) -> Result<Vec<Value>, Refusal> {
        let model = &self.engine().model;
        let fields = model.fields(self.write.resource);
        fields
            .zip(cells)
            .map(|((id, _), cell)| {
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

    fn check_writable(&self, changed: &[u32], before: &Before) -> Result<(), Refusal> {
        let closed: Vec<u32> = changed
            .iter()
            .copied()
            .filter(|field| before.may_write.get(*field as usize).copied().flatten() == Some(false))
            .collect();
        self.not_writable(&closed, &Pointer::root())
    }

    fn not_writable(&self, fields: &[u32], at: &Pointer) -> Result<(), Refusal> {
        if fields.is_empty() {
            return Ok(());
        }
        let faults = fields.iter().map(|field| {
            let pointer = at.member(&self.engine().model.field(self.field(*field)).api_name);
            Fault::pointer(
                pointer.as_str().to_owned(),
                words::READONLY,
                "you may not set this in this item",
            )
        });
        Err(Refusal::Problem(Problem::new(Code::Forbidden).faults(faults)))
    }

    /// A foreign key in the body must name a row that the caller may read; a hidden one is told like a missing one.
    fn check_targets(&self, row: &[Cell], given: &[u32], at: &Pointer) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let resource = model.resource(self.write.resource);
        let mut faults = Vec::new();
        for index in (0u32..).take(resource.relations.len()) {
            let relation = rest_schema::RelationId {
                resource: self.write.resource,
                index,
            };
            let Some(local) = sql::foreign_key(model, relation) else {
                continue;
            };
            let Some(named) = local.iter().find(|field| given.contains(&field.index)) else {
                continue;
            };
            let key: Vec<Cell> = local
                .iter()
                .map(|field| row[field.index as usize].clone())
                .collect();
            if key.contains(&Cell::Null) || self.has_target(relation, &key)? {
                continue;
            }
            let pointer = at.member(&model.field(*named).api_name);
            let detail = "no item that you may read has this key";
            faults.push(Fault::pointer(
                pointer.as_str().to_owned(),
                words::NO_SUCH_ITEM,
                detail,
            ));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Problem(Problem::conflict(faults)))
        }
    }

    fn has_target(&self, relation: rest_schema::RelationId, key: &[Cell]) -> Result<bool, Refusal> {
        let model = &self.engine().model;
        let target = model.relation(relation).target;
        let rule = permit(model.rules(target).read.as_ref(), &self.write.caller).condition();
        if rule == Expr::Boolean(false) {
            return Ok(false);
        }
        let statement = sql::target(model, relation, &rule);
        self.one_row(&statement, key, &[], |_| Ok(()))
            .map(|found| found.is_some())
    }

    /// The item's own read plan over the row as it is now, with the operation's rule, the checks and the writable
    /// rules beside it.
    fn post_select(
        &self,
        key: &[Cell],
        written: Become<'_>,
        reader: &Caller,
        given: &[u32],
        at: &Pointer,
    ) -> Result<Output, Refusal> {
        let engine = self.engine();
        let model = &engine.model;
        let rules = model.rules(self.write.resource);
        let authority = self.write.caller.authority();
        let of = |rule: &Option<Ruling>, authority| judged(rule.as_ref(), authority);
        let (judge, old) = match written {
            Become::Created => (of(&rules.create, authority), &[][..]),
            Become::Changed(old) => (of(&rules.updated, authority), old),
            Become::Unchanged => (Expr::Boolean(true), &[][..]),
        };
        let mut flags = vec![of(&rules.read, reader.authority()), judge];
        flags.extend(rules.checks.iter().cloned());
        let writable: Vec<u32> = given
            .iter()
            .copied()
            .filter(|field| rules.writable[*field as usize].is_some())
            .collect();
        flags.extend(
            writable
                .iter()
                .map(|field| of(&rules.writable[*field as usize], authority)),
        );
        let planner = Planner {
            model,
            caller: reader,
        };
        let level = planner
            .shared_level(self.write.resource, &Selection::default())
            .map_err(Refusal::Problem)?;
        let shape = Arc::new(Shape {
            resource: self.write.resource,
            level,
            condition: sql::key_of(model, self.write.resource),
            select: Select::Item { flags },
        });
        let compiled = engine.compiled(&shape);
        let values = self.values(key, old, reader);
        let output = read::run(self.connection, &compiled.read, &values, 1, &engine.state_key)?;
        if output.rows.is_empty() {
            return Err(Refusal::Internal("the row is gone after it was written".into()));
        }
        self.judge(&output, rules.checks.len(), &writable, at)?;
        Ok(output)
    }

    fn judge(&self, output: &Output, checks: usize, writable: &[u32], at: &Pointer) -> Result<(), Refusal> {
        let flags = &output.flags;
        let resource = self.engine().model.resource(self.write.resource);
        let broken: Vec<Fault> = resource
            .checks
            .iter()
            .zip(&flags[2..])
            .filter(|(_, holds)| **holds == Some(false))
            .map(|(check, _)| broken_check(check, at))
            .collect();
        if !broken.is_empty() {
            return Err(invalid(broken));
        }
        if flags[1] != Some(true) {
            return Err(Refusal::Problem(closed(&self.write.caller)));
        }
        let closed: Vec<u32> = writable
            .iter()
            .zip(&flags[2 + checks..])
            .filter(|(_, holds)| **holds != Some(true))
            .map(|(field, _)| *field)
            .collect();
        self.not_writable(&closed, at)
    }

    fn written(&self, key: Vec<Cell>, created: bool, output: Output) -> Result<Written, Refusal> {
        let readable = output.flags.first().copied().flatten() == Some(true);
        let wanted = self.write.wanted.as_ref();
        Ok(Written {
            values: wanted.map(|of| self.values_of(of, &key)).transpose()?,
            key,
            created,
            item: readable.then_some(output),
        })
    }

    /// The stored columns of a post-select, by field.
    fn row_of(&self, output: &Output) -> Vec<Cell> {
        let model = &self.engine().model;
        let mut row = vec![Cell::Null; model.resource(self.write.resource).fields.len()];
        for ((field, _), cell) in model.stored(self.write.resource).zip(&output.stored) {
            row[field.index as usize] = cell.clone();
        }
        row
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

    fn run(&self, statement: &Statement, params: &[Cell], context: Context<'_>) -> Result<usize, Refusal> {
        let values = self.values(params, &[], &self.write.caller);
        let mut prepared = prepare(self.connection, statement, &values, None, 0)?;
        prepared
            .raw_execute()
            .map_err(|error| constraint::told(error, context))
    }

    fn one_row<T>(
        &self,
        statement: &Statement,
        params: &[Cell],
        given: &[Cell],
        take: impl FnOnce(&rusqlite::Row<'_>) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        let values = self.values(params, given, &self.write.caller);
        let mut prepared = prepare(self.connection, statement, &values, None, 0)?;
        let mut rows = prepared.raw_query();
        rows.next().map_err(refusal)?.map(take).transpose()
    }
}

fn broken_check(check: &rest_schema::Check, at: &Pointer) -> Fault {
    let detail = check
        .message
        .clone()
        .unwrap_or_else(|| format!("`{}` has to hold", check.rule.source));
    Fault::pointer(at.as_str().to_owned(), check.name.clone(), detail)
}

fn not_found() -> Refusal {
    Refusal::Problem(Problem::new(Code::NotFound))
}

fn invalid(faults: Vec<Fault>) -> Refusal {
    Refusal::Problem(Problem::invalid(faults))
}
