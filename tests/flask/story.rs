//! What happens: people use the site and the service in turn, and each sees what the other wrote.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::browser::Browser;
use super::python::{self, Site};
use crate::support::api::Api;
use crate::support::http::{Client, Request};
use crate::support::postgres::Cluster;
use crate::support::server::{Server, rest_gen};

const PASSWORD: &str = "a long password";

/// One database, the site and the service on it.
struct Both {
    database: Database,
    site: SocketAddr,
    service: SocketAddr,
}

/// The whole story on a file, in a journal mode.
pub(super) fn tell(journal: &str) -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let file = folder.path().join("microblog.db");
    let database = Database::File(file);
    python::fill(&database.of_python())?;
    database.query(&format!("PRAGMA journal_mode = {journal}"))?;
    told(database, folder.path())?;
    let ours = folder.path().join("microblog.db.rest-state");
    same("a file of our own", &ours.exists(), &true)
}

/// The same on PostgreSQL.
pub(super) fn tell_on_postgres() -> Result<(), String> {
    let folder = TempDir::new().map_err(|e| e.to_string())?;
    let cluster = Cluster::start()?;
    cluster.database("microblog")?;
    let database = Database::Server(cluster);
    python::fill(&database.of_python())?;
    told(database, folder.path())
}

fn told(database: Database, folder: &Path) -> Result<(), String> {
    let before = database.owned_by_the_site()?;
    let log = folder.join("site.log");
    let site = Site::start(&database.of_python(), &log)?;
    let server = Server::start(&arguments(&database))?;
    let both = Both {
        database,
        site: site.address,
        service: server.address,
    };
    happens(&both).map_err(|e| {
        let site = std::fs::read_to_string(&log).unwrap_or_default();
        format!(
            "{e}\nthe service said:\n{}\nthe site said:\n{site}",
            server.told()
        )
    })?;
    let owned = || both.database.owned_by_the_site();
    same("the database's description", &owned()?, &before)?;
    if let Database::Server(cluster) = &both.database {
        another_program(&both, cluster)?;
    }
    server.stop()?;
    drop(site);
    same("it, after the end", &owned()?, &before)
}

fn happens(both: &Both) -> Result<(), String> {
    registered_at_the_site(both)?;
    hashed_by_an_older_werkzeug(both)?;
    registered_at_the_service(both)?;
    signed_in_at_the_site(both)?;
    written_through_the_service(both)?;
    written_at_the_site(both)?;
    drafts_are_their_authors(both)?;
    profile(both)?;
    comments(both)?;
    following(both)?;
    an_edit_at_the_site_changes_the_tag(both)?;
    both_write_at_once(both)
}

/// A third program, by a role of its own: it sees of posts and comments what the service shows the same account.
fn another_program(both: &Both, cluster: &Cluster) -> Result<(), String> {
    let schema = python::app().join("rest.yaml").display().to_string();
    let arguments = [
        "access",
        &schema,
        "--rls",
        "--database",
        &both.database.of_service(),
    ];
    let printed = rest_gen(&arguments)?.output().map_err(|e| e.to_string())?;
    let sql = String::from_utf8(printed.stdout).map_err(|e| e.to_string())?;
    cluster.sql("microblog", &sql)?;
    let role = "CREATE ROLE program; GRANT SELECT ON ALL TABLES IN SCHEMA public TO program";
    cluster.sql("microblog", role)?;
    let john = both
        .database
        .query("SELECT id FROM \"user\" WHERE username = 'john'")?;
    let callers = [
        (String::new(), Api::new(both.service)),
        (
            john.trim().to_owned(),
            Api::sign_in(both.service, "john", "correct-horse")?,
        ),
    ];
    for (key, mut api) in callers {
        for (table, collection) in [("post", "posts"), ("comment", "comments")] {
            let seen = format!("SET ROLE program; SET rest.account = '{key}'; SELECT count(*) FROM {table}");
            let page = api.get(&format!("/api/{collection}?limit=1&count=exact"))?;
            let what = format!("how many {collection} `{key}` sees");
            same(
                &what,
                &cluster.ask("microblog", &seen)?.trim(),
                &page["page"]["total"].to_string().as_str(),
            )?;
        }
    }
    Ok(())
}

