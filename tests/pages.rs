//! The pages of `http/`: each is played on both databases, and where it says so by the services made of structs as well.
//!
//! On SQLite each is a test; on PostgreSQL a folder of pages is one, since a cluster takes longer to start than its pages to play.

use std::collections::BTreeMap;
use std::path::PathBuf;

use libtest_mimic::Trial;

use crate::support::case::{self, Case, SchemaSource};
use crate::support::contract::Contract;
use crate::support::postgres::Cluster;
use crate::support::run;
use crate::support::server::{Place, package};
use crate::trial;

/// The folder of the pages.
pub(crate) fn folder() -> PathBuf {
    package().join("http")
}

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let cases = match case::all(&folder()) {
        Ok(cases) => cases,
        Err(message) => return vec![trial("http::every_page_can_be_read", move || Err(message))],
    };
    let mut folders: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in &cases {
        let of = case.name.split('/').next().unwrap_or_default();
        folders.entry(of.to_owned()).or_default().push(case.clone());
    }
    let on_sqlite = cases.into_iter().flat_map(on_sqlite);
    let on_postgres = folders
        .into_iter()
        .map(|(of, cases)| trial(&format!("postgres::http::{of}"), move || on_postgres(&cases)));
    on_sqlite.chain(on_postgres).collect()
}

/// The ways in which a page is served: from its schema, and from structs where it says so.
fn ways(case: &Case) -> &'static [Option<&'static str>] {
    if case.all_ways {
        &[None, Some("derived"), Some("generated")]
    } else {
        &[None]
    }
}

fn on_sqlite(case: Case) -> impl Iterator<Item = Trial> {
    ways(&case).iter().map(move |&way| {
        let case = case.clone();
        trial(&format!("{}::{}", way.unwrap_or("http"), case.name), move || {
            play(&case, &Place::new(&case.schema)?, way)
        })
    })
}

fn on_postgres(cases: &[Case]) -> Result<(), String> {
    let cluster = Cluster::start()?;
    let mut wrong = Vec::new();
    for case in cases {
        for &way in ways(case) {
            let played = Place::on(&cluster, &case.schema).and_then(|place| play(case, &place, way));
            wrong.extend(played.err().map(|told| match way {
                Some(way) => format!("{way}: {told}"),
                None => told,
            }));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.join("\n\n"))
}

fn play(case: &Case, place: &Place, way: Option<&str>) -> Result<(), String> {
    let server = match (way, &case.schema) {
        (Some(written), SchemaSource::Named(schema)) => place.serve_structs(written, schema)?,
        _ => place.serve()?,
    };
    let contract = Contract::of(server.address)?;
    run::run(case, server.address, Some(&contract)).map_err(|e| match server.told().as_str() {
        "" => e,
        told => format!("{e}\nthe server said:\n{told}"),
    })
}
