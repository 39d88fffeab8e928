//! Several instances of a service on one PostgreSQL, and servers that follow it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::{Client, Request};
use crate::support::nginx::Nginx;
use crate::support::postgres::Cluster;
use crate::support::run::until;
use crate::support::server::{Place, Server};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("machines::a_revoked_token_is_refused_by_all", revoked),
        trial("machines::guesses_are_counted_together", guesses),
        trial("machines::who_writes_reads_what_he_wrote", own_writes),
        trial("machines::nothing_acknowledged_is_lost", load),
    ]
}

const SCHEMA: &str = "
service: sheets
managed: true
resources:
  Account:
    fields:
      name: { type: string, unique: true }
      password: password
    access: { read: public, create: public, change: id = me.id }
  Sheet:
    key: { type: integer, name: number, by_client: true }
    fields:
      title: string
    access: { read: public, create: authenticated, change: authenticated }
accounts: { resource: Account, identify_by: [name], password: password }
";

fn place(cluster: &Cluster) -> Result<Place, String> {
    Place::on(cluster, &SchemaSource::Inline(SCHEMA.to_owned()))
}

fn signed_up(address: SocketAddr, name: &str) -> Result<Api, String> {
    let password = format!("{name}-password");
    Api::new(address).post("/api/accounts", &json!({ "name": name, "password": password }))?;
    Api::sign_in(address, name, &password)
}

fn revoked() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = place(&cluster)?;
    let (one, other) = (place.serve()?, place.serve()?);
    let token = {
        Api::new(one.address).post(
            "/api/accounts",
            &json!({ "name": "ada", "password": "ada-password" }),
        )?;
        let body = json!({ "identifier": "ada", "password": "ada-password" });
        let made = Api::new(one.address).post("/api/tokens", &body)?;
        made["token"].as_str().unwrap_or_default().to_owned()
    };
    let ask = |server: &Server, method: &str, target: &str| {
        let answer = Client::new(server.address).send(&Request::new(method, target).bearer(&token));
        answer.map(|answer| answer.status)
    };
    let told = [
        ask(&other, "GET", "/api/me")?,
        ask(&one, "DELETE", "/api/tokens/current")?,
        ask(&other, "GET", "/api/me")?,
        ask(&one, "GET", "/api/me")?,
    ];
    if told != [200, 204, 401, 401] {
        return Err(format!("{told:?}"));
    }
    one.stop()?;
    other.stop().map(drop)
}

fn guesses() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = place(&cluster)?;
    let all = [place.serve()?, place.serve()?, place.serve()?];
    Api::new(all[0].address).post(
        "/api/accounts",
        &json!({ "name": "ada", "password": "ada-password" }),
    )?;
    let guess = |server: &Server, password: &str| {
        let body = json!({ "identifier": "ada", "password": password }).to_string();
        Client::new(server.address).send(&Request::new("POST", "/api/tokens").json(body))
    };
    // A right password isn't held against anybody.
    for server in all.iter().cycle().take(15) {
        let answer = guess(server, "ada-password")?;
        if answer.status != 201 {
            return Err(format!("{}: {}", answer.status, answer.text()));
        }
    }
    let mut wrong = 0;
    let refused = all
        .iter()
        .cycle()
        .take(100)
        .find_map(|server| match guess(server, "guessed") {
            Ok(answer) if answer.status == 401 => {
                wrong += 1;
                None
            }
            other => Some(other),
        });
    let answer = refused.ok_or("nobody counts")??;
    // Ten are allowed, and one more for each ten seconds that this takes.
    if answer.status != 429 || answer.header("retry-after").is_none() || !(10..20).contains(&wrong) {
        return Err(format!("{} after {wrong}: {}", answer.status, answer.text()));
    }
    // Who has never been asked refuses as well.
    let late = place.serve()?;
    match guess(&late, "ada-password")?.status {
        429 => Ok(()),
        other => Err(format!("{other} from an instance that begins")),
    }
}

