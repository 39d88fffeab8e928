//! A database of PostgreSQL made ready to serve.

use rest_schema::Schema;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::catalogue::postgres::read;
use super::prepare::{Plan, compared, plan};
use super::search::changes;
use super::{Catalogue, Expression, Fit, Ownership, Prepared, Unprepared, create, fit, table_name};
use crate::sql::dialect::Dialect;
use crate::storage::postgres::address::causes;
use crate::storage::postgres::error::Uniques;
use crate::storage::state;

/// The least version that is served.
const VERSION: i32 = 15;
/// How often two instances that start together may be in each other's way.
const ATTEMPTS: u32 = 20;
/// What the names of our own tables' definitions begin with.
const DEFINITION: &str = "table:";

/// A database that fits.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) prepared: Prepared,
    pub(crate) uniques: Uniques,
    /// What stands before the names of our own tables.
    pub(crate) before: &'static str,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl From<tokio_postgres::Error> for Unprepared {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(causes(&error).into())
    }
}

/// Makes the tables where they are ours and missing, in one transaction; then compares. Two instances that start together
/// make them once: who comes second waits at the name of the first table, and finds it made.
pub(crate) async fn open(
    schema: &Schema,
    client: &Client,
    expression: &Expression<'_>,
) -> Result<Opened, Unprepared> {
    suits(client).await.map_err(Unprepared::Database)?;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let catalogue = catalogue(client).await?;
        let ownership = match plan(schema, &catalogue, state::MARK)? {
            Plan::Compare(ownership) => ownership,
            Plan::Make => {
                let unkeepable = fit::unkeepable(schema, Dialect::Postgres);
                if !unkeepable.is_empty() {
                    return Err(Unprepared::Mismatches(unkeepable));
                }
                match make(schema, client, expression).await {
                    Ok(()) => {
                        let catalogue = self::catalogue(client).await?;
                        return opened(schema, &catalogue, Ownership::Ours, true, expression);
                    }
                    Err(error) if is_made_already(&error) && attempt < ATTEMPTS => continue,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        match keep_state(client, before(ownership)).await {
            Err(error) if is_made_already(&error) && attempt < ATTEMPTS => continue,
            kept => kept.map_err(|error| Unprepared::Database(state_refused(&error, ownership)))?,
        }
        let opened = opened(schema, &catalogue, ownership, false, expression)?;
        if ownership == Ownership::Ours {
            match follow(schema, client, &catalogue).await {
                Err(error) if is_made_already(&error) && attempt < ATTEMPTS => continue,
                followed => followed?,
            }
        }
        has_rights(schema, client).await.map_err(Unprepared::Database)?;
        return Ok(opened);
    }
}

/// Compares without making anything.
pub(crate) async fn inspect(
    schema: &Schema,
    client: &Client,
    expression: &Expression<'_>,
) -> Result<Fit, Unprepared> {
    suits(client).await.map_err(Unprepared::Database)?;
    let catalogue = catalogue(client).await?;
    match plan(schema, &catalogue, state::MARK)? {
        Plan::Compare(ownership) => {
            let fit = fit::fit(schema, Dialect::Postgres, &catalogue, ownership, expression);
            if fit.mismatches.is_empty() {
                has_rights(schema, client).await.map_err(Unprepared::Database)?;
            }
            Ok(fit)
        }
        Plan::Make => Ok(Fit {
            mismatches: fit::unkeepable(schema, Dialect::Postgres),
            ..Fit::default()
        }),
    }
}

/// Whether the server is one that we know, and its texts are in UTF-8.
async fn suits(client: &Client) -> Result<(), Failure> {
    let asked = "SELECT current_setting('server_version_num')::int4, current_setting('server_version'), \
                 current_setting('server_encoding'), current_schema()::text";
    let row = client
        .query_one(asked, &[])
        .await
        .map_err(|error| causes(&error))?;
    let version: i32 = row.try_get(0)?;
    if version / 10_000 < VERSION {
        let told: &str = row.try_get(1)?;
        return Err(format!("PostgreSQL {told} is too old; {VERSION} or later is served").into());
    }
    let encoding: &str = row.try_get(2)?;
    if encoding != "UTF8" {
        let help = "make one with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`";
        return Err(
            format!("the database's encoding is {encoding}, and texts are in UTF8\n  help: {help}").into(),
        );
    }
    if row.try_get::<_, Option<&str>>(3)?.is_none() {
        let help = "`options=-csearch_path%3Dpublic` in its URL, or `ALTER ROLE … SET search_path`";
        return Err(format!(
            "no schema of the database's search_path is there, or may be used\n  help: {help}"
        )
        .into());
    }
    Ok(())
}

/// Whether the role may do with the tables what the schema lets callers do.
async fn has_rights(schema: &Schema, client: &Client) -> Result<(), Failure> {
    let (mut tables, mut rights) = (Vec::new(), Vec::new());
    for resource in &schema.resources {
        let access = &resource.access;
        let needed = [
            ("SELECT", true),
            ("INSERT", access.create.is_some()),
            ("UPDATE", access.update.is_some()),
            ("DELETE", access.delete.is_some()),
        ];
        for (right, _) in needed.into_iter().filter(|(_, is_needed)| *is_needed) {
            tables.push(table_name(&resource.table));
            rights.push(right);
        }
    }
    let asked = "SELECT name, string_agg(needed, ', ' ORDER BY place), quote_ident(current_user)
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (name, needed, place)
        WHERE NOT has_table_privilege(name, needed)
            AND (needed = 'DELETE' OR NOT has_any_column_privilege(name, needed))
        GROUP BY name ORDER BY min(place)";
    let missing = client.query(asked, &[&tables, &rights]).await;
    let missing = missing.map_err(|error| causes(&error))?;
    let mut told = Vec::new();
    for row in missing {
        let (table, rights, role): (&str, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        told.push(format!("`GRANT {rights} ON {table} TO {role}`"));
    }
    if told.is_empty() {
        return Ok(());
    }
    let help = told.join("\n        ");
    Err(
        format!("the service may not do all with its tables that the schema lets callers do\n  help: {help}")
            .into(),
    )
}

/// The catalogue, with the definitions that we keep of our own tables.
async fn catalogue(client: &Client) -> Result<Catalogue, tokio_postgres::Error> {
    let mut catalogue = read(client).await?;
    if catalogue.table(state::MARK).is_some() {
        let text =
            "SELECT substr(name, 7), convert_from(value, 'UTF8') FROM rest_state WHERE name LIKE 'table:%'";
        for row in client.query(text, &[]).await? {
            let (name, definition): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let table = catalogue.tables.iter_mut().find(|table| table.name == name);
            if let Some(table) = table {
                table.definition = definition;
            }
        }
    }
    Ok(catalogue)
}

async fn make(
    schema: &Schema,
    client: &Client,
    expression: &Expression<'_>,
) -> Result<(), tokio_postgres::Error> {
    client.batch_execute("BEGIN").await?;
    let made = make_within(schema, client, expression).await;
    let end = if made.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = client.batch_execute(end).await;
    made.and(ended)
}

async fn make_within(
    schema: &Schema,
    client: &Client,
    expression: &Expression<'_>,
) -> Result<(), tokio_postgres::Error> {
    for (_, make) in state::tables("") {
        client.batch_execute(&make).await?;
    }
    let tables = schema.resources.iter().map(|resource| &resource.table);
    for of in tables.filter_map(|table| table.split_once('.')).map(|(of, _)| of) {
        let make = format!("CREATE SCHEMA IF NOT EXISTS {}", super::name(of));
        client.batch_execute(&make).await?;
    }
    for statement in create::statements(schema, Dialect::Postgres, expression) {
        client.batch_execute(&statement).await?;
    }
    for (id, resource) in schema.resources() {
        let name = format!("{DEFINITION}{}", resource.table);
        let definition = create::table(schema, Dialect::Postgres, id, expression);
        let keep = "INSERT INTO rest_state (name, value) VALUES ($1, $2)";
        client.execute(keep, &[&name, &definition.as_bytes()]).await?;
    }
    Ok(())
}

/// Brings what is kept for searches in line with the schema, all at once or not at all.
async fn follow(
    schema: &Schema,
    client: &Client,
    catalogue: &Catalogue,
) -> Result<(), tokio_postgres::Error> {
    let statements = changes(schema, Dialect::Postgres, catalogue);
    if statements.is_empty() {
        return Ok(());
    }
    client.batch_execute(&statements.join(";\n")).await
}

/// Our own state: beside tables that aren't ours in a schema of its own, so that their owner's tools never see it.
async fn keep_state(client: &Client, before: &str) -> Result<(), tokio_postgres::Error> {
    let (names, statements): (Vec<String>, Vec<String>) = state::tables(before).into_iter().unzip();
    let there = "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest($1::text[]) AS of (name)";
    let all: bool = client.query_one(there, &[&names]).await?.try_get(0)?;
    if !all {
        if let Some(schema) = before.strip_suffix('.') {
            let make = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
            client.batch_execute(&make).await?;
        }
        for make in statements {
            client.batch_execute(&make).await?;
        }
    }
    add_columns(client, before).await
}

/// Adds what our own tables lack that an earlier version made.
async fn add_columns(client: &Client, before: &str) -> Result<(), tokio_postgres::Error> {
    for [table, column, _, ty] in state::LATER {
        let table = format!("{before}{table}");
        let there =
            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2)";
        if !client
            .query_one(there, &[&table, column])
            .await?
            .try_get::<_, bool>(0)?
        {
            let add = format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {ty}");
            client.batch_execute(&add).await?;
        }
    }
    Ok(())
}

/// What stands before the names of our own tables.
fn before(ownership: Ownership) -> &'static str {
    match ownership {
        Ownership::Ours => "",
        Ownership::Foreign => "rest.",
    }
}

fn state_refused(error: &tokio_postgres::Error, ownership: Ownership) -> Failure {
    let told = format!("our own state can't be kept: {}", causes(error));
    match ownership {
        Ownership::Ours => told,
        Ownership::Foreign => format!(
            "{told}\n  help: its owner may run `CREATE SCHEMA rest AUTHORIZATION` with the name of the service's role"
        ),
    }
    .into()
}

/// Whether somebody else made the same a moment ago.
fn is_made_already(error: &tokio_postgres::Error) -> bool {
    let ours = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    error.code().is_some_and(|state| ours.contains(state))
}

fn opened(
    schema: &Schema,
    catalogue: &Catalogue,
    ownership: Ownership,
    is_new: bool,
    expression: &Expression<'_>,
) -> Result<Opened, Unprepared> {
    let fit = fit::fit(schema, Dialect::Postgres, catalogue, ownership, expression);
    let prepared = compared(fit, schema, Dialect::Postgres, ownership)?;
    let uniques = catalogue.tables.iter().flat_map(|table| {
        let name = table.name.rsplit('.').next().unwrap_or_default();
        let indexes = table.indexes.iter().filter(|index| index.is_unique);
        indexes.map(move |index| {
            let columns = index.terms.iter().map(|(column, _)| column.clone());
            ((name.to_owned(), index.name.clone()), columns.collect())
        })
    });
    Ok(Opened {
        prepared: Prepared { is_new, ..prepared },
        uniques: Uniques(uniques.collect()),
        before: before(ownership),
    })
}
