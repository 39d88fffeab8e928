//! Plays a case against a server and judges each answer, by what the case says and by what holds for every answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::case::{Case, Exchange, ExpectedBody, ExpectedHeader, Step};
use super::contract::Contract;
use super::http::{Answer, Client, Request, decoded};
use super::json::Json;
use super::matching::{self, Bindings};

/// Plays the whole case; the message names the file and line of the first exchange that went wrong.
pub(crate) fn run(case: &Case, server: SocketAddr, contract: Option<&Contract>) -> Result<(), String> {
    let mut player = Player {
        client: Client::new(server),
        contract,
        server,
        bindings: Bindings::default(),
        tokens: BTreeMap::new(),
        caller: None,
    };
    for step in &case.steps {
        match step {
            Step::Caller(name) => player.caller.clone_from(name),
            Step::Exchange(exchange) => player.play(exchange).map_err(|e| {
                format!(
                    "{}:{}: {} {}\n{e}",
                    case.file.display(),
                    exchange.line,
                    exchange.method,
                    exchange.target
                )
            })?,
        }
    }
    Ok(())
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let start = Instant::now();
    while !is_so()? {
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("it doesn't come to this: {what}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Signs an account of a seed in; its password is its name and `-password`.
pub(crate) fn sign_in(server: SocketAddr, name: &str) -> Result<String, String> {
    sign_in_with(server, name, &format!("{name}-password"))
}

/// A token of an account, made with its password.
pub(crate) fn sign_in_with(server: SocketAddr, name: &str, password: &str) -> Result<String, String> {
    let body = format!(r#"{{"identifier": "{name}", "password": "{password}"}}"#);
    let answer = Client::new(server).send(&Request::new("POST", "/api/tokens").json(body))?;
    let token = Json::parse(&answer.text())
        .ok()
        .and_then(|body| body.get("token")?.text().map(str::to_owned));
    match token {
        Some(token) if answer.status == 201 => Ok(token),
        _ => Err(format!("{name} can't sign in:\n{}", shown(&answer))),
    }
}

struct Player<'c> {
    client: Client,
    /// What the server says of itself.
    contract: Option<&'c Contract>,
    server: SocketAddr,
    bindings: Bindings,
    tokens: BTreeMap<String, String>,
    caller: Option<String>,
}

impl Player<'_> {
    fn play(&mut self, exchange: &Exchange) -> Result<(), String> {
        let request = self.request(exchange)?;
        let mut answer = self.client.send(&request)?;
        // Pages speak of what the content is, however it is coded.
        if let Some(coding) = answer
            .header("content-encoding")
            .filter(|_| !answer.body.is_empty())
        {
            answer.body = decoded(&coding, &answer.body)?;
        }
        let mut differences = rules_for_all(&request, &answer);
        if let Some(contract) = self.contract {
            differences.extend(contract.broken(&request, &answer));
        }
        if answer.status != exchange.status {
            differences.insert(
                0,
                format!("status: expected {}, got {}", exchange.status, answer.status),
            );
        }
        for (name, expected) in &exchange.expected_headers {
            differences.extend(self.header(name, expected, &answer));
        }
        if let Some(expected) = &exchange.expected_body {
            match (expected, Json::parse(&answer.text())) {
                (ExpectedBody::Json(expected), Ok(got)) => {
                    differences.extend(matching::json(expected, &got, &mut self.bindings));
                }
                (ExpectedBody::Json(_), Err(e)) => differences.push(e),
                (ExpectedBody::Text(expected), _) => {
                    if answer.text().replace("\r\n", "\n") != *expected {
                        differences.push(format!("the text isn't:\n{expected}"));
                    }
                }
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(format!(
            "  {}\nthe answer was:\n{}",
            differences.join("\n  "),
            shown(&answer)
        ))
    }

    fn request(&mut self, exchange: &Exchange) -> Result<Request, String> {
        let mut request = Request::new(&exchange.method, &self.bindings.fill(&exchange.target));
        request.body = exchange
            .body
            .as_ref()
            .map(|body| self.bindings.fill(body).into_bytes());
        let given = |name: &str| exchange.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if let Some(name) = self.caller.clone().filter(|_| !given("authorization")) {
            request = request.bearer(&self.token(&name)?);
        }
        if request.body.is_some() && !given("content-type") {
            let patch = exchange.method == "PATCH";
            let media = if patch {
                "application/merge-patch+json"
            } else {
                "application/json"
            };
            request = request.header("Content-Type", media);
        }
        for (name, value) in exchange.headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, &self.bindings.fill(value));
        }
        Ok(request)
    }

    fn token(&mut self, name: &str) -> Result<String, String> {
        if let Some(token) = self.tokens.get(name) {
            return Ok(token.clone());
        }
        let token = sign_in(self.server, name)?;
        self.tokens.insert(name.to_owned(), token.clone());
        Ok(token)
    }

    fn header(&mut self, name: &str, expected: &ExpectedHeader, answer: &Answer) -> Option<String> {
        match (expected, answer.header(name)) {
            (ExpectedHeader::Absent, None) => None,
            (ExpectedHeader::Absent, Some(got)) => {
                Some(format!("{name}: expected to be absent, got `{got}`"))
            }
            (ExpectedHeader::Is(want), Some(got)) if matching::text(want, &got, &mut self.bindings) => None,
            (ExpectedHeader::Is(want), Some(got)) => Some(format!("{name}: expected `{want}`, got `{got}`")),
            (ExpectedHeader::Is(want), None) => Some(format!("{name}: expected `{want}`, but it is absent")),
        }
    }
}

/// What every answer of every service keeps to.
pub(crate) fn rules_for_all(request: &Request, answer: &Answer) -> Vec<String> {
    let mut broken = Vec::new();
    let media = answer.header("content-type").unwrap_or_default();
    let bare = request.method == "HEAD" || answer.body.is_empty();
    if answer.status >= 400 {
        broken.extend(problem_rules(answer, &media, bare));
    } else if !bare && (media.ends_with("ndjson") || media.ends_with("jsonl")) {
        let text = answer.text();
        broken.extend(text.lines().filter_map(|line| Json::parse(line).err()));
    } else if !bare && media.contains("json") {
        broken.extend(Json::parse(&answer.text()).err());
    }
    let is_write = !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "QUERY");
    let stored = answer.header("cache-control").is_none_or(|v| v != "no-store");
    let is_redirect = answer.status / 100 == 3;
    if (is_write && !is_redirect || answer.status >= 400) && stored {
        broken.push("Cache-Control: expected `no-store` on a problem or an answer to a write".to_owned());
    }
    if answer.status == 401 && answer.header("www-authenticate").is_none() {
        broken.push("WWW-Authenticate: expected on every 401".to_owned());
    }
    if answer.status == 405 && answer.header("allow").is_none() {
        broken.push("Allow: expected on every 405".to_owned());
    }
    broken
}

fn problem_rules(answer: &Answer, media: &str, bare: bool) -> Vec<String> {
    let mut broken = Vec::new();
    if media != "application/problem+json" {
        broken.push(format!(
            "Content-Type: expected `application/problem+json`, got `{media}`"
        ));
    }
    if bare {
        return broken;
    }
    let body = match Json::parse(&answer.text()) {
        Ok(body) => body,
        Err(e) => return vec![e],
    };
    let member = |name: &str| body.get(name).and_then(Json::text).unwrap_or_default();
    let (code, kind, instance) = (member("code"), member("type"), member("instance"));
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if code.is_empty() || !code.chars().all(is_word) || !kind.ends_with(&format!("/problems/{code}")) {
        broken.push(format!(
            "a problem's type ends with its code, got type `{kind}`, code `{code}`"
        ));
    }
    if body.get("status").and_then(Json::integer) != Some(answer.status.into()) {
        broken.push("a problem repeats its status".to_owned());
    }
    if !instance.starts_with("urn:uuid:") {
        broken.push(format!(
            "a problem's instance is urn:uuid:<request id>, got `{instance}`"
        ));
    }
    for name in ["title", "detail"] {
        if member(name).is_empty() {
            broken.push(format!("a problem has a {name}"));
        }
    }
    let inside = ["SELECT ", "sqlite", "SQLITE", "panicked", "/tmp/", ".rs:"];
    broken.extend(
        inside
            .iter()
            .filter(|s| answer.text().contains(**s))
            .map(|s| format!("a problem shows `{s}`")),
    );
    broken
}

/// An answer for people.
pub(crate) fn shown(answer: &Answer) -> String {
    let mut text = format!("  {}", answer.status);
    for (name, value) in &answer.headers {
        text += &format!("\n  {name}: {value}");
    }
    let body = match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(body) => serde_json::to_string_pretty(&body).unwrap_or_default(),
        Err(_) => answer.text(),
    };
    text + "\n" + body.trim_end()
}
