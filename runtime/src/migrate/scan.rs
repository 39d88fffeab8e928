//! Looks for stored values that don't fit their types: what a reader would be answered with a 500.

use rest_schema::{Field, Resource, Schema};
use rusqlite::{Connection, Result};

use super::create::literal;
use super::{Finding, name};
use crate::codec::{Codec, Unfit};
use crate::storage::sqlite::statement::lent;

/// Rows that a finding names.
const NAMED: usize = 3;

/// Reads every row of every resource. Each field with values that don't fit is one finding, which names the first rows by
/// their keys; the values themselves may be private.
pub fn scan(schema: &Schema, codecs: &[Vec<Codec>], connection: &Connection) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (resource, codecs) in schema.resources.iter().zip(codecs) {
        let mut columns: Vec<Examined<'_>> = resource
            .fields
            .iter()
            .zip(codecs)
            .filter(|(field, _)| field.is_stored())
            .map(|(field, codec)| Examined::new(field, codec))
            .collect();
        read(schema, resource, &mut columns, connection)?;
        findings.extend(columns.into_iter().filter_map(|column| column.finding(resource)));
    }
    Ok(findings)
}

/// A field, and what was found in its column.
struct Examined<'a> {
    field: &'a Field,
    codec: &'a Codec,
    found: usize,
    keys: Vec<String>,
    expected: &'static str,
}

impl<'a> Examined<'a> {
    fn new(field: &'a Field, codec: &'a Codec) -> Self {
        Self {
            field,
            codec,
            found: 0,
            keys: Vec::new(),
            expected: "",
        }
    }

    fn add(&mut self, unfit: Unfit, key: impl FnOnce() -> String) {
        self.found += 1;
        self.expected = unfit.expected;
        if self.keys.len() < NAMED {
            self.keys.push(key());
        }
    }

    fn finding(self, resource: &Resource) -> Option<Finding> {
        if self.found == 0 {
            return None;
        }
        let rows = if self.found == 1 {
            "1 row holds"
        } else {
            &format!("{} rows hold", self.found)
        };
        let more = if self.found > self.keys.len() { ", …" } else { "" };
        Some(Finding {
            place: format!("{}.{}", resource.name, self.field.name),
            message: format!(
                "{rows} what is not {}: {}{more}",
                self.expected,
                self.keys.join(", ")
            ),
            help: Some(
                "until it is put right, requests that show it are answered with 500 `stored-value`"
                    .to_owned(),
            ),
            statement: None,
        })
    }
}

fn read(
    schema: &Schema,
    resource: &Resource,
    columns: &mut [Examined<'_>],
    connection: &Connection,
) -> Result<()> {
    let key = resource
        .key
        .fields
        .iter()
        .map(|id| schema.field(*id).column.as_str());
    let key: Vec<String> = key.map(name).collect();
    let all = columns.iter().map(|column| name(&column.field.column));
    let all: Vec<String> = all.chain(key.iter().cloned()).collect();
    let text = format!("SELECT {} FROM {}", all.join(", "), name(&resource.table));
    let mut statement = connection.prepare(&text)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for place in 0..columns.len() {
            if let Err(unfit) = columns[place].codec.decode(lent(row.get_ref(place)?)) {
                let key = (columns.len()..all.len())
                    .map(|place| Ok(literal(&lent(row.get_ref(place)?).to_owned())));
                let key: Vec<String> = key.collect::<Result<_>>()?;
                columns[place].add(unfit, || key.join(","));
            }
        }
    }
    Ok(())
}
