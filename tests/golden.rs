//! What `rest-gen new` writes: the projects that stand in this repository, and READMEs whose requests work.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::readme;
use crate::support::server::{Server, output, package, program};

/// Where the README's requests go.
const ADDRESS: &str = "http://127.0.0.1:8000";

/// How the projects in this repository are made anew, each after its folder was removed; `own.rs` is nobody's to make.
const ANEW: &str = "rest-gen new examples/notes --runtime runtime\n\
    rest-gen new examples/microblog/service --schema examples/microblog/rest.yaml --runtime runtime\n\
    rest-gen new examples/tracker --schema examples/tracker/rest.yaml --runtime runtime\n\
    git restore examples/notes/tests/own.rs";

/// The schemas whose READMEs are tried; `None` is the one to start with.
const SCHEMAS: [Option<&str>; 8] = [
    None,
    Some("tests/schemas/blog.yaml"),
    Some("tests/schemas/keys.yaml"),
    Some("tests/schemas/many.yaml"),
    Some("tests/schemas/rules.yaml"),
    Some("tests/schemas/shapes.yaml"),
    Some("tests/schemas/types.yaml"),
    Some("examples/shop/rest.yaml"),
];

/// One for the golden, and one for each README.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("golden::notes_are_as_they_would_be_made_today", || {
            made_today("examples/notes").map_err(Into::into)
        }),
        Trial::test("golden::the_tracker_is_as_it_would_be_made_today", || {
            made_today("examples/tracker").map_err(Into::into)
        }),
        Trial::test("golden::the_microblog_is_as_it_would_be_made_today", || {
            microblog().map_err(Into::into)
        }),
    ];
    trials.push(Trial::test(
        "golden::the_readme_of_the_microblog_has_requests_that_work",
        || beside_flask().map_err(Into::into),
    ));
    trials.push(Trial::test(
        "golden::the_readme_of_a_closed_schema_says_so",
        || closed().map_err(Into::into),
    ));
    trials.extend(SCHEMAS.map(|schema| {
        let path = schema.unwrap_or("starter.yaml").trim_end_matches("/rest.yaml");
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml");
        let name = format!("golden::the_readme_of_{name}_has_requests_that_work");
        Trial::test(name, move || {
            let schema = schema.map(|path| package().join("..").join(path));
            requests(schema.as_deref()).map(drop).map_err(Into::into)
        })
    }));
    trials
}

fn microblog() -> Result<(), String> {
    let example = package().join("../examples/microblog");
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    if read(&example.join("rest.yaml"))? != read(&example.join("service/rest.yaml"))? {
        return Err(format!("the project has another schema\n{ANEW}"));
    }
    made_today("examples/microblog/service")
}

/// Both what is generated and what is its owner's.
fn made_today(project: &str) -> Result<(), String> {
    let project = package().join("..").join(project).display().to_string();
    let told = output(&["generate", &project, "--diff"])?;
    match told.status.success() && told.stdout.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{}\n{}\n{ANEW}",
            String::from_utf8_lossy(&told.stdout),
            String::from_utf8_lossy(&told.stderr)
        )),
    }
}

/// The microblog's own, on the database that its Flask app makes.
fn beside_flask() -> Result<(), String> {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let readme = package().join("../examples/microblog/service/README.md");
    let readme = fs::read_to_string(readme).map_err(|error| error.to_string())?;
    let server = Server::start(&readme::microblog(folder.path())?)?;
    run(&readme, &server.address.to_string(), folder.path())
}

fn closed() -> Result<(), String> {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let schema = folder.path().join("closed.yaml");
    let text = "service: closed\nmanaged: true\nresources: { Note: { fields: { title: string } } }\n";
    fs::write(&schema, text).map_err(|error| error.to_string())?;
    let readme = requests(Some(&schema))?;
    match readme.contains("Nothing is open to everyone") {
        true => Ok(()),
        false => Err(readme),
    }
}

/// Makes a project, serves its schema, and asks what its README asks; gives the README.
fn requests(schema: Option<&Path>) -> Result<String, String> {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let root = folder.path().join("project");
    let mut arguments = vec!["new".to_owned(), root.display().to_string()];
    if let Some(schema) = schema {
        arguments.extend(["--schema".to_owned(), schema.display().to_string()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let made = output(&arguments)?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned());
    }
    let readme = fs::read_to_string(root.join("README.md")).map_err(|error| error.to_string())?;
    let database = database(&readme).ok_or("the README names no database")?;
    let server = Server::start(&[
        "serve",
        &root.join("rest.yaml").display().to_string(),
        "--database",
        &root.join(database).display().to_string(),
        "--listen",
        "127.0.0.1:0",
    ])?;
    run(&readme, &server.address.to_string(), &root)?;
    Ok(readme)
}

/// The requests.
fn block(readme: &str) -> Option<&str> {
    let (_, after) = readme.split_once("## Ask it\n")?;
    after.split_once("```sh\n")?.1.split("```").next()
}

/// The file that `cargo run` keeps its data in.
fn database(readme: &str) -> Option<&str> {
    let (_, after) = readme.split_once("It keeps its data in `")?;
    after.split('`').next()
}

/// Runs them in one shell, in the project; the first that isn't answered with success ends it. What is looked for is
/// there.
fn run(readme: &str, address: &str, root: &Path) -> Result<(), String> {
    let script = block(readme).ok_or("the README asks nothing")?;
    let script = script.replace(ADDRESS, &format!("http://{address}"));
    let program = program()?;
    let folder = program
        .parent()
        .ok_or("rest-gen lies nowhere")?
        .display()
        .to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let curl = "curl() { command curl -sS --fail-with-body \"$@\"; }";
    let shell = Command::new("sh")
        .args(["-e", "-c", &format!("{curl}\n{script}")])
        .env("PATH", format!("{folder}:{path}"))
        .current_dir(root)
        .output()
        .map_err(|error| error.to_string())?;
    let (out, err) = (
        String::from_utf8_lossy(&shell.stdout),
        String::from_utf8_lossy(&shell.stderr),
    );
    if shell.status.success() && !out.contains("\"items\":[]") {
        return Ok(());
    }
    Err(format!("{script}\n{out}\n{err}"))
}
