//! What is asked of the collection, the SQL for it, and cursors.

use std::fmt::Write as _;
use std::hash::Hasher;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use siphasher::sip::SipHasher24;

use super::answer::Problem;
use crate::json;

/// What is asked of the collection; always newest first.
#[derive(Default)]
pub(super) struct Query<'a> {
    /// Posts of this author only.
    pub(super) author: Option<i64>,
    /// Posts of this status only.
    pub(super) status: Option<&'a str>,
    /// Authors within.
    pub(super) include: bool,
    /// Where the page begins.
    pub(super) place: Option<Place>,
    /// Items on the page.
    pub(super) limit: u32,
}

/// A place in the order: the last post seen.
pub(super) struct Place {
    /// As stored.
    pub(super) created_at: String,
    /// Its key.
    pub(super) id: i64,
}

impl<'a> Query<'a> {
    /// Reads a query string.
    pub(super) fn parse(text: &'a str, key: (u64, u64)) -> Result<Self, Problem> {
        let mut query = Self {
            limit: 20,
            ..Self::default()
        };
        let mut cursor = None;
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').ok_or(Problem::Parameter)? {
                ("author_id", value) => query.author = Some(value.parse().map_err(|_| Problem::Parameter)?),
                ("status", value @ ("draft" | "published")) => query.status = Some(value),
                ("include", "author") => query.include = true,
                ("sort", "-created_at") => {}
                ("limit", value) => query.limit = limit(value)?,
                ("cursor", value) => cursor = Some(value),
                _ => return Err(Problem::Parameter),
            }
        }
        if let Some(cursor) = cursor {
            query.place = Some(open(cursor, query.shape(), key).ok_or(Problem::Parameter)?);
        }
        Ok(query)
    }

    /// The hash of what a cursor is bound to.
    fn shape(&self) -> u64 {
        let mut hasher = SipHasher24::new();
        hasher.write_i64(self.author.unwrap_or(-1));
        hasher.write(self.status.unwrap_or_default().as_bytes());
        hasher.finish()
    }

    /// The cursor of a place.
    pub(super) fn cursor(&self, place: &Place, key: (u64, u64)) -> String {
        let mut bytes = vec![0; 8];
        bytes.extend(self.shape().to_le_bytes());
        bytes.extend(place.id.to_le_bytes());
        bytes.extend(place.created_at.as_bytes());
        let seal = seal(&bytes[8..], key);
        bytes[..8].copy_from_slice(&seal);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn limit(text: &str) -> Result<u32, Problem> {
    text.parse()
        .ok()
        .filter(|limit| (1..=100).contains(limit))
        .ok_or(Problem::Parameter)
}

fn open(cursor: &str, shape: u64, key: (u64, u64)) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (sealed, rest) = bytes.split_first_chunk::<8>()?;
    if *sealed != seal(rest, key) {
        return None;
    }
    let (bound, rest) = rest.split_first_chunk::<8>()?;
    let (id, created_at) = rest.split_first_chunk::<8>()?;
    let place = Place {
        created_at: String::from_utf8(created_at.to_vec()).ok()?,
        id: i64::from_le_bytes(*id),
    };
    (u64::from_le_bytes(*bound) == shape).then_some(place)
}

fn seal(bytes: &[u8], key: (u64, u64)) -> [u8; 8] {
    let mut hasher = SipHasher24::new_with_keys(key.0, key.1);
    hasher.write(bytes);
    hasher.finish().to_le_bytes()
}

/// A part of the order that one statement reads.
#[derive(Clone, Copy)]
pub(super) enum Segment {
    /// From the beginning.
    All,
    /// After the place, at its moment.
    Tie,
    /// After the place's moment.
    After,
}

/// The statements, by shape.
pub(super) struct Statements(Vec<String>);

impl Statements {
    /// Writes them all, once.
    pub(super) fn new() -> Self {
        let segments = [Segment::All, Segment::Tie, Segment::After];
        let shapes = segments
            .into_iter()
            .flat_map(|segment| (0..8).map(move |flags| (segment, flags)));
        Self(shapes.map(|(segment, flags)| sql(segment, flags)).collect())
    }

    /// The statement for one.
    pub(super) fn get(&self, query: &Query<'_>, segment: Segment) -> &str {
        let flags = usize::from(query.author.is_some())
            | usize::from(query.status.is_some()) << 1
            | usize::from(query.include) << 2;
        &self.0[segment as usize * 8 + flags]
    }
}

/// Parameters: 1 author, 2 status, 3 the caller, 4 and 5 the place, 6 the limit.
fn sql(segment: Segment, flags: u8) -> String {
    let mut sql = format!("SELECT {}", json::POST);
    if flags & 4 != 0 {
        let _ = write!(
            sql,
            ", {} FROM post p JOIN \"user\" u ON u.id = p.user_id",
            json::USER
        );
    } else {
        sql.push_str(" FROM post p");
    }
    // A plus keeps SQLite from the index on status, which would sort half the table.
    sql.push_str(" WHERE (+p.status = 'published' OR +p.user_id = ?3)");
    if flags & 1 != 0 {
        sql.push_str(" AND p.user_id = ?1");
    }
    if flags & 2 != 0 {
        sql.push_str(" AND +p.status = ?2");
    }
    sql.push_str(match segment {
        Segment::All => "",
        Segment::Tie => " AND p.created_at = ?4 AND p.id < ?5",
        Segment::After => " AND p.created_at < ?4",
    });
    sql.push_str(" ORDER BY p.created_at DESC, p.id DESC LIMIT ?6");
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_query_only() {
        let key = (1, 2);
        let query = Query {
            author: Some(7),
            ..Query::default()
        };
        let place = Place {
            created_at: "2026-01-31 12:00:00.000000".to_owned(),
            id: 9,
        };
        let cursor = query.cursor(&place, key);
        assert_eq!(open(&cursor, query.shape(), key).map(|place| place.id), Some(9));
        assert!(open(&cursor, Query::default().shape(), key).is_none());
        assert!(open(&cursor, query.shape(), (1, 3)).is_none());
    }
}
