//! Bytes that no well-meaning client sends: each is answered with a refusal or a closed connection, never with a failure.

use std::net::SocketAddr;

use libtest_mimic::Trial;

use crate::support::http::{Client, Request, raw};
use crate::support::random::Random;
use crate::support::run::{rules_for_all, shown, sign_in};
use crate::support::server::Place;
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("hostile::broken_framing", framing),
        trial("hostile::bodies_that_are_not_text", bodies),
        trial("hostile::two_requests_in_one_piece", pipelined),
        trial("hostile::mutated_query_strings", queries),
        trial("hostile::mutated_bodies", mutated_bodies),
        trial("hostile::mutated_headers", headers),
    ]
}

/// `HOSTILE_TIMES=50` looks longer.
fn times() -> usize {
    std::env::var("HOSTILE_TIMES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1)
}

fn alive(server: SocketAddr) -> Result<(), String> {
    let answer = Client::new(server).send(&Request::new("GET", "/api/tags/1"))?;
    if answer.status == 200 {
        Ok(())
    } else {
        Err(format!("the service isn't well afterwards: {}", answer.status))
    }
}

/// A name, the bytes, and the statuses that are right; 0 stands for a connection closed without an answer.
type Piece = (&'static str, Vec<u8>, &'static [u16]);

fn pieces() -> Vec<Piece> {
    let text = |s: &str| s.replace('\n', "\r\n").into_bytes();
    let long = "x".repeat(300_000);
    vec![
        ("noise", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &[0, 400]),
        ("nothing", Vec::new(), &[0]),
        ("no version", text("GET /api/tags\n\n"), &[0, 400]),
        ("version 3", text("GET /api/tags HTTP/3.0\nHost: x\n\n"), &[0, 400, 505]),
        ("no host", text("GET /api/tags/1 HTTP/1.1\n\n"), &[200, 400]),
        ("http/1.0", text("GET /api/tags/1 HTTP/1.0\n\n"), &[200]),
        ("lower-case method", text("get /api/tags HTTP/1.1\nHost: x\n\n"), &[405]),
        ("a method of noise", text("G@T /api/tags HTTP/1.1\nHost: x\n\n"), &[0, 400]),
        ("star", text("OPTIONS * HTTP/1.1\nHost: x\n\n"), &[204, 400, 404]),
        ("connect", text("CONNECT example.org:443 HTTP/1.1\nHost: x\n\n"), &[400, 404, 405]),
        ("absolute address", text("GET http://example.org/api/tags/1 HTTP/1.1\nHost: x\n\n"), &[200, 400]),
        ("raw UTF-8 in the path", "GET /api/tägs HTTP/1.1\r\nHost: x\r\n\r\n".as_bytes().to_vec(), &[0, 400, 404]),
        ("raw bytes in the query", b"GET /api/tags?name=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), &[0, 400]),
        ("NUL in the path", text("GET /api/tags/%00 HTTP/1.1\nHost: x\n\n"), &[404]),
        ("dots", text("GET /api/../../etc/passwd HTTP/1.1\nHost: x\n\n"), &[400, 404]),
        ("encoded slash", text("GET /api/tags%2F1 HTTP/1.1\nHost: x\n\n"), &[404]),
        ("a long header", text(&format!("GET /api/tags HTTP/1.1\nHost: x\nX-Long: {long}\n\n")), &[431]),
        ("many headers", text(&format!("GET /api/tags HTTP/1.1\nHost: x\n{}\n", "X-Many: 1\n".repeat(2000))), &[431]),
        ("a long address", text(&format!("GET /api/tags?name={long} HTTP/1.1\nHost: x\n\n")), &[414, 431]),
        ("header without a name", text("GET /api/tags HTTP/1.1\nHost: x\n: y\n\n"), &[0, 400]),
        ("header with NUL", b"GET /api/tags HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n".to_vec(), &[0, 400]),
        ("Latin-1 in Accept", b"GET /api/tags/1 HTTP/1.1\r\nHost: x\r\nAccept: \xe4\xf6\r\n\r\n".to_vec(), &[400, 406]),
        ("Latin-1 in Authorization", b"GET /api/tags/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xe4\r\n\r\n".to_vec(), &[401]),
        ("Latin-1 in If-Match", b"PATCH /api/tags/1 HTTP/1.1\r\nHost: x\r\nIf-Match: \"\xe4\"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".to_vec(), &[400, 401, 412]),
        ("two Authorizations", text("GET /api/tags/1 HTTP/1.1\nHost: x\nAuthorization: Bearer a\nAuthorization: Bearer b\n\n"), &[400, 401]),
        ("two Content-Types", text("POST /api/users HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Type: text/plain\nContent-Length: 2\n\n{}"), &[400, 415, 422]),
        ("a folded header", text("GET /api/tags HTTP/1.1\nHost: x\nX-A: a\n b\n\n"), &[0, 200, 400]),
        ("negative length", text("POST /api/users HTTP/1.1\nHost: x\nContent-Length: -1\n\n"), &[0, 400]),
        ("two lengths", text("POST /api/users HTTP/1.1\nHost: x\nContent-Length: 2\nContent-Length: 3\n\n{}"), &[0, 400]),
        ("length beyond 64 bits", text("POST /api/users HTTP/1.1\nHost: x\nContent-Length: 99999999999999999999\n\n"), &[0, 400]),
        ("a length of an exabyte", text("POST /api/users HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 1000000000000000000\n\n{"), &[413]),
        ("length and chunks", text("POST /api/users HTTP/1.1\nHost: x\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n"), &[0, 400, 415]),
        ("a chunk that isn't one", text("POST /api/users HTTP/1.1\nHost: x\nContent-Type: application/json\nTransfer-Encoding: chunked\n\nzz\n{}\n0\n\n"), &[0, 400]),
        ("a chunk beyond memory", text("POST /api/users HTTP/1.1\nHost: x\nContent-Type: application/json\nTransfer-Encoding: chunked\n\nffffffffffffffff\n{}"), &[0, 400, 413]),
        ("a body cut short", text("POST /api/users HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 50\n\n{\"username\""), &[0, 400]),
        ("unknown coding", text("POST /api/users HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Encoding: gzip\nContent-Length: 2\n\n{}"), &[415]),
        ("unknown expectation", text("POST /api/users HTTP/1.1\nHost: x\nExpect: the-unexpected\nContent-Type: application/json\nContent-Length: 2\n\n{}"), &[417, 422]),
        ("http/2 by upgrade", text("GET /api/tags/1 HTTP/1.1\nHost: x\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\n\n"), &[200]),
    ]
}

fn framing() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let mut wrong = Vec::new();
    for (name, bytes, right) in pieces() {
        let answer = raw(server.address, &bytes, right.contains(&0)).map_err(|e| format!("{name}: {e}"))?;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        if !right.contains(&status) {
            wrong.push(format!("{name}: expected one of {right:?}, got {status}"));
        }
    }
    alive(server.address)?;
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

fn bodies() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let mut client = Client::new(server.address);
    for body in [
        &b"{\"username\": \"\xff\"}"[..],
        b"{\"username\": \"\xed\xa0\x80\"}",
        b"\xef\xbb\xbf{}",
        b"{\"username\": \"a\0\"}",
        b"\0",
        b"\xff\xfe{\0}\0",
        b"{\"username\": \"\\ud800\"}",
        b"{\"username\": \"\\udc00\\ud800\"}",
        b"",
        b"   ",
    ] {
        let mut request = Request::new("POST", "/api/users").json("");
        request.body = Some(body.to_vec());
        let answer = client.send(&request)?;
        if answer.status != 400 || !answer.text().contains("\"unreadable-body\"") {
            return Err(format!(
                "{}: expected 400 unreadable-body, got\n{}",
                String::from_utf8_lossy(body),
                shown(&answer)
            ));
        }
    }
    alive(server.address)
}

/// Requests sent in one piece are answered in turn.
fn pipelined() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let mut connection = crate::support::http::connect(server.address)?;
    let requests = "GET /api/tags/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /api/tags/99 HTTP/1.1\r\nHost: x\r\n\r\nGET /api/tags/2 HTTP/1.1\r\nHost: x\r\n\r\n";
    std::io::Write::write_all(connection.get_mut(), requests.as_bytes()).map_err(|e| e.to_string())?;
    for want in [200, 404, 200] {
        let answer = crate::support::http::read_answer(&mut connection, false)?;
        if answer.status != want {
            return Err(format!("expected {want}, got\n{}", shown(&answer)));
        }
    }
    Ok(())
}

