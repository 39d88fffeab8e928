//! SQLite.

use rest_schema::Function;

use super::Dialect;
use crate::sql::{Bind, Statement};

/// SQLite.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Dialect for Sqlite {
    fn in_array(out: &mut Statement, array: Bind) {
        out.push(" IN (SELECT value FROM json_each(")
            .bind(array)
            .push("))");
    }

    fn matches(out: &mut Statement, pattern: Bind) {
        out.push(" GLOB ").bind(pattern);
    }

    fn contains(out: &mut Statement, value: &dyn Fn(&mut Statement), text: Bind) {
        out.push("instr(");
        value(out);
        out.push(", ").bind(text).push(") > 0");
    }

    fn starts_with(out: &mut Statement, value: &dyn Fn(&mut Statement), text: &dyn Fn() -> Bind) {
        out.push("substr(");
        value(out);
        out.push(", 1, length(").bind(text()).push(")) = ").bind(text());
    }

    fn ends_with(out: &mut Statement, value: &dyn Fn(&mut Statement), text: &dyn Fn() -> Bind) {
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

    fn usual(out: &mut Statement, condition: &dyn Fn(&mut Statement)) {
        out.push("likely");
        condition(out);
    }

    fn function(function: Function) -> &'static str {
        match function {
            Function::Coalesce => "coalesce",
            Function::Lower => "lower",
            Function::Upper => "upper",
            Function::Length => "length",
            Function::Slug => "rest_slug",
        }
    }

    fn keys(out: &mut Statement, keys: Bind) {
        out.push("json_each(").bind(keys).push(") j");
    }

    fn part_of_key(out: &mut Statement, part: usize) {
        out.push("json_extract(j.value, '$[")
            .push(itoa::Buffer::new().format(part))
            .push("]')");
    }
}