/// Who registered at the site signs in at the service with the same password, and with no other.
fn registered_at_the_site(both: &Both) -> Result<(), String> {
    let mut browser = Browser::new(both.site);
    let form = [
        ("username", "nia"),
        ("email", "nia@example.com"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    same(
        "after registering",
        &browser.submit("/register", "/register", &form)?.as_str(),
        &"/sign-in",
    )?;
    let me = Api::sign_in(both.service, "nia", PASSWORD)?.get("/api/me")?;
    same("me", &me["email"], &json!("nia@example.com"))?;
    Api::sign_in(both.service, "nia@example.com", PASSWORD)?;
    let wrong = json!({ "identifier": "nia", "password": "another password" });
    let request = Request::new("POST", "/api/tokens").json(wrong.to_string());
    Api::new(both.service).expect(401, request).map(drop)
}

/// `john`'s hash is `pbkdf2:sha256:600000`; signing in leaves it as it is.
fn hashed_by_an_older_werkzeug(both: &Both) -> Result<(), String> {
    let hash = "SELECT password_hash FROM \"user\" WHERE username = 'john'";
    let before = both.database.query(hash)?;
    same(
        "the hash's method",
        &before.starts_with("pbkdf2:sha256:600000$"),
        &true,
    )?;
    Api::sign_in(both.service, "john", "correct-horse")?;
    same("the hash", &both.database.query(hash)?, &before)?;
    Browser::new(both.site).sign_in("john", "correct-horse")
}

/// Who signed up through the service signs in at the site.
fn registered_at_the_service(both: &Both) -> Result<(), String> {
    let person = json!({ "username": "omar", "email": "omar@example.com", "password": PASSWORD });
    let made = Api::new(both.service).post("/api/users", &person)?;
    same("a read-only default", &made["is_admin"], &json!(false))?;
    same("the password in the answer", &made.get("password"), &None)?;
    Browser::new(both.site).sign_in("omar", PASSWORD)?;
    Api::sign_in(both.service, "omar", PASSWORD).map(drop)
}

/// Who is signed in at the site makes a token here by its cookie: with the token that the service tells, and with the one
/// that the site's own forms have. The site goes on as before.
fn signed_in_at_the_site(both: &Both) -> Result<(), String> {
    let mut browser = Browser::new(both.site);
    browser.sign_in("nia", PASSWORD)?;
    let cookie = browser.cookie("session")?;
    let mut api = Api::new(both.service);
    let me = || Request::new("GET", "/api/me").header("Cookie", &cookie);
    same(
        "me, by the site's cookie",
        &api.expect(200, me())?["username"],
        &json!("nia"),
    )?;
    let told = Client::new(both.service).send(&me())?.header("x-csrf-token");
    let told = told.ok_or("no token of the session")?;
    let make = || {
        let body = json!({ "name": "by the site", "scopes": ["posts:read"] });
        Request::new("POST", "/api/tokens")
            .json(body.to_string())
            .header("Cookie", &cookie)
    };
    api.expect(403, make())?;
    let form = browser.form_token("/profile")?;
    let others = Browser::new(both.site).form_token("/sign-in")?;
    api.expect(403, make().header("X-CSRFToken", &others))?;
    for (header, token) in [("X-CSRF-Token", &told), ("X-CSRFToken", &form)] {
        let made = api.expect(201, make().header(header, token))?;
        let token = made["token"].as_str().unwrap_or_default();
        let me = api.expect(200, Request::new("GET", "/api/me").bearer(token))?;
        same("me, by the token", &me["username"], &json!("nia"))?;
    }
    shows(&browser.page("/")?, "Sign out")?;
    // Who has closed his browser is known to the site by another cookie.
    let remembered = [("username", "nia"), ("password", PASSWORD), ("remember_me", "y")];
    let mut browser = Browser::new(both.site);
    browser.submit("/sign-in", "/sign-in", &remembered)?;
    let cookie = browser.cookie("remember_token")?;
    let me = api.expect(200, Request::new("GET", "/api/me").header("Cookie", &cookie))?;
    same("me, as the site remembers", &me["username"], &json!("nia"))
}

/// What the service writes, the site shows, and SQLAlchemy reads with its own types.
fn written_through_the_service(both: &Both) -> Result<(), String> {
    let mut api = Api::sign_in(both.service, "nia", PASSWORD)?;
    let title = "Sent by a program";
    let made = api.post(
        "/api/posts",
        &json!({ "title": title, "body": "Où?", "status": "published", "price": "12.50", "edited_at": "2026-01-02T03:04:05+01:00" }),
    )?;
    same("the price in the answer", &made["price"], &json!("12.50"))?;
    let link = made["link"].as_str().ok_or("no link")?;
    let path = format!("/post/{link}");
    let mut browser = Browser::new(both.site);
    shows(&browser.page("/explore")?, title)?;
    let page = browser.page(&path)?;
    for part in [title, "Où?", "nia", "12.50"] {
        shows(&page, part)?;
    }
    let seen = python::show(&both.database.of_python(), title)?;
    for line in [
        &format!("link: UUID {link}"),
        "status: Status Status.published",
        "price: Decimal 12.50",
        "views: int 1",
        "edited_at: datetime 2026-01-02 02:04:05",
        "is_admin: bool False",
        "settings: dict {'theme': 'light'}",
        "birthday: NoneType None",
    ] {
        shows(&seen, line)?;
    }
    as_stored(both, title)
}

/// The forms that every version of SQLAlchemy reads back.
fn as_stored(both: &Both, title: &str) -> Result<(), String> {
    let of = |columns: &str| {
        let sql = format!("SELECT {columns} FROM post WHERE title = '{title}'");
        both.database.query(&sql)
    };
    if let Database::Server(_) = both.database {
        same("an edit", &of("edited_at")?.as_str(), &"2026-01-02 02:04:05")?;
        same("an enum", &of("status")?.as_str(), &"published")?;
        return same("a decimal", &of("price")?.as_str(), &"12.50");
    }
    let created = of("created_at")?;
    let form: String = created
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    same("a moment", &form.as_str(), &"9999-99-99 99:99:99.999999")?;
    same(
        "another",
        &of("edited_at")?.as_str(),
        &"2026-01-02 02:04:05.000000",
    )?;
    same("an enum", &of("status")?.as_str(), &"published")?;
    same("a decimal", &of("typeof(price)")?.as_str(), &"real")?;
    same(
        "a UUID",
        &of("length(link) || (link NOT GLOB '*[^0-9a-f]*')")?.as_str(),
        &"321",
    )
}

/// What the site writes, the service reads, with right types.
fn written_at_the_site(both: &Both) -> Result<(), String> {
    let mut browser = Browser::new(both.site);
    browser.sign_in("nia", PASSWORD)?;
    let form = [
        ("title", "Typed by hand"),
        ("body", "One, two."),
        ("tags", "tea, new"),
        ("price", "3"),
        ("status", "published"),
    ];
    let path = browser.submit("/write", "/write", &form)?;
    let link = path.trim_start_matches("/post/");
    let mut api = Api::new(both.service);
    let found = api.get(&format!("/api/posts?link={link}&include=author,tags"))?;
    let post = &found["items"][0];
    same("its title", &post["title"], &json!("Typed by hand"))?;
    same("its link", &post["link"], &json!(link))?;
    same(
        "a decimal that SQLite keeps as an integer",
        &post["price"],
        &json!("3.00"),
    )?;
    same("its views", &post["views"], &json!(0))?;
    same("its edit", &post["edited_at"], &Value::Null)?;
    same("its author", &post["author"]["username"], &json!("nia"))?;
    let mut tags: Vec<&str> = post["tags"]["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|t| t["name"].as_str())
        .collect();
    tags.sort_unstable();
    same("its tags", &tags, &vec!["new", "tea"])?;
    let stored = both.database.query(
        "SELECT replace(CAST(created_at AS text), ' ', 'T') FROM post WHERE title = 'Typed by hand'",
    )?;
    let moment = format!("{}Z", stored.trim_end_matches('0').trim_end_matches('.'));
    same("its moment", &post["created_at"], &json!(moment))?;
    let tagged = api.get("/api/posts?tags.name=new&count=exact")?;
    same("posts found by tag", &tagged["page"]["total"], &json!(1))
}

/// A draft is seen by its author alone, on both sides.
fn drafts_are_their_authors(both: &Both) -> Result<(), String> {
    let mut nia = Api::sign_in(both.service, "nia", PASSWORD)?;
    let draft = nia.post("/api/posts", &json!({ "title": "Not yet", "body": "Wait." }))?;
    same("the default", &draft["status"], &json!("draft"))?;
    let (id, link) = (&draft["id"], draft["link"].as_str().ok_or("no link")?);
    let (item, page) = (format!("/api/posts/{id}"), format!("/post/{link}"));
    nia.get(&item)?;
    Api::new(both.service).expect(404, Request::new("GET", &item))?;
    Api::sign_in(both.service, "omar", PASSWORD)?.expect(404, Request::new("GET", &item))?;
    same(
        "a stranger at the site",
        &Browser::new(both.site).get(&page)?.status,
        &404,
    )?;
    let mut browser = Browser::new(both.site);
    browser.sign_in("nia", PASSWORD)?;
    shows(&browser.page(&page)?, "<em>Draft</em>")?;
    nia.patch(&item, &json!({ "status": "published" }))?;
    same(
        "once published",
        &Browser::new(both.site).get(&page)?.status,
        &200,
    )
}

/// A date and JSON, both ways.
fn profile(both: &Both) -> Result<(), String> {
    let mut api = Api::sign_in(both.service, "nia", PASSWORD)?;
    let me = format!("/api/users/{}", api.get("/api/me")?["id"]);
    api.patch(
        &me,
        &json!({ "birthday": "1990-12-31", "settings": { "theme": "dark", "mail": [true, null] } }),
    )?;
    let mut browser = Browser::new(both.site);
    browser.sign_in("nia", PASSWORD)?;
    let page = browser.page("/profile")?;
    shows(&page, "1990-12-31")?;
    shows(&page, "class=\"dark\"")?;
    let form = [
        ("about_me", "Hello"),
        ("birthday", "1991-01-02"),
        ("theme", "light"),
    ];
    browser.submit("/profile", "/profile", &form)?;
    let seen = api.get(&me)?;
    same("the birthday", &seen["birthday"], &json!("1991-01-02"))?;
    same(
        "the settings",
        &seen["settings"],
        &json!({ "theme": "light", "mail": [true, null] }),
    )?;
    let anonymous = Api::new(both.service).get(&me)?;
    same("the birthday, for a stranger", &anonymous.get("birthday"), &None)
}

/// Comments, both ways, and a moderator who hides one.
fn comments(both: &Both) -> Result<(), String> {
    let mut api = Api::sign_in(both.service, "omar", PASSWORD)?;
    let posts = api.get("/api/posts?author.username=nia&sort=created_at")?;
    let post = &posts["items"][0];
    let made = api.post(
        "/api/comments",
        &json!({ "body": "From a program.", "post_id": post["id"] }),
    )?;
    let page = format!("/post/{}", post["link"].as_str().ok_or("no link")?);
    let mut browser = Browser::new(both.site);
    browser.sign_in("grace", "correct-horse")?;
    shows(&browser.page(&page)?, "From a program.")?;
    browser.submit(&page, &page, &[("body", "From a page.")])?;
    let item = format!("/api/comments/{}", made["id"]);
    browser.submit(&page, &format!("/comment/{}/hide", made["id"]), &[])?;
    same("hidden, for its author", &api.get(&item)?["hidden"], &json!(true))?;
    let mut stranger = Api::new(both.service);
    stranger.expect(404, Request::new("GET", &item))?;
    let listed = stranger.get(&format!("/api/comments?post_id={}&include=author", post["id"]))?;
    let listed = listed["items"].as_array().ok_or("no items")?;
    same("comments left", &listed.len(), &1)?;
    same("whose", &listed[0]["author"]["username"], &json!("grace"))
}

/// The self-referential relation.
fn following(both: &Both) -> Result<(), String> {
    let mut browser = Browser::new(both.site);
    browser.sign_in("nia", PASSWORD)?;
    browser.submit("/user/omar", "/user/omar/follow", &[])?;
    let mut api = Api::new(both.service);
    let found = api.get("/api/users?username=nia&include=following,followers")?;
    let nia = &found["items"][0];
    same(
        "whom she follows",
        &nia["following"]["items"][0]["username"],
        &json!("omar"),
    )?;
    same("who follows her", &nia["followers"]["items"], &json!([]))?;
    let found = api.get("/api/users?following.username=omar")?;
    same("omar's followers", &found["items"][0]["username"], &json!("nia"))
}

/// A tag from before an edit at the site no longer matches.
fn an_edit_at_the_site_changes_the_tag(both: &Both) -> Result<(), String> {
    let mut api = Api::sign_in(both.service, "nia", PASSWORD)?;
    let made = api.post(
        "/api/posts",
        &json!({ "title": "Once", "body": "B", "status": "published" }),
    )?;
    let item = format!("/api/posts/{}", made["id"]);
    let tag = api
        .send(Request::new("GET", &item))?
        .header("etag")
        .ok_or("no ETag")?;
    let mut browser = Browser::new(both.site);
    browser.sign_in("nia", PASSWORD)?;
    let page = format!("/post/{}/edit", made["link"].as_str().ok_or("no link")?);
    browser.submit(
        &page,
        &page,
        &[("title", "Twice"), ("body", "B"), ("status", "published")],
    )?;
    let patch = |tag: &str| {
        Request::new("PATCH", &item)
            .json(json!({ "title": "Mine" }).to_string())
            .header("If-Match", tag)
    };
    api.expect(412, patch(&tag))?;
    let now = api.send(Request::new("GET", &item))?;
    shows(&now.text(), "Twice")?;
    api.expect(200, patch(&now.header("etag").ok_or("no ETag")?))
        .map(drop)
}

/// Neither keeps the other out: programs write without a pause, and each of the site's writes gets its turn within
/// the five seconds that Python waits for a lock.
fn both_write_at_once(both: &Both) -> Result<(), String> {
    let (stop, service) = (Arc::new(AtomicBool::new(false)), both.service);
    let programs: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || writes_until(service, &stop))
        })
        .collect();
    let written = by_hand(both, 15);
    stop.store(true, Ordering::Relaxed);
    let mut sent = 0;
    for program in programs {
        sent += program.join().map_err(|_| "a program panicked")??;
    }
    written?;
    same("programs that wrote", &(sent >= 4), &true)?;
    let count = |pattern: &str| format!("SELECT count(*) FROM post WHERE title LIKE '{pattern}'");
    same(
        "posts by hand",
        &both.database.query(&count("Hand %"))?.as_str(),
        &"15",
    )?;
    same(
        "posts of programs",
        &both.database.query(&count("Program"))?,
        &sent.to_string(),
    )
}

