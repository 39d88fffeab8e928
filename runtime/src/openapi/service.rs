//! The addresses of the service itself: who asks, tokens, documents, health.

use rest_schema::ResourceId;
use serde_json::{Value, json};

use super::draft::{ANY, Draft, JSON, content, contents, reference};
use super::field::Object;
use super::formats::endless;
use super::response::CSRF_TOKEN;
use super::schema::Kind;
use super::{Document, object};
use crate::problem::Code;
use crate::request::body::JSON_TYPES;
use crate::request::negotiate::about;
use crate::scope;
#[cfg(feature = "docs-ui")]
use crate::serve::docs;
use crate::session::SESSION_COOKIE;
use crate::storage::state::MOST_TOKENS;

/// What a token has to be for what is of all tokens.
const ALL: &[&str] = &[scope::ALL];

impl Document<'_> {
    /// The addresses of the service itself.
    pub(super) fn own_paths(&self, paths: &mut Object) {
        let at = |path: &str| format!("{}{path}", self.prefix);
        // These stand where the service is mounted, beside its own prefix.
        let mount = self.prefix.strip_suffix(self.model.schema.prefix.as_str());
        let beside = |path: &str| format!("{}{path}", mount.unwrap_or_default());
        if let Some(accounts) = self.accounts() {
            self.own_path(paths, at("/me"), None, vec![("get", self.me(accounts))]);
            let all = vec![
                ("get", self.tokens()),
                ("post", self.make_token()),
                (
                    "delete",
                    self.revoke("Tokens", "Revokes all tokens of the account", ALL),
                ),
            ];
            self.own_path(paths, at("/tokens"), None, all);
            let current = "CurrentToken";
            let one = vec![
                ("get", self.token(current, "The token of this request", &[])),
                (
                    "delete",
                    self.revoke(current, "Revokes the token of this request", &[]),
                ),
            ];
            self.own_path(paths, at("/tokens/current"), None, one);
            let one = vec![
                ("get", self.token("Token", "A token of the account", ALL)),
                (
                    "delete",
                    self.revoke("Token", "Revokes a token of the account", ALL),
                ),
            ];
            self.own_path(paths, at("/tokens/{id}"), Some(token_id()), one);
        }
        let version = json!({ "name": "version", "in": "query", "schema": { "type": "string", "enum": ["3.1", "3.2"], "default": "3.1" } });
        let mut document = self.document("OpenApi", "This document", about::JSON);
        document.parameters.insert(0, version);
        self.own_path(paths, at("/openapi.json"), None, vec![("get", document)]);
        #[cfg(feature = "docs-ui")]
        self.pages(paths);
        let schema = self.document("Schema", "The JSON Schema of a value", about::SCHEMA);
        let names = json!(self.schema_names());
        self.own_path(
            paths,
            at("/schemas/{name}"),
            Some(one_of(&names)),
            vec![("get", schema)],
        );
        let problem = self.document("Problem", "What a problem means", about::JSON);
        let codes: Vec<&str> = Code::all().iter().map(|row| row.word).collect();
        self.own_path(
            paths,
            at("/problems/{code}"),
            Some(one_of(&json!(codes))),
            vec![("get", problem)],
        );
        let catalog = self.document("Catalog", "Where this document is (RFC 9727)", about::LINKSET);
        self.own_path(
            paths,
            beside("/.well-known/api-catalog"),
            None,
            vec![("get", catalog)],
        );
        let live = self.health("Live", "Whether the process is alive", "live");
        self.own_path(paths, beside("/health/live"), None, vec![("get", live)]);
        let ready = self.health("Ready", "Whether requests should be sent here", "ready");
        self.own_path(paths, beside("/health/ready"), None, vec![("get", ready)]);
    }

    /// An address with its methods, and those that come with them; `variable` is the schema of its variable.
    pub(super) fn own_path(
        &self,
        paths: &mut Object,
        address: String,
        variable: Option<Value>,
        drafts: Vec<(&'static str, Draft)>,
    ) {
        let mut all = Object::new();
        let mut variables = Value::Null;
        if let Some(schema) = variable {
            let name = address.split(['{', '}']).nth(1).unwrap_or_default();
            variables = json!([{ "name": name, "in": "path", "required": true, "schema": schema }]);
            all.insert("parameters".to_owned(), variables.clone());
        }
        let noun = drafts
            .first()
            .map(|(_, draft)| draft.noun.clone())
            .unwrap_or_default();
        let methods: Vec<String> = drafts
            .iter()
            .map(|(method, _)| method.to_ascii_uppercase())
            .collect();
        let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
        let mut options = self.options("service", &noun, &methods, &variables);
        // What stands in a variable may be nothing that there is.
        let unknown: &[Code] = if variables.is_null() {
            &[]
        } else {
            &[Code::NotFound]
        };
        options.responses.extend(self.problems(unknown));
        for (method, mut draft) in drafts {
            draft.responses.extend(self.problems(unknown));
            let head = (method == "get").then(|| self.head(draft.clone()));
            draft.verb = if method == "post" { "create" } else { method };
            all.insert(method.to_owned(), draft.finished());
            if let Some(head) = head {
                all.insert("head".to_owned(), head.finished());
            }
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
        self.own_path(paths, at("/docs"), None, vec![("get", text(page, about::HTML))]);
        let names = json!(docs::FILES.map(|(name, _)| name));
        let mut types: Vec<&str> = docs::FILES
            .iter()
            .flat_map(|(_, types)| *types)
            .copied()
            .collect();
        types.dedup();
        let file = self.document("DocsFile", "A file of that page", &types);
        self.own_path(
            paths,
            at("/docs/{file}"),
            Some(one_of(&names)),
            vec![("get", text(file, &types))],
        );
    }

    pub(super) fn me(&self, accounts: ResourceId) -> Draft {
        let mut draft = self.service_draft(
            "Me",
            "The account that asks",
            ANY,
            self.security(true, &[] as &[&str]),
        );
        let more = [
            Code::UnknownParameter,
            Code::Unauthenticated,
            Code::Forbidden,
            Code::InsufficientScope,
            Code::NotFound,
            Code::StoredValue,
            Code::PreconditionFailed,
        ];
        draft.responses.extend(self.problems(&more));
        draft.responses.extend(self.problems(self.counted().as_slice()));
        draft.parameters = self.parameters(accounts, true).iter().map(reference).collect();
        self.shows_item(accounts, &mut draft, "The account.");
        if self.has_sessions()
            && let Some(shown) = draft.responses.get_mut(&200)
        {
            shown["headers"][CSRF_TOKEN] = json!({ "$ref": format!("#/components/headers/{CSRF_TOKEN}") });
        }
        draft
    }

    pub(super) fn make_token(&self) -> Draft {
        let mut draft = self.service_draft("Token", "Signs in, and makes a token", ANY, self.signing_in());
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
                "content": { JSON: { "schema": self.own_reference("TokenMade") } },
            }),
        );
        draft
    }

    /// How a token is asked for: by HTTP Basic, by the body, by a session.
    fn signing_in(&self) -> Value {
        let session = self.has_sessions().then(|| json!({ "session": [] }));
        let others = [json!({ "basic": [] }), json!({})];
        others.into_iter().chain(session).collect()
    }

    pub(super) fn tokens(&self) -> Draft {
        let schema = self.own_reference("TokenList");
        self.of_tokens(
            "Tokens",
            "The tokens of the account, the latest first",
            ALL,
            &schema,
        )
    }

    pub(super) fn token(&self, noun: &str, summary: &str, scopes: &[&str]) -> Draft {
        self.of_tokens(noun, summary, scopes, &self.own_reference("Token"))
    }

    fn of_tokens(&self, noun: &str, summary: &str, scopes: &[&str], schema: &Value) -> Draft {
        let mut draft = self.for_accounts(noun, summary, scopes);
        draft.responses.insert(
            200,
            json!({
                "description": "What is kept of it, without what it is known by.",
                "headers": self.headers(&["Cache-Control", "Vary"]),
                "content": { JSON: { "schema": schema } },
            }),
        );
        draft
    }

    pub(super) fn revoke(&self, noun: &str, summary: &str, scopes: &[&str]) -> Draft {
        let mut draft = self.for_accounts(noun, summary, scopes);
        draft.responses.insert(
            204,
            json!({ "description": "It is revoked.", "headers": self.headers(&["Cache-Control"]) }),
        );
        draft
    }

    /// What needs somebody who has signed in, or a token of these scopes.
    fn for_accounts(&self, noun: &str, summary: &str, scopes: &[&str]) -> Draft {
        let mut draft = self.service_draft(noun, summary, ANY, self.security(true, scopes));
        let more = [
            Code::UnknownParameter,
            Code::Unauthenticated,
            Code::InsufficientScope,
        ];
        draft.responses.extend(self.problems(&more));
        draft.responses.extend(self.problems(self.counted().as_slice()));
        // Whoever comes otherwise has no token of the service's own that would be the current one.
        if scopes.is_empty() && (self.has_sessions() || self.takes_jwts()) {
            draft.responses.extend(self.problems(&[Code::NotFound]));
        }
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
        let words = self.model.scopes.all();
        let scopes = json!({
            "type": "array",
            "description": "what it may do: read or write the items of a collection, or `*` for everything, which is meant where none are named",
            "items": { "type": "string", "enum": words },
            "minItems": 1,
            "maxItems": words.len(),
        });
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
        let id = ("id", token_id());
        let secret = (
            "token",
            json!({ "type": "string", "maxLength": 200, "description": "to be sent as `Authorization: Bearer`" }),
        );
        let kept = [
            ("token_type", json!({ "type": "string", "const": "Bearer" })),
            ("name", name),
            ("scopes", scopes),
            ("created_at", moment.clone()),
            ("expires_at", moment),
            (
                "last_used_at",
                json!({ "type": ["string", "null"], "format": "date-time", "maxLength": 32, "description": "to the minute or so" }),
            ),
        ];
        let of = |first: Vec<(&'static str, Value)>| {
            let all: Vec<_> = first.into_iter().chain(kept.clone()).collect();
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            object(all, &names)
        };
        let items = json!({ "type": "array", "items": self.own_reference("Token"), "maxItems": MOST_TOKENS });
        Object::from_iter([
            (self.own("TokenCreate"), create),
            (self.own("TokenMade"), of(vec![id.clone(), secret])),
            (self.own("Token"), of(vec![id])),
            (self.own("TokenList"), object([("items", items)], &["items"])),
        ])
    }

    pub(super) fn security_schemes(&self) -> Value {
        if self.accounts().is_none() {
            return json!({});
        }
        let mut schemes = json!({
            "bearer": { "type": "http", "scheme": "bearer", "description": format!("A token that `POST {}/tokens` gave.", self.prefix) },
            "basic": { "type": "http", "scheme": "basic", "description": "Name and password, where a token is made." },
        });
        if let Some(jwt) = &self.model.schema.jwt {
            let description = format!("A token that {} gave, checked as RFC8725 has it.", jwt.issuer);
            schemes["jwt"] = json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description });
        }
        if self.has_sessions() {
            let app = self.model.schema.flask();
            let name = app.map_or(SESSION_COOKIE, |app| app.cookie.as_str());
            let description =
                "The cookie of a signed-in browser; a change sends its token in X-CSRF-Token, too.";
            schemes["session"] =
                json!({ "type": "apiKey", "in": "cookie", "name": name, "description": description });
        }
        schemes
    }
}

fn token_id() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX })
}

fn one_of(words: &Value) -> Value {
    json!({ "type": "string", "enum": words })
}
