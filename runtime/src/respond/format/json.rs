//! JSON (RFC 8259).

use super::Writing;
use crate::codec::json_text;

/// Rows as JSON objects.
#[derive(Debug)]
pub struct Json;

impl Writing for Json {
    fn null(out: &mut Vec<u8>) {
        out.extend_from_slice(b"null");
    }

    fn bare(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        write(out);
    }

    fn plain(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        out.push(b'"');
        write(out);
        out.push(b'"');
    }

    fn text(out: &mut Vec<u8>, text: &str) {
        json_text::write_string(text, out);
    }

    fn document(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        write(out);
    }

    fn begin(out: &mut Vec<u8>) {
        out.push(b'{');
    }

    fn member(out: &mut Vec<u8>, is_first: bool, name: &[u8]) {
        if !is_first {
            out.push(b',');
        }
        out.extend_from_slice(name);
    }

    fn absent(_: &mut Vec<u8>, _: bool) -> bool {
        false
    }

    fn end(out: &mut Vec<u8>) {
        out.push(b'}');
    }
}
