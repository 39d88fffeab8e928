//! `rest-gen doctor`: what is wrong is told, all of it, with what to do; and nothing is changed.

use std::net::TcpListener;
use std::path::Path;

use libtest_mimic::Trial;
use rusqlite::Connection;

use crate::support::case::SchemaSource;
use crate::support::postgres::Cluster;
use crate::support::server::{Place, rest_gen};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("doctor::all_is_well", well),
        trial("doctor::a_service_that_runs_is_recognised", running),
        trial("doctor::every_fault_is_told_at_once", at_once),
        trial("doctor::a_damaged_file_is_told", damaged),
        trial("doctor::rows_that_point_at_none_are_told", orphans),
        trial("doctor::a_lock_that_is_held_is_told", locked),
        trial("doctor::what_does_not_fit_is_told", misfit),
        trial("doctor::nothing_is_changed", unchanged),
        trial("doctor::a_database_of_postgres_and_its_replicas", postgres),
    ]
}

/// Runs it beside a place's database; what it prints, and its exit code.
fn doctor(place: &Place, more: &[&str]) -> Result<(String, Option<i32>), String> {
    let (schema, database) = (place.schema.display().to_string(), place.location());
    let mut arguments = vec!["doctor", &schema, "--database", &database];
    if !more.contains(&"--listen") {
        arguments.extend(["--listen", "127.0.0.1:0"]);
    }
    arguments.extend(more);
    let output = rest_gen(&arguments)?
        .output()
        .map_err(|error| error.to_string())?;
    Ok((
        String::from_utf8_lossy(&output.stdout).into_owned(),
        output.status.code(),
    ))
}

/// Exit code and lines, each of which begins with a grade and a part and holds some words.
fn expect(
    (text, code): &(String, Option<i32>),
    wanted: i32,
    lines: &[(&str, &str, &str)],
) -> Result<(), String> {
    let has = |(grade, part, words): &(&str, &str, &str)| {
        let mut lines = text.lines();
        lines.any(|line| line.starts_with(&format!("{grade:<8} {part:<13} ")) && line.contains(words))
    };
    match lines.iter().find(|line| !has(line)) {
        Some(missing) => Err(format!("{missing:?} isn't told:\n{text}")),
        None if *code != Some(wanted) => Err(format!("ends with {code:?}:\n{text}")),
        None => Ok(()),
    }
}

fn open(path: &Path) -> Result<Connection, String> {
    Connection::open(path).map_err(|error| error.to_string())
}

fn well() -> Result<(), String> {
    let place = Place::named("blog")?;
    let found = doctor(&place, &["--admin-listen", "127.0.0.1:0"])?;
    let lines = [
        ("ok", "schema", "resources"),
        ("ok", "database", "is sound, and what it holds fits"),
        ("ok", "listen", "is free"),
        ("ok", "admin-listen", "is free"),
    ];
    expect(&found, 0, &lines)?;
    // One that the service will make.
    std::fs::remove_file(&place.database).map_err(|error| error.to_string())?;
    expect(
        &doctor(&place, &[])?,
        0,
        &[("ok", "database", "will be made by the service")],
    )?;
    match place.database.exists() {
        true => Err("it was made already".to_owned()),
        false => Ok(()),
    }
}

fn running() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let address = server.address.to_string();
    let found = doctor(&place, &["--listen", &address])?;
    expect(
        &found,
        0,
        &[
            ("ok", "listen", "a service answers, and is ready"),
            ("ok", "database", "is sound"),
        ],
    )
}

