//! What programs that know nothing of this one make of the OpenAPI document and of answers: linters, and generators of
//! clients.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use crate::readme;
use crate::support::http::{Client, Request};
use crate::support::run::{sign_in, sign_in_with};
use crate::support::server::{Place, Server, package, rest_gen};
use crate::support::tools::{node, python, run};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("judges::redocly_finds_no_error_in_any_document", linted),
        trial("judges::spectral_finds_no_error_by_owasp_s_rules", guarded),
        trial("judges::a_client_in_typescript", typescript),
        trial("judges::a_client_in_python", in_python),
        trial(
            "judges::schemathesis_finds_nothing_where_all_types_are",
            every_type,
        ),
        trial(
            "judges::schemathesis_finds_nothing_in_what_nobody_asks",
            as_nobody,
        ),
        trial("judges::schemathesis_finds_nothing_in_what_susan_asks", as_susan),
        trial(
            "judges::schemathesis_finds_nothing_in_what_nobody_asks_the_microblog",
            microblog_as_nobody,
        ),
        trial(
            "judges::schemathesis_finds_nothing_in_what_susan_asks_the_microblog",
            microblog_as_susan,
        ),
        trial("judges::redbot_finds_nothing_bad_in_any_answer", answers),
        trial(
            "judges::sqlmap_finds_nothing_in_any_parameter_of_the_microblog",
            injected,
        ),
    ]
}

fn file(name: &str) -> PathBuf {
    package().join("judges").join(name)
}

/// The schemas that are tested.
fn tested() -> Result<Vec<PathBuf>, String> {
    let folder = std::fs::read_dir(package().join("schemas")).map_err(|e| e.to_string())?;
    let files = folder.filter_map(|entry| Some(entry.ok()?.path()));
    let schemas = files.filter(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".yaml") && !name.ends_with(".seed.yaml")
    });
    Ok(schemas.collect())
}

fn examples() -> [PathBuf; 3] {
    ["notes", "microblog", "shop"].map(|name| package().join(format!("../examples/{name}/rest.yaml")))
}

/// Writes documents of schemas to files in a folder.
fn documents(schemas: &[PathBuf], versions: &[&str], folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut documents = Vec::new();
    for (number, schema) in schemas.iter().enumerate() {
        for version in versions {
            let schema = schema.display().to_string();
            let told = run(&mut rest_gen(&["openapi", &schema, "--version", version])?)?;
            let document = folder.join(format!("{number}-{version}.json"));
            std::fs::write(&document, told.stdout).map_err(|e| e.to_string())?;
            documents.push(document);
        }
    }
    Ok(documents)
}

fn linted() -> Result<(), String> {
    let schemas = [tested()?, examples().to_vec()].concat();
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let tools = node(&file("package.json"))?;
    run(Command::new(tools.join("node_modules/.bin/redocly"))
        .args(["lint", "--format=summary"])
        .arg("--config")
        .arg(file("redocly.yaml"))
        .args(documents(&schemas, &["3.1", "3.2"], folder.path())?)
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .current_dir(folder.path()))?;
    Ok(())
}

/// By all rules where a schema says all that they ask, by the others elsewhere. It knows OpenAPI up to 3.1. Of the examples
/// one is too large for it, and one has tables of another program, whose texts have no limits to tell.
fn guarded() -> Result<(), String> {
    let tools = node(&file("package.json"))?;
    // Beside what is installed, where rules are looked for.
    let folder = TempDir::new_in(&tools).map_err(|e| e.to_string())?;
    for (rules, schemas) in [
        ("spectral.yaml", vec![file("strict.yaml")]),
        ("spectral-usual.yaml", tested()?),
    ] {
        std::fs::copy(file(rules), folder.path().join(rules)).map_err(|e| e.to_string())?;
        run(Command::new(tools.join("node_modules/.bin/spectral"))
            .args([
                "lint",
                "--fail-severity=error",
                "--display-only-failures",
                "--quiet",
            ])
            .args(["--ruleset", rules])
            .args(documents(&schemas, &["3.1"], folder.path())?)
            .current_dir(folder.path()))?;
    }
    Ok(())
}

