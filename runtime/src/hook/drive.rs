//! Runs a program's own code in a transaction.
//!
//! The code asks, and waits; what drives it ([`crate::storage::steps`]) sees that it waits, does what was asked on its own
//! connection, and goes on. So code that waits without having asked waits for something else, which in a transaction that
//! others wait for it must not: it is found at once, and what it did is undone.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

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

/// Runs code until it waits or ends. That it fails or panics is a refusal, which calls it by its name.
pub(crate) fn advance<R>(
    name: &dyn Fn() -> String,
    running: Pin<&mut R>,
    threads: Option<&Handle>,
) -> Result<Poll<()>, Refusal>
where
    R: Future<Output = Result<(), Problem>> + ?Sized,
{
    let mut context = Context::from_waker(Waker::noop());
    let poll = || {
        let _entered = threads.map(Handle::enter);
        running.poll(&mut context)
    };
    match in_tx(|| catch_unwind(AssertUnwindSafe(poll))) {
        Ok(Poll::Pending) => Ok(Poll::Pending),
        Ok(Poll::Ready(Ok(()))) => Ok(Poll::Ready(())),
        Ok(Poll::Ready(Err(problem))) if problem.code() == Code::Internal => {
            let cause = problem.cause().unwrap_or_default();
            Err(failed(name, &format!("failed: {cause}")))
        }
        // What it refuses is the client's to know.
        Ok(Poll::Ready(Err(problem))) => Err(Refusal::Problem(problem)),
        Err(panic) => Err(failed(name, &format!("panicked: {}", said(&*panic)))),
    }
}

/// The refusal of code that waits without having asked.
pub(crate) fn waits(name: &dyn Fn() -> String) -> Refusal {
    failed(name, "waits for something other than its transaction")
}

fn failed(name: &dyn Fn() -> String, how: &str) -> Refusal {
    let message = format!("{} {how}", name());
    Refusal::Problem(Problem::internal(message))
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}
