//! The path of a request, from the router to the answer.
//!
//! The order of the steps is http.md's order of refusals: address, method, credentials, negotiation, the body's size
//! and type, the operation closed to this caller, parameters and the body's text; then what only the rows can tell.

mod admin;
mod answer;
mod caller;
mod coded;
mod collection;
mod cors;
#[cfg(feature = "docs-ui")]
pub(crate) mod docs;
mod documents;
mod ending;
pub(crate) mod explain;
mod extract;
mod item;
mod matching;
mod once;
mod question;
mod reading;
mod related;
mod request_id;
mod router;
mod streamed;
mod tokens;
pub(crate) mod trace;
mod uses;

use std::borrow::Cow;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri};
use axum::http::header::{CONTENT_LENGTH, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, Request, Response, Uri};
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use rest_schema::ResourceId;
use uuid::Uuid;

use crate::caller::Caller;
use crate::event;
use crate::metrics::Route;
use crate::plan::access::Deed;
use crate::problem::{Code, Problem};
use crate::proxy::{self, Outside};
use crate::quota::Counted;
use crate::request::body::{self, Json};
use crate::request::idempotency;
use crate::respond::format::Media;
use crate::serve::cors::Across;
use crate::serve::ending::Ending;
use crate::serve::once::Repeat;
use crate::serve::trace::Trace;
use crate::service::Inner;
pub(crate) use admin::administer;
pub(crate) use caller::{AccountByKey, resolve};
pub(crate) use cors::Cors;
pub(crate) use documents::Documents;
pub(crate) use extract::own_routes;
pub(crate) use request_id::RequestIds;
pub(crate) use router::Routes;
use router::Target;
pub(crate) use uses::Uses;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes that an address may have.
const ADDRESS: usize = 8 * 1024;
/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that all headers may have together.
const HEADERS: usize = 32 * 1024;

/// One request on its way.
struct Exchange<'a> {
    service: &'a Arc<Inner>,
    parts: &'a Parts,
    /// What the service's addresses begin with.
    prefix: &'a str,
    outside: &'a Outside,
    caller: Caller,
    now: Timestamp,
    /// Whether it is sent again.
    repeat: Repeat,
    /// The media type of its content.
    media: &'static Media,
    /// What is told of the end of what is shown.
    ending: Ending,
    /// Where what is read is noted, for those who ask what becomes of a request.
    noted: Option<&'a explain::Noted>,
}

/// Where a request that came by axum's router comes from, where the server tells it.
pub(crate) fn peer(request: &Request<Body>) -> Option<SocketAddr> {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map(|info| info.0)
}

/// The address of a request's client, where the server tells it.
pub(crate) fn client_of(service: &Inner, parts: &Parts) -> Option<IpAddr> {
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0);
    let outside = service.proxies.outside(&parts.headers, peer).ok()?;
    outside.client
}

/// Answers a request that came from `peer`: whatever happens, with a response, an id and an event.
pub(crate) async fn handle(
    service: Arc<Inner>,
    peer: Option<SocketAddr>,
    request: Request<Body>,
) -> Response<Body> {
    let (asked, readable) = Arrival::of(&service, peer, &request);
    let across = Across::of(service.cors.as_ref(), &request);
    let answered = pin!(async {
        readable?;
        answer(&service, request, &asked).await
    });
    let mut response = coded::coded(asked.answered(&service, answered).await).await;
    if let Some(across) = across {
        across.tell(&mut response);
    }
    if asked.method == Method::HEAD {
        without_body(response)
    } else {
        response
    }
}

/// What is known of a request before anything is done about it.
struct Arrival<'s> {
    id: Uuid,
    /// The trace that it is part of.
    trace: Option<Trace>,
    started: Instant,
    now: Timestamp,
    method: Method,
    /// The address, as the client sent it.
    uri: Uri,
    /// Where it comes from, as far as that is known.
    outside: Outside,
    /// Where the service is mounted, by proxies and in another program's router; empty: nowhere.
    mount: String,
    /// What the service's addresses begin with, there.
    prefix: Cow<'s, str>,
    /// What it is for, once that is known.
    route: OnceLock<Route>,
    /// What is left of its caller's requests, where they are counted.
    counted: OnceLock<Counted>,
}

