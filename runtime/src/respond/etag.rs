//! Validators (RFC 9110, 8.8): an item's tag is `"state.representation"`, a collection's a weak hash of its body.

use axum::http::HeaderValue;
use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

/// An item's strong tag: the state of the row, and a hash of the body made of it.
pub fn item(state: u64, body: &[u8]) -> HeaderValue {
    tag("", &[state, xxh3_64(body)])
}

/// The strong tag of a document that is no item.
pub fn whole(body: &[u8]) -> HeaderValue {
    tag("", &[xxh3_64(body)])
}

/// A collection's weak tag.
pub fn collection(body: &[u8]) -> HeaderValue {
    tag("W/", &[xxh3_64(body)])
}

/// Numbers in hexadecimal digits, with points between.
fn tag(mark: &str, numbers: &[u64]) -> HeaderValue {
    let mut text = Vec::with_capacity(mark.len() + 1 + 17 * numbers.len());
    text.extend_from_slice(mark.as_bytes());
    for (place, number) in numbers.iter().enumerate() {
        text.push(if place == 0 { b'"' } else { b'.' });
        let digits = (0..16).rev().map(|digit| (number >> (4 * digit)) & 0xf);
        text.extend(digits.map(|digit| b"0123456789abcdef"[digit as usize]));
    }
    text.push(b'"');
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_all_their_digits() {
        assert_eq!(
            tag("", &[0xab, u64::MAX]),
            "\"00000000000000ab.ffffffffffffffff\""
        );
        assert_eq!(tag("W/", &[0x0123_4567_89ab_cdef]), "W/\"0123456789abcdef\"");
    }
}
