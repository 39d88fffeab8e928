//! The tables of a service: made where the database is ours, compared with the schema wherever they stand.
//!
//! Nothing here alters a table that is there. What a changed schema needs of a database that is ours is listed as a
//! mismatch, like anything else that doesn't fit; only what is kept beside the tables for searches follows the schema.

mod catalogue;
pub mod cost;
pub mod create;
pub mod fit;
pub mod index;
mod postgres;
mod prepare;
mod scan;
mod search;
#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, Column, ForeignKey, Native, Table, TableIndex};
pub use fit::{Finding, Fit};
pub(crate) use postgres::{inspect as inspect_postgres, open};
pub use prepare::{OwnTables, Prepared, Unprepared, inspect, prepare};
pub use scan::scan;

/// Writes a rule over a resource's own columns as SQL with literals, for a definition.
pub type Expression<'a> = dyn Fn(&rest_schema::Rule) -> String + Sync + 'a;

/// Whose tables they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Made by us, in our stored forms.
    Ours,
    /// Made by another program, in its forms.
    Foreign,
}

/// A table's quoted name, which may name its schema first.
pub(crate) fn table_name(table: &str) -> String {
    let parts: Vec<String> = table.split('.').map(name).collect();
    parts.join(".")
}

/// A quoted name.
pub(crate) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
