//! Every fault on its spot: `tests/faults/<rule>.yaml` beside what is said about it, `<rule>.stderr`.
//!
//! `UPDATE=1` writes the second file anew; read what it wrote.
#![cfg(all(feature = "yaml", feature = "draw"))]
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rest_schema::codes::CODES;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/faults")
}

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    cases.sort();
    cases
}

/// What is said about a case; never nothing.
fn told(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let report = match rest_schema::read(&name, &text, &mut |_| Ok(Vec::new())) {
        Ok(loaded) => loaded.report,
        Err(report) => report,
    };
    report.draw(false)
}

#[test]
fn every_fault_is_told_as_it_was() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = String::new();
    for path in cases() {
        let told = told(&path);
        let expected = path.with_extension("stderr");
        if update {
            std::fs::write(&expected, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        if told.is_empty() || told != expected {
            wrong += &format!("--- {}\n{expected}\n+++\n{told}\n", path.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_has_a_case_and_every_case_a_code() {
    let mut told = BTreeSet::new();
    for path in cases() {
        let text = std::fs::read_to_string(path.with_extension("stderr")).unwrap_or_default();
        for line in text
            .lines()
            .filter(|line| line.starts_with("error[") || line.starts_with("warning["))
        {
            let code = line.split_once('[').unwrap().1.split_once(']').unwrap().0;
            told.insert(code.to_owned());
        }
    }
    told.extend(told_in_rust());
    let table: BTreeSet<String> = CODES.iter().map(|row| row.code.to_owned()).collect();
    assert_eq!(told, table);
    assert_eq!(table.len(), CODES.len(), "a code stands twice");
}

/// Codes that the compiler shows for `tests/ui`, where faults stand that only Rust can have.
fn told_in_rust() -> BTreeSet<String> {
    let paths = std::fs::read_dir(folder().join("../ui")).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    let texts = paths.filter(|path| path.extension().is_some_and(|end| end == "stderr"));
    let texts: Vec<String> = texts.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let errors = lines.filter_map(|line| line.strip_prefix("error: ")?.strip_suffix(']'));
    let codes = errors.filter_map(|line| Some(line.rsplit_once('[')?.1.to_owned()));
    codes.collect()
}

#[test]
fn a_case_without_its_expectation_or_the_other_way_is_a_slip() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let other = match path.extension().and_then(|end| end.to_str()) {
            Some("yaml") => path.with_extension("stderr"),
            Some("stderr") => path.with_extension("yaml"),
            _ => panic!("{} is neither", path.display()),
        };
        assert!(other.is_file(), "{} is missing", other.display());
    }
}
