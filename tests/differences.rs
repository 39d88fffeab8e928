//! What can't be equal on both databases: each row of the guide's table, seen on both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::holder::Holder;
use crate::support::http::Request;
use crate::support::postgres::Cluster;
use crate::support::server::{Place, Server, schema_file};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("differences::members_and_numbers_of_documents", documents),
        trial("differences::a_key_after_a_refused_row", keys),
        trial("differences::what_is_included_may_be_newer", included),
        trial("differences::a_number_beyond_64_bits", beyond),
        trial("differences::what_a_read_may_cost", cost),
        trial("differences::words_of_a_search", words),
    ]
}

/// A service on SQLite, and one on PostgreSQL.
struct Both {
    cluster: Cluster,
    places: [Place; 2],
    servers: [Server; 2],
}

impl Both {
    fn of(source: &SchemaSource) -> Result<Self, String> {
        let cluster = Cluster::start()?;
        let places = [Place::new(source)?, Place::on(&cluster, source)?];
        let servers = [places[0].serve()?, places[1].serve()?];
        Ok(Self {
            cluster,
            places,
            servers,
        })
    }

    fn named(schema: &str) -> Result<Self, String> {
        Self::of(&SchemaSource::Named(schema.to_owned()))
    }

    /// What each of them gives.
    fn each<T>(&self, ask: impl Fn(&mut Api) -> Result<T, String>) -> Result<(T, T), String> {
        let [sqlite, postgres] = &self.servers;
        Ok((
            ask(&mut Api::new(sqlite.address))?,
            ask(&mut Api::new(postgres.address))?,
        ))
    }
}

/// Holds what both gave against what the guide says.
fn told<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: {found:?}, where the guide says {expected:?}"))
    }
}

fn documents() -> Result<(), String> {
    let both = Both::named("types")?;
    for (sent, of_sqlite, of_postgres) in [
        (
            r#"{"bb": 1, "c": 2, "a": 3}"#,
            r#"{"bb":1,"c":2,"a":3}"#,
            r#"{"a":3,"c":2,"bb":1}"#,
        ),
        ("[1e22, -0.0]", "[1e+22,-0.0]", "[10000000000000000000000,0.0]"),
    ] {
        let found = both.each(|api| {
            let request = Request::new("POST", "/api/samples").json(format!("{{\"a_json\": {sent}}}"));
            let text = api.send(request)?.text();
            let after = text.split_once("\"a_json\":").unwrap_or_default().1;
            Ok(after.split(",\"a_bytes\"").next().unwrap_or_default().to_owned())
        })?;
        told(sent, &found, &(of_sqlite.to_owned(), of_postgres.to_owned()))?;
    }
    Ok(())
}

fn words() -> Result<(), String> {
    let both = Both::named("keys")?;
    let found = both.each(|api| {
        let titled = json!({ "title": "a1 1e5x" }).to_string();
        api.expect(201, Request::new("POST", "/api/documents").json(titled))?;
        let finds = |api: &mut Api, q: &str| {
            let list = api.expect(200, Request::new("GET", &format!("/api/documents?q={q}")))?;
            Ok::<_, String>(list["items"].as_array().map_or(0, Vec::len))
        };
        Ok([finds(api, "a1")?, finds(api, "1e5x")?, finds(api, "1e5")?])
    })?;
    told("a number with an exponent", &found, &([1, 1, 0], [1, 1, 1]))
}

fn keys() -> Result<(), String> {
    let both = Both::named("types")?;
    let steps = both.each(|api| {
        let account = |name: &str| json!({ "name": name, "password": "long enough" }).to_string();
        let post = |name: &str| Request::new("POST", "/api/accounts").json(account(name));
        let first = api.expect(201, post("first"))?["id"].as_i64();
        api.expect(409, post("first"))?;
        let next = api.expect(201, post("next"))?["id"].as_i64();
        Ok(next.zip(first).map(|(next, first)| next - first))
    })?;
    told("the keys are apart", &steps, &(Some(1), Some(2)))
}

const POST: &str = "/api/posts?id=1&include=comments";

/// The title of a post and the text of its first comment.
fn titled(list: &Value) -> (&Value, &Value) {
    let post = &list["items"][0];
    (&post["title"], &post["comments"]["items"][0]["text"])
}

