//! The log of changes: what stands in it after each way to write, and what doesn't, on both databases.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::Request;
use crate::support::postgres::Cluster;
use crate::support::server::{Place, Server};
use crate::trial;

const SCHEMA: &str = "
service: logged
managed: true
audit: true
limits: { bulk: 3 }
resources:
  User:
    fields:
      name: { type: string, unique: true }
      password: password
      secret: { type: string, optional: true, private: true }
    access: { read: public, create: public, change: id = me.id }
  Folder:
    soft_delete: deleted_at
    fields: { name: { type: string, unique: true } }
    belongs_to:
      parent: { to: Folder, optional: true, inverse: folders, on_delete: cascade }
    access: { read: public, create: public, change: public, restore: public }
  Tag:
    audit: false
    fields: { name: string }
    access: { read: public, create: public, change: public }
  Note:
    fields:
      text: { type: string, length: 1..20 }
      done: { type: boolean, default: false, filterable: true }
      price: { type: decimal, precision: 6, scale: 2, optional: true }
    belongs_to:
      author: { to: User, optional: true, default: me, readonly: true, on_delete: set_null }
      about: { to: Note, optional: true, inverse: { name: remarks, nested: true }, on_delete: cascade }
    many_to_many:
      tags: { to: Tag, inverse: notes, writable: true }
      readers: { to: User, through: Reading, inverse: reads }
    access: { read: public, create: public, update: text != 'final', delete: public }
  Reading:
    unique: [[note, user]]
    fields: { line: { type: integer, default: 1 } }
    belongs_to:
      note: { to: Note, on_delete: cascade }
      user: { to: User, on_delete: cascade }
    access: { read: public, create: public, change: public }
accounts: { resource: User, identify_by: [name], password: password }
";

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("audit::every_way_to_write", || each(ways)),
        trial("audit::what_was_refused_is_not_there", || each(refused)),
        trial("audit::what_goes_along", || each(along)),
        trial("audit::beside_another_programs_tables", beside),
    ]
}

/// A service with the log, as it is read by its owner.
struct Logged<'c> {
    place: Place,
    server: Server,
    cluster: Option<&'c Cluster>,
    /// Lines that were looked at.
    seen: usize,
}

/// Does the same on both databases.
fn each(test: impl Fn(&mut Logged<'_>) -> Result<(), String>) -> Result<(), String> {
    let source = SchemaSource::Inline(SCHEMA.to_owned());
    Place::on_both(&source, |place, cluster| {
        let server = place.serve()?;
        test(&mut Logged {
            place,
            server,
            cluster,
            seen: 0,
        })
    })
}

const COLUMNS: &str = "account, operation, resource, key, before, after";

impl Logged<'_> {
    fn api(&self) -> Api {
        Api::new(self.server.address)
    }

    fn lines(&self, columns: &str) -> Result<Vec<Value>, String> {
        let lines = match self.cluster {
            Some(cluster) => {
                let sql = format!("SELECT json_build_array({columns}) FROM rest_audit ORDER BY id");
                self.place.sql(Some(cluster), &sql)?
            }
            None => {
                let columns = columns
                    .replace("before", "json(before)")
                    .replace("after", "json(after)");
                let sql = format!("SELECT json_array({columns}) FROM rest_audit ORDER BY id");
                self.place.sql(None, &sql)?
            }
        };
        let read = |line| serde_json::from_str(line).map_err(|e| format!("{line}: {e}"));
        lines.lines().map(read).collect()
    }

    /// Holds the lines since the last look against these: account, operation, resource, key, before, after.
    fn holds(&mut self, what: &str, expected: &Value) -> Result<(), String> {
        let lines = self.lines(COLUMNS)?.split_off(self.seen);
        self.seen += lines.len();
        let found = Value::Array(lines);
        if found == *expected {
            Ok(())
        } else {
            Err(format!("{what}: {found:#}\ninstead of {expected:#}"))
        }
    }
}

fn sent(method: &str, target: &str, body: &Value) -> Request {
    Request::new(method, target).json(body.to_string())
}

