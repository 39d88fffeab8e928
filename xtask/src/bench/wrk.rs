//! The load generator.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::Result;

/// How hard.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) connections: u32,
    pub(super) threads: u32,
    pub(super) seconds: u32,
}

/// What a run saw.
pub(super) struct Run {
    /// Answers.
    pub(super) requests: u64,
    /// Answers of 400 or more, and failures of the connection.
    pub(super) errors: u64,
    /// How long it took.
    pub(super) seconds: f64,
    /// The median, in milliseconds.
    pub(super) p50: f64,
    /// What 99 of 100 stayed below, in milliseconds.
    pub(super) p99: f64,
}

/// Whether wrk is there.
pub(super) fn installed() -> Result<()> {
    match Command::new("wrk").arg("-v").output() {
        Ok(_) => Ok(()),
        Err(_) => Err("wrk is not installed; on Debian and Ubuntu: apt-get install wrk".into()),
    }
}

/// Loads a server by a script.
pub(super) fn run(url: &str, script: &Path, load: Load) -> Result<Run> {
    end(start(url, script, load)?)
}

/// What one that was started saw.
pub(super) fn end(load: Child) -> Result<Run> {
    let told = told(load)?;
    let number = |name: &str| {
        told[name]
            .as_u64()
            .ok_or_else(|| format!("wrk doesn't tell {name}"))
    };
    Ok(Run {
        requests: number("requests")?,
        errors: number("errors")?,
        seconds: number("duration")? as f64 / 1e6,
        p50: number("p50")? as f64 / 1e3,
        p99: number("p99")? as f64 / 1e3,
    })
}

/// What the script of one that was started writes when it is done.
pub(super) fn told(load: Child) -> Result<Value> {
    let output = load.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{')).ok_or_else(|| {
        format!(
            "wrk says nothing: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    Ok(serde_json::from_str(line)?)
}

/// Starts to load a server.
pub(super) fn start(url: &str, script: &Path, load: Load) -> Result<Child> {
    let mut command = Command::new("wrk");
    command
        .arg(format!("-c{}", load.connections))
        .arg(format!("-t{}", load.threads));
    command
        .arg(format!("-d{}s", load.seconds))
        .arg("-s")
        .arg(script)
        .arg(url);
    Ok(command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}
