//! Programs of others that tests run: Python's packages and Node's, each set installed once below the target folder.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The interpreter of an environment that holds what a `requirements.txt` asks for.
pub(crate) fn python(requirements: &Path) -> Result<PathBuf, String> {
    let folder = installed("python", requirements, |folder| {
        let place = folder.to_string_lossy().into_owned();
        run(Command::new("python3").args(["-m", "venv", "--clear", &place]))?;
        run(Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(requirements))
    })?;
    Ok(folder.join("bin/python"))
}

/// A folder with what a `package.json` depends on.
pub(crate) fn node(package: &Path) -> Result<PathBuf, String> {
    installed("node", package, |folder| {
        std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
        std::fs::copy(package, folder.join("package.json")).map_err(|e| e.to_string())?;
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--no-package-lock"])
            .current_dir(folder))
    })
}

/// The folder of what a file asks for. Tests run in processes of their own: the first installs it, the others wait.
fn installed(
    kind: &str,
    file: &Path,
    install: impl FnOnce(&Path) -> Result<Output, String>,
) -> Result<PathBuf, String> {
    let wanted = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{kind}-{:016x}", hasher.finish()));
    let lock = std::fs::File::create(folder.with_extension("lock")).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| e.to_string())?;
    let done = folder.join("done");
    if !done.exists() {
        install(&folder)?;
        std::fs::write(done, "").map_err(|e| e.to_string())?;
    }
    Ok(folder)
}

/// Runs a command to its end; what it says where it fails.
pub(crate) fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}\n{said}\n{told}", output.status))
}
