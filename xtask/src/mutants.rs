//! Whether tests notice a rule that is left out: the tests that are generated from the examples' schemas are run once for
//! each place in the code that asks a rule, with that rule granting everything there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;

/// The projects whose tests are run.
const PROJECTS: [&str; 2] = ["tracker", "microblog"];

/// Places where it does no harm, as `file: what stands on the line`, and why.
const HARMLESS: &[(&str, &str, &str)] = &[];

/// Lines that ask a rule and that no generated test comes by, or can tell from one that asks nothing; and what holds them
/// instead.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "plan/read.rs",
        "self.read_rule(level.resource)?",
        "what a program reads as a struct: its own tests",
    ),
    (
        "plan/read.rs",
        "self.read_rule(pairs)?",
        "the pair beside an item: `tests/http/through/hidden.md`",
    ),
    (
        "storage/steps.rs",
        "rule.permit(&self.write.caller)",
        "PUT that makes: `tests/http/access/put-that-creates.md`",
    ),
    (
        "storage/steps/judge.rs",
        "rule.judged(caller)",
        "a field on create: `tests/http/access/writable-field.md`",
    ),
];

/// Where rules are asked, and the calls by which.
const FOLDERS: [&str; 3] = ["runtime/src/plan", "runtime/src/sql", "runtime/src/storage"];
const CALLS: [&str; 5] = [".permit(", ".judged(", ".held(", "read_rule(", "pairs_rule("];

/// Lines that ask for others: the places are theirs.
const FOR_OTHERS: [&str; 4] = [
    "self.read_rule_of(resource, Which::There)",
    "self.read_rule(through.resource())",
    "rules.restore.permit(self.caller)",
    "rules.read(which).permit(self.caller)",
];

/// A project's tests.
struct Tests {
    project: &'static str,
    program: PathBuf,
    folder: PathBuf,
    /// The places that they come by.
    places: BTreeSet<String>,
}

/// Runs them all; whether each rule that was left out was noticed.
pub(crate) fn run() -> Result<bool> {
    let mut all = Vec::new();
    for project in PROJECTS {
        all.push(Tests::built(project)?);
    }
    let places: BTreeSet<&String> = all.iter().flat_map(|tests| &tests.places).collect();
    let mut unnoticed = Vec::new();
    for place in &places {
        let mut noticed = None;
        for tests in all.iter().filter(|tests| tests.places.contains(*place)) {
            if !tests.passes(Some(place), None)? {
                noticed = Some(tests.project);
                break;
            }
        }
        let line = line_of(place)?;
        match (
            noticed,
            listed(HARMLESS, place, &line),
            listed(ELSEWHERE, place, &line),
        ) {
            (Some(project), ..) => println!("noticed by {project:<10} {place}  {line}"),
            (None, Some(why), _) => println!("harmless              {place}  {line}: {why}"),
            (None, None, Some(by)) => println!("held elsewhere        {place}  {line}: {by}"),
            (None, None, None) => {
                println!("NOT NOTICED           {place}  {line}");
                unnoticed.push(place);
            }
        }
    }
    let mut untried = 0;
    for (place, line) in asked()? {
        let is_tried = places.iter().any(|tried| tried.starts_with(&format!("{place}:")));
        match listed(ELSEWHERE, &place, &line) {
            _ if is_tried => {}
            Some(by) => println!("held elsewhere        {place}  {line}: {by}"),
            None => {
                println!("NOT TRIED             {place}  {line}");
                untried += 1;
            }
        }
    }
    let (all, unnoticed) = (places.len(), unnoticed.len());
    println!("{all} places that ask a rule were tried, {unnoticed} not noticed; {untried} not tried");
    Ok(unnoticed + untried == 0 && all > 0)
}

/// What a list says of a line.
fn listed(list: &[(&str, &str, &'static str)], place: &str, line: &str) -> Option<&'static str> {
    let mut found = list
        .iter()
        .filter(|(file, text, _)| place.contains(file) && line.contains(text));
    found.next().map(|(_, _, why)| *why)
}

/// Lines of the code that ask a rule, with their places.
fn asked() -> Result<Vec<(String, String)>> {
    let mut files = vec!["runtime/src/engine.rs".to_owned()];
    let mut folders: Vec<String> = FOLDERS.map(str::to_owned).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder))? {
            let entry = entry?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(name);
            } else if name.ends_with(".rs") && !name.ends_with("/written.rs") {
                files.push(name);
            }
        }
    }
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(root().join(&file))?;
        // What stands behind the code of a file are its tests.
        let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        for (number, line) in code.enumerate() {
            let is_call = !line.contains("fn ") && !line.trim_start().starts_with("//");
            let asks = CALLS.iter().any(|call| line.contains(call));
            if is_call && asks && !FOR_OTHERS.iter().any(|other| line.contains(other)) {
                all.push((format!("{file}:{}", number + 1), line.trim().to_owned()));
            }
        }
    }
    Ok(all)
}

/// What stands at a place of the code.
fn line_of(place: &str) -> Result<String> {
    let mut parts = place.split(':');
    let (file, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let text = std::fs::read_to_string(root().join(file))?;
    let line: usize = line.parse()?;
    Ok(text
        .lines()
        .nth(line.saturating_sub(1))
        .unwrap_or_default()
        .trim()
        .to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Tests {
    fn built(project: &'static str) -> Result<Self> {
        let output = Command::new(env!("CARGO"))
            .current_dir(root())
            .args(["test", "--package", project, "--test", "generated", "--no-run"])
            .args(["--features", "rest-runtime/mutants", "--message-format", "json"])
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("the tests of {project} can't be built").into());
        }
        let mut found = None;
        for line in String::from_utf8(output.stdout)?.lines() {
            let message: Value = serde_json::from_str(line)?;
            let program = message["executable"].as_str();
            if let Some(program) = program.filter(|_| message["target"]["name"] == "generated") {
                let manifest = PathBuf::from(message["manifest_path"].as_str().unwrap_or_default());
                found = Some((PathBuf::from(program), manifest));
            }
        }
        let (program, manifest) = found.ok_or_else(|| format!("{project} has no generated tests"))?;
        let mut tests = Self {
            project,
            program,
            folder: manifest.parent().map(Path::to_owned).unwrap_or_default(),
            places: BTreeSet::new(),
        };
        let folder = tempfile::tempdir()?;
        let list = folder.path().join("places");
        if !tests.passes(None, Some(&list))? {
            return Err(format!("the tests of {project} fail as they are").into());
        }
        tests.places = std::fs::read_to_string(list)?
            .lines()
            .map(str::to_owned)
            .collect();
        Ok(tests)
    }

    /// Whether they pass, with a rule left out, or with all places listed.
    fn passes(&self, place: Option<&str>, list: Option<&Path>) -> Result<bool> {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env_remove("REST_MUTANT")
            .env_remove("REST_MUTANTS");
        if let Some(place) = place {
            command.env("REST_MUTANT", place);
        }
        if let Some(list) = list {
            command.env("REST_MUTANTS", list);
        }
        Ok(command.status()?.success())
    }
}
