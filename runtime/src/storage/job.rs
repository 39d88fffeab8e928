//! What is written as one: a job, and what it has to show.

use std::future::Future;

use crate::cell::Cell;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::storage::once::Known;
use crate::storage::rows::Output;

/// What a job has to show.
#[derive(Debug)]
pub enum Done {
    /// Items written, as their writer may see them.
    Items(Vec<Written>),
    /// An id, or a number of rows.
    Number(i64),
    /// What is known of a key under which a write was sent.
    Known(Known),
}

/// One item written.
#[derive(Debug)]
pub struct Written {
    /// Its key.
    pub key: Vec<Cell>,
    /// Whether it was made by this write.
    pub created: bool,
    /// The item; `None` where its writer may not read it.
    pub item: Option<Output>,
    /// The values that the struct asked for is made of.
    pub values: Option<Vec<rest_schema::Value>>,
}

/// A write: a value that can run more than once.
pub trait Job: Send + 'static {
    /// Whether it may take long, so that nobody should have to wait for it who could be answered without.
    fn is_long(&self) -> bool {
        false
    }

    /// Does it, inside a transaction.
    fn run<C: Connection>(&self, connection: &C) -> impl Future<Output = Result<Done, Refusal>>;
}
