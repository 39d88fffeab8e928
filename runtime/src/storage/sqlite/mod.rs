//! SQLite: connections, lanes, the writer.

pub mod connection;
pub mod constraint;
pub mod database;
pub mod files;
pub mod health;
pub mod lane;
pub mod pool;
pub mod statement;
pub mod writer;
