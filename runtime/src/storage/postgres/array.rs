//! Arrays as they travel, and the JSON that they are here.

use tokio_postgres::types::{IsNull, Kind, Type};

use super::binary::{self, Kept, Unfit, kept};
use crate::cell::Cell;

/// Appends an array as JSON, whose members are those of this type; `None` where it is malformed.
pub(super) fn read(member: &Type, bytes: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let mut rest = bytes;
    let dimensions = integer(&mut rest)?;
    // Whether there are NULLs, and the members' type, which is known.
    integer(&mut rest)?;
    integer(&mut rest)?;
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        lengths.push(integer(&mut rest)?);
        // Where it begins to count.
        integer(&mut rest)?;
    }
    if lengths.is_empty() {
        text.extend_from_slice(b"[]");
        return Some(());
    }
    read_dimension(&lengths, member, &mut rest, text)
}

fn read_dimension(lengths: &[i32], member: &Type, rest: &mut &[u8], text: &mut Vec<u8>) -> Option<()> {
    let Some((length, inner)) = lengths.split_first() else {
        return read_member(member, rest, text);
    };
    text.push(b'[');
    for place in 0..*length {
        if place > 0 {
            text.push(b',');
        }
        read_dimension(inner, member, rest, text)?;
    }
    text.push(b']');
    Some(())
}

fn read_member(member: &Type, rest: &mut &[u8], text: &mut Vec<u8>) -> Option<()> {
    let Ok(length) = usize::try_from(integer(rest)?) else {
        text.extend_from_slice(b"null");
        return Some(());
    };
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    let mut written = Vec::new();
    let quoted = match kept(member, bytes, &mut written)? {
        Kept::Integer(value) if *member == Type::BOOL => {
            text.extend_from_slice(if value == 0 { b"false" } else { b"true" });
            return Some(());
        }
        Kept::Integer(value) => return serde_json::to_writer(text, &value).ok(),
        Kept::Real(value) => return serde_json::to_writer(text, &value).ok(),
        Kept::Text(from) => bytes.get(from..)?,
        Kept::Written(range) => &written[range],
        Kept::Null | Kept::Blob => return None,
    };
    serde_json::to_writer(text, std::str::from_utf8(quoted).ok()?).ok()
}

fn integer(bytes: &mut &[u8]) -> Option<i32> {
    let (first, after) = bytes.split_first_chunk()?;
    *bytes = after;
    Some(i32::from_be_bytes(*first))
}

/// The members of a list that is bound as a JSON array.
pub(super) fn members(list: &str) -> Result<Vec<Cell>, Unfit> {
    use serde_json::Value;
    let member = |value| match value {
        Value::Null => Ok(Cell::Null),
        Value::Bool(flag) => Ok(Cell::Integer(flag.into())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(Cell::Integer(integer)),
            (None, Some(real)) => Ok(Cell::Real(real)),
            (None, None) => Err(Unfit),
        },
        Value::String(text) => Ok(Cell::Text(text)),
        Value::Array(_) | Value::Object(_) => Err(Unfit),
    };
    let all: Vec<Value> = serde_json::from_str(list).map_err(|_| Unfit)?;
    all.into_iter().map(member).collect()
}

/// Writes an array of one dimension.
pub(super) fn write<'c>(
    members: impl ExactSizeIterator<Item = &'c Cell>,
    of: &Type,
    out: &mut Vec<u8>,
) -> Result<IsNull, Unfit> {
    let Kind::Array(member) = of.kind() else {
        return Err(Unfit);
    };
    let count = i32::try_from(members.len()).map_err(|_| Unfit)?;
    out.extend_from_slice(&i32::from(count > 0).to_be_bytes());
    // Whether a member is NULL; that it may be is enough.
    out.extend_from_slice(&1i32.to_be_bytes());
    out.extend_from_slice(&member.oid().to_be_bytes());
    if count > 0 {
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&1i32.to_be_bytes());
    }
    for cell in members {
        let start = out.len();
        out.extend_from_slice(&(-1i32).to_be_bytes());
        if matches!(binary::write(cell, member, out)?, IsNull::No) {
            let length = i32::try_from(out.len() - start - 4).map_err(|_| Unfit)?;
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(IsNull::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(json: &str, of: &Type, member: &Type) -> String {
        let (mut bytes, mut text) = (Vec::new(), Vec::new());
        let cells = members(json).ok().expect("a list");
        assert!(write(cells.iter(), of, &mut bytes).is_ok(), "{json}");
        read(member, &bytes, &mut text).expect("an array");
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn members_of_every_kind_that_a_document_has() {
        for (json, of, member) in [
            ("[]", &Type::TEXT_ARRAY, &Type::TEXT),
            ("[\"a\",null,\"\\\"ä\\n\"]", &Type::TEXT_ARRAY, &Type::TEXT),
            ("[1,-2,null]", &Type::INT4_ARRAY, &Type::INT4),
            ("[9007199254740993]", &Type::INT8_ARRAY, &Type::INT8),
            ("[true,false]", &Type::BOOL_ARRAY, &Type::BOOL),
            ("[0.1,1e+22]", &Type::FLOAT8_ARRAY, &Type::FLOAT8),
            ("[\"1.50\"]", &Type::NUMERIC_ARRAY, &Type::NUMERIC),
            ("[\"2026-02-28\"]", &Type::DATE_ARRAY, &Type::DATE),
        ] {
            assert_eq!(there_and_back(json, of, member), json);
        }
    }

    #[test]
    fn what_is_no_list_of_scalars_is_refused() {
        assert!(members("{}").is_err() && members("[[1]]").is_err());
        let mut bytes = Vec::new();
        assert!(write([Cell::Text("x".into())].iter(), &Type::INT4_ARRAY, &mut bytes).is_err());
        assert_eq!(read(&Type::INT4, &[0, 0], &mut Vec::new()), None);
    }
}
