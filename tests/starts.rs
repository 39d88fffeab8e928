//! What the program says when it can't start: one clear message, the right exit code, and nothing written.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::http::{Client, Request};
use crate::support::run::shown;
use crate::support::server::{Place, Server, program, rest_gen};
use crate::trial;

const NOTES: &str = "service: notes
managed: false
resources:
  Note:
    fields: { text: string }
    access: { read: public }
";

/// Faults of the input.
const FAULTS: i32 = 1;
/// It couldn't run.
const FAILED: i32 = 2;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "starts::an_option_goes_before_a_variable_before_the_file",
            precedence,
        ),
        trial("starts::broken_yaml", || {
            schema_fault("service: x\nresources: [a: {", &["rest.yaml:"])
        }),
        trial("starts::not_utf8", not_utf8),
        trial("starts::an_empty_schema", || schema_fault("", &["rest.yaml"])),
        trial("starts::unknown_key", || {
            schema_fault(
                &NOTES.replace("fields:", "feilds:"),
                &["feilds", "fields", "rest.yaml:5"],
            )
        }),
        trial("starts::a_word_not_yet_served", || {
            schema_fault(&format!("{NOTES}    display: text\n"), &["not-yet", "display"])
        }),
        trial("starts::a_rule_that_makes_no_sense", || {
            schema_fault(
                &NOTES.replace("read: public", "read: txet = 'a'"),
                &["txet", "text"],
            )
        }),
        trial("starts::all_faults_at_once", || {
            schema_fault(
                &NOTES.replace("text: string", "text: strin, other: { type: integer, length: 3 }"),
                &["strin", "length"],
            )
        }),
        trial("starts::an_alias_bomb", alias_bomb),
        trial("starts::fifty_megabytes_of_yaml", huge_yaml),
        trial("starts::deeply_nested_yaml", || {
            schema_fault(&format!("service: {}", "[".repeat(100_000)), &["rest.yaml"])
        }),
        trial("starts::no_schema_file", no_schema),
        trial("starts::no_database_where_it_is_not_ours", no_database),
        trial("starts::a_database_that_does_not_fit", does_not_fit),
        trial("starts::whose_tables_are_these", whose_tables),
        trial("starts::a_log_beside_another_programs_file", log_apart),
        trial("starts::not_a_database", not_a_database),
        trial("starts::a_folder_for_a_database", folder),
        trial("starts::a_locked_database", locked),
        trial("starts::a_read_only_file", read_only),
        trial("starts::a_port_in_use", port_in_use),
        trial("starts::many_at_once_make_the_tables_once", together),
        trial("starts::an_address_that_is_none", bad_address),
    ]
}

/// How a run of the program ended.
struct End {
    code: Option<i32>,
    told: String,
}

/// Runs `rest-gen` to its end; one that doesn't end is a failure.
fn run(mut command: Command) -> Result<End, String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("RUST_LOG")
        .env("NO_COLOR", "1");
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let reader = std::thread::spawn(move || {
        let mut told = String::new();
        let _ = err.as_mut().map(|err| err.read_to_string(&mut told));
        told
    });
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None if start.elapsed() > Duration::from_secs(60) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!(
                    "it runs where it should have refused to; it said\n{}",
                    reader.join().unwrap_or_default()
                ));
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let mut told = String::new();
    let _ = out.as_mut().map(|out| out.read_to_string(&mut told));
    told += &reader.join().unwrap_or_default();
    Ok(End {
        code: status.code(),
        told,
    })
}

fn serve(schema: &Path, database: &Path) -> Result<Command, String> {
    let mut command = Command::new(program()?);
    command
        .arg("serve")
        .arg(schema)
        .arg("--database")
        .arg(database)
        .args(["--listen", "127.0.0.1:0"]);
    Ok(command)
}

fn expect(end: &End, code: i32, words: &[&str]) -> Result<(), String> {
    let mut missing: Vec<_> = words.iter().filter(|word| !end.told.contains(**word)).collect();
    missing.dedup();
    if end.code != Some(code)
        || !missing.is_empty()
        || end.told.contains("panicked")
        || end.told.trim().is_empty()
    {
        return Err(format!(
            "expected exit code {code} and {words:?}, got {:?} and\n{}",
            end.code, end.told
        ));
    }
    Ok(())
}

/// A folder with a schema.
fn place(yaml: &[u8]) -> Result<TempDir, String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    std::fs::write(folder.path().join("rest.yaml"), yaml).map_err(|e| e.to_string())?;
    Ok(folder)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// `serve` and `check` refuse it alike, and write nothing.
fn schema_fault(yaml: &str, words: &[&str]) -> Result<(), String> {
    refused(yaml.as_bytes(), FAULTS, words)
}

fn refused(yaml: &[u8], code: i32, words: &[&str]) -> Result<(), String> {
    let folder = place(yaml)?;
    let schema = folder.path().join("rest.yaml");
    expect(
        &run(serve(&schema, &folder.path().join("data.db"))?)?,
        code,
        words,
    )?;
    let mut check = Command::new(program()?);
    check.arg("check").arg(&schema);
    expect(&run(check)?, code, words)?;
    nothing_written(folder.path(), &["rest.yaml"])
}

