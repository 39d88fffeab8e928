//! The service as OpenAPI: made from the tables that serve it, so that it says what is so.
//!
//! Pure: a checked schema in, a document out. What each operation takes and answers is in `resource.rs`, `relation.rs` and
//! `service.rs`, the values in `schema.rs` and `field.rs`, parameters in `parameter.rs`, headers and problems in
//! `response.rs`.

mod aggregate;
mod draft;
mod field;
mod formats;
mod matching;
mod parameter;
mod relation;
mod resource;
mod response;
mod schema;
mod service;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use rest_schema::{ResourceId, Schema};
use serde_json::{Map, Value, json};

use crate::codec::Columns;
use crate::model::Model;
use crate::sql::dialect::Dialect;
use crate::validate::{BadPattern, Validators};
use field::Object;
use response::CSRF_TOKEN;
pub(crate) use response::exposed_headers;
use schema::Kind;

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// 3.1, which most tools read.
    V3_1,
    /// 3.2.
    V3_2,
}

impl Version {
    /// The version of a text, `3.1` or `3.2`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "3.1" => Some(Self::V3_1),
            "3.2" => Some(Self::V3_2),
            _ => None,
        }
    }

    fn whole(self) -> &'static str {
        match self {
            Self::V3_1 => "3.1.1",
            Self::V3_2 => "3.2.0",
        }
    }
}

/// The OpenAPI document of a schema that isn't being served.
///
/// # Errors
///
/// A pattern of the schema that is too large to be used.
pub fn of_schema(schema: &Schema, version: Version) -> Result<Value, BadPattern> {
    let validators = Validators::new(schema)?;
    let columns = Columns::ours(schema, Dialect::Sqlite);
    let model = Model::new(schema.clone(), columns);
    Ok(document(&model, &validators, &schema.prefix, version))
}

/// The OpenAPI document of a service whose addresses begin with a prefix.
pub(crate) fn document(model: &Model, validators: &Validators, prefix: &str, version: Version) -> Value {
    let document = Document {
        model,
        validators,
        prefix,
        version,
        schemas: "#/components/schemas/".to_owned(),
    };
    document.whole()
}

/// The JSON Schema of a resource's items, with a name of its own (`Post`, `PostCreate`), as a document of its own.
pub(crate) fn json_schema(model: &Model, validators: &Validators, prefix: &str, name: &str) -> Option<Value> {
    let document = Document {
        model,
        validators,
        prefix,
        version: Version::V3_2,
        schemas: format!("{prefix}/schemas/"),
    };
    let all = || {
        model
            .schema
            .resources()
            .flat_map(|(id, _)| Kind::ALL.map(|kind| (id, kind)))
    };
    let found = all().find(|(id, kind)| document.name(*id, *kind) == name);
    let mut along = document.all_along();
    let schema = match found {
        Some((id, kind)) => document.schema_of(id, kind)?,
        None => document.along(along.find(|relation| document.name_along(*relation) == name)?),
    };
    let Value::Object(schema) = schema else {
        return None;
    };
    let mut whole = Map::new();
    whole.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    whole.insert("$id".to_owned(), json!(format!("{prefix}/schemas/{name}")));
    whole.insert("title".to_owned(), json!(name));
    whole.extend(schema);
    Some(Value::Object(whole))
}

/// A document under way.
struct Document<'a> {
    model: &'a Model,
    validators: &'a Validators,
    prefix: &'a str,
    version: Version,
    /// What references to schemas begin with.
    schemas: String,
}

