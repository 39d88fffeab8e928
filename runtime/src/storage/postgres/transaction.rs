//! A transaction on a connection of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Link;
use crate::sql::Statement;
use crate::storage::Refusal;
use crate::storage::connection::{Bound, Connection, Reading, Take};
use crate::storage::constraint::Context;

/// A transaction. It remembers that the database wants it run again, whatever code in it makes of that refusal.
pub(super) struct Transaction<'l> {
    link: &'l Link,
    again: AtomicBool,
}

impl<'l> Transaction<'l> {
    pub(super) fn new(link: &'l Link) -> Self {
        Self {
            link,
            again: AtomicBool::new(false),
        }
    }

    /// Whether it lost against another one.
    pub(super) fn is_to_run_again(&self) -> bool {
        self.again.load(Ordering::Relaxed)
    }

    fn seen<T>(&self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        if matches!(result, Err(Refusal::Again(_))) {
            self.again.store(true, Ordering::Relaxed);
            self.link.forget();
        }
        result
    }
}

impl Reading for Transaction<'_> {
    async fn each<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> Result<(), Refusal> {
        self.seen(self.link.each(statement, bound, take).await)
    }
}

impl Connection for Transaction<'_> {
    async fn change<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        context: Context<'_>,
        take: &mut T,
    ) -> Result<u64, Refusal> {
        self.seen(self.link.change(statement, bound, context, take).await)
    }

    async fn execute(&self, text: &'static str) -> Result<(), Refusal> {
        self.seen(self.link.batch(text).await)
    }

    async fn defer_foreign_keys(&self) -> Result<(), Refusal> {
        self.execute("SET CONSTRAINTS ALL DEFERRED").await
    }

    fn goes_out_at_once(&self, statement: &Statement) -> bool {
        self.link.goes_out_at_once(statement)
    }

    fn is_lost(&self) -> bool {
        !self.link.is_usable()
    }
}