fn ways(logged: &mut Logged<'_>) -> Result<(), String> {
    let mut api = logged.api();
    api.post("/api/users", &json!({ "name": "ann", "password": "long enough" }))?;
    let made = json!({ "id": 1, "name": "ann", "password": null, "secret": null });
    logged.holds("sign-up", &json!([[null, "create", "User", "[1]", null, made]]))?;

    let mut ann = Api::sign_in(logged.server.address, "ann", "long enough")?;
    ann.post("/api/notes", &json!({ "text": "a", "price": "1.50" }))?;
    let first =
        json!({ "id": 1, "text": "a", "done": false, "price": "1.50", "author_id": 1, "about_id": null });
    logged.holds("POST", &json!([["[1]", "create", "Note", "[1]", null, first]]))?;

    ann.patch("/api/notes/1", &json!({ "text": "b", "done": false }))?;
    logged.holds(
        "PATCH",
        &json!([["[1]", "update", "Note", "[1]", { "text": "a" }, { "text": "b" }]]),
    )?;
    ann.patch("/api/notes/1", &json!({ "text": "b" }))?;
    logged.holds("what changes nothing", &json!([]))?;
    api.expect(200, sent("PUT", "/api/notes/1", &json!({ "text": "c" })))?;
    let (before, after) = (
        json!({ "text": "b", "price": "1.50" }),
        json!({ "text": "c", "price": null }),
    );
    logged.holds("PUT", &json!([[null, "update", "Note", "[1]", before, after]]))?;
    ann.patch("/api/users/1", &json!({ "password": "another one" }))?;
    let told = json!({ "password": null });
    logged.holds("a secret", &json!([["[1]", "update", "User", "[1]", told, told]]))?;
    // The tokens ended with the password before.
    let mut ann = Api::sign_in(logged.server.address, "ann", "another one")?;

    for name in ["red", "blue"] {
        ann.post("/api/tags", &json!({ "name": name }))?;
    }
    logged.holds("what isn't logged", &json!([]))?;
    ann.patch("/api/notes/1", &json!({ "tag_ids": [2] }))?;
    ann.patch("/api/notes/1", &json!({ "tag_ids": [1] }))?;
    let pair = |operation: &str, before: Value, after: Value| {
        json!(["[1]", operation, "Note", "[1]", before, after])
    };
    let [red, blue] = [json!({ "tags": [1] }), json!({ "tags": [2] })];
    let expected = [
        pair("link", json!(null), blue.clone()),
        pair("unlink", blue.clone(), json!(null)),
        pair("link", json!(null), red),
    ];
    logged.holds("sets of keys", &json!(expected))?;
    for _ in 0..2 {
        ann.expect(204, Request::new("PUT", "/api/tags/2/notes/1"))?;
    }
    ann.expect(204, Request::new("DELETE", "/api/notes/1/tags/2"))?;
    let expected = [
        pair("link", json!(null), blue.clone()),
        pair("unlink", blue, json!(null)),
    ];
    logged.holds("link and unlink", &json!(expected))?;

    for line in [2, 3] {
        ann.expect(204, sent("PUT", "/api/users/1/reads/1", &json!({ "line": line })))?;
    }
    for _ in 0..2 {
        ann.expect(204, Request::new("DELETE", "/api/notes/1/readers/1"))?;
    }
    let reading = |line: i32| json!({ "id": 1, "line": line, "note_id": 1, "user_id": 1 });
    let expected = json!([
        ["[1]", "create", "Reading", "[1]", null, reading(2)],
        ["[1]", "update", "Reading", "[1]", { "line": 2 }, { "line": 3 }],
        ["[1]", "delete", "Reading", "[1]", reading(3), null],
    ]);
    logged.holds("pairs that are items", &expected)?;

    ann.expect(204, Request::new("DELETE", "/api/notes/1"))?;
    let last =
        json!({ "id": 1, "text": "c", "done": false, "price": null, "author_id": 1, "about_id": null });
    logged.holds("DELETE", &json!([["[1]", "delete", "Note", "[1]", last, null]]))?;

    let tokens = logged.lines("token")?;
    let of_hers = tokens.iter().filter(|line| line[0].is_i64()).count();
    // All but the sign-up and the PUT.
    if of_hers + 2 != tokens.len() {
        return Err(format!("{of_hers} of {} lines by tokens of hers", tokens.len()));
    }
    Ok(())
}

fn refused(logged: &mut Logged<'_>) -> Result<(), String> {
    let mut api = logged.api();
    let note = |text: &str| json!({ "text": text });
    api.expect(422, sent("POST", "/api/notes", &note("")))?;
    api.expect(422, sent("POST", "/api/notes", &json!([note("a"), note("")])))?;
    api.post("/api/folders", &json!({ "name": "one" }))?;
    logged.seen += 1;
    // The first is written before the second is refused.
    let two = json!([{ "name": "two" }, { "name": "one" }]);
    api.expect(409, sent("POST", "/api/folders", &two))?;
    api.post("/api/notes", &note("a"))?;
    logged.seen += 1;
    // The rule is asked of the row as it has become.
    api.expect(401, sent("PATCH", "/api/notes/1", &note("final")))?;
    api.expect(404, Request::new("DELETE", "/api/notes/2"))?;
    logged.holds("refused", &json!([]))
}

