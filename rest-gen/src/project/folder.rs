//! A project's folder as it is: its manifest, its schema, its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use rest_schema::Schema;

use super::manifest::{self, Fault, Manifest, VERSION};
use super::scaffold::Settings;
use super::update::Update;
use super::{SCHEMA, generated, manifest::Runtime};
use crate::emit::Source;
use crate::emit::rust::{Names, package};
use crate::error::Error;
use crate::files;

/// A folder that `new` has made.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    manifest: Manifest,
}

impl Project {
    /// Reads the manifest; what isn't a project, or is a newer one's, is refused.
    pub(crate) fn open(root: &Path, force: bool) -> Result<Self, Error> {
        let shown = root.display();
        let Some(bytes) = files::found(&root.join(manifest::NAME))? else {
            return Err(Error::new(match files::names(root)? {
                None => format!("`{shown}` doesn't exist; `rest-gen new {shown}` makes a project there"),
                Some(_) => format!(
                    "`{shown}` isn't a project: it has no `{}`; `rest-gen new` makes one",
                    manifest::NAME
                ),
            }));
        };
        let manifest = match Manifest::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(manifest) => manifest,
            Err(Fault::Newer(version)) => return Err(newer(root, &version)),
            // Without it every file counts as edited; that is for somebody to decide.
            Err(Fault::Broken) if force => Manifest::default(),
            Err(Fault::Broken) => {
                return Err(Error::new(format!(
                    "`{}` is broken; bring it back, or write all generated files anew with --force",
                    below(root, manifest::NAME).display()
                )));
            }
        };
        if !force && numbers(&manifest.version) > numbers(VERSION) {
            return Err(newer(root, &manifest.version));
        }
        Ok(Self {
            root: root.to_path_buf(),
            manifest,
        })
    }

    /// The schema's file.
    pub(crate) fn schema(&self) -> PathBuf {
        below(&self.root, SCHEMA)
    }

    /// What has to be done so that the generated files are those of a schema.
    pub(crate) fn update(&self, schema: &Schema) -> Result<Update, Error> {
        let yours = self.yours(schema);
        let wanted = generated(schema, &yours, &self.settings(schema)?);
        let known = self.manifest.generated.keys();
        let paths: BTreeSet<&String> = wanted.iter().map(|source| &source.path).chain(known).collect();
        let mut there = BTreeMap::new();
        for path in paths {
            if let Some(bytes) = files::found(&self.root.join(path))? {
                there.insert(path.clone(), bytes);
            }
        }
        Ok(Update::of(wanted, &self.manifest, &there))
    }

    /// Modules of resources that somebody has taken over: their files stand beside `generated/`.
    fn yours(&self, schema: &Schema) -> BTreeSet<String> {
        let names = Names::of(schema);
        let folder = self.root.join("src/models");
        let modules = schema.resources().map(|(id, _)| names.module(id));
        let is_there = |module: &String| {
            files::exists(&folder.join(format!("{module}.rs")))
                || files::exists(&folder.join(module).join("mod.rs"))
        };
        modules.filter(is_there).collect()
    }

    /// Modules that somebody has taken over, but that `src/models/mod.rs` doesn't name.
    pub(crate) fn unnamed(&self, schema: &Schema) -> Result<Vec<String>, Error> {
        let text = files::found(&self.root.join("src/models/mod.rs"))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let is_named = |module: &String| {
            let names = [format!("mod {module};"), format!("mod r#{module};")];
            names.iter().any(|name| text.contains(name))
        };
        let yours = self.yours(schema).into_iter();
        Ok(yours.filter(|module| !is_named(module)).collect())
    }

    /// Files of their owner for which the scaffold is another now, as they are and as it would write them.
    pub(crate) fn outdated(&self, schema: &Schema) -> Result<Vec<(Source, String)>, Error> {
        let settings = self.settings(schema)?;
        let mut outdated = Vec::new();
        for source in super::scaffold::files(schema, &settings)? {
            let then = self.manifest.yours.get(&source.path);
            if then == Some(&manifest::hash(source.text.as_bytes())) {
                continue;
            }
            let is = files::found(&self.root.join(&source.path))?.unwrap_or_default();
            let is = String::from_utf8_lossy(&manifest::unix(&is)).into_owned();
            if is != source.text {
                outdated.push((source, is));
            }
        }
        Ok(outdated)
    }

    fn settings(&self, schema: &Schema) -> Result<Settings, Error> {
        let cargo = files::found(&self.root.join("Cargo.toml"))?.unwrap_or_default();
        let package = name_in(&String::from_utf8_lossy(&cargo)).unwrap_or_else(|| package(schema));
        Ok(Settings {
            package,
            runtime: self.manifest.runtime.clone(),
            in_workspace: in_workspace(&self.root),
            place: place(&self.root, &self.manifest.runtime),
        })
    }
}

