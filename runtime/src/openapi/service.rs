//! The addresses of the service itself: who asks, tokens, documents, health.

use rest_schema::ResourceId;
use serde_json::{Value, json};

use super::draft::{ANY, Draft, JSON, content, contents, reference};
use super::field::Object;
use super::formats::endless;
use super::schema::Kind;
use super::{Document, object};
use crate::problem::Code;
use crate::request::body::JSON_TYPES;
use crate::request::negotiate::about;
#[cfg(feature = "docs-ui")]
use crate::serve::docs;

impl Document<'_> {
    /// The addresses of the service itself.
    pub(super) fn own_paths(&self, paths: &mut Object) {
        let at = |path: &str| format!("{}{path}", self.prefix);
        // These stand where the service is mounted, beside its own prefix.
        let mount = self.prefix.strip_suffix(self.model.schema.prefix.as_str());
        let beside = |path: &str| format!("{}{path}", mount.unwrap_or_default());
        if let Some(accounts) = self.accounts() {
            self.own_path(paths, at("/me"), None, self.me(accounts), "get");
            self.own_path(paths, at("/tokens"), None, self.make_token(), "post");
            self.own_path(paths, at("/tokens/current"), None, self.revoke_token(), "delete");
        }
        let version = json!({ "name": "version", "in": "query", "schema": { "type": "string", "enum": ["3.1", "3.2"], "default": "3.1" } });
        let mut document = self.document("OpenApi", "This document", about::JSON);
        document.parameters.insert(0, version);
        self.own_path(paths, at("/openapi.json"), None, document, "get");
        #[cfg(feature = "docs-ui")]
        self.pages(paths);
        let schema = self.document("Schema", "The JSON Schema of a value", about::SCHEMA);
        let names = json!(self.schema_names());
        self.own_path(paths, at("/schemas/{name}"), Some(names), schema, "get");
        let problem = self.document("Problem", "What a problem means", about::JSON);
        let codes: Vec<&str> = Code::all().iter().map(|row| row.word).collect();
        self.own_path(paths, at("/problems/{code}"), Some(json!(codes)), problem, "get");
        let catalog = self.document("Catalog", "Where this document is (RFC 9727)", about::LINKSET);
        self.own_path(paths, beside("/.well-known/api-catalog"), None, catalog, "get");
        let live = self.health("Live", "Whether the process is alive", "live");
        self.own_path(paths, beside("/health/live"), None, live, "get");
        let ready = self.health("Ready", "Whether requests should be sent here", "ready");
        self.own_path(paths, beside("/health/ready"), None, ready, "get");
    }

    /// An address with one method, and those that come with it; `words` are what its variable may be.
    pub(super) fn own_path(
        &self,
        paths: &mut Object,
        address: String,
        words: Option<Value>,
        mut draft: Draft,
        method: &'static str,
    ) {
        let mut all = Object::new();
        let mut variables = Value::Null;
        if let Some(words) = words {
            let name = address.split(['{', '}']).nth(1).unwrap_or_default();
            let schema = json!({ "type": "string", "enum": words });
            variables = json!([{ "name": name, "in": "path", "required": true, "schema": schema }]);
            all.insert("parameters".to_owned(), variables.clone());
            draft.responses.extend(self.problems(&[Code::NotFound]));
        }
        let noun = draft.noun.clone();
        let head = (method == "get").then(|| self.head(draft.clone()));
        draft.verb = if method == "post" { "create" } else { method };
        all.insert(method.to_owned(), draft.finished());
        if let Some(head) = head {
            all.insert("head".to_owned(), head.finished());
        }
        let mut options = self.options("service", &noun, &[&method.to_ascii_uppercase()], &variables);
        if !variables.is_null() {
            options.responses.extend(self.problems(&[Code::NotFound]));
        }
        all.insert("options".to_owned(), options.finished());
        paths.insert(address, Value::Object(all));
    }

    pub(super) fn schema_names(&self) -> Vec<String> {
        let all = self
            .model
            .schema
            .resources()
            .flat_map(|(id, _)| Kind::ALL.map(|kind| (id, kind)));
        let along = self.all_along().map(|relation| self.name_along(relation));
        all.filter(|(id, kind)| self.schema_of(*id, *kind).is_some())
            .map(|(id, kind)| self.name(id, kind))
            .chain(along)
            .collect()
    }

    pub(super) fn document(&self, id: &str, summary: &str, types: &[&str]) -> Draft {
        let mut draft = self.service_draft(id, summary, ANY, json!([]));
        draft
            .responses
            .extend(self.problems(&[Code::UnknownParameter, Code::PreconditionFailed]));
        draft.conditional();
        draft.responses.insert(
            200,
            json!({
                "description": "The document.",
                "headers": self.headers(&["ETag", "Cache-Control", "Vary", "Content-Encoding", "Link"]),
                "content": contents(types, &json!({ "type": "object" })),
            }),
        );
        draft
            .responses
            .insert(304, self.not_modified(&["ETag", "Cache-Control", "Vary"]));
        draft
    }

    /// This document for people, and the files of that page.
    #[cfg(feature = "docs-ui")]
    fn pages(&self, paths: &mut Object) {
        let at = |path: &str| format!("{}{path}", self.prefix);
        let text = |mut draft: Draft, types: &[&str]| {
            for (status, told) in &mut draft.responses {
                if *status == 200 {
                    told["content"] = contents(types, &endless());
                }
                if matches!(status, 200 | 304) {
                    for name in ["Content-Security-Policy", "X-Content-Type-Options"] {
                        told["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
                    }
                }
            }
            draft
        };
        let page = self.document("Docs", "This document, for people", about::HTML);
        self.own_path(paths, at("/docs"), None, text(page, about::HTML), "get");
        let names = json!(docs::FILES.map(|(name, _)| name));
        let mut types: Vec<&str> = docs::FILES
            .iter()
            .flat_map(|(_, types)| *types)
            .copied()
            .collect();
        types.dedup();
        let file = self.document("DocsFile", "A file of that page", &types);
        self.own_path(paths, at("/docs/{file}"), Some(names), text(file, &types), "get");
    }

    pub(super) fn me(&self, accounts: ResourceId) -> Draft {
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
        draft.responses.extend(self.problems(self.counted().as_slice()));
        draft.parameters = self.parameters(accounts, true).iter().map(reference).collect();
        self.shows_item(accounts, &mut draft, "The account.");
        draft
    }

    pub(super) fn make_token(&self) -> Draft {
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
        let mut body = content(JSON_TYPES, &self.own_reference("TokenCreate"));
        body["required"] = json!(false);
        draft.body = Some(body);
        draft.responses.insert(
            201,
            json!({
                "description": "The token; it is shown this once.",
                "headers": self.headers(&["Cache-Control", "Location", "Vary"]),
                "content": { JSON: { "schema": self.own_reference("Token") } },
            }),
        );
        draft
    }

    pub(super) fn revoke_token(&self) -> Draft {
        let mut draft = self.service_draft(
            "CurrentToken",
            "Revokes the token of this request",
            ANY,
            self.security(true),
        );
        draft
            .responses
            .extend(self.problems(&[Code::UnknownParameter, Code::Unauthenticated]));
        draft.responses.extend(self.problems(self.counted().as_slice()));
        draft.responses.insert(
            204,
            json!({ "description": "It is revoked.", "headers": self.headers(&["Cache-Control"]) }),
        );
        draft
    }

    pub(super) fn health(&self, id: &str, summary: &str, status: &str) -> Draft {
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
        Object::from_iter([(self.own("TokenCreate"), create), (self.own("Token"), token)])
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
