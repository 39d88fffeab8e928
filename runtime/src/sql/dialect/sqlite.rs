//! SQLite.

use rest_schema::Function;

use super::Part;
use crate::sql::{Bind, Statement};

pub(super) fn in_array(out: &mut Statement, array: Bind) {
    out.push(" IN (SELECT value FROM json_each(")
        .bind(array)
        .push("))");
}

pub(super) fn matches(out: &mut Statement, pattern: Bind) {
    out.push(" GLOB ").bind(pattern);
}

pub(super) fn contains(out: &mut Statement, value: Part<'_>, text: Bind) {
    out.push("instr(");
    value(out);
    out.push(", ").bind(text).push(") > 0");
}

pub(super) fn starts_with(out: &mut Statement, value: Part<'_>, text: &dyn Fn() -> Bind) {
    out.push("substr(");
    value(out);
    out.push(", 1, length(").bind(text()).push(")) = ").bind(text());
}

pub(super) fn ends_with(out: &mut Statement, value: Part<'_>, text: &dyn Fn() -> Bind) {
    // substr(x, -0) would be all of x.
    out.push("(length(").bind(text()).push(") = 0 AND ");
    value(out);
    out.push(" IS NOT NULL OR substr(");
    value(out);
    out.push(", -length(")
        .bind(text())
        .push(")) = ")
        .bind(text())
        .push(")");
}

pub(super) fn usual(out: &mut Statement, condition: Part<'_>) {
    out.push("likely");
    condition(out);
}

pub(super) fn call(out: &mut Statement, function: Function, arguments: Part<'_>) {
    out.push(match function {
        Function::Coalesce => "coalesce(",
        Function::Lower => "lower(",
        Function::Upper => "upper(",
        Function::Length => "length(",
        Function::Slug => "rest_slug(",
    });
    arguments(out);
    out.push(")");
}

pub(super) fn keys(out: &mut Statement) {
    out.push("json_each(").bind(Bind::Keys(0)).push(") j");
}

pub(super) fn part_of_key(out: &mut Statement, part: usize, parts: usize) {
    if parts == 1 {
        out.push("j.value");
        return;
    }
    out.push("json_extract(j.value, '$[")
        .push(itoa::Buffer::new().format(part))
        .push("]')");
}
