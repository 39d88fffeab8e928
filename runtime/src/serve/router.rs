//! The table of addresses: what stands where, and which methods it takes.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::header::{HeaderValue, LOCATION};
use axum::http::{Method, Response, StatusCode, Uri};
use rest_schema::{RelationId, ResourceId, Schema};

use super::Health;
use super::documents::About;
use crate::metrics::Route;
use crate::problem::Problem;
use crate::request::methods;
use crate::request::negotiate;
use crate::respond::format::{Content, Media};
use crate::service::Inner;
use axum::http::request::Parts;

/// Where collections are, by their address.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    collections: HashMap<String, ResourceId>,
    /// By resource.
    allow: Vec<Allow>,
    /// By resource and relation.
    related: Vec<Vec<Related>>,
}

/// `Allow` of a resource's addresses.
#[derive(Debug)]
struct Allow {
    collection: String,
    item: String,
    /// Of an item whose key is `query`.
    query: String,
    /// Of what brings an item back; empty where nothing does.
    restore: String,
}

/// The addresses of a relation.
#[derive(Debug)]
struct Related {
    /// Its place among all.
    place: u32,
    /// `Allow` of what it leads to; empty where it doesn't exist for anybody.
    allow: String,
    /// `Allow` of its pairs; empty where they have no address.
    of_pair: String,
}

/// What stands at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'p> {
    Collection(ResourceId),
    /// With the key's segment as it was sent.
    Item(ResourceId, &'p str),
    /// What brings an item back that was deleted.
    Restore(ResourceId, &'p str),
    /// What a relation leads to from the item of this key.
    Related(RelationId, &'p str),
    /// A pair of a many-to-many: the keys of the item from which it starts, and of the other.
    Pair(RelationId, &'p str, &'p str),
    Me,
    Tokens,
    /// With its id as it was sent, or `current`.
    Token(&'p str),
    Health(Health),
    About(About<'p>),
}

impl Target<'_> {
    /// The media type in which a request is answered here.
    ///
    /// # Errors
    ///
    /// 406 where none is welcome.
    pub(super) fn media(&self, schema: &Schema, parts: &Parts) -> Result<&'static Media, Problem> {
        let method = parts.method.as_str();
        let is_read = matches!(method, "GET" | "HEAD" | "QUERY");
        let content = match self {
            Self::Collection(_) if is_read => Content::Collection,
            // The question by POST.
            Self::Item(..) if method == "POST" => Content::Collection,
            Self::Related(relation, _) if is_read && !schema.relation(*relation).kind.is_to_one() => {
                Content::Collection
            }
            Self::Item(..) | Self::Related(..) | Self::Me if is_read => Content::Item,
            _ => Content::Other,
        };
        negotiate::choose(&parts.headers, content.media(), |media| media.name)
    }

    /// The same for those who count.
    pub(super) fn route(&self, routes: &Routes) -> Route {
        match *self {
            Self::Collection(resource) => Route::Collection(resource),
            Self::Item(resource, _) => Route::Item(resource),
            Self::Restore(resource, _) => Route::Restore(resource),
            Self::Related(relation, _) => Route::Related(routes.of(relation).place, false),
            Self::Pair(relation, ..) => Route::Related(routes.of(relation).place, true),
            Self::Me => Route::Me,
            Self::Tokens => Route::Tokens,
            Self::Token(_) => Route::Token,
            Self::Health(_) => Route::Health,
            Self::About(_) => Route::About,
        }
    }
}

impl Routes {
    /// The table of a schema.
    pub(crate) fn new(schema: &Schema) -> Self {
        let collections = schema
            .resources()
            .map(|(id, resource)| (resource.collection.clone(), id))
            .collect();
        let allow = schema
            .resources
            .iter()
            .map(|resource| {
                let list = |methods: Vec<&str>| methods.join(", ");
                Allow {
                    collection: list(methods::of_collection(resource)),
                    item: list(methods::of_item(resource)),
                    query: list(methods::of_item_named_query(resource)),
                    restore: list(methods::of_restore(resource)),
                }
            })
            .collect();
        let mut places = 0u32..;
        let mut related = Vec::with_capacity(schema.resources.len());
        for (resource, of) in schema.resources() {
            let relations = (0u32..)
                .zip(&of.relations)
                .map(|(index, _)| RelationId { resource, index });
            let related_of = |(relation, place)| Related {
                place,
                allow: methods::of_related(schema, relation).join(", "),
                of_pair: methods::of_pair(schema, relation).join(", "),
            };
            related.push(relations.zip(&mut places).map(related_of).collect());
        }
        Self {
            collections,
            allow,
            related,
        }
    }

    fn of(&self, relation: RelationId) -> &Related {
        &self.related[relation.resource.0 as usize][relation.index as usize]
    }
}

/// What stands at a path; `None`: nothing.
pub(super) fn find<'p>(schema: &Schema, routes: &Routes, path: &'p str) -> Option<Target<'p>> {
    match path {
        "/health/live" => return Some(Target::Health(Health::Live)),
        "/health/ready" => return Some(Target::Health(Health::Ready)),
        "/.well-known/api-catalog" => return Some(Target::About(About::Catalog)),
        _ => {}
    }
    let rest = path.strip_prefix(schema.prefix.as_str())?.strip_prefix('/')?;
    let (collection, item) = match rest.split_once('/') {
        None => (rest, None),
        Some((collection, item)) => (collection, Some(item)),
    };
    match (collection, item) {
        ("me", None) => schema.accounts.as_ref().map(|_| Target::Me),
        ("tokens", None) => schema.accounts.as_ref().map(|_| Target::Tokens),
        ("tokens", Some(id)) if !id.is_empty() && !id.contains('/') => {
            schema.accounts.as_ref().map(|_| Target::Token(id))
        }
        ("openapi.json", None) => Some(Target::About(About::OpenApi)),
        #[cfg(feature = "docs-ui")]
        ("docs", None) => Some(Target::About(About::Docs)),
        #[cfg(feature = "docs-ui")]
        ("docs", Some(name)) if !super::docs::media_of(name).is_empty() => {
            Some(Target::About(About::DocsFile(name)))
        }
        ("schemas", Some(name)) => Some(Target::About(About::Schema(name))),
        ("problems", Some(code)) => Some(Target::About(About::Problem(code))),
        (collection, None) => routes
            .collections
            .get(collection)
            .copied()
            .map(Target::Collection),
        (collection, Some(key)) if !key.is_empty() && !key.contains('/') => routes
            .collections
            .get(collection)
            .copied()
            .map(|resource| Target::Item(resource, key)),
        (collection, Some(rest)) => {
            let (key, rest) = rest.split_once('/')?;
            let (name, other) = match rest.split_once('/') {
                None => (rest, None),
                Some((name, other)) => (name, Some(other)),
            };
            let resource = *routes.collections.get(collection)?;
            if rest == methods::RESTORE && !routes.allow[resource.0 as usize].restore.is_empty() {
                return (!key.is_empty()).then_some(Target::Restore(resource, key));
            }
            let (index, _) = schema.resource(resource).relation_by_name(name)?;
            let relation = RelationId { resource, index };
            let related = routes.of(relation);
            match other {
                _ if key.is_empty() => None,
                None => (!related.allow.is_empty()).then_some(Target::Related(relation, key)),
                Some(other) => {
                    let is_there = !related.of_pair.is_empty() && !other.is_empty() && !other.contains('/');
                    is_there.then_some(Target::Pair(relation, key, other))
                }
            }
        }
    }
}

