//! What a review asks: who may do what, and what becomes of a request.

use std::process::Output;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::case::SchemaSource;
use crate::support::server::{Place, package, rest_gen};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("review::access_for_people_and_for_programs", access),
        trial("review::check_warns_of_what_is_open", open),
        trial("review::explain_without_a_database", explain_alone),
        trial("review::explain_as_somebody", explain_as),
        trial("review::explain_does_no_write", explain_write),
        trial("review::explain_says_how_a_request_is_written", explain_what),
    ]
}

/// What was printed by a run that ended so.
fn printed(output: &Output, code: i32) -> Result<(String, String), String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if output.status.code() == Some(code) {
        Ok((out, err))
    } else {
        Err(format!("{:?}\n{out}{err}", output.status.code()))
    }
}

fn run(arguments: &[&str], code: i32) -> Result<(String, String), String> {
    let mut command = rest_gen(arguments)?;
    command.env_remove("REST_DATABASE");
    printed(&command.output().map_err(|e| e.to_string())?, code)
}

fn schema(name: &str) -> String {
    package()
        .join(format!("schemas/{name}.yaml"))
        .display()
        .to_string()
}

/// All of these lines stand in it, whatever the space between their words.
fn has(text: &str, lines: &[&str]) -> Result<(), String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let all: Vec<String> = text.lines().map(words).collect();
    match lines
        .iter()
        .find(|line| !all.iter().any(|one| one.contains(**line)))
    {
        None => Ok(()),
        Some(missing) => Err(format!("`{missing}` isn't in\n{text}")),
    }
}

fn access() -> Result<(), String> {
    let (text, told) = run(&["access", &schema("gate")], 0)?;
    has(
        &text,
        &[
            "resource operation nobody account admin scopes of a token rule",
            "House read no some some houses:read id = me.house_id",
            "create no some some papers:write publish house_id = me.house_id and scope(publish)",
            "read note no all all people:read notes scope(notes)",
        ],
    )?;
    has(&told, &["warning: Person.house_id: rules ask `me.house_id`"])?;
    let (markdown, _) = run(&["access", &schema("bin"), "--format", "markdown"], 0)?;
    has(
        &markdown,
        &[
            "# Who may do what in bin",
            "## Folder",
            "| restore | no | some | all | folders:write | `owner_id = me.id or me.is_admin` |",
        ],
    )?;
    let (json, _) = run(&["access", &schema("shapes"), "--format", "json"], 0)?;
    let json: Value = serde_json::from_str(&json).map_err(|e| e.to_string())?;
    let first = &json["rules"][0];
    let is_so = first["resource"] == "Product"
        && first["operation"] == "read"
        && first["grants"]["nobody"] == "all"
        && first["grants"]["account"].is_null()
        && json["open"].as_array().is_some_and(|open| !open.is_empty());
    if is_so { Ok(()) } else { Err(json.to_string()) }
}

fn open() -> Result<(), String> {
    let (_, told) = run(&["check", &schema("shapes")], 0)?;
    has(
        &told,
        &["warning: Product: `public`: anybody may create a Product, without signing in"],
    )?;
    let (json, _) = run(&["check", &schema("shapes"), "--format", "json"], 0)?;
    let json: Value = serde_json::from_str(&json).map_err(|e| e.to_string())?;
    let codes = json.as_array().into_iter().flatten();
    if codes.filter(|finding| finding["code"] == "open").count() >= 3 {
        Ok(())
    } else {
        Err(json.to_string())
    }
}

fn explain_alone() -> Result<(), String> {
    let blog = schema("blog");
    let (text, _) = run(&["explain", &blog, "GET /api/posts?sort=-score&limit=2"], 0)?;
    has(
        &text,
        &[
            "rule read Post: status = 'published' or author_id = me.id",
            "grants the rows for which it is true",
            "resource: Post",
            "sql SELECT t0.\"id\"",
            "?1 = 'published' (the schema's)",
            "?2 = 3 (rows wanted, and one more)",
            "answer 200, on empty tables",
        ],
    )?;
    for (request, answer) in [
        ("/api/notices", "answer 401,"),
        ("/api/nothing", "answer 404,"),
        ("DELETE /api/messages/1", "answer 405,"),
        ("/api/posts?colour=red", "answer 400,"),
        (
            "QUERY /api/posts {\"filter\": {\"score\": {\"gte\": 3}}}",
            "?1 = 3 (asked)",
        ),
    ] {
        let (text, _) = run(&["explain", &blog, request], 0)?;
        has(&text, &[answer])?;
    }
    let (_, told) = run(&["explain", &blog, "/api/posts", "--as", "susan"], 2)?;
    has(&told, &["--database"])?;
    let (_, told) = run(&["explain", &blog, "what is this"], 2)?;
    has(&told, &["what is this"])
}

/// `rest-gen explain` on a place.
fn explained(place: &Place, request: &str, who: &str, code: i32) -> Result<(String, String), String> {
    let (schema, database) = (place.schema.display().to_string(), place.location());
    run(
        &["explain", &schema, request, "--as", who, "--database", &database],
        code,
    )
}

fn explain_as() -> Result<(), String> {
    Place::on_both(&SchemaSource::Named("gate".to_owned()), |place, _| {
        let request = "GET /api/papers?include=remarks&count=exact";
        let (text, _) = explained(&place, request, "ada", 0)?;
        has(
            &text,
            &[
                "rule read Paper: house_id = me.house_id and (is_public or author_id = me.id or me in readers)",
                "= 1 (me.house_id)",
                "= 1 (me.id)",
                "= the keys of the level above",
                "answer 200",
            ],
        )?;
        let (_, told) = explained(&place, request, "nora", 2)?;
        has(&told, &["no active account is called nora"])
    })
}

fn explain_write() -> Result<(), String> {
    Place::on_both(&SchemaSource::Named("gate".to_owned()), |place, cluster| {
        let count = "SELECT count(*) || '' FROM paper";
        let before = place.sql(cluster, count)?;
        for request in ["DELETE /api/papers/1", "DELETE /api/papers?id=1&max_affected=9"] {
            let (text, _) = explained(&place, request, "ada", 0)?;
            has(
                &text,
                &[
                    "rule delete Paper: house_id = me.house_id and author_id = me.id and scope(publish)",
                    "a write is not carried out here",
                ],
            )?;
        }
        let (text, _) = explained(&place, "PUT /api/papers/1/readers/2", "ada", 0)?;
        has(&text, &["rule link readers Paper: house_id = me.house_id and"])?;
        if place.sql(cluster, count)? == before {
            Ok(())
        } else {
            Err("explaining changed something".to_owned())
        }
    })
}

fn explain_what() -> Result<(), String> {
    for request in ["papers", "GET papers", "", "GET", "http://localhost/api/papers"] {
        let (_, told) = run(&["explain", &schema("gate"), request], 2)?;
        has(
            &told,
            &["is no request: write a method and an address, as 'GET /api/houses'"],
        )?;
    }
    Ok(())
}
