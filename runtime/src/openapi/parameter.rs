//! Parameters: those of every collection, and a flat, typed one for each field and operator.
//!
//! Values have no length of their own: the whole query string has (`uri-too-long`), and so they have its.

use rest_schema::operators::x_name;
use rest_schema::{Field, Resource, ResourceId};
use serde_json::{Value, json};

use super::field::{self, LONGEST_QUERY, Object};
use super::{Document, object};
use crate::request::aggregate::{self, FUNCTIONS, FunctionRow, is_groupable};
use crate::request::filter::{OPERATORS, OperatorRow, Takes};
use crate::request::page::last_page;
use crate::request::query::PARAMETERS;
use crate::request::sort::{MAX_TERMS, is_sortable};
use crate::request::{Operator, relations, search};

/// A parameter and its name among the components.
pub(super) type Named = (String, Value);

impl Document<'_> {
    /// The parameters of a resource's collection; an item takes some of them.
    pub(super) fn parameters(&self, id: ResourceId, on_item: bool) -> Vec<Named> {
        let resource = self.model.resource(id);
        let is_searchable = resource.fields.iter().any(|field| field.searchable);
        let own = PARAMETERS
            .iter()
            .filter(|row| row.on_item || !on_item)
            .filter(|row| row.is_of(resource, is_searchable))
            .filter_map(|row| self.parameter(id, resource, row.name, row.doc));
        let mut all: Vec<Named> = own.collect();
        if !on_item {
            all.extend(self.filters(id, resource));
        }
        all
    }

    /// `None` where there is nothing it could name: a resource without relations has none to include.
    fn parameter(&self, id: ResourceId, resource: &Resource, name: &str, doc: &str) -> Option<Named> {
        let page = &self.model.schema.page;
        let (shared, schema) = match name {
            "limit" => (
                true,
                json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": page.max }),
            ),
            "cursor" => (true, text()),
            "page" => (
                true,
                json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": last_page(&self.model.schema) }),
            ),
            "q" => (true, json!({ "type": "string", "maxLength": search::MAX_LENGTH })),
            "deleted" => (true, json!({ "type": "string", "enum": ["only", "with"] })),
            "count" => (true, json!({ "type": "string", "enum": ["exact"] })),
            "sort" => (false, list(self.sorts(id), Some(MAX_TERMS))?),
            "fields" => (false, list(self.fields(id), None)?),
            "aggregate" => (false, list(self.aggregates(id), Some(aggregate::MAX_TERMS))?),
            "group" => (false, list(self.groups(id), Some(aggregate::MAX_GROUPS))?),
            _ => (
                false,
                list(
                    self.includes(id),
                    Some(self.model.schema.limits.includes as usize),
                )?,
            ),
        };
        let is_list = schema.get("items").is_some();
        let of = if shared {
            name.to_owned()
        } else {
            format!("{}.{name}", resource.name)
        };
        // As words, not as `default`: generated clients send that, also for a stream and for aggregates, which have none.
        let doc = match name {
            "limit" => format!("{doc}; a page has {} where it isn't said", page.limit),
            _ => doc.to_owned(),
        };
        Some((of, parameter(name, &doc, schema, is_list)))
    }

    /// Own fields, and those one relation away.
    fn paths<'s>(
        &'s self,
        id: ResourceId,
        wanted: impl Fn(&Field) -> bool + 's + Copy,
    ) -> Vec<(String, &'s Field)> {
        let shown = move |of: ResourceId| {
            let fields = self.model.resource(of).fields.iter();
            fields.filter(move |field| field.is_shown() && wanted(field))
        };
        let own = shown(id).map(|field| (field.api_name.clone(), field));
        let of_relations = relations(&self.model.schema, id).flat_map(|relation| {
            shown(relation.target).map(move |field| (format!("{}.{}", relation.name, field.api_name), field))
        });
        own.chain(of_relations).collect()
    }

    /// Those by which each row has one value, which no row hides.
    pub(super) fn single<'s>(
        &'s self,
        id: ResourceId,
        wanted: impl Fn(&Field) -> bool + 's + Copy,
    ) -> impl Iterator<Item = (String, &'s Field)> {
        let many: Vec<&str> = relations(&self.model.schema, id)
            .filter(|relation| !relation.kind.is_to_one())
            .map(|relation| relation.name.as_str())
            .collect();
        let paths = self.paths(id, move |field| wanted(field) && field.readable.is_none());
        paths.into_iter().filter(move |(path, _)| {
            let step = path.split_once('.').map(|(step, _)| step);
            step.is_none_or(|step| !many.contains(&step))
        })
    }

    fn sorts(&self, id: ResourceId) -> Vec<String> {
        self.single(id, is_sortable)
            .flat_map(|(path, _)| [format!("-{path}"), path])
            .collect()
    }

    fn aggregates(&self, id: ResourceId) -> Vec<String> {
        let of = |row: &'static FunctionRow| {
            let paths = self.single(id, |field| row.takes(field));
            paths.map(move |(path, _)| format!("{}({path})", row.word))
        };
        let count = std::iter::once(aggregate::COUNT.to_owned());
        count.chain(FUNCTIONS.iter().flat_map(of)).collect()
    }

    fn groups(&self, id: ResourceId) -> Vec<String> {
        self.single(id, is_groupable).map(|(path, _)| path).collect()
    }

    fn fields(&self, id: ResourceId) -> Vec<String> {
        self.paths(id, |_| true)
            .into_iter()
            .map(|(path, _)| path)
            .collect()
    }

    fn includes(&self, id: ResourceId) -> Vec<String> {
        let own = relations(&self.model.schema, id);
        let below = |of: ResourceId, name: &str| {
            let name = name.to_owned();
            relations(&self.model.schema, of).map(move |relation| format!("{name}.{}", relation.name))
        };
        own.flat_map(|relation| {
            std::iter::once(relation.name.clone()).chain(below(relation.target, &relation.name))
        })
        .collect()
    }

    pub(super) fn filters(&self, id: ResourceId, resource: &Resource) -> Vec<Named> {
        let paths = self.paths(id, |field| field.filterable);
        let of_field = |(path, field): (String, &Field)| {
            let operators = OPERATORS
                .iter()
                .filter(|row| row.kinds.contains(&field.ty.kind()));
            let all: Vec<Named> = operators.map(|row| filter(resource, &path, field, row)).collect();
            all
        };
        paths.into_iter().flat_map(of_field).collect()
    }
}

