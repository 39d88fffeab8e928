//! Projects: made, brought up to date, and left alone where something is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::support::server::{output, package, rest_gen};
use crate::trial;

/// How long a watched project may take to be written anew.
const PATIENCE: Duration = Duration::from_secs(30);

const MODELS: &str = "src/models/generated";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("project::generating_twice_changes_nothing", twice),
        trial("project::a_schema_comes_with_what_it_includes", included),
        trial(
            "project::no_project_is_made_where_something_is_in_the_way",
            refused_folders,
        ),
        trial(
            "project::no_project_is_made_of_a_schema_with_faults",
            refused_schemas,
        ),
        trial("project::files_follow_the_schema", follow),
        trial("project::a_file_taken_over_is_left_alone", taken_over),
        trial("project::an_edit_in_a_generated_file_is_not_lost", edited),
        trial("project::a_write_cut_short_is_taken_up", cut_short),
        trial("project::what_is_no_project_is_refused", no_project),
        trial("project::check_and_diff_write_nothing", check_and_diff),
        trial("project::a_watched_project_follows_its_schema", watched),
        trial("project::names_that_rust_minds", odd_names),
        trial("project::a_thousand_resources", thousand),
    ]
}

/// A project made of the schema to start with.
struct Made {
    folder: TempDir,
}

impl Made {
    fn new() -> Result<Self, String> {
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let made = Self { folder };
        expect(&output(&["new", &made.root()])?, 0, &["cargo run"], &[])?;
        Ok(made)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("notes").join(name)
    }

    fn root(&self) -> String {
        self.path("")
            .display()
            .to_string()
            .trim_end_matches('/')
            .to_owned()
    }

    fn read(&self, name: &str) -> Result<String, String> {
        fs::read_to_string(self.path(name)).map_err(|e| format!("{name}: {e}"))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        fs::write(self.path(name), text).map_err(|e| format!("{name}: {e}"))
    }

    fn replace(&self, name: &str, from: &str, to: &str) -> Result<(), String> {
        let text = self.read(name)?;
        if !text.contains(from) {
            return Err(format!("{name} doesn't say `{from}`"));
        }
        self.write(name, &text.replace(from, to))
    }

    fn generate(&self, arguments: &[&str]) -> Result<Output, String> {
        output(&[&["generate", &self.root()], arguments].concat())
    }

    /// Every file with its bytes and the moment of its last change.
    fn files(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        files(self.folder.path())
    }

    /// A command that fails as it is expected to, and changes nothing.
    fn refused(&self, arguments: &[&str], code: i32, err: &[&str]) -> Result<(), String> {
        let before = self.files();
        expect(&self.generate(arguments)?, code, &[], err)?;
        same(&before, &self.files())
    }
}

fn files(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if let (Ok(bytes), Ok(changed)) =
            (fs::read(&path), fs::metadata(&path).and_then(|m| m.modified()))
        {
            found.insert(path, (bytes, changed));
        }
    }
    found
}

fn same<T: PartialEq>(before: &BTreeMap<PathBuf, T>, after: &BTreeMap<PathBuf, T>) -> Result<(), String> {
    let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let differing: Vec<_> = before.keys().chain(after.keys()).filter(differs).collect();
    if differing.is_empty() {
        Ok(())
    } else {
        Err(format!("written: {differing:?}"))
    }
}

fn expect(output: &Output, code: i32, out: &[&str], err: &[&str]) -> Result<(), String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let holds = |text: &str, words: &[&str]| words.iter().all(|word| text.contains(word));
    // What is said is said once.
    let said = stderr.lines().filter(|line| line.starts_with("error"));
    let quiet = err.is_empty() || said.count() <= 1;
    if output.status.code() == Some(code) && holds(&stdout, out) && holds(&stderr, err) && quiet {
        return Ok(());
    }
    Err(format!(
        "expected {code}, {out:?} and {err:?}, got {}\n{stdout}\n{stderr}",
        output.status
    ))
}

