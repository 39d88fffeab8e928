use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;
use rest_schema::{Schema, export, read_one};

use super::layout::{Arg, attribute};
use super::*;

#[path = "../../../../rest-schema/tests/random/mod.rs"]
mod random;

/// Names that Rust, rustfmt or a file system has its own mind about.
const ODD: &str = r#"
service: "42 odd names"
description: |
  See <b>here</b>.
managed: true
limits: { body: 64KiB, bulk: 10, requests: 600, window: 5m }
cors: { origins: ['https://app.example.com', 'http://localhost:5173'], credentials: true }
page: { limit: 5, max: 50 }
resources:
  Option:
    description: A choice, "one" of several.
    key: { type: uuid, name: uid, column: UID, by_client: true }
    fields:
      type: { type: enum, values: [self, in-progress, in_progress, "42", größe, now], default: now }
      firstName: { type: string, pattern: '^\d+"?$', default: "1", description: "- one\n- two\nthree" }
      first_name: { type: text, optional: true, description: "Two lines,\n\nand a blank one." }
      self: { type: json, optional: true, example: { a: [1, null, true, -2.5], "b c": "x" } }
    check:
      sound: { rule: "length(first_name) > 0 or length(first_name) is null", message: "say what you are called, at least once" }
      short: length(first_name) < 100
    access: { read: public, create: public }
  Mod:
    key: self
    fields:
      self: { type: string, length: 1..10 }
      a_decimal: { type: decimal, precision: 38, scale: 2, range: -0.05..1000000000000000000000.01, optional: true }
      day: { type: date, range: 2000-01-01.., default: now }
      ratio: { type: float, range: ..1.5, default: 0.5 }
      amount: { type: integer, range: -5..10, default: -1, unique: true, filterable: false, example: 3 }
    belongs_to:
      option: { to: Option, optional: true, on_delete: set_null, inverse: { name: mods, limit: 3, sort: [-self, day], description: "All of its mods." } }
    unique: [[day, ratio], [option, day]]
    index: [[option, -day], { on: [lower(self)], unique: true, where: "ratio > 0.5 and ratio < 1" }]
    sort: [-day, self]
    rules: { big: amount > 5 }
    access: { read: big, create: authenticated, update: me.is_admin, delete: me.is_admin }
  option_item:
    key: uuid
    belongs_to: { mod: Mod, option: Option }
    many_to_many:
      types: { to: String, inverse: items, description: Which there are. }
    access: { read: public }
  OptionItem:
    table: other
    collection: others
    key: [mod, at]
    fields: { at: { type: enum, values: [left, right] } }
    belongs_to: { mod: Mod, item: { to: option_item, optional: true }, fn: { to: OptionItem, optional: true, columns: ["mod of it", at_of_it] } }
    access: { read: public }
  String:
    fields: { name: { type: string, unique: true }, secret: password, is_admin: { type: boolean, default: false, readonly: true } }
    access: { read: public }
accounts: { resource: String, identify_by: [name], password: secret, admin: me.is_admin }
"#;

fn schema(text: &str) -> Schema {
    match read_one("rest.yaml", text) {
        Ok(loaded) => loaded.schema,
        Err(report) => panic!("{}", report.lines()),
    }
}

fn emitted(schema: &Schema) -> Vec<Source> {
    files(schema, &Names::of(schema), &BTreeSet::new())
}

fn of_file(path: &str) -> Schema {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    crate::load::schema(&path)
        .expect("it can be read")
        .expect("it is sound")
}

fn together(files: &[Source]) -> String {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "==> {} <==\n{}", file.path, file.text);
    }
    text
}

