//! Operations: at each address what each method takes and answers.

use std::collections::BTreeMap;

use rest_schema::{FieldId, Operation, RelationId, ResourceId, naming};
use serde_json::{Value, json};

use super::field::{self, LONGEST_QUERY, Object, Use};
use super::parameter::Named;
use super::schema::Kind;
use super::{Document, Version, object, response};
use crate::caller::Caller;
use crate::plan::access::Permit;
use crate::problem::Code;
use crate::request::body::{JSON_PATCH_TYPE, JSON_TYPES, MERGE_PATCH_TYPES};
use crate::request::methods;
use crate::request::negotiate::about;
use crate::validate::Body;

const JSON: &str = "application/json";

/// What any request may be refused by.
const ANY: &[Code] = &[
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::NotAcceptable,
    Code::Internal,
    Code::Unavailable,
];
/// What a read may be refused by, beyond that.
const READ: &[Code] = &[
    Code::UnknownParameter,
    Code::PreconditionFailed,
    Code::StoredValue,
];
/// What a write may be refused by, beyond that.
const WRITE: &[Code] = &[Code::UnknownParameter, Code::Conflict, Code::StoredValue];
/// What a body may be refused by.
const BODY: &[Code] = &[
    Code::UnreadableBody,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::Invalid,
];
/// What a write of an item that may be there already is refused by.
const OF_ITEM: &[Code] = &[Code::NotFound, Code::PreconditionFailed];

/// One operation under way.
#[derive(Clone)]
struct Draft {
    id: String,
    summary: String,
    tag: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: BTreeMap<u16, Value>,
    security: Value,
    is_deprecated: bool,
}

