//! The transaction that a hook runs in, as far as it may touch it.
//!
//! A hook asks, and waits; what drives it sees that it waits, does what was asked on its own connection, and goes on. So
//! a hook that waits without having asked waits for something else, which in a transaction that others wait for it
//! must not: it is found at once, and its write is undone.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use rest_schema::ResourceId;
use tokio::sync::oneshot;

use super::{Hooked, Moment, RawChange};
use crate::caller::Caller;
use crate::db::Repository;
use crate::engine::Engine;
use crate::plan::read::ReadPlan;
use crate::problem::{Code, Problem};
use crate::storage::Refusal;
use crate::storage::rows::Found;
use crate::storage::sqlite::steps::Action;
use crate::storage::sqlite::writer::Written;
use crate::typed::Binding;

/// What a hook asks of the transaction it runs in.
pub(crate) enum Ask {
    /// A read.
    Find {
        plan: Box<ReadPlan>,
        caller: Caller,
        reply: oneshot::Sender<Result<Found, Refusal>>,
    },
    /// A write.
    Write {
        resource: ResourceId,
        caller: Caller,
        action: Box<Action>,
        wanted: Option<Arc<Binding>>,
        reply: oneshot::Sender<Result<Vec<Written>, Refusal>>,
    },
}

/// The transaction of a write, for the hooks in it.
pub struct Tx {
    asks: Sender<Ask>,
    engine: Arc<Engine>,
    caller: Caller,
    now: Timestamp,
}

impl Tx {
    /// Who writes.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Rows as the caller may see and change them. Takes the transaction whole, for it does one thing at a time.
    pub fn as_caller(&mut self) -> Repository<'_> {
        Repository::in_tx(&self.asks, &self.engine, self.caller.clone(), self.now)
    }

    /// All rows: no rule holds, only the limits of fields, uniqueness and foreign keys. What is made has the caller for
    /// `default: me` all the same.
    pub fn unrestricted(&mut self) -> Repository<'_> {
        Repository::in_tx(&self.asks, &self.engine, self.caller.unrestricted(), self.now)
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

/// Runs a hook to its end: what it asks is served, in between; that it fails, panics or waits for something else is a
/// refusal of its write.
pub(crate) fn drive(
    hooked: &Hooked,
    moment: Moment,
    change: &RawChange,
    (engine, now): (&Arc<Engine>, Timestamp),
    serve: &dyn Fn(Ask) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let (asks, asked) = channel();
    let mut tx = Tx {
        asks,
        engine: Arc::clone(engine),
        caller: change.caller.clone(),
        now,
    };
    let mut running = hooked.hooks.run(moment, &hooked.binding, &mut tx, change);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut context)));
        match polled {
            Ok(Poll::Ready(Ok(()))) => return Ok(()),
            Ok(Poll::Ready(Err(problem))) => return Err(told(hooked, moment, problem)),
            Ok(Poll::Pending) => {
                let mut served = false;
                while let Ok(ask) = asked.try_recv() {
                    serve(ask)?;
                    served = true;
                }
                if !served {
                    return Err(failed(
                        hooked,
                        moment,
                        "waits for something other than its transaction",
                    ));
                }
            }
            Err(panic) => return Err(failed(hooked, moment, &format!("panicked: {}", said(&*panic)))),
        }
    }
}

/// What a hook refuses is the client's to know, but for what is internal.
fn told(hooked: &Hooked, moment: Moment, problem: Problem) -> Refusal {
    if problem.code() == Code::Internal {
        let cause = problem.cause().unwrap_or_default();
        return failed(hooked, moment, &format!("failed: {cause}"));
    }
    Refusal::Problem(problem)
}

fn failed(hooked: &Hooked, moment: Moment, how: &str) -> Refusal {
    let message = format!("the hook `{}` by {} {how}", moment.name(), hooked.name);
    Refusal::Problem(Problem::internal(message))
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}