fn nothing_written(folder: &Path, before: &[&str]) -> Result<(), String> {
    let after = names(folder);
    if after == before {
        Ok(())
    } else {
        Err(format!("expected only {before:?} in the folder, found {after:?}"))
    }
}

fn not_utf8() -> Result<(), String> {
    refused(b"service: \xff\xfe", FAILED, &["rest.yaml", "UTF-8"])
}

fn alias_bomb() -> Result<(), String> {
    let mut yaml = "service: x\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let inner = vec![format!("*a{}", n - 1); 9].join(", ");
        yaml += &format!("a{n}: &a{n} [{inner}]\n");
    }
    schema_fault(&yaml, &["rest.yaml"])
}

fn huge_yaml() -> Result<(), String> {
    let mut yaml = NOTES.to_owned();
    while yaml.len() < 50 << 20 {
        yaml += &format!("# {}\n", "x".repeat(1 << 20));
    }
    schema_fault(&yaml, &["rest.yaml"])
}

fn no_schema() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let end = run(serve(
        &folder.path().join("rest.yaml"),
        &folder.path().join("data.db"),
    )?)?;
    expect(&end, FAILED, &["rest.yaml"])?;
    nothing_written(folder.path(), &[])
}

fn no_database() -> Result<(), String> {
    let folder = place(NOTES.as_bytes())?;
    let end = run(serve(
        &folder.path().join("rest.yaml"),
        &folder.path().join("data.db"),
    )?)?;
    expect(&end, FAILED, &["data.db"])?;
    nothing_written(folder.path(), &["rest.yaml"])
}

/// A folder with a schema and a database made by these statements.
fn with_tables(yaml: &str, sql: &str) -> Result<TempDir, String> {
    let folder = place(yaml.as_bytes())?;
    let database = rusqlite::Connection::open(folder.path().join("data.db")).map_err(|e| e.to_string())?;
    database.execute_batch(sql).map_err(|e| e.to_string())?;
    Ok(folder)
}

/// Starts on the folder's database and finds it unchanged to the byte afterwards.
fn unchanged(folder: &Path, code: i32, words: &[&str]) -> Result<(), String> {
    let database = folder.join("data.db");
    let before = std::fs::read(&database).map_err(|e| e.to_string())?;
    expect(&run(serve(&folder.join("rest.yaml"), &database)?)?, code, words)?;
    if std::fs::read(&database).map_err(|e| e.to_string())? != before {
        return Err("the database was changed".to_owned());
    }
    nothing_written(folder, &["data.db", "rest.yaml"])
}

fn does_not_fit() -> Result<(), String> {
    let yaml = NOTES.replace("{ text: string }", "{ text: string, size: integer }");
    let folder = with_tables(&yaml, "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")?;
    unchanged(folder.path(), FAULTS, &["note", "text", "size"])
}

fn whose_tables() -> Result<(), String> {
    let yaml = NOTES.replace("managed: false\n", "");
    let folder = with_tables(&yaml, "CREATE TABLE other (id INTEGER PRIMARY KEY)")?;
    unchanged(folder.path(), FAULTS, &["managed"])
}

/// What is the service's own lies in a second file there, and SQLite doesn't write both as one.
fn log_apart() -> Result<(), String> {
    let folder = with_tables(
        &format!("{NOTES}    audit: true\n"),
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    )?;
    unchanged(
        folder.path(),
        FAILED,
        &["the changes of `Note` can't be logged", "help: take `audit` out"],
    )
}

fn not_a_database() -> Result<(), String> {
    let folder = place(NOTES.as_bytes())?;
    std::fs::write(
        folder.path().join("data.db"),
        "this is no database, whatever its name says\n".repeat(100),
    )
    .map_err(|e| e.to_string())?;
    unchanged(folder.path(), FAILED, &["data.db", "not a"])
}

fn folder() -> Result<(), String> {
    let folder = place(NOTES.as_bytes())?;
    std::fs::create_dir(folder.path().join("data.db")).map_err(|e| e.to_string())?;
    expect(
        &run(serve(
            &folder.path().join("rest.yaml"),
            &folder.path().join("data.db"),
        )?)?,
        FAILED,
        &["data.db"],
    )
}

fn locked() -> Result<(), String> {
    let folder = with_tables(
        NOTES,
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    )?;
    let holder = rusqlite::Connection::open(folder.path().join("data.db")).map_err(|e| e.to_string())?;
    holder
        .execute_batch("BEGIN EXCLUSIVE")
        .map_err(|e| e.to_string())?;
    expect(
        &run(serve(
            &folder.path().join("rest.yaml"),
            &folder.path().join("data.db"),
        )?)?,
        FAILED,
        &["data.db", "locked"],
    )
}