fn included() -> Result<(), String> {
    let both = Both::named("blog")?;
    let [sqlite, postgres] = &both.servers;
    // Both rows change together, again and again; never is one seen without the other.
    let file = &both.places[0].database;
    let together = |database: &rusqlite::Connection, round: u32| {
        let both = format!(
            "BEGIN IMMEDIATE; UPDATE post SET title = '{round}' WHERE id = 1;
             UPDATE comment SET text = '{round}' WHERE post_id = 1; COMMIT"
        );
        database.execute_batch(&both).map_err(|e| e.to_string())
    };
    together(&rusqlite::Connection::open(file).map_err(|e| e.to_string())?, 0)?;
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        let writes = threads.spawn(|| {
            let database = rusqlite::Connection::open(file).map_err(|e| e.to_string())?;
            for round in 1.. {
                together(&database, round)?;
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok::<_, String>(())
        });
        let mut api = Api::new(sqlite.address);
        let mut read = || {
            api.get(POST)?;
            for _ in 0..200 {
                let list = api.get(POST)?;
                let (title, text) = titled(&list);
                if title != text {
                    return Err(format!("SQLite: {title} beside {text}"));
                }
            }
            Ok(())
        };
        let read = read();
        done.store(true, Ordering::Relaxed);
        writes.join().map_err(|_| "a panic")?.and(read)
    })?;
    // Here it changes between the two statements: the second waits for whoever holds its table.
    let name = both.places[1].database_name();
    let holder = Holder::lock(&both.cluster, &name, "comment")?;
    let list = thread::scope(|threads| {
        let reads = threads.spawn(|| Api::new(postgres.address).get(POST));
        holder.is_in_the_way()?;
        holder.commit(
            "UPDATE post SET title = 'new' WHERE id = 1; UPDATE comment SET text = 'new' WHERE post_id = 1",
        )?;
        reads.join().map_err(|_| "a panic".to_owned())?
    })?;
    let (title, text) = titled(&list);
    told("PostgreSQL", &(title == "new", text == "new"), &(false, true))
}

fn beyond() -> Result<(), String> {
    let yaml = "service: sums
managed: true
resources:
  Sum:
    fields: { a: bigint, b: bigint, total: { computed: a + b } }
    access: { read: public, create: public }
";
    let both = Both::of(&SchemaSource::Inline(yaml.to_owned()))?;
    let most = |b: i64| json!({ "a": i64::MAX, "b": b }).to_string();
    let codes = both.each(|api| {
        let made = api.expect(201, Request::new("POST", "/api/sums").json(most(0)))?;
        if made["total"] != i64::MAX {
            return Err(format!("{made}"));
        }
        let refused = api.expect(500, Request::new("POST", "/api/sums").json(most(1)))?;
        // Nothing of it is kept.
        told(
            "rows",
            &api.get("/api/sums?count=exact")?["page"]["total"],
            &json!(1),
        )?;
        Ok(refused["code"].clone())
    })?;
    told("the code", &codes, &(json!("stored-value"), json!("internal")))
}

fn cost() -> Result<(), String> {
    let both = Both::named("blog")?;
    let rows = 1_000_000;
    let database = rusqlite::Connection::open(&both.places[0].database).map_err(|e| e.to_string())?;
    database
        .execute_batch(&format!(
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})
             INSERT INTO tag (name) SELECT 'tag ' || n FROM s"
        ))
        .map_err(|e| e.to_string())?;
    let asked = "/api/tags?name[icontains]=TAG&count=exact";
    // Far more steps than a read has on its thread: it is moved, and answered.
    let list = Api::new(both.servers[0].address).get(asked)?;
    if list["page"]["total"].as_i64() < Some(rows) {
        return Err(format!("{list}"));
    }
    let limited = format!("{}?statement_timeout=100ms", both.places[1].location());
    let server = Server::of(&schema_file("blog"), &limited)?;
    both.cluster.sql(
        &both.places[1].database_name(),
        "ALTER TABLE tag RENAME TO quick; CREATE VIEW tag AS SELECT quick.* FROM quick, pg_sleep(10)",
    )?;
    let refused = Api::new(server.address).expect(503, Request::new("GET", asked))?;
    told("the code", &refused["code"], &json!("unavailable"))?;
    server.stop().map(drop)
}