/// Writes posts through the service, and says how many.
fn writes_until(service: SocketAddr, stop: &AtomicBool) -> Result<u32, String> {
    let mut api = Api::sign_in(service, "omar", PASSWORD)?;
    let post = json!({ "title": "Program", "body": "B", "status": "published" });
    let mut sent = 0;
    while sent == 0 || !stop.load(Ordering::Relaxed) {
        api.post("/api/posts", &post)?;
        sent += 1;
    }
    Ok(sent)
}

/// Writes posts at the site.
fn by_hand(both: &Both, count: u32) -> Result<(), String> {
    let mut browser = Browser::new(both.site);
    browser.sign_in("nia", PASSWORD)?;
    for n in 0..count {
        let title = format!("Hand {n}");
        let form = [("title", title.as_str()), ("body", "B"), ("status", "published")];
        browser.submit("/write", "/write", &form)?;
    }
    Ok(())
}

fn arguments(database: &Database) -> Vec<String> {
    let schema = python::app().join("rest.yaml");
    let schema = schema.to_string_lossy();
    [
        "serve",
        &schema,
        "--database",
        &database.of_service(),
        "--listen",
        "127.0.0.1:0",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Where the site's tables are.
enum Database {
    /// A file of SQLite.
    File(PathBuf),
    /// A database of PostgreSQL.
    Server(Cluster),
}

impl Database {
    /// As the service is told it.
    fn of_service(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Server(cluster) => cluster.url("microblog"),
        }
    }

    /// As the site is told it.
    fn of_python(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Server(cluster) => {
                let socket = cluster.folder().display();
                format!("postgresql+psycopg://tests@/microblog?host={socket}")
            }
        }
    }

    /// The first value that a statement gives, as text.
    fn query(&self, sql: &str) -> Result<String, String> {
        match self {
            Self::File(path) => query(path, sql),
            Self::Server(cluster) => cluster.ask("microblog", sql),
        }
    }

    /// Everything that the site's migration tool could notice, and the journal mode.
    fn owned_by_the_site(&self) -> Result<Vec<String>, String> {
        let all = match self {
            Self::File(_) => &[
                "SELECT group_concat(concat_ws('|', type, name, tbl_name, rootpage, sql), char(10)) FROM sqlite_master",
                "PRAGMA schema_version",
                "PRAGMA journal_mode",
                "PRAGMA user_version",
                "PRAGMA application_id",
            ][..],
            Self::Server(_) => &[
                "SELECT table_name, column_name, data_type, column_default, is_nullable, ordinal_position
                    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 6",
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
                "SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint
                    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
            ],
        };
        all.iter().map(|sql| self.query(sql)).collect()
    }
}

/// The first value that a statement gives, as text.
fn query(database: &Path, sql: &str) -> Result<String, String> {
    let value = |connection: Connection| {
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0))
    };
    match Connection::open(database).and_then(value) {
        Ok(rusqlite::types::Value::Integer(number)) => Ok(number.to_string()),
        Ok(rusqlite::types::Value::Text(text)) => Ok(text),
        Ok(other) => Err(format!("{sql}: {other:?}")),
        Err(e) => Err(format!("{sql}: {e}")),
    }
}

fn same<T: PartialEq + Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    match got == wanted {
        true => Ok(()),
        false => Err(format!("{what}: {got:?} instead of {wanted:?}")),
    }
}

fn shows(page: &str, part: &str) -> Result<(), String> {
    match page.contains(part) {
        true => Ok(()),
        false => Err(format!("`{part}` isn't in:\n{page}")),
    }
}