fn twice() -> Result<(), String> {
    let made = Made::new()?;
    let before = made.files();
    expect(&made.generate(&[])?, 0, &[], &[])?;
    expect(&made.generate(&["--check"])?, 0, &[], &[])?;
    expect(&made.generate(&["--force"])?, 0, &[], &[])?;
    same(&before, &made.files())?;
    // A checkout with other line ends has the same files.
    let name = format!("{MODELS}/note.rs");
    made.write(&name, &made.read(&name)?.replace('\n', "\r\n"))?;
    expect(&made.generate(&["--check"])?, 0, &[], &[])
}

fn included() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let root = folder.path().join("shop");
    let shop = package().join("../examples/shop");
    let (schema, dir) = (shop.join("rest.yaml"), root.display().to_string());
    expect(
        &output(&["new", &dir, "--schema", &schema.display().to_string()])?,
        0,
        &[],
        &[],
    )?;
    for name in ["rest.yaml", "resources/orders.yaml"] {
        let read = |root: &Path| fs::read_to_string(root.join(name)).map_err(|e| format!("{name}: {e}"));
        if read(&root)? != read(&shop)? {
            return Err(format!("{name} isn't what it was"));
        }
    }
    expect(&output(&["generate", &dir, "--check"])?, 0, &[], &[])
}

fn refused_folders() -> Result<(), String> {
    let made = Made::new()?;
    let before = made.files();
    let folder = made.folder.path().display().to_string();
    let file = made.path("README.md").display().to_string();
    expect(
        &output(&["new", &made.root()])?,
        2,
        &[],
        &["is a project already"],
    )?;
    expect(
        &output(&["new", &folder])?,
        2,
        &[],
        &["isn't empty (there is `notes`)"],
    )?;
    expect(&output(&["new", &file])?, 2, &[], &["is a file, not a folder"])?;
    let below = format!("{file}/notes");
    expect(&output(&["new", &below])?, 2, &[], &["nothing was changed"])?;
    let other = format!("{folder}/other");
    expect(
        &output(&["new", &other, "--runtime", &folder])?,
        2,
        &[],
        &["isn't the folder of the package rest-runtime"],
    )?;
    expect(
        &output(&["new", &other, "--schema", "missing.yaml"])?,
        2,
        &[],
        &["doesn't exist"],
    )?;
    if cfg!(target_os = "linux") {
        expect(
            &output(&["new", "/proc/notes"])?,
            2,
            &[],
            &["`/proc/notes`", "nothing was changed"],
        )?;
    }
    same(&before, &made.files())
}

fn refused_schemas() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let schema = folder.path().join("bad.yaml");
    fs::write(
        &schema,
        "service: bad\nresources: { A: { fields: { b: strin } } }\n",
    )
    .map_err(|e| e.to_string())?;
    let (schema, dir) = (
        schema.display().to_string(),
        folder.path().join("made").display().to_string(),
    );
    expect(
        &output(&["new", &dir, "--schema", &schema])?,
        1,
        &[],
        &["unknown-type"],
    )?;
    match Path::new(&dir).exists() {
        true => Err("something was made".to_owned()),
        false => Ok(()),
    }
}

fn follow() -> Result<(), String> {
    let made = Made::new()?;
    made.write("src/routes.rs", "// my own\n")?;
    made.replace("rest.yaml", "  Tag:", "  Label:")?;
    made.replace("rest.yaml", "to: Tag", "to: Label")?;
    made.replace("rest.yaml", "length: 1..120", "length: 1..240")?;
    let told = [
        "changed  src/models/generated/note.rs",
        "new      src/models/generated/label.rs",
        "gone     src/models/generated/tag.rs",
    ];
    expect(&made.generate(&[])?, 0, &told, &[])?;
    let (gone, routes) = (
        made.path(&format!("{MODELS}/tag.rs")),
        made.read("src/routes.rs")?,
    );
    let note = made.read(&format!("{MODELS}/note.rs"))?;
    if gone.exists()
        || routes != "// my own\n"
        || !note.contains("1..=240")
        || !note.contains("ManyToMany<Label>")
    {
        return Err(format!("not what was expected:\n{note}"));
    }
    expect(&made.generate(&["--check"])?, 0, &[], &[])?;
    // A schema with faults leaves everything as it is.
    made.replace("rest.yaml", "type: text", "type: txt")?;
    made.refused(&[], 1, &["unknown-type"])?;
    fs::remove_file(made.path("rest.yaml")).map_err(|e| e.to_string())?;
    made.refused(&[], 2, &["rest.yaml` doesn't exist"])
}

