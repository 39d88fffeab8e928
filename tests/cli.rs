//! The command line: what is printed where, and how it ends.

use std::process::{Command, Output, Stdio};

use libtest_mimic::Trial;
use rest_schema::read_one;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::api::Api;
use crate::support::server::{Place, package, program, rest_gen};
use crate::trial;

const NOTES: &str = "service: notes
managed: true
resources:
  Note:
    fields: { text: { type: string, length: ..20 }, stars: { type: integer, optional: true } }
    many_to_many: { related: { to: Note, table: relatives, from_column: one, to_column: other } }
    access: { read: public }
  Person:
    fields:
      name: { type: string, unique: true }
      secret: { type: password, length: 8.. }
      is_admin: { type: boolean, default: false, readonly: true }
    access: { read: id = me.id }
accounts: { resource: Person, identify_by: [name], password: secret, admin: me.is_admin }
";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cli::check_prints_faults_as_json", json),
        trial("cli::check_shows_every_stage", stages),
        trial("cli::check_names_the_index_that_a_filter_lacks", unindexed),
        trial(
            "cli::check_looks_into_a_database_and_leaves_it_alone",
            check_database,
        ),
        trial("cli::export_means_the_same", export),
        trial("cli::the_openapi_document_is_the_one_that_is_served", openapi),
        trial("cli::a_change_that_breaks_clients_ends_with_1", changes),
        trial("cli::a_schema_may_be_rust", rust),
        trial("cli::the_json_schema_is_one", json_schema),
        trial("cli::completions_for_every_shell", completions),
        trial("cli::a_mistyped_command_line", mistyped),
        trial("cli::a_reader_that_goes_away", broken_pipe),
        trial("cli::seed_tells_every_fault_and_writes_nothing", bad_seed),
        trial("cli::seed_loads_rows_and_pairs", seed),
        trial("cli::an_account_made_can_sign_in", account),
        trial("cli::a_password_is_never_an_argument", no_password_in_arguments),
        trial("cli::the_greeting_works", greeting),
    ]
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Result<Self, String> {
        let folder = Self(TempDir::new().map_err(|e| e.to_string())?);
        folder.write("rest.yaml", NOTES)?;
        Ok(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> Result<String, String> {
        std::fs::write(self.path(name), text).map_err(|e| e.to_string())?;
        Ok(self.path(name))
    }

    fn database(&self) -> Result<rusqlite::Connection, String> {
        rusqlite::Connection::open(self.path("data.db")).map_err(|e| e.to_string())
    }
}

fn run(arguments: &[&str]) -> Result<Output, String> {
    rest_gen(arguments)?.output().map_err(|e| e.to_string())
}

fn expect(output: &Output, code: i32, out: &[&str], err: &[&str]) -> Result<(String, String), String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let holds = |text: &str, words: &[&str]| words.iter().all(|word| text.contains(word));
    if output.status.code() == Some(code) && holds(&stdout, out) && holds(&stderr, err) {
        return Ok((stdout, stderr));
    }
    Err(format!(
        "expected {code}, {out:?} and {err:?}, got {}\n{stdout}\n{stderr}",
        output.status
    ))
}

fn json() -> Result<(), String> {
    let folder = Folder::new()?;
    let file = folder.write("bad.yaml", &NOTES.replace("read: public", "read: txt = 'a'"))?;
    let (stdout, stderr) = expect(&run(&["check", &file, "--format", "json"])?, 1, &[], &[])?;
    let list: Value = serde_json::from_str(&stdout).map_err(|e| format!("{e}\n{stdout}"))?;
    let one = &list[0];
    let right =
        one["code"] == "unknown-name" && one["line"] == 7 && one["nearest"] == "text" && stderr.is_empty();
    if !right {
        return Err(format!("not what was expected: {list:#}\n{stderr}"));
    }
    let good = folder.path("rest.yaml");
    expect(&run(&["check", &good, "--format", "json"])?, 0, &["[]"], &[]).map(drop)
}

