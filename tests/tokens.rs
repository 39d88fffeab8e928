//! What is kept of tokens beside what they are known by, and what an operator does about them.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::Request;
use crate::support::postgres::Cluster;
use crate::support::run::until;
use crate::support::server::{Place, rest_gen};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("tokens::the_last_use_is_told", || each(used)),
        trial("tokens::an_older_database_learns_to_keep_more", || each(older)),
        trial("tokens::another_password_ends_them_whoever_sets_it", || {
            each(another_password)
        }),
        trial("tokens::an_operator_makes_and_lists_and_revokes_them", || {
            each(operated)
        }),
    ]
}

/// On both databases.
fn each(test: impl Fn(&Place, Option<&Cluster>) -> Result<(), String>) -> Result<(), String> {
    Place::on_both(&SchemaSource::Named("blog".to_owned()), |place, cluster| {
        test(&place, cluster)
    })
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
    let kept = told(place, "create", &[], 0)?;
    for column in ["last_used_at", "scopes"] {
        let drop_it = format!("ALTER TABLE rest_tokens DROP COLUMN {column}");
        place.sql(cluster, &drop_it)?;
    }
    let server = place.serve()?;
    // What was made before may do everything.
    let request = Request::new("GET", "/api/tokens").bearer(kept.trim());
    let all = Api::new(server.address).expect(200, request)?;
    if all["items"][0]["scopes"] != serde_json::json!(["*"]) {
        return Err(all.to_string());
    }
    let mut api = Api::sign_in(server.address, "susan", "susan-password")?;
    until("the use is told", || Ok(uses(&mut api)?[0].is_string()))?;
    server.stop().map(drop)
}

/// Also where another program sets it, as a Flask app does beside us.
fn another_password(place: &Place, cluster: Option<&Cluster>) -> Result<(), String> {
    let server = place.serve()?;
    let mut susan = Api::sign_in(server.address, "susan", "susan-password")?;
    let mut miguel = Api::sign_in(server.address, "miguel", "miguel-password")?;
    susan.get("/api/me")?;
    let hash = "(SELECT password FROM \"user\" WHERE username = 'miguel')";
    let set = format!("UPDATE \"user\" SET password = {hash} WHERE username = 'susan'");
    place.sql(cluster, &set)?;
    susan.expect(401, Request::new("GET", "/api/me"))?;
    miguel.get("/api/me")?;
    let mut susan = Api::sign_in(server.address, "susan", "miguel-password")?;
    if uses(&mut susan)?.len() != 1 {
        return Err("tokens of the password before are told".to_owned());
    }
    server.stop().map(drop)
}

/// `rest-gen token …` of susan on a place: what it prints, where it ends with this code.
fn told(place: &Place, what: &str, more: &[&str], code: i32) -> Result<String, String> {
    let (schema, database) = (place.schema.display().to_string(), place.location());
    let mut command = rest_gen(&["token", what, &schema, "susan", "--database", &database])?;
    let output = command.args(more).output().map_err(|e| e.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if output.status.code() == Some(code) && !err.contains("panicked") {
        Ok(out + &err)
    } else {
        Err(format!("{what} {more:?}: {:?}\n{out}{err}", output.status.code()))
    }
}

fn operated(place: &Place, _: Option<&Cluster>) -> Result<(), String> {
    let server = place.serve()?;
    let me = |token: &str, status| {
        let request = Request::new("GET", "/api/me").bearer(token);
        Api::new(server.address).expect(status, request)
    };
    let made = told(
        place,
        "create",
        &["--name", "for the shop", "--lifetime", "15m"],
        0,
    )?;
    let (first, second) = (made.trim().to_owned(), told(place, "create", &[], 0)?);
    for token in [&first, second.trim()] {
        me(token, 200)?;
    }
    let scopes = ["--scope", "posts:read", "--scope", "users:read"];
    let reader = told(place, "create", &scopes, 0)?;
    let request = Request::new("POST", "/api/posts").bearer(reader.trim());
    Api::new(server.address).expect(403, request.json(r#"{"title": "No"}"#))?;
    let list = told(place, "list", &[], 0)?;
    if !list.contains("posts:read users:read") {
        return Err(list);
    }
    let line = list.lines().find(|line| line.ends_with("for the shop"));
    let id = line.and_then(|line| line.split(' ').next()).ok_or(&list)?;
    if list.lines().count() != 4 || list.contains(&first) {
        return Err(list);
    }
    told(place, "revoke", &["--id", id], 0)?;
    me(&first, 401)?;
    me(second.trim(), 200)?;
    for (what, more, code, word) in [
        ("revoke", vec!["--id", id], 1, "has no token"),
        ("revoke", vec![], 2, "--all"),
        ("revoke", vec!["--id", id, "--all"], 2, "cannot be used with"),
        ("create", vec!["--lifetime", "9999d"], 1, "seconds at most"),
        ("create", vec!["--lifetime", "soon"], 2, "90d"),
        ("create", vec!["--scope", "post:read"], 1, "posts:read"),
    ] {
        let said = told(place, what, &more, code)?;
        if !said.contains(word) {
            return Err(said);
        }
    }
    told(place, "revoke", &["--all"], 0)?;
    me(second.trim(), 401)?;
    server.stop().map(drop)
}
