//! The module of all structs, and the struct of the service itself.

use std::collections::BTreeSet;

use rest_schema::keys::Level;
use rest_schema::raw::Block;
use rest_schema::{FieldId, FieldType, ResourceId, Schema, naming};

use super::args::args;
use super::layout::{Arg, attribute, comment, import, is_prose, versions};
use super::names::{FieldNames, Names, spelt};

/// `mod.rs`, without its first line.
pub(super) fn file(schema: &Schema, names: &Names, root: &Block, yours: &BTreeSet<String>) -> String {
    let modules = modules(schema, names);
    let mut text = String::new();
    for (module, _) in modules.iter().filter(|(module, _)| !yours.contains(module)) {
        text += &format!("mod {};\n", spelt(module));
    }
    text += "\nuse rest_runtime::RestService;\n\n";
    for (module, _) in modules.iter().filter(|(module, _)| yours.contains(module)) {
        text += &format!("pub use super::{}::*;\n", spelt(module));
    }
    for (module, id) in modules.iter().filter(|(module, _)| !yours.contains(module)) {
        text += &import("pub use", &spelt(module), &types(schema, names, *id));
    }
    text + "\n" + &service(schema, names, root)
}

/// All modules with their resources, as rustfmt sorts them.
fn modules(schema: &Schema, names: &Names) -> Vec<(String, ResourceId)> {
    let mut modules: Vec<(String, ResourceId)> =
        schema.resources().map(|(id, _)| (names.module(id), id)).collect();
    modules.sort_by(|(a, _), (b, _)| versions(a, b));
    modules
}

/// The types of a resource's file.
fn types(schema: &Schema, names: &Names, id: ResourceId) -> Vec<String> {
    let mut types = vec![names.of_resource(id).to_owned()];
    for (index, field) in (0u32..).zip(&schema.resource(id).fields) {
        let field_id = FieldId { resource: id, index };
        if let (FieldType::Enum(_), (root, name)) = (&field.ty, names.of_enum(schema, field_id))
            && root == field_id
        {
            types.push(name.to_owned());
        }
    }
    types
}

fn service(schema: &Schema, names: &Names, root: &Block) -> String {
    let mut head = vec![Arg::text("name", &schema.name)];
    let mut text = String::new();
    match root.string("description") {
        Some(prose) if is_prose(&prose) => text += &comment(&prose, 0),
        Some(description) => head.push(Arg::text("description", &description)),
        None => {}
    }
    head.extend(args(
        root,
        &[
            "service",
            "description",
            "resources",
            "accounts",
            "tokens",
            "page",
            "limits",
            "cors",
            "sessions",
            "jwt",
        ],
    ));
    text += "#[derive(RestService)]\n";
    text += &attribute(&head, 0);
    for key in ["accounts", "tokens", "page", "limits", "cors", "sessions", "jwt"] {
        let others: Vec<&str> = Level::Service
            .rows()
            .iter()
            .map(|row| row.key)
            .filter(|one| *one != key)
            .collect();
        text += &attribute(&args(root, &others), 0);
    }
    text += &format!("pub struct {} {{\n", names.service);
    let mut fields = FieldNames::default();
    for (id, _) in schema.resources() {
        let name = names.of_resource(id);
        let field = fields.next(&naming::collection(name).replace('-', "_"));
        text += &format!("    pub {}: {name},\n", field.code);
    }
    text + "}\n"
}
