//! Writes that arrive together share a commit. One that fails gets its own answer and takes no other along.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Barrier};

use libtest_mimic::Trial;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::http::{Client, Request};
use crate::support::json::Json;
use crate::support::run::shown;
use crate::support::server::{Server, program};
use crate::trial;

/// The tables belong to somebody who put traps into them: a trigger that rolls everything back, and one whose row fails
/// only at the commit.
const TABLES: &str = "
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0));
CREATE TABLE shadow (id INTEGER PRIMARY KEY, owner_id INTEGER REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER at_commit AFTER INSERT ON note WHEN new.text LIKE 'deferred%'
    BEGIN INSERT INTO shadow (owner_id) VALUES (999); END;
CREATE TRIGGER roll_back AFTER INSERT ON note WHEN new.text LIKE 'rollback%'
    BEGIN SELECT RAISE(ROLLBACK, 'not this one'); END;
CREATE TRIGGER abort AFTER INSERT ON note WHEN new.text LIKE 'abort%'
    BEGIN SELECT RAISE(ABORT, 'nor this one'); END;
INSERT INTO note (text) VALUES ('taken');
";

const SCHEMA: &str = "
service: batch
managed: false
storage: { journal: wal }
resources:
  Note:
    fields:
      text: { type: text, length: 1..20000, unique: true }
      size: { type: integer, default: 0 }
    access: { read: public, create: public, change: public }
";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("batch::each_write_gets_its_own_answer", own_answers),
        trial("batch::one_of_many_wins_by_the_same_tag", one_wins),
        trial("batch::a_full_disk_loses_nothing", full_disk),
        trial("batch::a_stored_value_that_does_not_fit", stored_value),
        trial("batch::a_locked_database_is_waited_for_and_then_503", locked),
        trial("batch::readers_are_told_when_nothing_can_be_read", shut),
    ]
}

/// A folder with the schema and the tables.
fn place() -> Result<TempDir, String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    std::fs::write(folder.path().join("rest.yaml"), SCHEMA).map_err(|e| e.to_string())?;
    let database = open(&folder)?;
    database.execute_batch(TABLES).map_err(|e| e.to_string())?;
    Ok(folder)
}

fn open(folder: &TempDir) -> Result<Connection, String> {
    Connection::open(folder.path().join("data.db")).map_err(|e| e.to_string())
}

