//! What differs between databases: the same functions in the same order, a file for each.

mod sqlite;

pub use sqlite::Sqlite;

use rest_schema::Function;

use crate::sql::{Bind, Statement};

/// The places where SQL isn't one language.
pub trait Dialect {
    /// ` IN` the members of a bound JSON array.
    fn in_array(out: &mut Statement, array: Bind);
    /// A case-sensitive match of a bound pattern with wild cards.
    fn matches(out: &mut Statement, pattern: Bind);
    /// Whether a text contains another.
    fn contains(out: &mut Statement, value: &dyn Fn(&mut Statement), text: Bind);
    /// Whether a text begins with another, where no index could help.
    fn starts_with(out: &mut Statement, value: &dyn Fn(&mut Statement), text: &dyn Fn() -> Bind);
    /// Whether a text ends with another.
    fn ends_with(out: &mut Statement, value: &dyn Fn(&mut Statement), text: &dyn Fn() -> Bind);
    /// A condition that most rows satisfy, said to a planner that may have no statistics.
    fn usual(out: &mut Statement, condition: &dyn Fn(&mut Statement));
    /// The name of a function.
    fn function(function: Function) -> &'static str;
    /// The members of a bound JSON array as rows `j`: their place and their value.
    fn keys(out: &mut Statement, keys: Bind);
    /// A part of a composite member of `j`.
    fn part_of_key(out: &mut Statement, part: usize);
}
