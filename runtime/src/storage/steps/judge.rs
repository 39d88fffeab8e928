//! The row before and after a write, and what the rules say of it.

use std::ops::ControlFlow;
use std::sync::Arc;

use rest_schema::{RelationId, ResourceId};

use super::{Steps, invalid, not_found};
use crate::caller::Caller;
use crate::cell::Cell;
use crate::plan::access::{Deed, Ruling};
use crate::plan::expr::Expr;
use crate::plan::read::{Planner, Select, Shape};
use crate::problem::{Fault, Problem};
use crate::request::Selection;
use crate::request::body::Pointer;
use crate::respond::format::Format;
use crate::sql::write::{self as sql, PreSelect};
use crate::storage::Refusal;
use crate::storage::connection::{Connection, Row, Take, flag};
use crate::storage::job::Written;
use crate::storage::read::{self, StateHash, StateKey};
use crate::storage::rows::Output;

/// What has become of a row.
pub(super) enum Become<'a> {
    Created,
    /// From this one, by field.
    Changed(&'a [Cell]),
    /// Into one whose pairs of this many-to-many are others, from this one.
    Linked(RelationId, &'a [Cell]),
    Unchanged,
}

/// The row before a write.
pub(super) struct Before {
    /// By field; NULL where it wasn't fetched.
    pub(super) cells: Vec<Cell>,
    pub(super) state: u64,
    pub(super) may_write: Vec<Option<bool>>,
    pub(super) may_read: Vec<Option<bool>>,
}

impl<C: Connection> Steps<'_, C> {
    /// The row as it is: `None` where there is none, 404 where it is hidden, 403 where the rule says no.
    pub(super) async fn pre_select(
        &self,
        key: &[Cell],
        deed: impl Into<Deed>,
        computed: &[u32],
    ) -> Result<Option<Before>, Refusal> {
        let engine = self.engine();
        let deed = deed.into();
        self.hold(self.write.resource, key).await?;
        let caller = &self.write.caller;
        let made = match deed {
            Deed::Operation(operation) if computed.is_empty() => {
                engine.pre_select(self.write.resource, caller, operation)
            }
            _ => None,
        };
        let own;
        let select = if let Some(made) = made {
            made
        } else {
            own = sql::pre_select(&engine.model, self.write.resource, caller, deed, computed);
            &own
        };
        let mut found = Found {
            select,
            state_key: &engine.state_key,
            refusal: &|| {
                let rules = engine.model.rules(self.write.resource);
                rules.deed(deed).refusal(&engine.model, caller)
            },
            before: None,
        };
        let values = self.values(key, &[], caller);
        self.connection
            .each(&select.statement, values.into(), &mut found)
            .await?;
        Ok(found.before)
    }

    /// The item's own read plan over the row as it is now, with the operation's rule, the checks and the writable
    /// rules beside it.
    pub(super) async fn post_select(
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
        let caller = &self.write.caller;
        let (ruling, old) = match written {
            Become::Created => (Some(&rules.create), &[][..]),
            Become::Changed(old) => (Some(&rules.updated), old),
            Become::Linked(relation, old) => (Some(rules.link(relation).unwrap_or(&rules.updated)), old),
            Become::Unchanged => (None, &[][..]),
        };
        let judged = ruling.map_or(Expr::Boolean(true), |ruling| ruling.judged(caller));
        let mut flags = vec![rules.read.judged(reader), judged];
        flags.extend(rules.checks.iter().cloned());
        let writable: Vec<u32> = given
            .iter()
            .copied()
            .filter(|field| rules.writable[*field as usize].is_some())
            .collect();
        let ruled = |field: &u32| rules.writable[*field as usize].as_ref();
        flags.extend(writable.iter().filter_map(ruled).map(|rule| rule.judged(caller)));
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
        let output = read::run(
            self.connection,
            &compiled.read,
            values,
            1,
            Format::Json,
            &engine.state_key,
        )
        .await?;
        if output.rows.is_empty() {
            return Err(Refusal::Internal("the row is gone after it was written".into()));
        }
        self.judge(&output, ruling, rules.checks.len(), &writable, at)?;
        Ok(output)
    }

    pub(super) fn judge(
        &self,
        output: &Output,
        ruling: Option<&Ruling>,
        checks: usize,
        writable: &[u32],
        at: &Pointer,
    ) -> Result<(), Refusal> {
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
        if let Some(ruling) = ruling.filter(|_| flags[1] != Some(true)) {
            let refusal = ruling.refusal(&self.engine().model, &self.write.caller);
            return Err(Refusal::Problem(refusal));
        }
        let closed: Vec<u32> = writable
            .iter()
            .zip(&flags[2 + checks..])
            .filter(|(_, holds)| **holds != Some(true))
            .map(|(field, _)| *field)
            .collect();
        self.not_writable(&closed, at)
    }

    pub(super) async fn written(
        &self,
        key: Vec<Cell>,
        created: bool,
        output: Output,
    ) -> Result<Written, Refusal> {
        let readable = output.flags.first().copied().flatten() == Some(true);
        let values = match &self.write.wanted {
            Some(wanted) => Some(self.values_of(wanted, &key).await?),
            None => None,
        };
        Ok(Written {
            values,
            key,
            created,
            item: readable.then_some(output),
        })
    }

    /// The stored columns of a post-select, by field.
    pub(super) fn row_of(&self, output: &Output) -> Vec<Cell> {
        self.by_field(self.write.resource, &output.stored)
    }

    /// The stored columns of a row, by field.
    pub(super) fn by_field(&self, resource: ResourceId, stored: &[Cell]) -> Vec<Cell> {
        let model = &self.engine().model;
        let mut row = vec![Cell::Null; model.resource(resource).fields.len()];
        for ((field, _), cell) in model.stored(resource).zip(stored) {
            row[field.index as usize] = cell.clone();
        }
        row
    }
}

/// Takes the row before a write, and refuses where it is hidden or closed.
struct Found<'a> {
    select: &'a PreSelect,
    state_key: &'a StateKey,
    refusal: &'a (dyn Fn() -> Problem + Sync),
    before: Option<Before>,
}

impl Take for Found<'_> {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        let select = self.select;
        if flag(row, select.read)? != Some(true) {
            return Err(not_found());
        }
        if flag(row, select.rule)? != Some(true) {
            return Err(Refusal::Problem((self.refusal)()));
        }
        let cell = |column: &Option<usize>| match column {
            Some(column) => Ok(row.cell(*column)?.to_owned()),
            None => Ok(Cell::Null),
        };
        let holds = |column: &Option<usize>| match column {
            Some(column) => Ok(Some(flag(row, *column)? == Some(true))),
            None => Ok(None),
        };
        let mut state = StateHash::new(self.state_key);
        for column in &select.state {
            state.add(row.cell(*column)?);
        }
        self.before = Some(Before {
            cells: select.columns.iter().map(cell).collect::<Result<_, Refusal>>()?,
            state: state.finish(),
            may_write: select
                .writable
                .iter()
                .map(holds)
                .collect::<Result<_, Refusal>>()?,
            may_read: select
                .readable
                .iter()
                .map(holds)
                .collect::<Result<_, Refusal>>()?,
        });
        Ok(ControlFlow::Break(()))
    }
}

fn broken_check(check: &rest_schema::Check, at: &Pointer) -> Fault {
    let detail = check
        .message
        .clone()
        .unwrap_or_else(|| format!("`{}` has to hold", check.rule.source));
    Fault::pointer(at.as_str().to_owned(), check.name.clone(), detail)
}
