//! A service on PostgreSQL: how it starts, what it makes of other programs' tables, and of a database that goes away.

use libtest_mimic::Trial;
use serde_json::json;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::Request;
use crate::support::postgres::Cluster;
use crate::support::server::{Place, Server, output, package};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("postgres::two_that_start_together_make_the_tables_once", together),
        trial("postgres::it_is_there_again_after_the_database_was_away", away),
        trial(
            "postgres::tables_of_another_program_are_served_as_they_are",
            foreign,
        ),
        trial("postgres::what_is_wrong_is_said_once", wrong),
    ]
}

fn serve(schema: &str, url: &str) -> Result<Server, String> {
    Server::start(&["serve", schema, "--database", url, "--listen", "127.0.0.1:0"])
}

fn schema(name: &str) -> String {
    let file = package().join("schemas").join(format!("{name}.yaml"));
    file.display().to_string()
}

fn together() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let url = cluster.database("blog")?;
    let start = || serve(&schema("blog"), &url);
    let all: Vec<Result<Server, String>> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..4).map(|_| threads.spawn(start)).collect();
        all.into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a panic".to_owned())))
            .collect()
    });
    for server in all {
        let server = server?;
        Api::new(server.address).get("/api/posts")?;
        server.stop()?;
    }
    Ok(())
}

fn away() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = Place::on(&cluster, &SchemaSource::Named("blog".to_owned()))?;
    let postgres = place.serve()?;
    let mut api = Api::new(postgres.address);
    api.get("/api/posts")?;
    cluster.restart()?;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let answer = api.send(Request::new("GET", "/api/posts"))?;
        match answer.status {
            200 => break,
            503 if answer.header("retry-after").is_some() && std::time::Instant::now() < deadline => {}
            other => return Err(format!("{other}: {}", answer.text())),
        }
    }
    Api::sign_in(postgres.address, "susan", "susan-password")?;
    postgres.stop().map(drop)
}

fn foreign() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let url = cluster.database("zoo")?;
    cluster.sql(
        "zoo",
        "CREATE TYPE mood AS ENUM ('good', 'bad');
         CREATE TABLE animal (id serial PRIMARY KEY, name varchar(40) NOT NULL UNIQUE, mood mood NOT NULL,
             weight numeric(6, 2), born timestamp NOT NULL, home inet, facts jsonb, tag uuid);
         INSERT INTO animal (name, mood, weight, born, home, facts, tag) VALUES
             ('Ape', 'good', 12.5, '2020-02-29 12:00:00.5', '10.0.0.1', '{\"b\": [1, 2.50]}',
              '018f3f2e-0000-7000-8000-00000000abcd'),
             ('bee', 'bad', NULL, '1999-12-31 23:59:59', NULL, NULL, NULL)",
    )?;
    let folder = tempfile::TempDir::new().map_err(|e| e.to_string())?;
    let file = folder.path().join("zoo.yaml");
    let yaml = "
service: zoo
managed: false
resources:
  Animal:
    table: animal
    sort: name
    fields:
      name: { type: string, length: 1..40, unique: true, filterable: true }
      mood: { type: enum, values: [good, bad], filterable: true }
      weight: { type: decimal, precision: 6, scale: 2, optional: true, filterable: true }
      born: { type: timestamp, filterable: true }
      home: { type: string, optional: true }
      facts: { type: json, optional: true }
      tag: { type: uuid, optional: true }
    access: { read: public, create: public, change: public }
";
    std::fs::write(&file, yaml).map_err(|e| e.to_string())?;
    let server = serve(&file.display().to_string(), &url)?;
    let mut api = Api::new(server.address);
    let ape = json!({ "id": 1, "name": "Ape", "mood": "good", "weight": "12.50", "born": "2020-02-29T12:00:00.5Z",
        "home": "10.0.0.1", "facts": { "b": [1, 2.50] }, "tag": "018f3f2e-0000-7000-8000-00000000abcd" });
    for (target, names) in [
        ("/api/animals", &["Ape", "bee"][..]),
        ("/api/animals?mood=bad", &["bee"]),
        ("/api/animals?weight[gt]=12", &["Ape"]),
        ("/api/animals?weight=12.5", &["Ape"]),
        ("/api/animals?born[lt]=2000-01-01T00:00:00Z", &["bee"]),
        ("/api/animals?name[startswith]=b", &["bee"]),
    ] {
        let found = api.get(target)?;
        let found: Vec<_> = found["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| item["name"].clone())
            .collect();
        if found != names {
            return Err(format!("{target}: {found:?}"));
        }
    }
    let first = api.get("/api/animals/1")?;
    if first != ape {
        return Err(format!("{first}"));
    }
    let made = api.expect(
        201,
        Request::new("POST", "/api/animals").json(
            json!({ "name": "Cat", "mood": "bad", "weight": "4.00", "born": "2026-01-01T01:00:00+01:00" })
                .to_string(),
        ),
    )?;
    if made["id"] != 3 || made["born"] != "2026-01-01T00:00:00Z" {
        return Err(format!("{made}"));
    }
    let taken = Request::new("PATCH", "/api/animals/3").json(json!({ "name": "Ape" }).to_string());
    let told = api.expect(409, taken)?;
    if told["errors"][0]["pointer"] != "/name" {
        return Err(format!("{told}"));
    }
    server.stop().map(drop)
}

fn wrong() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let url = cluster.url("nowhere").replace("tests@", "tests:hush@");
    let refused = output(&[
        "serve",
        &schema("blog"),
        "--database",
        &url,
        "--listen",
        "127.0.0.1:0",
    ])?;
    let told = String::from_utf8_lossy(&refused.stderr);
    if refused.status.code() != Some(2) || !told.contains("nowhere") || told.contains("hush") {
        return Err(format!("{:?}: {told}", refused.status));
    }
    cluster.sql(
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    )?;
    let refused = output(&[
        "serve",
        &schema("blog"),
        "--database",
        &cluster.url("latin"),
        "--listen",
        "127.0.0.1:0",
    ])?;
    let told = String::from_utf8_lossy(&refused.stderr);
    if !told.contains("encoding is LATIN1") {
        return Err(format!("{:?}: {told}", refused.status));
    }
    Ok(())
}
