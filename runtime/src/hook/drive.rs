//! Runs a program's own code in a transaction.
//!
//! The code asks, and waits; what drives it sees that it waits, does what was asked on its own connection, and goes on. So
//! code that waits without having asked waits for something else, which in a transaction that others wait for it must
//! not: it is found at once, and what it did is undone.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::Receiver;
use std::task::{Context, Poll, Waker};

use super::Ask;
use crate::problem::{Code, Problem};
use crate::storage::Refusal;

thread_local! {
    /// Whether such code is being polled on this thread.
    static DRIVEN: Cell<bool> = const { Cell::new(false) };
}

fn in_tx<T>(poll: impl FnOnce() -> T) -> T {
    DRIVEN.set(true);
    let polled = poll();
    DRIVEN.set(false);
    polled
}

/// Refuses what goes around the transaction of the code that asks for it: a read would see the rows as they were, and a
/// write would stand whatever becomes of the transaction.
pub(crate) fn refuse_in_tx() -> Result<(), Problem> {
    if DRIVEN.get() {
        return Err(Problem::internal(
            "what runs in a transaction reads and writes by its `Tx` only",
        ));
    }
    Ok(())
}

/// Runs code to its end: what it asks is served, in between. That it fails, panics or waits for something else is a
/// refusal, which calls it by its name.
pub(crate) fn drive(
    name: &dyn Fn() -> String,
    mut running: Pin<&mut dyn Future<Output = Result<(), Problem>>>,
    asked: &Receiver<Ask>,
    serve: &dyn Fn(Ask) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let failed = |how: &str| {
        let message = format!("{} {how}", name());
        Err(Refusal::Problem(Problem::internal(message)))
    };
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let poll = || running.as_mut().poll(&mut context);
        match in_tx(|| catch_unwind(AssertUnwindSafe(poll))) {
            Ok(Poll::Ready(Ok(()))) => return Ok(()),
            Ok(Poll::Ready(Err(problem))) if problem.code() == Code::Internal => {
                return failed(&format!("failed: {}", problem.cause().unwrap_or_default()));
            }
            // What it refuses is the client's to know.
            Ok(Poll::Ready(Err(problem))) => return Err(Refusal::Problem(problem)),
            Ok(Poll::Pending) => {
                let mut served = false;
                while let Ok(ask) = asked.try_recv() {
                    serve(ask)?;
                    served = true;
                }
                if !served {
                    return failed("waits for something other than its transaction");
                }
            }
            Err(panic) => return failed(&format!("panicked: {}", said(&*panic))),
        }
    }
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}
