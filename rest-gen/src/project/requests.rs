//! The first requests to a service, for its README: each works on a service that has just been made.

use rest_schema::{Resource, Schema};
use serde::Serialize;

/// Where a service listens where nobody says.
const ADDRESS: &str = "http://127.0.0.1:8000";

/// One request.
#[derive(Debug, Serialize)]
pub(crate) struct Request {
    /// What it does.
    what: String,
    /// How curl does it.
    command: String,
}

/// Signs in where that is possible, and reads what there is to read.
pub(crate) fn of(schema: &Schema) -> Vec<Request> {
    let mut requests = Vec::new();
    requests.extend(schema.resources.iter().map(|resource| read(schema, resource)));
    requests
}

fn read(schema: &Schema, resource: &Resource) -> Request {
    let address = format!("{ADDRESS}{}/{}", schema.prefix, resource.collection);
    Request {
        what: resource.collection.clone(),
        command: format!("curl '{address}'"),
    }
}
