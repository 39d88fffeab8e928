//! Somebody at the service: sends JSON, keeps a token.

use std::net::SocketAddr;

use serde_json::Value;

use super::http::{Answer, Client, Request};

/// A client of the service.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    token: Option<String>,
}

impl Api {
    /// Anonymous.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            client: Client::new(address),
            token: None,
        }
    }

    /// With a token got for a name and a password.
    pub(crate) fn sign_in(address: SocketAddr, name: &str, password: &str) -> Result<Self, String> {
        let mut api = Self::new(address);
        let body = serde_json::json!({ "identifier": name, "password": password });
        let made = api.expect(201, Request::new("POST", "/api/tokens").json(body.to_string()))?;
        api.token = made["token"].as_str().map(str::to_owned);
        Ok(api)
    }

    /// The token; empty for nobody.
    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Whatever the answer is.
    pub(crate) fn send(&mut self, request: Request) -> Result<Answer, String> {
        let request = match &self.token {
            Some(token) => request.bearer(token),
            None => request,
        };
        self.client.send(&request)
    }

    /// The body of an answer of this status.
    pub(crate) fn expect(&mut self, status: u16, request: Request) -> Result<Value, String> {
        let told = format!("{} {}", request.method, request.target);
        let answer = self.send(request)?;
        if answer.status != status {
            let (got, text) = (answer.status, answer.text());
            return Err(format!("{told}: {got} instead of {status}\n{text}"));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|e| format!("{told}: {e}"))
    }

    /// A GET that succeeds.
    pub(crate) fn get(&mut self, target: &str) -> Result<Value, String> {
        self.expect(200, Request::new("GET", target))
    }

    /// A POST that makes an item.
    pub(crate) fn post(&mut self, target: &str, body: &Value) -> Result<Value, String> {
        self.expect(201, Request::new("POST", target).json(body.to_string()))
    }

    /// The codes of the faults that a request is refused for, at what they name.
    pub(crate) fn refused(&mut self, status: u16, request: Request) -> Result<Vec<String>, String> {
        let problem = self.expect(status, request)?;
        let errors = problem["errors"].as_array().into_iter().flatten();
        let word = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        Ok(errors
            .map(|error| format!("{} {}", word(error, "pointer"), word(error, "code")))
            .collect())
    }

    /// A PATCH that succeeds.
    pub(crate) fn patch(&mut self, target: &str, body: &Value) -> Result<Value, String> {
        self.expect(200, Request::new("PATCH", target).json(body.to_string()))
    }
}
