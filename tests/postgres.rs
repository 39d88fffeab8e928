//! A service on PostgreSQL: what it answers is what it answers on SQLite, to the byte.

use libtest_mimic::Trial;
use serde_json::json;

use crate::support::api::Api;
use crate::support::http::{Answer, Request};
use crate::support::postgres::Cluster;
use crate::support::server::{Place, Server, output, package};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("postgres::answers_are_those_of_sqlite", same),
        trial("postgres::writes_are_those_of_sqlite", writes),
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

/// The blog on both, with the same rows.
fn both(cluster: &Cluster) -> Result<(Place, Server, Server), String> {
    let url = cluster.database("blog")?;
    let rows = package().join("schemas/blog.seed.yaml").display().to_string();
    let seeded = output(&["seed", &schema("blog"), &rows, "--database", &url])?;
    if !seeded.status.success() {
        return Err(String::from_utf8_lossy(&seeded.stderr).into_owned());
    }
    let place = Place::named("blog")?;
    let sqlite = place.serve()?;
    Ok((place, sqlite, serve(&schema("blog"), &url)?))
}

/// Sends the same to both, and compares status and body.
fn compared(one: &mut Api, other: &mut Api, requests: Vec<Request>) -> Result<(), String> {
    for request in requests {
        let told = format!("{} {}", request.method, request.target);
        let (left, right) = (one.send(request.clone())?, other.send(request)?);
        let (status, left, right) = ((left.status, right.status), body(&left), body(&right));
        if status.0 != status.1 || left != right {
            return Err(format!("{told} differs\nSQLite: {left}\nPostgreSQL: {right}"));
        }
    }
    Ok(())
}

/// Without a problem's own number, which is no two times the same.
fn body(answer: &Answer) -> String {
    let text = answer.text();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(place) = rest.find("\"instance\":") {
        let (before, after) = rest.split_at(place);
        out.push_str(before);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out + rest
}

fn get(targets: &[&str]) -> Vec<Request> {
    targets.iter().map(|target| Request::new("GET", target)).collect()
}

fn same() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let (_place, sqlite, postgres) = both(&cluster)?;
    let targets = [
        "/api/users?limit=100&count=exact",
        "/api/posts?limit=100",
        "/api/posts?limit=100&sort=score",
        "/api/posts?limit=100&sort=-score",
        "/api/posts?limit=100&sort=title",
        "/api/posts?limit=100&include=author,tags",
        "/api/posts?title=Rust%20again",
        "/api/posts?title[contains]=ust",
        "/api/posts?title[icontains]=RUST",
        "/api/posts?title[startswith]=Hel",
        "/api/posts?title[endswith]=ust",
        "/api/posts?title[in]=Hello%20Rust,Nothing",
        "/api/posts?score[gte]=10&limit=100",
        "/api/posts?author.username=susan&limit=100",
        "/api/posts?tags.name=rust&limit=100",
        "/api/posts?status=draft",
        "/api/users/1?include=following,posts.tags",
        "/api/posts/1",
        "/api/posts/999",
        "/api/posts/99999999999",
        "/api/users?sort=username&fields=username,post_count&limit=100",
        "/api/messages",
        "/api/nothing",
    ];
    let (mut one, mut other) = (Api::new(sqlite.address), Api::new(postgres.address));
    compared(&mut one, &mut other, get(&targets))?;
    for (name, password) in [("susan", "susan-password"), ("admin", "admin-password")] {
        let mut one = Api::sign_in(sqlite.address, name, password)?;
        let mut other = Api::sign_in(postgres.address, name, password)?;
        compared(&mut one, &mut other, get(&targets))?;
        compared(
            &mut one,
            &mut other,
            get(&["/api/me", "/api/notices", "/api/comments?limit=100"]),
        )?;
    }
    sqlite.stop()?;
    postgres.stop().map(drop)
}

fn writes() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let (_place, sqlite, postgres) = both(&cluster)?;
    let mut one = Api::sign_in(sqlite.address, "susan", "susan-password")?;
    let mut other = Api::sign_in(postgres.address, "susan", "susan-password")?;
    let send = |method: &str, target: &str, body: serde_json::Value| {
        Request::new(method, target).json(body.to_string())
    };
    // A sequence of PostgreSQL's isn't turned back where a row is refused, so refused rows come after all that are made.
    let requests = vec![
        send("POST", "/api/tags", json!([{ "name": "b" }, { "name": "c" }])),
        send("POST", "/api/tags", json!({ "name": "sqlite" })),
        send("POST", "/api/tags", json!({ "name": "sqlite" })),
        send(
            "POST",
            "/api/comments",
            json!({ "text": "Well said.", "post_id": 1 }),
        ),
        send(
            "POST",
            "/api/comments",
            json!({ "text": "To nothing.", "post_id": 999 }),
        ),
        send("POST", "/api/posts", json!({ "title": "" })),
        send(
            "POST",
            "/api/users",
            json!({ "username": "susan", "email": "a@example.org", "password": "long enough" }),
        ),
        send(
            "PATCH",
            "/api/posts/1",
            json!({ "title": "Hello again", "score": null }),
        ),
        send("PATCH", "/api/posts/1", json!({ "title": "Hello again" })),
        send("PATCH", "/api/users/2", json!({ "about_me": "No." })),
        send("PATCH", "/api/users/1", json!({ "about_me": "Writes more." })),
        send("PATCH", "/api/posts/999", json!({ "title": "None" })),
        Request::new("DELETE", "/api/tags/1"),
        Request::new("DELETE", "/api/posts/1"),
        Request::new("GET", "/api/posts?limit=100&include=comments,tags"),
        Request::new("DELETE", "/api/tokens/current"),
        Request::new("GET", "/api/posts"),
    ];
    compared(&mut one, &mut other, requests)?;
    sqlite.stop()?;
    postgres.stop().map(drop)
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
    let (_place, _, postgres) = both(&cluster)?;
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
