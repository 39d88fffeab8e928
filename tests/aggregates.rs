//! Aggregates over another program's table: decimals as it keeps them, odd values, and more groups than are told.

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::http::{Client, Request};
use crate::support::server::Server;
use crate::trial;

const SCHEMA: &str = "
service: sales
managed: false
resources:
  Sale:
    fields:
      price: { type: decimal, precision: 8, scale: 2, optional: true }
      rate: { type: decimal, precision: 8, scale: 3, optional: true }
      weight: { type: float, optional: true }
      pieces: { type: integer, optional: true, filterable: true }
    access: { read: public }
";

const TABLE: &str = "
CREATE TABLE sale (id INTEGER PRIMARY KEY, price NUMERIC(8, 2), rate TEXT, weight FLOAT, pieces INTEGER);
";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("aggregates::decimals_of_another_program_add_up", decimals),
        trial("aggregates::what_is_no_number_is_not_added", odd),
        trial("aggregates::more_groups_than_are_told_are_refused", many),
    ]
}

/// A service over a table with these rows.
fn serve(rows: &str) -> Result<(TempDir, Server), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let schema = folder.path().join("rest.yaml");
    std::fs::write(&schema, SCHEMA).map_err(|e| e.to_string())?;
    let file = folder.path().join("data.db");
    let database = rusqlite::Connection::open(&file).map_err(|e| e.to_string())?;
    let made = database.execute_batch(&format!("{TABLE}{rows}"));
    made.map_err(|e| e.to_string())?;
    let server = Server::of(&schema, &file.display().to_string())?;
    Ok((folder, server))
}

fn asked(server: &Server, query: &str) -> Result<(u16, Value), String> {
    let target = format!("/api/sales?{query}");
    let answer = Client::new(server.address).send(&Request::new("GET", &target))?;
    let body = serde_json::from_str(&answer.text()).map_err(|e| e.to_string())?;
    Ok((answer.status, body))
}

fn is(found: &(u16, Value), expected: &Value) -> Result<(), String> {
    if found.0 == 200 && found.1["items"] == *expected {
        Ok(())
    } else {
        Err(format!("{found:?} instead of {expected}"))
    }
}

fn decimals() -> Result<(), String> {
    let (_folder, server) = serve(
        "INSERT INTO sale (price, rate, weight, pieces) VALUES
           (0.1, '0.125', 1, 2), (0.2, '1', 0.5, NULL), (7, '-0.001', NULL, NULL), (NULL, NULL, NULL, NULL);",
    )?;
    is(
        &asked(&server, "aggregate=sum(price),sum(rate),sum(weight),sum(pieces)")?,
        &json!([{ "sum": { "price": "7.30", "rate": "1.124", "weight": 1.5, "pieces": 2 } }]),
    )?;
    is(
        &asked(
            &server,
            "aggregate=min(price),max(price),min(rate),max(rate),max(weight)",
        )?,
        &json!([{
            "min": { "price": "0.10", "rate": "-0.001" },
            "max": { "price": "7.00", "rate": "1.000", "weight": 1.0 },
        }]),
    )
}

fn odd() -> Result<(), String> {
    let (_folder, server) = serve(
        "INSERT INTO sale (price, weight, pieces) VALUES (1, 1, 1), ('much', 'heavy', 'many'), (1, 1, 0.5);",
    )?;
    for query in [
        "aggregate=sum(price)",
        "aggregate=avg(weight)",
        "aggregate=sum(pieces)",
        "aggregate=max(pieces)",
    ] {
        let (status, body) = asked(&server, query)?;
        if status != 500 || body["code"] != "stored-value" {
            return Err(format!("{query}: {status} {body}"));
        }
    }
    is(&asked(&server, "aggregate=count")?, &json!([{ "count": 3 }]))
}

fn many() -> Result<(), String> {
    let (_folder, server) = serve(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
         INSERT INTO sale (price, pieces) SELECT 1, i FROM n;",
    )?;
    let (status, body) = asked(&server, "aggregate=count&group=pieces")?;
    let fault = &body["errors"][0];
    if status != 400 || fault["code"] != "limit-exceeded" || fault["limit"] != 1000 {
        return Err(format!("{status} {body}"));
    }
    let (status, body) = asked(&server, "aggregate=count&group=pieces&pieces[gt]=1")?;
    let groups = body["items"].as_array().map_or(0, Vec::len);
    if status == 200 && groups == 1000 && body["items"][0] == json!({ "group": { "pieces": 2 }, "count": 1 })
    {
        Ok(())
    } else {
        Err(format!("{status}, {groups} groups: {}", body["items"][0]))
    }
}
