//! Rows straight to bytes.

use std::hash::Hasher;

use rusqlite::types::ValueRef;
use rusqlite::{Result, Row};
use siphasher::sip::SipHasher24;

/// The columns of a post, in the order of its JSON.
pub(crate) const POST: &str = "p.id, p.user_id, p.title, p.body, p.status, p.score, p.created_at";
/// How many they are.
pub(crate) const POST_COLUMNS: usize = 7;
/// The columns of a user that are shown, in the order of its JSON.
pub(crate) const USER: &str = "u.id, u.username, u.about_me";

/// A post without its closing brace.
pub(crate) fn post(out: &mut Vec<u8>, row: &Row<'_>) -> Result<()> {
    const MEMBERS: [&str; POST_COLUMNS] = [
        "{\"id\":",
        ",\"author_id\":",
        ",\"title\":",
        ",\"body\":",
        ",\"status\":",
        ",\"score\":",
        ",\"created_at\":",
    ];
    for (column, member) in MEMBERS.iter().enumerate() {
        out.extend_from_slice(member.as_bytes());
        match row.get_ref(column)? {
            ValueRef::Text(text) if column == POST_COLUMNS - 1 => timestamp(out, text),
            cell => value(out, cell),
        }
    }
    Ok(())
}

/// A user whose columns begin at `first`.
pub(crate) fn user(out: &mut Vec<u8>, row: &Row<'_>, first: usize) -> Result<()> {
    for (step, member) in ["{\"id\":", ",\"username\":", ",\"about_me\":"]
        .iter()
        .enumerate()
    {
        out.extend_from_slice(member.as_bytes());
        value(out, row.get_ref(first + step)?);
    }
    out.push(b'}');
    Ok(())
}

fn value(out: &mut Vec<u8>, cell: ValueRef<'_>) {
    match cell {
        ValueRef::Integer(number) => integer(out, number),
        ValueRef::Text(bytes) => text(out, bytes),
        // No column of these tables holds anything else.
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => out.extend_from_slice(b"null"),
    }
}

/// A number.
pub(crate) fn integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `2026-01-31 12:00:00.000000` as RFC 3339, without the fraction's last zeros.
fn timestamp(out: &mut Vec<u8>, stored: &[u8]) {
    let end = match stored.iter().position(|byte| *byte == b'.') {
        Some(point) => {
            let kept = stored[point + 1..].iter().rposition(|byte| *byte != b'0');
            kept.map_or(point, |last| point + 2 + last)
        }
        None => stored.len(),
    };
    out.push(b'"');
    let start = out.len();
    out.extend_from_slice(&stored[..end]);
    if let Some(separator) = out.get_mut(start + 10) {
        *separator = b'T';
    }
    out.extend_from_slice(b"Z\"");
}

/// A text in quotes.
pub(crate) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut rest = bytes;
    while let Some(place) = escaped(rest) {
        out.extend_from_slice(&rest[..place]);
        match rest[place] {
            byte @ (b'"' | b'\\') => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            8 => out.extend(b"\\b"),
            12 => out.extend(b"\\f"),
            byte => {
                out.extend_from_slice(b"\\u00");
                out.extend([byte >> 4, byte & 15].map(|digit| HEX[usize::from(digit)]));
            }
        }
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// The first byte that JSON escapes, looked for eight at a time.
fn escaped(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let dirty = |chunk: &[u8; 8]| {
        let word = u64::from_le_bytes(*chunk);
        let equal = |byte: u8| (word ^ (ONES * u64::from(byte))).wrapping_sub(ONES);
        let control = word.wrapping_sub(ONES * 0x20);
        (control | equal(b'"') | equal(b'\\')) & !word & (ONES << 7) != 0
    };
    let (chunks, _) = bytes.as_chunks::<8>();
    let start = chunks.iter().position(dirty).unwrap_or(chunks.len()) * 8;
    let found = bytes[start..]
        .iter()
        .position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'));
    found.map(|place| start + place)
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Sixteen digits.
pub(crate) fn hex(out: &mut Vec<u8>, number: u64) {
    out.extend((0..16).map(|digit| HEX[(number >> (60 - 4 * digit)) as usize & 15]));
}

/// The keyed hash of the first columns of a row.
pub(crate) fn state(row: &Row<'_>, columns: usize, key: (u64, u64)) -> Result<u64> {
    let mut hasher = SipHasher24::new_with_keys(key.0, key.1);
    for column in 0..columns {
        match row.get_ref(column)? {
            ValueRef::Null => hasher.write_u8(0),
            ValueRef::Integer(number) => {
                hasher.write_u8(1);
                hasher.write_i64(number);
            }
            ValueRef::Real(number) => {
                hasher.write_u8(2);
                hasher.write_u64(number.to_bits());
            }
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                hasher.write_u8(3);
                hasher.write_u64(bytes.len() as u64);
                hasher.write(bytes);
            }
        }
    }
    Ok(hasher.finish())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_are_escaped_as_serde_does() {
        for sample in [
            "",
            "plain",
            "\"\\\u{8}\t\n\u{c}\r\u{1}\u{1f}/é\u{7f}",
            "ends in \"",
        ] {
            assert_eq!(
                written(|out| text(out, sample.as_bytes())),
                serde_json::to_string(sample).unwrap()
            );
        }
    }

    #[test]
    fn timestamps_lose_the_last_zeros_only() {
        for (stored, shown) in [
            ("2026-01-31 12:00:00.000000", "\"2026-01-31T12:00:00Z\""),
            ("2026-01-31 12:00:00.120300", "\"2026-01-31T12:00:00.1203Z\""),
            ("2026-01-31 12:00:00", "\"2026-01-31T12:00:00Z\""),
        ] {
            assert_eq!(written(|out| timestamp(out, stored.as_bytes())), shown);
        }
    }

    #[test]
    fn hex_has_sixteen_digits() {
        assert_eq!(written(|out| hex(out, 0xab)), "00000000000000ab");
    }
}
