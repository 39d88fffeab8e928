//! The README keeps its word: its schema is accepted, its commands give what it shows.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::json::Json;
use crate::support::matching::{self, Bindings};
use crate::support::server::{Server, output, package, program};

/// Where the README's service listens.
const ADDRESS: &str = "http://127.0.0.1:8000";
/// Stands between the outputs of two commands.
const MARK: &str = "\u{1}";

/// A command and what the README shows of its output.
#[derive(Debug)]
pub(crate) struct Example {
    command: String,
    shown: String,
}

/// All of them.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("readme::its_schema_is_accepted", || schema().map_err(Into::into)),
        Trial::test("readme::its_commands_give_what_it_shows", || {
            commands().map_err(Into::into)
        }),
    ]
}

fn root() -> PathBuf {
    package().join("..")
}

fn readme() -> Result<String, String> {
    std::fs::read_to_string(root().join("README.md")).map_err(|e| format!("README.md: {e}"))
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let bodies = text.split(&fence).skip(1);
    bodies
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

fn schema() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    for yaml in blocks(&readme()?, "yaml") {
        let file = folder.path().join("rest.yaml");
        std::fs::write(&file, yaml).map_err(|e| e.to_string())?;
        let told = output(&["check", &file.to_string_lossy()])?;
        if !told.status.success() {
            return Err(String::from_utf8_lossy(&told.stderr).into_owned());
        }
    }
    Ok(())
}

fn commands() -> Result<(), String> {
    let examples = examples(&readme()?);
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let server = Server::start(&microblog(folder.path())?)?;
    hold(&examples, &root(), &format!("http://{}", server.address))
}

/// Runs them in a folder, and compares what they print with what is shown.
pub(crate) fn hold(examples: &[Example], folder: &Path, address: &str) -> Result<(), String> {
    let outputs = run(examples, folder, address)?;
    let mut faults = Vec::new();
    for (example, got) in examples.iter().zip(&outputs) {
        faults.extend(differences(&example.shown, got.trim()).map(|d| format!("$ {}\n{d}", example.command)));
    }
    match faults.is_empty() && outputs.len() == examples.len() {
        true => Ok(()),
        false => Err(faults.join("\n")),
    }
}

/// What `cargo microblog` runs, on a database of the test's own and a free port.
pub(crate) fn microblog(folder: &Path) -> Result<Vec<String>, String> {
    let config = root().join(".cargo/config.toml");
    let text = std::fs::read_to_string(&config).map_err(|e| e.to_string())?;
    let alias = text
        .lines()
        .find_map(|line| line.strip_prefix("microblog = \"run --release --package rest-gen -- "))
        .ok_or("no alias `microblog`")?;
    let database = folder.join("microblog.db").display().to_string();
    let mut arguments: Vec<String> = alias
        .trim_end_matches('"')
        .split(' ')
        .map(|word| match word {
            word if word.ends_with(".db") => database.clone(),
            word if word.starts_with("examples/") => root().join(word).display().to_string(),
            word => word.to_owned(),
        })
        .collect();
    arguments.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
    Ok(arguments)
}

/// The commands of a page's `console` blocks: a `$` begins one, what follows it is its output.
pub(crate) fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for line in blocks(page, "console").iter().flat_map(|block| block.lines()) {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => examples.push(Example {
                command: command.to_owned(),
                shown: String::new(),
            }),
            (None, Some(last)) => last.shown += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    examples
}

/// Runs them one after another in one shell, so that what one keeps the next may use.
fn run(examples: &[Example], folder: &Path, address: &str) -> Result<Vec<String>, String> {
    let mut script = String::new();
    for example in examples {
        let command = example.command.replace(ADDRESS, address);
        let command = command.replace("curl ", "curl -sS ");
        script += &format!("{{ {command}; }} 2>&1\nprintf '{MARK}'\n");
    }
    let program = program()?;
    let programs = program.parent().ok_or("rest-gen lies nowhere")?;
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut outputs: Vec<String> = text.split(MARK).map(str::to_owned).collect();
    outputs.pop();
    Ok(outputs)
}

/// What differs between the README and the truth; `…` in the README stands for anything.
fn differences(shown: &str, got: &str) -> Option<String> {
    let mut bindings = Bindings::default();
    let shown = shown.trim();
    let same = match (shown.starts_with('{'), Json::pattern(shown), Json::parse(got)) {
        (true, Ok(shown), Ok(got)) => matching::json(&shown, &got, &mut bindings).is_empty(),
        _ => matching::text(shown, got, &mut bindings),
    };
    (!same).then(|| format!("gives:\n{got}\nand not:\n{shown}"))
}