fn along(logged: &mut Logged<'_>) -> Result<(), String> {
    let mut api = logged.api();
    api.post("/api/users", &json!({ "name": "ann", "password": "long enough" }))?;
    let mut ann = Api::sign_in(logged.server.address, "ann", "long enough")?;
    ann.post(
        "/api/notes",
        &json!({ "text": "a", "remarks": [{ "text": "b" }] }),
    )?;
    ann.post(
        "/api/notes",
        &json!([{ "text": "c", "about_id": 2 }, { "text": "d" }]),
    )?;
    let note = |id: u32, text: &str, about: Value| json!({ "id": id, "text": text, "done": false, "price": null, "author_id": 1, "about_id": about });
    let made = |id: u32, note: &Value| json!(["[1]", "create", "Note", format!("[{id}]"), null, note]);
    logged.seen += 1;
    let [a, b] = [note(1, "a", json!(null)), note(2, "b", json!(1))];
    let [c, d] = [note(3, "c", json!(2)), note(4, "d", json!(null))];
    let expected = json!([made(2, &b), made(1, &a), made(3, &c), made(4, &d)]);
    logged.holds("many at once", &expected)?;

    ann.expect(
        200,
        sent(
            "PATCH",
            "/api/notes?done=false&id[gte]=3&max_affected=3",
            &json!({ "done": true }),
        ),
    )?;
    let changed =
        |id: u32| json!(["[1]", "update", "Note", format!("[{id}]"), { "done": false }, { "done": true }]);
    logged.holds("all that match", &json!([changed(3), changed(4)]))?;

    ann.expect(204, Request::new("DELETE", "/api/notes/1"))?;
    let gone = |id: u32, note: &Value| json!(["[1]", "delete", "Note", format!("[{id}]"), note, null]);
    let mut c = c;
    c["done"] = json!(true);
    logged.holds(
        "what the database deletes",
        &json!([gone(1, &a), gone(2, &b), gone(3, &c)]),
    )?;
    ann.expect(204, Request::new("DELETE", "/api/users/1"))?;
    let user = json!({ "id": 1, "name": "ann", "password": null, "secret": null });
    let expected = json!([
        ["[1]", "delete", "User", "[1]", user, null],
        ["[1]", "update", "Note", "[4]", { "author_id": 1 }, { "author_id": null }],
    ]);
    logged.holds("what the database lets go", &expected)?;

    api.post("/api/folders", &json!({ "name": "one" }))?;
    api.post("/api/folders", &json!({ "name": "two", "parent_id": 1 }))?;
    logged.seen += 2;
    api.expect(204, Request::new("DELETE", "/api/folders/1"))?;
    api.expect(200, Request::new("POST", "/api/folders/1/restore"))?;
    let mut lines = logged.lines(COLUMNS)?.split_off(logged.seen);
    logged.seen += lines.len();
    for line in &mut lines {
        for side in [4, 5] {
            let moment = &mut line[side]["deleted_at"];
            if moment.as_str().is_some_and(|text| text.ends_with('Z')) {
                *moment = json!("a moment");
            }
        }
    }
    let (there, gone) = (json!({ "deleted_at": null }), json!({ "deleted_at": "a moment" }));
    let expected = json!([
        [null, "delete", "Folder", "[1]", there, gone],
        [null, "delete", "Folder", "[2]", there, gone],
        [null, "restore", "Folder", "[1]", gone, there],
        [null, "restore", "Folder", "[2]", gone, there],
    ]);
    if json!(lines) == expected {
        Ok(())
    } else {
        Err(format!("{:#}", json!(lines)))
    }
}

const FOREIGN: &str = "
service: foreign
managed: false
resources:
  Note:
    audit: true
    fields: { text: string }
    access: { read: public, create: public }
";

/// On PostgreSQL it is in a schema of ours, and as exact as elsewhere.
fn beside() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let schema = folder.path().join("rest.yaml");
    std::fs::write(&schema, FOREIGN).map_err(|e| e.to_string())?;
    let url = cluster.database("app")?;
    cluster.sql(
        "app",
        "CREATE TABLE note (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, text varchar NOT NULL)",
    )?;
    let server = Server::of(&schema, &url)?;
    Api::new(server.address).post("/api/notes", &json!({ "text": "a" }))?;
    let lines = cluster.ask("app", "SELECT operation, key, after FROM rest.rest_audit")?;
    if lines.trim() == r#"create|[1]|{"id": 1, "text": "a"}"# {
        Ok(())
    } else {
        Err(lines)
    }
}
