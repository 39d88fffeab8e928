//! A database made ready to serve: whose it is, its tables if they are ours to make, and how its columns are kept.

use std::fmt;

use rest_schema::Schema;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::search::changes;
use super::{Catalogue, Expression, Finding, Fit, Ownership, create, fit};
use crate::codec::Columns;
use crate::sql::dialect::Dialect;

/// A database that fits its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Whose its tables are.
    pub ownership: Ownership,
    /// How the fields are kept.
    pub columns: Columns,
    /// What would be better.
    pub advice: Vec<Finding>,
    /// Whether its tables were made just now.
    pub is_new: bool,
}

/// Why a database can't be served.
#[derive(Debug)]
pub enum Unprepared {
    /// It holds tables that we didn't make, and the schema doesn't say whose they are.
    Whose,
    /// It was made by us, and the schema says `managed: false`.
    NotForeign,
    /// The schema says `managed: true`, and tables of these names are there that we didn't make.
    NotOurs(Vec<String>),
    /// It doesn't fit.
    Mismatches(Vec<Finding>),
    /// It can't be read or written.
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for Unprepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whose => f.write_str(
                "the database holds tables that this service didn't make, and the schema doesn't say whose they are\n  \
                 help: `managed: false` where another program owns them, `managed: true` where they are for this service \
                 to make",
            ),
            Self::NotForeign => f.write_str(
                "the database was made by a service, in its own stored forms\n  help: `managed: true`, or another database",
            ),
            Self::NotOurs(tables) => write!(
                f,
                "the database has tables that this service would make, and didn't: {}\n  \
                 help: `managed: false` where another program owns them, or another database",
                tables.join(", ")
            ),
            Self::Mismatches(mismatches) => {
                let word = if mismatches.len() == 1 { "mismatch" } else { "mismatches" };
                write!(f, "the schema doesn't fit the database: {} {word}", mismatches.len())?;
                mismatches.iter().try_for_each(|mismatch| write!(f, "\n{mismatch}"))
            }
            Self::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unprepared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => Some(&**error),
            Self::Whose | Self::NotForeign | Self::NotOurs(_) | Self::Mismatches(_) => None,
        }
    }
}

impl From<rusqlite::Error> for Unprepared {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// Our own tables: the statements that make them, and the one whose presence tells a database as ours.
#[derive(Debug, Clone, Copy)]
pub struct OwnTables<'a> {
    /// The statements; they run again without harm.
    pub statements: &'a [&'a str],
    /// A table's name.
    pub mark: &'a str,
}

/// What is to be done with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Make,
    Compare(Ownership),
}

/// Makes the tables where they are ours and missing, in one transaction; then compares. Two instances that start together
/// make them once.
pub fn prepare(
    schema: &Schema,
    connection: &Connection,
    own: OwnTables<'_>,
    expression: &Expression<'_>,
) -> Result<Prepared, Unprepared> {
    let catalogue = Catalogue::read(connection)?;
    match plan(schema, &catalogue, own.mark)? {
        Plan::Compare(ownership) => {
            let fit = fit::fit(schema, Dialect::Sqlite, &catalogue, ownership, expression);
            let prepared = compared(fit, schema, Dialect::Sqlite, ownership)?;
            if ownership == Ownership::Ours && !changes(schema, Dialect::Sqlite, &catalogue).is_empty() {
                follow(schema, connection)?;
            }
            Ok(prepared)
        }
        Plan::Make => make(schema, connection, own, expression),
    }
}

/// Compares without making anything: what a check of schema and database says.
pub fn inspect(
    schema: &Schema,
    connection: &Connection,
    mark: &str,
    expression: &Expression<'_>,
) -> Result<Fit, Unprepared> {
    let catalogue = Catalogue::read(connection)?;
    match plan(schema, &catalogue, mark)? {
        Plan::Compare(ownership) => Ok(fit::fit(
            schema,
            Dialect::Sqlite,
            &catalogue,
            ownership,
            expression,
        )),
        Plan::Make => Ok(Fit {
            mismatches: fit::unkeepable(schema, Dialect::Sqlite),
            ..Fit::default()
        }),
    }
}

fn make(
    schema: &Schema,
    connection: &Connection,
    own: OwnTables<'_>,
    expression: &Expression<'_>,
) -> Result<Prepared, Unprepared> {
    let unkeepable = fit::unkeepable(schema, Dialect::Sqlite);
    if !unkeepable.is_empty() {
        return Err(Unprepared::Mismatches(unkeepable));
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another instance may have been here between the first look and the lock.
    let catalogue = Catalogue::read(&transaction)?;
    let is_new = plan(schema, &catalogue, own.mark)? == Plan::Make;
    if is_new {
        let statements = create::statements(schema, Dialect::Sqlite, expression);
        for statement in statements
            .iter()
            .map(String::as_str)
            .chain(own.statements.iter().copied())
        {
            transaction.execute_batch(statement)?;
        }
    }
    let catalogue = Catalogue::read(&transaction)?;
    let fit = fit::fit(schema, Dialect::Sqlite, &catalogue, Ownership::Ours, expression);
    let prepared = compared(fit, schema, Dialect::Sqlite, Ownership::Ours)?;
    transaction.commit()?;
    Ok(Prepared { is_new, ..prepared })
}

/// Brings what is kept for searches in line with the schema.
fn follow(schema: &Schema, connection: &Connection) -> Result<(), rusqlite::Error> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another instance may have been here before the lock.
    let catalogue = Catalogue::read(&transaction)?;
    for statement in changes(schema, Dialect::Sqlite, &catalogue) {
        transaction.execute_batch(&statement)?;
    }
    transaction.commit()
}

pub(super) fn plan(schema: &Schema, catalogue: &Catalogue, mark: &str) -> Result<Plan, Unprepared> {
    let is_ours = catalogue.table(mark).is_some();
    match (schema.managed, is_ours) {
        (Some(false), true) => Err(Unprepared::NotForeign),
        (Some(false), false) => Ok(Plan::Compare(Ownership::Foreign)),
        (Some(true) | None, true) => Ok(Plan::Compare(Ownership::Ours)),
        (None, false) if catalogue.tables.iter().any(|table| !table.name.contains('.')) => {
            Err(Unprepared::Whose)
        }
        (Some(true) | None, false) => {
            let wanted = schema.resources.iter().map(|resource| &resource.table);
            let there: Vec<String> = wanted
                .filter(|table| catalogue.table(table).is_some())
                .cloned()
                .collect();
            if there.is_empty() {
                Ok(Plan::Make)
            } else {
                Err(Unprepared::NotOurs(there))
            }
        }
    }
}

pub(super) fn compared(
    fit: Fit,
    schema: &Schema,
    dialect: Dialect,
    ownership: Ownership,
) -> Result<Prepared, Unprepared> {
    if !fit.mismatches.is_empty() {
        return Err(Unprepared::Mismatches(fit.mismatches));
    }
    Ok(Prepared {
        ownership,
        columns: Columns::new(schema, dialect, &fit.forms),
        advice: fit.advice,
        is_new: false,
    })
}
