//! Who asks: a Bearer token looked up by query, then the account by its key.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Result};
use sha2::{Digest, Sha256};

/// What a request says about its caller.
pub(crate) enum Credentials {
    /// Nothing.
    None,
    /// The hash of a token.
    Token([u8; 32]),
}

/// Reads the header; `None` where it holds anything but a Bearer token.
pub(crate) fn credentials(header: Option<&[u8]>) -> Option<Credentials> {
    match header {
        None => Some(Credentials::None),
        Some(value) => value
            .strip_prefix(b"Bearer ")
            .map(|token| Credentials::Token(hash(token))),
    }
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The account behind the credentials: `None` for a token that isn't valid, `Some(None)` for an anonymous caller.
pub(crate) fn caller(connection: &Connection, credentials: &Credentials) -> Result<Option<Option<i64>>> {
    let Credentials::Token(hash) = credentials else {
        return Ok(Some(None));
    };
    let account: Option<i64> = connection
        .prepare_cached("SELECT user_id FROM token WHERE hash = ?1 AND expires_at > ?2")?
        .query_row((hash.as_slice(), seconds()), |row| row.get(0))
        .optional()?;
    let Some(account) = account else { return Ok(None) };
    connection
        .prepare_cached("SELECT id FROM \"user\" WHERE id = ?1")?
        .query_row([account], |row| row.get(0))
        .optional()
        .map(|account: Option<i64>| account.map(Some))
}

/// Makes a token valid for a day.
pub(crate) fn keep(connection: &Connection, token: &str, user: i64) -> Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO token (hash, user_id, expires_at) VALUES (?1, ?2, ?3)",
            (hash(token.as_bytes()).as_slice(), user, seconds() + 86_400),
        )
        .map(drop)
}

fn seconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}
