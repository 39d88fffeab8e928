//! `rest-gen generate`

use std::path::Path;
use std::time::Duration;

use rest_schema::Schema;

use crate::error::{Error, Outcome};
use crate::project::folder::Project;
use crate::project::update::{Change, Update, diff};
use crate::{files, load, output};

/// How often a watched project is looked at.
const PAUSE: Duration = Duration::from_millis(300);

/// What is done about what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is written.
    Write,
    /// It is told, and is a fault.
    Check,
    /// It is shown.
    Diff,
    /// It is written again and again.
    Watch,
}

/// Brings the generated files of a project up to date.
pub(crate) fn run(dir: &Path, mode: Mode, force: bool) -> Result<Outcome, Error> {
    if mode == Mode::Watch {
        return watch(dir, force);
    }
    let project = Project::open(dir, force)?;
    let Some(schema) = load::schema(&project.schema())? else {
        return Ok(Outcome::Faults);
    };
    let update = project.update(&schema)?;
    match mode {
        Mode::Write | Mode::Watch => write(dir, &project, &schema, update, force),
        Mode::Check => check(&update),
        Mode::Diff => show(&project, &schema, &update),
    }
}

fn write(
    root: &Path,
    project: &Project,
    schema: &Schema,
    update: Update,
    force: bool,
) -> Result<Outcome, Error> {
    if !force && !update.edited.is_empty() {
        let edited = update.edited.join("`, `");
        output::fault(&format!(
            "`{edited}`: not as it was generated; move a resource's file to src/models to keep what was changed, \
             or have it written anew with --force"
        ));
        return Ok(Outcome::Faults);
    }
    let told: String = update.changes.iter().map(Change::line).collect();
    files::apply(root, &update.steps())?;
    output::result(&told)?;
    for module in project.unnamed(schema)? {
        output::note(&format!(
            "`src/models/{module}.rs` is yours now: take its first line out, and add `mod {module};` to src/models/mod.rs"
        ));
    }
    Ok(Outcome::Done)
}

fn check(update: &Update) -> Result<Outcome, Error> {
    if update.changes.is_empty() {
        return Ok(Outcome::Done);
    }
    let told: String = update.changes.iter().map(Change::line).collect();
    output::result(&told)?;
    output::fault("the generated files are out of date; `rest-gen generate` writes them");
    Ok(Outcome::Faults)
}

/// What would be written, and what a project made today would have in files that are somebody's own.
fn show(project: &Project, schema: &Schema, update: &Update) -> Result<Outcome, Error> {
    let mut text: String = update.changes.iter().map(Change::diff).collect();
    for (source, is) in project.outdated(schema)? {
        let path = &source.path;
        text += &format!("# `{path}` is yours and stays as it is; a new project would have:\n");
        text += &diff(
            (&format!("yours/{path}"), &is),
            (&format!("new/{path}"), &source.text),
        );
    }
    output::result(&text)?;
    Ok(Outcome::Done)
}

/// Until the process is ended; a fault is told, and watching goes on.
fn watch(root: &Path, force: bool) -> Result<Outcome, Error> {
    // Looked at before it is read, so that no change falls between the two.
    let mut seen = files::watched(root);
    run(root, Mode::Write, force)?;
    output::note(&format!("watching the schema in `{}`", root.display()));
    loop {
        std::thread::sleep(PAUSE);
        let now = files::watched(root);
        if now == seen {
            continue;
        }
        seen = now;
        if let Err(error) = run(root, Mode::Write, force) {
            output::error(&error);
        }
    }
}
