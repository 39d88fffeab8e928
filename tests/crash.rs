//! `kill -9` at any moment: what was answered with success is there, and nothing is there by half.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::Trial;

use crate::support::case::SchemaSource;
use crate::support::http::{Client, Request};
use crate::support::json::Json;
use crate::support::random::Random;
use crate::support::server::Place;
use crate::trial;

const SCHEMA: &str = "
service: crash
managed: true
resources:
  Note:
    fields:
      text: { type: string, unique: true }
      part_of: { type: string, index: true, default: nothing }
      count: { type: integer, default: 0 }
    access: { read: public, create: public, change: public }
";

/// Connections that write at once.
const WRITERS: usize = 6;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("crash::no_acknowledged_write_is_lost", rounds)]
}

/// What clients were told.
#[derive(Default)]
struct Told {
    /// Notes that were made: their ids and texts.
    made: Vec<(i64, String)>,
    /// Groups that were sent as one array, and whether the answer came.
    groups: Vec<(String, bool)>,
    /// A note, the last count that was acknowledged and the last that was sent.
    counts: Vec<(i64, i64, i64)>,
    /// Notes whose deletion was acknowledged.
    gone: Vec<i64>,
}

fn rounds() -> Result<(), String> {
    let rounds = std::env::var("CRASH_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(15);
    let place = Place::new(&SchemaSource::Inline(SCHEMA.to_owned()))?;
    let mut told = Told::default();
    for round in 0..rounds {
        let server = place.serve()?;
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let news = Arc::new(Mutex::new(Told::default()));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (address, acknowledged, news) =
                    (server.address, Arc::clone(&acknowledged), Arc::clone(&news));
                std::thread::spawn(move || write(address, &format!("{round}-{writer}"), &acknowledged, &news))
            })
            .collect();
        let enough = 5 + Random::new(round + 1).below(200);
        while acknowledged.load(Ordering::Relaxed) < enough {
            if writers.iter().all(std::thread::JoinHandle::is_finished) {
                return Err("all writers gave up before the crash".to_owned());
            }
            std::thread::yield_now();
        }
        server.kill()?;
        for writer in writers {
            writer.join().map_err(|_| "a writer panicked")?;
        }
        let news = std::mem::take(&mut *news.lock().unwrap_or_else(PoisonError::into_inner));
        told.made.extend(news.made);
        told.groups.extend(news.groups);
        told.counts.extend(news.counts);
        told.gone.extend(news.gone);
        check(&place, &told).map_err(|e| format!("after crash {round}: {e}"))?;
    }
    Ok(())
}

fn send(client: &mut Client, request: &Request, status: u16) -> Option<Json> {
    let answer = client
        .send(request)
        .ok()
        .filter(|answer| answer.status == status)?;
    Some(if answer.body.is_empty() {
        Json::Null
    } else {
        Json::parse(&answer.text()).ok()?
    })
}

/// Writes until the server is gone.
fn write(address: SocketAddr, name: &str, acknowledged: &AtomicUsize, news: &Mutex<Told>) {
    let mut client = Client::new(address);
    let note = |what: &dyn Fn(&mut Told)| {
        what(&mut news.lock().unwrap_or_else(PoisonError::into_inner));
        acknowledged.fetch_add(1, Ordering::Relaxed);
    };
    let make = |client: &mut Client, text: &str| {
        let made = send(
            client,
            &Request::new("POST", "/api/notes").json(format!(r#"{{"text": "{text}"}}"#)),
            201,
        )?;
        made.get("id")?.integer()
    };
    let Some(counter) = make(&mut client, &format!("counter {name}")) else {
        return;
    };
    let mut counts = (counter, 0, 0);
    for turn in 0i64.. {
        let text = format!("note {name} {turn}");
        let Some(id) = make(&mut client, &text) else { break };
        note(&|told| told.made.push((id, text.clone())));
        counts.2 = turn;
        let target = format!("/api/notes/{counter}");
        let patch = Request::new("PATCH", &target).json(format!(r#"{{"count": {turn}}}"#));
        if send(&mut client, &patch, 200).is_none() {
            break;
        }
        counts.1 = turn;
        if turn % 3 == 0 && !group(&mut client, &format!("{name} {turn}"), &note) {
            break;
        }
        if turn % 4 == 1 {
            let Some(doomed) = make(&mut client, &format!("doomed {name} {turn}")) else {
                break;
            };
            if send(
                &mut client,
                &Request::new("DELETE", &format!("/api/notes/{doomed}")),
                204,
            )
            .is_none()
            {
                break;
            }
            note(&|told| told.gone.push(doomed));
        }
    }
    note(&|told| told.counts.push(counts));
}

/// Three notes in one array: all or nothing. Tells whether the answer came.
fn group(client: &mut Client, name: &str, note: &dyn Fn(&dyn Fn(&mut Told))) -> bool {
    let parts: Vec<String> = (0..3)
        .map(|n| format!(r#"{{"text": "group {name} {n}", "part_of": "{name}"}}"#))
        .collect();
    let request = Request::new("POST", "/api/notes").json(format!("[{}]", parts.join(",")));
    let answered = send(client, &request, 201).is_some();
    note(&|told| told.groups.push((name.to_owned(), answered)));
    answered
}

fn check(place: &Place, told: &Told) -> Result<(), String> {
    let server = place.serve()?;
    let mut client = Client::new(server.address);
    let mut read = |target: &str| send(&mut client, &Request::new("GET", target), 200);
    for (id, text) in &told.made {
        let found = read(&format!("/api/notes/{id}"));
        if found.as_ref().and_then(|note| note.get("text")?.text()) != Some(text) {
            return Err(format!(
                "`{text}` was answered with 201 and id {id}, and is {found:?}"
            ));
        }
    }
    for (id, acknowledged, sent) in &told.counts {
        let count = read(&format!("/api/notes/{id}")).and_then(|note| note.get("count")?.integer());
        if !count.is_some_and(|count| (*acknowledged..=*sent).contains(&count)) {
            return Err(format!(
                "count {acknowledged} of note {id} was acknowledged, {sent} sent, and it is {count:?}"
            ));
        }
    }
    for (name, answered) in &told.groups {
        let name = name.replace(' ', "%20");
        let found = read(&format!("/api/notes?part_of={name}&fields=id"))
            .map(|page| page.get("items").map_or(0, |items| items.items().len()));
        let allowed = if *answered {
            &[Some(3)][..]
        } else {
            &[Some(0), Some(3)][..]
        };
        if !allowed.contains(&found) {
            return Err(format!(
                "group {name}: of three notes in one array {found:?} are there"
            ));
        }
    }
    for id in &told.gone {
        if read(&format!("/api/notes/{id}")).is_some() {
            return Err(format!("note {id} was deleted with 204, and is there"));
        }
    }
    server.stop().map(|_| ())
}
