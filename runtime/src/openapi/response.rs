//! What answers carry besides their content: headers, and problems by status.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use rest_schema::Origins;
use serde_json::{Value, json};

use super::field::{LONGEST_QUERY, Object};
use super::{Document, object};
use crate::problem::{self, Code};

/// The most bytes of the headers of a request or an answer.
pub(super) const LONGEST_HEADERS: usize = 16 * LONGEST_QUERY;
/// Characters of a text in a problem; what a request says may be repeated in it.
pub(super) const LONGEST_TEXT: usize = 4 * LONGEST_QUERY;

/// The header in which a session's token is told and sent.
pub(super) const CSRF_TOKEN: &str = "X-CSRF-Token";

/// A header of answers.
pub(super) struct HeaderRow {
    pub(super) name: &'static str,
    doc: &'static str,
    is_number: bool,
    when: When,
}

/// Where answers carry a header at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Where callers have so many requests.
    Counted,
    /// Where something has a day of its end.
    Ending,
    /// Where browsers are signed in by a cookie, at the address that tells it.
    Sessions,
    /// Where pages of other origins may call.
    Across,
    /// Where they may, and send credentials.
    WithCredentials,
}

impl HeaderRow {
    fn schema(&self) -> Value {
        if self.is_number {
            json!({ "type": "integer", "format": "int32", "minimum": 0, "maximum": i32::MAX })
        } else {
            json!({ "type": "string", "maxLength": LONGEST_HEADERS })
        }
    }
}

/// All headers that answers are told to carry, in the order of the document.
pub(super) const HEADERS: &[HeaderRow] = &[
    header(
        "ETag",
        "the state of the row and of its representation (RFC 9110, 8.8.3)",
    ),
    header(
        "Last-Modified",
        "when the item was last changed, to the second (RFC 9110, 8.8.2)",
    ),
    header("Cache-Control", "what caches may do with the answer"),
    header("Vary", "the request headers on which the answer depends"),
    header(
        "Content-Encoding",
        "how the content is coded, where `Accept-Encoding` asks for that (RFC 9110, 8.4)",
    ),
    header("Link", "this page and its neighbours (RFC 8288)"),
    header("Content-Disposition", "the name of the file, in CSV (RFC 6266)"),
    header("Location", "where the item made is"),
    header("Content-Location", "the address of the item in the content"),
    header("Allow", "the methods of the address, the same for every caller"),
    header("Accept-Post", "the media types that POST takes here"),
    header("Accept-Patch", "the media types that PATCH takes here (RFC 5789)"),
    header("Accept", "the media types that the address takes"),
    header("Accept-Encoding", "the codings of content that the address takes"),
    header(
        "Preference-Applied",
        "the preferences that were followed (RFC 7240)",
    ),
    header(
        "Accept-Query",
        "the media types that QUERY takes here (RFC 10008)",
    ),
    header(
        "Idempotency-Replayed",
        "`true`: the request was done before, and this is what it gave",
    ),
    header(
        "WWW-Authenticate",
        "how to sign in, or the scope that the token lacks",
    ),
    HeaderRow {
        when: When::Sessions,
        ..header(
            CSRF_TOKEN,
            "what a change has to send by which session the request came, in a header of this name",
        )
    },
    HeaderRow {
        name: "Retry-After",
        doc: "the seconds after which another try makes sense",
        is_number: true,
        when: When::Always,
    },
    HeaderRow {
        when: When::Ending,
        ..header(
            "Deprecation",
            "the day from which what is asked or shown is deprecated (RFC 9745)",
        )
    },
    HeaderRow {
        when: When::Ending,
        ..header(
            "Sunset",
            "the day from which what is asked or shown may be gone (RFC 8594)",
        )
    },
    HeaderRow {
        when: When::Counted,
        ..header(
            "RateLimit",
            "how many requests are left, and the seconds until all are there again (draft-ietf-httpapi-ratelimit-headers-11)",
        )
    },
    HeaderRow {
        when: When::Counted,
        ..header(
            "RateLimit-Policy",
            "how many requests a caller has, in how many seconds (draft-ietf-httpapi-ratelimit-headers-11)",
        )
    },
    header("X-Request-Id", "the request in the service's log"),
    header("Content-Security-Policy", "what the page may load and call"),
    header(
        "X-Content-Type-Options",
        "`nosniff`: the file is what `Content-Type` says",
    ),
    across(
        "Access-Control-Allow-Origin",
        "the origin whose pages may read the answer",
    ),
    HeaderRow {
        when: When::WithCredentials,
        ..header(
            "Access-Control-Allow-Credentials",
            "whether that holds where the browser sent credentials",
        )
    },
    across("Access-Control-Expose-Headers", "the headers that they may read"),
    across(
        "Access-Control-Allow-Methods",
        "the methods that they may use here",
    ),
    across(
        "Access-Control-Allow-Headers",
        "the request headers that they may send",
    ),
    HeaderRow {
        name: "Access-Control-Max-Age",
        doc: "the seconds for which a browser may remember it",
        is_number: true,
        when: When::Across,
    },
];

