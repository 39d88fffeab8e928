//! A server as a process: started on a free port, watched through `/proc`, stopped.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Binaries;
use super::client::Client;
use crate::Result;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The schema, served.
    Ours,
    /// By hand, with the same contract.
    Contract,
    /// By hand, without.
    Bare,
    /// The schema, served on PostgreSQL.
    OursOnPostgres,
    /// By hand on PostgreSQL, nearly without.
    PostgresByHand,
}

impl Kind {
    /// All, in the order of the table.
    pub(super) const ALL: [Self; 3] = [Self::Ours, Self::Contract, Self::Bare];

    /// Those on PostgreSQL.
    pub(super) const ON_POSTGRES: [Self; 2] = [Self::OursOnPostgres, Self::PostgresByHand];

    /// Whether it serves a schema.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OursOnPostgres)
    }

    /// Whether it does what a schema says.
    pub(super) fn keeps_the_contract(self) -> bool {
        self.is_ours() || self == Self::Contract
    }

    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Contract => "contract",
            Self::Bare => "bare",
            Self::OursOnPostgres => "ours",
            Self::PostgresByHand => "postgres",
        }
    }
}

/// A running server; it is killed when dropped.
pub(super) struct Server {
    /// Which it is.
    pub(super) kind: Kind,
    process: Child,
    url: String,
}

impl Server {
    /// Starts one of the benchmark's servers and waits until it listens.
    pub(super) fn start(
        kind: Kind,
        binaries: &Binaries,
        database: &str,
        log: &Path,
        token: &str,
    ) -> Result<Self> {
        let listen = free_address()?;
        let mut command = match kind {
            Kind::Ours | Kind::OursOnPostgres => {
                serve(binaries, &binaries.root.join("benches/bench.yaml"), database)
            }
            Kind::Contract | Kind::Bare | Kind::PostgresByHand => {
                let mut command = Command::new(&binaries.by_hand);
                command
                    .arg(format!("--{}", kind.name()))
                    .arg("--database")
                    .arg(database);
                command.arg("--token").arg(format!("{}={token}", super::ACCOUNT));
                command
            }
        };
        command.arg("--listen").arg(&listen);
        Self::spawn(kind, command, &listen, log)
    }

    /// Starts a command that listens there.
    pub(super) fn spawn(kind: Kind, mut command: Command, listen: &str, log: &Path) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?);
        let process = command.spawn()?;
        let mut server = Self {
            kind,
            process,
            url: format!("http://{listen}"),
        };
        server.await_listening(listen).map_err(|error| {
            let told = fs::read_to_string(log).unwrap_or_default();
            format!("{}: {error}\n{told}", kind.name())
        })?;
        Ok(server)
    }

    fn await_listening(&mut self, listen: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(listen).is_err() {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("it ended with {status}").into());
            }
            if Instant::now() > deadline {
                return Err("it doesn't listen".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.kind.is_ours() {
            // It listens before it has looked at its database.
            let ready = Client::new(&self.url).get("/health/ready")?;
            if ready.status >= 300 {
                return Err(format!("it isn't ready: {} {}", ready.status, ready.text).into());
            }
        }
        Ok(())
    }

    /// Where it answers.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// CPU time so far, of all threads.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Memory that is its own, and all that is mapped and present, in MB.
    pub(super) fn memory(&self) -> Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = |name: &str| {
            let value = status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
            value
                .and_then(|value| value.trim().parse::<f64>().ok())
                .map(|kb| kb / 1024.0)
        };
        line("RssAnon:")
            .zip(line("VmRSS:"))
            .ok_or_else(|| "its memory can't be read".into())
    }

    /// Asks it to end, and waits.
    pub(super) fn stop(mut self) -> Result<()> {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended where this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `rest-gen serve`, quiet.
pub(super) fn serve(binaries: &Binaries, schema: &Path, database: &str) -> Command {
    let mut command = Command::new(&binaries.ours);
    command
        .arg("serve")
        .arg(schema)
        .arg("--database")
        .arg(database)
        .env("RUST_LOG", "warn");
    command
}

/// An address that nobody listens at.
pub(super) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
