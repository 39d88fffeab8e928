//! PostgreSQL: connections, what travels over them, transactions.
//!
//! Single statements are sent over a few connections that all requests share, one behind the other; what takes several,
//! a write, gets a connection of its own from a pool. Nothing that another instance would have to know is kept in this
//! process.

pub mod address;
mod array;
mod binary;
pub mod database;
pub mod error;
mod link;
mod numeric;
mod replicas;
pub mod server;
mod tls;
mod transaction;

pub use address::Address;
pub use database::Database;
pub use link::Link;
pub(crate) use replicas::AFTER_A_WRITE;
