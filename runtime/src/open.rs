//! Opens the database of a service: what is there is looked at, what is missing is made where it is ours, and what is
//! needed to serve it is got ready.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rest_schema::{Journal, Schema};

use crate::codec::Columns;
use crate::location::Location;
use crate::metrics::{Databases, Meters};
use crate::migrate::{self, Finding, OwnTables, Ownership, Prepared};
use crate::model::Model;
use crate::request::page::CursorKey;
use crate::service::Error;
use crate::session::CsrfKey;
use crate::sql::condition::definition;
use crate::sql::dialect::Dialect;
use crate::storage::connection::{Reading, driven};
use crate::storage::postgres::{self, Address};
use crate::storage::read::StateKey;
use crate::storage::sqlite::connection::{self, File, Purpose};
use crate::storage::sqlite::database::Database;
use crate::storage::sqlite::files::Files;
use crate::storage::{Refusal, Storage, state};

/// A database that fits its schema, and what is needed to serve both.
pub(crate) struct Opened {
    pub(crate) storage: Storage,
    pub(crate) model: Model,
    pub(crate) ownership: Ownership,
    pub(crate) advice: Vec<Finding>,
    pub(crate) state: state::Statements,
    pub(crate) keys: Keys,
}

/// The service's own secrets.
pub(crate) struct Keys {
    pub(crate) cursor: CursorKey,
    pub(crate) state: StateKey,
    pub(crate) csrf: CsrfKey,
}

/// Opens a database, and the replicas that are read instead.
pub(crate) fn open(
    schema: Schema,
    location: &Location,
    replicas: &[Location],
    counts: &Databases,
) -> Result<Opened, Error> {
    match location {
        Location::File(_) if !replicas.is_empty() => Err(Error::told(
            "a file has no replicas; they are servers that follow a PostgreSQL's",
        )),
        Location::File(path) => open_file(schema, path, counts),
        Location::Postgres(url) => {
            let time = statement_timeout(&schema);
            let limited = |address: Address| address.with_statement_timeout(time);
            let address = limited(url.parse().map_err(Error::told)?);
            let replicas: Result<_, Error> = replicas.iter().map(|of| replica(of).map(limited)).collect();
            at_start(open_postgres(schema, address, replicas?, counts))
        }
    }
}

/// How long one statement may take, as the schema says.
fn statement_timeout(schema: &Schema) -> Duration {
    Duration::from_secs(schema.limits.statement_timeout.into())
}

fn replica(location: &Location) -> Result<Address, Error> {
    match location {
        Location::Postgres(url) => url.parse().map_err(Error::told),
        Location::File(path) => Err(Error::told(format!(
            "{} is a file, and a replica is a server: postgres://…",
            path.display()
        ))),
    }
}

fn open_file(schema: Schema, path: &Path, counts: &Databases) -> Result<Opened, Error> {
    let prepared = prepare(&schema, path)?;
    let ours = prepared.ownership == Ownership::Ours;
    if !ours {
        refuse_audit(&schema, path)?;
    }
    let wal = ours || schema.journal == Some(Journal::Wal);
    let time = statement_timeout(&schema);
    let files = open_databases(path, ours, wal, time, counts)?;
    let model = Model::new(schema, prepared.columns);
    let state = state::Statements::new("", false);
    let doing = "the keys of the service can't be read";
    let link = connection::open(&files.state.file, Purpose::Write).map_err(Error::driver(doing))?;
    let keys = driven(keys(&link.connection, &state, &model));
    Ok(Opened {
        storage: Storage::Sqlite(files),
        ownership: prepared.ownership,
        advice: prepared.advice,
        keys: keys.map_err(|refusal| Error::refused(doing, &refusal))?,
        state,
        model,
    })
}

