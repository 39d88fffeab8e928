//! `rest-gen explain`

use std::path::Path;

use rest_runtime::Service;
use rest_runtime::show::{Explained, Explanation};
use rest_schema::Schema;
use serde_json::{Value, json};

use crate::cli::Format;
use crate::database::{Database, run_async};
use crate::error::{Error, Outcome};
use crate::{load, output, show};

/// A request as it is typed: `GET /api/posts?limit=2`, `QUERY /api/posts {"limit": 2}`; without a method it is GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Typed<'a> {
    method: &'a str,
    address: &'a str,
    body: Option<&'a str>,
}

impl<'a> Typed<'a> {
    fn read(text: &'a str) -> Self {
        let text = text.trim();
        let (method, rest) = match text.split_once(char::is_whitespace) {
            Some((method, rest)) if !method.starts_with('/') => (method, rest.trim_start()),
            _ => ("GET", text),
        };
        // A body is an object or an array, and no address has a space.
        let body = rest.find(" {").into_iter().chain(rest.find(" [")).min();
        let (address, body) = match body {
            Some(at) => (&rest[..at], Some(rest[at..].trim())),
            None => (rest, None),
        };
        Self {
            method,
            address: address.trim(),
            body,
        }
    }
}

/// Tells what becomes of a request.
pub(crate) fn run(
    file: &Path,
    request: &str,
    account: Option<&str>,
    database: Option<String>,
    format: Format,
) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    let typed = Typed::read(request);
    if !typed.address.starts_with('/') {
        let near = schema
            .resources
            .first()
            .map_or("", |resource| resource.collection.as_str());
        let message = format!(
            "`{request}` is no request: write a method and an address, as 'GET {}/{near}'",
            schema.prefix
        );
        return Err(Error::new(message));
    }
    let is_empty = database.is_none();
    let explained = match database {
        Some(database) => {
            let Some(service) = Database::at(database).opened(schema.clone())? else {
                return Ok(Outcome::Faults);
            };
            ask(&service, typed, account)?
        }
        None if account.is_some() => {
            let message = "an account is looked up in a database: name it by --database or REST_DATABASE";
            return Err(Error::new(message));
        }
        // Without one the tables are empty ones, which nobody sees.
        None => run_async(async {
            let api = Service::builder(schema.clone()).test().await;
            let api = api.map_err(|error| Error::new(error.to_string()))?;
            explain(api.service(), typed, account).await
        })??,
    };
    let told = match format {
        Format::Text => text(&schema, &explained, is_empty),
        Format::Json => format!("{:#}\n", json(&schema, &explained)),
    };
    output::result(&told)?;
    Ok(Outcome::Done)
}

fn ask(service: &Service, typed: Typed<'_>, account: Option<&str>) -> Result<Explanation, Error> {
    run_async(explain(service, typed, account))?
}

async fn explain(service: &Service, typed: Typed<'_>, account: Option<&str>) -> Result<Explanation, Error> {
    let explained = service
        .explain(typed.method, typed.address, typed.body, account)
        .await;
    explained.map_err(|error| Error::new(error.to_string()))
}

fn text(schema: &Schema, explained: &Explanation, is_empty: bool) -> String {
    let mut text = String::new();
    for ruled in &explained.rules {
        let rule = ruled.rule.as_deref().unwrap_or("there is no rule");
        text += &format!(
            "rule    {} {}: {rule}\n        grants {}\n",
            ruled.operation, ruled.resource, ruled.says
        );
    }
    for (place, read) in explained.reads.iter().enumerate() {
        let lane = read.lane.map(|lane| format!(", {lane}")).unwrap_or_default();
        text += &format!("\nread {}{lane}\n", place + 1);
        text += &indented("plan", &plan(schema, read));
        for statement in &read.statements {
            text += &indented("sql", &statement.sql);
            for (place, value) in statement.values.iter().enumerate() {
                text += &format!("          ?{} = {value}\n", place + 1);
            }
            if !statement.steps.is_empty() {
                text += &indented("steps", &statement.steps.join("\n"));
            }
        }
    }
    let answer = match (explained.status, &explained.refusal) {
        (Some(status), Some(refusal)) => format!("{status}, {refusal}"),
        (Some(status), None) => status.to_string(),
        (None, _) => "not asked for: a write is not carried out here".to_owned(),
    };
    let where_asked = if is_empty && explained.status.is_some() {
        ", on empty tables"
    } else {
        ""
    };
    text + &format!("\nanswer  {answer}{where_asked}\n")
}

/// Lines below a head, on its own line where there is one.
fn indented(head: &str, lines: &str) -> String {
    let mut text = String::new();
    for (place, line) in lines.lines().enumerate() {
        let head = if place == 0 { head } else { "" };
        text += &format!("  {head:<6}{line}\n");
    }
    text
}

fn plan(schema: &Schema, read: &Explained) -> String {
    show::plan(schema, &read.plan)
}

fn json(schema: &Schema, explained: &Explanation) -> Value {
    let rules = explained.rules.iter().map(|ruled| {
        json!({
            "resource": ruled.resource,
            "operation": ruled.operation,
            "rule": ruled.rule,
            "grants": ruled.says,
        })
    });
    let reads = explained.reads.iter().map(|read| {
        let statements = read.statements.iter().map(
            |statement| json!({ "sql": statement.sql, "values": statement.values, "steps": statement.steps }),
        );
        json!({
            "plan": plan(schema, read),
            "lane": read.lane,
            "statements": statements.collect::<Vec<_>>(),
        })
    });
    json!({
        "rules": rules.collect::<Vec<_>>(),
        "reads": reads.collect::<Vec<_>>(),
        "status": explained.status,
        "refusal": explained.refusal,
    })
}

#[cfg(test)]
mod tests {
    use super::Typed;

    #[test]
    fn a_request_is_read_as_it_is_typed() {
        let of = |method, address, body| Typed {
            method,
            address,
            body,
        };
        for (text, wanted) in [
            ("/api/posts", of("GET", "/api/posts", None)),
            (
                " GET  /api/posts?score[gte]=1 ",
                of("GET", "/api/posts?score[gte]=1", None),
            ),
            ("DELETE /api/posts/1", of("DELETE", "/api/posts/1", None)),
            (
                "QUERY /api/posts {\"filter\": {}}",
                of("QUERY", "/api/posts", Some("{\"filter\": {}}")),
            ),
            ("POST /api/posts [{}]", of("POST", "/api/posts", Some("[{}]"))),
        ] {
            assert_eq!(Typed::read(text), wanted);
        }
    }
}