fn taken_over() -> Result<(), String> {
    let made = Made::new()?;
    let (from, to) = (format!("{MODELS}/tag.rs"), "src/models/tag.rs");
    fs::rename(made.path(&from), made.path(to)).map_err(|e| e.to_string())?;
    made.write(to, &(made.read(to)? + "\n// mine\n"))?;
    expect(
        &made.generate(&[])?,
        0,
        &["mod.rs"],
        &["add `mod tag;` to src/models/mod.rs"],
    )?;
    made.replace("src/models/mod.rs", "mod generated;", "mod generated;\nmod tag;")?;
    let output = made.generate(&[])?;
    if !output.stderr.is_empty() || made.path(&from).exists() || !made.read(to)?.contains("// mine") {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    match made
        .read(&format!("{MODELS}/mod.rs"))?
        .contains("pub use super::tag::*;")
    {
        true => Ok(()),
        false => Err("the file that was taken over isn't used".to_owned()),
    }
}

fn edited() -> Result<(), String> {
    let made = Made::new()?;
    let name = format!("{MODELS}/note.rs");
    let was = made.read(&name)?;
    made.replace(&name, "pub title", "pub heading")?;
    made.refused(&[], 1, &["note.rs`: not as it was generated", "--force"])?;
    made.refused(&["--check"], 1, &["out of date"])?;
    // A file whose resource is gone is somebody's work as well.
    made.replace("rest.yaml", "length: 1..120", "length: 1..240")?;
    made.refused(&[], 1, &["not as it was generated"])?;
    expect(
        &made.generate(&["--force"])?,
        0,
        &["changed  src/models/generated/note.rs"],
        &[],
    )?;
    if made.read(&name)? != was.replace("1..=120", "1..=240") {
        return Err("it wasn't written anew".to_owned());
    }
    expect(&made.generate(&["--check"])?, 0, &[], &[])
}

fn cut_short() -> Result<(), String> {
    let made = Made::new()?;
    let name = format!("{MODELS}/note.rs");
    let whole = made.read(&name)?;
    for part in ["", &whole[..whole.len() / 2]] {
        made.write(&name, part)?;
        expect(
            &made.generate(&[])?,
            0,
            &["changed  src/models/generated/note.rs"],
            &[],
        )?;
        if made.read(&name)? != whole {
            return Err("it wasn't written anew".to_owned());
        }
    }
    let manifest = made.read(".rest-gen")?;
    made.write(".rest-gen", &manifest[..manifest.len() / 2])?;
    made.refused(&[], 2, &[".rest-gen` is broken", "--force"])?;
    expect(&made.generate(&["--force"])?, 0, &[], &[])?;
    expect(&made.generate(&["--check"])?, 0, &[], &[])
}

fn no_project() -> Result<(), String> {
    let made = Made::new()?;
    let folder = made.folder.path().display().to_string();
    expect(
        &output(&["generate", &folder])?,
        2,
        &[],
        &["isn't a project: it has no `.rest-gen`"],
    )?;
    expect(
        &output(&["generate", &format!("{folder}/x")])?,
        2,
        &[],
        &["x` doesn't exist; `rest-gen new"],
    )?;
    let file = made.path("README.md").display().to_string();
    expect(
        &output(&["generate", &file])?,
        2,
        &[],
        &["is a file, not a folder"],
    )?;
    made.replace(".rest-gen", "\"rest_gen\": \"0.", "\"rest_gen\": \"10.")?;
    made.refused(&[], 2, &["generated by rest-gen 10."])?;
    made.replace(".rest-gen", "\"format\": 1", "\"format\": 2")?;
    made.refused(&["--force"], 2, &["generated by rest-gen 10."])?;
    expect(
        &output(&["generate", &made.root(), "--check", "--diff"])?,
        2,
        &[],
        &["cannot be used with"],
    )
}

fn check_and_diff() -> Result<(), String> {
    let made = Made::new()?;
    made.replace("rest.yaml", "length: 1..120", "length: 1..240")?;
    made.replace(
        "rest.yaml",
        "description: Notes that people",
        "description: Thoughts that people",
    )?;
    let before = made.files();
    expect(
        &made.generate(&["--check"])?,
        1,
        &["changed  src/models/generated/note.rs"],
        &["out of date"],
    )?;
    let shown = [
        "--- a/src/models/generated/note.rs\n+++ b/src/models/generated/note.rs",
        "1..=240",
        "# `README.md` is yours and stays as it is",
        "+Thoughts that people",
    ];
    expect(&made.generate(&["--diff"])?, 0, &shown, &[])?;
    same(&before, &made.files())
}

fn watched() -> Result<(), String> {
    let made = Made::new()?;
    let mut command = rest_gen(&["generate", &made.root(), "--watch"])?;
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let (send, lines) = channel();
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines
                .take_while(|line| send.send(line.clone()).is_ok())
                .for_each(drop);
        });
    }
    let told = |word: &str| {
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(word) {
                return Ok(());
            }
        }
        Err(format!("`{word}` wasn't told"))
    };
    let written = |word: &str| {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if made.read(&format!("{MODELS}/note.rs"))?.contains(word) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("`{word}` wasn't written"))
    };
    let test = || {
        told("watching")?;
        made.replace("rest.yaml", "length: 1..120", "length: 1..240")?;
        written("1..=240")?;
        made.replace("rest.yaml", "length: 1..240", "lenght: 1..240")?;
        told("unknown-key")?;
        made.replace("rest.yaml", "lenght: 1..240", "length: 1..99")?;
        written("1..=99")
    };
    let tested = test();
    child.kill().map_err(|e| e.to_string())?;
    child.wait().map_err(|e| e.to_string())?;
    tested
}

