//! `kill -9` at any moment: what was answered with success is there, and nothing is there by half.

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
      turn: { type: integer, default: 0 }
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
        .unwrap_or(10);
    let place = Place::new(&SchemaSource::Inline(SCHEMA.to_owned()))?;
    let mut told = Told::default();
    for round in 0..rounds {
        let server = place.serve()?;
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let news = Arc::new(Mutex::new(Told::default()));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let mut writer = Writer {
                    client: Client::new(server.address),
                    name: format!("{round}-{writer}"),
                    acknowledged: Arc::clone(&acknowledged),
                    news: Arc::clone(&news),
                };
                std::thread::spawn(move || writer.run())
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
        check(&place, &news).map_err(|e| format!("after crash {round}: {e}"))?;
        told.made.extend(news.made);
        told.groups.extend(news.groups);
        told.counts.extend(news.counts);
        told.gone.extend(news.gone);
    }
    check(&place, &told).map_err(|e| format!("after all crashes: {e}"))
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

/// One of the clients that write until the server is gone.
struct Writer {
    client: Client,
    name: String,
    acknowledged: Arc<AtomicUsize>,
    news: Arc<Mutex<Told>>,
}

impl Writer {
    fn run(&mut self) {
        let Some(counter) = self.make(&format!("counter {}", self.name)) else {
            return;
        };
        let mut counts = (counter, 0, 0);
        for turn in 1i64.. {
            if self.turn(turn, &mut counts).is_none() {
                break;
            }
        }
        self.note(|told| told.counts.push(counts));
    }

    /// Writes of every kind; `None` where no answer came.
    fn turn(&mut self, turn: i64, counts: &mut (i64, i64, i64)) -> Option<()> {
        let text = format!("note {} {turn}", self.name);
        let id = self.make(&text)?;
        self.note(|told| told.made.push((id, text)));
        counts.2 = turn;
        let patch = Request::new("PATCH", &format!("/api/notes/{}", counts.0));
        send(
            &mut self.client,
            &patch.json(format!(r#"{{"turn": {turn}}}"#)),
            200,
        )?;
        counts.1 = turn;
        if turn % 3 == 0 {
            self.group(turn)?;
        }
        if turn % 4 == 1 {
            let doomed = self.make(&format!("doomed {} {turn}", self.name))?;
            send(
                &mut self.client,
                &Request::new("DELETE", &format!("/api/notes/{doomed}")),
                204,
            )?;
            self.note(|told| told.gone.push(doomed));
        }
        Some(())
    }

    fn make(&mut self, text: &str) -> Option<i64> {
        let request = Request::new("POST", "/api/notes").json(format!(r#"{{"text": "{text}"}}"#));
        send(&mut self.client, &request, 201)?.get("id")?.integer()
    }

    /// Three notes in one array: all or nothing, whether the answer comes or not.
    fn group(&mut self, turn: i64) -> Option<()> {
        let name = format!("{}-{turn}", self.name);
        let part = |n| format!(r#"{{"text": "group {name} {n}", "part_of": "{name}"}}"#);
        let parts: Vec<String> = (0..3).map(part).collect();
        let request = Request::new("POST", "/api/notes").json(format!("[{}]", parts.join(",")));
        let answer = send(&mut self.client, &request, 201);
        self.note(|told| told.groups.push((name, answer.is_some())));
        answer.map(|_| ())
    }

    fn note(&self, news: impl FnOnce(&mut Told)) {
        news(&mut self.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
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
        let count = read(&format!("/api/notes/{id}")).and_then(|note| note.get("turn")?.integer());
        if !count.is_some_and(|count| (*acknowledged..=*sent).contains(&count)) {
            return Err(format!(
                "count {acknowledged} of note {id} was acknowledged, {sent} sent, and it is {count:?}"
            ));
        }
    }
    for (name, answered) in &told.groups {
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
