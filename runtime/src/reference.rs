//! The pages of `docs/reference` that are tables of this crate, printed and compared; `UPDATE=1` writes them.

mod stored;

use std::fmt::Write as _;
use std::path::Path;

use rest_schema::types::{Kind, TYPES, TypeRow};
use rest_schema::value::VALUE_CODES;

use crate::problem::{Code, FAULTS, ORDER};
use crate::request::Operator;
use crate::request::filter::{OPERATORS, OperatorRow, Takes};
use crate::request::query::{MAX_AFFECTED, PARAMETERS};

const PROBLEMS: &str = include_str!("reference/problems.md");
const FILTERS: &str = include_str!("reference/filters.md");
const TYPES_PAGE: &str = include_str!("reference/types.md");

#[test]
fn problems() {
    let page = PROBLEMS
        .replace("{codes}\n", &codes())
        .replace("{order}\n", &order())
        .replace("{faults}\n", &faults());
    compare("problems.md", &page);
}

#[test]
fn filters() {
    let page = FILTERS
        .replace("{operators}\n", &operators())
        .replace("{parameters}\n", &parameters());
    compare("filters.md", &page);
}

#[test]
fn types() {
    let page = TYPES_PAGE
        .replace("{types}\n", &all_types())
        .replace("{columns}\n", &columns());
    compare("types.md", &page);
}

/// A page as it should be beside the page as it is.
fn compare(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/reference")
        .join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).expect("the page can be written");
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        is == page,
        "docs/reference/{name} is not what its tables say; UPDATE=1 rewrites it"
    );
}

fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{text}`")
    }
}

fn codes() -> String {
    table(
        &["code", "status", "title", "meaning"],
        Code::all().iter().map(|row| {
            vec![
                code(row.word),
                row.status.as_u16().to_string(),
                row.title.into(),
                row.doc.into(),
            ]
        }),
    )
}

fn faults() -> String {
    let ours = FAULTS
        .iter()
        .map(|row| (row.word, row.status, row.doc.to_owned()));
    let values = VALUE_CODES.iter().map(|&(_, word, doc)| (word, 422, lower(doc)));
    table(
        &["code", "status", "meaning"],
        ours.chain(values)
            .map(|(word, status, doc)| vec![code(word), status.to_string(), doc]),
    )
}

/// The first letter in lower case, unless a name of capitals begins there.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

fn operators() -> String {
    table(
        &["operator", "fields", "is given", "finds values that"],
        OPERATORS.iter().map(|row| {
            let given = match row.takes {
                Takes::One => "a value",
                Takes::List => "a list of values",
                Takes::Text => "a text",
                Takes::Flag => "`true` or `false`",
            };
            vec![code(row.word), fields_of(row), given.into(), row.doc.into()]
        }),
    )
}

/// The types whose fields an operator may look at. Passwords are never shown, so nobody asks for them.
fn fields_of(row: &OperatorRow) -> String {
    let applies = |ty: &&TypeRow| row.kinds.contains(&ty.kind);
    let all = || TYPES.iter().filter(|ty| ty.name != "password");
    let not: Vec<_> = all().filter(|ty| !applies(ty)).map(|ty| ty.name).collect();
    match not.len() {
        0 => "all".to_owned(),
        1..=4 => format!("all but {}", not.join(", ")),
        _ => all()
            .filter(applies)
            .map(|ty| ty.name)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn order() -> String {
    let mut text = String::new();
    for (place, stage) in ORDER.iter().enumerate() {
        let codes = stage
            .codes
            .iter()
            .map(|code| format!("`{}` ({})", code.word(), code.status().as_u16()));
        let codes: Vec<_> = codes.collect();
        let _ = writeln!(text, "{}. {}: {}", place + 1, stage.doc, codes.join(", "));
    }
    text
}

fn parameters() -> String {
    table(
        &["parameter", "of", "may stand", "asks for"],
        PARAMETERS.iter().chain([&MAX_AFFECTED]).map(|row| {
            let of = if row.name == MAX_AFFECTED.name {
                "PATCH and DELETE of collections"
            } else if row.on_item {
                "collections, items"
            } else {
                "collections"
            };
            let times = if row.is_list { "several times" } else { "once" };
            vec![code(row.name), of.into(), times.into(), row.doc.into()]
        }),
    )
}

fn all_types() -> String {
    table(
        &["type", "means", "JSON", "format", "may have", "filtered with"],
        TYPES.iter().map(|row| {
            let limits = [
                ("length", row.has_length),
                ("range", row.has_range),
                ("pattern", row.has_pattern),
            ];
            let limits: Vec<_> = limits
                .iter()
                .filter(|(_, has)| *has)
                .map(|(name, _)| code(name))
                .collect();
            let json = if row.json.is_empty() { "any" } else { row.json };
            vec![
                code(row.name),
                row.doc.into(),
                json.into(),
                row.format.map(code).unwrap_or_default(),
                limits.join(", "),
                filtered(row),
            ]
        }),
    )
}

fn filtered(row: &TypeRow) -> String {
    if row.name == "password" {
        return "nothing".to_owned();
    }
    let words: Vec<_> = Operator::of_kind(row.kind)
        .map(|operator| code(operator.word))
        .collect();
    match row.kind {
        Kind::Text => "all operators".to_owned(),
        _ => words.join(" "),
    }
}

fn columns() -> String {
    table(
        &["type", "SQLite", "PostgreSQL", "Rust", "HTML input"],
        TYPES.iter().map(|row| {
            vec![
                code(row.name),
                code(row.sqlite),
                code(row.postgres),
                code(row.rust),
                code(row.input),
            ]
        }),
    )
}
