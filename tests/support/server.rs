//! Starts the real program on a fresh database, and ends it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::case::SchemaSource;
use super::postgres::Cluster;

/// How long a start, or an end, may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of this package.
pub(crate) fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The file of a schema of `tests/schemas`.
pub(crate) fn schema_file(name: &str) -> PathBuf {
    package().join("schemas").join(format!("{name}.yaml"))
}

/// The program under test.
pub(crate) fn program() -> Result<PathBuf, String> {
    built("rest-gen")
}

/// A program of the workspace, beside the test's own executable.
fn built(program: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        format!(
            "{program} has not been built: run `cargo build --workspace --bins` with the same profile first"
        )
    })
}

/// `rest-gen` with these arguments, not yet started, without anything of our environment that it would read.
pub(crate) fn rest_gen(arguments: &[&str]) -> Result<Command, String> {
    Ok(quiet(&program()?, arguments))
}

fn quiet(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .env_remove("RUST_LOG")
        .env_remove("REST_DATABASE")
        .env_remove("REST_LISTEN")
        .env_remove("REST_ADMIN_LISTEN")
        // Of the app whose sessions `tests/schemas/gate.yaml` understands.
        .env("REST_FLASK_SECRET_KEY", "you-will-never-guess")
        // Of the issuer whose tokens it takes.
        .env("REST_JWKS", package().join("jwks.json"))
        .env("NO_COLOR", "1");
    command
}

/// Runs `rest-gen` to its end.
pub(crate) fn output(arguments: &[&str]) -> Result<Output, String> {
    rest_gen(arguments)?.output().map_err(|e| e.to_string())
}

/// A schema and a database of a test's own, gone with it.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder that holds both.
    pub(crate) folder: TempDir,
    /// The schema's file.
    pub(crate) schema: PathBuf,
    /// The database's file; with `url`, there is none.
    pub(crate) database: PathBuf,
    /// The database's address, where it is PostgreSQL's.
    url: Option<String>,
}

impl Place {
    /// A fresh copy of a schema's database, with the rows of its seed.
    pub(crate) fn new(source: &SchemaSource) -> Result<Self, String> {
        let template = template(source)?;
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let (schema, database) = (folder.path().join("rest.yaml"), folder.path().join("data.db"));
        copy(&template.join("rest.yaml"), &schema)?;
        copy(&template.join("data.db"), &database)?;
        Ok(Self {
            folder,
            schema,
            database,
            url: None,
        })
    }