impl Document<'_> {
    /// The addresses of a resource.
    pub(super) fn resource_paths(
        &self,
        id: ResourceId,
        collection: &[Named],
        item: &[Named],
        paths: &mut Object,
    ) {
        let resource = self.model.resource(id);
        let address = format!("{}/{}", self.prefix, resource.collection);
        let methods_of_collection = methods::of_collection(resource);
        let mut all = Object::new();
        for method in &methods_of_collection {
            let draft = match *method {
                "GET" => self.list(id, collection),
                "HEAD" => self.head(self.list(id, collection)),
                "POST" => self.create(id),
                "QUERY" => self.question(id, "query", &plural(&resource.collection)),
                _ => self.options(
                    &resource.name,
                    &plural(&resource.collection),
                    &methods_of_collection,
                ),
            };
            all.insert(method.to_ascii_lowercase(), draft.finished());
        }
        self.known_methods(&mut all);
        paths.insert(address.clone(), Value::Object(all));
        if resource.access.read.is_some() {
            paths.insert(
                format!("{address}/query"),
                json!({ "post": self.twin(id).finished() }),
            );
        }
        let methods_of_item = methods::of_item(resource);
        let mut all = Object::new();
        all.insert("parameters".to_owned(), self.key_parameters(id));
        for method in &methods_of_item {
            let draft = match *method {
                "GET" => self.read(id, item),
                "HEAD" => self.head(self.read(id, item)),
                "PUT" => self.replace(id),
                "PATCH" => self.patch(id),
                "DELETE" => self.delete(id),
                _ => self.options(&resource.name, &resource.name, &methods_of_item),
            };
            all.insert(method.to_ascii_lowercase(), draft.finished());
        }
        let key = resource.key.fields.iter().map(|field| self.model.field(*field));
        let segment: Vec<String> = key.map(|field| format!("{{{}}}", field.api_name)).collect();
        let address = format!("{address}/{}", segment.join(","));
        paths.insert(address.clone(), Value::Object(all));
        for (index, relation) in (0u32..).zip(&resource.relations) {
            let relation_id = RelationId { resource: id, index };
            let all = self.related_path(relation_id);
            if !all.is_empty() {
                paths.insert(format!("{address}/{}", relation.name), Value::Object(all));
            }
            let pairs = self.pair_path(relation_id);
            if !pairs.is_empty() {
                paths.insert(
                    format!("{address}/{}/{{other}}", relation.name),
                    Value::Object(pairs),
                );
            }
        }
    }

    /// The address of what a relation leads to; empty where there is none.
    fn related_path(&self, id: RelationId) -> Object {
        let relation = self.model.relation(id);
        let target = relation.target;
        let methods = methods::of_related(&self.model.schema, id);
        let noun = format!(
            "{}{}",
            self.model.resource(id.resource).name,
            naming::camel(&relation.name)
        );
        let mut all = Object::new();
        if methods.is_empty() {
            return all;
        }
        all.insert("parameters".to_owned(), self.key_parameters(id.resource));
        for method in &methods {
            let mut draft = match *method {
                "POST" => self.create_related(id),
                "QUERY" => self.question(target, "query", &noun),
                "OPTIONS" => self.options(&self.model.resource(target).name, &noun, &methods),
                _ if relation.kind.is_to_one() => self.read(target, &self.parameters(target, true)),
                _ => self.list(target, &self.parameters(target, false)),
            };
            if *method != "OPTIONS" {
                let verb = if *method == "POST" {
                    "create"
                } else if *method == "QUERY" {
                    "query"
                } else if relation.kind.is_to_one() {
                    "get"
                } else {
                    "list"
                };
                draft.id = format!("{verb}{noun}");
                draft.responses.extend(self.problems(&[Code::NotFound]));
                // Whoever may not read the item from which it starts is refused as there.
                let parent = self.draft(id.resource, "", "", String::new(), Operation::Read);
                draft.responses.extend(parent.responses);
            }
            if *method == "HEAD" {
                draft = self.head(draft);
            }
            all.insert(method.to_ascii_lowercase(), draft.finished());
        }
        self.known_methods(&mut all);
        all
    }

    /// OpenAPI 3.1 can't say QUERY.
    fn known_methods(&self, all: &mut Object) {
        if self.version == Version::V3_1 {
            all.shift_remove("query");
        }
    }

    /// QUERY of a collection.
    fn question(&self, id: ResourceId, verb: &str, noun: &str) -> Draft {
        let mut draft = self.list(id, &[]);
        draft.id = format!("{verb}{noun}");
        draft.summary = format!("The {} that a body asks for", self.model.resource(id).collection);
        draft.body = Some(content(JSON_TYPES, &self.reference(id, Kind::Query)));
        draft.responses.extend(self.problems(BODY));
        draft
    }

    /// The same by POST.
    fn twin(&self, id: ResourceId) -> Draft {
        let noun = plural(&self.model.resource(id).collection);
        let mut draft = self.question(id, "postQuery", &noun);
        if let Some(page) = draft.responses.get_mut(&200) {
            page["headers"] = self.headers(&["Cache-Control", "Vary", "Link"]);
        }
        draft.responses.remove(&304);
        draft.responses.remove(&412);
        draft.parameters.clear();
        draft
    }

    /// The address of one pair of a many-to-many; empty where there is none.
    fn pair_path(&self, id: RelationId) -> Object {
        let schema = &self.model.schema;
        let methods = methods::of_pair(schema, id);
        let mut all = Object::new();
        if methods.is_empty() {
            return all;
        }
        let relation = self.model.relation(id);
        let from = self.model.resource(id.resource);
        let noun = format!("{}{}", from.name, naming::camel(&relation.name));
        let mut parameters = self.key_parameters(id.resource);
        if let Value::Array(parameters) = &mut parameters {
            parameters.push(self.other_parameter(relation.target));
        }
        all.insert("parameters".to_owned(), parameters);
        let put = self.pair_change(id, "link", "They are linked, as they may have been before.");
        let delete = self.pair_change(
            id,
            "unlink",
            "They aren't linked, as they may not have been before.",
        );
        let options = self.options(&from.name, &format!("{noun}Pair"), &methods);
        all.insert("put".to_owned(), put.finished());
        all.insert("delete".to_owned(), delete.finished());
        all.insert("options".to_owned(), options.finished());
        all
    }

    fn pair_change(&self, id: RelationId, verb: &str, done: &str) -> Draft {
        let relation = self.model.relation(id);
        let from = self.model.resource(id.resource);
        let noun = format!("{}{}", from.name, naming::camel(&relation.name));
        let declaring = methods::declaring(&self.model.schema, id);
        let summary = format!("One pair of {}: {verb}", relation.name);
        let mut draft = self.draft(declaring, verb, &noun, summary, Operation::Update);
        from.name.clone_into(&mut draft.tag);
        draft.conditional();
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(OF_ITEM));
        draft
            .responses
            .extend(self.problems(&[Code::Invalid, Code::BodyTooLarge, Code::UnreadableBody]));
        for side in [id.resource, relation.target] {
            let read = self.draft(side, "", "", String::new(), Operation::Read);
            draft.responses.extend(read.responses);
        }
        draft.responses.insert(
            204,
            json!({ "description": done, "headers": self.headers(&["Cache-Control"]) }),
        );
        draft
    }

    /// The key of the other side of a pair, in one segment.
    fn other_parameter(&self, target: ResourceId) -> Value {
        let key = &self.model.resource(target).key.fields;
        let schema = match key.as_slice() {
            [only] => field::schema(self.model.field(*only), None, Use::Sought, LONGEST_QUERY as u64),
            // Its parts, separated by commas.
            _ => Object::from_iter([
                ("type".to_owned(), json!("string")),
                ("maxLength".to_owned(), json!(LONGEST_QUERY)),
            ]),
        };
        json!({ "name": "other", "in": "path", "required": true, "schema": schema })
    }

    fn create_related(&self, id: RelationId) -> Draft {
        let target = self.model.relation(id).target;
        let mut draft = self.create(target);
        let known: Vec<FieldId> = methods::pointing(&self.model.schema, id)
            .into_iter()
            .map(|(_, field)| field)
            .collect();
        let one = self.body(target, Body::Create, &known);
        draft.body = Some(self.one_or_several(&one));
        draft
    }

    fn one_or_several(&self, one: &Value) -> Value {
        let bulk = self.model.schema.limits.bulk;
        let several = json!({ "type": "array", "items": one, "minItems": 1, "maxItems": bulk });
        content(JSON_TYPES, &json!({ "anyOf": [one, several] }))
    }

    fn key_parameters(&self, id: ResourceId) -> Value {
        let key = &self.model.resource(id).key.fields;
        let of = |field_id: &rest_schema::FieldId| {
            let field = self.model.field(*field_id);
            let mut schema = field::schema(field, None, Use::Sought, LONGEST_QUERY as u64);
            if schema.get("type") == Some(&json!("string")) {
                schema.insert("minLength".to_owned(), json!(1));
            }
            json!({ "name": field.api_name, "in": "path", "required": true, "schema": schema })
        };
        Value::Array(key.iter().map(of).collect())
    }

    /// The request headers that operations name.
    pub(super) fn header_parameters(&self) -> Object {
        let of = |name: &str, doc: &str| {
            let parameter = json!({ "name": name, "in": "header", "description": doc, "schema": { "type": "string", "maxLength": LONGEST_QUERY } });
            (name.to_owned(), parameter)
        };
        Object::from_iter([
            of(
                "If-Match",
                "only where the present tag is one of these (RFC 9110, 13.1.1); else 412",
            ),
            of(
                "If-None-Match",
                "only where the present tag is none of these (RFC 9110, 13.1.2); else 304 to a read, 412 to a write",
            ),
            of(
                "Prefer",
                "`return=minimal` for no content, `return=representation` for the item (RFC 7240)",
            ),
        ])
    }

    fn draft(&self, id: ResourceId, verb: &str, noun: &str, summary: String, operation: Operation) -> Draft {
        let resource = self.model.resource(id);
        let mut codes: Vec<Code> = ANY.to_vec();
        let rule = self.model.rules(id).rule(operation);
        let permit = rule.map_or(Permit::Never, |rule| rule.permit(&Caller::anonymous()));
        let is_ruled =
            operation != Operation::Read && resource.fields.iter().any(|field| field.writable.is_some());
        if permit != Permit::Always || is_ruled {
            codes.push(Code::Forbidden);
        }
        if permit == Permit::Never {
            codes.push(Code::Unauthenticated);
        }
        let mut draft = Draft {
            id: format!("{verb}{noun}"),
            summary,
            tag: resource.name.clone(),
            parameters: Vec::new(),
            body: None,
            responses: BTreeMap::new(),
            security: self.security(permit == Permit::Never),
            is_deprecated: resource.deprecated,
        };
        if self.accounts().is_some() {
            codes.push(Code::BadToken);
        }
        // Whoever isn't signed in is asked to, where the row decides.
        if permit != Permit::Always {
            codes.push(Code::Unauthenticated);
        }
        draft.responses = self.problems(&codes);
        draft
    }

    fn list(&self, id: ResourceId, parameters: &[Named]) -> Draft {
        let resource = self.model.resource(id);
        let noun = plural(&resource.collection);
        let mut draft = self.draft(
            id,
            "list",
            &noun,
            format!("A page of {}", resource.collection),
            Operation::Read,
        );
        draft.parameters = parameters.iter().map(reference).collect();
        draft.conditional();
        draft.responses.extend(self.problems(READ));
        draft.responses.insert(
            200,
            json!({
                "description": "A page.",
                "headers": self.headers(&["ETag", "Cache-Control", "Vary", "Link"]),
                "content": { JSON: { "schema": self.reference(id, Kind::Page) } },
            }),
        );
        draft.responses.insert(304, self.not_modified());
        draft
    }

    fn read(&self, id: ResourceId, parameters: &[Named]) -> Draft {
        let resource = self.model.resource(id);
        let mut draft = self.draft(
            id,
            "get",
            &resource.name,
            format!("One {}", resource.name),
            Operation::Read,
        );
        draft.parameters = parameters.iter().map(reference).collect();
        draft.conditional();
        draft.responses.extend(self.problems(READ));
        draft.responses.extend(self.problems(&[Code::NotFound]));
        draft.responses.insert(200, self.item_shown(id, "The item."));
        draft.responses.insert(304, self.not_modified());
        draft
    }

    fn item_shown(&self, id: ResourceId, description: &str) -> Value {
        json!({
            "description": description,
            "headers": self.headers(&["ETag", "Cache-Control", "Vary"]),
            "content": { JSON: { "schema": self.any_of_item(id) } },
        })
    }

    fn not_modified(&self) -> Value {
        json!({
            "description": "It is what `If-None-Match` names.",
            "headers": self.headers(&["ETag", "Cache-Control", "Vary"]),
        })
    }

    /// The same without content.
    fn head(&self, of: Draft) -> Draft {
        let mut draft = of;
        let noun = draft.id.trim_start_matches("list").trim_start_matches("get");
        draft.id = format!("head{noun}");
        draft.summary = format!("The headers of: {}", draft.summary);
        for (status, response) in &mut draft.responses {
            let headers = match response.get("headers") {
                Some(headers) => headers.clone(),
                None => self.headers(response::headers_of(*status)),
            };
            *response = json!({ "description": format!("As to GET: {status}."), "headers": headers });
        }
        draft
    }

    fn options(&self, tag: &str, noun: &str, methods: &[&str]) -> Draft {
        let mut headers = vec!["Allow"];
        if methods.contains(&"POST") {
            headers.push("Accept-Post");
        }
        if methods.contains(&"PATCH") {
            headers.push("Accept-Patch");
        }
        if methods.contains(&"QUERY") {
            headers.push("Accept-Query");
        }
        let codes = [Code::UriTooLong, Code::HeadersTooLarge, Code::Internal];
        let mut draft = self.service_draft(
            &format!("options{noun}"),
            "The methods of the address",
            &codes,
            json!([]),
        );
        tag.clone_into(&mut draft.tag);
        draft.responses.insert(
            204,
            json!({ "description": "What may be asked here.", "headers": self.headers(&headers) }),
        );
        draft
    }

    fn create(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let summary = format!("Makes one {0}, or several {0}, all or none", resource.name);
        let mut draft = self.draft(id, "create", &resource.name, summary, Operation::Create);
        let one = self.reference(id, Kind::Body(Body::Create));
        draft.body = Some(self.one_or_several(&one));
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(BODY));
        let mut made = json!({
            "description": "It is made. One item is shown as its maker may see it; without content, he may not.",
            "headers": self.headers(&["Cache-Control", "Location", "Content-Location", "ETag", "Vary", "Preference-Applied"]),
        });
        if resource.access.read.is_some() {
            let schema =
                json!({ "anyOf": [self.reference(id, Kind::Whole), self.reference(id, Kind::Made)] });
            made["content"] = json!({ JSON: { "schema": schema } });
        } else {
            made["content"] = json!({ JSON: { "schema": self.reference(id, Kind::Made) } });
        }
        draft.responses.insert(201, made);
        draft.takes_header("Prefer");
        draft
    }

    fn replace(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let may_create = resource.key.by_client && resource.access.create.is_some();
        let operation = if resource.access.update.is_some() {
            Operation::Update
        } else {
            Operation::Create
        };
        let summary = format!("Replaces the whole {}", resource.name);
        let mut draft = self.draft(id, "replace", &resource.name, summary, operation);
        draft.body = Some(content(
            JSON_TYPES,
            &self.reference(id, Kind::Body(Body::Replace)),
        ));
        self.writes_item(id, &mut draft, &["Cache-Control", "Vary", "Preference-Applied"]);
        draft.responses.extend(self.problems(BODY));
        if may_create {
            draft.responses.insert(
                201,
                json!({
                    "description": "It is made; without content, its maker may not read it.",
                    "headers": self.headers(&["Cache-Control", "Location", "Content-Location", "Vary", "Preference-Applied"]),
                    "content": { JSON: { "schema": self.reference(id, Kind::Whole) } },
                }),
            );
        }
        draft
    }

    fn patch(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let summary = format!("Changes members of a {}", resource.name);
        let mut draft = self.draft(id, "update", &resource.name, summary, Operation::Update);
        let mut body = content(MERGE_PATCH_TYPES, &self.reference(id, Kind::Body(Body::Patch)));
        body["content"][JSON_PATCH_TYPE] = json!({ "schema": { "$ref": "#/components/schemas/JsonPatch" } });
        draft.body = Some(body);
        self.writes_item(
            id,
            &mut draft,
            &[
                "Cache-Control",
                "Vary",
                "ETag",
                "Content-Location",
                "Preference-Applied",
            ],
        );
        draft.responses.extend(self.problems(BODY));
        draft
    }

    fn delete(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let summary = format!("Deletes a {}", resource.name);
        let mut draft = self.draft(id, "delete", &resource.name, summary, Operation::Delete);
        draft.conditional();
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(OF_ITEM));
        draft.responses.insert(
            204,
            json!({ "description": "It is gone.", "headers": self.headers(&["Cache-Control"]) }),
        );
        draft
    }

    /// What PUT and PATCH have in common.
    fn writes_item(&self, id: ResourceId, draft: &mut Draft, headers: &[&str]) {
        draft.conditional();
        draft.takes_header("Prefer");
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(OF_ITEM));
        if self.model.resource(id).access.read.is_some() {
            draft.responses.insert(
                200,
                json!({
                    "description": "The item as it is now.",
                    "headers": self.headers(headers),
                    "content": { JSON: { "schema": self.reference(id, Kind::Whole) } },
                }),
            );
        }
        draft.responses.insert(
            204,
            json!({
                "description": "It is changed, and its writer may not read it any more, or doesn't want to see it.",
                "headers": self.headers(&["Cache-Control", "ETag", "Preference-Applied"]),
            }),
        );
    }

    /// The addresses of the service itself.
    pub(super) fn own_paths(&self, paths: &mut Object) {
        let at = |path: &str| format!("{}{path}", self.prefix);
        if let Some(accounts) = self.accounts() {
            self.own_path(paths, at("/me"), None, self.me(accounts), "get");
            self.own_path(paths, at("/tokens"), None, self.make_token(), "post");
            self.own_path(paths, at("/tokens/current"), None, self.revoke_token(), "delete");
        }
        let version = json!({ "name": "version", "in": "query", "schema": { "type": "string", "enum": ["3.1", "3.2"], "default": "3.1" } });
        let mut document = self.document("OpenApi", "This document", about::JSON);
        document.parameters.insert(0, version);
        self.own_path(paths, at("/openapi.json"), None, document, "get");
        let schema = self.document("Schema", "The JSON Schema of a value", about::SCHEMA);
        let names = json!(self.schema_names());
        self.own_path(paths, at("/schemas/{name}"), Some(names), schema, "get");
        let problem = self.document("Problem", "What a problem means", about::JSON);
        let codes: Vec<&str> = Code::all().iter().map(|row| row.word).collect();
        self.own_path(paths, at("/problems/{code}"), Some(json!(codes)), problem, "get");
        let catalog = self.document("Catalog", "Where this document is (RFC 9727)", about::LINKSET);
        self.own_path(paths, "/.well-known/api-catalog".to_owned(), None, catalog, "get");
        let live = self.health("Live", "Whether the process is alive", "live");
        self.own_path(paths, "/health/live".to_owned(), None, live, "get");
        let ready = self.health("Ready", "Whether requests should be sent here", "ready");
        self.own_path(paths, "/health/ready".to_owned(), None, ready, "get");
    }

    /// An address with one method, and those that come with it; `words` are what its variable may be.
    fn own_path(
        &self,
        paths: &mut Object,
        address: String,
        words: Option<Value>,
        mut draft: Draft,
        method: &str,
    ) {
        let mut all = Object::new();
        if let Some(words) = words {
            let name = address.split(['{', '}']).nth(1).unwrap_or_default();
            let schema = json!({ "type": "string", "enum": words });
            let variable = json!([{ "name": name, "in": "path", "required": true, "schema": schema }]);
            all.insert("parameters".to_owned(), variable);
            draft.responses.extend(self.problems(&[Code::NotFound]));
        }
        let noun = draft.id.clone();
        let head = (method == "get").then(|| self.head(draft.clone()));
        draft.id = format!("{}{noun}", if method == "post" { "create" } else { method });
        all.insert(method.to_owned(), draft.finished());
        if let Some(head) = head {
            all.insert("head".to_owned(), head.finished());
        }
        let options = self.options("service", &noun, &[&method.to_ascii_uppercase()]);
        all.insert("options".to_owned(), options.finished());
        paths.insert(address, Value::Object(all));
    }

    fn schema_names(&self) -> Vec<String> {
        let all = self
            .model
            .schema
            .resources()
            .flat_map(|(id, _)| Kind::ALL.map(|kind| (id, kind)));
        all.filter(|(id, kind)| self.schema_of(*id, *kind).is_some())
            .map(|(id, kind)| self.name(id, kind))
            .collect()
    }

    fn service_draft(&self, id: &str, summary: &str, codes: &[Code], security: Value) -> Draft {
        Draft {
            id: id.to_owned(),
            summary: summary.to_owned(),
            tag: "service".to_owned(),
            parameters: Vec::new(),
            body: None,
            responses: self.problems(codes),
            security,
            is_deprecated: false,
        }
    }

    fn document(&self, id: &str, summary: &str, types: &[&str]) -> Draft {
        let mut draft = self.service_draft(id, summary, ANY, json!([]));
        draft
            .responses
            .extend(self.problems(&[Code::UnknownParameter, Code::PreconditionFailed]));
        draft.conditional();
        draft.responses.insert(
            200,
            json!({
                "description": "The document.",
                "headers": self.headers(&["ETag", "Cache-Control", "Vary", "Link"]),
                "content": contents(types, &json!({ "type": "object" })),
            }),
        );
        draft.responses.insert(304, self.not_modified());
        draft
    }

    fn me(&self, accounts: ResourceId) -> Draft {
        let mut draft = self.service_draft("Me", "The account that asks", ANY, self.security(true));
        let more = [
            Code::UnknownParameter,
            Code::Unauthenticated,
            Code::Forbidden,
            Code::NotFound,
            Code::StoredValue,
            Code::PreconditionFailed,
        ];
        draft.responses.extend(self.problems(&more));
        draft.parameters = self.parameters(accounts, true).iter().map(reference).collect();
        draft.conditional();
        draft
            .responses
            .insert(200, self.item_shown(accounts, "The account."));
        draft.responses.insert(304, self.not_modified());
        draft
    }

    fn make_token(&self) -> Draft {
        let mut draft = self.service_draft(
            "Token",
            "Signs in, and makes a token",
            ANY,
            json!([{ "basic": [] }, {}]),
        );
        let more = [
            Code::UnknownParameter,
            Code::UnreadableBody,
            Code::Unauthenticated,
            Code::BadCredentials,
            Code::Forbidden,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::Invalid,
            Code::TooManyRequests,
        ];
        draft.responses.extend(self.problems(&more));
        let mut body = content(JSON_TYPES, &json!({ "$ref": "#/components/schemas/TokenCreate" }));
        body["required"] = json!(false);
        draft.body = Some(body);
        draft.responses.insert(
            201,
            json!({
                "description": "The token; it is shown this once.",
                "headers": self.headers(&["Cache-Control", "Location", "Vary"]),
                "content": { JSON: { "schema": { "$ref": "#/components/schemas/Token" } } },
            }),
        );
        draft
    }

    fn revoke_token(&self) -> Draft {
        let mut draft = self.service_draft(
            "CurrentToken",
            "Revokes the token of this request",
            ANY,
            self.security(true),
        );
        draft
            .responses
            .extend(self.problems(&[Code::UnknownParameter, Code::Unauthenticated]));
        draft.responses.insert(
            204,
            json!({ "description": "It is revoked.", "headers": self.headers(&["Cache-Control"]) }),
        );
        draft
    }

    fn health(&self, id: &str, summary: &str, status: &str) -> Draft {
        let codes = [
            Code::UriTooLong,
            Code::HeadersTooLarge,
            Code::Internal,
            Code::Unavailable,
        ];
        let mut draft = self.service_draft(id, summary, &codes, json!([]));
        let schema = object(
            [("status", json!({ "type": "string", "const": status }))],
            &["status"],
        );
        draft.responses.insert(
            200,
            json!({
                "description": "It is.",
                "headers": self.headers(&["Cache-Control"]),
                "content": { JSON: { "schema": schema } },
            }),
        );
        draft
    }

    pub(super) fn token_schemas(&self) -> Object {
        if self.accounts().is_none() {
            return Object::new();
        }
        let longest = self.model.schema.tokens.max_lifetime;
        let scopes = json!({ "type": "array", "items": { "type": "string", "const": "*" }, "minItems": 1, "maxItems": 1 });
        let name = json!({ "type": ["string", "null"], "maxLength": 200 });
        let moment = json!({ "type": "string", "format": "date-time", "maxLength": 32 });
        let create = object(
            [
                (
                    "identifier",
                    json!({ "type": "string", "maxLength": self.model.schema.limits.body, "description": "what names the account; not beside HTTP Basic" }),
                ),
                (
                    "password",
                    json!({ "type": "string", "format": "password", "maxLength": self.model.schema.limits.body, "writeOnly": true }),
                ),
                ("name", name.clone()),
                ("scopes", scopes.clone()),
                (
                    "lifetime",
                    json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": longest, "description": "in seconds" }),
                ),
            ],
            &[],
        );
        let token = object(
            [
                (
                    "id",
                    json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX }),
                ),
                (
                    "token",
                    json!({ "type": "string", "maxLength": 200, "description": "to be sent as `Authorization: Bearer`" }),
                ),
                ("token_type", json!({ "type": "string", "const": "Bearer" })),
                ("name", name),
                ("scopes", scopes),
                ("created_at", moment.clone()),
                ("expires_at", moment),
                (
                    "last_used_at",
                    json!({ "type": ["string", "null"], "format": "date-time", "maxLength": 32 }),
                ),
            ],
            &[
                "id",
                "token",
                "token_type",
                "name",
                "scopes",
                "created_at",
                "expires_at",
                "last_used_at",
            ],
        );
        Object::from_iter([("TokenCreate".to_owned(), create), ("Token".to_owned(), token)])
    }

    /// Who may ask: with a token, or anybody too.
    fn security(&self, is_closed: bool) -> Value {
        match (self.accounts(), is_closed) {
            (None, _) => json!([]),
            (Some(_), true) => json!([{ "bearer": [] }]),
            (Some(_), false) => json!([{}, { "bearer": [] }]),
        }
    }

    pub(super) fn security_schemes(&self) -> Value {
        if self.accounts().is_none() {
            return json!({});
        }
        json!({
            "bearer": { "type": "http", "scheme": "bearer", "description": format!("A token that `POST {}/tokens` gave.", self.prefix) },
            "basic": { "type": "http", "scheme": "basic", "description": "Name and password, where a token is made." },
        })
    }
}

