//! Validators (RFC 9110, 8.8): an item's tag is `"state.representation"`, a collection's a weak hash of its body.

use axum::http::HeaderValue;
use xxhash_rust::xxh3::xxh3_64;

/// An item's strong tag: the state of the row, and a hash of the body made of it.
pub fn item(state: u64, body: &[u8]) -> HeaderValue {
    tag(&format!("\"{state:016x}.{:016x}\"", xxh3_64(body)))
}

/// The strong tag of a document that is no item.
pub fn whole(body: &[u8]) -> HeaderValue {
    tag(&format!("\"{:016x}\"", xxh3_64(body)))
}

/// A collection's weak tag.
pub fn collection(body: &[u8]) -> HeaderValue {
    tag(&format!("W/\"{:016x}\"", xxh3_64(body)))
}

fn tag(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}