/// Sends a request and holds the answer to what holds for every answer; a failure of the service is a failure here.
fn judged(client: &mut Client, request: &Request) -> Result<(), String> {
    let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
    let what = format!(
        "{} {} {:?} {body}",
        request.method, request.target, request.headers
    );
    let answer = client.send(request).map_err(|e| format!("{what}: {e}"))?;
    // The server's own answer, before the request could be read.
    if answer.status == 400 && answer.body.is_empty() {
        return Ok(());
    }
    let broken = rules_for_all(request, &answer);
    if answer.status >= 500 || !broken.is_empty() {
        return Err(format!("{what}: {broken:?}\n{}", shown(&answer)));
    }
    Ok(())
}

/// Exchanges, drops and doubles some characters, and puts words of our own among them.
fn mutated(text: &str, words: &[&str], random: &mut Random) -> String {
    let mut pieces: Vec<String> = text.chars().map(String::from).collect();
    for _ in 0..=random.below(4) {
        let place = random.below(pieces.len());
        match random.below(4) {
            0 => pieces[place].clear(),
            1 => pieces[place] = pieces[place].repeat(2),
            2 => pieces[place] = (*random.pick(words)).to_owned(),
            _ => pieces.insert(place, (*random.pick(words)).to_owned()),
        }
    }
    pieces.concat()
}

