//! What operators ask: counts, health, traces.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use libtest_mimic::Trial;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::fake;
use crate::support::http::{Answer, Client, Request};
use crate::support::postgres::Cluster;
use crate::support::server::{Place, Server, output, package, rest_gen};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("metrics::requests_are_counted_by_route_and_status", requests),
        trial("metrics::writes_are_counted_by_transaction", writes),
        trial("metrics::what_is_apart_is_counted_apart", apart),
        trial("metrics::they_are_for_operators_only", operators),
        trial("metrics::each_is_in_the_reference", reference),
        trial("metrics::connections_to_postgres", connections),
        trial("metrics::an_address_that_cannot_be_had_is_told", taken),
        trial("metrics::a_trace_is_logged", traced),
        trial("metrics::a_span_is_sent_to_a_collector", exported),
    ]
}

fn measured(admin: SocketAddr) -> Result<String, String> {
    let answer = Client::new(admin).send(&Request::new("GET", "/metrics"))?;
    let media_type = answer.header("content-type").unwrap_or_default();
    match (
        answer.status,
        media_type.starts_with("application/openmetrics-text"),
    ) {
        (200, true) => Ok(answer.text()),
        _ => Err(format!("{} {media_type}", answer.status)),
    }
}

/// The value of the one line that begins so and names all these labels.
fn value(text: &str, name: &str, labels: &[&str]) -> Result<f64, String> {
    let mut lines = text.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    let (line, more) = (lines.next(), lines.next());
    let number = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    number
        .filter(|_| more.is_none())
        .ok_or_else(|| format!("no one {name} {labels:?} in\n{text}"))
}

fn expect(text: &str, name: &str, labels: &[&str], wanted: f64) -> Result<(), String> {
    let is = value(text, name, labels)?;
    if (is - wanted).abs() < f64::EPSILON {
        Ok(())
    } else {
        Err(format!("{name} {labels:?} is {is}, not {wanted}"))
    }
}

fn connections() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let place = Place::on(&cluster, &SchemaSource::Named("blog".to_owned()))?;
    let (server, admin) = place.serve_with_operators(&[])?;
    // Without a token, whose use would be kept beside.
    let mut api = Api::new(server.address);
    let account =
        serde_json::json!({ "username": "ada", "email": "ada@example.org", "password": "ada-password" });
    api.post("/api/users", &account)?;
    for target in ["/api/posts", "/api/tags"] {
        api.get(target)?;
    }
    let text = measured(admin)?;
    for (state, number) in [("shared", 2.0), ("used", 0.0), ("idle", 1.0)] {
        let labels = ["database=\"data\"", &format!("state=\"{state}\"")];
        expect(&text, "database_connections", &labels, number)?;
    }
    expect(&text, "write_queue", &["database=\"data\""], 0.0)?;
    server.stop().map(drop)
}

fn get(server: &Server, target: &str) -> Result<Answer, String> {
    Client::new(server.address).send(&Request::new("GET", target))
}

fn requests() -> Result<(), String> {
    let place = Place::named("blog")?;
    let (server, admin) = place.serve_with_operators(&[])?;
    for target in [
        "/api/posts",
        "/api/posts",
        "/api/posts?nonsense=1",
        "/api/posts/999999",
        "/nowhere",
        "/health/live",
    ] {
        get(&server, target)?;
    }
    // Methods that a client makes up are one.
    for method in ["BREW", "MELT"] {
        Client::new(server.address).send(&Request::new(method, "/api/posts"))?;
    }
    let text = measured(admin)?;
    let count = "http_request_duration_seconds_count";
    expect(
        &text,
        count,
        &["route=\"/api/posts\"", "method=\"GET\"", "status=\"200\""],
        2.0,
    )?;
    expect(
        &text,
        count,
        &["route=\"/api/posts\"", "method=\"GET\"", "status=\"400\""],
        1.0,
    )?;
    expect(
        &text,
        count,
        &["route=\"/api/posts/{key}\"", "status=\"404\""],
        1.0,
    )?;
    expect(&text, count, &["route=\"unknown\"", "status=\"404\""], 1.0)?;
    expect(&text, count, &["route=\"/health\"", "status=\"200\""], 1.0)?;
    expect(&text, count, &["method=\"other\"", "status=\"405\""], 2.0)?;
    // The one that asks.
    expect(&text, "http_requests_in_progress", &[], 1.0)?;
    let seconds = value(&text, "http_request_duration_seconds_sum", &["status=\"400\""])?;
    if !(seconds > 0.0 && seconds < 30.0) {
        return Err(format!("{seconds} seconds for a request that was refused"));
    }
    match text.contains("/999999") || text.contains("nonsense") {
        true => Err(format!("a key or a parameter is told:\n{text}")),
        false => Ok(()),
    }
}