impl Document<'_> {
    fn whole(&self) -> Value {
        let schema = &self.model.schema;
        let mut info = Map::new();
        info.insert("title".to_owned(), json!(schema.name));
        info.insert("version".to_owned(), json!(schema.version));
        if let Some(description) = &schema.description {
            info.insert("description".to_owned(), json!(description));
        }
        let mut parameters = Object::new();
        let mut paths = Object::new();
        let mut tags = Vec::new();
        for (id, resource) in schema.resources() {
            let (collection, item) = (self.parameters(id, false), self.parameters(id, true));
            self.resource_paths(id, &collection, &item, &mut paths);
            if resource.access.read.is_some() {
                parameters.extend(collection);
            }
            let mut tag = Map::new();
            tag.insert("name".to_owned(), json!(resource.name));
            let description = resource.description.clone();
            let description = description.unwrap_or_else(|| format!("The {}.", resource.collection));
            tag.insert("description".to_owned(), json!(description));
            tags.push(Value::Object(tag));
        }
        parameters.extend(self.max_affected());
        parameters.extend(self.header_parameters());
        self.own_paths(&mut paths);
        if self.has_sessions() {
            tokened(&mut paths);
        } else {
            parameters.shift_remove(CSRF_TOKEN);
        }
        tell_apart(&mut paths);
        tags.push(json!({ "name": "service", "description": "The service itself: who is signed in, and whether it is well." }));
        json!({
            "openapi": self.version.whole(),
            "info": info,
            "servers": [{ "url": "/" }],
            "tags": tags,
            "paths": paths,
            "components": {
                "schemas": self.all_schemas(),
                "parameters": parameters,
                "headers": self.all_headers(),
                "responses": self.all_problems(),
                "securitySchemes": self.security_schemes(),
            },
        })
    }

    fn all_schemas(&self) -> Value {
        let mut all = Object::new();
        for (id, _) in self.model.schema.resources() {
            for kind in Kind::ALL {
                if let Some(schema) = self.schema_of(id, kind) {
                    all.insert(self.name(id, kind), schema);
                }
            }
        }
        for relation in self.all_along() {
            all.insert(self.name_along(relation), self.along(relation));
        }
        if self
            .model
            .schema
            .resources
            .iter()
            .any(|resource| resource.access.update.is_some())
        {
            all.insert(self.own("JsonPatch"), schema::json_patch());
        }
        all.extend(self.affected());
        all.extend(self.problem_schemas());
        all.extend(self.token_schemas());
        Value::Object(all)
    }

    /// The resource of accounts.
    fn accounts(&self) -> Option<ResourceId> {
        self.model
            .schema
            .accounts
            .as_ref()
            .map(|accounts| accounts.resource)
    }
}

/// What may be asked by a session and changes something takes the session's token.
fn tokened(paths: &mut Object) {
    for path in paths.values_mut().filter_map(Value::as_object_mut) {
        let changes = ["post", "put", "patch", "delete"];
        for (method, operation) in path.iter_mut() {
            let schemes = operation["security"].as_array().into_iter().flatten();
            let by_session = schemes.filter(|scheme| scheme.get("session").is_some()).count() > 0;
            let Some(operation) = operation.as_object_mut().filter(|_| by_session) else {
                continue;
            };
            if changes.contains(&method.as_str()) {
                let own = operation.entry("parameters").or_insert_with(|| json!([]));
                if let Some(parameters) = own.as_array_mut() {
                    parameters.push(json!({ "$ref": format!("#/components/parameters/{CSRF_TOKEN}") }));
                }
            }
        }
    }
}

/// Gives a number to the names of operations that stand already, in the order of the document: those of a relation and of
/// a resource may be the same.
fn tell_apart(paths: &mut Object) {
    let mut names = HashSet::new();
    let operations = paths.values_mut().filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Object::values_mut) {
        let Some(Value::String(name)) = operation.get_mut("operationId") else {
            continue;
        };
        let plain = name.clone();
        let mut number = 1;
        while !names.insert(name.clone()) {
            number += 1;
            *name = format!("{plain}{number}");
        }
    }
}

/// An object with these members and no others.
fn object(properties: impl IntoIterator<Item = (impl Into<String>, Value)>, required: &[&str]) -> Value {
    let properties: Object = properties
        .into_iter()
        .map(|(name, schema)| (name.into(), schema))
        .collect();
    let mut object = Object::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    object.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(object)
}
