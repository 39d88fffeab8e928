//! Somebody at the site's pages: keeps cookies, fills in forms.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::support::http::{Answer, Client, Request};

/// A person's browser.
#[derive(Debug)]
pub(super) struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Without any cookie.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            client: Client::new(address),
            cookies: BTreeMap::new(),
        }
    }

    fn send(&mut self, request: Request) -> Result<Answer, String> {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let answer = self.client.send(&request.header("Cookie", &cookies.join("; ")))?;
        for (name, value) in &answer.headers {
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let pair = value.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').ok_or("a cookie without a value")?;
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(answer)
    }

    /// A cookie as the browser would send it to another program on the same host.
    pub(super) fn cookie(&self, name: &str) -> Result<String, String> {
        let value = self
            .cookies
            .get(name)
            .ok_or_else(|| format!("no cookie `{name}`"))?;
        Ok(format!("{name}={value}"))
    }

    /// What the page's scripts send in `X-CSRFToken`: the token of its form.
    pub(super) fn form_token(&mut self, path: &str) -> Result<String, String> {
        let page = self.page(path)?;
        let token = between(&page, "name=\"csrf_token\"", ">").and_then(|tag| between(tag, "value=\"", "\""));
        token
            .map(str::to_owned)
            .ok_or_else(|| format!("no form on the site's {path}"))
    }

    /// A page's answer, whatever it is.
    pub(super) fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.send(Request::new("GET", path))
    }

    /// A page that is there.
    pub(super) fn page(&mut self, path: &str) -> Result<String, String> {
        let answer = self.get(path)?;
        match answer.status {
            200 => Ok(answer.text()),
            status => Err(format!("the site's {path}: {status}\n{}", answer.text())),
        }
    }

    /// Sends a form whose token stands on the page `from`; gives the path that the site goes on to.
    pub(super) fn submit(&mut self, from: &str, to: &str, fields: &[(&str, &str)]) -> Result<String, String> {
        let token = self.form_token(from)?;
        let mut form = format!("csrf_token={}", encode(&token));
        for (name, value) in fields {
            form += &format!("&{}={}", encode(name), encode(value));
        }
        let mut request =
            Request::new("POST", to).header("Content-Type", "application/x-www-form-urlencoded");
        request.body = Some(form.into_bytes());
        let answer = self.send(request)?;
        match (answer.status, answer.header("location")) {
            (302, Some(next)) => Ok(next),
            (status, _) => Err(format!(
                "the site's {to} refused the form: {status}\n{}",
                answer.text()
            )),
        }
    }

    /// Signs in, with the page that proves it.
    pub(super) fn sign_in(&mut self, name: &str, password: &str) -> Result<(), String> {
        self.submit(
            "/sign-in",
            "/sign-in",
            &[("username", name), ("password", password)],
        )?;
        let page = self.page("/")?;
        match page.contains("Sign out") {
            true => Ok(()),
            false => Err(format!("{name} isn't signed in at the site:\n{page}")),
        }
    }
}

/// What stands in a text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

fn encode(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