fn writes() -> Result<(), String> {
    let place = Place::named("blog")?;
    let (server, admin) = place.serve_with_operators(&[])?;
    let before = value(&measured(admin)?, "write_batch_size_sum", &["database=\"data\""])?;
    let mut api = Api::new(server.address);
    for number in 1..=3 {
        let body = format!(
            r#"{{"username": "user{number}", "email": "user{number}@example.org", "password": "correct-horse"}}"#
        );
        api.expect(201, Request::new("POST", "/api/users").json(body))?;
    }
    let text = measured(admin)?;
    expect(
        &text,
        "write_batch_size_sum",
        &["database=\"data\""],
        before + 3.0,
    )?;
    expect(&text, "write_queue", &["database=\"data\""], 0.0)?;
    expect(&text, "read_queue", &["database=\"data\""], 0.0)?;
    value(&text, "slow_reads_total", &["database=\"data\""])?;
    match text.contains("database=\"state\"") {
        true => Err("our own state is in the same database".to_owned()),
        false => Ok(()),
    }
}

fn apart() -> Result<(), String> {
    let root = package().join("../examples/microblog");
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let show = |path: &Path| path.display().to_string();
    let server = Server::start(&[
        "serve".to_owned(),
        show(&root.join("rest.yaml")),
        "--database".to_owned(),
        show(&folder.path().join("microblog.db")),
        "--create-from".to_owned(),
        show(&root.join("microblog.sql")),
        "--listen".to_owned(),
        "127.0.0.1:0".to_owned(),
        "--admin-listen".to_owned(),
        "127.0.0.1:0".to_owned(),
    ])?;
    let told = server.told_up_to("/metrics")?;
    let address = told
        .split_once("/metrics")
        .and_then(|(before, _)| before.rsplit("http://").next());
    let admin = address
        .and_then(|address| address.parse().ok())
        .ok_or("no address for operators")?;
    Api::sign_in(server.address, "susan", "correct-horse")?;
    let text = measured(admin)?;
    let tokens = value(&text, "write_batch_size_sum", &["database=\"state\""])?;
    expect(&text, "write_batch_size_sum", &["database=\"data\""], 0.0)?;
    match tokens >= 1.0 && text.matches("# TYPE write_batch_size ").count() == 1 {
        true => Ok(()),
        false => Err(text),
    }
}

fn operators() -> Result<(), String> {
    let place = Place::named("blog")?;
    let (server, admin) = place.serve_with_operators(&[])?;
    let status = |address, method: &str, target: &str| {
        Client::new(address)
            .send(&Request::new(method, target))
            .map(|answer| answer.status)
    };
    for (address, method, target, wanted) in [
        (server.address, "GET", "/metrics", 404),
        (admin, "GET", "/metrics", 200),
        (admin, "HEAD", "/metrics", 200),
        (admin, "POST", "/metrics", 405),
        (admin, "GET", "/health/live", 200),
        (admin, "GET", "/health/ready", 200),
        (admin, "GET", "/api/posts", 404),
    ] {
        let is = status(address, method, target)?;
        if is != wanted {
            return Err(format!("{method} {target} on {address}: {is}, not {wanted}"));
        }
    }
    server.stop()?;
    match status(admin, "GET", "/health/live") {
        Ok(_) => Err("it is answered after the end".to_owned()),
        Err(_) => Ok(()),
    }
}