fn stages() -> Result<(), String> {
    let folder = Folder::new()?;
    let file = folder.path("rest.yaml");
    let show = |stage| run(&["check", &file, "--show", stage]);
    expect(&show("raw")?, 0, &["rest.yaml:5:23): string"], &[])?;
    expect(
        &show("schema")?,
        0,
        &["collection: notes", "kind: many_to_many", "admin: me.is_admin"],
        &[],
    )?;
    expect(&show("plan")?, 0, &["Note"], &[])?;
    expect(&show("sql")?, 0, &["SELECT", "\"note\""], &[])?;
    let bad = folder.write("bad.yaml", &NOTES.replace("read: public", "read: txt = 'a'"))?;
    expect(
        &run(&["check", &bad, "--show", "raw"])?,
        1,
        &["txt = 'a'"],
        &["unknown-name"],
    )?;
    expect(
        &run(&["check", &bad, "--show", "schema"])?,
        1,
        &[],
        &["unknown-name"],
    )
    .map(drop)
}

/// By the schema alone; and, where the tables are another program's, by the indexes that they have.
fn unindexed() -> Result<(), String> {
    let folder = Folder::new()?;
    let filtered = NOTES.replace(
        "stars: { type: integer,",
        "stars: { type: integer, filterable: true,",
    );
    let ours = folder.write("ours.yaml", &filtered)?;
    let note = ["Note.stars: no index begins with stars, so filters by it read all rows of note"];
    let advised = [note[0], "say `index: true`"];
    expect(&run(&["check", &ours])?, 0, &["no faults"], &advised)?;
    let (stdout, _) = expect(&run(&["check", &ours, "--format", "json"])?, 0, &[], &[])?;
    let list: Value = serde_json::from_str(&stdout).map_err(|e| format!("{e}\n{stdout}"))?;
    if list[0]["code"] != "unindexed" || list[0]["severity"] != "warning" {
        return Err(format!("not what was expected: {list:#}"));
    }
    let indexed = folder.write(
        "indexed.yaml",
        &filtered.replace("filterable: true", "index: true"),
    )?;
    let (_, stderr) = expect(&run(&["check", &indexed])?, 0, &["no faults"], &[])?;
    if stderr.contains("no index") {
        return Err(stderr);
    }
    let theirs = folder.write(
        "theirs.yaml",
        &filtered.replace("managed: true", "managed: false"),
    )?;
    let database = folder.path("data.db");
    let fill = |sql: &str| folder.database()?.execute_batch(sql).map_err(|e| e.to_string());
    fill("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, is_admin BOOLEAN NOT NULL);
        CREATE TABLE note (id INTEGER PRIMARY KEY, text VARCHAR(20) NOT NULL, stars INTEGER);
        CREATE TABLE relatives (one INTEGER, other INTEGER, PRIMARY KEY (one, other));")?;
    let check = || run(&["check", &theirs, "--database", &database]);
    let statement = r#"CREATE INDEX "ix_note_stars" ON "note" ("stars")"#;
    expect(&check()?, 0, &["no faults"], &[note[0], statement])?;
    fill(statement)?;
    let (_, stderr) = expect(&check()?, 0, &["no faults"], &[])?;
    if stderr.contains("stars") {
        return Err(format!("it has an index now:\n{stderr}"));
    }
    Ok(())
}

fn check_database() -> Result<(), String> {
    let folder = Folder::new()?;
    let file = folder.write("rest.yaml", &NOTES.replace("managed: true", "managed: false"))?;
    let database = folder.path("data.db");
    let check =
        |more: &[&str]| run(&[&["check", file.as_str(), "--database", database.as_str()], more].concat());
    expect(&check(&[])?, 2, &[], &["data.db"])?;
    let tables = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, secret TEXT NOT NULL, is_admin BOOLEAN);
        CREATE TABLE relatives (one INTEGER, other INTEGER, PRIMARY KEY (one, other));";
    let fill = |sql: &str| folder.database()?.execute_batch(sql).map_err(|e| e.to_string());
    fill(tables)?;
    let told = [
        "no table note",
        "no UNIQUE on (name)",
        "person.is_admin may be NULL",
    ];
    expect(&check(&[])?, 1, &[], &told)?;
    fill("DROP TABLE person;
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, is_admin BOOLEAN NOT NULL);
        CREATE TABLE note (id INTEGER PRIMARY KEY, text VARCHAR(20) NOT NULL, stars INTEGER);
        INSERT INTO person VALUES (1, 'Ada', 'x', 1), (2, 'Bo', 'x', 7)")?;
    let before = std::fs::read(&database).map_err(|e| e.to_string())?;
    expect(
        &check(&[])?,
        1,
        &[],
        &["Person.is_admin", "1 row", "not 0 or 1: 2", "CREATE INDEX"],
    )?;
    let (stdout, _) = expect(&check(&["--format", "json"])?, 1, &[], &[])?;
    let list: Value = serde_json::from_str(&stdout).map_err(|e| format!("{e}\n{stdout}"))?;
    if list[0]["place"] != "Person.is_admin" || list[0]["severity"] != "fault" {
        return Err(format!("not what was expected: {list:#}"));
    }
    if std::fs::read(&database).map_err(|e| e.to_string())? != before {
        return Err("the database was changed".to_owned());
    }
    fill("UPDATE person SET is_admin = 0 WHERE id = 2")?;
    expect(&check(&[])?, 0, &["no faults"], &[]).map(drop)
}

