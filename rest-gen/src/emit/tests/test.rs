//! What is emitted for the schemas of this repository.

use std::path::{Path, PathBuf};

use rest_schema::Schema;

use super::files;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schema_at(path: &Path) -> Schema {
    let loaded = crate::load::load(path).expect("a file");
    loaded.schema.expect("a sound schema")
}

/// All schemas of the repository, with a name for each.
fn schemas() -> Vec<(String, Schema)> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/schemas")).expect("the schemas") {
        let path = entry.expect("a file").path();
        if !path.to_string_lossy().ends_with(".seed.yaml") {
            paths.push(path);
        }
    }
    paths.extend(["microblog", "shop"].map(|name| root().join("examples").join(name).join("rest.yaml")));
    paths.push(root().join("benches/bench.yaml"));
    paths.sort();
    let named = |path: PathBuf| {
        let schema = schema_at(&path);
        (schema.name.clone(), schema)
    };
    paths.into_iter().map(named).collect()
}

#[test]
fn every_schema_has_tests_that_parse() {
    for (name, schema) in schemas() {
        let files = files(&schema, &name);
        assert_eq!(files.len(), schema.resources.len() + 1, "{name}");
        for (file, text) in &files {
            let parsed = syn::parse_file(text);
            let parsed = parsed.unwrap_or_else(|error| panic!("{name}/{file}: {error}\n{text}"));
            let mut functions: Vec<String> = parsed.items.iter().filter_map(name_of).collect();
            let count = functions.len();
            functions.sort();
            functions.dedup();
            assert_eq!(functions.len(), count, "{name}/{file} has two tests of one name");
        }
    }
}

fn name_of(item: &syn::Item) -> Option<String> {
    match item {
        syn::Item::Fn(function) => Some(function.sig.ident.to_string()),
        _ => None,
    }
}

#[test]
fn it_is_the_same_every_time() {
    for (name, schema) in schemas() {
        assert_eq!(files(&schema, &name), files(&schema, &name), "{name}");
    }
}

#[test]
fn rustfmt_has_nothing_to_change() {
    let folder = std::env::temp_dir().join(format!("rest-gen-emitted-{}", std::process::id()));
    for (name, schema) in schemas() {
        let folder = folder.join(&name);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (file, text) in files(&schema, &name) {
            std::fs::write(folder.join(file), text).expect("a file");
        }
        let mut rustfmt = std::process::Command::new("rustfmt");
        rustfmt
            .args(["--edition", "2024", "--check"])
            .arg(folder.join("main.rs"));
        let output = rustfmt.output().expect("rustfmt comes with the toolchain");
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {told}");
    }
    std::fs::remove_dir_all(folder).expect("the folder");
}

#[test]
fn the_tests_of_notes() {
    let text = crate::project::scaffold::starter("notes").expect("a schema");
    let loaded = rest_schema::read_one("rest.yaml", &text).expect("a sound schema");
    let files = files(&loaded.schema, "notes");
    let all: String = files
        .iter()
        .map(|(name, text)| format!("==== {name}\n{text}\n"))
        .collect();
    insta::assert_snapshot!("notes", all);
}
