//! The service as one layer among several: answers coded for the way, and proxies in front.

use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::{Answer, Client, Request, decoded};
use crate::support::nginx::Nginx;
use crate::support::server::{Place, Server, output};
use crate::trial;

const CODINGS: [&str; 3] = ["gzip", "br", "zstd"];

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("layers::a_coded_answer_says_what_the_plain_one_says", coded),
        trial("layers::a_strong_tag_is_of_one_coding", tags),
        trial(
            "layers::what_is_small_or_secret_or_written_is_not_coded",
            not_coded,
        ),
        trial("layers::a_stream_is_coded_while_it_is_read", streamed),
        trial(
            "layers::an_address_has_the_prefix_of_the_proxy_in_front",
            prefixed,
        ),
        trial("layers::nobody_else_is_believed", spoofed),
        trial("layers::a_cache_keeps_what_is_the_same_for_everybody", cached),
        trial("layers::callers_behind_a_proxy_are_counted_apart", counted),
        trial("layers::a_password_passes_a_proxy_that_takes_https", secure),
        trial("layers::what_a_proxy_says_wrongly_is_refused", refused),
        trial(
            "layers::what_is_no_address_of_a_proxy_is_told_at_start",
            unreadable,
        ),
    ]
}

fn get(client: &mut Client, target: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let request = headers
        .iter()
        .fold(Request::new("GET", target), |request, (name, value)| {
            request.header(name, value)
        });
    client.send(&request)
}

fn is(what: &str, found: impl PartialEq<Value> + std::fmt::Debug, expected: Value) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: {found:?} instead of {expected}"))
    }
}

fn header(answer: &Answer, name: &str) -> Value {
    answer.header(name).map_or(Value::Null, Value::from)
}

fn body_of(answer: &Answer) -> Result<Value, String> {
    serde_json::from_str(&answer.text()).map_err(|e| e.to_string())
}

/// A blog with a post of some length, by susan.
fn long_post(place: &Place) -> Result<(Server, Api, String), String> {
    let server = place.serve()?;
    let mut api = Api::sign_in(server.address, "susan", "susan-password")?;
    let made = api.post(
        "/api/posts",
        &json!({ "title": "Long", "body": "long ".repeat(400), "status": "published" }),
    )?;
    let address = format!("/api/posts/{}", made["id"]);
    Ok((server, api, address))
}

fn coded() -> Result<(), String> {
    let place = Place::named("blog")?;
    let (server, _, post) = long_post(&place)?;
    let mut client = Client::new(server.address);
    for target in [post.as_str(), "/api/posts?limit=100", "/api/openapi.json"] {
        let plain = get(&mut client, target, &[])?;
        is("the plain one", header(&plain, "content-encoding"), Value::Null)?;
        for coding in CODINGS {
            let answer = get(&mut client, target, &[("accept-encoding", coding)])?;
            is("the coding", header(&answer, "content-encoding"), json!(coding))?;
            if decoded(coding, &answer.body)? != plain.body {
                return Err(format!("{target} by {coding} says something else"));
            }
            if answer.body.len() >= plain.body.len() {
                return Err(format!("{target} by {coding} is no shorter"));
            }
            let vary = answer.header("vary").unwrap_or_default();
            if !vary.contains("Accept-Encoding") {
                return Err(format!("{target} varies by {vary}"));
            }
            let mut head = Request::new("HEAD", target);
            head = head.header("accept-encoding", coding);
            let head = client.send(&head)?;
            for name in ["content-encoding", "content-length", "etag", "content-type"] {
                is(name, header(&head, name), header(&answer, name))?;
            }
        }
    }
    Ok(())
}

