//! Which methods an address takes: as the schema exposes them, the same for every caller.

use rest_schema::{Operation, Resource};

/// The methods of a resource's collection.
pub(crate) fn of_collection(resource: &Resource) -> Vec<&'static str> {
    let has = |operation| resource.access.rule(operation).is_some();
    let read = has(Operation::Read);
    served([
        ("GET", read),
        ("HEAD", read),
        ("POST", has(Operation::Create)),
        ("OPTIONS", true),
    ])
}

/// The methods of its items.
pub(crate) fn of_item(resource: &Resource) -> Vec<&'static str> {
    let has = |operation| resource.access.rule(operation).is_some();
    let (read, update) = (has(Operation::Read), has(Operation::Update));
    let put_creates = resource.key.by_client && has(Operation::Create);
    served([
        ("GET", read),
        ("HEAD", read),
        ("PUT", update || put_creates),
        ("PATCH", update),
        ("DELETE", has(Operation::Delete)),
        ("OPTIONS", true),
    ])
}

fn served<const N: usize>(all: [(&'static str, bool); N]) -> Vec<&'static str> {
    all.into_iter()
        .filter(|(_, is_served)| *is_served)
        .map(|(method, _)| method)
        .collect()
}