impl<'s> Arrival<'s> {
    /// 400 beside it where a trusted proxy says what can't be read.
    fn of(
        service: &'s Inner,
        peer: Option<SocketAddr>,
        request: &Request<Body>,
    ) -> (Self, Result<(), Problem>) {
        let (started, now) = (Instant::now(), Timestamp::now());
        let original = request.extensions().get::<OriginalUri>();
        let uri = original.map_or_else(|| request.uri(), |original| &original.0);
        let mount = uri.path().strip_suffix(request.uri().path()).unwrap_or_default();
        let (outside, readable) = match service.proxies.outside(request.headers(), peer) {
            Ok(outside) => (outside, Ok(())),
            Err(problem) => (Outside::default(), Err(problem)),
        };
        let (own, outer) = (
            &service.engine.model.schema.prefix,
            [&outside.prefix, mount].concat(),
        );
        let prefix = if outer.is_empty() {
            Cow::Borrowed(own.as_str())
        } else {
            Cow::Owned([&outer, own.as_str()].concat())
        };
        let arrival = Self {
            id: service.request_ids.next(now),
            trace: Trace::of(request.headers()),
            started,
            now,
            method: request.method().clone(),
            uri: uri.clone(),
            prefix,
            mount: outer,
            outside,
            route: OnceLock::new(),
            counted: OnceLock::new(),
        };
        (arrival, readable)
    }

    /// Says what it is for.
    fn is_for(&self, route: Route) {
        // It is said once.
        let _ = self.route.set(route);
    }

    /// Counts it for its caller, once, and refuses it where it is one too many (429).
    fn count(&self, service: &Inner, caller: &Caller) -> Result<(), Problem> {
        let Some(quotas) = &service.quotas else {
            return Ok(());
        };
        let count = || quotas.count(&service.engine.model, caller, self.outside.client, self.started);
        quotas.admit(*self.counted.get_or_init(count))
    }