/// How answers keep to HTTP: validators, ranges, caching, negotiation.
fn answers() -> Result<(), String> {
    let python = python(&file("requirements.txt"))?;
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let targets = [
        "/api/posts/1",
        "/api/posts?limit=2",
        "/api/posts?aggregate=count",
        "/api/posts/1/tags",
        "/api/posts/4711",
        "/api/openapi.json",
        "/api/docs",
        "/api/problems/invalid",
    ];
    for target in targets {
        let told = run(Command::new(python.with_file_name("redbot"))
            .args(["-o", "har"])
            .arg(format!("http://{}{target}", server.address)))?;
        let told: Value = serde_json::from_slice(&told.stdout).map_err(|e| format!("{target}: {e}"))?;
        let entries = told["log"]["entries"].as_array();
        let notes: Vec<&Value> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry["_red_messages"].as_array())
            .flatten()
            .collect();
        let of_level = |level: &str| notes.iter().filter(|note| note["level"] == level).count();
        if of_level("GOOD") == 0 || of_level("BAD") > 0 {
            return Err(format!("{target}: {notes:#?}"));
        }
    }
    Ok(())
}

fn every_type() -> Result<(), String> {
    let place = Place::named("types")?;
    let server = place.serve()?;
    fuzzed(&server, None)
}

fn as_nobody() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    fuzzed(&server, None)
}

fn as_susan() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let token = sign_in(server.address, "susan")?;
    fuzzed(&server, Some(&token))
}

fn microblog_as_nobody() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let server = Server::start(&readme::microblog(folder.path())?)?;
    fuzzed(&server, None)
}

fn microblog_as_susan() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let server = Server::start(&readme::microblog(folder.path())?)?;
    let token = sign_in_with(server.address, "susan", "correct-horse")?;
    fuzzed(&server, Some(&token))
}

/// Requests that schemathesis makes of the document, good and bad: drawn, in the order of its links, and (its phase
/// `coverage`) each value of each part that the document sets apart. What is looked for in their answers, and what is left
/// out of the document for the last, is in `judges/fuzzed`.
fn fuzzed(server: &Server, token: Option<&str>) -> Result<(), String> {
    let rules = file("fuzzed");
    let python = python(&rules.join("requirements.txt"))?;
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    for name in ["schemathesis.toml", "hooks.py", "coverage.py"] {
        std::fs::copy(rules.join(name), folder.path().join(name)).map_err(|e| e.to_string())?;
    }
    for (hooks, phases) in [("hooks", "examples,fuzzing,stateful"), ("coverage", "coverage")] {
        let mut command = Command::new(python.with_file_name("st"));
        command
            .arg("run")
            .arg(format!("http://{}/api/openapi.json?version=3.2", server.address))
            .args(["--phases", phases])
            .args(["--max-examples", "5", "--seed", "1", "--no-shrink"])
            .args(["--suppress-health-check", "all", "--warnings", "off"])
            .env("SCHEMATHESIS_HOOKS", hooks)
            .env("PYTHONPATH", folder.path())
            .current_dir(folder.path());
        if let Some(token) = token {
            command
                .args(["-H", &format!("Authorization: Bearer {token}")])
                // It would be the end of the token.
                .args(["--exclude-operation-id", "deleteTokens"])
                .args(["--exclude-operation-id", "deleteToken"])
                .args(["--exclude-operation-id", "deleteCurrentToken"])
                // The header is put back where it was left out.
                .args(["--exclude-checks", "missing_required_header"]);
        }
        run(&mut command).map_err(|e| format!("{phases}: {e}"))?;
    }
    Ok(())
}

