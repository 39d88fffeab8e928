//! The rows: users and their posts, the same in every database.

use std::io::Write;
use std::path::Path;

use rusqlite::{Connection, Result, params};

/// Users.
pub(super) const USERS: i64 = 1_000;
/// Posts, of random users, where nobody says how many.
pub(super) const POSTS: i64 = 100_000;
/// The name of the user who signs in.
pub(super) const USERNAME: &str = "user1";
/// His password.
pub(super) const PASSWORD: &str = "a password for the benchmark";
/// As Werkzeug would keep it: one round, for nothing here is secret.
const PASSWORD_HASH: &str =
    "pbkdf2:sha256:1$benchsalt$3f82eb72ee62c2671547143066bfa569cef924470ef36785fcd27bc00b01098d";

/// A post's values, by its id.
struct Post {
    user: i64,
    title: String,
    body: String,
    status: &'static str,
    score: i64,
    created_at: String,
}

impl Post {
    fn new(id: i64) -> Self {
        let random = scramble(id);
        Self {
            user: user_of(id),
            title: format!("The title of post {id}"),
            body: body(random),
            status: if is_published(id) { "published" } else { "draft" },
            score: random >> 40 & 1023,
            created_at: created_at(id),
        }
    }
}

/// Whether everybody may see a post.
pub(super) fn is_published(id: i64) -> bool {
    scramble(id) >> 32 & 15 != 0
}

/// Whose it is.
pub(super) fn user_of(id: i64) -> i64 {
    scramble(id) % USERS + 1
}

/// Fills tables that are there and empty.
pub(super) fn load(database: &Path, posts: i64) -> Result<()> {
    let mut connection = Connection::open(database)?;
    // Nothing is lost where it is made anew: neither a log nor the disk is waited for.
    connection.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut user =
            transaction.prepare("INSERT INTO \"user\" (id, username, password_hash) VALUES (?1, ?2, ?3)")?;
        for id in 1..=USERS {
            user.execute(params![id, format!("user{id}"), PASSWORD_HASH])?;
        }
        let mut insert = transaction.prepare(
            "INSERT INTO post (id, user_id, title, body, status, score, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for id in 1..=posts {
            let post = Post::new(id);
            insert.execute(params![
                id,
                post.user,
                post.title,
                post.body,
                post.status,
                post.score,
                post.created_at
            ])?;
        }
    }
    transaction.commit()?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
}

/// The rows as PostgreSQL's COPY reads them: users, and posts.
pub(super) fn copies(users: &mut impl Write, posts: &mut impl Write, count: i64) -> std::io::Result<()> {
    for id in 1..=USERS {
        writeln!(users, "{id}\tuser{id}\t{PASSWORD_HASH}")?;
    }
    for id in 1..=count {
        let post = Post::new(id);
        let body = post.body.replace('\n', "\\n");
        let (user, title, score, created_at) = (post.user, &post.title, post.score, &post.created_at);
        writeln!(
            posts,
            "{id}\t{user}\t{title}\t{body}\t{}\t{score}\t{created_at}Z",
            post.status
        )?;
    }
    users.flush()?;
    posts.flush()
}

/// A number of 63 bits that looks random (splitmix64).
pub(super) fn scramble(number: i64) -> i64 {
    let mut bits = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 1) as i64
}

/// 200 characters in words, a few of which JSON must escape.
fn body(random: i64) -> String {
    const WORDS: &[&str; 32] = &[
        "a",
        "schema",
        "goes",
        "in,",
        "a",
        "service",
        "comes",
        "out:",
        "rows",
        "become",
        "bytes",
        "and",
        "links",
        "\"quoted\"",
        "words",
        "are",
        "rare,",
        "new\nlines",
        "too",
        "while",
        "most",
        "of",
        "what",
        "people",
        "write",
        "is",
        "plain",
        "text",
        "with",
        "some",
        "é",
        "inside",
    ];
    let mut text = String::with_capacity(220);
    let mut random = random;
    while text.chars().count() < 200 {
        text.push_str(WORDS[(random & 31) as usize]);
        text.push(' ');
        random = random.rotate_right(5);
    }
    text.chars().take(200).collect()
}

/// One post a minute, in months of 28 days.
fn created_at(id: i64) -> String {
    let (day, minute) = (id / 1_440, id % 1_440);
    let (month, day) = (day / 28, day % 28 + 1);
    format!(
        "{}-{:02}-{day:02} {:02}:{:02}:00.{:06}",
        2025 + month / 12,
        month % 12 + 1,
        minute / 60,
        minute % 60,
        scramble(id) % 1_000_000
    )
}
