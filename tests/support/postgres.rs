//! A PostgreSQL of a test's own: in a temporary folder, reached by a socket there, gone with the test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use tempfile::TempDir;

/// A cluster that runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// Where it listens on 127.0.0.1, if it does.
    pub(crate) port: Option<u16>,
    /// That, or the number in its socket's name.
    shown_port: String,
    /// The names of its databases.
    made: Mutex<Vec<String>>,
}

/// What a cluster needs beyond the usual.
#[derive(Debug, Default)]
pub(crate) struct Setup<'a> {
    /// Whether it listens on 127.0.0.1 too.
    pub(crate) listens: bool,
    /// The lines of `pg_hba.conf`, where not everybody is trusted.
    pub(crate) access: &'a str,
    /// Settings, `name=value`.
    pub(crate) settings: &'a [&'a str],
    /// Files that only the server may read, by name: beside its data.
    pub(crate) files: &'a [(&'a str, &'a Path)],
}

impl Cluster {
    /// Makes and starts one, as a user that PostgreSQL accepts.
    pub(crate) fn start() -> Result<Self, String> {
        Self::with(&Setup::default())
    }

    /// The same, with what else is needed.
    pub(crate) fn with(setup: &Setup<'_>) -> Result<Self, String> {
        let cluster = Self::placed(setup)?;
        let data = cluster.data();
        let owner = ["-N", "-A", "trust", "-U", "tests"];
        let made = [&owner[..], &["-D", &data, "-E", "UTF8", "--locale=C.UTF-8"]].concat();
        cluster.run("initdb", &made)?;
        if !setup.access.is_empty() {
            let file = cluster.folder.path().join("data/pg_hba.conf");
            std::fs::write(file, setup.access).map_err(|e| e.to_string())?;
        }
        for (name, file) in setup.files {
            let to = cluster.folder.path().join("data").join(name);
            std::fs::copy(file, &to).map_err(|e| e.to_string())?;
            give(&to)?;
            done(Command::new("chmod").arg("0600").arg(&to))?;
        }
        cluster.begin(setup)?;
        Ok(cluster)
    }

    /// A copy of this one that follows it, and answers reads.
    pub(crate) fn replica(&self) -> Result<Self, String> {
        let setup = Setup::default();
        let replica = Self::placed(&setup)?;
        let socket = self.folder.path().display().to_string();
        let data = replica.data();
        // With `-R` it follows where it was copied from.
        let copied = [
            "-h", &socket, "-U", "tests", "-D", &data, "-R", "-X", "stream", "-c", "fast", "-N",
        ];
        replica.run("pg_basebackup", &copied)?;
        replica.begin(&setup)?;
        Ok(replica)
    }

    fn placed(setup: &Setup<'_>) -> Result<Self, String> {
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let port = setup.listens.then(free_port).transpose()?;
        let cluster = Self {
            folder,
            programs: programs()?,
            port,
            shown_port: port.unwrap_or(5432).to_string(),
            made: Mutex::default(),
        };
        give(cluster.folder.path())?;
        Ok(cluster)
    }

    /// The folder of its socket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn begin(&self, setup: &Setup<'_>) -> Result<(), String> {
        let socket = self.folder.path().display();
        let address = match self.port {
            Some(port) => format!("-c listen_addresses=127.0.0.1 -c port={port}"),
            None => "-c listen_addresses=''".to_owned(),
        };
        let mut options = format!("{address} -c unix_socket_directories={socket} -c fsync=off");
        for setting in setup.settings {
            options += &format!(" -c {setting}");
        }
        let log = format!("{socket}/log");
        self.run(
            "pg_ctl",
            &["-D", &self.data(), "-o", &options, "-l", &log, "-w", "start"],
        )
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Ends it, as a power cut would, for good.
    pub(crate) fn stop(&self) -> Result<(), String> {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"])
    }

