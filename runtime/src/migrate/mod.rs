//! The tables of a service: made where the database is ours, compared with the schema wherever they stand.
//!
//! Nothing here alters a table that is there. What a changed schema needs of a database that is ours is listed as a
//! mismatch, like anything else that doesn't fit.

mod catalogue;
pub mod create;
pub mod fit;
pub mod index;
mod prepare;
mod scan;
#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, Column, ForeignKey, Table, TableIndex};
pub use fit::{Finding, Fit};
pub use prepare::{OwnTables, Prepared, Unprepared, codecs, inspect, own_codecs, prepare};
pub use scan::scan;

/// Writes a rule over a resource's own columns as SQL with literals, for a definition.
pub type Expression<'a> = dyn Fn(&rest_schema::Rule) -> String + 'a;

/// Whose tables they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Made by us, in our stored forms.
    Ours,
    /// Made by another program, in its forms.
    Foreign,
}

/// A quoted name.
pub(crate) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