    /// The same as a database of a cluster.
    pub(crate) fn on(cluster: &Cluster, source: &SchemaSource) -> Result<Self, String> {
        let (yaml, seed) = texts(source)?;
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let written = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).map_err(|e| e.to_string())?;
            Ok::<_, String>(file)
        };
        let schema = written("rest.yaml", &yaml)?;
        let mut hasher = DefaultHasher::new();
        (&yaml, &seed).hash(&mut hasher);
        let template = format!("template_{:016x}", hasher.finish());
        if !cluster.has(&template)? {
            let url = cluster.database(&template)?;
            fill(
                &schema,
                seed.map(|rows| written("seed.yaml", &rows))
                    .transpose()?
                    .as_deref(),
                &url,
            )?;
        }
        let url = Some(cluster.copy(&template)?);
        let database = folder.path().join("data.db");
        Ok(Self {
            folder,
            schema,
            database,
            url,
        })
    }

    /// What `--database` is given.
    pub(crate) fn location(&self) -> String {
        self.url
            .clone()
            .unwrap_or_else(|| self.database.display().to_string())
    }

    /// The name of the database in its cluster.
    pub(crate) fn database_name(&self) -> String {
        self.location().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The same, for a schema of `tests/schemas`.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        Self::new(&SchemaSource::Named(name.to_owned()))
    }

    /// One statement on its database, which is the cluster's or a file; what it gives: a text in a line for each row.
    pub(crate) fn sql(&self, cluster: Option<&Cluster>, sql: &str) -> Result<String, String> {
        if let Some(cluster) = cluster {
            return cluster.ask(&self.database_name(), sql);
        }
        let lines = || {
            let database = rusqlite::Connection::open(&self.database)?;
            let mut statement = database.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        Ok(lines().map_err(|e| e.to_string())?.join("\n"))
    }

    /// A test on both databases, each with a place of its own; what fails is told with where.
    pub(crate) fn on_both(
        source: &SchemaSource,
        test: impl Fn(Self, Option<&Cluster>) -> Result<(), String>,
    ) -> Result<(), String> {
        let cluster = Cluster::start()?;
        for cluster in [None, Some(&cluster)] {
            let place = match cluster {
                None => Self::new(source)?,
                Some(cluster) => Self::on(cluster, source)?,
            };
            let location = place.location();
            test(place, cluster).map_err(|told| format!("{location}: {told}"))?;
        }
        Ok(())
    }

    /// The arguments that serve it.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let schema = self.schema.display().to_string();
        [
            "serve",
            &schema,
            "--database",
            &self.location(),
            "--listen",
            "127.0.0.1:0",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// Serves it.
    pub(crate) fn serve(&self) -> Result<Server, String> {
        Server::of(&self.schema, &self.location())
    }

    /// Serves it with these variables.
    pub(crate) fn serve_with(&self, variables: &[(&str, &str)]) -> Result<Server, String> {
        let arguments = self.arguments();
        let mut command = rest_gen(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        command.envs(variables.iter().copied());
        Server::spawn(command)
    }

    /// Serves it with an address for operators, and gives that address.
    pub(crate) fn serve_with_operators(&self, more: &[&str]) -> Result<(Server, SocketAddr), String> {
        let mut arguments = self.arguments();
        arguments.extend(["--admin-listen", "127.0.0.1:0"].map(str::to_owned));
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let server = Server::start(&arguments)?;
        let told = server.told_up_to("/metrics")?;
        let (before, _) = told.split_once("/metrics").ok_or("no address for operators")?;
        let address = before.rsplit("http://").next().unwrap_or_default();
        let address = address
            .parse()
            .map_err(|_| format!("`{address}` is no address"))?;
        Ok((server, address))
    }

    /// Serves its database by the structs of `tests/ways` that say what a schema of `tests/schemas` says.
    pub(crate) fn serve_structs(&self, written: &str, schema: &str) -> Result<Server, String> {
        let mut command = quiet(
            &built("ways")?,
            &["--database", &self.location(), "--listen", "127.0.0.1:0"],
        );
        command.env("WAYS_SERVICE", format!("{written}/{schema}"));
        Server::spawn(command)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::copy(from, to)
        .map(|_| ())
        .map_err(|e| format!("{}: {e}", from.display()))
}

/// A folder with the schema and its seeded database, made once per schema, seed and build of the program: seeding
/// hashes passwords, which is slow by intent. Processes that want the same one wait for each other.
fn template(source: &SchemaSource) -> Result<PathBuf, String> {
    let (yaml, seed) = texts(source)?;
    let program = program()?;
    let built = std::fs::metadata(&program)
        .and_then(|m| Ok((m.len(), m.modified()?)))
        .map_err(|e| e.to_string())?;
    let mut hasher = DefaultHasher::new();
    (&yaml, &seed, built).hash(&mut hasher);
    let name = match source {
        SchemaSource::Named(name) => name.as_str(),
        SchemaSource::Inline(_) => "inline",
    };
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("templates");
    let folder = root.join(format!("{name}-{:016x}", hasher.finish()));
    std::fs::create_dir_all(&root).map_err(|e| e.to_string())?;
    let lock = std::fs::File::create(folder.with_extension("lock")).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| e.to_string())?;
    if !folder.join("done").exists() {
        forget_older(&root, name, &folder);
        build(&folder, &yaml, seed.as_deref())?;
    }
    Ok(folder)
}

fn texts(source: &SchemaSource) -> Result<(String, Option<String>), String> {
    match source {
        SchemaSource::Inline(yaml) => Ok((yaml.clone(), None)),
        SchemaSource::Named(name) => {
            let file = schema_file(name);
            let yaml = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            Ok((
                yaml,
                std::fs::read_to_string(file.with_extension("seed.yaml")).ok(),
            ))
        }
    }
}

/// Templates of former builds are of no use; those of inline schemas share a name and stay until the build changes.
fn forget_older(root: &Path, name: &str, keep: &Path) {
    let day = Duration::from_secs(24 * 3600);
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        let same = entry
            .file_name()
            .to_string_lossy()
            .starts_with(&format!("{name}-"));
        let old = entry
            .metadata()
            .and_then(|m| m.modified())
            .is_ok_and(|t| t.elapsed().is_ok_and(|age| age > day));
        if same && old && path != keep && path.is_dir() {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

fn build(folder: &Path, yaml: &str, seed: Option<&str>) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).map_err(|e| e.to_string())?;
        Ok::<_, String>(file)
    };
    let schema = write("rest.yaml", yaml)?;
    let database = folder.join("data.db");
    let seed = seed.map(|rows| write("seed.yaml", rows)).transpose()?;
    fill(&schema, seed.as_deref(), &database.display().to_string())?;
    checkpoint(&database)?;
    write("done", "").map(|_| ())
}

/// Makes the tables, with the rows of a seed.
fn fill(schema: &Path, seed: Option<&Path>, database: &str) -> Result<(), String> {
    let Some(rows) = seed else {
        return Server::of(schema, database)?.stop().map(drop);
    };
    let (schema, rows) = (schema.display().to_string(), rows.display().to_string());
    done(&output(&["seed", &schema, &rows, "--database", database])?)
}

fn done(output: &Output) -> Result<(), String> {
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "rest-gen seed: {}\n{}{}",
        output.status,
        told(&output.stdout),
        told(&output.stderr)
    ))
}