fn openapi() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    for version in ["3.1", "3.2"] {
        let served = Api::new(server.address).get(&format!("/api/openapi.json?version={version}"))?;
        let file = place.schema.display().to_string();
        let printed = run(&["openapi", &file, "--version", version])?;
        let (printed, _) = expect(&printed, 0, &["\"openapi\""], &[])?;
        let printed: Value = serde_json::from_str(&printed).map_err(|e| e.to_string())?;
        if printed != served {
            return Err(format!("{version}: what is printed isn't what is served"));
        }
    }
    server.stop().map(drop)?;
    expect(
        &run(&["openapi", "rest.yaml", "--version", "2.0"])?,
        2,
        &[],
        &["3.1, 3.2"],
    )
    .map(drop)
}

fn changes() -> Result<(), String> {
    let folder = Folder::new()?;
    folder.write("shorter.yaml", &NOTES.replace("..20", "..10"))?;
    folder.write("longer.yaml", &NOTES.replace("..20", "..30"))?;
    folder.write("wrong.yaml", &NOTES.replace("integer", "integr"))?;
    let at = |name: &str| folder.0.path().join(name).display().to_string();
    let diff = |old: &str, new: &str, more: &[&str]| {
        let (old, new) = (at(old), at(new));
        run(&[&["diff", &old, &new], more].concat())
    };
    let narrower = "breaking    Note.text  its length is held within narrower bounds";
    let summary = "1 change breaks clients; to look at: 0";
    expect(
        &diff("rest.yaml", "shorter.yaml", &[])?,
        1,
        &[narrower, summary],
        &[],
    )?;
    expect(
        &diff("rest.yaml", "longer.yaml", &[])?,
        0,
        &["no change breaks a client"],
        &[],
    )?;
    expect(
        &diff("rest.yaml", "rest.yaml", &[])?,
        0,
        &["clients see no change"],
        &[],
    )?;
    expect(&diff("rest.yaml", "wrong.yaml", &[])?, 1, &[], &["integr"])?;
    expect(
        &diff("rest.yaml", "missing.yaml", &[])?,
        2,
        &[],
        &["missing.yaml"],
    )?;
    let (list, _) = expect(
        &diff("rest.yaml", "shorter.yaml", &["--format", "json"])?,
        1,
        &[],
        &[],
    )?;
    let list: Value = serde_json::from_str(&list).map_err(|e| e.to_string())?;
    if list[0]["weight"] == "breaking" && list[0]["place"] == "Note.text" {
        Ok(())
    } else {
        Err(format!("as JSON: {list}"))
    }
}

fn export() -> Result<(), String> {
    for name in ["blog", "keys", "rules", "shapes", "types"] {
        let file = package().join("schemas").join(format!("{name}.yaml"));
        let text = std::fs::read_to_string(&file).map_err(|e| e.to_string())?;
        let (exported, _) = expect(
            &run(&["export", &file.display().to_string()])?,
            0,
            &["service:"],
            &[],
        )?;
        let read = |text: &str| {
            read_one("rest.yaml", text)
                .map(|loaded| loaded.schema)
                .map_err(|report| report.lines())
        };
        if read(&text)? != read(&exported)? {
            return Err(format!(
                "{name}: what is exported means something else:\n{exported}"
            ));
        }
    }
    Ok(())
}

