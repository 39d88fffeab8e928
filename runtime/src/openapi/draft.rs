//! One operation under way: what all of them have in common.

use std::collections::BTreeMap;

use rest_schema::{Operation, ResourceId};
use serde_json::{Value, json};

use super::field::{self, LONGEST_QUERY, Object};
use super::parameter::Named;
use super::response::{CSRF_TOKEN, LONGEST_HEADERS};
use super::{Document, Version, response};
use crate::caller::Caller;
use crate::plan::access::{Deed, Permit};
use crate::problem::Code;
use crate::request::precondition;
use crate::scope;

/// The media type of items and pages.
pub(super) const JSON: &str = "application/json";

/// What any request may be refused by.
pub(super) const ANY: &[Code] = &[
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::NotAcceptable,
    Code::Internal,
    Code::Unavailable,
];
/// What a read may be refused by, beyond that.
pub(super) const READ: &[Code] = &[
    Code::UnknownParameter,
    Code::PreconditionFailed,
    Code::StoredValue,
];
/// What a write may be refused by, beyond that.
pub(super) const WRITE: &[Code] = &[Code::UnknownParameter, Code::Conflict, Code::StoredValue];
/// What a body may be refused by.
pub(super) const BODY: &[Code] = &[
    Code::UnreadableBody,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::Invalid,
];
/// What a write of an item that may be there already is refused by.
pub(super) const OF_ITEM: &[Code] = &[Code::NotFound, Code::PreconditionFailed];

/// One operation under way.
#[derive(Clone)]
pub(super) struct Draft {
    /// What it does, and to what: together its name.
    pub(super) verb: &'static str,
    pub(super) noun: String,
    pub(super) summary: String,
    pub(super) tag: String,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) responses: BTreeMap<u16, Value>,
    pub(super) security: Value,
    pub(super) is_deprecated: bool,
}

