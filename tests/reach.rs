//! What stands between a service and PostgreSQL: TLS, a pooler, a network that goes silent, locks of others, rights.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::json;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::certificates::Certificates;
use crate::support::holder::Holder;
use crate::support::http::Request;
use crate::support::pooler::Pooler;
use crate::support::postgres::{Cluster, Setup};
use crate::support::server::{Place, Server, schema_file};
use crate::support::wire::Wire;
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("reach::tls_is_trusted_as_far_as_the_url_says", tls),
        trial("reach::through_a_pooler", pooled),
        trial(
            "reach::a_database_that_goes_silent_is_503_and_found_again",
            silence,
        ),
        trial("reach::a_table_that_another_locks_is_503", locked),
        trial("reach::a_table_that_changes_is_read_anew", changed),
        trial("reach::password_and_rights", rights),
    ]
}

fn blog() -> SchemaSource {
    SchemaSource::Named("blog".to_owned())
}

fn serve(url: &str) -> Result<Server, String> {
    Server::of(&schema_file("blog"), url)
}

/// What it says where it doesn't start.
fn refused(url: &str) -> Result<String, String> {
    match serve(url) {
        Ok(_) => Err("it starts".to_owned()),
        Err(told) => Ok(told),
    }
}

fn said(told: &str, words: &str) -> Result<(), String> {
    if told.contains(words) {
        Ok(())
    } else {
        Err(format!("`{words}` isn't said:\n{told}"))
    }
}

/// Asks until it is answered; meanwhile nothing but 503 with `Retry-After` is taken.
fn answered(api: &mut Api, request: &Request) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = api.send(request.clone())?;
        match answer.status {
            200 | 201 => return Ok(()),
            503 if answer.header("retry-after").is_some() && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return Err(format!("{other}: {}", answer.text())),
        }
    }
}

fn tls() -> Result<(), String> {
    let own = Certificates::new()?;
    let (certificate, key, root) = (own.path("server.crt"), own.path("server.key"), own.path("ca.crt"));
    let cluster = Cluster::with(&Setup {
        listens: true,
        access: "local all all trust\nhostssl by_certificate all 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 trust\n",
        settings: &["ssl=on", "ssl_ca_file=ca.crt"],
        files: &[
            ("server.crt", certificate.as_path()),
            ("server.key", &key),
            ("ca.crt", &root),
        ],
    })?;
    for name in ["plain", "by_certificate"] {
        cluster.database(name)?;
    }
    let port = cluster.port.unwrap_or_default();
    let url = |host: &str, rest: &str| format!("postgres://tests@{host}:{port}/plain?{rest}");
    let (root, other) = (root.display(), own.path("client.crt"));
    let other = other.display();
    for accepted in [
        url("localhost", ""),
        url("127.0.0.1", "sslmode=require"),
        url("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={root}")),
        url("localhost", &format!("sslmode=verify-full&sslrootcert={root}")),
        format!(
            "postgres://tests@localhost:{port}/by_certificate?sslmode=verify-full&sslrootcert={root}&sslcert={}&sslkey={}",
            other,
            own.path("client.key").display()
        ),
    ] {
        let server = serve(&accepted).map_err(|told| format!("{accepted}: {told}"))?;
        Api::new(server.address).get("/api/posts")?;
        server.stop()?;
    }
    for (url, words) in [
        (url("localhost", "sslmode=disable"), "no encryption"),
        (
            url("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={root}")),
            "not valid for name",
        ),
        (
            url("localhost", &format!("sslmode=require&sslrootcert={other}")),
            "UnknownIssuer",
        ),
        (url("localhost", "sslmode=verify-full"), "UnknownIssuer"),
        (
            url("localhost", "sslmode=verify-full&sslrootcert=nowhere.crt"),
            "nowhere.crt",
        ),
    ] {
        said(&refused(&url)?, words).map_err(|told| format!("{url}: {told}"))?;
    }
    Ok(())
}

fn pooled() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = Place::on(&cluster, &blog())?;
    let pooler = Pooler::start(&cluster)?;
    let database = place.database_name();
    let server = serve(&pooler.url(&database))?;
    // More at once than the pooler has connections, each with statements that the other hasn't prepared.
    let work = |who: usize| -> Result<(), String> {
        let mut api = Api::sign_in(server.address, "susan", "susan-password")?;
        for round in 0..12 {
            let made = api.post(
                "/api/comments",
                &json!({ "text": format!("{who} {round}"), "post_id": 1 }),
            )?;
            let target = format!("/api/comments/{}", made["id"]);
            let changed = api.patch(&target, &json!({ "text": format!("{who} {round} again") }))?;
            if api.get(&target)? != changed {
                return Err(format!("{target} isn't {changed}"));
            }
            api.get("/api/posts?include=author,tags&sort=-score&limit=3")?;
            api.get(&format!("/api/comments?id[gt]={round}&limit={}", 1 + round))?;
        }
        Ok(())
    };
    std::thread::scope(|threads| {
        let all: Vec<_> = (0..6).map(|who| threads.spawn(move || work(who))).collect();
        all.into_iter()
            .try_for_each(|one| one.join().unwrap_or_else(|_| Err("a panic".to_owned())))
    })?;
    server.stop().map(drop)
}