    /// The answer, with the request's id; a problem and a panic are told, and the event is logged. It is pinned where it is
    /// made: a future that is handed on has its place twice.
    async fn answered(
        &self,
        service: &Inner,
        answer: Pin<&mut impl Future<Output = Result<Response<Body>, Problem>>>,
    ) -> Response<Body> {
        let _under_way = service.metrics.begun();
        let answered = std::panic::AssertUnwindSafe(answer).catch_unwind().await;
        let answered =
            answered.unwrap_or_else(|_| Err(Problem::internal("a panic while the request was answered")));
        let mut response = answered.unwrap_or_else(|problem| {
            if problem.status().is_server_error() {
                event::failed(self.id, self.trace, &problem);
            }
            problem.answer(&self.prefix, self.id, &service.engine.model.schema.name)
        });
        if let Ok(value) =
            HeaderValue::from_str(self.id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        // A proxy that lets a client say its prefix has no cache that gives its links to others.
        if self.outside.is_proxied {
            answer::varies_by(response.headers_mut(), proxy::PREFIX);
        }
        if let (Some(quotas), Some(counted)) = (&service.quotas, self.counted.get()) {
            quotas.tell(*counted, response.headers_mut());
        }
        let (status, took) = (response.status(), self.started.elapsed());
        let route = self.route.get().copied().unwrap_or(Route::Unknown);
        service.metrics.answered(&self.method, route, status, took);
        event::answered(self.id, self.trace, &self.method, self.uri.path(), status, took);
        #[cfg(feature = "otlp")]
        crate::otlp::answered(&crate::otlp::Answered {
            id: self.id,
            trace: self.trace,
            method: &self.method,
            route: service.metrics.name(route),
            path: self.uri.path(),
            status,
            began: self.now,
            took,
        });
        response
    }
}

/// HEAD: the same headers, `Content-Length` included, and no body.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let length = axum::body::HttpBody::size_hint(&body).exact();
    if let Some(length) = length.filter(|_| !parts.headers.contains_key(CONTENT_LENGTH)) {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}

async fn answer(
    service: &Arc<Inner>,
    request: Request<Body>,
    asked: &Arrival<'_>,
) -> Result<Response<Body>, Problem> {
    let now = asked.now;
    let (parts, body) = request.into_parts();
    let address = parts.uri.path_and_query().map_or("/", |address| address.as_str());
    if address.len() > ADDRESS {
        return Err(Problem::new(Code::UriTooLong));
    }
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    if headers.sum::<usize>() > HEADERS {
        return Err(Problem::new(Code::HeadersTooLarge));
    }
    let found = router::find(&service.engine.model.schema, &service.routes, parts.uri.path());
    let Some(target) = found else {
        return router::redirect(service, &asked.mount, &parts.uri)
            .ok_or_else(|| Problem::new(Code::NotFound));
    };
    asked.is_for(target.route(&service.routes));
    let allow = router::allow(service, &target);
    if !router::allows(allow, &parts.method) {
        return Err(Problem::method_not_allowed(allow));
    }
    if parts.method == Method::OPTIONS {
        return Ok(answer::options(allow));
    }
    if let Target::Health(health) = target {
        return Box::pin(health_of(service, health)).await;
    }
    if let Target::About(about) = target {
        return documents::tell(service, &parts, &asked.prefix, about).await;
    }
    if let Some(answered) = reading::at_once(service, &parts, asked, &target) {
        return answered;
    }
    let caller = match target {
        // Whoever makes a token signs in with the request itself.
        Target::Tokens if parts.method == Method::POST => Caller::anonymous(),
        // One may always see oneself.
        Target::Me => caller::resolve(service, &parts, now).await?.reading_himself(),
        _ => caller::resolve(service, &parts, now).await?,
    };
    asked.count(service, &caller)?;
    uses::keep(service, &caller, now);
    let media = target.media(&service.engine.model.schema, &parts)?;
    let exchange = Exchange {
        service,
        parts: &parts,
        prefix: &asked.prefix,
        outside: &asked.outside,
        caller,
        now,
        repeat: Repeat::default(),
        media,
        ending: Ending::default(),
        noted: None,
    };
    let mut answered = exchange.serve(&target, body).await?;
    exchange.tell_ending(&target, &mut answered);
    if exchange.repeat.is_repeated() {
        let is_so = HeaderValue::from_static("true");
        answered.headers_mut().insert(idempotency::REPLAYED, is_so);
    }
    Ok(answered)
}

impl Exchange<'_> {
    async fn serve(&self, target: &Target<'_>, body: Body) -> Result<Response<Body>, Problem> {
        let is_plain = matches!(self.parts.method, Method::GET | Method::HEAD);
        match *target {
            Target::Collection(resource) if is_plain => self.list(resource).await,
            Target::Item(resource, segment) if is_plain => self.read(resource, segment).await,
            // Apart, so that what moves with each request is small.
            _ => Box::pin(self.serve_others(target, body)).await,
        }
    }

    async fn serve_others(&self, target: &Target<'_>, body: Body) -> Result<Response<Body>, Problem> {
        if takes_body(&self.parts.method)
            && !matches!(target, Target::Tokens | Target::Restore(..) | Target::Pair(..))
        {
            self.check_body_headers()?;
        }
        match *target {
            Target::Collection(resource) => match self.parts.method {
                Method::POST => self.create(resource, body).await,
                Method::PATCH => self.patch_matching(resource, None, body).await,
                Method::DELETE => self.delete_matching(resource, None).await,
                _ => self.question(resource, body).await,
            },
            Target::Item(resource, _) if self.parts.method == Method::POST => {
                self.question(resource, body).await
            }
            Target::Item(resource, segment) => match self.parts.method {
                Method::PUT => self.replace(resource, segment, body).await,
                Method::PATCH => self.patch(resource, segment, body).await,
                _ => self.delete(resource, segment).await,
            },
            Target::Restore(resource, segment) => self.restore(resource, segment).await,
            Target::Related(relation, segment) => self.related(relation, segment, body).await,
            Target::Pair(relation, segment, other) => self.pair(relation, segment, other, body).await,
            Target::Me => self.me().await,
            Target::Tokens => match self.parts.method {
                Method::POST => self.make_token(body).await,
                Method::DELETE => self.revoke_tokens().await,
                _ => self.tokens().await,
            },
            Target::Token(id) => match self.parts.method {
                Method::DELETE => self.revoke_token(id).await,
                _ => self.token(id).await,
            },
            Target::Health(health) => Box::pin(health_of(self.service, health)).await,
            Target::About(about) => documents::tell(self.service, self.parts, self.prefix, about).await,
        }
    }