/// Moves what still stands in the write-ahead log into the file that is copied.
fn checkpoint(database: &Path) -> Result<(), String> {
    rusqlite::Connection::open(database)
        .and_then(|connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .map_err(|e| format!("{}: {e}", database.display()))
}

/// A running `rest-gen serve`; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    told: Arc<Mutex<String>>,
}

impl Server {
    /// Serves a schema's file on a database.
    pub(crate) fn of(schema: &Path, database: &str) -> Result<Self, String> {
        let schema = schema.display().to_string();
        Self::start(&[
            "serve",
            &schema,
            "--database",
            database,
            "--listen",
            "127.0.0.1:0",
        ])
    }

    /// Starts it and waits for the address on its output.
    pub(crate) fn start(arguments: &[impl AsRef<str>]) -> Result<Self, String> {
        let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        Self::spawn(rest_gen(&arguments)?)
    }

    /// Starts a command that runs `rest-gen serve`, and waits for the address on its output.
    pub(crate) fn spawn(mut command: Command) -> Result<Self, String> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| e.to_string())?;
        let told = Arc::new(Mutex::new(String::new()));
        let lines = listen(&mut child, &told);
        match find_address(&lines) {
            Some(address) => Ok(Self { address, child, told }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("rest-gen serve told no address:\n{}", text(&told)))
            }
        }
    }

    /// What it has printed so far.
    pub(crate) fn told(&self) -> String {
        text(&self.told)
    }

    /// What it has printed, once that holds these words.
    pub(crate) fn told_up_to(&self, words: &str) -> Result<String, String> {
        let start = Instant::now();
        loop {
            let told = self.told();
            if told.contains(words) {
                return Ok(told);
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("`{words}` isn't told:\n{told}"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) -> Result<(), String> {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map(|_| ())
            .map_err(|e| e.to_string())
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) -> Result<(), String> {
        let status = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status();
        status.map(|_| ()).map_err(|e| e.to_string())
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus, String> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().map_err(|e| e.to_string())? {
                return Ok(status);
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("it doesn't end:\n{}", self.told()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<ExitStatus, String> {
        self.terminate()?;
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(told: &Mutex<String>) -> String {
    told.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Reads both outputs to their ends, so that the program never waits for us.
fn listen(child: &mut Child, told: &Arc<Mutex<String>>) -> Receiver<String> {
    let (lines, received) = channel();
    let outputs: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|s| Box::new(s) as _),
        child.stderr.take().map(|s| Box::new(s) as _),
    ];
    for output in outputs.into_iter().flatten() {
        let (lines, told) = (lines.clone(), Arc::clone(told));
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                told.push_str(&line);
                told.push('\n');
                let _ = lines.send(line);
            }
        });
    }
    received
}

fn find_address(lines: &Receiver<String>) -> Option<SocketAddr> {
    let start = Instant::now();
    while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
        match lines.recv_timeout(left) {
            Ok(line) => {
                let address = line.split_once("http://127.0.0.1:").map(|(_, rest)| {
                    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                    format!("127.0.0.1:{port}")
                });
                if let Some(address) = address.and_then(|a| a.parse().ok()) {
                    return Some(address);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
    None
}
