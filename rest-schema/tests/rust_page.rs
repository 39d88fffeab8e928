//! `docs/reference/rust.md` keeps its word: its structs are services, and its tables say one thing twice.
#![cfg(all(feature = "rust", feature = "yaml"))]
#![allow(missing_docs, clippy::unwrap_used)]

use rest_schema::rust::read_files;
use rest_schema::{Schema, read_one};

const PAGE: &str = include_str!("../../docs/reference/rust.md");

fn rust(text: &str) -> Schema {
    let files = [("page.rs".to_owned(), text.to_owned())];
    read_files(&files)
        .unwrap_or_else(|report| panic!("{text}\n{report}"))
        .schema
}

fn yaml(text: &str) -> Schema {
    let read = read_one("rest.yaml", text).unwrap_or_else(|report| panic!("{text}\n{report}"));
    read.schema
}

#[test]
fn each_block_is_a_service() {
    let blocks: Vec<&str> = PAGE.split("```rust\n").skip(1).collect();
    for block in &blocks {
        rust(block.split("```").next().unwrap());
    }
    assert_eq!(blocks.len(), 2);
}

/// The rows of the table below a heading: what stands in backticks in each cell.
fn rows(heading: &str) -> Vec<Vec<Vec<String>>> {
    let section = PAGE.split(&format!("# {heading}\n")).nth(1).unwrap();
    let section = section.split("\n#").next().unwrap();
    let table = section.lines().filter(|line| line.starts_with("| `"));
    let cell = |cell: &str| {
        let quoted = cell.split('`').enumerate().filter(|(at, _)| at % 2 == 1);
        quoted.map(|(_, text)| text.to_owned()).collect()
    };
    table
        .map(|line| line.trim_matches('|').split(" | ").map(cell).collect())
        .collect()
}

#[test]
fn words_of_a_struct_are_those_of_yaml() {
    let rows = rows("A struct");
    for row in &rows {
        let (in_yaml, in_rust) = (&row[0][0], &row[1][0]);
        let access = if in_yaml.starts_with("access") {
            ""
        } else {
            "access: { read: public }"
        };
        let yaml = yaml(&format!(
            "service: a\naccounts: {{ resource: U, identify_by: [n], password: p }}\nresources:
  U: {{ fields: {{ n: {{ type: string, unique: true }}, p: password }}, access: {{ read: public }} }}
  N:
    fields: {{ title: string, day: {{ type: date, optional: true }} }}
    belongs_to: {{ owner: U }}\n    {access}\n    {in_yaml}\n"
        ));
        let access = if in_rust.starts_with("access") {
            ""
        } else {
            "#[rest(access(read = public))]"
        };
        let rust = rust(&format!(
            "#[derive(RestResource)] #[rest(access(read = public))]
             struct U {{ id: i64, #[rest(unique)] n: String, p: Password }}
             #[derive(RestResource)] {access} #[rest({in_rust})]
             struct N {{ id: i64, title: String, day: Option<Date>, #[rest(belongs_to = U)] owner_id: i64 }}
             #[derive(RestService)] #[rest(name = \"a\", accounts(resource = U, identify_by(n), password = p))]
             struct A {{ u: U, n: N }}"
        ));
        assert_eq!(yaml, rust, "{in_yaml}");
    }
    assert!(rows.len() > 10);
}

#[test]
fn words_of_a_service_are_those_of_yaml() {
    let rows = rows("The service");
    for row in &rows {
        let (in_yaml, in_rust) = (&row[0][0], &row[1][0]);
        let managed = if in_yaml.starts_with("managed") {
            ""
        } else {
            "managed: false"
        };
        let yaml = yaml(&format!(
            "service: a\n{managed}\n{in_yaml}\nresources: {{ N: {{ access: {{ read: public }} }} }}\n"
        ));
        let managed = managed.replace(": ", " = ");
        let rust = rust(&format!(
            "#[derive(RestResource)] #[rest(access(read = public))] struct N {{ id: i64 }}
             #[derive(RestService)] #[rest(name = \"a\")] #[rest({managed})] #[rest({in_rust})] struct A {{ n: N }}"
        ));
        assert_eq!(yaml, rust, "{in_yaml}");
    }
    assert!(rows.len() > 5);
}

#[test]
fn rust_types_are_those_of_the_table() {
    let rows = rows("A field");
    for row in &rows {
        let (rust_type, ty) = (&row[0][0], row[1][0].as_str());
        for said in row[2]
            .iter()
            .map(|said| said.replace("type = ", ""))
            .chain([ty.to_owned()])
        {
            let (more, attribute) = match said.as_str() {
                "decimal" => (", precision: 8, scale: 2", "precision = 8, scale = 2".to_owned()),
                word if word == ty => ("", String::new()),
                word => ("", format!("type = {word}")),
            };
            let yaml = yaml(&format!(
                "service: a\nresources:\n  N:\n    fields: {{ x: {{ type: {said}{more} }} }}\n    access: {{ read: public }}\n"
            ));
            let rust = rust(&format!(
                "#[derive(RestResource)] #[rest(access(read = public))] struct N {{ id: i64, #[rest({attribute})] x: {rust_type} }}
                 #[derive(RestService)] #[rest(name = \"a\")] struct A {{ n: N }}"
            ));
            assert_eq!(yaml, rust, "{said}");
        }
    }
    assert_eq!(rows.len(), 13);
}

#[test]
fn keys_are_those_of_the_table() {
    for (in_yaml, struct_) in [
        ("key: uuid", "struct N { id: Uuid }"),
        (
            "key: { type: uuid, name: uid, column: UID, by_client: true }",
            "#[rest(key(type = uuid, name = uid, column = \"UID\", by_client))] struct N { uid: Uuid }",
        ),
        (
            "key: { by_client: true, type: uuid }",
            "#[rest(key(by_client))] struct N { id: Uuid }",
        ),
        (
            "key: { name: number }",
            "#[rest(key(name = number))] struct N { #[rest(name = \"number\")] nr: i64 }",
        ),
    ] {
        let yaml = yaml(&format!(
            "service: a\nresources: {{ N: {{ {in_yaml}, access: {{ read: public }} }} }}\n"
        ));
        let rust = rust(&format!(
            "#[derive(RestResource)] #[rest(access(read = public))] {struct_}
             #[derive(RestService)] #[rest(name = \"a\")] struct A {{ n: N }}"
        ));
        assert_eq!(yaml, rust, "{in_yaml}");
    }
}
