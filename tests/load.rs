//! Many at once: slow questions don't hold up quick ones, too many are told to come again, and idle callers cost nobody.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::http::{Answer, Client, Request, connect};
use crate::support::run::{rules_for_all, shown};
use crate::support::server::Server;
use crate::trial;

const SCHEMA: &str = "
service: load
managed: false
resources:
  Note:
    fields:
      text: { type: text, filterable: true, sortable: true }
    access: { read: public, create: public }
";

const ROWS: &str = "
CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
INSERT INTO note (text) SELECT 'row ' || i || hex(zeroblob(100)) FROM n;
";

/// Clients that ask slow questions at the same time.
const CROWD: usize = 48;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("load::slow_questions_do_not_hold_up_quick_ones", crowd),
        trial("load::idle_connections_hold_up_nobody", idle),
    ]
}

fn serve() -> Result<(TempDir, Server), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("rest.yaml"), SCHEMA).map_err(|e| e.to_string())?;
    let database = rusqlite::Connection::open(path("data.db")).map_err(|e| e.to_string())?;
    database.execute_batch(ROWS).map_err(|e| e.to_string())?;
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

/// 200, or 503 that says when to come again.
fn right(request: &Request, answer: &Answer) -> Result<(), String> {
    let busy = answer.status == 503 && answer.header("retry-after").is_some();
    let broken = rules_for_all(request, answer);
    if (answer.status == 200 || busy) && broken.is_empty() {
        return Ok(());
    }
    Err(format!("{broken:?}\n{}", shown(answer)))
}

fn slow(address: SocketAddr, done: &AtomicBool, together: &Barrier) -> Result<usize, String> {
    let request = Request::new(
        "GET",
        "/api/notes?text[icontains]=nothing%20like%20it&count=exact&sort=-text",
    );
    let mut client = Client::new(address);
    together.wait();
    let mut answers = 0;
    while !done.load(Ordering::Relaxed) {
        right(&request, &client.send(&request)?)?;
        answers += 1;
    }
    Ok(answers)
}

fn crowd() -> Result<(), String> {
    let (_folder, server) = serve()?;
    let (done, together) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(Barrier::new(CROWD + 1)),
    );
    let clients: Vec<_> = (0..CROWD)
        .map(|_| {
            let (done, together, address) = (Arc::clone(&done), Arc::clone(&together), server.address);
            std::thread::spawn(move || slow(address, &done, &together))
        })
        .collect();
    together.wait();
    let quick = quick_ones(server.address);
    done.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().map_err(|_| "a client panicked")??;
    }
    quick?;
    let after = Client::new(server.address).send(&Request::new(
        "GET",
        "/api/notes?text[contains]=row%2077&count=exact&limit=1",
    ))?;
    if after.status == 200 {
        Ok(())
    } else {
        Err(format!("afterwards:\n{}", shown(&after)))
    }
}

/// Items by key, while the crowd asks: each within a time that no queue of slow questions would leave.
fn quick_ones(address: SocketAddr) -> Result<(), String> {
    let mut client = Client::new(address);
    let mut slowest = Duration::ZERO;
    for id in 1..=200 {
        let start = Instant::now();
        let answer = client.send(&Request::new("GET", &format!("/api/notes/{id}")))?;
        slowest = slowest.max(start.elapsed());
        if answer.status != 200 {
            return Err(format!("an item by its key:\n{}", shown(&answer)));
        }
    }
    if slowest < Duration::from_secs(2) {
        Ok(())
    } else {
        Err(format!("an item by its key took {slowest:?}"))
    }
}

fn idle() -> Result<(), String> {
    let (_folder, server) = serve()?;
    let mut held = Vec::new();
    for n in 0..200 {
        let mut connection = connect(server.address)?;
        let begun = ["", "GET /api/notes HT", "GET /api/notes HTTP/1.1\r\nHost: x\r\n"][n % 3];
        connection
            .get_mut()
            .write_all(begun.as_bytes())
            .map_err(|e| e.to_string())?;
        held.push(connection);
    }
    quick_ones(server.address)
}