fn odd_names() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let schema = folder.path().join("odd.yaml");
    let text = "service: \"Größe 9\"\nmanaged: true\nresources:\n  Result: { fields: { type: string, self: string } }\n  mod: {}\n";
    fs::write(&schema, text).map_err(|e| e.to_string())?;
    let root = folder.path().join("odd");
    let (schema, dir) = (schema.display().to_string(), root.display().to_string());
    expect(&output(&["new", &dir, "--schema", &schema])?, 0, &[], &[])?;
    let manifest = fs::read_to_string(root.join("Cargo.toml")).map_err(|e| e.to_string())?;
    if !manifest.contains("name = \"gr-e-9\"") {
        return Err(manifest);
    }
    let text = fs::read_to_string(root.join(MODELS).join("result_item.rs")).map_err(|e| e.to_string())?;
    let right =
        text.contains("pub r#type: String") && text.contains("#[rest(name = \"self\")]\n    pub self_field");
    if right { Ok(()) } else { Err(text) }
}

/// Each with a relation to the one before it.
fn thousand() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let mut text = "service: large\nmanaged: true\nresources:\n".to_owned();
    for number in 0..1000 {
        text += &format!("  Thing{number}:\n    fields: {{ name: {{ type: string, length: 1..80 }} }}\n");
        if number > 0 {
            text += &format!(
                "    belongs_to: {{ before: {{ to: Thing{}, optional: true }} }}\n",
                number - 1
            );
        }
        text += "    access: { read: public, create: public }\n";
    }
    let schema = folder.path().join("large.yaml");
    fs::write(&schema, text).map_err(|e| e.to_string())?;
    let root = folder.path().join("large");
    let (schema, dir) = (schema.display().to_string(), root.display().to_string());
    expect(&output(&["new", &dir, "--schema", &schema])?, 0, &[], &[])?;
    expect(&output(&["generate", &dir, "--check"])?, 0, &[], &[])?;
    let made = files(&root);
    let structs = made.keys().filter(|path| path.starts_with(root.join(MODELS)));
    match structs.count() {
        // The last is the list of them.
        1001 => Ok(()),
        count => Err(format!("{count} files of structs")),
    }
}
