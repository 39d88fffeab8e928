//! Health, and an end in order.

use std::io::Write;

use libtest_mimic::Trial;

use crate::support::http::{Client, Request, connect, read_answer};
use crate::support::server::{Place, Server};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("stop::health_answers", health),
        trial("stop::a_request_under_way_is_finished", under_way),
        trial("stop::ready_turns_first", ready_turns),
        trial("stop::it_ends_with_success", ends),
    ]
}

fn status(server: &Server, method: &str, target: &str) -> Result<u16, String> {
    Client::new(server.address)
        .send(&Request::new(method, target))
        .map(|answer| answer.status)
}

fn expect(what: &str, got: &impl PartialEq<u16>, want: u16) -> Result<(), String>
where
{
    if *got == want {
        Ok(())
    } else {
        Err(format!("{what}: expected {want}"))
    }
}

fn health() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    for target in ["/health/live", "/health/ready"] {
        for method in ["GET", "HEAD"] {
            expect(
                &format!("{method} {target}"),
                &status(&server, method, target)?,
                200,
            )?;
        }
        expect(&format!("POST {target}"), &status(&server, "POST", target)?, 405)?;
    }
    Ok(())
}

const BODY: &str = r#"{"username": "late", "email": "late@example.org", "password": "late-password"}"#;

/// Sends a sign-up but for the end of its body.
fn begun(server: &Server) -> Result<(std::io::BufReader<std::net::TcpStream>, &'static str), String> {
    let mut connection = connect(server.address)?;
    let (first, rest) = BODY.split_at(20);
    let head = format!(
        "POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        BODY.len()
    );
    connection
        .get_mut()
        .write_all(head.as_bytes())
        .map_err(|e| e.to_string())?;
    // 100 says that the service has taken the request up and waits for its body.
    let mut interim = [0; 25];
    std::io::Read::read_exact(&mut connection, &mut interim).map_err(|e| e.to_string())?;
    if !interim.starts_with(b"HTTP/1.1 100") {
        return Err(format!("expected 100, got {}", String::from_utf8_lossy(&interim)));
    }
    connection
        .get_mut()
        .write_all(first.as_bytes())
        .map_err(|e| e.to_string())?;
    Ok((connection, rest))
}

fn under_way() -> Result<(), String> {
    let place = Place::named("blog")?;
    let mut server = place.serve()?;
    let (mut connection, rest) = begun(&server)?;
    server.terminate()?;
    wait_until_unready(&server)?;
    connection
        .get_mut()
        .write_all(rest.as_bytes())
        .map_err(|e| e.to_string())?;
    let answer = read_answer(&mut connection, false)?;
    expect("the request under way", &answer.status, 201)?;
    let end = server.wait()?;
    if !end.success() {
        return Err(format!("it ended with {end}:\n{}", server.told()));
    }
    let again = place.serve()?;
    expect("the account made", &status(&again, "GET", "/api/users/4")?, 200)
}

/// 503, or no connection at all any more.
fn wait_until_unready(server: &Server) -> Result<(), String> {
    let start = std::time::Instant::now();
    while start.elapsed().as_secs() < 30 {
        match status(server, "GET", "/health/ready") {
            Ok(200) => std::thread::yield_now(),
            Ok(503) | Err(_) => return Ok(()),
            Ok(other) => return Err(format!("/health/ready: {other}")),
        }
    }
    Err("/health/ready never turned".to_owned())
}

/// While a request is under way the service lives, and says that it takes no more.
fn ready_turns() -> Result<(), String> {
    let place = Place::named("blog")?;
    let mut server = place.serve()?;
    let mut kept = Client::new(server.address);
    let ready = Request::new("GET", "/health/ready");
    expect("ready", &kept.send(&ready)?.status, 200)?;
    let (mut connection, rest) = begun(&server)?;
    server.terminate()?;
    let start = std::time::Instant::now();
    let turned = loop {
        match kept.send(&ready).map(|answer| answer.status) {
            Ok(200) if start.elapsed().as_secs() < 30 => std::thread::yield_now(),
            other => break other,
        }
    };
    connection
        .get_mut()
        .write_all(rest.as_bytes())
        .map_err(|e| e.to_string())?;
    read_answer(&mut connection, false)?;
    server.wait()?;
    match turned {
        Ok(503) => Ok(()),
        other => Err(format!(
            "/health/ready: expected 503 while it ends, got {other:?}"
        )),
    }
}

fn ends() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    expect("an answer", &status(&server, "GET", "/api/tags")?, 200)?;
    let end = server.stop()?;
    if end.success() {
        Ok(())
    } else {
        Err(format!("it ended with {end}"))
    }
}
