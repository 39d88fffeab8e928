//! Serves a service on a listener, until it is asked to end.
//!
//! A program that has a server of its own mounts [`Service::router`] there instead.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use hyper_util::rt::TokioTimer;

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
    let serving = listening(listener, &handle, service.router())?;
    let admin_handle = Handle::new();
    let admin = admin.map(|listener| listening(listener, &admin_handle, service.admin_router()));
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

/// A router at an address, with the limits on heads that hold everywhere.
fn listening(
    listener: TcpListener,
    handle: &Handle<SocketAddr>,
    router: Router,
) -> io::Result<impl Future<Output = io::Result<()>> + Send + 'static> {
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
    Ok(server.serve(router.into_make_service_with_connect_info::<SocketAddr>()))
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
