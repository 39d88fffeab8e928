//! PostgreSQL.
//!
//! Texts compare and sort by their bytes (`COLLATE "C"`), which is the order of code points and SQLite's; letters fold as
//! ASCII does. A parameter has the type of what it meets; where it meets nothing, it is told.

use rest_schema::Function;

use super::Part;
use crate::sql::{Bind, Statement, TextForm, constants};

pub(super) fn in_array(out: &mut Statement, array: Bind, of: &str) {
    out.push(" = ANY(").bind(array).push("::").push(of).push("[])");
}

pub(super) fn matches(out: &mut Statement, pattern: Bind) {
    let pattern = match pattern {
        Bind::Slot(slot) => Bind::Text(slot, TextForm::Like),
        other => other,
    };
    out.push("::text LIKE ").bind(pattern);
}

pub(super) fn contains(out: &mut Statement, value: Part<'_>, text: Bind) {
    out.push("strpos(");
    value(out);
    out.push("::text, ").bind(text).push(") > 0");
}

pub(super) fn starts_with(out: &mut Statement, value: Part<'_>, text: &dyn Fn() -> Bind) {
    out.push("starts_with(");
    value(out);
    out.push("::text, ").bind(text()).push(")");
}

pub(super) fn ends_with(out: &mut Statement, value: Part<'_>, text: &dyn Fn() -> Bind) {
    out.push("right(");
    value(out);
    out.push("::text, char_length(")
        .bind(text())
        .push("::text)) = ")
        .bind(text());
}

pub(super) fn call(out: &mut Statement, function: Function, arguments: Part<'_>) {
    let (before, after) = match function {
        Function::Coalesce => ("coalesce(", ")"),
        Function::Lower => ("lower((", ")::text COLLATE \"C\")"),
        Function::Upper => ("upper((", ")::text COLLATE \"C\")"),
        Function::Length => ("char_length((", ")::text)"),
        Function::Slug => (
            "trim(both '-' from regexp_replace(lower((",
            ")::text COLLATE \"C\"), '[^a-z0-9]+', '-', 'g'))",
        ),
    };
    out.push(before);
    arguments(out);
    out.push(after);
}

pub(super) fn keys(out: &mut Statement, types: &[&str]) {
    out.push("unnest(");
    for (place, of) in (0u16..).zip(types) {
        out.push(if place == 0 { "" } else { ", " })
            .bind(Bind::Keys(place))
            .push("::")
            .push(of)
            .push("[]");
    }
    out.push(") WITH ORDINALITY j (");
    for part in 0..types.len() {
        out.push("k").push(itoa::Buffer::new().format(part)).push(", ");
    }
    out.push("key)");
}

pub(super) fn part_of_key(out: &mut Statement, part: usize) {
    out.push("j.k").push(itoa::Buffer::new().format(part));
}

/// Bytes of a name; what is longer is cut off.
pub(crate) const LONGEST_NAME: usize = 63;

pub(super) fn shortened(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let hash = xxhash_rust::xxh3::xxh3_64(name.as_bytes());
    let kept = name.floor_char_boundary(LONGEST_NAME - 9);
    format!("{}_{:08x}", &name[..kept], hash >> 32)
}

/// A statement's text with its parameters as PostgreSQL counts them, `$1`, `$2`, ….
pub fn numbered(text: &str) -> String {
    let mut number = 0;
    constants(text, &mut || {
        number += 1;
        format!("${number}")
    })
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn a_name_that_is_too_long_ends_with_what_tells_it_from_others() {
        assert_eq!(super::shortened("ix_a_b".to_owned()), "ix_a_b");
        let (one, two) = ("é".repeat(40) + "a", "é".repeat(40) + "b");
        let (one, two) = (super::shortened(one), super::shortened(two));
        assert!(one.len() <= 63 && one != two, "{one}");
    }

    #[test]
    fn parameters_are_numbered_and_names_are_not_touched() {
        assert_eq!(
            numbered("SELECT t0.\"a?\"\"b?\", '?''?' FROM t WHERE a = ? AND b = ?::text"),
            "SELECT t0.\"a?\"\"b?\", '?''?' FROM t WHERE a = $1 AND b = $2::text"
        );
    }
}
