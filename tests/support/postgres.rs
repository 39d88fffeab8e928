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
    /// The names of its databases.
    made: Mutex<Vec<String>>,
}

impl Cluster {
    /// Makes and starts one, as a user that PostgreSQL accepts.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let cluster = Self {
            folder,
            programs: programs()?,
            made: Mutex::default(),
        };
        if is_root()? {
            done(Command::new("chown").arg("postgres").arg(cluster.folder.path()))?;
        }
        let data = cluster.data();
        cluster.run(
            "initdb",
            &[
                "-N",
                "-D",
                &data,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "-A",
                "trust",
                "-U",
                "tests",
            ],
        )?;
        let socket = cluster.folder.path().display();
        let options = format!("-c listen_addresses='' -c unix_socket_directories={socket} -c fsync=off");
        let log = format!("{socket}/log");
        cluster.run(
            "pg_ctl",
            &["-D", &data, "-o", &options, "-l", &log, "-w", "start"],
        )?;
        Ok(cluster)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
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
        let socket = self.folder.path().display().to_string();
        self.run("createdb", &["-h", &socket, "-U", "tests", name])?;
        self.keep(name)
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
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://tests@{socket}/{name}")
    }

    /// Runs SQL, as the tables' owner does.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> Result<(), String> {
        let socket = self.folder.path().display().to_string();
        let arguments = [
            "-h",
            &socket,
            "-U",
            "tests",
            "-d",
            database,
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
        ];
        self.run("psql", &arguments)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let program = self.programs.join(program);
        let mut command = if is_root()? {
            // The server refuses to run as root.
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        done(command.args(arguments).current_dir("/"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The folder goes next; what can't be ended has nothing to write to any more.
        let _ = self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }
}

fn done(command: &mut Command) -> Result<(), String> {
    // A server that is started here must not hold our output open.
    let Output { status, stderr, .. } = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        return Ok(());
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
