//! The guides keep their word: what they show of Rust stands in a file that is compiled.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::readme;
use crate::support::server::package;

/// Stands in a snippet where lines of the file are left out.
const LEFT_OUT: &str = "// …";

/// Where snippets are from.
const SOURCES: [&str; 5] = [
    "examples/derive/src",
    "examples/custom/src",
    "examples/notes/src",
    "examples/notes/tests",
    "runtime/tests",
];

/// The guide of projects that are generated.
const PROJECT: &str = "docs/guide/generated-project.md";

/// One for each guide with snippets of Rust.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("guide::library_shows_what_is_compiled", || {
            shown("docs/guide/library.md").map_err(Into::into)
        }),
        Trial::test("guide::a_project_shows_what_is_compiled", || {
            shown(PROJECT).map_err(Into::into)
        }),
        Trial::test("guide::a_project_shows_what_commands_print", || {
            commands().map_err(Into::into)
        }),
    ]
}

/// All commands of the guide, one after another.
fn commands() -> Result<(), String> {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let page = read(&package().join("..").join(PROJECT))?;
    readme::hold(&readme::examples(&page), folder.path(), "")
}

fn shown(guide: &str) -> Result<(), String> {
    let root = package().join("..");
    let text = read(&root.join(guide))?;
    let mut files = Vec::new();
    for folder in SOURCES {
        for file in rust_files(&root.join(folder))? {
            files.push(lines(&read(&file)?));
        }
    }
    let mut strange = Vec::new();
    for snippet in text.split("```rust\n").skip(1) {
        let snippet = lines(snippet.split("```").next().unwrap_or_default());
        let parts: Vec<&[String]> = snippet.split(|line| line == LEFT_OUT).collect();
        if !files.iter().any(|file| has_all(file, &parts)) {
            strange.push(snippet.join("\n"));
        }
    }
    if strange.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{guide} shows what no file has:\n\n{}",
            strange.join("\n\n")
        ))
    }
}

/// Whether the parts stand in a file, one after another.
fn has_all(file: &[String], parts: &[&[String]]) -> bool {
    let mut rest = file;
    parts.iter().filter(|part| !part.is_empty()).all(|part| {
        let at = rest.windows(part.len()).position(|window| window == *part);
        at.is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}

/// The lines that say something, without their indentation.
fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .collect())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