/// An instance that reads from a replica, and where its operators are answered.
fn with_replica(place: &Place, replica: &str) -> Result<(Server, SocketAddr), String> {
    place.serve_with_operators(&["--replica", replica])
}

/// How many reads the replicas served.
fn served(admin: SocketAddr) -> Result<f64, String> {
    let text = Client::new(admin).send(&Request::new("GET", "/metrics"))?.text();
    let line = text.lines().find(|line| line.starts_with("replica_reads_total{"));
    Ok(line
        .and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0.0))
}

fn own_writes() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = place(&cluster)?;
    let replica = cluster.replica()?;
    let database = place.database_name();
    let (server, admin) = with_replica(&place, &replica.url(&database))?;
    let mut ada = signed_up(server.address, "ada")?;
    let mut stranger = Api::new(server.address);
    ada.post("/api/sheets", &json!({ "number": 1, "title": "first" }))?;
    until("a stranger is answered by the replica", || {
        stranger.get("/api/sheets")?;
        Ok(served(admin)? > 0.0)
    })?;
    until("the replica has the sheet", || {
        Ok(stranger.get("/api/sheets")?["items"] != json!([]))
    })?;
    replica.sql("postgres", "SELECT pg_wal_replay_pause()")?;
    // By another instance, so that nothing in the memory of this one helps.
    let (other, _) = with_replica(&place, &replica.url(&database))?;
    let mut elsewhere = Api::sign_in(other.address, "ada", "ada-password")?;
    for round in 0..20 {
        let title = format!("written {round}");
        ada.patch("/api/sheets/1", &json!({ "title": title }))?;
        for api in [&mut ada, &mut elsewhere] {
            let seen = api.get("/api/sheets/1")?;
            if seen["title"] != title.as_str() {
                return Err(format!("who wrote {title} reads {seen}"));
            }
        }
    }
    // A replica that stays behind isn't read from.
    until("a stranger is answered by the primary", || {
        Ok(stranger.get("/api/sheets/1")?["title"] == "written 19")
    })?;
    let before = served(admin)?;
    stranger.get("/api/sheets/1")?;
    if served(admin)? > before {
        return Err("a replica that is too far behind is read from".to_owned());
    }
    replica.sql("postgres", "SELECT pg_wal_replay_resume()")?;
    until("the replica is read from again", || {
        stranger.get("/api/sheets/1")?;
        Ok(served(admin)? > before)
    })?;
    server.stop()?;
    other.stop().map(drop)
}

