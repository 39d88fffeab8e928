//! Tokens and time, and sign-ins that come too often.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::support::case::SchemaSource;
use crate::support::http::{Client, Request};
use crate::support::json::Json;
use crate::support::run::shown;
use crate::support::server::Place;
use crate::trial;

const SCHEMA: &str = "
service: short
managed: true
resources:
  User:
    fields: { name: { type: string, unique: true }, password: password }
    access: { read: public, create: public }
accounts: { resource: User, identify_by: [name], password: password }
tokens: { lifetime: 4s }
";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("token::it_ends_with_its_lifetime", expires),
        trial("token::only_a_hash_of_it_is_kept", at_rest),
        trial("token::guessing_passwords_is_slowed_down", too_many),
    ]
}

const PASSWORD: &str = "open sesame, please";

fn signed_up(client: &mut Client) -> Result<String, String> {
    let account = format!(r#"{{"name": "susan", "password": "{PASSWORD}"}}"#);
    let made = client.send(&Request::new("POST", "/api/users").json(account))?;
    if made.status != 201 {
        return Err(shown(&made));
    }
    let answer = client.send(&sign_in(PASSWORD))?;
    let token = Json::parse(&answer.text())?
        .get("token")
        .and_then(Json::text)
        .map(str::to_owned);
    token.ok_or_else(|| shown(&answer))
}

fn sign_in(password: &str) -> Request {
    Request::new("POST", "/api/tokens")
        .json(format!(r#"{{"identifier": "susan", "password": "{password}"}}"#))
}

fn expires() -> Result<(), String> {
    let place = Place::new(&SchemaSource::Inline(SCHEMA.to_owned()))?;
    let server = place.serve()?;
    let mut client = Client::new(server.address);
    let token = signed_up(&mut client)?;
    let me = Request::new("GET", "/api/me").bearer(&token);
    let start = Instant::now();
    let mut worked = 0;
    while start.elapsed() < Duration::from_secs(40) {
        let answer = client.send(&me)?;
        match answer.status {
            200 => worked += 1,
            401 if worked > 0 && answer.text().contains("\"bad-token\"") => return Ok(()),
            _ => return Err(format!("after {worked} good answers\n{}", shown(&answer))),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("a token of four seconds works after forty".to_owned())
}

/// Neither a token nor a password stands anywhere in the database's files.
fn at_rest() -> Result<(), String> {
    let place = Place::new(&SchemaSource::Inline(SCHEMA.to_owned()))?;
    let server = place.serve()?;
    let token = signed_up(&mut Client::new(server.address))?;
    server.stop()?;
    let secret = token
        .split_once('_')
        .map_or(token.as_str(), |(_, secret)| secret)
        .to_owned();
    for entry in std::fs::read_dir(place.folder.path())
        .map_err(|e| e.to_string())?
        .flatten()
    {
        let bytes = std::fs::read(entry.path()).map_err(|e| e.to_string())?;
        for (what, text) in [
            ("the token", &token),
            ("the token's secret", &secret),
            ("the password", &PASSWORD.to_owned()),
        ] {
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                return Err(format!("{what} stands in {}", entry.path().display()));
            }
        }
    }
    Ok(())
}

/// After many wrong passwords comes 429, with `Retry-After`; it holds for the right one too.
fn too_many() -> Result<(), String> {
    let place = Place::new(&SchemaSource::Inline(SCHEMA.to_owned()))?;
    let server = place.serve()?;
    let mut client = Client::new(server.address);
    signed_up(&mut client)?;
    for attempt in 0..200 {
        let answer = client.send(&sign_in(&format!("guess {attempt}")))?;
        match answer.status {
            401 => {}
            429 if attempt >= 3
                && answer.header("retry-after").is_some()
                && answer.text().contains("\"too-many-requests\"") =>
            {
                let right = client.send(&sign_in(PASSWORD))?.status;
                return if right == 429 {
                    Ok(())
                } else {
                    Err(format!("the right password: expected 429, got {right}"))
                };
            }
            _ => return Err(format!("attempt {attempt}:\n{}", shown(&answer))),
        }
    }
    Err("200 wrong passwords were tried, and none was refused with 429".to_owned())
}
