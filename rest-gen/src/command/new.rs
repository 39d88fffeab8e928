//! `rest-gen new`

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use rest_schema::{Schema, naming, read_one};

use crate::emit::Source;
use crate::emit::rust::package;
use crate::error::{Error, Outcome};
use crate::files::Step;
use crate::project::manifest::{self, Manifest, Runtime, VERSION, hash};
use crate::project::scaffold::{self, Settings};
use crate::project::{SCHEMA, folder, generated};
use crate::{files, load, output};

/// Makes a project in a folder that is empty or not there yet.
pub(crate) fn run(dir: &Path, schema: Option<&Path>, runtime: Option<&Path>) -> Result<Outcome, Error> {
    refuse_unless_empty(dir)?;
    let runtime = match runtime {
        Some(path) => Runtime::Path(runtime_at(path, dir)?),
        None => folder::own_runtime(),
    };
    let Some((schema, written)) = (match schema {
        Some(file) => given(file)?,
        None => Some(starter(dir)?),
    }) else {
        return Ok(Outcome::Faults);
    };
    let settings = Settings {
        package: package(&schema),
        in_workspace: folder::in_workspace(dir),
        place: folder::place(dir, &runtime),
        runtime,
    };
    let steps = steps(&schema, &settings, written)?;
    files::apply(dir, &steps)?;
    let database = match schema.managed {
        Some(false) => format!(" -- --database {}.db", settings.package),
        _ => String::new(),
    };
    output::result(&format!(
        "{}: {} files\n\n  cd {0}\n  cargo run{database}\n",
        dir.display(),
        steps.len()
    ))?;
    Ok(Outcome::Done)
}

/// All files of a new project, its manifest last.
fn steps(schema: &Schema, settings: &Settings, written: Vec<Source>) -> Result<Vec<Step>, Error> {
    let mut manifest = Manifest {
        version: VERSION.to_owned(),
        runtime: settings.runtime.clone(),
        ..Manifest::default()
    };
    let mut all = written;
    for source in scaffold::files(schema, settings)? {
        manifest
            .yours
            .insert(source.path.clone(), hash(source.text.as_bytes()));
        all.push(source);
    }
    for source in generated(schema, &Default::default(), settings) {
        manifest
            .generated
            .insert(source.path.clone(), vec![hash(source.text.as_bytes())]);
        all.push(source);
    }
    all.push(Source {
        path: manifest::NAME.to_owned(),
        text: manifest.text(),
    });
    // A schema's own files come first, whatever they are called.
    let mut files = BTreeMap::new();
    for source in all {
        files.entry(source.path).or_insert(source.text);
    }
    Ok(files
        .into_iter()
        .map(|(path, text)| Step::Write(path, text))
        .collect())
}

fn refuse_unless_empty(dir: &Path) -> Result<(), Error> {
    let there = files::names(dir)?.unwrap_or_default();
    let shown = dir.display();
    if there.iter().any(|name| name == manifest::NAME) {
        return Err(Error::new(format!(
            "`{shown}` is a project already; `rest-gen generate {shown}` brings it up to date"
        )));
    }
    match there.iter().find(|name| *name != ".git") {
        Some(name) => Err(Error::new(format!(
            "`{shown}` isn't empty (there is `{name}`); name a folder that is, or that doesn't exist yet"
        ))),
        None => Ok(()),
    }
}

/// A schema's files as they are, comments and all; a schema of another form in its own words.
fn given(file: &Path) -> Result<Option<(Schema, Vec<Source>)>, Error> {
    let loaded = load::load(file)?;
    output::diagnostics(&loaded.diagnostics, &loaded.sources);
    let Some(schema) = loaded.schema else {
        return Ok(None);
    };
    let base = file.parent().unwrap_or(Path::new(""));
    let is_yaml = file.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let copied = loaded.sources.files().iter().enumerate().map(|(number, source)| {
        let path = match number {
            0 => SCHEMA.to_owned(),
            _ => inside(base, Path::new(&source.name))?,
        };
        let text = source.text.clone();
        Some(Source { path, text })
    });
    let copied: Option<Vec<Source>> = copied.collect();
    let written = copied.filter(|_| is_yaml).unwrap_or_else(|| {
        vec![Source {
            path: SCHEMA.to_owned(),
            text: rest_schema::export(&schema),
        }]
    });
    Ok(Some((schema, written)))
}

/// The path of an included file in the project, where it has one.
fn inside(base: &Path, file: &Path) -> Option<String> {
    let parts = file
        .strip_prefix(base)
        .ok()?
        .components()
        .filter(|part| *part != Component::CurDir);
    let parts: Option<Vec<&str>> = parts
        .map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    parts.map(|parts| parts.join("/"))
}

fn starter(dir: &Path) -> Result<(Schema, Vec<Source>), Error> {
    let name = files::absolute(dir).unwrap_or_else(|| dir.to_path_buf());
    let name = name
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    let name = naming::kebab(&name);
    let name = if name.is_empty() { "notes".to_owned() } else { name };
    let text = scaffold::starter(&name)?;
    let path = SCHEMA.to_owned();
    match read_one(SCHEMA, &text) {
        Ok(loaded) => Ok((loaded.schema, vec![Source { path, text }])),
        Err(report) => Err(Error::new(format!(
            "the schema to start with has faults:\n{}",
            report.lines()
        ))),
    }
}

/// The runtime's folder, as the project's `Cargo.toml` is to name it: relative where it is given so.
fn runtime_at(path: &Path, dir: &Path) -> Result<String, Error> {
    let cargo = files::found(&path.join("Cargo.toml"))?.unwrap_or_default();
    if !String::from_utf8_lossy(&cargo).contains("name = \"rest-runtime\"") {
        return Err(Error::new(format!(
            "`{}` isn't the folder of the package rest-runtime",
            path.display()
        )));
    }
    let whole = files::absolute(path).unwrap_or_else(|| path.to_path_buf());
    if path.is_absolute() {
        return Ok(whole.display().to_string());
    }
    Ok(relative(&files::resolved(dir), &whole).display().to_string())
}

/// The way from one folder to another, both absolute.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_one_folder_to_another() {
        for (from, to, wanted) in [
            ("/a/b/c", "/a/d", "../../d"),
            ("/a", "/a/b", "b"),
            ("/a/b", "/a", ".."),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(wanted));
        }
    }

    #[test]
    fn included_files_keep_their_place_below_the_schema() {
        for (base, file, wanted) in [
            ("a", "a/resources/x.yaml", Some("resources/x.yaml")),
            ("", "x.yaml", Some("x.yaml")),
            ("a", "a/./x.yaml", Some("x.yaml")),
            ("a", "a/../x.yaml", None),
            ("a", "/b/x.yaml", None),
        ] {
            assert_eq!(inside(Path::new(base), Path::new(file)).as_deref(), wanted);
        }
    }
}
