//! What the service says of itself: the OpenAPI document, JSON Schemas, what problems mean, the catalogue of APIs.
//!
//! None of it depends on who asks, so credentials aren't looked at. Each document is made when it is first asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, LINK};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{self, Privacy};
#[cfg(feature = "docs-ui")]
use super::docs;
use crate::engine::Engine;
use crate::openapi::{self, Version};
use crate::problem::{Code, Problem};
#[cfg(feature = "docs-ui")]
use crate::request::negotiate::about::HTML;
use crate::request::negotiate::about::{JSON, LINKSET, SCHEMA};
use crate::request::precondition::Preconditions;
use crate::request::{negotiate, query};
use crate::service::Inner;

/// Documents that are kept: a version for each prefix under which the service is reached, and strangers may choose that.
const KEPT: usize = 8;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About<'p> {
    /// All operations.
    OpenApi,
    /// A schema, by its name.
    Schema(&'p str),
    /// A problem, by its code.
    Problem(&'p str),
    /// Where the OpenAPI document is (RFC 9727).
    Catalog,
    /// All operations, for people.
    #[cfg(feature = "docs-ui")]
    Docs,
    /// A file beside that page, by its name.
    #[cfg(feature = "docs-ui")]
    DocsFile(&'p str),
}

/// OpenAPI documents, as they were made.
#[derive(Debug, Default)]
pub(crate) struct Documents(Mutex<Kept>);

type Kept = Vec<(String, Version, Bytes)>;

impl Documents {
    fn all(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document, made where it isn't kept; whoever asks meanwhile waits for it.
    fn make(&self, engine: &Engine, prefix: &str, version: Version) -> Bytes {
        let mut kept = self.all();
        if let Some(document) = find(&kept, prefix, version) {
            return document;
        }
        let document = openapi::document(&engine.model, &engine.validators, prefix, version);
        let document = Bytes::from(document.to_string());
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((prefix.to_owned(), version, document.clone()));
        document
    }
}

fn find(kept: &Kept, prefix: &str, version: Version) -> Option<Bytes> {
    let found = kept
        .iter()
        .find(|(of, in_version, _)| of == prefix && *in_version == version);
    found.map(|(_, _, document)| document.clone())
}

/// That of a large schema takes seconds to make, which the threads of requests don't have.
async fn open_api(service: &Arc<Inner>, prefix: &str, version: Version) -> Result<Bytes, Problem> {
    if let Ok(kept) = service.documents.0.try_lock()
        && let Some(document) = find(&kept, prefix, version)
    {
        return Ok(document);
    }
    let (of, prefix) = (Arc::clone(service), prefix.to_owned());
    let made = move || of.documents.make(&of.engine, &prefix, version);
    tokio::task::spawn_blocking(made).await.map_err(Problem::internal)
}

/// Tells it.
pub(super) async fn tell(
    service: &Arc<Inner>,
    parts: &Parts,
    prefix: &str,
    about: About<'_>,
) -> Result<Response<Body>, Problem> {
    let served = match about {
        About::OpenApi | About::Problem(_) => JSON,
        About::Schema(_) => SCHEMA,
        About::Catalog => LINKSET,
        #[cfg(feature = "docs-ui")]
        About::Docs => HTML,
        #[cfg(feature = "docs-ui")]
        About::DocsFile(name) => docs::media_of(name),
    };
    let media = *negotiate::choose(&parts.headers, served, |name| name)?;
    let version = match about {
        About::OpenApi => query::version(parts.uri.query())?,
        _ => query::none(parts.uri.query()).map(|()| Version::V3_1)?,
    };
    let expected = Preconditions::parse(&parts.headers)?;
    let bytes = match about {
        About::OpenApi => open_api(service, prefix, version).await?,
        About::Schema(name) => written(&schema(service, prefix, name)?),
        About::Problem(code) => written(&problem(prefix, code)?),
        About::Catalog => written(&catalog(prefix)),
        #[cfg(feature = "docs-ui")]
        About::Docs => docs::page(&service.engine.model.schema.name),
        #[cfg(feature = "docs-ui")]
        About::DocsFile(name) => docs::file(name).ok_or_else(|| Problem::new(Code::NotFound))?,
    };
    let mut response = answer::whole(StatusCode::OK, bytes, Privacy::Public(None));
    let media = match about {
        About::Catalog if media == LINKSET[0] => {
            r#"application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727""#
        }
        #[cfg(feature = "docs-ui")]
        About::Docs => "text/html; charset=utf-8",
        _ => media,
    };
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media));
    #[cfg(feature = "docs-ui")]
    if matches!(about, About::Docs | About::DocsFile(_)) {
        docs::guard(response.headers_mut());
    }
    if about == About::Catalog
        && let Ok(link) = HeaderValue::from_str(&format!("<{prefix}/openapi.json>; rel=\"service-desc\""))
    {
        response.headers_mut().insert(LINK, link);
    }
    answer::if_wanted(response, &parts.headers, &expected)
}

fn written(document: &Value) -> Bytes {
    Bytes::from(document.to_string())
}

fn schema(service: &Inner, prefix: &str, name: &str) -> Result<Value, Problem> {
    let engine = &service.engine;
    openapi::json_schema(&engine.model, &engine.validators, prefix, name)
        .ok_or_else(|| Problem::new(Code::NotFound))
}

fn problem(prefix: &str, word: &str) -> Result<Value, Problem> {
    let code = Code::from_word(word).ok_or_else(|| Problem::new(Code::NotFound))?;
    let row = code.row();
    Ok(json!({
        "type": format!("{prefix}/problems/{}", row.word),
        "code": row.word,
        "title": row.title,
        "status": row.status.as_u16(),
        "detail": row.doc,
    }))
}

fn catalog(prefix: &str) -> Value {
    let described = json!([{ "href": format!("{prefix}/openapi.json"), "type": "application/json" }]);
    let anchor = if prefix.is_empty() { "/" } else { prefix };
    let mut linked = json!({ "anchor": anchor, "service-desc": described });
    if cfg!(feature = "docs-ui") {
        linked["service-doc"] = json!([{ "href": format!("{prefix}/docs"), "type": "text/html" }]);
    }
    json!({ "linkset": [linked] })
}
