//! What a program's own handlers take and give: who asks, the data, problems.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, Request};
use axum::http::Response;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use jiff::Timestamp;
use uuid::Uuid;

use super::cors::Across;
use super::{Arrival, peer, resolve};
use crate::caller::Caller;
use crate::db::Db;
use crate::metrics::Route;
use crate::problem::{Code, Problem};
use crate::quota::Counted;
use crate::service::{Inner, Service};

tokio::task_local! {
    /// The request that a handler of a service's own routes answers.
    static HERE: Here;
}

/// What a problem needs to know of the request that it refuses.
#[derive(Clone)]
struct Here {
    id: Uuid,
    prefix: String,
    realm: String,
    /// Where the request comes from.
    client: Option<IpAddr>,
    /// What is left of the caller's requests, once it is known who asks.
    counted: Arc<OnceLock<Counted>>,
}

/// A program's own routes, in the service: with ids, events, and problems as the service answers its own.
pub(crate) fn own_routes(service: &Service, routes: Router<Service>) -> Router {
    let inner = Arc::clone(service.inner());
    if !routes.has_routes() {
        return Router::new();
    }
    let around = from_fn(move |request, next| around(Arc::clone(&inner), request, next));
    // What it takes is told by axum, in the header.
    let not_taken = || async { Problem::new(Code::MethodNotAllowed) };
    let routes = routes.method_not_allowed_fallback(not_taken);
    routes.layer(around).with_state(service.clone())
}

async fn around(service: Arc<Inner>, request: Request, next: Next) -> Response<Body> {
    let (asked, readable) = Arrival::of(&service, peer(&request), &request);
    asked.is_for(Route::Own);
    let across = Across::of(service.cors.as_ref(), &request);
    let counted = Arc::new(OnceLock::new());
    let here = Here {
        id: asked.id,
        prefix: asked.prefix.clone().into_owned(),
        realm: service.engine.model.schema.name.clone(),
        client: asked.outside.client,
        counted: Arc::clone(&counted),
    };
    let answer = pin!(async {
        readable?;
        let response = HERE.scope(here, next.run(request)).await;
        if let Some(counted) = counted.get() {
            // It is said once.
            let _ = asked.counted.set(*counted);
        }
        Ok(match &across {
            Some(across) => across.answered(response),
            None => response,
        })
    });
    let mut response = asked.answered(&service, answer).await;
    if let Some(across) = &across {
        across.tell(&mut response);
    }
    response
}

/// As the service answers its own; elsewhere with a type of `about:blank`.
impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        match HERE.try_with(Clone::clone) {
            Ok(here) => self.answer(&here.prefix, here.id, &here.realm),
            Err(_) => self.answer_alone(),
        }
    }
}

/// Who asks: anonymous where the request has no credentials, refused where they aren't valid. In a route of the service's
/// own the request is counted for him, where the schema limits how many he has.
impl<S> FromRequestParts<S> for Caller
where
    Service: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let service = Service::from_ref(state);
        let caller = resolve(service.inner(), parts, Timestamp::now()).await?;
        if let (Some(quotas), Ok((counted, client))) = (
            &service.inner().quotas,
            HERE.try_with(|here| (Arc::clone(&here.counted), here.client)),
        ) {
            let count = || quotas.count(&service.inner().engine.model, &caller, client, Instant::now());
            quotas.admit(*counted.get_or_init(count))?;
        }
        Ok(caller)
    }
}

/// The data of the service.
impl<S> FromRequestParts<S> for Db
where
    Service: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Ok(Service::from_ref(state).db())
    }
}