fn rust() -> Result<(), String> {
    let folder = Folder::new()?;
    std::fs::create_dir_all(folder.path("src/target")).map_err(|e| e.to_string())?;
    folder.write("src/target/old.rs", "#[derive(RestResource)] struct Broken(")?;
    let note = "#[derive(RestResource)]\n#[rest(access(read = public))]\nstruct Note {\n    id: i64,\n    text: Text,\n}\n";
    let file = folder.write("src/note.rs", note)?;
    let service = "#[derive(RestService)]\n#[rest(name = \"notes\")]\nstruct Notes {\n    notes: Note,\n}\n";
    folder.write("src/lib.rs", service)?;
    let src = folder.path("src");
    let told = [file.as_str(), ":5:11", "error[unknown-type]"];
    expect(&run(&["check", &src])?, 1, &[], &told)?;
    expect(
        &run(&["check", &file])?,
        1,
        &[],
        &["no struct here derives RestService"],
    )?;
    folder.write("src/note.rs", &note.replace("Text", "String"))?;
    expect(&run(&["check", &src])?, 0, &["notes: 1 resource, no faults"], &[])?;
    let (exported, _) = expect(&run(&["export", &src])?, 0, &["service: notes"], &[])?;
    read_one("rest.yaml", &exported).map_err(|report| report.lines())?;
    std::fs::create_dir(folder.path("empty")).map_err(|e| e.to_string())?;
    expect(
        &run(&["check", &folder.path("empty")])?,
        2,
        &[],
        &["holds no `.rs` file"],
    )?;
    Ok(())
}

fn json_schema() -> Result<(), String> {
    let (stdout, _) = expect(&run(&["schema"])?, 0, &["$schema", "many_to_many"], &[])?;
    serde_json::from_str::<Value>(&stdout)
        .map(drop)
        .map_err(|e| e.to_string())
}

fn completions() -> Result<(), String> {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        expect(&run(&["completions", shell])?, 0, &["rest-gen", "serve"], &[])?;
    }
    Ok(())
}

fn mistyped() -> Result<(), String> {
    expect(&run(&["chekc"])?, 2, &[], &["chekc", "check"])?;
    expect(&run(&["check"])?, 2, &[], &["FILE"])?;
    expect(&run(&[])?, 2, &[], &["Usage"])?;
    let (file, folder) = ("rest.yaml", Folder::new()?);
    let output = rest_gen(&["serve", file])?
        .current_dir(folder.0.path())
        .env_remove("REST_DATABASE")
        .output();
    expect(&output.map_err(|e| e.to_string())?, 2, &[], &["--database"])?;
    let url = ["serve", file, "--database", "postgres://localhost/x"];
    let output = rest_gen(&url)?.current_dir(folder.0.path()).output();
    expect(&output.map_err(|e| e.to_string())?, 2, &[], &["postgres"])?;
    expect(&run(&["--help"])?, 0, &["serve", "Exit codes"], &[]).map(drop)
}

/// `| head -1` ends the program without a word.
fn broken_pipe() -> Result<(), String> {
    let mut child = Command::new(program()?)
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    drop(child.stdout.take());
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let (_, stderr) = expect(&output, 0, &[], &[])?;
    if stderr.is_empty() { Ok(()) } else { Err(stderr) }
}

fn seeded(folder: &Folder, rows: &str) -> Result<Output, String> {
    let rows = folder.write("rows.yaml", rows)?;
    run(&[
        "seed",
        &folder.path("rest.yaml"),
        &rows,
        "--database",
        &folder.path("data.db"),
    ])
}