/// `docs/reference/metrics.md` has a row for each, with its own words.
fn reference() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let (blog, replica) = (SchemaSource::Named("blog".to_owned()), cluster.url("nowhere"));
    let places = [
        (Place::new(&blog)?, &[][..]),
        (Place::on(&cluster, &blog)?, &["--replica", &replica]),
    ];
    let mut told = BTreeMap::new();
    for (place, more) in &places {
        let (server, admin) = place.serve_with_operators(more)?;
        // What was never counted isn't told.
        get(&server, "/api/posts")?;
        for line in measured(admin)?
            .lines()
            .filter_map(|line| line.strip_prefix("# HELP "))
        {
            let (name, help) = line.split_once(' ').ok_or_else(|| line.to_owned())?;
            told.insert(name.to_owned(), help.to_owned());
        }
        server.stop()?;
    }
    let path = package().join("../docs/reference/metrics.md");
    let page = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    let mut missing = Vec::new();
    let known = told.len();
    for (name, help) in &told {
        let row = format!("| `{name}` | ");
        if !page
            .lines()
            .any(|line| line.starts_with(&row) && line.contains(help.trim_end_matches('.')))
        {
            missing.push(format!("{row}… | … | {help} |"));
        }
    }
    match missing.is_empty() && rows == known {
        true => Ok(()),
        false => Err(format!(
            "{rows} rows for {known} metrics; missing:\n{}",
            missing.join("\n")
        )),
    }
}

fn taken() -> Result<(), String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener
        .local_addr()
        .map_err(|error| error.to_string())?
        .to_string();
    let place = Place::named("blog")?;
    let mut arguments = place.arguments();
    arguments.extend(["--admin-listen".to_owned(), address.clone()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = output(&arguments)?;
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    match ended.status.code() == Some(2) && told.contains(&format!("{address} is in use")) {
        true => Ok(()),
        false => Err(format!("{}: {told}", ended.status)),
    }
}

fn traced() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let request = Request::new("GET", "/api/posts");
    let traced = request.header(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    );
    Client::new(server.address).send(&traced)?;
    let told = server.told_up_to("4bf92f3577b34da6a3ce929d0e0e4736")?;
    let line = told
        .lines()
        .find(|line| line.contains("4bf92f3577b34da6a3ce929d0e0e4736"));
    match line.is_some_and(|line| line.contains("\"trace_id\":\"4bf9") && line.contains("/api/posts")) {
        true => Ok(()),
        false => Err(told),
    }
}

/// In the programs of this workspace the feature `otlp` is on.
fn exported() -> Result<(), String> {
    let (sender, received) = std::sync::mpsc::channel();
    let collector = fake::start(move |asked| {
        // The test has ended where nobody listens.
        let _ = sender.send((asked.head[0].clone(), asked.body.clone()));
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()
    })?;
    let place = Place::named("blog")?;
    let arguments = place.arguments();
    let mut command = rest_gen(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
        .env("OTEL_SERVICE_NAME", "the-blog");
    let server = Server::spawn(command)?;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::new("GET", "/api/posts/1").header("traceparent", traceparent);
    Client::new(server.address).send(&request)?;
    // What waits is sent at the end.
    server.stop()?;
    let (asked, body) = received.try_recv().map_err(|_| "no span is sent")?;
    let has = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    let above = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();
    let parts: [&[u8]; 5] = [
        &trace,
        &above,
        b"GET /api/posts/{key}",
        b"the-blog",
        b"http.response.status_code",
    ];
    let missing = parts.iter().filter(|part| !has(part)).count();
    match missing == 0 && asked.starts_with("POST /v1/traces ") {
        true => Ok(()),
        false => Err(format!(
            "{missing} parts are missing\n{asked}\n{}",
            String::from_utf8_lossy(&body)
        )),
    }
}
