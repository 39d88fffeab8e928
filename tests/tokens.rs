//! What is kept of tokens beside what they are known by.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::postgres::Cluster;
use crate::support::run::until;
use crate::support::server::Place;
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("tokens::the_last_use_is_told", || each(used)),
        trial("tokens::an_older_database_learns_to_keep_it", || each(older)),
    ]
}

/// On both databases.
fn each(test: impl Fn(&Place, Option<&Cluster>) -> Result<(), String>) -> Result<(), String> {
    let source = SchemaSource::Named("blog".to_owned());
    let cluster = Cluster::start()?;
    for cluster in [None, Some(&cluster)] {
        let place = match cluster {
            None => Place::new(&source)?,
            Some(cluster) => Place::on(cluster, &source)?,
        };
        test(&place, cluster).map_err(|told| format!("{}: {told}", place.location()))?;
    }
    Ok(())
}

/// When the tokens of an account were used, the latest made first.
fn uses(api: &mut Api) -> Result<Vec<Value>, String> {
    let told = api.get("/api/tokens")?;
    let items = told["items"].as_array().ok_or("no list")?;
    Ok(items.iter().map(|token| token["last_used_at"].clone()).collect())
}

fn used(place: &Place, _: Option<&Cluster>) -> Result<(), String> {
    let server = place.serve()?;
    let sign_in = || Api::sign_in(server.address, "susan", "susan-password");
    let (mut first, _unused, mut watching) = (sign_in()?, sign_in()?, sign_in()?);
    first.get("/api/posts/1")?;
    until("the use is told", || {
        let [_, unused, first] = &uses(&mut watching)?[..] else {
            return Err("not three tokens".to_owned());
        };
        if !unused.is_null() {
            return Err(format!("{unused} is no use"));
        }
        Ok(first.is_string())
    })?;
    // Once in a while: what comes at once is the same use.
    let before = uses(&mut watching)?;
    first.get("/api/posts/1")?;
    let after = uses(&mut watching)?;
    if before[2] != after[2] {
        return Err(format!("{before:?} and {after:?}"));
    }
    server.stop().map(drop)
}

fn older(place: &Place, cluster: Option<&Cluster>) -> Result<(), String> {
    let drop_it = "ALTER TABLE rest_tokens DROP COLUMN last_used_at";
    match cluster {
        Some(cluster) => cluster.sql(&place.database_name(), drop_it)?,
        None => rusqlite::Connection::open(&place.database)
            .and_then(|database| database.execute_batch(drop_it))
            .map_err(|e| e.to_string())?,
    }
    let server = place.serve()?;
    let mut api = Api::sign_in(server.address, "susan", "susan-password")?;
    until("the use is told", || Ok(uses(&mut api)?[0].is_string()))?;
    server.stop().map(drop)
}
