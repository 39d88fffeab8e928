//! A real browser, without a window.

use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Milliseconds of its own clock, which runs as fast as it can, that a page has until it has to be done.
const PATIENCE: u32 = 30_000;

/// What a page is once its scripts have run.
pub(crate) fn page(address: &str) -> Result<String, String> {
    let profile = TempDir::new().map_err(|e| e.to_string())?;
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        // Nothing of the page may come from elsewhere.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--virtual-time-budget={PATIENCE}"))
        .args(["--dump-dom", address])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("chromium can't be started ({e}); scripts/test installs it"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("chromium: {}\n{told}", output.status))
    }
}
