//! CSV (RFC 4180): lines that end with CR LF, a text in quotes where it has to be.
//!
//! NULL is an empty cell, an empty text `""`. A text that a spreadsheet would take for a formula has a `'` in front:
//! what others have written is opened there by people who trust the service. Numbers can't be formulas and stay as they
//! are.

use super::Writing;

/// Rows as lines of CSV.
#[derive(Debug)]
pub struct Csv;

impl Csv {
    /// The line with the names of the fields.
    pub fn header<'n>(names: impl Iterator<Item = &'n str>, out: &mut Vec<u8>) {
        for (place, name) in names.enumerate() {
            Self::member(out, place == 0, b"");
            Self::text(out, name);
        }
        Self::end(out);
    }

    fn quoted(out: &mut Vec<u8>, bytes: &[u8]) {
        out.push(b'"');
        for part in bytes.split_inclusive(|byte| *byte == b'"') {
            out.extend_from_slice(part);
            if part.ends_with(b"\"") {
                out.push(b'"');
            }
        }
        out.push(b'"');
    }
}

impl Writing for Csv {
    fn null(_: &mut Vec<u8>) {}

    fn bare(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        write(out);
    }

    fn plain(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        write(out);
    }

    fn text(out: &mut Vec<u8>, text: &str) {
        let bytes = text.as_bytes();
        let is_formula = matches!(bytes.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'));
        let needs_quotes = |byte: &u8| matches!(byte, b'"' | b',' | b'\r' | b'\n');
        if bytes.is_empty() || bytes.iter().any(needs_quotes) {
            let start = out.len();
            Self::quoted(out, bytes);
            if is_formula {
                out.insert(start + 1, b'\'');
            }
        } else {
            if is_formula {
                out.push(b'\'');
            }
            out.extend_from_slice(bytes);
        }
    }

    fn document(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        write(out);
        if out[start..].iter().any(|byte| matches!(byte, b'"' | b',')) {
            let document = out.split_off(start);
            Self::quoted(out, &document);
        }
    }

    fn begin(_: &mut Vec<u8>) {}

    fn member(out: &mut Vec<u8>, is_first: bool, _: &[u8]) {
        if !is_first {
            out.push(b',');
        }
    }

    fn absent(out: &mut Vec<u8>, is_first: bool) -> bool {
        Self::member(out, is_first, b"");
        true
    }

    fn end(out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::{Csv, Writing};

    fn text(text: &str) -> String {
        let mut out = Vec::new();
        Csv::text(&mut out, text);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_text_is_quoted_where_it_has_to_be() {
        for (given, written) in [
            ("", "\"\""),
            ("plain text", "plain text"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("\"", "\"\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("ä;\u{2028}", "ä;\u{2028}"),
        ] {
            assert_eq!(text(given), written);
        }
    }

    #[test]
    fn no_text_is_a_formula() {
        for (given, written) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-x", "'-x"),
            ("@a", "'@a"),
            ("\ta", "'\ta"),
            ("\ra", "\"'\ra\""),
            ("=A(1,2)", "\"'=A(1,2)\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
            ("a=1", "a=1"),
        ] {
            assert_eq!(text(given), written);
        }
    }

    #[test]
    fn a_document_is_one_cell() {
        let mut out = b"1,".to_vec();
        Csv::document(&mut out, |out| out.extend_from_slice(b"{\"a\":[1,2]}"));
        out.push(b',');
        Csv::document(&mut out, |out| out.extend_from_slice(b"-5"));
        assert_eq!(out, b"1,\"{\"\"a\"\":[1,2]}\",-5");
    }
}
