//! Streams: a long one at constant memory, one that is cut, one that nobody reads to its end.

use std::io::{BufRead, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::http::{Client, Request, connect};
use crate::support::server::Server;
use crate::trial;

const SCHEMA: &str = "
service: streams
managed: false
resources:
  Note:
    fields: { text: text, number: integer }
    access: { read: public }
";

/// Rows of the long stream, each of 300 bytes and some.
const MANY: u32 = 200_000;

/// What a server may need more for a stream, in kB: a small part of it.
const ROOM: u64 = 16 * 1024;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("streams::memory_does_not_grow_with_the_result", memory),
        trial("streams::what_fails_midway_is_cut", cut),
        trial("streams::who_goes_away_leaves_nothing_behind", gone),
    ]
}

fn serve(rows: u32, more: &str) -> Result<(TempDir, Server), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("rest.yaml"), SCHEMA).map_err(|e| e.to_string())?;
    let database = rusqlite::Connection::open(path("data.db")).map_err(|e| e.to_string())?;
    let made = database.execute_batch(&format!(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL, number INTEGER NOT NULL);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO note SELECT i, hex(zeroblob(150)), i FROM n; {more}"
    ));
    made.map_err(|e| e.to_string())?;
    let server = Server::start(&[
        "serve",
        &path("rest.yaml"),
        "--database",
        &path("data.db"),
        "--listen",
        "127.0.0.1:0",
    ])?;
    Ok((folder, server))
}

/// The most memory that a process has had, in kB.
fn peak(process: u32) -> Result<u64, String> {
    let told = std::fs::read_to_string(format!("/proc/{process}/status")).map_err(|e| e.to_string())?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| "the system doesn't tell the peak of a process".to_owned())
}

/// What comes of a request, to the end of the connection.
fn begin(address: SocketAddr, target: &str, media: &str) -> Result<impl BufRead, String> {
    let mut connection = connect(address)?;
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: test\r\nAccept: {media}\r\nConnection: close\r\n\r\n");
    let sent = connection.get_mut().write_all(request.as_bytes());
    sent.map_err(|e| e.to_string())?;
    Ok(connection)
}

fn memory() -> Result<(), String> {
    let (_folder, server) = serve(MANY, "")?;
    let mut client = Client::new(server.address);
    let few = Request::new("GET", "/api/notes?limit=100").header("Accept", "text/csv");
    let answer = client.send(&few)?;
    if answer.status != 200 || answer.text().lines().count() != 101 {
        return Err(format!("{}\n{}", answer.status, answer.text()));
    }
    for media in ["text/csv", "application/x-ndjson"] {
        let before = peak(server.id())?;
        let mut from = begin(server.address, "/api/notes", media)?;
        let (mut bytes, mut rows, mut last) = (0usize, 0u32, Vec::new());
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).map_err(|e| e.to_string())? > 0 {
            bytes += line.len();
            // The text of a row, wherever the chunks are parted.
            rows += u32::from(line.len() > 300);
            last = std::mem::take(&mut line);
        }
        let grown = peak(server.id())?.saturating_sub(before);
        if rows < MANY - MANY / 500 || bytes < 60_000_000 || last != b"\r\n" {
            return Err(format!("{media}: {rows} rows in {bytes} bytes"));
        }
        if grown > ROOM {
            return Err(format!("{media}: {grown} kB more for {bytes} bytes"));
        }
    }
    Ok(())
}

fn cut() -> Result<(), String> {
    let (_folder, server) = serve(3_000, "UPDATE note SET number = 'none' WHERE id = 2500;")?;
    let mut whole = String::new();
    let mut from = begin(server.address, "/api/notes?fields=id", "text/csv")?;
    from.read_to_string(&mut whole).map_err(|e| e.to_string())?;
    if !whole.ends_with("\r\n0\r\n\r\n") || !whole.contains("\r\n3000\r\n") {
        return Err("the stream without the field that doesn't fit isn't whole".to_owned());
    }
    let mut part = String::new();
    let mut from = begin(server.address, "/api/notes?fields=id,number", "text/csv")?;
    // Whether the connection ends or is reset is the system's affair.
    let _ = from.read_to_string(&mut part);
    if !part.starts_with("HTTP/1.1 200")
        || !part.contains("\r\n2000,2000\r\n")
        || part.contains("\r\n0\r\n\r\n")
    {
        return Err(format!("not cut: …{}", &part[part.len().saturating_sub(200)..]));
    }
    // What fails before anything is sent is a problem.
    let mut client = Client::new(server.address);
    let failing = Request::new("GET", "/api/notes?sort=-id").header("Accept", "text/csv");
    let answer = client.send(&failing)?;
    if answer.status != 500 || answer.header("content-type").as_deref() != Some("application/problem+json") {
        return Err(format!("{}\n{}", answer.status, answer.text()));
    }
    Ok(())
}

fn gone() -> Result<(), String> {
    let (_folder, server) = serve(MANY, "")?;
    let mut all = Vec::new();
    for _ in 0..20 {
        let mut from = begin(server.address, "/api/notes", "application/x-ndjson")?;
        from.read_exact(&mut [0; 100]).map_err(|e| e.to_string())?;
        all.push(from);
    }
    // Twenty readers that don't read hold up nobody.
    let mut client = Client::new(server.address);
    let few = Request::new("GET", "/api/notes?limit=10").header("Accept", "text/csv");
    let began = Instant::now();
    let answer = client.send(&few)?;
    if answer.status != 200 || began.elapsed() > Duration::from_secs(20) {
        return Err(format!("{} after {:?}", answer.status, began.elapsed()));
    }
    drop(all);
    // All connections are given up: nothing of theirs runs on, and the server ends at once.
    let began = Instant::now();
    let ended = server.stop()?.success();
    if !ended || began.elapsed() > Duration::from_secs(5) {
        return Err(format!("the server went on for {:?}", began.elapsed()));
    }
    Ok(())
}
