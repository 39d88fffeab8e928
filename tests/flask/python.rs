//! Python with the app's own packages, installed once, and the site run by it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::server::package;
use crate::support::tools::{python, run};

/// The folder of the app.
pub(super) fn app() -> PathBuf {
    package().join("../examples/microblog")
}

fn site(arguments: &[&str]) -> Result<Command, String> {
    let mut command = Command::new(python(&app().join("requirements.txt"))?);
    command
        .arg(package().join("flask/site.py"))
        .args(arguments)
        .env("SECRET_KEY", "you-will-never-guess")
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