/// Statements that sqlmap would have the database run, by every parameter and by bodies, as somebody who is signed in.
fn injected() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let server = Server::start(&readme::microblog(folder.path())?)?;
    let token = sign_in_with(server.address, "susan", "correct-horse")?;
    let python = python(&file("injected/requirements.txt"))?;
    run(Command::new(&python)
        .arg(file("injected/targets.py"))
        .arg(format!("http://{}", server.address))
        .arg(folder.path()))?;
    let headers = format!("Authorization: Bearer {token}\nContent-Type: application/json");
    let sqlmap = |asked: &[&str], results: &str| {
        let told = run(Command::new(python.with_file_name("sqlmap"))
            .args(["--batch", "--smart", "--disable-coloring"])
            .args(["--headers", &headers])
            .arg("--output-dir")
            .arg(folder.path().join(results))
            .args(asked))?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let is_found = told.contains("injection point") || told.contains("is vulnerable");
        if is_found || !told.contains("testing connection to the target URL") {
            return Err(told);
        }
        Ok(())
    };
    let urls = folder.path().join("urls.txt").display().to_string();
    sqlmap(&["-m", &urls], "urls")?;
    let bodies = std::fs::read_to_string(folder.path().join("bodies.txt")).map_err(|e| e.to_string())?;
    for (place, line) in bodies.lines().enumerate() {
        let (url, body) = line.split_once(' ').ok_or("a body without an address")?;
        sqlmap(&["-u", url, "--data", body], &format!("body-{place}"))?;
    }
    Ok(())
}

/// The blog, served, and its document in a file.
fn blog(folder: &Path) -> Result<(Server, PathBuf, Place), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let answer = Client::new(server.address).send(&Request::new("GET", "/api/openapi.json"))?;
    let file = folder.join("blog.json");
    std::fs::write(&file, answer.body).map_err(|e| e.to_string())?;
    Ok((server, file, place))
}

/// openapi-typescript makes the types, `tsc` is strict about them, openapi-fetch asks.
fn typescript() -> Result<(), String> {
    let tools = node(&file("package.json"))?;
    // Beside what is installed, where Node looks for it.
    let folder = TempDir::new_in(&tools).map_err(|e| e.to_string())?;
    let (server, document, _place) = blog(folder.path())?;
    for name in ["client.ts", "tsconfig.json", "package.json"] {
        std::fs::copy(file(name), folder.path().join(name)).map_err(|e| e.to_string())?;
    }
    let bin = tools.join("node_modules/.bin");
    run(Command::new(bin.join("openapi-typescript"))
        .arg(&document)
        .args(["-o", "blog.d.ts"])
        .current_dir(folder.path()))?;
    run(Command::new(bin.join("tsc"))
        .args(["-p", "."])
        .current_dir(folder.path()))?;
    let told = run(Command::new("node")
        .args(["client.js", &format!("http://{}", server.address)])
        .current_dir(folder.path()))?;
    is_done(&told.stdout)
}

/// openapi-python-client makes a package, and a program uses it.
fn in_python() -> Result<(), String> {
    let python = python(&file("requirements.txt"))?;
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let (server, document, _place) = blog(folder.path())?;
    run(Command::new(python.with_file_name("openapi-python-client"))
        .args(["generate", "--meta=none", "--output-path=blog", "--path"])
        .arg(&document)
        .arg("--config")
        .arg(file("python-client.yaml"))
        // What it formats with stands beside it.
        .env("PATH", path_with(&python)?)
        .current_dir(folder.path()))?;
    let told = run(Command::new(&python)
        .arg(file("client.py"))
        .arg(format!("http://{}", server.address))
        .env("PYTHONPATH", folder.path())
        .current_dir(folder.path()))?;
    is_done(&told.stdout)
}

fn path_with(python: &Path) -> Result<std::ffi::OsString, String> {
    let own = python.parent().map(Path::to_path_buf);
    let others = std::env::var_os("PATH").unwrap_or_default();
    let all = own.into_iter().chain(std::env::split_paths(&others));
    std::env::join_paths(all).map_err(|e| e.to_string())
}

fn is_done(said: &[u8]) -> Result<(), String> {
    let said = String::from_utf8_lossy(said);
    if said.trim_end().ends_with("done") {
        Ok(())
    } else {
        Err(format!("it ended early, and said: {said}"))
    }
}
