//! JSON as bytes: strings written, documents copied without their white space.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How a JSON document that is copied separates its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// `{"a":1,"b":2}`
    Compact,
    /// `{"a": 1, "b": 2}`, as Python's `json.dumps` does.
    Python,
}

/// Writes a JSON string, quotes and escapes included.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut rest = bytes;
    while let Some(place) = first_to_escape(rest) {
        out.extend_from_slice(&rest[..place]);
        write_escape(rest[place], out);
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// The place of the first byte that a JSON string may not hold as it is. Eight bytes at a time: texts without any
/// are the usual case.
fn first_to_escape(bytes: &[u8]) -> Option<usize> {
    let (chunks, _) = bytes.as_chunks::<8>();
    let clean = chunks
        .iter()
        .take_while(|chunk| !holds_escape(u64::from_le_bytes(**chunk)))
        .count();
    let start = clean * 8;
    bytes[start..]
        .iter()
        .position(|&byte| must_escape(byte))
        .map(|place| start + place)
}

fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn holds_escape(word: u64) -> bool {
    let below_space = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    // A borrow may mark a clean byte above a dirty one, never a word that is clean throughout.
    (below_space | quote | backslash) & !word & HIGHS != 0
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Whether a text is one JSON document.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Copies a valid JSON document with other white space between its parts; its strings and numbers stay as they are.
pub(crate) fn copy(document: &str, spacing: Spacing, out: &mut Vec<u8>) {
    out.reserve(document.len());
    let mut in_string = false;
    let mut escaped = false;
    for &byte in document.as_bytes() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            continue;
        }
        out.push(byte);
        in_string = byte == b'"';
        if spacing == Spacing::Python && matches!(byte, b',' | b':') {
            out.push(b' ');
        }
    }
}

/// [`copy`] into a new string.
pub(crate) fn copied(document: &str, spacing: Spacing) -> String {
    let mut out = Vec::new();
    copy(document, spacing, &mut out);
    // Only whole ASCII bytes were taken out or put in, so this is UTF-8 as before.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Spacing, copied, write_string};

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn strings_are_escaped() {
        assert_eq!(written(""), r#""""#);
        assert_eq!(
            written("plain text of some length"),
            r#""plain text of some length""#
        );
        assert_eq!(
            written("a\"b\\c\n\u{1}é\u{7f}"),
            "\"a\\\"b\\\\c\\n\\u0001é\u{7f}\""
        );
        assert_eq!(written("12345678\"2345678"), r#""12345678\"2345678""#);
    }

    #[test]
    fn white_space_goes_only_between_parts() {
        let document = "{ \"a b\" : [1 ,\n 2.50, \"x \\\" , : y\"],\t\"c\":null }";
        assert_eq!(
            copied(document, Spacing::Compact),
            r#"{"a b":[1,2.50,"x \" , : y"],"c":null}"#
        );
        assert_eq!(
            copied(document, Spacing::Python),
            r#"{"a b": [1, 2.50, "x \" , : y"], "c": null}"#
        );
    }

    proptest! {
        #[test]
        fn any_string_reads_back(text in "(?s).{0,64}") {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).expect("JSON"), text);
        }

        #[test]
        fn any_bytes_are_found(prefix in "[ -!#-\\[\\]-~é]{0,24}", control in 0u8..0x20) {
            let text = format!("{prefix}{}", char::from(control));
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).expect("JSON"), text);
        }
    }
}