fn arguments(folder: &TempDir) -> Vec<String> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    [
        "serve",
        &path("rest.yaml"),
        "--database",
        &path("data.db"),
        "--listen",
        "127.0.0.1:0",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn create(text: &str) -> Request {
    Request::new("POST", "/api/notes").json(format!(r#"{{"text": "{text}"}}"#))
}

/// What each kind of write is answered with.
const KINDS: [(&str, u16); 8] = [
    ("good", 201),
    ("deferred", 409),
    ("good", 201),
    ("rollback", 409),
    ("abort", 409),
    ("taken", 409),
    ("invalid", 422),
    ("check", 422),
];

fn request(kind: &str, name: &str) -> Request {
    match kind {
        "taken" => create("taken"),
        "invalid" => create(""),
        "check" => {
            Request::new("POST", "/api/notes").json(format!(r#"{{"text": "check {name}", "size": -1}}"#))
        }
        _ => create(&format!("{kind} {name}")),
    }
}

fn own_answers() -> Result<(), String> {
    let folder = place()?;
    let server = Server::start(&arguments(&folder))?;
    let rounds = 12;
    let together = Arc::new(Barrier::new(16));
    let clients: Vec<_> = (0..16)
        .map(|n| {
            let (address, together) = (server.address, Arc::clone(&together));
            let (kind, status) = KINDS[n % KINDS.len()];
            std::thread::spawn(move || client(address, &together, rounds, n, kind, status))
        })
        .collect();
    let results: Vec<Result<(), String>> = clients
        .into_iter()
        .map(|client| {
            client
                .join()
                .unwrap_or_else(|_| Err("a client panicked".to_owned()))
        })
        .collect();
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let database = open(&folder)?;
    let count = |what: &str| {
        let sql = format!("SELECT count(*) FROM {what}");
        database
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .map_err(|e| e.to_string())
    };
    let (good, all, shadows) = (
        count("note WHERE text LIKE 'good%'")?,
        count("note")?,
        count("shadow")?,
    );
    if (good, all, shadows) != (4 * rounds, 4 * rounds + 1, 0) {
        return Err(format!(
            "expected {} notes and no shadow, found {good} good of {all}, {shadows} shadows",
            4 * rounds
        ));
    }
    Ok(())
}

/// A condition that the schema doesn't know has no name of its own.
fn told(kind: &str, problem: &str) -> bool {
    kind != "check" || problem.contains("\"check\"")
}

fn client(
    address: SocketAddr,
    together: &Barrier,
    rounds: i64,
    n: usize,
    kind: &str,
    status: u16,
) -> Result<(), String> {
    let mut client = Client::new(address);
    let mut wrong = Vec::new();
    for round in 0..rounds {
        together.wait();
        match client.send(&request(kind, &format!("{n}-{round}"))) {
            Ok(answer) if answer.status == status && told(kind, &answer.text()) => {}
            Ok(answer) => wrong.push(format!("{kind}: expected {status}, got\n{}", shown(&answer))),
            Err(e) => wrong.push(format!("{kind}: {e}")),
        }
    }
    wrong.into_iter().next().map_or(Ok(()), Err)
}

/// Many who saw the same state want to change it: one may, the others are told.
fn one_wins() -> Result<(), String> {
    let folder = place()?;
    let server = Server::start(&arguments(&folder))?;
    let address = server.address;
    for round in 1..=10 {
        let seen = Client::new(address).send(&Request::new("GET", "/api/notes/1"))?;
        let tag = seen.header("etag").ok_or("an item has an ETag")?;
        let together = Arc::new(Barrier::new(8));
        let clients: Vec<_> = (0..8)
            .map(|n| {
                let (together, tag) = (Arc::clone(&together), tag.clone());
                std::thread::spawn(move || {
                    let size = round * 100 + n;
                    let patch = Request::new("PATCH", "/api/notes/1").json(format!(r#"{{"size": {size}}}"#));
                    together.wait();
                    Client::new(address)
                        .send(&patch.header("If-Match", &tag))
                        .map(|answer| answer.status)
                })
            })
            .collect();
        let ends = clients.into_iter().map(|client| {
            client
                .join()
                .unwrap_or_else(|_| Err("a client panicked".to_owned()))
        });
        let mut statuses = ends.collect::<Result<Vec<u16>, String>>()?;
        statuses.sort_unstable();
        if statuses != [200, 412, 412, 412, 412, 412, 412, 412] {
            return Err(format!("expected one 200 and seven 412, got {statuses:?}"));
        }
    }
    Ok(())
}

/// The disk is a limit on the size of files, which the program meets as an error of writing, and which can be lifted.
fn full_disk() -> Result<(), String> {
    let folder = place()?;
    // Ignored signals stay ignored in the program that takes the shell's place: too large a file is then an error.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -S -f 600; exec \"$@\"", "sh"])
        .arg(program()?)
        .args(arguments(&folder));
    let server = Server::spawn(limited)?;
    let mut client = Client::new(server.address);
    let mut made = Vec::new();
    let refused = loop {
        let answer = client.send(&create(&format!("{} {}", made.len(), "x".repeat(10_000))))?;
        if answer.status != 201 || made.len() > 1_000 {
            break answer;
        }
        made.extend(Json::parse(&answer.text())?.get("id").and_then(Json::integer));
    };
    if refused.status != 503 || refused.header("retry-after").is_none() {
        return Err(format!(
            "a full disk: expected 503 with Retry-After, got\n{}",
            shown(&refused)
        ));
    }
    let lifted = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &server.id().to_string()])
        .status();
    if !lifted.is_ok_and(|status| status.success()) {
        return Err("prlimit can't lift the limit".to_owned());
    }
    let answer = client.send(&create("there is room again"))?;
    if answer.status != 201 {
        return Err(format!("with room again: expected 201, got\n{}", shown(&answer)));
    }
    for id in &made {
        let answer = client.send(&Request::new("GET", &format!("/api/notes/{id}?fields=id")))?;
        if answer.status != 200 {
            return Err(format!(
                "note {id} was answered with 201, and is gone:\n{}",
                shown(&answer)
            ));
        }
    }
    if made.len() < 3 {
        Err("the disk was full from the start".to_owned())
    } else {
        Ok(())
    }
}

/// What the owner's program stored and no value of the type is: the item and its list fail, and nothing else.
fn stored_value() -> Result<(), String> {
    let folder = place()?;
    open(&folder)?
        .execute_batch("INSERT INTO note (text, size) VALUES ('odd', 'large')")
        .map_err(|e| e.to_string())?;
    let server = Server::start(&arguments(&folder))?;
    let mut client = Client::new(server.address);
    for (target, status) in [
        ("/api/notes/1", 200),
        ("/api/notes/2", 500),
        ("/api/notes", 500),
        ("/api/notes/2?fields=id,text", 200),
    ] {
        let answer = client.send(&Request::new("GET", target))?;
        let told = answer.status != 500 || answer.text().contains("\"stored-value\"");
        if answer.status != status || !told {
            return Err(format!("{target}: expected {status}, got\n{}", shown(&answer)));
        }
    }
    Ok(())
}

/// While another program holds the database, writes wait, and are then told to come again; reads go on.
fn locked() -> Result<(), String> {
    let folder = place()?;
    let server = Server::start(&arguments(&folder))?;
    let mut client = Client::new(server.address);
    let holder = open(&folder)?;
    holder
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(|e| e.to_string())?;
    let refused = client.send(&create("while it is held"))?;
    if refused.status != 503
        || refused.header("retry-after").is_none()
        || !refused.text().contains("\"unavailable\"")
    {
        return Err(format!(
            "while it is held: expected 503 with Retry-After, got\n{}",
            shown(&refused)
        ));
    }
    let read = client.send(&Request::new("GET", "/api/notes/1"))?;
    holder.execute_batch("ROLLBACK").map_err(|e| e.to_string())?;
    let written = client.send(&create("while it is held"))?;
    if (read.status, written.status) != (200, 201) {
        return Err(format!(
            "expected 200 and 201, got {} and\n{}",
            read.status,
            shown(&written)
        ));
    }
    Ok(())
}

/// In the journal mode that a file is found in, its owner may shut it for readers as well: they wait, are told to come
/// again, and are served as soon as it is open.
fn shut() -> Result<(), String> {
    let folder = place()?;
    let schema = folder.path().join("rest.yaml");
    let found = SCHEMA.replace("storage: { journal: wal }\n", "");
    std::fs::write(schema, found).map_err(|e| e.to_string())?;
    let server = Server::start(&arguments(&folder))?;
    let mut client = Client::new(server.address);
    let holder = open(&folder)?;
    let mode = holder.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    if mode != Ok("delete".to_owned()) {
        return Err(format!("the journal mode was changed to {mode:?}"));
    }
    let run = |sql: &str| holder.execute_batch(sql).map_err(|e| e.to_string());
    run("BEGIN EXCLUSIVE")?;
    for target in ["/api/notes/1", "/api/notes"] {
        let refused = client.send(&Request::new("GET", target))?;
        if refused.status != 503 || refused.header("retry-after").is_none() {
            return Err(format!(
                "while it is shut: expected 503, got\n{}",
                shown(&refused)
            ));
        }
    }
    run("ROLLBACK")?;
    let read = client.send(&Request::new("GET", "/api/notes/1"))?;
    if read.status == 200 {
        Ok(())
    } else {
        Err(format!("open again: expected 200, got\n{}", shown(&read)))
    }
}