fn at_once() -> Result<(), String> {
    let place = Place::named("blog")?;
    let text = std::fs::read_to_string(&place.schema).map_err(|error| error.to_string())?;
    std::fs::write(&place.schema, text.replacen("resources:", "resorces:", 1))
        .map_err(|error| error.to_string())?;
    let other = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    std::thread::scope(|scope| {
        let address = other.local_addr().map_err(|error| error.to_string())?.to_string();
        // It takes the connection and says nothing of use.
        scope.spawn(|| drop(other.accept()));
        let found = doctor(&place, &["--listen", &address, "--admin-listen", "nowhere"])?;
        let lines = [
            ("FAULT", "schema", "fault"),
            ("ok", "database", "is sound"),
            ("FAULT", "listen", "is in use by another program"),
            ("FAULT", "admin-listen", "isn't an address"),
        ];
        expect(&found, 1, &lines)
    })
}

fn damaged() -> Result<(), String> {
    let place = Place::named("blog")?;
    let mut bytes = std::fs::read(&place.database).map_err(|error| error.to_string())?;
    // All pages but the first, which says what stands where.
    let pages = bytes.len() / 4096;
    bytes[4096..pages * 4096].fill(0x55);
    std::fs::write(&place.database, bytes).map_err(|error| error.to_string())?;
    expect(&doctor(&place, &[])?, 1, &[("FAULT", "database", "")])?;
    // A file that is none at all.
    std::fs::write(&place.database, "not a database, but a text").map_err(|error| error.to_string())?;
    expect(
        &doctor(&place, &[])?,
        1,
        &[("FAULT", "database", "is not a database of SQLite")],
    )
}

fn orphans() -> Result<(), String> {
    let place = Place::named("blog")?;
    let connection = open(&place.database)?;
    connection
        .execute_batch("PRAGMA foreign_keys=OFF; DELETE FROM user")
        .map_err(|error| error.to_string())?;
    expect(
        &doctor(&place, &[])?,
        1,
        &[("FAULT", "database", "at rows of user that aren't there")],
    )
}

fn locked() -> Result<(), String> {
    let place = Place::named("blog")?;
    let connection = open(&place.database)?;
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(|error| error.to_string())?;
    expect(
        &doctor(&place, &[])?,
        1,
        &[("FAULT", "database", "is locked for writing by another program")],
    )
}

fn misfit() -> Result<(), String> {
    let place = Place::named("blog")?;
    let connection = open(&place.database)?;
    connection
        .execute_batch("PRAGMA foreign_keys=OFF; DROP TABLE comment")
        .map_err(|error| error.to_string())?;
    expect(&doctor(&place, &[])?, 1, &[("FAULT", "database", "comment")])
}

fn unchanged() -> Result<(), String> {
    let place = Place::named("blog")?;
    let before = std::fs::read(&place.database).map_err(|error| error.to_string())?;
    doctor(&place, &[])?;
    let after = std::fs::read(&place.database).map_err(|error| error.to_string())?;
    match before == after {
        true => Ok(()),
        false => Err("the database has changed".to_owned()),
    }
}

fn postgres() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = Place::on(&cluster, &SchemaSource::Named("blog".to_owned()))?;
    let follower = cluster.replica()?;
    let well = doctor(&place, &["--replica", &follower.url(&place.database_name())])?;
    let fits = ("ok", "database", "its tables fit the schema");
    expect(&well, 0, &[fits, ("ok", "replica", "follows another server")])?;
    let alone = doctor(&place, &["--replica", &place.location()])?;
    expect(
        &alone,
        1,
        &[fits, ("FAULT", "replica", "follows no other server")],
    )?;
    let (away, secret) = ("postgres://susan:hush@127.0.0.1:1/blog", "hush");
    let gone = doctor(&place, &["--replica", away])?;
    expect(
        &gone,
        1,
        &[("FAULT", "replica", "127.0.0.1:1/blog can't be reached")],
    )?;
    cluster.sql(&place.database_name(), "ALTER TABLE post DROP COLUMN score")?;
    let changed = doctor(&place, &[])?;
    expect(&changed, 1, &[("FAULT", "database", "score")])?;
    match gone.0.contains(secret) {
        true => Err(format!("a password is told:\n{}", gone.0)),
        false => Ok(()),
    }
}