/// What a load has done, and what it was told.
#[derive(Default)]
struct Load {
    /// The last title that was acknowledged, by sheet.
    acknowledged: Mutex<BTreeMap<usize, String>>,
    writes: AtomicUsize,
    reads: AtomicUsize,
    unavailable: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Load {
    fn wrong(&self, told: String) {
        self.wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(told);
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Sends until it is answered; 503 with `Retry-After` is counted and sent again.
    fn send(&self, api: &mut Api, request: &Request) -> Option<(u16, Value)> {
        while !self.is_over.load(Ordering::SeqCst) {
            match api.send(request.clone()) {
                Ok(answer) if answer.status == 503 && answer.header("retry-after").is_some() => {
                    self.unavailable.fetch_add(1, Ordering::SeqCst);
                }
                Ok(answer) if answer.status < 300 => {
                    let body = serde_json::from_slice(&answer.body).unwrap_or_default();
                    return Some((answer.status, body));
                }
                Ok(answer) => {
                    let (method, target) = (&request.method, &request.target);
                    self.wrong(format!("{method} {target}: {} {}", answer.status, answer.text()));
                }
                Err(told) => self.wrong(told),
            }
        }
        None
    }

    /// Writes sheets of its own, each more than once, and reads what it wrote.
    fn write(&self, mut api: Api, who: usize) {
        for round in 0.. {
            let (number, title) = (who * 1_000_000 + round / 2, format!("{who} {round}"));
            let target = format!("/api/sheets/{number}");
            let put = Request::new("PUT", &target).json(json!({ "title": title }).to_string());
            if self.send(&mut api, &put).is_none() {
                return;
            }
            let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
            acknowledged.insert(number, title.clone());
            drop(acknowledged);
            self.writes.fetch_add(1, Ordering::SeqCst);
            match self.send(&mut api, &Request::new("GET", &target)) {
                Some((_, seen)) if seen["title"] != title.as_str() => {
                    return self.wrong(format!("who wrote {title} reads {seen}"));
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    fn read(&self, mut api: Api) {
        while self
            .send(
                &mut api,
                &Request::new("GET", "/api/sheets?limit=20&sort=-number"),
            )
            .is_some()
        {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits for some more of both.
    fn goes_on(&self) -> Result<(), String> {
        let (writes, reads) = (
            self.writes.load(Ordering::SeqCst),
            self.reads.load(Ordering::SeqCst),
        );
        until("there are more writes and reads", || {
            let is_over = self.is_over.load(Ordering::SeqCst);
            let more = |now: &AtomicUsize, before| now.load(Ordering::SeqCst) >= before + 50;
            Ok(is_over || more(&self.writes, writes) && more(&self.reads, reads))
        })
    }
}

fn load() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = place(&cluster)?;
    let replica = cluster.replica()?;
    let url = replica.url(&place.database_name());
    let (mut first, mut others) = (None, Vec::new());
    for number in 0..3 {
        let (server, admin) = with_replica(&place, &url)?;
        match number {
            0 => first = Some(server),
            _ => others.push((server, admin)),
        }
    }
    let first = first.ok_or("there are three")?;
    let addresses: Vec<SocketAddr> = std::iter::once(first.address)
        .chain(others.iter().map(|(server, _)| server.address))
        .collect();
    let nginx = Nginx::start(&addresses)?;
    let load = Load::default();
    let writers: Result<Vec<Api>, String> = (0..3)
        .map(|who| signed_up(nginx.address, &format!("writer {who}")))
        .collect();
    let writers = writers?;
    let ended = std::thread::scope(|threads| {
        for (who, api) in writers.into_iter().enumerate() {
            let load = &load;
            threads.spawn(move || load.write(api, who));
        }
        for _ in 0..3 {
            threads.spawn(|| load.read(Api::new(nginx.address)));
        }
        let ended = bad_days(&load, first, &cluster, &replica, &others);
        load.is_over.store(true, Ordering::SeqCst);
        ended
    });
    let wrong = load.wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !wrong.is_empty() {
        return Err(format!("{}\nnginx said:\n{}", wrong.join("\n"), nginx.errors()));
    }
    ended?;
    let acknowledged = load
        .acknowledged
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let mut api = Api::new(others[0].0.address);
    for (number, title) in &acknowledged {
        // It may be one further: the last write of all was sent, and its answer not waited for.
        let seen = api.get(&format!("/api/sheets/{number}"))?;
        let round = |title: &str| title.rsplit(' ').next().and_then(|n| n.parse::<usize>().ok());
        if round(seen["title"].as_str().unwrap_or_default()) < round(title) {
            return Err(format!("{title} is lost: {seen}"));
        }
    }
    for (server, _) in others {
        server.stop()?;
    }
    Ok(())
}

/// An instance is killed, the database is restarted, the replica ends.
fn bad_days(
    load: &Load,
    first: Server,
    cluster: &Cluster,
    replica: &Cluster,
    others: &[(Server, SocketAddr)],
) -> Result<(), String> {
    load.goes_on()?;
    until("the replica is read from", || Ok(served(others[0].1)? > 0.0))?;
    first.kill()?;
    load.goes_on()?;
    let unavailable = load.unavailable.load(Ordering::SeqCst);
    if unavailable > 0 {
        return Err(format!("503 {unavailable} times before the database was away"));
    }
    cluster.restart()?;
    load.goes_on()?;
    let unavailable = load.unavailable.load(Ordering::SeqCst);
    replica.stop()?;
    load.goes_on()?;
    let more = load.unavailable.load(Ordering::SeqCst) - unavailable;
    if more > 0 {
        return Err(format!("503 {more} times for want of a replica"));
    }
    Ok(())
}