    /// 413 and 415 by the headers alone.
    fn check_body_headers(&self) -> Result<(), Problem> {
        self.check_length()?;
        body::check_headers(&self.parts.method, &self.parts.headers)
    }

    fn check_length(&self) -> Result<(), Problem> {
        let limit = self.service.engine.model.schema.limits.body;
        let announced = self
            .parts
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced > limit) {
            Err(too_large(limit))
        } else {
            Ok(())
        }
    }

    /// The body's bytes, as far as the limit.
    async fn bytes(&self, body: Body) -> Result<Bytes, Problem> {
        receive(body, self.service.engine.model.schema.limits.body, PATIENCE).await
    }

    async fn json(&self, body: Body) -> Result<Json, Problem> {
        body::parse(&self.bytes(body).await?)
    }

    /// Refuses what is closed to this caller whatever the row.
    fn open(&self, resource: ResourceId, deed: impl Into<Deed>) -> Result<(), Problem> {
        self.service.engine.open(resource, deed, &self.caller)
    }

    fn problem(&self, refusal: crate::storage::Refusal) -> Problem {
        refusal.into_problem(&self.service.engine.model)
    }
}

fn takes_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH) || is_query(method)
}

/// RFC 10008's method, which has no constant yet.
fn is_query(method: &Method) -> bool {
    method.as_str() == "QUERY"
}

/// A whole body, if it isn't longer than the limit and doesn't take longer than our patience.
async fn receive(body: Body, limit: u64, patience: Duration) -> Result<Bytes, Problem> {
    let limited = Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX));
    let unreadable = |detail: &str| Problem::new(Code::UnreadableBody).detail(detail);
    match tokio::time::timeout(patience, limited.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(error)) => Err(unreadable("the body was cut short").because(error)),
        Err(_) => {
            let detail = format!("the body did not come within {} seconds", patience.as_secs());
            Err(unreadable(&detail))
        }
    }
}

fn too_large(limit: u64) -> Problem {
    Problem::new(Code::BodyTooLarge).detail(format!("the body may have {limit} bytes at most"))
}

/// The two questions of a balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Is the process alive?
    Live,
    /// Should requests be sent here?
    Ready,
}

async fn health_of(service: &Inner, health: Health) -> Result<Response<Body>, Problem> {
    let body = match health {
        Health::Live => r#"{"status":"live"}"#,
        Health::Ready if service.is_ready().await => r#"{"status":"ready"}"#,
        Health::Ready => return Err(Problem::new(Code::Unavailable).retry_after(1)),
    };
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
    ];
    Ok((headers, body).into_response())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use axum::body::Body;
    use bytes::Bytes;
    use futures_util::stream::{self, StreamExt};

    use super::receive;
    use crate::problem::Code;

    /// A body that begins and then never goes on.
    fn stalled() -> Body {
        let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
        Body::from_stream(begun.chain(stream::pending()))
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let refused = receive(stalled(), 100, Duration::from_millis(5)).await;
        assert_eq!(
            refused.map_err(|problem| problem.code()),
            Err(Code::UnreadableBody)
        );
    }

    #[tokio::test]
    async fn a_body_is_read_as_far_as_its_limit() {
        let patience = Duration::from_secs(60);
        let read = receive(Body::from("123"), 3, patience).await;
        assert_eq!(read.ok(), Some(Bytes::from_static(b"123")));
        let refused = receive(Body::from("1234"), 3, patience).await;
        assert_eq!(refused.map_err(|problem| problem.code()), Err(Code::BodyTooLarge));
    }
}
