//! Python with the app's own packages, installed once, and the site run by it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::support::server::package;

/// The folder of the app.
pub(super) fn app() -> PathBuf {
    package().join("../examples/microblog")
}

/// The interpreter of an environment that holds what `requirements.txt` asks for.
fn interpreter() -> Result<PathBuf, String> {
    let file = app().join("requirements.txt");
    let wanted = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{:016x}", hasher.finish()));
    // Tests run in processes of their own: the first makes it, the others wait.
    let lock = std::fs::File::create(folder.with_extension("lock")).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| e.to_string())?;
    let python = folder.join("bin/python");
    if !folder.join("done").exists() {
        let place = folder.to_string_lossy().into_owned();
        run(Command::new("python3").args(["-m", "venv", "--clear", &place]))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(&file))?;
        std::fs::write(folder.join("done"), "").map_err(|e| e.to_string())?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}\n{told}", output.status))
}

fn site(arguments: &[&str]) -> Result<Command, String> {
    let mut command = Command::new(interpreter()?);
    command
        .arg(package().join("flask/site.py"))
        .args(arguments)
        .env("SECRET_KEY", "of-this-test")
        .stdin(Stdio::null());
    Ok(command)
}

/// Makes the site's database.
pub(super) fn fill(database: &str) -> Result<(), String> {
    run(&mut site(&["fill", database])?).map(drop)
}

/// What SQLAlchemy reads of the post with this title, a line for each attribute: `name: type value`.
pub(super) fn show(database: &str, title: &str) -> Result<String, String> {
    let output = run(&mut site(&["show", database, title])?)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The site, served; killed when dropped.
#[derive(Debug)]
pub(super) struct Site {
    /// Where it listens.
    pub(super) address: SocketAddr,
    child: Child,
}

impl Site {
    /// Starts it and waits for the address that it prints once it listens.
    pub(super) fn start(database: &str, log: &Path) -> Result<Self, String> {
        let log = std::fs::File::create(log).map_err(|e| e.to_string())?;
        let mut child = site(&["serve", database])?
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output of the site")?;
        let read = BufReader::new(output).read_line(&mut line);
        let address = line.trim().strip_prefix("http://").and_then(|a| a.parse().ok());
        match (read, address) {
            (Ok(_), Some(address)) => Ok(Self { address, child }),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("the site told no address: `{line}`"))
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
