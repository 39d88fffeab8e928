//! The files of a project that people own: written once, by templates, and never again.

use std::path::{Path, PathBuf};

use rest_schema::Schema;
use serde_json::Value;
use tera::{Context, Tera};

use super::manifest::{Runtime, VERSION};
use crate::emit::Source;
use crate::emit::rust::Names;
use crate::emit::tests::requests;
use crate::error::Error;

macro_rules! templates {
    ($($path:literal $file:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("templates/", $file)))),*]
    };
}

/// Paths in a project, and what stands there.
const TEMPLATES: &[(&str, &str)] = templates! {
    "Cargo.toml" "Cargo.toml.tera",
    "README.md" "README.md.tera",
    "Dockerfile" "Dockerfile.tera",
    "compose.yaml" "compose.yaml.tera",
    "deploy/kubernetes.yaml" "kubernetes.yaml.tera",
    ".dockerignore" "dockerignore.tera",
    ".env.example" "env.tera",
    ".gitignore" "gitignore.tera",
    ".github/workflows/ci.yml" "ci.yml.tera",
    "rustfmt.toml" "rustfmt.toml.tera",
    "src/main.rs" "main.rs.tera",
    "src/lib.rs" "lib.rs.tera",
    "src/routes.rs" "routes.rs.tera",
    "src/models/mod.rs" "models.rs.tera",
};

const STARTER: &str = include_str!("templates/rest.yaml.tera");

/// What a project is, beside its schema.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The package's name.
    pub(crate) package: String,
    /// Where the runtime comes from.
    pub(crate) runtime: Runtime,
    /// Whether a folder above is a workspace.
    pub(crate) in_workspace: bool,
    /// The folder in which an image builds it.
    pub(crate) place: PathBuf,
}

impl Settings {
    /// The package as Kubernetes names things (RFC 1123).
    fn label(&self) -> String {
        self.package.replace('_', "-").to_ascii_lowercase()
    }

    /// The package's library, as code names it.
    pub(crate) fn library(&self) -> String {
        self.package.replace('-', "_")
    }
}

/// All of them.
pub(crate) fn files(schema: &Schema, settings: &Settings) -> Result<Vec<Source>, Error> {
    let mut context = Context::new();
    let names = Names::of(schema);
    context.insert("package", &settings.package);
    context.insert("library", &settings.library());
    context.insert("label", &settings.label());
    context.insert("service", &names.service);
    context.insert("name", &line(&schema.name));
    context.insert("description", &schema.description);
    context.insert("prefix", &schema.prefix);
    context.insert("features", features(schema));
    context.insert("managed", &(schema.managed != Some(false)));
    context.insert("in_workspace", &settings.in_workspace);
    context.insert("place", &settings.place);
    context.insert("version", VERSION);
    if let Runtime::Path(path) = &settings.runtime {
        context.insert("runtime", path);
        context.insert("checkout", &Path::new(path).parent());
        context.insert("runtime_quoted", &Value::from(path.as_str()).to_string());
    }
    context.insert("requests", &requests(schema, &settings.package));
    let render = |(path, template): &(&str, &str)| {
        let text = rendered(template, &context)?;
        let path = (*path).to_owned();
        Ok(Source { path, text })
    };
    TEMPLATES.iter().map(render).collect()
}

/// The schema to start with where none is given.
pub(crate) fn starter(service: &str) -> Result<String, Error> {
    let mut context = Context::new();
    context.insert("name", service);
    rendered(STARTER, &context)
}

/// Features of the runtime that a schema needs, as `Cargo.toml` lists them; empty where it needs none.
fn features(schema: &Schema) -> &'static str {
    if schema.jwt.is_some() { "\"jwt\"" } else { "" }
}

/// A text on one line, for comments and headings.
fn line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .collect::<Vec<_>>()
        .join(" ")
}

fn rendered(template: &str, context: &Context) -> Result<String, Error> {
    Tera::one_off(template, context, false)
        .map_err(|error| Error::new(format!("a template of this program is broken: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_new_project() {
        let text = starter("notes").expect("a schema");
        let loaded = rest_schema::read_one("rest.yaml", &text).expect("a sound schema");
        let settings = Settings {
            package: "notes".to_owned(),
            runtime: Runtime::Path("../checkout/runtime".to_owned()),
            in_workspace: false,
            place: PathBuf::from("/build"),
        };
        let files = files(&loaded.schema, &settings).expect("templates");
        let all: String = files
            .iter()
            .map(|file| format!("==== {}\n{}\n", file.path, file.text))
            .collect();
        insta::assert_snapshot!("notes", all);
    }

    #[test]
    fn manifests_are_yaml_and_name_what_the_program_reads() {
        for managed in ["managed: true", "managed: false"] {
            let text = starter("notes")
                .expect("a schema")
                .replace("managed: true", managed);
            let loaded = rest_schema::read_one("rest.yaml", &text).expect("a sound schema");
            let settings = Settings {
                package: "my_notes".to_owned(),
                runtime: Runtime::Registry,
                in_workspace: false,
                place: PathBuf::from("/build"),
            };
            let files = files(&loaded.schema, &settings).expect("templates");
            for name in ["compose.yaml", "deploy/kubernetes.yaml"] {
                let file = files.iter().find(|file| file.path == name).expect("it is there");
                for document in file.text.split("\n---\n") {
                    let read: Result<serde_json::Value, _> = serde_saphyr::from_str(document);
                    assert!(read.expect(name).is_object(), "{name}:\n{document}");
                }
                for variable in ["REST_DATABASE", "REST_LISTEN", "REST_ADMIN_LISTEN"] {
                    assert!(file.text.contains(variable), "{name}: {variable}");
                }
                assert!(name == "compose.yaml" || !file.text.contains("name: my_notes"));
            }
        }
    }

    #[test]
    fn a_project_has_the_features_that_its_schema_needs() {
        let mut text = starter("notes").expect("a schema");
        text += "jwt: { issuer: i, audience: a }\n";
        let loaded = rest_schema::read_one("rest.yaml", &text).expect("a sound schema");
        for (runtime, line) in [
            (
                Runtime::Registry,
                format!("rest-runtime = {{ version = \"{VERSION}\", features = [\"jwt\"] }}\n"),
            ),
            (
                Runtime::Path("r".to_owned()),
                "rest-runtime = { path = \"r\", features = [\"jwt\"] }\n".to_owned(),
            ),
        ] {
            let settings = Settings {
                package: "notes".to_owned(),
                runtime,
                in_workspace: false,
                place: PathBuf::from("/build"),
            };
            let files = files(&loaded.schema, &settings).expect("templates");
            assert!(files[0].text.contains(&line), "{}", files[0].text);
        }
    }

    #[test]
    fn versions_are_those_of_the_workspace() {
        let workspace = include_str!("../../../Cargo.toml");
        let (_, template) = TEMPLATES[0];
        let dependencies = template.lines().filter_map(|line| line.split_once(" = "));
        let mut held = 0;
        for (name, value) in dependencies.filter(|(name, _)| ["axum", "tokio", "serde_json"].contains(name)) {
            let there = workspace
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            let version = |text: &str| text.split('"').nth(1).map(str::to_owned);
            assert_eq!(
                version(value),
                version(there.expect("the workspace has it")),
                "{name}"
            );
            held += 1;
        }
        assert_eq!(held, 3);
    }
}