/// What rustfmt makes of a text, by its own settings alone.
fn formatted(text: &str) -> String {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt is there");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "rustfmt refuses\n{text}");
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn the_microblog() {
    insta::assert_snapshot!(
        "microblog",
        together(&emitted(&of_file("examples/microblog/rest.yaml")))
    );
}

#[test]
fn odd_names() {
    insta::assert_snapshot!("odd_names", together(&emitted(&schema(ODD))));
}

#[test]
fn the_structs_mean_what_the_schema_means() {
    for schema in schemas() {
        mean_the_same(&schema);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Some bytes make no sound schema; there are far more that do.
    #[test]
    fn the_structs_of_a_random_schema_mean_what_it_means(bytes in vec(any::<u8>(), 0..200)) {
        let loaded = read_one("random.yaml", &random::schema(&bytes));
        prop_assume!(loaded.is_ok());
        if let Ok(loaded) = loaded {
            mean_the_same(&loaded.schema);
        }
    }
}

/// From a schema to structs, through the reader, and back.
fn mean_the_same(schema: &Schema) {
    let files = emitted(schema)
        .into_iter()
        .map(|source| (source.path, source.text));
    let files: Vec<(String, String)> = files.collect();
    match rest_schema::rust::read_files(&files) {
        Ok(loaded) => assert!(loaded.schema == *schema, "{}", difference(schema, &loaded.schema)),
        Err(report) => panic!("{}\n{}", report.lines(), export(schema)),
    }
}

fn difference(is: &Schema, read: &Schema) -> String {
    let (is, read) = (export(is), export(read));
    similar::TextDiff::from_lines(&is, &read)
        .unified_diff()
        .to_string()
}

/// All schemas that there are.
fn schemas() -> Vec<Schema> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/schemas");
    let mut schemas = vec![schema(ODD)];
    for file in ["examples/microblog/rest.yaml", "examples/shop/rest.yaml"] {
        schemas.push(of_file(file));
    }
    for entry in std::fs::read_dir(folder).expect("there are schemas").flatten() {
        let name = entry.file_name().into_string().expect("it is a plain name");
        if !name.ends_with(".seed.yaml") {
            schemas.push(of_file(&format!("tests/schemas/{name}")));
        }
    }
    schemas
}

#[test]
fn rustfmt_changes_nothing() {
    for schema in &schemas() {
        for file in emitted(schema) {
            // `mod` lines lead to files that aren't there.
            let text: String = file
                .text
                .lines()
                .filter(|line| !line.starts_with("mod "))
                .map(|line| format!("{line}\n"))
                .collect();
            let text = text.replacen("\n\n\n", "\n\n", 1);
            pretty_equal(&formatted(&text), &text, &file.path);
            syn::parse_file(&file.text).expect("it is Rust");
        }
    }
}

fn pretty_equal(wanted: &str, is: &str, path: &str) {
    assert!(
        wanted == is,
        "{path}: rustfmt makes\n{}",
        similar::TextDiff::from_lines(is, wanted).unified_diff()
    );
}

/// Attributes of every length, in the forms that there are: all in one file, for rustfmt takes its time to start.
#[test]
fn attributes_of_any_length() {
    let word = |word: &str| Arg::Word(word.to_owned());
    let list = |key: &str, args: Vec<Arg>| Arg::List(key.to_owned(), args);
    let mut code = String::new();
    for length in 1..110 {
        let text = || Arg::text("description", &"x".repeat(length));
        let forms = [
            vec![text()],
            vec![word("unique"), text()],
            vec![list("rules", vec![text()])],
            vec![list("access", vec![Arg::text("read", "public"), text()])],
            vec![list("check", vec![list("hours", vec![word("a"), text()])])],
            vec![list(
                "check",
                vec![list("hours", vec![word("a"), text()]), text()],
            )],
            vec![word("index"), list("check", vec![list("hours", vec![text()])])],
            vec![
                list("unique", vec![word("a"), word("b")]),
                list("rules", vec![word("a"), text()]),
            ],
            vec![
                Arg::Value("sort".to_owned(), "-at".to_owned()),
                list("rules", vec![word("a"), text()]),
            ],
        ];
        for (place, form) in forms.iter().enumerate() {
            let (outer, inner) = (attribute(form, 0), attribute(form, 4));
            let _ = writeln!(
                code,
                "{outer}pub struct S{length}_{place} {{\n{inner}    pub a: A,\n}}\n"
            );
        }
    }
    let code = code.trim_end().to_owned() + "\n";
    pretty_equal(&formatted(&code), &code, "attributes");
}