fn tags() -> Result<(), String> {
    let place = Place::named("blog")?;
    let (server, mut api, post) = long_post(&place)?;
    let mut client = Client::new(server.address);
    let plain = get(&mut client, &post, &[])?.header("etag").ok_or("a tag")?;
    for coding in CODINGS {
        let by = [("accept-encoding", coding)];
        let tag = get(&mut client, &post, &by)?.header("etag").ok_or("a tag")?;
        is(
            "the tag",
            json!(tag),
            json!(format!("{}-{coding}\"", &plain[..plain.len() - 1])),
        )?;
        let known = |accepted: &str| {
            Request::new("GET", &post)
                .header("accept-encoding", accepted)
                .header("if-none-match", &tag)
        };
        let unchanged = client.send(&known(coding))?;
        is("what is known", json!(unchanged.status), json!(304))?;
        is("its tag", header(&unchanged, "etag"), json!(tag))?;
        is("its coding", header(&unchanged, "content-encoding"), Value::Null)?;
        is(
            "another coding",
            json!(client.send(&known("identity"))?.status),
            json!(200),
        )?;
    }
    let tag = get(&mut client, &post, &[("accept-encoding", "br")])?
        .header("etag")
        .ok_or("a tag")?;
    let change = Request::new("PATCH", &post).header("if-match", &tag);
    api.expect(200, change.json(r#"{"status": "draft"}"#))?;

    // The same page by another coding means the same.
    let page = |accepted: &str| Request::new("GET", "/api/posts").header("accept-encoding", accepted);
    let tag = client.send(&page("gzip"))?.header("etag").ok_or("a tag")?;
    let unchanged = client.send(&page("br").header("if-none-match", &tag))?;
    is("a page that is known", json!(unchanged.status), json!(304))
}

fn not_coded() -> Result<(), String> {
    let place = Place::named("blog")?;
    let (server, mut api, post) = long_post(&place)?;
    let mut client = Client::new(server.address);
    let all = [("accept-encoding", "gzip, br, zstd")];
    let small = get(&mut client, &format!("{post}?fields=id"), &all)?;
    is("what is small", header(&small, "content-encoding"), Value::Null)?;
    let asked = [("accept-encoding", "identity;q=0, gzip")];
    let small = get(&mut client, &format!("{post}?fields=id"), &asked)?;
    is(
        "what may not be plain",
        header(&small, "content-encoding"),
        json!("gzip"),
    )?;
    let long = json!({ "body": "long ".repeat(400) }).to_string();
    let written = api.send(
        Request::new("PATCH", &post)
            .header("accept-encoding", "gzip")
            .json(long),
    )?;
    is("what is written", json!(written.status), json!(200))?;
    is("its coding", header(&written, "content-encoding"), Value::Null)?;
    let token = Request::new("POST", "/api/tokens").header("accept-encoding", "identity;q=0, gzip");
    let name = "n".repeat(50);
    let token = client.send(
        &token.json(json!({ "identifier": "susan", "password": "susan-password", "name": name }).to_string()),
    )?;
    is("a token", json!(token.status), json!(201))?;
    is("its coding", header(&token, "content-encoding"), Value::Null)
}

fn streamed() -> Result<(), String> {
    let place = Place::named("blog")?;
    let (server, _, _) = long_post(&place)?;
    let mut client = Client::new(server.address);
    for media in ["application/x-ndjson", "text/csv"] {
        let plain = get(&mut client, "/api/posts", &[("accept", media)])?;
        for coding in CODINGS {
            let by = [("accept", media), ("accept-encoding", coding)];
            let answer = get(&mut client, "/api/posts", &by)?;
            is("the coding", header(&answer, "content-encoding"), json!(coding))?;
            is("its length", header(&answer, "content-length"), Value::Null)?;
            if decoded(coding, &answer.body)? != plain.body {
                return Err(format!("{media} by {coding} says something else"));
            }
        }
    }
    Ok(())
}

/// A schema of a test's own.
fn written(yaml: &str) -> Result<Place, String> {
    Place::new(&SchemaSource::Inline(yaml.to_owned()))
}

fn behind(place: &Place, proxies: &[&str]) -> Result<Server, String> {
    let mut arguments = place.arguments();
    for proxy in proxies {
        arguments.extend(["--trusted-proxy", proxy].map(str::to_owned));
    }
    Server::start(&arguments)
}

fn prefixed() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = behind(&place, &["192.0.2.1", "127.0.0.0/8"])?;
    let mut client = Client::new(server.address);
    let by = [("x-forwarded-prefix", "/tools"), ("x-forwarded-for", "192.0.2.9")];
    let page = get(&mut client, "/api/posts?limit=1", &by)?;
    let body = body_of(&page)?;
    is(
        "the page's own address",
        body["links"]["self"].clone(),
        json!("/tools/api/posts?limit=1"),
    )?;
    let next = body["links"]["next"].as_str().ok_or("a next page")?;
    if !next.starts_with("/tools/api/posts?")
        || !page
            .header("link")
            .unwrap_or_default()
            .contains("</tools/api/posts?")
    {
        return Err(format!("the next page is {next}, {:?}", page.header("link")));
    }
    let problem = get(&mut client, "/api/nothing", &by)?;
    let body = body_of(&problem)?;
    is(
        "a problem",
        body["type"].clone(),
        json!("/tools/api/problems/not-found"),
    )?;
    let slash = get(&mut client, "/api/posts/", &by)?;
    is(
        "a redirect",
        header(&slash, "location"),
        json!("/tools/api/posts"),
    )?;
    let catalog = get(&mut client, "/.well-known/api-catalog", &by)?;
    if !catalog.text().contains("/tools/api/openapi.json") {
        return Err(format!("the catalog says {}", catalog.text()));
    }
    let document = get(&mut client, "/api/openapi.json", &by)?;
    let document = body_of(&document)?;
    if document["paths"]["/tools/api/posts"].is_null() {
        return Err("the document has other paths".to_owned());
    }
    let made = Request::new("POST", "/api/users").header("x-forwarded-prefix", "/tools");
    let body = json!({ "username": "new", "email": "new@example.org", "password": "long enough" });
    let made = client.send(&made.json(body.to_string()))?;
    let location = made.header("location").unwrap_or_default();
    if !location.starts_with("/tools/api/users/") {
        return Err(format!("{}: {location}", made.status));
    }
    Ok(())
}

fn spoofed() -> Result<(), String> {
    let place = Place::named("blog")?;
    for proxies in [&[][..], &["192.0.2.1", "10.0.0.0/8"]] {
        let server = behind(&place, proxies)?;
        let mut client = Client::new(server.address);
        let by = [
            ("x-forwarded-prefix", "//evil.example"),
            ("x-forwarded-for", "nonsense"),
            ("forwarded", "for="),
        ];
        let page = get(&mut client, "/api/posts?limit=1", &by)?;
        let body = body_of(&page)?;
        is(
            "its own address",
            body["links"]["self"].clone(),
            json!("/api/posts?limit=1"),
        )?;
    }
    Ok(())
}

const COUNTED: &str = "
service: counted
managed: true
limits: { requests: 2, window: 1h }
resources:
  Note:
    fields: { text: text }
    access: { read: public }
";

fn counted() -> Result<(), String> {
    let place = written(COUNTED)?;
    let server = behind(&place, &["loopback"])?;
    let mut client = Client::new(server.address);
    let mut asked = |from: &str| -> Result<Value, String> {
        Ok(json!(
            get(&mut client, "/api/notes", &[("x-forwarded-for", from)])?.status
        ))
    };
    for (from, status) in [
        ("192.0.2.1", 200),
        ("192.0.2.1", 200),
        ("192.0.2.1", 429),
        ("192.0.2.2", 200),
        // Whatever a client puts in front of his own address.
        ("198.51.100.7, 192.0.2.1", 429),
        ("192.0.2.1, 127.0.0.2", 429),
    ] {
        is(from, asked(from)?, json!(status))?;
    }
    Ok(())
}

fn secure() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = behind(&place, &["loopback"])?;
    let mut client = Client::new(server.address);
    // susan:susan-password
    let basic = "Basic c3VzYW46c3VzYW4tcGFzc3dvcmQ=";
    for (scheme, status) in [("https", 201), ("http", 403)] {
        let request = Request::new("POST", "/api/tokens")
            .header("authorization", basic)
            .header("x-forwarded-for", "192.0.2.1")
            .header("x-forwarded-proto", scheme);
        is(scheme, json!(client.send(&request)?.status), json!(status))?;
    }
    let forwarded = Request::new("POST", "/api/tokens")
        .header("authorization", basic)
        .header("forwarded", "for=192.0.2.1;proto=https");
    is("Forwarded", json!(client.send(&forwarded)?.status), json!(201))
}

