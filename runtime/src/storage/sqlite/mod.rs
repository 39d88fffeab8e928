//! SQLite: connections, lanes, the writer.

pub mod connection;
pub mod database;
pub mod health;
pub mod lane;
pub mod pool;
pub mod read;
pub mod state;
pub mod steps;
pub mod writer;
