//! What a service says when it is up.

use std::fmt::Write as _;
use std::net::SocketAddr;

use rest_schema::{Operation, Resource, ResourceId, Schema};

use crate::service::Service;

/// The address, and for each resource a first request that works.
pub(super) fn of(service: &Service, address: SocketAddr) -> String {
    let schema = service.schema();
    let root = format!("http://{address}{}", schema.prefix);
    let mut text = format!("{} at {root}\n", schema.name);
    if let Some(description) = &schema.description {
        let _ = writeln!(text, "{description}");
    }
    if let Some(sign_in) = sign_in(schema, &root) {
        let _ = write!(text, "\n{sign_in}");
    }
    text.push('\n');
    for (id, resource) in schema.resources() {
        let _ = writeln!(text, "  {}", first_request(service, id, resource, &root));
    }
    text
}

fn needs_token(service: &Service, id: ResourceId, resource: &Resource) -> bool {
    resource.access.read.is_some() && !service.is_open_to_all(id, Operation::Read)
}

/// How to get a token: curl asks for the password.
fn sign_in(schema: &Schema, root: &str) -> Option<String> {
    let accounts = schema.accounts.as_ref()?;
    let name = accounts
        .identify_by
        .iter()
        .find_map(|field| schema.field(*field).example.as_ref())
        .map_or_else(|| "NAME".to_owned(), rest_schema::Value::to_wire);
    let cut = r#"sed 's/.*"token":"\([^"]*\)".*/\1/'"#;
    Some(format!(
        "  TOKEN=$(curl -s -u {name} -X POST {root}/tokens | {cut})\n"
    ))
}

fn first_request(service: &Service, id: ResourceId, resource: &Resource, root: &str) -> String {
    let address = format!("{root}/{}", resource.collection);
    if resource.access.read.is_none() {
        return format!("curl -i -X OPTIONS '{address}'");
    }
    let token = if needs_token(service, id, resource) {
        "-H \"Authorization: Bearer $TOKEN\" "
    } else {
        ""
    };
    format!("curl {token}'{address}?limit=2'")
}