const fn across(name: &'static str, doc: &'static str) -> HeaderRow {
    HeaderRow {
        when: When::Across,
        ..header(name, doc)
    }
}

/// Headers that a page of another origin may read anyway (the Fetch standard's safelist), or that say nothing to it.
const READ_ANYWAY: &[&str] = &[
    "Cache-Control",
    "Last-Modified",
    "Vary",
    "Content-Encoding",
    "Content-Security-Policy",
    "X-Content-Type-Options",
];

/// The headers that pages of other origins are shown: all that answers carry.
pub(crate) fn exposed_headers() -> Vec<&'static str> {
    let rows = HEADERS.iter();
    let rows = rows.filter(|row| matches!(row.when, When::Always | When::Counted | When::Ending));
    rows.map(|row| row.name)
        .filter(|name| !READ_ANYWAY.contains(name))
        .collect()
}

const fn header(name: &'static str, doc: &'static str) -> HeaderRow {
    HeaderRow {
        name,
        doc,
        is_number: false,
        when: When::Always,
    }
}

/// Headers of the answers to browsers' own questions.
const PREFLIGHT: &[&str] = &[
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Max-Age",
];

/// The name of a status among the components.
fn name_of(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or("Problem");
    reason.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The schema of the problems of a status.
fn schema_name(status: StatusCode) -> String {
    format!("{}Problem", name_of(status))
}

impl Document<'_> {
    pub(super) fn all_headers(&self) -> Value {
        let of = |row: &HeaderRow| {
            let value = json!({ "description": row.doc, "schema": row.schema() });
            (row.name.to_owned(), value)
        };
        let there = HEADERS.iter().filter(|row| self.carries(row.when));
        Value::Object(there.map(of).collect())
    }

    fn carries(&self, when: When) -> bool {
        let schema = &self.model.schema;
        match when {
            When::Always => true,
            When::Counted => schema.limits.quota.is_some(),
            When::Ending => self.model.has_ends,
            When::Sessions => schema.sessions.is_some(),
            When::Across => schema.cors.is_some(),
            When::WithCredentials => schema.cors.as_ref().is_some_and(|cors| cors.credentials),
        }
    }

    /// What any answer may carry.
    fn everywhere(&self) -> Vec<&'static str> {
        let is_there =
            |row: &&HeaderRow| !matches!(row.when, When::Always | When::Sessions) && self.carries(row.when);
        let mut all: Vec<&str> = HEADERS.iter().filter(is_there).map(|row| row.name).collect();
        all.retain(|name| !PREFLIGHT.contains(name));
        all.push("X-Request-Id");
        let cors = self.model.schema.cors.as_ref();
        if cors.is_some_and(|cors| cors.origins != Origins::Any) {
            all.push("Vary");
        }
        all
    }

    /// What a browser is told that asks what a page may ask.
    pub(super) fn preflight(&self) -> &'static [&'static str] {
        if self.carries(When::Across) {
            PREFLIGHT
        } else {
            &[]
        }
    }

    /// Headers by reference, all of which an answer carries.
    pub(super) fn headers(&self, names: &[&str]) -> Value {
        let reference = |name: &&str| {
            (
                (*name).to_owned(),
                json!({ "$ref": format!("#/components/headers/{name}") }),
            )
        };
        let everywhere = self.everywhere();
        let all = names.iter().chain(&everywhere).map(reference);
        Value::Object(all.collect())
    }

    /// A problem of each status, by reference.
    pub(super) fn problems(&self, codes: &[Code]) -> BTreeMap<u16, Value> {
        let of = |code: &Code| {
            let status = code.status();
            let reference = json!({ "$ref": format!("#/components/responses/{}", name_of(status)) });
            (status.as_u16(), reference)
        };
        codes.iter().map(of).collect()
    }

    /// The statuses of problems, and the codes of each.
    fn statuses() -> BTreeMap<StatusCode, Vec<&'static str>> {
        let mut all: BTreeMap<StatusCode, Vec<&str>> = BTreeMap::new();
        for row in Code::all() {
            all.entry(row.status).or_default().push(row.word);
        }
        all
    }

    pub(super) fn all_problems(&self) -> Value {
        let of = |(status, words): (StatusCode, Vec<&str>)| {
            let description = words
                .iter()
                .filter_map(|word| Code::from_word(word))
                .map(|code| format!("`{}`: {}", code.word(), code.row().doc))
                .collect::<Vec<_>>()
                .join("\n\n");
            let schema = self.own_reference(&schema_name(status));
            let response = json!({
                "description": description,
                "headers": self.headers(headers_of(status.as_u16())),
                "content": { problem::MEDIA_TYPE: { "schema": schema } },
            });
            (name_of(status), response)
        };
        Value::Object(Self::statuses().into_iter().map(of).collect())
    }

    pub(super) fn problem_schemas(&self) -> Object {
        let text = || json!({ "type": "string", "maxLength": LONGEST_TEXT });
        let mut all = Object::new();
        for (status, words) in Self::statuses() {
            let types: Vec<String> = words
                .iter()
                .map(|word| format!("{}/problems/{word}", self.prefix))
                .collect();
            let mut problem = object(
                [
                    (
                        "type",
                        json!({ "type": "string", "format": "uri-reference", "enum": types }),
                    ),
                    ("code", json!({ "type": "string", "enum": words })),
                    ("title", text()),
                    (
                        "status",
                        json!({ "type": "integer", "format": "int32", "const": status.as_u16(), "minimum": 400, "maximum": 599 }),
                    ),
                    ("detail", text()),
                    (
                        "instance",
                        json!({ "type": "string", "format": "uri", "maxLength": 45 }),
                    ),
                    (
                        "errors",
                        json!({ "type": "array", "items": self.own_reference("Fault"), "minItems": 1, "maxItems": 1_000 }),
                    ),
                ],
                &["type", "code", "title", "status", "detail", "instance"],
            );
            if let Value::Object(members) = &mut problem {
                members.insert(
                    "description".to_owned(),
                    json!(format!("A problem (RFC 9457) of status {}.", status.as_u16())),
                );
            }
            all.insert(self.own(&schema_name(status)), problem);
        }
        let mut fault = object(
            [
                (
                    "pointer",
                    json!({ "type": "string", "maxLength": LONGEST_TEXT, "description": "a place in the body (RFC 6901)" }),
                ),
                (
                    "parameter",
                    json!({ "type": "string", "maxLength": LONGEST_TEXT, "description": "a parameter of the query string" }),
                ),
                (
                    "header",
                    json!({ "type": "string", "maxLength": LONGEST_TEXT, "description": "a header of the request" }),
                ),
                ("code", text()),
                ("detail", text()),
                ("limit", json!({ "description": "the limit that is exceeded" })),
                (
                    "nearest",
                    json!({ "type": "string", "maxLength": LONGEST_TEXT, "description": "what was probably meant" }),
                ),
            ],
            &["code", "detail"],
        );
        if let Value::Object(members) = &mut fault {
            members.insert(
                "description".to_owned(),
                json!("One thing that is wrong with a request."),
            );
        }
        all.insert(self.own("Fault"), fault);
        all
    }
}

/// The headers of the problems of a status.
pub(super) fn headers_of(status: u16) -> &'static [&'static str] {
    match status {
        401 | 403 => &["Cache-Control", "WWW-Authenticate"],
        405 => &["Cache-Control", "Allow"],
        415 => &[
            "Cache-Control",
            "Accept-Post",
            "Accept-Patch",
            "Accept-Query",
            "Accept",
            "Accept-Encoding",
        ],
        429 | 503 => &["Cache-Control", "Retry-After"],
        _ => &["Cache-Control"],
    }
}
