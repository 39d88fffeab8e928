//! `rest-gen serve`

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;

use rest_runtime::{Service, server};
use rest_schema::{Operation, Resource, ResourceId, Schema};

use crate::database::{Database, run_async};
use crate::error::{Error, Outcome};
use crate::{load, log, output};

/// Serves a schema until it is asked to end.
pub(crate) fn run(file: &Path, database: &Database, listen: &str) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    // The address first: where it can't be had, nothing has been made or written.
    let (listener, address) = bind(listen)?;
    let Some(service) = database.opened(schema)? else {
        return Ok(Outcome::Faults);
    };
    log::start();
    advise(&service);
    let served = run_async(async {
        // From before the address is known to anybody, so that no signal is lost.
        let signals = Signals::listen();
        output::result(&greeting(&service, address))?;
        Ok(server::serve(service, listener, asked_to_end(signals)).await)
    })??;
    log::finish();
    served.map_err(|error| Error::new(format!("the server ended: {error}")))?;
    Ok(Outcome::Done)
}

fn bind(listen: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let addresses = listen.to_socket_addrs().map_err(|_| {
        Error::new(format!(
            "`{listen}` isn't an address to listen at, like 127.0.0.1:8000"
        ))
    })?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    let bound = TcpListener::bind(addresses.as_slice());
    let listener = bound.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Error::new(format!("{listen} is in use by another program")),
        _ => Error::new(format!("{listen} can't be listened at: {error}")),
    })?;
    let address = listener.local_addr();
    let address = address.map_err(|error| Error::new(format!("{listen} can't be listened at: {error}")))?;
    Ok((listener, address))
}

/// Ready at the first SIGINT or SIGTERM; a second one ends the process where it stands.
async fn asked_to_end(mut signals: Signals) {
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(130);
    });
}

/// What asks a process to end.
struct Signals {
    #[cfg(unix)]
    listened: Option<[tokio::signal::unix::Signal; 2]>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let both =
            signal(SignalKind::terminate()).and_then(|term| Ok([term, signal(SignalKind::interrupt())?]));
        Self { listened: both.ok() }
    }

    async fn next(&mut self) {
        match &mut self.listened {
            Some([terminate, interrupt]) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}

/// What would make it faster or safer, on the standard error.
fn advise(service: &Service) {
    for finding in service.advice() {
        output::note(&finding.to_string());
    }
}

/// The address, and for each resource a first request that works.
fn greeting(service: &Service, address: SocketAddr) -> String {
    let schema = service.schema();
    let root = format!("http://{address}{}", schema.prefix);
    let mut text = format!("{} at {root}\n", schema.name);
    if let Some(description) = &schema.description {
        let _ = writeln!(text, "{description}");
    }
    if let Some(sign_in) = sign_in(schema, &root) {
        let _ = write!(text, "\n{sign_in}");
    }
    text.push('\n');
    for (id, resource) in schema.resources() {
        let _ = writeln!(text, "  {}", first_request(service, id, resource, &root));
    }
    text
}

fn needs_token(service: &Service, id: ResourceId, resource: &Resource) -> bool {
    resource.access.read.is_some() && !service.is_open_to_all(id, Operation::Read)
}

/// How to get a token: curl asks for the password.
fn sign_in(schema: &Schema, root: &str) -> Option<String> {
    let accounts = schema.accounts.as_ref()?;
    let name = accounts
        .identify_by
        .iter()
        .find_map(|field| schema.field(*field).example.as_ref())
        .map_or_else(|| "NAME".to_owned(), rest_schema::Value::to_wire);
    let cut = r#"sed 's/.*"token":"\([^"]*\)".*/\1/'"#;
    Some(format!(
        "  TOKEN=$(curl -s -u {name} -X POST {root}/tokens | {cut})\n"
    ))
}

fn first_request(service: &Service, id: ResourceId, resource: &Resource, root: &str) -> String {
    let address = format!("{root}/{}", resource.collection);
    if resource.access.read.is_none() {
        return format!("curl -i -X OPTIONS '{address}'");
    }
    let token = if needs_token(service, id, resource) {
        "-H \"Authorization: Bearer $TOKEN\" "
    } else {
        ""
    };
    format!("curl {token}'{address}?limit=2'")
}
