//! Tests of the runner: that it accepts what it should, and above all that it refuses what it should.

use std::path::Path;

use libtest_mimic::Trial;

use super::case::{self, Case};
use super::contract::Contract;
use super::fake::{self, Asked};
use super::http::{Answer, Request};
use super::json::Json;
use super::matching::{Bindings, json};
use super::run;
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("support::patterns_fit_what_they_should", patterns_fit),
        trial("support::patterns_refuse_what_they_should", patterns_refuse),
        trial("support::answers_are_strict_json", strict),
        trial("support::names_are_bound_and_filled", names),
        trial("support::a_page_is_read", page),
        trial("support::a_page_that_makes_no_sense_is_refused", bad_pages),
        trial("support::a_case_is_played", played),
        trial("support::a_wrong_answer_fails_with_its_line", wrong_answers),
        trial("support::every_problem_keeps_the_form", problem_form),
        trial("support::what_the_document_does_not_say_is_found", contract),
    ]
}

fn differences(pattern: &str, got: &str) -> Result<Vec<String>, String> {
    Ok(json(
        &Json::pattern(pattern)?,
        &Json::parse(got)?,
        &mut Bindings::default(),
    ))
}

fn patterns_fit() -> Result<(), String> {
    for (pattern, got) in [
        (r#"{"a": 1, "b": [true, null]}"#, r#"{"b":[true,null],"a":1}"#),
        (r#"{"a": 1, …}"#, r#"{"a": 1, "b": 2}"#),
        (r#"[1, …]"#, "[1]"),
        (r#"[1, …, 4]"#, "[1, 2, 3, 4]"),
        (r#"["a…z", …]"#, r#"["abcz", 3]"#),
        (r#"{"a": <x>, "b": <x>}"#, r#"{"a": 7, "b": 7}"#),
        (
            r#"{"a": "/api/<key>", "b": "<key>"}"#,
            r#"{"a": "/api/7", "b": "7"}"#,
        ),
        (
            r#"{"errors": [{"x": 1}, {"x": 2}]}"#,
            r#"{"errors": [{"x": 2}, {"x": 1}]}"#,
        ),
        (r#"{"n": 9007199254740993}"#, r#"{"n": 9007199254740993}"#),
        ("…", "[[]]"),
    ] {
        let found = differences(pattern, got)?;
        if !found.is_empty() {
            return Err(format!("{pattern} against {got}: {found:?}"));
        }
    }
    Ok(())
}

fn patterns_refuse() -> Result<(), String> {
    for (pattern, got) in [
        (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#),
        (r#"{"a": 1, …}"#, r#"{"b": 2}"#),
        (r#"[1, …, 4]"#, "[1, 2]"),
        ("[1, 2]", "[2, 1]"),
        ("[1]", "[1, 2]"),
        (r#"{"a": <x>, "b": <x>}"#, r#"{"a": 7, "b": 8}"#),
        (r#"{"errors": [{"x": 1}]}"#, r#"{"errors": [{"x": 1}, {"x": 2}]}"#),
        (r#"{"n": 1.0}"#, r#"{"n": 1}"#),
        (r#"{"n": 9007199254740993}"#, r#"{"n": 9007199254740992}"#),
        (r#""a…z""#, r#""abc""#),
        (r#""1""#, "1"),
        ("<x>", "null"),
        ("null", "false"),
    ] {
        if differences(pattern, got)?.is_empty() {
            return Err(format!("{pattern} must not fit {got}"));
        }
    }
    Ok(())
}

fn strict() -> Result<(), String> {
    for text in [
        "",
        "{",
        r#"{"a": 1, "a": 2}"#,
        "[1,]",
        "01",
        "…",
        "<x>",
        "{'a': 1}",
        "[1] 2",
        r#""\x""#,
        "\"a\nb\"",
        "NaN",
    ] {
        if Json::parse(text).is_ok() {
            return Err(format!("`{text}` must not be read"));
        }
    }
    for text in [
        "[1, -2.5e10, \"\\u00e9\\\"\", {}, []]",
        " null ",
        "\"\\ud83d\\ude00\"",
    ] {
        Json::parse(text)?;
    }
    Ok(())
}

fn names() -> Result<(), String> {
    let mut bindings = Bindings::default();
    json(
        &Json::pattern(r#"{"next": <cursor>, "id": <id>}"#)?,
        &Json::parse(r#"{"next": "abc", "id": 7}"#)?,
        &mut bindings,
    );
    let filled = bindings.fill("/a/<id>?cursor=<cursor>&x=<x*3>&y=<unknown>&z=<");
    if filled != "/a/7?cursor=abc&x=xxx&y=<unknown>&z=<" {
        return Err(filled);
    }
    Ok(())
}

const PAGE: &str = r#"A page with prose.

    schema: blog    as: susan
    > POST /api/posts {"title": "one"}
    > Accept: application/json
    < 201 {"id": <id>, …}
    < Location: /api/posts/<id>
    < no Link
And more prose.

    as: nobody
    > GET /api/posts/<id>
    < 404
    {"code": "not-found", …}
"#;

fn parsed(text: &str) -> Result<Case, String> {
    case::parse("topic/rule", Path::new("rule.md"), text)
}

fn page() -> Result<(), String> {
    let case = parsed(PAGE)?;
    match case.steps.as_slice() {
        [
            case::Step::Caller(Some(susan)),
            case::Step::Exchange(first),
            case::Step::Caller(None),
            case::Step::Exchange(second),
        ] if susan == "susan"
            && first.body.as_deref() == Some(r#"{"title": "one"}"#)
            && first.headers.len() == 1
            && first.expected_headers.len() == 2
            && second.line == 12
            && second.expected_body.is_some() =>
        {
            Ok(())
        }
        other => Err(format!("{other:?}")),
    }
}

fn bad_pages() -> Result<(), String> {
    for text in [
        "only prose",
        "    > GET /a\n    < 200",
        "    schema: blog\n    > GET /a",
        "    schema: blog\n    < 200",
        "    schema: blog\n    > GET /a\n    < fine",
        "    schema: blog\n    > GET /a\n    < 200 {\"a\": }",
        "    schema: blog    who: susan",
        "    schema: blog\n    > GET",
        "    schema: blog\n    > GET /a\n    < 200\n    < what",
    ] {
        if parsed(text).is_ok() {
            return Err(format!("must not be read:\n{text}"));
        }
    }
    Ok(())
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

const JSON_TYPE: &str = "Content-Type: application/json\r\n";
const NO_STORE: &str = "Cache-Control: no-store\r\n";

/// Answers as the page above expects.
fn right(asked: &Asked) -> String {
    let head = asked.head.join("\n");
    if head.starts_with("POST /api/tokens") {
        return reply("201", &format!("{JSON_TYPE}{NO_STORE}"), r#"{"token": "t1"}"#);
    }
    if head.starts_with("POST /api/posts") {
        let told = head.contains("Authorization: Bearer t1")
            && head.contains("Accept: application/json")
            && asked.body == br#"{"title": "one"}"#;
        let id = if told { 7 } else { 0 };
        return reply(
            "201",
            &format!("{JSON_TYPE}{NO_STORE}Location: /api/posts/7\r\n"),
            &format!(r#"{{"id": {id}, "title": "one"}}"#),
        );
    }
    let known = head.starts_with("GET /api/posts/7 ") && !head.contains("Authorization");
    let body = format!(
        r#"{{"type": "/api/problems/not-found", "code": "{}", "title": "t", "detail": "d", "status": 404, "instance": "urn:uuid:1"}}"#,
        if known { "not-found" } else { "other" }
    );
    reply(
        "404",
        &format!("Content-Type: application/problem+json\r\n{NO_STORE}"),
        &body,
    )
}

fn played() -> Result<(), String> {
    run::run(&parsed(PAGE)?, fake::start(right)?, None)
}

fn wrong_answers() -> Result<(), String> {
    for (from, to, line) in [
        ("201 {", "200 {", "rule.md:4"),
        (
            "/api/posts/<id>\n    < no",
            "/api/post/<id>\n    < no",
            "rule.md:4",
        ),
        ("no Link", "no Location", "rule.md:4"),
        ("\"not-found\"", "\"gone\"", "rule.md:12"),
        ("    < 404", "    < 403", "rule.md:12"),
    ] {
        let page = PAGE.replacen(from, to, 1);
        match run::run(&parsed(&page)?, fake::start(right)?, None) {
            Err(message) if message.starts_with(line) => {}
            other => return Err(format!("`{to}` must fail at {line}, got {other:?}")),
        }
    }
    Ok(())
}

fn problem_form() -> Result<(), String> {
    let answer = |media: &str, body: &str| Answer {
        status: 404,
        headers: vec![
            ("content-type".to_owned(), media.to_owned()),
            ("cache-control".to_owned(), "no-store".to_owned()),
        ],
        body: body.as_bytes().to_vec(),
    };
    let right = r#"{"type": "/api/problems/a", "code": "a", "title": "t", "detail": "d", "status": 404, "instance": "urn:uuid:1"}"#;
    let problem = "application/problem+json";
    let get = Request::new("GET", "/");
    let broken = run::rules_for_all(&get, &answer(problem, right));
    if !broken.is_empty() {
        return Err(format!("{broken:?}"));
    }
    let wrong = [
        answer("application/json", right),
        answer(problem, &right.replace("404", "400")),
        answer(problem, &right.replace("problems/a", "problems/b")),
        answer(problem, &right.replace("\"d\"", "\"\"")),
        answer(problem, &right.replace("urn:uuid:1", "1")),
        answer(problem, "not found"),
    ];
    match wrong
        .iter()
        .find(|answer| run::rules_for_all(&get, answer).is_empty())
    {
        Some(accepted) => Err(format!("must be refused: {}", accepted.text())),
        None => Ok(()),
    }
}

fn contract() -> Result<(), String> {
    let text = serde_json::json!({ "type": "string" });
    let item = serde_json::json!({ "type": "object", "properties": { "a": text }, "required": ["a"], "additionalProperties": false });
    let contract = Contract::new(serde_json::json!({
        "paths": { "/api/notes/{id}": { "get": { "responses": { "200": { "$ref": "#/components/responses/Note" } } } } },
        "components": {
            "schemas": { "Note": item },
            "responses": { "Note": {
                "headers": { "ETag": {} },
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Note" } } },
            } },
        },
    }))?;
    let answer = |status: u16, header: &str, body: &str| Answer {
        status,
        headers: vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            (header.to_owned(), "x".to_owned()),
        ],
        body: body.as_bytes().to_vec(),
    };
    let right = answer(200, "etag", r#"{"a": "x"}"#);
    for (method, target, answer, told) in [
        ("GET", "/api/notes/1?x=1", right.clone(), None),
        (
            "GET",
            "/api/notes",
            right.clone(),
            Some("of which the document says nothing"),
        ),
        (
            "PUT",
            "/api/notes/1",
            right,
            Some("which the document doesn't have"),
        ),
        (
            "GET",
            "/api/notes/1",
            answer(204, "etag", ""),
            Some("doesn't foresee"),
        ),
        (
            "GET",
            "/api/notes/1",
            answer(200, "allow", r#"{"a": "x"}"#),
            Some("allow isn't foreseen"),
        ),
        (
            "GET",
            "/api/notes/1",
            answer(200, "etag", r#"{"a": 1}"#),
            Some("is not of type"),
        ),
        (
            "GET",
            "/api/notes/1",
            answer(200, "etag", r#"{"a": "", "b": 1}"#),
            Some("Additional properties"),
        ),
        (
            "GET",
            "/api/notes/1",
            answer(200, "etag", "{}"),
            Some("required property"),
        ),
    ] {
        let broken = contract.broken(&Request::new(method, target), &answer);
        let right = match told {
            None => broken.is_empty(),
            Some(told) => broken.iter().any(|one| one.contains(told)),
        };
        if !right {
            return Err(format!(
                "{method} {target} {}: {told:?} was expected, told is {broken:?}",
                answer.status
            ));
        }
    }
    Ok(())
}
