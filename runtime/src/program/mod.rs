//! A service as a program: a command line, an address to listen at, signals, a log.
//!
//! ```no_run
//! use rest_runtime::{Builder, Report, RestResource, RestService, Service};
//!
//! #[derive(RestResource)]
//! #[rest(access(read = public, create = public))]
//! struct Note {
//!     id: i64,
//!     text: String,
//! }
//!
//! #[derive(RestService)]
//! #[rest(name = "notes")]
//! struct Notes {
//!     notes: Note,
//! }
//!
//! fn service() -> Result<Builder, Report> {
//!     Service::build::<Notes>()
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     rest_runtime::program::run(service)
//! }
//! ```

mod greeting;
mod log;
mod options;
mod signals;

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rest_schema::Report;

use crate::builder::Builder;
use crate::location::Location;
use crate::server;
use crate::storage::postgres::Address;
use options::LISTEN;
pub use options::{Options, Settled};
use signals::Signals;

/// Serves its resources as a REST service
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 schema and database don't go together, 2 it couldn't run.")]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

/// Why a program could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
    is_fault: bool,
}

impl Failure {
    /// Something in the surroundings: a file, an address, a command line.
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_fault: false,
        }
    }

    /// Whether schema, structs and database don't go together, where all else is of the surroundings.
    pub fn is_fault(&self) -> bool {
        self.is_fault
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self {
            message: error.to_string(),
            is_fault: error.is_misfit(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The whole of a program's `main`: reads the command line, opens the service and serves it until it is asked to end.
pub fn run(service: impl FnOnce() -> Result<Builder, Report>) -> ExitCode {
    // A mistyped command line ends here, by clap's own message and with its code 2.
    let arguments = Arguments::parse();
    let builder = match service() {
        Ok(builder) => builder,
        Err(report) => {
            told(&format!("{report}\n"));
            return ExitCode::from(1);
        }
    };
    if let Some(warnings) = builder.warnings() {
        told(&format!("{warnings}\n"));
    }
    match arguments
        .options
        .settle()
        .and_then(|options| options.serve(builder))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            told(&format!("error: {failure}\n"));
            ExitCode::from(if failure.is_fault { 1 } else { 2 })
        }
    }
}

/// Opens a service, tells its address on the standard output, and serves it until SIGINT or SIGTERM; what operators ask
/// ([`Service::admin_router`](crate::Service::admin_router)) is answered at an address of its own, where one is given.
///
/// # Errors
///
/// Where the address can't be had, the service can't be opened, or the server fails.
pub fn serve(builder: Builder, listen: &str, admin_listen: Option<&str>) -> Result<(), Failure> {
    // The address first: where it can't be had, nothing has been made or written.
    let (listener, address) = bind(listen)?;
    let admin = admin_listen.map(bind).transpose()?;
    let service = builder.open()?;
    log::start();
    #[cfg(feature = "otlp")]
    crate::otlp::start(&service.schema().name);
    for finding in service.advice() {
        told(&format!("note: {finding}\n"));
    }
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let threads = threads.map_err(|error| Failure::new(format!("threads can't be started: {error}")))?;
    let served = threads.block_on(async {
        // From before the address is known to anybody, so that no signal is lost.
        let signals = Signals::listen();
        let mut greeting = greeting::of(&service, address);
        if let Some((_, address)) = &admin {
            greeting += &format!("\n  curl http://{address}/metrics\n");
        }
        print(&greeting)?;
        let admin = admin.map(|(listener, _)| listener);
        let served = server::serve(service, listener, admin, signals.asked_to_end()).await;
        served.map_err(|error| Failure::new(format!("the server ended: {error}")))
    });
    #[cfg(feature = "otlp")]
    crate::otlp::finish();
    log::finish();
    served
}

/// The database that a URL names.
///
/// # Errors
///
/// Where it names none, or a database of another kind.
pub fn location_of(url: &str) -> Result<Location, Failure> {
    let path = match url.split_once(':') {
        Some(("sqlite" | "file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
            let read: Result<Address, String> = url.parse();
            return read.map(|_| Location::from(url)).map_err(Failure::new);
        }
        Some((scheme, rest)) if rest.starts_with("//") => {
            let message =
                format!("`{scheme}` databases aren't served; give a file of SQLite, or postgres://…");
            return Err(Failure::new(message));
        }
        _ => url,
    };
    if path.is_empty() {
        return Err(Failure::new(format!("`{url}` names no file")));
    }
    Ok(Location::File(PathBuf::from(path)))
}

fn bind(listen: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let addresses = listen
        .to_socket_addrs()
        .map_err(|_| Failure::new(format!("`{listen}` isn't an address to listen at, like {LISTEN}")))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    let bound = TcpListener::bind(addresses.as_slice());
    let unheard = |error: io::Error| Failure::new(format!("{listen} can't be listened at: {error}"));
    let listener = bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::new(format!("{listen} is in use by another program")),
        _ => unheard(error),
    })?;
    let address = listener.local_addr().map_err(unheard)?;
    Ok((listener, address))
}

/// Prints a result. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("the output can't be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Where the standard error is closed there is nobody to tell.
fn told(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Arguments, location_of};
    use crate::location::Location;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_database_is_a_file() {
        for url in ["data.db", "sqlite:data.db", "sqlite://data.db", "file:data.db"] {
            assert_eq!(location_of(url), Ok(Location::File("data.db".into())));
        }
        let url = "postgres://susan:hush@localhost/x";
        assert_eq!(location_of(url), Ok(Location::Postgres(url.to_owned())));
        for url in [
            "",
            "sqlite:",
            "mysql://localhost/x",
            "postgres://localhost/x?connections=no",
        ] {
            assert!(location_of(url).is_err(), "{url}");
        }
    }
}