fn silence() -> Result<(), String> {
    let cluster = Cluster::with(&Setup {
        listens: true,
        ..Setup::default()
    })?;
    let place = Place::on(&cluster, &blog())?;
    let wire = Wire::to(cluster.port.unwrap_or_default())?;
    let database = place.database_name();
    let url = format!(
        "postgres://tests@127.0.0.1:{}/{database}?statement_timeout=100ms",
        wire.port
    );
    let server = serve(&url)?;
    let mut api = Api::sign_in(server.address, "susan", "susan-password")?;
    let write = Request::new("PATCH", "/api/posts/1").json(r#"{"title": "Through"}"#);
    let read = Request::new("GET", "/api/posts");
    for request in [&write, &read] {
        answered(&mut api, request)?;
    }
    wire.cut_or_mend();
    for request in [&write, &read] {
        let answer = api.send(request.clone())?;
        if answer.status != 503 || answer.header("retry-after").is_none() {
            return Err(format!("{}: {}", answer.status, answer.text()));
        }
    }
    wire.cut_or_mend();
    for request in [&write, &read] {
        answered(&mut api, request)?;
    }
    server.stop().map(drop)
}

fn locked() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = Place::on(&cluster, &blog())?;
    let database = place.database_name();
    let server = serve(&format!("{}?statement_timeout=200ms", place.location()))?;
    let mut api = Api::sign_in(server.address, "susan", "susan-password")?;
    let holder = Holder::lock(&cluster, &database, "post")?;
    let write = Request::new("PATCH", "/api/posts/1").json(r#"{"title": "Through"}"#);
    let read = Request::new("GET", "/api/posts");
    for request in [&write, &read] {
        let answer = api.send(request.clone())?;
        if answer.status != 503 || answer.header("retry-after").is_none() {
            return Err(format!("{}: {}", answer.status, answer.text()));
        }
    }
    // Others go on.
    api.get("/api/tags")?;
    drop(holder);
    for request in [&write, &read] {
        answered(&mut api, request)?;
    }
    server.stop().map(drop)
}

fn changed() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = Place::on(&cluster, &blog())?;
    let database = place.database_name();
    let server = place.serve()?;
    let mut api = Api::new(server.address);
    let before = api.get("/api/posts?limit=100")?;
    cluster.sql(
        &database,
        "ALTER TABLE post ALTER COLUMN title TYPE varchar(500) COLLATE \"C\"; ALTER TABLE post ADD COLUMN extra text",
    )?;
    for _ in 0..4 {
        if api.get("/api/posts?limit=100")? != before {
            return Err("the posts changed".to_owned());
        }
    }
    cluster.sql(&database, "ALTER TABLE post RENAME COLUMN title TO heading")?;
    let answer = api.send(Request::new("GET", "/api/posts?limit=100"))?;
    if answer.status != 500 || answer.text().contains("heading") {
        return Err(format!("{}: {}", answer.status, answer.text()));
    }
    server.told_up_to("title")?;
    cluster.sql(&database, "ALTER TABLE post RENAME COLUMN heading TO title")?;
    if api.get("/api/posts?limit=100")? != before {
        return Err("the posts changed".to_owned());
    }
    server.stop().map(drop)
}

fn rights() -> Result<(), String> {
    let cluster = Cluster::with(&Setup {
        access: "local all tests trust\nlocal all all scram-sha-256\n",
        ..Setup::default()
    })?;
    let url = cluster.database("blog")?;
    cluster.sql(
        "blog",
        "SET password_encryption = 'scram-sha-256'; CREATE ROLE susan LOGIN PASSWORD 'right'; REVOKE ALL ON SCHEMA public FROM PUBLIC",
    )?;
    let of = |password: &str| url.replace("tests@", &format!("susan:{password}@"));
    let told = refused(&of("wrong"))?;
    said(&told, "password authentication failed for user \"susan\"")?;
    if told.contains("wrong") {
        return Err(format!("the password is told:\n{told}"));
    }
    said(&refused(&of("right"))?, "may be used")?;
    cluster.sql("blog", "GRANT USAGE ON SCHEMA public TO susan")?;
    said(&refused(&of("right"))?, "permission denied for schema public")?;
    cluster.sql("blog", "GRANT CREATE ON SCHEMA public TO susan")?;
    let server = serve(&of("right"))?;
    Api::new(server.address).get("/api/posts")?;
    server.stop()?;
    // The tables are another's now: what may not be read is said at the start, not at the first request.
    cluster.sql("blog", "ALTER TABLE post OWNER TO tests")?;
    said(
        &refused(&of("right"))?,
        "`GRANT SELECT, INSERT, UPDATE, DELETE ON \"post\" TO susan`",
    )
}
