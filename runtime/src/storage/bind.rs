//! The values of a statement's parameters, taken from where its slots say.

use jiff::Timestamp;
use rest_schema::{FieldId, Value};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::model::Model;
use crate::plan::expr::Slot;
use crate::plan::read::ReadPlan;
use crate::scope::Scopes;

/// Where the values of one run come from.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The service.
    pub model: &'a Model,
    /// The plan's own.
    pub params: &'a [Cell],
    /// Who asks.
    pub caller: &'a Caller,
    /// The row given with the statement, by field index; empty where there is none.
    pub given: &'a [Cell],
    /// The moment of the request.
    pub now: Timestamp,
}

/// Who reads for the service itself.
static NOBODY: Caller = Caller {
    account: None,
    token: None,
    session: None,
    scopes: Scopes::ALL,
    is_unrestricted: true,
    has_written: false,
};

impl<'a> Values<'a> {
    /// For a read as a caller asks for it.
    pub fn of_plan(model: &'a Model, plan: &'a ReadPlan, caller: &'a Caller, now: Timestamp) -> Self {
        Self {
            model,
            params: &plan.params,
            caller,
            given: &[],
            now,
        }
    }

    /// For a statement of the service's own, in which no caller has a part.
    pub fn of_nobody(model: &'a Model, params: &'a [Cell], given: &'a [Cell], now: Timestamp) -> Self {
        Self {
            model,
            params,
            caller: &NOBODY,
            given,
            now,
        }
    }
}

impl Values<'_> {
    /// The value of a slot.
    pub fn cell(&self, slot: &Slot) -> Cell {
        match slot {
            Slot::Param(place) => self.params[usize::from(*place)].clone(),
            Slot::Literal(cell) => cell.clone(),
            Slot::Me(field) => self.me(*field).clone(),
            Slot::Scope(word) => Cell::Integer(i64::from(self.caller.scopes.has(*word))),
            Slot::Given(field) => self.given(*field).clone(),
            Slot::Now(field) => self.now(*field),
        }
    }

    /// Lends the value of a slot where it can be lent.
    pub fn lend(&self, slot: &'_ Slot) -> Option<&Cell> {
        match slot {
            Slot::Param(place) => Some(&self.params[usize::from(*place)]),
            Slot::Me(field) => Some(self.me(*field)),
            Slot::Given(field) => Some(self.given(*field)),
            Slot::Scope(_) | Slot::Literal(_) | Slot::Now(_) => None,
        }
    }

    fn me(&self, field: FieldId) -> &Cell {
        self.caller
            .account
            .as_ref()
            .map_or(&Cell::Null, |account| account.cell(field))
    }

    fn given(&self, field: FieldId) -> &Cell {
        self.given.get(field.index as usize).unwrap_or(&Cell::Null)
    }

    fn now(&self, field: FieldId) -> Cell {
        let value = now_as(self.model.field(field).ty.kind(), self.now);
        self.model.codec(field).encode(&value)
    }
}

/// The moment as a value of a temporal kind, in UTC, to the microsecond.
pub fn now_as(kind: rest_schema::types::Kind, now: Timestamp) -> Value {
    use rest_schema::types::Kind;
    let utc = now.to_zoned(jiff::tz::TimeZone::UTC);
    match kind {
        Kind::Date => Value::Date(utc.date()),
        Kind::Time => Value::Time(utc.time()),
        _ => Value::Timestamp(now),
    }
}