fn bad_seed() -> Result<(), String> {
    let folder = Folder::new()?;
    let rows = "Note:\n  - { id: 1, text: fine }\n  - { id: 2, txet: x }\n  - { text: far too long for a note, stars: many }\nNota: []\n";
    let told = [
        "rows.yaml:3",
        "`text`",
        "rows.yaml:4",
        "`stars`",
        "rows.yaml:5",
        "Note",
    ];
    expect(&seeded(&folder, rows)?, 1, &[], &told)?;
    let twice = "Note:\n  - { id: 1, text: one }\n  - { id: 1, text: two }\n";
    expect(&seeded(&folder, twice)?, 1, &[], &["/Note/1"])?;
    let nowhere = "Note:\n  - { id: 1, text: one }\nNote.related: [[1, 7]]\n";
    expect(&seeded(&folder, nowhere)?, 1, &[], &["error"])?;
    let count = folder
        .database()?
        .query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0));
    match count {
        Ok(0) => Ok(()),
        other => Err(format!("rows were written: {other:?}")),
    }
}

fn seed() -> Result<(), String> {
    let folder = Folder::new()?;
    let rows = "Note.related: [[1, 2]]\nNote:\n  - { id: 1, text: one, stars: 5 }\n  - { id: 2, text: two, related: [1] }\n";
    expect(&seeded(&folder, rows)?, 0, &["4 rows"], &[])?;
    let pairs = "SELECT group_concat(one || other, ' ') FROM (SELECT * FROM relatives ORDER BY one)";
    let pairs = folder
        .database()?
        .query_row(pairs, [], |row| row.get::<_, String>(0));
    match pairs.as_deref() {
        Ok("12 21") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn with_password(arguments: &[&str], password: &str) -> Result<Output, String> {
    rest_gen(arguments)?
        .env("REST_PASSWORD", password)
        .output()
        .map_err(|e| e.to_string())
}

fn account() -> Result<(), String> {
    let folder = Folder::new()?;
    let (schema, database) = (folder.path("rest.yaml"), folder.path("data.db"));
    let create = |password, name: &str| {
        let set = format!("name={name}");
        with_password(
            &[
                "account",
                "create",
                &schema,
                "--database",
                &database,
                "--set",
                &set,
                "--set",
                "is_admin=true",
            ],
            password,
        )
    };
    expect(&create("short", "ada")?, 1, &[], &["secret"])?;
    expect(&create("long enough", "ada")?, 0, &["made"], &[])?;
    expect(&create("long enough", "ada")?, 1, &[], &["name"])?;
    let stored = "SELECT secret, is_admin FROM person";
    let row = |database: &rusqlite::Connection| {
        let row = database.query_row(stored, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        });
        row.map_err(|e| e.to_string())
    };
    let (first, is_admin) = row(&folder.database()?)?;
    let change = |name, password| {
        with_password(
            &["account", "password", &schema, name, "--database", &database],
            password,
        )
    };
    expect(&change("nobody", "another one")?, 1, &[], &["nobody"])?;
    expect(&change("ada", "short")?, 1, &[], &["length"])?;
    expect(&change("ada", "another one")?, 0, &["revoked"], &[])?;
    let (second, _) = row(&folder.database()?)?;
    let hashed = |text: &str| text.starts_with("$argon2id$") && !text.contains("long enough");
    if is_admin && hashed(&first) && hashed(&second) && first != second {
        Ok(())
    } else {
        Err(format!("{first} {second} {is_admin}"))
    }
}

fn no_password_in_arguments() -> Result<(), String> {
    let folder = Folder::new()?;
    let (schema, database) = (folder.path("rest.yaml"), folder.path("data.db"));
    let arguments = [
        "account",
        "create",
        &schema,
        "--database",
        &database,
        "--set",
        "name=a",
        "--set",
        "secret=long enough",
    ];
    expect(&run(&arguments)?, 2, &[], &["secret", "command line"]).map(drop)
}

/// Every command that is printed at the start succeeds.
fn greeting() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    // Its last line is the first request of the last resource.
    let told = server.told_up_to("/notices")?;
    let commands: Vec<&str> = told
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("curl "))
        .collect();
    if commands.len() < 5 {
        return Err(format!("too few commands:\n{told}"));
    }
    for command in commands.iter().filter(|command| !command.contains("$TOKEN")) {
        let output = Command::new("sh")
            .args(["-c", &format!("{command} -sf")])
            .output();
        let output = output.map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!("{command}: {}", output.status));
        }
    }
    Ok(())
}
