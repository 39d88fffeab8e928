//! Requests whose answers are looked at.

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Request, header};

use crate::Result;

/// Asks one server.
pub(super) struct Client {
    agent: Agent,
    base: String,
    /// Sent where a request is to be signed in.
    pub(super) token: Option<String>,
}

/// What came back.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The media type.
    pub(super) media: String,
    /// The body, as it came.
    pub(super) text: String,
}

impl Answer {
    /// The body as JSON; null where it isn't.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Client {
    pub(super) fn new(base: &str) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self {
            agent,
            base: base.to_owned(),
            token: None,
        }
    }

    /// Asks; a body is JSON.
    pub(super) fn send(&self, method: &str, path: &str, signed_in: bool, body: &str) -> Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(token) = self.token.as_ref().filter(|_| signed_in) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut answer = if body.is_empty() {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(
                request
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(body)?,
            )?
        };
        let media = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .map(|value| value.to_str().unwrap_or_default());
        Ok(Answer {
            status: answer.status().as_u16(),
            media: media.unwrap_or_default().to_owned(),
            text: answer.body_mut().read_to_string()?,
        })
    }

    /// GET, without a token.
    pub(super) fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, false, "")
    }

    /// Makes a token.
    pub(super) fn sign_in(&self, identifier: &str, password: &str) -> Result<String> {
        let body = json!({ "identifier": identifier, "password": password }).to_string();
        let answer = self.send("POST", "/api/tokens", false, &body)?;
        let token = answer.json()["token"].as_str().map(str::to_owned);
        token.ok_or_else(|| format!("no token: {} {}", answer.status, answer.text).into())
    }
}