/// Who may do everything may write read-only files too, so then the program runs as somebody else.
fn read_only() -> Result<(), String> {
    let yaml = NOTES.replace("managed: false", "managed: true");
    let folder = place(yaml.as_bytes())?;
    let database = folder.path().join("data.db");
    rusqlite::Connection::open(&database)
        .and_then(|c| c.execute_batch("PRAGMA user_version = 1"))
        .map_err(|e| e.to_string())?;
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(|e| e.to_string())
    };
    mode(&database, 0o444)?;
    mode(&folder.path().join("rest.yaml"), 0o444)?;
    mode(folder.path(), 0o555)?;
    let before = std::fs::read(&database).map_err(|e| e.to_string())?;
    let arguments = serve(&folder.path().join("rest.yaml"), &database)?;
    let mut command = as_somebody(&arguments);
    command.current_dir("/");
    let end = run(command);
    mode(folder.path(), 0o755)?;
    expect(&end?, FAILED, &["data.db", "read-only"])?;
    let after = std::fs::read(&database).map_err(|e| e.to_string())?;
    if before == after {
        nothing_written(folder.path(), &["data.db", "rest.yaml"])
    } else {
        Err("the database was changed".to_owned())
    }
}

fn as_somebody(command: &Command) -> Command {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut wrapped = if root {
        Command::new("setpriv")
    } else {
        Command::new("env")
    };
    if root {
        wrapped.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
    }
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped
}

fn port_in_use() -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?.to_string();
    let folder = place(NOTES.replace("managed: false", "managed: true").as_bytes())?;
    let mut command = Command::new(program()?);
    command
        .arg("serve")
        .arg(folder.path().join("rest.yaml"))
        .arg("--database")
        .arg(folder.path().join("data.db"));
    command.args(["--listen", &address]);
    expect(&run(command)?, FAILED, &[&address, "in use"])?;
    nothing_written(folder.path(), &["rest.yaml"])
}

fn bad_address() -> Result<(), String> {
    let place = Place::named("keys")?;
    let mut command = Command::new(program()?);
    command
        .arg("serve")
        .arg(&place.schema)
        .arg("--database")
        .arg(&place.database)
        .args(["--listen", "nowhere"]);
    expect(&run(command)?, FAILED, &["nowhere"])
}

/// An option goes before a variable, and that before the file.
fn precedence() -> Result<(), String> {
    let place = Place::named("keys")?;
    let (file, schema) = (
        place.folder.path().join("options.yaml"),
        place.schema.display().to_string(),
    );
    let written = |text: &str| std::fs::write(&file, text).map_err(|error| error.to_string());
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let taken = listener
        .local_addr()
        .map_err(|error| error.to_string())?
        .to_string();
    let serve = |more: &[&str], listen: Option<&str>| {
        let path = file.display().to_string();
        let mut command = rest_gen(&[&["serve", &schema, "--config", &path], more].concat())?;
        if let Some(listen) = listen {
            command.env("REST_LISTEN", listen);
        }
        Ok::<_, String>(command)
    };
    let database = place.location();
    written(&format!("database: '{database}'\nlisten: 127.0.0.1:0\n"))?;
    Server::spawn(serve(&[], None)?)?.stop()?;
    expect(&run(serve(&[], Some(&taken))?)?, FAILED, &[&taken])?;
    Server::spawn(serve(&["--listen", "127.0.0.1:0"], Some(&taken))?)?.stop()?;
    drop(listener);
    written("databse: postgres://susan:hush@db/blog\n")?;
    let told = run(serve(&[], None)?)?;
    expect(&told, FAILED, &["options.yaml", "databse"])?;
    match told.told.contains("hush") {
        true => Err("a password is told".to_owned()),
        false => Ok(()),
    }
}

/// Instances that start together on a database that isn't there yet serve the same tables.
fn together() -> Result<(), String> {
    let yaml = NOTES.replace("managed: false", "managed: true");
    let folder = place(
        yaml.replace("read: public", "read: public, create: public")
            .as_bytes(),
    )?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let arguments = ["serve", &path("rest.yaml"), "--database", &path("data.db")].map(str::to_owned);
    let start = || {
        let arguments = [&arguments[..], &["--listen".to_owned(), "127.0.0.1:0".to_owned()]].concat();
        std::thread::spawn(move || Server::start(&arguments))
    };
    let starting: Vec<_> = (0..4).map(|_| start()).collect();
    let mut servers = Vec::new();
    for start in starting {
        servers.push(start.join().map_err(|_| "a start panicked")??);
    }
    for (before, server) in servers.iter().enumerate() {
        let mut client = Client::new(server.address);
        let made = client.send(&Request::new("POST", "/api/notes").json(r#"{"text": "a"}"#))?;
        let read = client.send(&Request::new("GET", "/api/notes?count=exact"))?;
        let total = format!("\"total\":{}", before + 1);
        if made.status != 201 || !read.text().contains(&total) {
            return Err(format!("instance {before}:\n{}\n{}", shown(&made), shown(&read)));
        }
    }
    Ok(())
}