/// A log that isn't in the rows' own database could say what never was, and miss what was.
fn refuse_audit(schema: &Schema, path: &Path) -> Result<(), Error> {
    let audited = schema.resources.iter().filter(|resource| resource.kept.audited);
    let names: Vec<String> = audited.map(|resource| format!("`{}`", resource.name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Error::told(format!(
        "the changes of {} can't be logged: {} isn't the service's own, so what the service keeps lies in another file, and \
         SQLite doesn't write both as one\n  help: take `audit` out, or serve from PostgreSQL, where a log beside another \
         program's tables is exact",
        names.join(", "),
        path.display()
    )))
}

async fn open_postgres(
    schema: Schema,
    address: Address,
    replicas: Vec<Address>,
    counts: &Databases,
) -> Result<Opened, Error> {
    let shown = address.to_string();
    let link = reached(&address).await?;
    let own = Model::new(schema.clone(), Columns::ours(&schema, Dialect::Postgres));
    let expression = |rule: &rest_schema::Rule| definition(&own, rule);
    let opened = migrate::open(&schema, link.client(), &expression)
        .await
        .map_err(|source| Error::unprepared(&shown, source))?;
    let state = state::Statements::new(opened.before, !replicas.is_empty());
    let model = Model::new(schema, opened.prepared.columns);
    let doing = "the keys of the service can't be read";
    let keys = keys(&link, &state, &model)
        .await
        .map_err(|refusal| Error::refused(doing, &refusal))?;
    let database = postgres::Database::new(address, replicas, opened.uniques, counts);
    Ok(Opened {
        storage: Storage::Postgres(Arc::new(database)),
        ownership: opened.prepared.ownership,
        advice: opened.prepared.advice,
        keys,
        state,
        model,
    })
}

/// A connection to look at a database with.
pub(crate) async fn reached(address: &Address) -> Result<postgres::Link, Error> {
    let link = postgres::Link::first(address).await;
    link.map_err(|told| Error::told(format!("{address} can't be reached: {told}")))
}

/// Does what has to wait before there is anybody to wait for it: on a thread and with a runtime of its own, so that it works
/// within a runtime and without one.
pub(crate) fn at_start<T: Send>(work: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::told(format!("threads can't be started: {error}")))?;
        runtime.block_on(work)
    };
    let ended = std::thread::scope(|threads| threads.spawn(run).join());
    ended.unwrap_or_else(|_| Err(Error::told("opening the database panicked")))
}

async fn keys<C: Reading>(connection: &C, state: &state::Statements, model: &Model) -> Result<Keys, Refusal> {
    Ok(Keys {
        cursor: CursorKey::new(state::key::<32, _>(connection, state, model, "cursor-key").await?),
        state: StateKey(state::key::<16, _>(connection, state, model, "state-key").await?),
        csrf: CsrfKey(state::key::<32, _>(connection, state, model, "csrf-key").await?),
    })
}

/// Makes a database of SQL text, whole or not at all; a file that is there is refused.
pub(crate) fn create_from(database: &Path, sql: &str) -> Result<(), Error> {
    let shown = database.display().to_string();
    if database.exists() {
        return Err(Error::told(format!("{shown} is there already")));
    }
    let mut unfinished = database.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let made = connection::script(&unfinished, sql).map_err(Error::driver(format!("{shown} can't be made")));
    let made = made.and_then(|()| {
        std::fs::rename(&unfinished, database)
            .map_err(|error| Error::told(format!("{shown} can't be made: {error}")))
    });
    if made.is_err() {
        // Nothing of it is of use.
        drop(std::fs::remove_file(&unfinished));
    }
    made
}

/// Looks at the file, and makes the tables where they are ours to make. What fails leaves no file behind.
fn prepare(schema: &Schema, database: &Path) -> Result<Prepared, Error> {
    let shown = database.display().to_string();
    let is_new = !database.exists();
    if is_new && schema.managed == Some(false) {
        return Err(Error::told(format!(
            "there is no database at {shown}; with `managed: false` it is made by the program that owns it"
        )));
    }
    if !is_new {
        check_file(database)?;
    }
    let prepared = prepare_in(schema, database, is_new);
    if is_new && prepared.is_err() {
        // It was made a moment ago, by us, and holds nothing.
        drop(std::fs::remove_file(database));
    }
    prepared
}

