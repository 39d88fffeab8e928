//! The pages of `docs/reference` that are tables of this crate, printed and compared; `UPDATE=1` writes them.
#![cfg(feature = "yaml")]
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use rest_schema::codes::CODES;
use rest_schema::keys::{KeyRow, Level, Shape};

const SCHEMA: &str = include_str!("reference/schema.md");
const DIAGNOSTICS: &str = include_str!("reference/diagnostics.md");

#[test]
fn schema() {
    let mut page = SCHEMA.to_owned();
    for level in Level::ALL.iter().filter(|level| **level != Level::Included) {
        let place = format!("{{{level:?}}}\n");
        assert!(page.contains(&place), "the page has no {place}");
        page = page.replace(&place, &keys(*level));
    }
    compare("schema.md", &page);
}

#[test]
fn diagnostics() {
    let mut table = "| code | means |\n|---|---|\n".to_owned();
    for row in CODES {
        let _ = writeln!(table, "| `{}` | {} |", row.code, row.doc);
    }
    compare("diagnostics.md", &DIAGNOSTICS.replace("{codes}\n", &table));
}

#[test]
fn the_page_begins_with_a_schema_that_resolves() {
    let yaml = SCHEMA
        .split("```")
        .nth(1)
        .and_then(|block| block.strip_prefix("yaml\n"))
        .unwrap();
    let read = rest_schema::read_one("page.yaml", yaml);
    let said = read.map_or_else(|report| report.lines(), |loaded| loaded.report.lines());
    assert_eq!(said, "");
}

fn keys(level: Level) -> String {
    let mut table = "| key | value | means |\n|---|---|---|\n".to_owned();
    for row in level.rows() {
        let _ = writeln!(
            table,
            "| `{}` | {} | {} |",
            row.key,
            value(row),
            row.doc.replace('|', "\\|")
        );
    }
    table
}

fn value(row: &KeyRow) -> String {
    match row.shape {
        Shape::Text => "a text".to_owned(),
        Shape::Name => "a name".to_owned(),
        Shape::Resource => "a resource".to_owned(),
        Shape::Names => "names".to_owned(),
        Shape::Texts => "texts".to_owned(),
        Shape::TextOrTexts => "a text, or several".to_owned(),
        Shape::Rule => "[a rule](rules.md)".to_owned(),
        Shape::Rules => "names, each with [a rule](rules.md)".to_owned(),
        Shape::Flag => "`true`, `false`".to_owned(),
        Shape::Count => "a number".to_owned(),
        Shape::Size => "`512`, `64KiB`, `1MiB`".to_owned(),
        Shape::Duration => "`90s`, `15m`, `1h`, `90d`".to_owned(),
        Shape::Interval => "`1..64`, `..64`, `1..`".to_owned(),
        Shape::Literal => "a value".to_owned(),
        Shape::Default => "a value, a word, an expression".to_owned(),
        Shape::Type => "[a type](types.md)".to_owned(),
        Shape::Word(words) => {
            let words = words.iter().map(|word| format!("`{word}`"));
            words.collect::<Vec<_>>().join(", ")
        }
        Shape::Sort => "`name`, `-name`, or several".to_owned(),
        Shape::Terms => "names, `-name`, expressions".to_owned(),
        Shape::Uniques | Shape::Indexes => "lists of names".to_owned(),
        Shape::Key => "a name, names, or keys".to_owned(),
        Shape::Block(_) => "keys".to_owned(),
        Shape::Named(_) => "names, each with keys".to_owned(),
        Shape::Later => "*not yet*".to_owned(),
    }
}

/// A page as it should be beside the page as it is.
fn compare(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/reference")
        .join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        is == page,
        "docs/reference/{name} is not what its tables say; UPDATE=1 rewrites it"
    );
}
