//! Schema → the Rust structs that a careful person would have typed, one file per resource.
//!
//! What stands in the attributes is the exported form of the schema, entry by entry; so every key of the table of keys
//! is written, and nothing that is so anyway. Read back by the derives it gives the same schema.

mod args;
mod layout;
mod names;
mod resource;
mod service;

use std::collections::BTreeSet;

use rest_schema::{Diagnostics, Schema, Sources, raw, yaml};

#[cfg(test)]
mod tests;

pub(crate) use self::names::{Names, package};
use super::{MARK, Source};

/// Where the structs stand in a project.
pub(crate) const FOLDER: &str = "src/models/generated";

/// The files of a schema's structs; resources whose module is `yours` have none here.
pub(crate) fn files(schema: &Schema, names: &Names, yours: &BTreeSet<String>) -> Vec<Source> {
    let Some(raw) = written(schema) else {
        return Vec::new();
    };
    let blocks = raw.root.named("resources");
    let mut files = vec![source("mod", &service::file(schema, names, &raw.root, yours))];
    for ((id, _), named) in schema.resources().zip(blocks) {
        let module = names.module(id);
        if !yours.contains(&module) {
            files.push(source(&module, &resource::file(schema, names, id, &named.block)));
        }
    }
    files
}

/// The schema in its own words.
fn written(schema: &Schema) -> Option<raw::Service> {
    let text = rest_schema::export(schema);
    let mut none = |_: &str| Ok(Vec::new());
    yaml::parse(
        "rest.yaml",
        &text,
        &mut none,
        &mut Sources::new(),
        &mut Diagnostics::new(),
    )
}

fn source(module: &str, text: &str) -> Source {
    Source {
        path: format!("{FOLDER}/{module}.rs"),
        text: format!("{MARK}\n{}", text.trim_start()),
    }
}