fn filter(resource: &Resource, path: &str, field: &Field, row: &OperatorRow) -> Named {
    let (name, plain) = if row.operator == Operator::Eq {
        (path.to_owned(), path.to_owned())
    } else {
        (format!("{path}[{}]", row.word), format!("{path}.{}", row.word))
    };
    let schema = given(field, row, LONGEST_QUERY);
    let doc = format!("items whose `{path}` {}", row.doc);
    let mut parameter = parameter(&name, &doc, schema, row.takes == Takes::List);
    if let Value::Object(members) = &mut parameter {
        members.insert("x-name".to_owned(), json!(x_name(path, row.word)));
        if field.deprecated.is_some() {
            members.insert("deprecated".to_owned(), json!(true));
        }
    }
    (format!("{}.{plain}", resource.name), parameter)
}

/// What an operator is given, where there is room for so much.
fn given(field: &Field, row: &OperatorRow, room: usize) -> Value {
    let value = || Value::Object(field::sought_in(field, room));
    match row.takes {
        Takes::One => value(),
        Takes::Text => json!({ "type": "string", "maxLength": room }),
        Takes::List => json!({ "type": "array", "items": value(), "maxItems": room }),
        Takes::Flag => json!({ "type": "boolean" }),
    }
}

/// The tests of a field in the body of QUERY, which has room for so much: a value, or operators.
pub(super) fn tests(field: &Field, room: usize) -> Value {
    let operators = || {
        OPERATORS
            .iter()
            .filter(|row| row.kinds.contains(&field.ty.kind()))
    };
    let all = object(operators().map(|row| (row.word, given(field, row, room))), &[]);
    let eq = operators().find(|row| row.operator == Operator::Eq);
    match eq {
        Some(eq) => json!({ "anyOf": [given(field, eq, room), all] }),
        None => all,
    }
}

fn text() -> Value {
    json!({ "type": "string", "maxLength": LONGEST_QUERY })
}

fn parameter(name: &str, doc: &str, schema: Value, is_list: bool) -> Value {
    let mut parameter = Object::new();
    parameter.insert("name".to_owned(), json!(name));
    parameter.insert("in".to_owned(), json!("query"));
    parameter.insert("description".to_owned(), json!(doc));
    if is_list {
        parameter.insert("style".to_owned(), json!("form"));
        parameter.insert("explode".to_owned(), json!(false));
    }
    parameter.insert("schema".to_owned(), schema);
    Value::Object(parameter)
}

/// Some of these words, each as often as one likes, but for the most that there may be; `None` where there are no words.
fn list(words: Vec<String>, most: Option<usize>) -> Option<Value> {
    if words.is_empty() {
        return None;
    }
    let items = json!({ "type": "string", "enum": words });
    let most = most.unwrap_or(LONGEST_QUERY);
    Some(json!({ "type": "array", "items": items, "minItems": 1, "maxItems": most }))
}
