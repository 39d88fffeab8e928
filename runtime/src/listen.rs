//! A service on a port: answers until it is told to stop, then finishes what runs.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum_server::Handle;

use crate::service::Service;

/// Time that a client has to send its request line and headers.
const HEADERS: Duration = Duration::from_secs(30);
/// Bytes of request line and headers; beyond them the server answers 431 by itself.
const HEAD: usize = 64 * 1024;

/// How long a shutdown waits for what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// Time in which `/health/ready` answers 503 while everything is still served, so that a balancer goes elsewhere.
    pub drain: Duration,
    /// Time after which connections that are still open are cut.
    pub deadline: Duration,
}

impl Default for Grace {
    /// No time to drain; ten seconds to finish.
    fn default() -> Self {
        Self {
            drain: Duration::ZERO,
            deadline: Duration::from_secs(10),
        }
    }
}

/// Serves on a bound socket until `stop` ends; then turns `/health/ready`, finishes the requests that run, and closes
/// the database.
///
/// # Errors
///
/// Where the socket fails.
pub async fn serve(
    service: Service,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Grace,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::<SocketAddr>::new();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone());
    let mut timer = server.http_builder().http1();
    timer
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEAD);
    let stopping = service.clone();
    let watcher = tokio::spawn(async move {
        stop.await;
        stopping.begin_shutdown();
        tokio::time::sleep(grace.drain).await;
        handle.graceful_shutdown(Some(grace.deadline));
    });
    let app = service
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    let served = server.serve(app).await;
    watcher.abort();
    service.shutdown().await;
    served
}