fn refused() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = behind(&place, &["loopback"])?;
    let mut client = Client::new(server.address);
    for (header, value) in [
        ("X-Forwarded-For", "nonsense"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Prefix", "//evil.example"),
        ("Forwarded", "for="),
    ] {
        let answer = get(&mut client, "/api/posts", &[(header, value)])?;
        is(header, json!(answer.status), json!(400))?;
        let body = body_of(&answer)?;
        is("its code", body["code"].clone(), json!("bad-header"))?;
        let named = body["errors"][0]["header"].as_str().unwrap_or_default();
        if !named.eq_ignore_ascii_case(header) {
            return Err(format!("{header}: {body}"));
        }
    }
    let both = [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.2")];
    is(
        "both",
        json!(get(&mut client, "/api/posts", &both)?.status),
        json!(400),
    )
}

fn unreadable() -> Result<(), String> {
    let place = Place::named("blog")?;
    let mut arguments = place.arguments();
    arguments.extend(["--trusted-proxy", "10.0.0.0/99"].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = output(&arguments)?;
    let error = String::from_utf8_lossy(&told.stderr).into_owned();
    if told.status.code() == Some(2) && error.contains("`10.0.0.0/99` is no proxy's address") {
        Ok(())
    } else {
        Err(format!("{:?}: {error}", told.status))
    }
}

const CACHED: &str = "
service: cached
managed: true
caching: { max_age: 1s }
resources:
  User:
    fields: { name: { type: string, unique: true }, password: password }
    access: { read: authenticated, create: public }
  Note:
    fields: { text: text, by: { type: string, optional: true, filterable: true } }
    access: { read: public, create: public, change: public }
  Page:
    caching: { no_cache: true }
    fields: { text: text }
    access: { read: public, create: public }
  Diary:
    fields: { text: text }
    belongs_to:
      user: { to: User, inverse: diaries, default: me, readonly: true }
    access: { read: user_id = me.id, create: authenticated }
accounts: { resource: User, identify_by: [name], password: password }
";

/// As an operator would set it up: a cache, below a path of its own.
fn cache(folder: &Path) -> (String, String) {
    let http = format!(
        "proxy_cache_path {}/cache keys_zone=api:1m; proxy_set_header Host $http_host;",
        folder.display()
    );
    let location = "location /tools/ {
      proxy_pass http://service/;
      proxy_set_header Connection '';
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-Prefix /tools;
      proxy_set_header Forwarded '';
      proxy_cache api; proxy_cache_key $request_uri; proxy_cache_revalidate on;
      add_header X-Cache $upstream_cache_status always;
    }
    # As it should not be set up: a client's own prefix is passed on.
    location /lax/ {
      proxy_pass http://service/;
      proxy_cache api; proxy_cache_key $request_uri;
      add_header X-Cache $upstream_cache_status always;
    }";
    (http, location.to_owned())
}

/// A request, and whether the cache answered: HIT, MISS, EXPIRED, REVALIDATED.
fn through(client: &mut Client, target: &str, headers: &[(&str, &str)]) -> Result<(Answer, String), String> {
    let answer = get(client, target, headers)?;
    let state = answer.header("x-cache").unwrap_or_default();
    if answer.status == 200 {
        Ok((answer, state))
    } else {
        Err(format!("{target}: {} {}", answer.status, answer.text()))
    }
}

fn cached() -> Result<(), String> {
    let place = written(CACHED)?;
    let server = behind(&place, &["loopback"])?;
    let nginx = Nginx::configured(&[server.address], cache)?;
    let told = (|| {
        let mut client = Client::new(nginx.address);
        links(&mut client)?;
        revalidated(&mut client)?;
        kept_apart(&mut client)?;
        made_up(&mut client)?;
        private(&mut client)
    })();
    told.map_err(|error: String| format!("{error}\nnginx said:\n{}", nginx.errors()))
}

fn send(client: &mut Client, request: &Request, status: u16) -> Result<Answer, String> {
    let answer = client.send(request)?;
    if answer.status == status {
        Ok(answer)
    } else {
        let text = answer.text();
        Err(format!("{} instead of {status}: {text}", answer.status))
    }
}

fn post(target: &str, body: &Value) -> Request {
    Request::new("POST", target).json(body.to_string())
}

/// Links and `Location` lead back through the proxy.
fn links(client: &mut Client) -> Result<(), String> {
    for text in ["one", "two", "three"] {
        let made = send(client, &post("/tools/api/notes", &json!({ "text": text })), 201)?;
        let location = made.header("location").unwrap_or_default();
        send(client, &Request::new("GET", &location), 200)?;
    }
    let mut next = Some("/tools/api/notes?limit=2".to_owned());
    let mut seen = 0;
    while let Some(target) = next {
        let (answer, _) = through(client, &target, &[])?;
        let body = body_of(&answer)?;
        seen += body["items"].as_array().map_or(0, Vec::len);
        next = body["links"]["next"].as_str().map(str::to_owned);
    }
    is("items by following links", json!(seen), json!(3))?;
    let document = send(client, &Request::new("GET", "/tools/api/openapi.json"), 200)?;
    let document = body_of(&document)?;
    let paths = document["paths"].as_object().ok_or("paths")?;
    match paths.keys().find(|path| !path.starts_with("/tools/")) {
        Some(path) => Err(format!("the document says {path}")),
        None => Ok(()),
    }
}

/// Asks until an answer is as it should be: what is kept becomes old in a second.
fn until(
    client: &mut Client,
    target: &str,
    mut is_so: impl FnMut(&Answer, &str) -> Result<bool, String>,
) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let (answer, state) = through(client, target, &[])?;
        if is_so(&answer, &state)? {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("{target} stays {state}: {}", answer.text()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What has become old is asked for again, and not sent again while it is the same.
fn revalidated(client: &mut Client) -> Result<(), String> {
    for target in ["/tools/api/notes/1", "/tools/api/notes?by=x"] {
        let (first, _) = through(client, target, &[])?;
        is("how long", header(&first, "cache-control"), json!("max-age=1"))?;
        let mut hits = 0;
        until(client, target, |answer, state| {
            is("what it says", json!(answer.text()), json!(first.text()))?;
            hits += u32::from(state == "HIT");
            Ok(state == "REVALIDATED" && hits > 0)
        })?;
    }
    let change = Request::new("PATCH", "/tools/api/notes/1").json(r#"{"text": "uno"}"#);
    send(client, &change, 200)?;
    until(client, "/tools/api/notes/1", |answer, _| {
        Ok(answer.text().contains("uno"))
    })
}

/// The prefix that a client makes up stands in nobody else's links.
fn made_up(client: &mut Client) -> Result<(), String> {
    let target = "/lax/api/notes?limit=1";
    for prefix in [Some("/evil"), None, Some("/evil"), None] {
        let header = prefix.map(|prefix| ("x-forwarded-prefix", prefix));
        let (page, _) = through(client, target, header.as_slice())?;
        let own = format!("{}/api/notes?limit=1", prefix.unwrap_or_default());
        is(
            "its own address",
            body_of(&page)?["links"]["self"].clone(),
            json!(own),
        )?;
    }
    Ok(())
}

/// Forms and codings of one address don't mix.
fn kept_apart(client: &mut Client) -> Result<(), String> {
    let long = post("/tools/api/notes", &json!({ "text": "long ".repeat(500) }));
    let at = send(client, &long, 201)?.header("location").unwrap_or_default();
    for _ in 0..3 {
        let (plain, _) = through(client, &at, &[])?;
        is("the plain one", header(&plain, "content-encoding"), Value::Null)?;
        for coding in CODINGS {
            let (answer, _) = through(client, &at, &[("accept-encoding", coding)])?;
            is("the coding", header(&answer, "content-encoding"), json!(coding))?;
            if decoded(coding, &answer.body)? != plain.body {
                return Err(format!("{coding} says something else"));
            }
        }
        let (answer, _) = through(client, &at, &[("accept", "application/hal+json")])?;
        is(
            "the form",
            header(&answer, "content-type"),
            json!("application/hal+json"),
        )?;
    }
    Ok(())
}

/// What is somebody's, secret, an error or not to be kept comes from the service each time.
fn private(client: &mut Client) -> Result<(), String> {
    let mut bearers = Vec::new();
    for name in ["ada", "ben"] {
        let account = json!({ "name": name, "password": "long enough" });
        send(client, &post("/tools/api/users", &account), 201)?;
        let asked = json!({ "identifier": name, "password": "long enough" });
        let made = send(client, &post("/tools/api/tokens", &asked), 201)?;
        let made = body_of(&made)?;
        let token = made["token"].as_str().ok_or("a token")?;
        let diary = post("/tools/api/diaries", &json!({ "text": name }));
        send(client, &diary.bearer(token), 201)?;
        bearers.push((name, format!("Bearer {token}")));
    }
    for _ in 0..3 {
        for (name, bearer) in &bearers {
            for target in ["/tools/api/diaries", "/tools/api/me", "/tools/api/users"] {
                let (answer, state) = through(client, target, &[("authorization", bearer)])?;
                if state == "HIT" || !answer.text().contains(name) {
                    return Err(format!("{target} of {name}: {state}, {}", answer.text()));
                }
            }
        }
        for (target, status) in [
            ("/tools/api/users", 401),
            ("/tools/api/notes/4711", 404),
            ("/tools/api/pages", 200),
            ("/tools/api/diaries", 401),
        ] {
            let answer = send(client, &Request::new("GET", target), status)?;
            if answer.header("x-cache").as_deref() == Some("HIT") {
                return Err(format!("{target}, {status}, was kept"));
            }
        }
    }
    let (page, _) = through(client, "/tools/api/pages", &[])?;
    is(
        "what is never kept",
        header(&page, "cache-control"),
        json!("no-cache"),
    )
}
