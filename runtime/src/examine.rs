//! A database looked at and left as it is: whether a schema fits it, and whether what it holds fits the schema.

use std::path::Path;

use rest_schema::Schema;

use crate::codec::Columns;
use crate::location::Location;
use crate::migrate::cost::costs;
use crate::migrate::{self, Finding};
use crate::model::Model;
use crate::open::{at_start, check_file, reached};
use crate::service::Error;
use crate::sql::condition::definition;
use crate::sql::dialect::Dialect;
use crate::storage::postgres::Address;
use crate::storage::sqlite::connection::{self, File, Purpose};
use crate::storage::sqlite::health;
use crate::storage::state;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examination {
    /// Where schema and database differ: the service would not start.
    pub mismatches: Vec<Finding>,
    /// Stored values that don't fit their fields; looked for where nothing differs.
    pub stored: Vec<Finding>,
    /// What would be better.
    pub advice: Vec<Finding>,
    /// Filters and orders that no index serves, as far as the schema or the tables say.
    pub costs: Vec<Finding>,
}

/// Examines a database; one that isn't there yet, and is for the service to make, has no fault.
///
/// # Errors
///
/// Where it can't be read, or schema and database disagree about whose the tables are.
pub fn examine(schema: &Schema, database: &Location) -> Result<Examination, Error> {
    match database {
        Location::File(path) => examine_file(schema, path),
        Location::Postgres(url) => {
            let address: Address = url.parse().map_err(Error::told)?;
            at_start(examine_postgres(schema, &address))
        }
    }
}

/// Whether a server of PostgreSQL follows another one, as a replica does.
///
/// # Errors
///
/// Where it is none, or can't be reached.
pub fn follows(replica: &Location) -> Result<bool, Error> {
    let Location::Postgres(url) = replica else {
        return Err(Error::told("a file is no replica; give postgres://…"));
    };
    let address: Address = url.parse().map_err(Error::told)?;
    at_start(async {
        let link = reached(&address).await?;
        let asked = link.client().query_one("SELECT pg_is_in_recovery()", &[]).await;
        let told = |error| Error::told(format!("{address} can't be asked: {error}"));
        asked.and_then(|row| row.try_get(0)).map_err(told)
    })
}

/// Rows aren't looked at: the types of PostgreSQL's columns keep out nearly all that doesn't fit.
async fn examine_postgres(schema: &Schema, address: &Address) -> Result<Examination, Error> {
    let link = reached(address).await?;
    let model = Model::new(schema.clone(), Columns::ours(schema, Dialect::Postgres));
    let expression = |rule: &rest_schema::Rule| definition(&model, rule);
    let fit = migrate::inspect_postgres(schema, link.client(), &expression)
        .await
        .map_err(|source| Error::unprepared(&address.to_string(), source))?;
    Ok(Examination {
        mismatches: fit.mismatches,
        stored: Vec::new(),
        advice: fit.advice,
        costs: fit.costs,
    })
}

fn examine_file(schema: &Schema, database: &Path) -> Result<Examination, Error> {
    let shown = database.display().to_string();
    if !database.exists() && schema.managed != Some(false) {
        return Ok(Examination {
            mismatches: migrate::fit::unkeepable(schema, Dialect::Sqlite),
            costs: costs(schema),
            ..Examination::default()
        });
    }
    if !database.exists() {
        return Err(Error::told(format!("there is no database at {shown}")));
    }
    check_file(database)?;
    let file = File {
        path: database.to_owned(),
        ours: false,
        wal: false,
    };
    let link =
        connection::open(&file, Purpose::Pool).map_err(Error::driver(format!("{shown} can't be opened")))?;
    let model = Model::new(schema.clone(), Columns::ours(schema, Dialect::Sqlite));
    let expression = |rule: &rest_schema::Rule| definition(&model, rule);
    let fit = migrate::inspect(schema, &link.connection, state::MARK, &expression)
        .map_err(|source| Error::unprepared(&shown, source))?;
    let is_there = fit.mismatches.is_empty() && !fit.forms.is_empty();
    let stored = if is_there {
        let columns = Columns::new(schema, Dialect::Sqlite, &fit.forms);
        migrate::scan(schema, &columns.codecs, &link.connection)
            .map_err(Error::driver(format!("{shown} can't be read")))?
    } else {
        Vec::new()
    };
    Ok(Examination {
        mismatches: fit.mismatches,
        stored,
        advice: fit.advice,
        costs: fit.costs,
    })
}

/// What is wrong with a database file itself: damage, rows that point at none, a lock that somebody holds, a file that
/// can't be written. It is read as a whole, which takes its time, and nothing is changed.
///
/// # Errors
///
/// Where it isn't there, isn't a database, or can't be read.
pub fn diagnose(database: &Path) -> Result<Vec<Finding>, Error> {
    let shown = database.display().to_string();
    if !database.exists() {
        return Err(Error::told(format!("there is no database at {shown}")));
    }
    check_file(database)?;
    let link = connection::inspect(database).map_err(Error::driver(format!("{shown} can't be opened")))?;
    health::faults(&link.connection).map_err(Error::driver(format!("{shown} can't be read")))
}
