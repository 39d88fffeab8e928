//! The places in a write at which a program's own code runs, whoever writes: HTTP, [`Db`](crate::Db), another hook.
//!
//! ```text
//! prepare (async, may change the values) ─> [ before ─> the statement ─> within ] ─> commit ─> committed (async)
//! ```
//!
//! What stands in brackets is one transaction, and may run more than once: a batch that lost its transaction runs its
//! writes again, each alone. So the hooks in it wait for their [`Tx`] and nothing else, and what they do outside the
//! database belongs in `committed`. Where one fails, its write is undone, and no other's.

mod change;
mod draft;
mod drive;
mod prepare;
mod registry;
mod tx;

use std::future::Future;

pub use change::Change;
pub(crate) use change::{RawChange, Row};
pub use draft::Draft;
pub(crate) use drive::{advance, refuse_in_tx, said, waits};
pub(crate) use prepare::prepare;
pub(crate) use registry::{Registry, Unbound};
pub(crate) use tx::Ask;
pub use tx::Tx;

use crate::problem::Problem;
use crate::typed::RestResource;

/// Where in a write a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// After all checks of the request, before the statement.
    Before,
    /// After the statement and the rule on the row as it is now.
    Within,
}

impl Moment {
    /// What the method is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Within => "within",
        }
    }
}

/// Code that runs when rows of a resource are written. Each method does nothing until it is written; `async fn` will do.
///
/// Rows that the database changes by itself (`on_delete: cascade`), and those that an operator loads, meet no hooks.
pub trait Hooks<R: RestResource>: Send + Sync + 'static {
    /// Before the write: may wait for anything, change the values, refuse. The body has been checked; whether the row
    /// that is to be changed is there, and whether the caller may change it, is not known yet. Writes by a [`Tx`] don't
    /// come here.
    fn prepare(&self, draft: &mut Draft<R>) -> impl Future<Output = Result<(), Problem>> + Send {
        let _ = draft;
        async { Ok(()) }
    }

    /// In the transaction, before the statement: all checks have passed but those that only the new row tells. Waits for
    /// `tx` and nothing else.
    fn before(&self, tx: &mut Tx, change: &Change<R>) -> impl Future<Output = Result<(), Problem>> + Send {
        let _ = (tx, change);
        async { Ok(()) }
    }

    /// In the transaction, after the statement: the row is as it will be. Waits for `tx` and nothing else.
    fn within(&self, tx: &mut Tx, change: &Change<R>) -> impl Future<Output = Result<(), Problem>> + Send {
        let _ = (tx, change);
        async { Ok(()) }
    }

    /// After the commit, once: may wait for anything. The answer waits for it, and it ends even where nobody waits for
    /// the answer any more.
    fn committed(&self, change: Change<R>) -> impl Future<Output = ()> + Send {
        let _ = change;
        async {}
    }
}
