//! Three ways to write one service: YAML, structs by hand, and the structs that the generator makes of the YAML.
//!
//! Here whole projects are written and read again. That the structs of random schemas mean the same is held by
//! rest-gen's own tests, without files.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::server::{output, package};
use crate::trial;

/// The schemas that `tests/ways` serves.
const SCHEMAS: [&str; 10] = [
    "bin", "blog", "gate", "keys", "many", "rules", "sets", "shapes", "teams", "types",
];

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for name in SCHEMAS {
        trials.push(trial(
            &format!("ways::{name}_by_hand_says_what_its_yaml_says"),
            move || {
                let structs = package().join(format!("ways/src/derived/{name}.rs"));
                same(&yaml(name), &structs)
            },
        ));
        trials.push(trial(
            &format!("ways::{name}_generated_is_what_stands_here"),
            move || golden(name),
        ));
    }
    for example in ["microblog", "shop"] {
        trials.push(trial(
            &format!("ways::the_{example}_is_the_same_through_generated_structs"),
            move || through_structs(&package().join(format!("../examples/{example}/rest.yaml"))),
        ));
    }
    trials
}

fn yaml(name: &str) -> PathBuf {
    package().join(format!("schemas/{name}.yaml"))
}

/// Two ways in, one text out.
fn same(one: &Path, other: &Path) -> Result<(), String> {
    let (first, second) = (export(one)?, export(other)?);
    if first == second {
        return Ok(());
    }
    Err(format!(
        "{}:\n{first}\n{}:\n{second}",
        one.display(),
        other.display()
    ))
}

fn export(path: &Path) -> Result<String, String> {
    let told = output(&["export", &path.display().to_string()])?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if told.status.success() {
        Ok(text(&told.stdout))
    } else {
        Err(format!("{}: {}", path.display(), text(&told.stderr)))
    }
}

/// Writes a project, and says where its structs are.
fn project(schema: &Path, folder: &Path) -> Result<PathBuf, String> {
    let (folder, schema) = (folder.join("project"), schema.display().to_string());
    let made = output(&["new", &folder.display().to_string(), "--schema", &schema])?;
    if made.status.success() {
        Ok(folder.join("src/models"))
    } else {
        Err(String::from_utf8_lossy(&made.stderr).into_owned())
    }
}

fn through_structs(schema: &Path) -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    same(schema, &project(schema, folder.path())?)
}

/// What stands in `tests/ways` is what the generator writes today; `UPDATE=1` writes it there.
fn golden(name: &str) -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let fresh = project(&yaml(name), folder.path())?.join("generated");
    let kept = package().join("ways/src/generated").join(name);
    if std::env::var_os("UPDATE").is_some() {
        let _ = std::fs::remove_dir_all(&kept);
        std::fs::create_dir_all(&kept).map_err(|e| e.to_string())?;
        for file in files(&fresh)? {
            std::fs::copy(fresh.join(&file), kept.join(&file)).map_err(|e| e.to_string())?;
        }
    }
    let (now, then) = (files(&fresh)?, files(&kept)?);
    if now != then {
        return Err(format!(
            "generated are {now:?}, here stand {then:?}: UPDATE=1 writes them anew"
        ));
    }
    for file in now {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(&file)).map_err(|e| e.to_string());
        let (now, then) = (read(&fresh)?, read(&kept)?);
        if now != then {
            return Err(format!(
                "{file} would be\n{now}\nbut is\n{then}\nUPDATE=1 writes it anew"
            ));
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}
