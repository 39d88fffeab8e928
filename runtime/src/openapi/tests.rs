//! What holds of every document, whatever the schema.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rest_schema::Schema;
use serde_json::Value;

use super::{Version, of_schema};

/// The schemas with which the service is tested, the examples, and one whose names are the service's own.
fn schemas() -> Vec<(String, Schema)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::fs::read_dir(root.join("tests/schemas")).expect("a folder");
    let tested = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|file| {
            let name = file.to_string_lossy();
            name.ends_with(".yaml") && !name.ends_with(".seed.yaml")
        });
    let examples = EXAMPLES.iter().map(|file| root.join(file));
    let read = |file: PathBuf| (file.display().to_string(), of_file(&file));
    let own = ("own names".to_owned(), of_text(OWN_NAMES));
    tested.chain(examples).map(read).chain([own]).collect()
}

const EXAMPLES: &[&str] = &[
    "examples/microblog/rest.yaml",
    "examples/notes/rest.yaml",
    "examples/shop/rest.yaml",
];

/// Resources and relations that are called as schemas and operations of the service are.
const OWN_NAMES: &str = "service: own
resources:
  User:
    fields:
      name: { type: string, length: 1..40, unique: true }
      password: { type: password, length: 8.. }
    access: { read: public }
  Token:
    collection: api-tokens
    fields: { name: { type: text } }
    belongs_to: { order: { to: Order, inverse: lines } }
    access: { read: public, create: public, change: public }
  Fault: { fields: { name: { type: text } }, access: { read: public } }
  JsonPatch: { fields: { name: { type: text } }, access: { read: public } }
  Order: { fields: { name: { type: text } }, access: { read: public, create: public } }
  LinesOfOrder:
    collection: lines-of-order
    fields: { name: { type: text } }
    access: { read: public, create: public }
accounts: { resource: User, identify_by: [name], password: password }
";

/// A schema with what it includes, as the shop's does.
fn of_file(file: &Path) -> Schema {
    let text = std::fs::read_to_string(file).expect("a schema");
    let folder = file.parent().expect("a folder").join("resources");
    let mut included = |_: &str| {
        let files = std::fs::read_dir(&folder).map_err(|error| error.to_string())?;
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a part");
            (path.display().to_string(), text)
        };
        Ok(files.map(read).collect())
    };
    let loaded = rest_schema::read(&file.to_string_lossy(), &text, &mut included);
    loaded.expect("a sound schema").schema
}

fn of_text(text: &str) -> Schema {
    rest_schema::read_one("rest.yaml", text)
        .expect("a sound schema")
        .schema
}

fn every<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            visit(members);
            members.values().for_each(|member| every(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| every(item, visit)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_name_stands_once() {
    for (file, schema) in schemas() {
        for version in [Version::V3_1, Version::V3_2] {
            let document = of_schema(&schema, version).expect("a document");
            let (mut lost, mut ids, mut twice) = (Vec::new(), HashSet::new(), Vec::new());
            every(&document, &mut |members| {
                if let Some(Value::String(to)) = members.get("$ref")
                    && document.pointer(to.trim_start_matches('#')).is_none()
                {
                    lost.push(to.clone());
                }
                if let Some(Value::String(id)) = members.get("operationId")
                    && !ids.insert(id.clone())
                {
                    twice.push(id.clone());
                }
            });
            assert_eq!((lost, twice), (vec![], vec![]), "{file}");
            assert!(ids.len() > 5, "{file}");
        }
    }
}

#[test]
fn what_has_to_be_one_of_some_words_can_be() {
    for (file, schema) in schemas() {
        let document = of_schema(&schema, Version::V3_2).expect("a document");
        every(&document, &mut |members| {
            let words = members.get("enum").and_then(Value::as_array);
            assert!(words.is_none_or(|words| !words.is_empty()), "{file}: {members:?}");
        });
    }
}

#[test]
fn a_resource_keeps_its_name_beside_what_is_the_service_s() {
    let document = of_schema(&of_text(OWN_NAMES), Version::V3_1).expect("a document");
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let of = |name: &str| schemas[name]["properties"].as_object().expect("properties");
    assert!(of("Token").contains_key("order_id") && of("Token_").contains_key("token_type"));
    assert!(of("Fault").contains_key("name") && of("Fault_").contains_key("pointer"));
    assert_eq!(schemas["JsonPatch_"]["type"], "array");
}

#[test]
fn the_parameters_of_an_operation_differ() {
    for (file, schema) in schemas() {
        let document = of_schema(&schema, Version::V3_1).expect("a document");
        every(&document["paths"], &mut |members| {
            let Some(Value::Array(parameters)) = members.get("parameters") else {
                return;
            };
            let mut seen = HashSet::new();
            for parameter in parameters {
                let own = parameter["$ref"].as_str().map(|to| to.trim_start_matches('#'));
                let parameter = own.and_then(|to| document.pointer(to)).unwrap_or(parameter);
                let name = (parameter["name"].to_string(), parameter["in"].to_string());
                assert!(seen.insert(name.clone()), "{file}: {name:?}");
            }
        });
    }
}

#[test]
fn a_document_as_people_read_it() {
    let text = "service: tiny
version: 2.0.0
description: Notes of a few people.
resources:
  Person:
    description: Who writes.
    fields:
      name: { type: string, length: 1..40, unique: true, example: Ada }
      password: { type: password, length: 8.. }
    access: { read: authenticated, create: public }
  Note:
    fields:
      text: { type: text, length: 1..200 }
      mood: { type: enum, values: [good, bad], optional: true, filterable: true }
      rank: { type: integer, range: 0..10, default: 0, deprecated: true }
    belongs_to:
      author: { to: Person, inverse: notes, default: me, readonly: true }
    access: { read: public, create: authenticated, change: author_id = me.id }
accounts: { resource: Person, identify_by: [name], password: password }
";
    let loaded = rest_schema::read_one("rest.yaml", text).expect("a schema");
    let document = of_schema(&loaded.schema, Version::V3_1).expect("a document");
    let shown = serde_json::json!({
        "collection": document["paths"]["/api/notes"],
        "item": document["paths"]["/api/notes/{id}"],
        "mood": document["components"]["parameters"]["Note.mood.in"],
        "sort": document["components"]["parameters"]["Note.sort"],
        "schemas": document["components"]["schemas"],
    });
    insta::assert_json_snapshot!(shown);
}