fn prepare_in(schema: &Schema, database: &Path, is_new: bool) -> Result<Prepared, Error> {
    let shown = database.display().to_string();
    let link = if is_new {
        connection::create(database)
    } else {
        connection::inspect(database)
    };
    let link = link.map_err(Error::driver(format!("{shown} can't be opened")))?;
    let model = Model::new(schema.clone(), Columns::ours(schema, Dialect::Sqlite));
    let expression = |rule: &rest_schema::Rule| definition(&model, rule);
    let own = OwnTables {
        statements: state::TABLES,
        mark: state::MARK,
    };
    migrate::prepare(schema, &link.connection, own, &expression)
        .map_err(|source| Error::unprepared(&shown, source))
}

/// Refuses what is no database, or can't be written.
pub(crate) fn check_file(database: &Path) -> Result<(), Error> {
    let shown = database.display();
    if database.is_dir() {
        return Err(Error::told(format!("{shown} is a directory, not a database")));
    }
    match connection::is_database(database) {
        Ok(true) => {}
        Ok(false) => return Err(Error::told(format!("{shown} is not a database of SQLite"))),
        Err(error) => return Err(Error::told(format!("{shown} can't be read: {error}"))),
    }
    if std::fs::metadata(database).is_ok_and(|file| file.permissions().readonly()) {
        return Err(Error::told(format!(
            "{shown} is read-only; a service writes to its database"
        )));
    }
    Ok(())
}

/// The database, and the one that keeps our own state: the same where it is ours.
fn open_databases(
    database: &Path,
    ours: bool,
    wal: bool,
    time: Duration,
    counts: &Databases,
) -> Result<Files, Error> {
    let file = File {
        path: database.to_owned(),
        ours,
        wal,
    };
    if ours {
        // An earlier version may have made the file.
        make_state(database)?;
    }
    let data = Arc::new(open_database(file, time, counts.of("data"))?);
    let state = if ours {
        Arc::clone(&data)
    } else {
        Arc::new(open_state(database, time, counts.of("state"))?)
    };
    Ok(Files { data, state })
}

fn open_database(file: File, time: Duration, meters: Meters) -> Result<Database, Error> {
    let shown = file.path.display().to_string();
    Database::open(file, time, meters).map_err(Error::driver(format!(
        "{shown} can't be opened for reading and writing"
    )))
}

/// Makes the tables of our own state where they are missing; else writes nothing.
fn make_state(path: &Path) -> Result<(), Error> {
    let doing = format!("our own state can't be kept in {}", path.display());
    let link = connection::create(path).map_err(Error::driver(doing.clone()))?;
    let keep = || {
        // Another instance may start at the same time.
        link.connection.execute_batch("BEGIN IMMEDIATE")?;
        for statement in state::TABLES {
            link.connection.execute_batch(statement)?;
        }
        for [table, column, ty, _] in state::LATER {
            let there = "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?";
            let there: i64 = link
                .connection
                .query_row(there, [table, column], |row| row.get(0))?;
            if there == 0 {
                let add = format!("ALTER TABLE {table} ADD COLUMN {column} {ty}");
                link.connection.execute_batch(&add)?;
            }
        }
        link.connection.execute_batch("COMMIT")
    };
    keep().map_err(Error::driver(doing))
}

/// Our own state beside a database that isn't ours: a file of its own, so that its owner's tools never see it.
fn open_state(database: &Path, time: Duration, meters: Meters) -> Result<Database, Error> {
    let mut path = database.as_os_str().to_owned();
    path.push(".rest-state");
    let path = PathBuf::from(path);
    make_state(&path)?;
    let file = File {
        path,
        ours: true,
        wal: true,
    };
    open_database(file, time, meters)
}