fn queries() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let mut client = Client::new(server.address);
    let mut random = Random::new(7);
    let seeds = [
        "status=published&score[gte]=10&sort=-score,title&limit=3&fields=id,title",
        "title[icontains]=rust&author.username=susan&include=author,comments.author&count=exact",
        "tags.name[in]=rust,sql&sort=author.username&page=2&limit=2",
        "created_at[lt]=2026-01-05T10:00:00Z&id[nin]=1,2&score[null]=false&cursor=",
    ];
    let words = [
        "%",
        "%00",
        "%ff",
        "&",
        "=",
        "[",
        "]",
        ",",
        ".",
        "-",
        "\\",
        "'",
        "%22",
        "%5B",
        "9",
        "99999999999999999999",
        "e9",
        "true",
        "null",
        "[in]",
        "[ne]",
        "[null]",
        "sort=",
        "cursor=",
        "page=1",
        "limit=0",
        "author.",
        "posts.",
        "+",
        "%F0%9F%98%80",
        "*",
        ";",
    ];
    for _ in 0..2_000 * times() {
        let seed = *random.pick(&seeds);
        let query = mutated(seed, &words, &mut random);
        let collection = random.pick(&["posts", "users", "comments", "tags", "posts/1", "posts/2"]);
        judged(
            &mut client,
            &Request::new("GET", &format!("/api/{collection}?{query}")),
        )?;
    }
    alive(server.address)
}

fn mutated_bodies() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let token = sign_in(server.address, "susan")?;
    let mut client = Client::new(server.address);
    let mut random = Random::new(11);
    let seeds = [
        r#"{"title": "A title", "body": "text", "status": "draft", "score": 12}"#,
        r#"[{"title": "one", "score": -1}, {"title": "two", "status": "published"}]"#,
        r#"{"post_id": 1, "text": "A comment"}"#,
        r#"{"name": "tag"}"#,
    ];
    let words = [
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "1e999",
        "-0",
        "0.1",
        "99999999999999999999",
        "\\u0000",
        "\\ud800",
        "\\u00e9",
        "\n",
        " ",
        "é",
        "\u{feff}",
        "\"title\"",
        "\"\"",
        "/*",
        "'",
    ];
    for _ in 0..1_500 * times() {
        let seed = *random.pick(&seeds);
        let body = mutated(seed, &words, &mut random);
        let (method, target) = random.pick(&[
            ("POST", "/api/posts"),
            ("PATCH", "/api/posts/1"),
            ("PUT", "/api/posts/1"),
            ("POST", "/api/comments"),
            ("POST", "/api/tags"),
            ("POST", "/api/messages"),
        ]);
        judged(
            &mut client,
            &Request::new(method, target).json(body).bearer(&token),
        )?;
    }
    alive(server.address)
}

fn headers() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let token = sign_in(server.address, "susan")?;
    let mut client = Client::new(server.address);
    let mut random = Random::new(13);
    let seeds = [
        ("Accept", "application/json;q=0.5, text/*;q=0, */*"),
        ("Authorization", "Basic c3VzYW46c3VzYW4="),
        ("If-Match", "\"abc.def\", W/\"x.y\", *"),
        ("Content-Type", "application/json; charset=\"utf-8\""),
        ("Prefer", "return=minimal, handling=strict"),
        ("Accept-Encoding", "gzip;q=1.0, br"),
        ("X-Forwarded-Prefix", "/outside"),
    ];
    let words = [
        "\"", ",", ";", "=", "q=", "q=2", "/", "*", "W/", "\\", " ", "\t", "0.0001", "é", "(", ")", "~",
    ];
    for _ in 0..600 * times() {
        let (name, seed) = random.pick(&seeds);
        let value = mutated(seed, &words, &mut random);
        let request = match random.below(3) {
            0 => Request::new("GET", "/api/posts?limit=1"),
            1 => Request::new("PATCH", "/api/posts/1").json(r#"{"score": 1}"#),
            _ => Request::new("GET", "/api/me"),
        };
        let request = if *name == "Authorization" {
            request
        } else {
            request.bearer(&token)
        };
        judged(&mut client, &request.header(name, value.trim()))?;
    }
    alive(server.address)
}