    /// Ends it and starts it again.
    pub(crate) fn restart(&self) -> Result<(), String> {
        let log = self.folder.path().join("log").display().to_string();
        self.run(
            "pg_ctl",
            &["-D", &self.data(), "-l", &log, "-m", "fast", "-w", "restart"],
        )
    }

    /// A new database's URL.
    pub(crate) fn database(&self, name: &str) -> Result<String, String> {
        self.run("createdb", &[&self.reached()[..], &[name]].concat())?;
        self.keep(name)
    }

    /// How a client of PostgreSQL's own reaches it.
    fn reached(&self) -> [&str; 6] {
        let socket = self.folder.path().to_str().unwrap_or_default();
        ["-h", socket, "-U", "tests", "-p", &self.shown_port]
    }

    /// Whether it has a database of this name.
    pub(crate) fn has(&self, name: &str) -> Result<bool, String> {
        Ok(self
            .made
            .lock()
            .map_err(|e| e.to_string())?
            .iter()
            .any(|made| made == name))
    }

    /// A new database that is a copy of another one, which nobody is connected to.
    pub(crate) fn copy(&self, template: &str) -> Result<String, String> {
        let name = format!("copy_{}", self.made.lock().map_err(|e| e.to_string())?.len());
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"))?;
        self.keep(&name)
    }

    fn keep(&self, name: &str) -> Result<String, String> {
        self.made.lock().map_err(|e| e.to_string())?.push(name.to_owned());
        Ok(self.url(name))
    }

    /// The URL of a database, whether it is there or not.
    pub(crate) fn url(&self, name: &str) -> String {
        socket_url(self.folder.path(), &self.shown_port, name)
    }

    /// Runs SQL, as the tables' owner does.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> Result<(), String> {
        self.ask(database, sql).map(drop)
    }

    /// Runs SQL, and gives what it answers: a line for each row.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> Result<String, String> {
        let how = ["-d", database, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql];
        self.output("psql", &[&self.reached()[..], &how].concat())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        self.output(program, arguments).map(drop)
    }

    fn output(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = unprivileged(&self.programs.join(program))?;
        output(command.args(arguments).current_dir("/"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The folder goes next; what can't be ended has nothing to write to any more.
        let _ = self.stop();
    }
}

/// The URL of a database that is reached by a socket in a folder.
pub(crate) fn socket_url(folder: &Path, port: &str, database: &str) -> String {
    let socket = folder.display().to_string().replace('/', "%2F");
    format!("postgres://tests@{socket}:{port}/{database}")
}

/// Makes a file one of the user that servers run as.
pub(crate) fn give(file: &Path) -> Result<(), String> {
    if is_root()? {
        done(Command::new("chown").arg("postgres").arg(file))?;
    }
    Ok(())
}

/// A command for programs that refuse to run as root.
pub(crate) fn unprivileged(program: &Path) -> Result<Command, String> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
        .arg(program);
    Ok(command)
}

/// A port that nobody listens at.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|e| e.to_string())
}

fn done(command: &mut Command) -> Result<(), String> {
    output(command).map(drop)
}

fn output(command: &mut Command) -> Result<String, String> {
    // A server that is started here must not hold our output open.
    let Output {
        status,
        stderr,
        stdout,
    } = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim_end().to_owned());
    }
    Err(format!(
        "{command:?}: {status}\n{}",
        String::from_utf8_lossy(&stderr)
    ))
}

fn is_root() -> Result<bool, String> {
    let output = Command::new("id").arg("-u").output().map_err(|e| e.to_string())?;
    Ok(output.stdout == b"0\n")
}

/// Where the newest PostgreSQL has its programs.
fn programs() -> Result<PathBuf, String> {
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut all: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    all.retain(|programs| is_there(programs));
    all.sort();
    all.pop()
        .ok_or_else(|| "PostgreSQL isn't installed; `scripts/test` does that".to_owned())
}

fn is_there(programs: &Path) -> bool {
    programs.join("initdb").is_file()
}
