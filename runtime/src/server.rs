//! Serves a service on a listener, until it is asked to end.
//!
//! A program that has a server of its own mounts [`Service::router`] there instead.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::http::Request;
use axum_server::accept::NoDelayAcceptor;
use axum_server::{Handle, Server};
use futures_util::FutureExt;
use futures_util::future::Either;
use hyper::body::Incoming;
use hyper_util::rt::TokioTimer;
use tower::service_fn;

use crate::serve::handle;
use crate::service::Service;

/// How long a client may take for the head of a request, and an idle connection lives.
const HEAD: Duration = Duration::from_secs(30);
/// How long `/health/ready` tells balancers to look elsewhere before connections are closed, where there are any.
const NOTICE: Duration = Duration::from_secs(1);
/// How long requests under way may take to end.
const GRACE: Duration = Duration::from_secs(30);

/// Serves until `stop` is ready: then tells balancers, finishes what is under way, and closes the service.
///
/// At `admin` what operators ask is answered ([`Service::admin_router`]), until the very end.
pub async fn serve(
    service: Service,
    listener: TcpListener,
    admin: Option<TcpListener>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let handle = Handle::new();
    let server = listening(listener, &handle)?;
    let serving = if service.has_own_routes() {
        Either::Left(server.serve(routed(service.router())))
    } else {
        Either::Right(answering(server, &service))
    };
    let admin_handle = Handle::new();
    let admin = admin.map(|listener| {
        let server = listening(listener, &admin_handle)?;
        Ok::<_, io::Error>(server.serve(routed(service.admin_router())))
    });
    let admin = admin.transpose()?.map(tokio::spawn);
    let ending = async {
        stop.await;
        service.begin_shutdown();
        notice(&handle).await;
        handle.graceful_shutdown(Some(GRACE));
        // The server ends; this half has nothing more to say.
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = serving => ended,
        () = ending => Ok(()),
    };
    admin_handle.shutdown();
    if let Some(admin) = admin {
        // It ends by itself; what it says then is of no use any more.
        drop(admin.await);
    }
    service.shutdown().await;
    ended
}

/// A router that is told who is connected.
fn routed(router: Router) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    router.into_make_service_with_connect_info()
}

/// Serves a service in which a program has no routes of its own: a router between would find nothing to choose, and be a
/// seventh of what a small read costs.
fn answering(
    server: Server<SocketAddr, NoDelayAcceptor>,
    service: &Service,
) -> impl Future<Output = io::Result<()>> + Send + use<> {
    let inner = Arc::clone(service.inner());
    server.serve(service_fn(move |peer: SocketAddr| {
        let inner = Arc::clone(&inner);
        let answer = move |request: Request<Incoming>| {
            let answered = handle(Arc::clone(&inner), Some(peer), request.map(content));
            answered.map(Ok::<_, Infallible>)
        };
        ready(Ok::<_, Infallible>(service_fn(answer)))
    }))
}

/// A body as everything behind knows it; most requests have none.
fn content(body: Incoming) -> Body {
    if body.is_end_stream() {
        Body::empty()
    } else {
        Body::new(body)
    }
}

/// A server at an address, with the limits on heads that hold everywhere.
fn listening(
    listener: TcpListener,
    handle: &Handle<SocketAddr>,
) -> io::Result<Server<SocketAddr, NoDelayAcceptor>> {
    listener.set_nonblocking(true)?;
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(NoDelayAcceptor::new())
        .handle(handle.clone())
        // Telling HTTP/2 apart would wait for a first byte without a limit, and browsers speak it over TLS only.
        .http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD);
    Ok(server)
}

/// Waits until nobody is connected, or long enough for a balancer to have noticed.
async fn notice(handle: &Handle<SocketAddr>) {
    let step = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    while waited < NOTICE && handle.connection_count() > 0 {
        tokio::time::sleep(step).await;
        waited += step;
    }
}