/// The methods of an address, the same for every caller.
pub(super) fn allow<'s>(service: &'s Inner, target: &Target<'_>) -> &'s str {
    match target {
        Target::Collection(resource) => &service.routes.allow[resource.0 as usize].collection,
        Target::Item(resource, "query") => &service.routes.allow[resource.0 as usize].query,
        Target::Item(resource, _) => &service.routes.allow[resource.0 as usize].item,
        Target::Restore(resource, _) => &service.routes.allow[resource.0 as usize].restore,
        Target::Related(relation, _) => &service.routes.of(*relation).allow,
        Target::Pair(relation, ..) => &service.routes.of(*relation).of_pair,
        Target::Me | Target::Health(_) | Target::About(_) => "GET, HEAD, OPTIONS",
        Target::Tokens => "GET, HEAD, POST, DELETE, OPTIONS",
        Target::Token(_) => "GET, HEAD, DELETE, OPTIONS",
    }
}

/// Whether a method is one of them.
pub(super) fn allows(allow: &str, method: &Method) -> bool {
    let all = allow.as_bytes().split(|byte| *byte == b',');
    let mut all = all.map(<[u8]>::trim_ascii_start);
    all.any(|allowed| allowed == method.as_str().as_bytes())
}

/// `/api/posts/` → 308 to `/api/posts`, where there is something; `mount` is what stands before.
pub(super) fn redirect(service: &Inner, mount: &str, uri: &Uri) -> Option<Response<Body>> {
    let path = uri.path().strip_suffix('/')?;
    find(&service.engine.model.schema, &service.routes, path)?;
    let location = match uri.query() {
        Some(query) => format!("{mount}{path}?{query}"),
        None => format!("{mount}{path}"),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_str(&location).ok()?);
    Some(response)
}
