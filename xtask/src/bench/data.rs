//! The rows: users and their posts, the same in every database.

use std::path::Path;

use rusqlite::{Connection, Result, params};

/// Users.
pub(super) const USERS: i64 = 1_000;
/// Posts, of random users.
pub(super) const POSTS: i64 = 100_000;
/// The name of the user who signs in.
pub(super) const USERNAME: &str = "user1";
/// His password.
pub(super) const PASSWORD: &str = "a password for the benchmark";
/// As Werkzeug would keep it: one round, for nothing here is secret.
const PASSWORD_HASH: &str =
    "pbkdf2:sha256:1$benchsalt$3f82eb72ee62c2671547143066bfa569cef924470ef36785fcd27bc00b01098d";

/// Fills tables that are there and empty.
pub(super) fn load(database: &Path) -> Result<()> {
    let mut connection = Connection::open(database)?;
    let transaction = connection.transaction()?;
    {
        let mut user =
            transaction.prepare("INSERT INTO \"user\" (id, username, password_hash) VALUES (?1, ?2, ?3)")?;
        for id in 1..=USERS {
            user.execute(params![id, format!("user{id}"), PASSWORD_HASH])?;
        }
        let mut post = transaction.prepare(
            "INSERT INTO post (id, user_id, title, body, status, score, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for id in 1..=POSTS {
            let random = scramble(id);
            let status = if random >> 32 & 15 == 0 {
                "draft"
            } else {
                "published"
            };
            let user = random % USERS + 1;
            let title = format!("The title of post {id}");
            let score = random >> 40 & 1023;
            post.execute(params![
                id,
                user,
                title,
                body(random),
                status,
                score,
                created_at(id)
            ])?;
        }
    }
    transaction.commit()?;
    // Everything into the file, so that all servers begin alike.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
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

/// One post a minute.
fn created_at(id: i64) -> String {
    let (day, minute) = (id / 1_440, id % 1_440);
    let (month, day) = (day / 28 + 1, day % 28 + 1);
    format!(
        "2025-{month:02}-{day:02} {:02}:{:02}:00.{:06}",
        minute / 60,
        minute % 60,
        scramble(id) % 1_000_000
    )
}
