//! `rest-gen access`

use std::path::Path;

use rest_runtime::show::access::{Grant, Line, Matrix, matrix};
use rest_runtime::show::security::row_security as row_security_of;
use serde_json::{Value, json};

use crate::cli::Report;
use crate::database::{Database, location_of};
use crate::error::{Error, Outcome};
use crate::{load, output};

/// Prints who may do what, and tells what is open.
pub(crate) fn run(file: &Path, report: Report) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    let matrix = matrix(&schema);
    let text = match report {
        Report::Text => text(&matrix),
        Report::Json => format!("{:#}\n", json(&matrix)),
        Report::Markdown => markdown(&schema.name, &matrix),
    };
    output::result(&text)?;
    if report == Report::Text {
        for open in &matrix.open {
            output::warning(&open.to_string());
        }
    }
    Ok(Outcome::Done)
}

/// Prints the rules as row-level security.
pub(crate) fn row_security(file: &Path, database: Option<String>) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    let location = database.as_deref().map(location_of).transpose()?;
    if location.is_some_and(|location| location.file().is_some()) {
        return Err(Error::new(
            "row-level security is PostgreSQL's, and the database is a file of SQLite",
        ));
    }
    let sql = match database {
        Some(database) if schema.managed != Some(true) => {
            let Some(service) = Database::at(database).opened(schema)? else {
                return Ok(Outcome::Faults);
            };
            service
                .row_security()
                .map_err(|error| Error::new(error.to_string()))?
        }
        None if schema.managed == Some(false) => {
            let message = "the tables aren't ours, so their columns have to be looked at: name the database by \
                           --database or REST_DATABASE";
            return Err(Error::new(message));
        }
        // Of tables of ours it is known what they are, whether they are there or not.
        Some(_) | None => row_security_of(&schema),
    };
    output::result(&sql)?;
    Ok(Outcome::Done)
}

/// A kind of caller, and what a line grants him.
type Kind = (&'static str, fn(&Line) -> Option<Grant>);

/// The kinds of callers that there are.
fn kinds(matrix: &Matrix) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = vec![("nobody", |line| Some(line.nobody))];
    if matrix.lines.iter().any(|line| line.account.is_some()) {
        kinds.push(("account", |line| line.account));
    }
    if matrix.lines.iter().any(|line| line.admin.is_some()) {
        kinds.push(("admin", |line| line.admin));
    }
    kinds
}

fn word(grant: Option<Grant>) -> &'static str {
    grant.map_or("", Grant::word)
}

/// A head and its lines, as texts.
fn table(matrix: &Matrix) -> Vec<Vec<String>> {
    let kinds = kinds(matrix);
    let has_scopes = kinds.len() > 1;
    let mut head = vec!["resource".to_owned(), "operation".to_owned()];
    head.extend(kinds.iter().map(|(name, _)| (*name).to_owned()));
    head.extend(has_scopes.then(|| "scopes of a token".to_owned()));
    head.push("rule".to_owned());
    let mut rows = vec![head];
    for line in &matrix.lines {
        let mut row = vec![line.resource.clone(), line.operation.clone()];
        row.extend(kinds.iter().map(|(_, grant)| word(grant(line)).to_owned()));
        row.extend(has_scopes.then(|| line.scopes.join(" ")));
        // A rule of several lines is one line here.
        let rule = line
            .rule
            .as_deref()
            .map(|rule| rule.split_whitespace().collect::<Vec<_>>().join(" "));
        row.push(rule.unwrap_or_else(|| "(none)".to_owned()));
        rows.push(row);
    }
    rows
}

fn text(matrix: &Matrix) -> String {
    let mut rows = table(matrix);
    let mut last = String::new();
    for row in &mut rows {
        if row[0] == last {
            row[0].clear();
        } else {
            last.clone_from(&row[0]);
        }
    }
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text += line.trim_end();
        text.push('\n');
    }
    text + "\nall: every row; some: it is up to the row or the account; no: refused\n"
}

fn markdown(service: &str, matrix: &Matrix) -> String {
    let rows = table(matrix);
    let mut text = format!("# Who may do what in {service}\n\n");
    text += "all: every row; some: it is up to the row or the account; no: refused.\n";
    let columns = rows.first().map_or(0, Vec::len);
    let line = |row: &[String]| {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut resource = "";
    for row in rows.iter().skip(1) {
        if row[0] != resource {
            resource = &row[0];
            text += &format!("\n## {resource}\n\n{}", line(&rows[0][1..]));
            text += &format!("|{}\n", " --- |".repeat(columns - 1));
        }
        let mut row = row[1..].to_vec();
        if let Some(rule) = row.last_mut().filter(|rule| *rule != "(none)") {
            *rule = format!("`{rule}`");
        }
        text += &line(&row);
    }
    if !matrix.open.is_empty() {
        text += "\n## To look at\n\n";
    }
    for open in &matrix.open {
        let help = open
            .help
            .as_ref()
            .map(|help| format!("; {help}"))
            .unwrap_or_default();
        text += &format!("- {}: {}{help}\n", open.place, open.message);
    }
    text
}

fn json(matrix: &Matrix) -> Value {
    let lines = matrix.lines.iter().map(|line| {
        json!({
            "resource": line.resource,
            "operation": line.operation,
            "rule": line.rule,
            "scopes": line.scopes,
            "grants": {
                "nobody": line.nobody.word(),
                "account": line.account.map(Grant::word),
                "admin": line.admin.map(Grant::word),
            },
        })
    });
    let open = matrix
        .open
        .iter()
        .map(|open| json!({ "place": open.place, "message": open.message, "help": open.help }));
    json!({ "rules": lines.collect::<Vec<_>>(), "open": open.collect::<Vec<_>>() })
}