impl Draft {
    /// It may be made to depend on what is there.
    fn conditional(&mut self) {
        self.takes_header("If-Match");
        self.takes_header("If-None-Match");
    }

    fn takes_header(&mut self, name: &str) {
        self.parameters
            .push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }

    fn finished(self) -> Value {
        let mut operation = Object::new();
        operation.insert("operationId".to_owned(), json!(self.id));
        operation.insert("summary".to_owned(), json!(self.summary));
        operation.insert("tags".to_owned(), json!([self.tag]));
        if !self.parameters.is_empty() {
            operation.insert("parameters".to_owned(), json!(self.parameters));
        }
        if let Some(body) = self.body {
            operation.insert("requestBody".to_owned(), body);
        }
        let responses: Object = self
            .responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), response))
            .collect();
        operation.insert("responses".to_owned(), Value::Object(responses));
        operation.insert("security".to_owned(), self.security);
        if self.is_deprecated {
            operation.insert("deprecated".to_owned(), json!(true));
        }
        Value::Object(operation)
    }
}

fn reference(parameter: &Named) -> Value {
    json!({ "$ref": format!("#/components/parameters/{}", parameter.0) })
}

fn content(types: &[&str], schema: &Value) -> Value {
    json!({ "required": true, "content": contents(types, schema) })
}

fn contents(types: &[&str], schema: &Value) -> Value {
    let of = |media: &&str| ((*media).to_owned(), json!({ "schema": schema }));
    Value::Object(types.iter().map(of).collect())
}

/// `blog-posts` → `BlogPosts`
fn plural(collection: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
    };
    collection.split('-').map(capital).collect()
}