impl Document<'_> {
    pub(super) fn draft(
        &self,
        id: ResourceId,
        verb: &'static str,
        noun: &str,
        summary: String,
        deed: impl Into<Deed>,
    ) -> Draft {
        let deed = deed.into();
        let resource = self.model.resource(id);
        let mut codes: Vec<Code> = ANY.to_vec();
        let permit = self.model.rules(id).deed(deed).permit(&Caller::anonymous());
        let is_read = deed == Deed::Operation(Operation::Read);
        let is_ruled = !is_read && resource.fields.iter().any(|field| field.writable.is_some());
        if permit != Permit::Always || is_ruled {
            codes.push(Code::Forbidden);
        }
        if self.accounts().is_some() {
            codes.push(Code::InsufficientScope);
        }
        codes.extend(self.counted());
        if self.accounts().is_some() {
            codes.push(Code::BadToken);
        }
        // Whoever isn't signed in is asked to, where the row decides, too.
        if permit != Permit::Always {
            codes.push(Code::Unauthenticated);
        }
        Draft {
            verb,
            noun: noun.to_owned(),
            summary,
            tag: resource.name.clone(),
            parameters: Vec::new(),
            body: None,
            responses: self.problems(&codes),
            security: self.security(permit == Permit::Never, &self.scopes_of(id, deed)),
            is_deprecated: resource.deprecated.is_some(),
        }
    }

    /// The scopes without which a token can't do it.
    fn scopes_of(&self, id: ResourceId, deed: Deed) -> Vec<String> {
        let resource = self.model.resource(id);
        let rule = match deed {
            Deed::Operation(operation) => resource.access.rule(operation),
            Deed::Link(relation) => {
                let own = self.model.relation(relation).access.as_ref();
                own.or(resource.access.rule(Operation::Update))
            }
        };
        let own = rule.map(|rule| rule.expr.needed_scopes()).unwrap_or_default();
        let word = scope::word(&self.model.schema, id, deed.into());
        std::iter::once(word)
            .chain(own.into_iter().map(str::to_owned))
            .collect()
    }

    /// How a request is refused that is one too many.
    pub(super) fn counted(&self) -> Option<Code> {
        let quota = self.model.schema.limits.quota;
        quota.map(|_| Code::TooManyRequests)
    }

    pub(super) fn service_draft(&self, noun: &str, summary: &str, codes: &[Code], security: Value) -> Draft {
        Draft {
            verb: "get",
            noun: noun.to_owned(),
            summary: summary.to_owned(),
            tag: "service".to_owned(),
            parameters: Vec::new(),
            body: None,
            responses: self.problems(codes),
            security,
            is_deprecated: false,
        }
    }

    /// The same without content.
    pub(super) fn head(&self, mut draft: Draft) -> Draft {
        draft.verb = "head";
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

    /// OPTIONS of an address with these variables. It doesn't look at what stands in them.
    pub(super) fn options(&self, tag: &str, noun: &str, methods: &[&str], variables: &Value) -> Draft {
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
        headers.extend(self.preflight());
        let codes = [Code::UriTooLong, Code::HeadersTooLarge, Code::Internal];
        let mut draft = self.service_draft(noun, "The methods of the address", &codes, json!([]));
        draft.verb = "options";
        let anything = |variable: &Value| {
            let schema = json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_QUERY });
            json!({ "name": variable["name"], "in": "path", "required": true, "schema": schema })
        };
        draft.parameters = variables.as_array().into_iter().flatten().map(anything).collect();
        tag.clone_into(&mut draft.tag);
        draft.responses.insert(
            204,
            json!({ "description": "What may be asked here.", "headers": self.headers(&headers) }),
        );
        draft
    }

    pub(super) fn not_modified(&self, headers: &[&str]) -> Value {
        json!({
            "description": "It is what the client has already.",
            "headers": self.headers(headers),
        })
    }

    /// It may be sent again, under a key of an account's.
    pub(super) fn repeatable(&self, draft: &mut Draft) {
        if self.accounts().is_none() {
            return;
        }
        draft.takes("Idempotency-Key");
        for status in [200, 201, 204] {
            if let Some(response) = draft.responses.get_mut(&status) {
                response["headers"]["Idempotency-Replayed"] =
                    json!({ "$ref": "#/components/headers/Idempotency-Replayed" });
            }
        }
    }

    /// OpenAPI 3.1 can't say QUERY.
    pub(super) fn known_methods(&self, all: &mut Object) {
        if self.version == Version::V3_1 {
            all.shift_remove("query");
        }
    }

    pub(super) fn key_parameters(&self, id: ResourceId) -> Value {
        let key = &self.model.resource(id).key.fields;
        let of = |field_id: &rest_schema::FieldId| {
            let field = self.model.field(*field_id);
            let mut schema = field::sought(field);
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
            let mut schema = json!({ "type": "string", "maxLength": LONGEST_HEADERS });
            match name {
                "If-Match" | "If-None-Match" => {
                    schema["pattern"] = json!(precondition::PATTERN);
                    schema["examples"] = json!([r#""5f1e0c9ab27d4e36.1f6b8a2c""#]);
                }
                CSRF_TOKEN => schema["examples"] = json!(["q0mW3XkqD1n3w8nF2m6b0pVh4sYc7tLr9uZxKj5aE1o"]),
                "Prefer" => schema["examples"] = json!(["return=minimal"]),
                _ => schema["examples"] = json!(["Sat, 31 Jan 2026 08:30:00 GMT"]),
            }
            let parameter = json!({ "name": name, "in": "header", "description": doc, "schema": schema });
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
                "If-Modified-Since",
                "only where it has changed since, if no If-None-Match is sent (RFC 9110, 13.1.3); else 304",
            ),
            of(
                "If-Unmodified-Since",
                "only where it hasn't changed since, if no If-Match is sent (RFC 9110, 13.1.4); else 412",
            ),
            of(
                "Idempotency-Key",
                "a name for the request, in double quotes: sent again within a day, it is answered as it was and not done again",
            ),
            of(CSRF_TOKEN, "the token of the session by which the request comes"),
            of(
                "Prefer",
                "`return=minimal` for no content, `return=representation` for the item (RFC 7240)",
            ),
        ])
    }

    /// Who may ask: with a token of these scopes, or anybody too.
    pub(super) fn security(&self, is_closed: bool, scopes: &[impl AsRef<str>]) -> Value {
        let scopes: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
        if self.accounts().is_none() {
            return json!([]);
        }
        let nobody = (!is_closed).then(|| json!({}));
        let session = self.has_sessions().then(|| json!({ "session": [] }));
        let bearer = json!({ "bearer": scopes });
        let jwt = self.takes_jwts().then(|| json!({ "jwt": scopes }));
        nobody
            .into_iter()
            .chain([bearer])
            .chain(jwt)
            .chain(session)
            .collect()
    }

    /// Whether tokens of another issuer are taken.
    pub(super) fn takes_jwts(&self) -> bool {
        self.model.schema.jwt.is_some()
    }

    /// Whether browsers are signed in by a cookie.
    pub(super) fn has_sessions(&self) -> bool {
        self.model.schema.sessions.is_some()
    }
}

impl Draft {
    /// It may be made to depend on what is there.
    pub(super) fn conditional(&mut self) {
        self.takes("If-Match");
        self.takes("If-None-Match");
    }

    /// It takes a parameter that others take, too.
    pub(super) fn takes(&mut self, name: &str) {
        self.parameters
            .push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }

    pub(super) fn finished(self) -> Value {
        let mut operation = Object::new();
        operation.insert(
            "operationId".to_owned(),
            json!(format!("{}{}", self.verb, self.noun)),
        );
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

pub(super) fn reference(parameter: &Named) -> Value {
    json!({ "$ref": format!("#/components/parameters/{}", parameter.0) })
}

pub(super) fn content(types: &[&str], schema: &Value) -> Value {
    json!({ "required": true, "content": contents(types, schema) })
}

pub(super) fn contents(types: &[&str], schema: &Value) -> Value {
    let of = |media: &&str| ((*media).to_owned(), json!({ "schema": schema }));
    Value::Object(types.iter().map(of).collect())
}