/// A file of a project as people name it: nobody says `./` of where they are.
fn below(root: &Path, name: &str) -> PathBuf {
    let path = root.join(name);
    path.strip_prefix(".")
        .map_or_else(|_| path.clone(), Path::to_path_buf)
}

fn newer(root: &Path, version: &str) -> Error {
    Error::new(format!(
        "`{}` was generated by rest-gen {version}, and this is {VERSION}; install that version or a later one",
        root.display()
    ))
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}

/// The package's name in a `Cargo.toml`.
fn name_in(cargo: &str) -> Option<String> {
    let package = cargo.split("[package]").nth(1)?.split("\n[").next()?;
    let line = package
        .lines()
        .find_map(|line| line.trim().strip_prefix("name"))?;
    let name = line.trim_start().strip_prefix('=')?.trim().trim_matches('"');
    (!name.is_empty()).then(|| name.to_owned())
}

/// Whether a folder above is a workspace: its profiles and lock file are that one's.
pub(crate) fn in_workspace(root: &Path) -> bool {
    let root = files::resolved(root);
    let mut above = root.ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
    above.any(|path| {
        let text = files::found(&path).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&text)
            .lines()
            .any(|line| line.trim() == "[workspace]")
    })
}

/// Where an image builds the project: one that lies in the runtime's checkout stands at its place there, for the
/// workspace names its members by their folders.
pub(crate) fn place(root: &Path, runtime: &Runtime) -> PathBuf {
    let alone = PathBuf::from("/build");
    let Runtime::Path(path) = runtime else {
        return alone;
    };
    let checkout = Path::new(path).parent().unwrap_or(Path::new(""));
    let up = checkout.components().count();
    if up == 0 || checkout.components().any(|part| part != Component::ParentDir) {
        return alone;
    }
    let root = files::resolved(root);
    let parts: Vec<Component<'_>> = root.components().collect();
    let below = parts.iter().skip(parts.len().saturating_sub(up));
    Path::new("/checkout").join(below.collect::<PathBuf>())
}

/// The runtime that this program was built beside, where it is still there.
pub(crate) fn own_runtime() -> Runtime {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime");
    match files::absolute(&beside) {
        Some(path) if files::exists(&path.join("Cargo.toml")) => Runtime::Path(path.display().to_string()),
        _ => Runtime::Registry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_package() {
        let text = "[package]\nname = \"blog\"\n\n[lib]\nname = \"other\"\n";
        assert_eq!(name_in(text), Some("blog".to_owned()));
        assert_eq!(name_in("[dependencies]\nname = \"x\"\n"), None);
        assert_eq!(name_in("[package]\nversion = \"1\"\n[lib]\nname = \"x\"\n"), None);
    }

    #[test]
    fn a_project_in_the_checkout_is_built_at_its_place_there() {
        for (root, runtime, wanted) in [
            ("/no/code/notes", "../checkout/runtime", "/build"),
            ("/no/code/notes", "/no/code/runtime", "/build"),
            ("/no/code/notes", "../runtime", "/checkout/notes"),
            (
                "/no/code/examples/notes",
                "../../runtime",
                "/checkout/examples/notes",
            ),
        ] {
            let runtime = Runtime::Path(runtime.to_owned());
            assert_eq!(place(Path::new(root), &runtime), Path::new(wanted), "{runtime:?}");
        }
        assert_eq!(place(Path::new("/no"), &Runtime::Registry), Path::new("/build"));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(numbers("0.10.0") > numbers("0.9.9"));
        assert!(numbers("0.1.0") <= numbers(VERSION));
    }
}
