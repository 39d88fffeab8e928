//! The tables of the product against the cases: no type, operator, problem or fault without a case of its own.

use std::path::Path;

use libtest_mimic::Trial;
use rest_runtime::problem::{Code, FAULTS};
use rest_runtime::request::filter::OPERATORS;
use rest_schema::types::TYPES;

use crate::support::case::{self, Case, Exchange, SchemaSource, Step};
use crate::support::server::package;
use crate::trial;

/// Problems that no request can bring about from outside, and what holds each instead.
const NOT_FROM_OUTSIDE: &[(&str, &str)] = &[
    (
        "internal",
        "a panic in a write is forced in the runtime's own tests",
    ),
    ("idempotency-in-flight", "`once::beside_another_program`"),
    ("idempotency-unknown", "`once::beside_another_program`"),
];

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("coverage::every_type_has_a_page", types),
        trial("coverage::every_operator_has_a_case", operators),
        trial("coverage::every_problem_has_a_case", problems),
        trial("coverage::every_fault_has_a_case", faults),
        trial("coverage::every_page_says_its_rule", prose),
        trial("coverage::a_tenth_of_the_pages_is_for_all_ways", ways),
        trial("coverage::every_schema_is_without_fault", schemas),
    ]
}

fn cases() -> Result<Vec<Case>, String> {
    case::all(&crate::pages::folder())
}

fn exchanges(cases: &[Case]) -> impl Iterator<Item = &Exchange> {
    cases
        .iter()
        .flat_map(|case| &case.steps)
        .filter_map(|step| match step {
            Step::Exchange(exchange) => Some(exchange),
            Step::Caller(_) => None,
        })
}

fn none_missing(what: &str, missing: &[&str]) -> Result<(), String> {
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("no case for {what}: {}", missing.join(", ")))
    }
}

fn types() -> Result<(), String> {
    let names = TYPES.iter().map(|row| row.name);
    let missing: Vec<&str> = names
        .filter(|name| !crate::pages::folder().join(format!("types/{name}.md")).is_file())
        .collect();
    none_missing("the type", &missing)
}

fn operators() -> Result<(), String> {
    let cases = cases()?;
    let asked =
        |word: &str| exchanges(&cases).any(|e| e.status == 200 && e.target.contains(&format!("[{word}]=")));
    let missing: Vec<&str> = OPERATORS
        .iter()
        .map(|row| row.word)
        .filter(|word| !asked(word))
        .collect();
    none_missing("the operator", &missing)
}

/// Whether a case expects the word with the status, or a test in Rust speaks of it.
fn expected(cases: &[Case], word: &str, status: u16) -> bool {
    let told = format!("\"code\": \"{word}\"");
    let by_case = exchanges(cases).any(|e| {
        e.status == status
            && e.expected_body
                .as_ref()
                .is_some_and(|b| b.to_string().contains(&told))
    });
    by_case || in_rust(&format!("\\\"{word}\\\""))
}

fn in_rust(text: &str) -> bool {
    let is_test = |path: &Path| path.extension().is_some_and(|ext| ext == "rs");
    let files = std::fs::read_dir(package())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    files
        .filter(|path| is_test(path))
        .any(|path| std::fs::read_to_string(path).is_ok_and(|source| source.contains(text)))
}

fn problems() -> Result<(), String> {
    let cases = cases()?;
    let excused = |word: &str| NOT_FROM_OUTSIDE.iter().any(|(name, _)| *name == word);
    let rows = Code::all()
        .iter()
        .filter(|row| !excused(row.word) && !expected(&cases, row.word, row.status.as_u16()));
    none_missing("the problem", &rows.map(|row| row.word).collect::<Vec<_>>())
}

fn faults() -> Result<(), String> {
    let cases = cases()?;
    let rows = FAULTS
        .iter()
        .filter(|row| !expected(&cases, row.word, row.status));
    none_missing("the fault", &rows.map(|row| row.word).collect::<Vec<_>>())
}

/// A page is read by people: it begins with a sentence. Pages of types say by their names what they are for.
fn prose() -> Result<(), String> {
    let cases = cases()?;
    let silent = cases.iter().filter(|case| {
        let text = std::fs::read_to_string(&case.file).unwrap_or_default();
        !case.name.starts_with("types/") && !text.starts_with(|c: char| c.is_uppercase() || c == '`')
    });
    none_missing(
        "readers in",
        &silent.map(|case| case.name.as_str()).collect::<Vec<_>>(),
    )
}

/// What is said of YAML is said of structs: a tenth of all pages at least, and some of each schema.
fn ways() -> Result<(), String> {
    let cases = cases()?;
    let tagged: Vec<&Case> = cases.iter().filter(|case| case.all_ways).collect();
    if tagged.len() * 10 < cases.len() {
        return Err(format!(
            "{} of {} pages are `ways: all`",
            tagged.len(),
            cases.len()
        ));
    }
    let of_none = cases.iter().map(|case| &case.schema).filter(|schema| {
        matches!(schema, SchemaSource::Named(_)) && !tagged.iter().any(|case| case.schema == **schema)
    });
    match of_none.into_iter().next() {
        Some(schema) => Err(format!("no page of {schema:?} is `ways: all`")),
        None => Ok(()),
    }
}

/// Before any server starts: a fault in a schema of the tests is told as it would be to its author.
fn schemas() -> Result<(), String> {
    let mut faults = String::new();
    for case in cases()? {
        if let SchemaSource::Inline(yaml) = &case.schema {
            faults += &told(&format!("{}.md", case.name), yaml);
        }
    }
    for entry in std::fs::read_dir(package().join("schemas"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".seed.yaml") {
            faults += &told(
                &name,
                &std::fs::read_to_string(entry.path()).map_err(|e| e.to_string())?,
            );
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn told(name: &str, yaml: &str) -> String {
    let report = match rest_schema::read_one(name, yaml) {
        Ok(loaded) => loaded.report,
        Err(report) => report,
    };
    rest_schema::diagnostic::lines(&report.diagnostics, &report.sources)
}
