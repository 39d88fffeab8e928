//! Holds answers against the OpenAPI document that the same server serves: address, method, status, headers, content.

use std::net::SocketAddr;

use jsonschema::{Draft, Registry};
use serde_json::{Value, json};

use super::http::{Answer, Client, Request};

/// What any answer may carry: HTTP's own, and what travels with a connection.
const EVERYWHERE: &[&str] = &[
    "content-type",
    "content-length",
    "date",
    "connection",
    "transfer-encoding",
];

/// The document's own address, where schemas are looked up in it.
const DOCUMENT: &str = "urn:openapi";

/// A server's OpenAPI document.
pub(crate) struct Contract {
    document: Value,
    registry: Registry<'static>,
}

impl Contract {
    /// Asks the server for it, by the catalogue in which anybody would look for it.
    pub(crate) fn of(server: SocketAddr) -> Result<Self, String> {
        let mut client = Client::new(server);
        let mut get = |path: &str| {
            let answer = client.send(&Request::new("GET", path))?;
            serde_json::from_slice::<Value>(&answer.body).map_err(|e| format!("{path}: {e}"))
        };
        let catalog = get("/.well-known/api-catalog")?;
        let address = catalog["linkset"][0]["service-desc"][0]["href"].as_str();
        let address = address.ok_or("the catalogue names no document")?;
        // 3.1 has no word for QUERY.
        let document = get(&format!("{address}?version=3.2"))?;
        Self::new(document)
    }

    /// Of a document.
    pub(crate) fn new(document: Value) -> Result<Self, String> {
        let registry = Registry::new()
            .add(DOCUMENT, document.clone())
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|e| e.to_string())?;
        Ok(Self { document, registry })
    }

    /// Where an answer isn't what the document says.
    pub(crate) fn broken(&self, request: &Request, answer: &Answer) -> Vec<String> {
        let path = request.target.split('?').next().unwrap_or_default();
        let method = request.method.to_ascii_lowercase();
        let Some((template, item)) = self.path(path, &method, answer.status) else {
            // Nothing is said of it, so there had better be nothing.
            return match answer.status {
                308 | 400..=499 => Vec::new(),
                status => vec![format!("{status} at {path}, of which the document says nothing")],
            };
        };
        let Some(operation) = item.get(&method) else {
            return match answer.status {
                405 | 414 | 431 => Vec::new(),
                status => vec![format!(
                    "{status} to {method} at {template}, which the document doesn't have"
                )],
            };
        };
        let Some(response) = operation["responses"].get(answer.status.to_string()) else {
            return vec![format!(
                "{} to {method} at {template}, which the document doesn't foresee",
                answer.status
            )];
        };
        let response = self.resolved(response);
        let mut broken = headers(response, answer);
        if method != "head" && !answer.body.is_empty() {
            broken.extend(self.content(response, answer).err());
        }
        broken
            .iter()
            .map(|told| format!("the document: {told}"))
            .collect()
    }

    /// The path item of an address: the one with the fewest variables; of those with the method, where it is taken. What
    /// isn't said at `query` below a collection is said of the item with that key.
    fn path(&self, path: &str, method: &str, status: u16) -> Option<(&str, &Value)> {
        let fits = |template: &str| {
            let (mut of, mut is) = (template.split('/'), path.split('/'));
            loop {
                match (of.next(), is.next()) {
                    (None, None) => return true,
                    (Some(of), Some(is)) if of == is || of.starts_with('{') && !is.is_empty() => {}
                    _ => return false,
                }
            }
        };
        let all = self.document["paths"].as_object()?.iter();
        let found = all.filter(|(template, _)| fits(template));
        found
            .min_by_key(|(template, item)| {
                let is_other = status != 405 && item.get(method).is_none();
                (is_other, template.matches('{').count())
            })
            .map(|(template, item)| (template.as_str(), item))
    }

    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
            Some(to) => self.document.pointer(to).unwrap_or(&Value::Null),
            None => value,
        }
    }

    fn content(&self, response: &Value, answer: &Answer) -> Result<(), String> {
        let media = answer.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        let told = response["content"].get(media);
        let schema = told.ok_or_else(|| format!("content of {media}, which isn't foreseen"))?;
        let is_lines = media.ends_with("ndjson") || media.ends_with("jsonl");
        let mut schema = schema[if is_lines { "itemSchema" } else { "schema" }].clone();
        if !is_lines && !media.ends_with("json") {
            return Ok(());
        }
        at_home(&mut schema);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|e| e.to_string())?;
        let parts = answer.body.split_inclusive(|byte| is_lines && *byte == b'\n');
        let mut wrong: Vec<String> = Vec::new();
        for part in parts {
            let content: Value = serde_json::from_slice(part).map_err(|e| e.to_string())?;
            let errors = validator.iter_errors(&content);
            wrong.extend(errors.map(|error| format!("{} at `{}`", error, error.instance_path())));
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    }
}

/// References lead into the document.
fn at_home(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(to) if name == "$ref" => *member = json!(format!("{DOCUMENT}{to}")),
                    other => at_home(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(at_home),
        _ => {}
    }
}

/// The headers of an answer that aren't foreseen.
fn headers(response: &Value, answer: &Answer) -> Vec<String> {
    let foreseen = |name: &str| {
        EVERYWHERE.contains(&name)
            || response["headers"]
                .as_object()
                .is_some_and(|headers| headers.keys().any(|told| told.eq_ignore_ascii_case(name)))
    };
    answer
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| !foreseen(name))
        .map(|name| format!("the header {name} isn't foreseen with {}", answer.status))
        .collect()
}
