//! What differs between databases: the same functions in the same order, a file for each.

mod postgres;
mod sqlite;

use rest_schema::Function;

pub(crate) use postgres::LONGEST_NAME;
pub use postgres::numbered;

use crate::sql::{Bind, Statement};

/// The places where SQL isn't one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// SQLite.
    #[default]
    Sqlite,
    /// PostgreSQL, and what speaks as it does.
    Postgres,
}

/// Writes a part of a statement.
pub type Part<'a> = &'a dyn Fn(&mut Statement);

impl Dialect {
    /// ` IN` the members of a bound array; `of` is the type of the members where the database has to be told.
    pub fn in_array(self, out: &mut Statement, array: Bind, of: &str) {
        match self {
            Self::Sqlite => sqlite::in_array(out, array),
            Self::Postgres => postgres::in_array(out, array, of),
        }
    }

    /// A case-sensitive match of a bound pattern with wild cards.
    pub fn matches(self, out: &mut Statement, pattern: Bind) {
        match self {
            Self::Sqlite => sqlite::matches(out, pattern),
            Self::Postgres => postgres::matches(out, pattern),
        }
    }

    /// Whether a text contains another.
    pub fn contains(self, out: &mut Statement, value: Part<'_>, text: Bind) {
        match self {
            Self::Sqlite => sqlite::contains(out, value, text),
            Self::Postgres => postgres::contains(out, value, text),
        }
    }

    /// Whether a text begins with another, where no index could help.
    pub fn starts_with(self, out: &mut Statement, value: Part<'_>, text: &dyn Fn() -> Bind) {
        match self {
            Self::Sqlite => sqlite::starts_with(out, value, text),
            Self::Postgres => postgres::starts_with(out, value, text),
        }
    }

    /// Whether a text ends with another.
    pub fn ends_with(self, out: &mut Statement, value: Part<'_>, text: &dyn Fn() -> Bind) {
        match self {
            Self::Sqlite => sqlite::ends_with(out, value, text),
            Self::Postgres => postgres::ends_with(out, value, text),
        }
    }

    /// A text with its ASCII letters in lower case.
    pub fn folded(self, out: &mut Statement, value: Part<'_>) {
        match self {
            Self::Sqlite => sqlite::call(out, Function::Lower, value),
            Self::Postgres => postgres::call(out, Function::Lower, value),
        }
    }

    /// A condition that most rows satisfy, said to a planner that may have no statistics.
    pub fn usual(self, out: &mut Statement, condition: Part<'_>) {
        match self {
            Self::Sqlite => sqlite::usual(out, condition),
            Self::Postgres => condition(out),
        }
    }

    /// A function of its arguments, which are written with commas between.
    pub fn call(self, out: &mut Statement, function: Function, arguments: Part<'_>) {
        match self {
            Self::Sqlite => sqlite::call(out, function, arguments),
            Self::Postgres => postgres::call(out, function, arguments),
        }
    }

    /// The members of a bound array as rows `j`: the place is [`Dialect::place_of_key`], the values are
    /// [`Dialect::part_of_key`]. `types` are those of the parts of a key.
    pub fn keys(self, out: &mut Statement, types: &[&str]) {
        match self {
            Self::Sqlite => sqlite::keys(out),
            Self::Postgres => postgres::keys(out, types),
        }
    }

    /// The values of a column, in the order in which they come, as a JSON array; empty where there are none.
    pub fn array(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_group_array({column})"),
            Self::Postgres => format!("coalesce(jsonb_agg({column}), '[]')"),
        }
    }

    /// A name that we choose, no longer than the database keeps names apart by.
    pub fn shortened(self, name: String) -> String {
        match self {
            Self::Sqlite => name,
            Self::Postgres => postgres::shortened(name),
        }
    }

    /// The place of a member of `j`, from 0.
    pub fn place_of_key(self) -> &'static str {
        match self {
            Self::Sqlite => "j.key",
            Self::Postgres => "(j.key - 1)",
        }
    }

    /// A part of a member of `j`, of so many.
    pub fn part_of_key(self, out: &mut Statement, part: usize, parts: usize) {
        match self {
            Self::Sqlite => sqlite::part_of_key(out, part, parts),
            Self::Postgres => postgres::part_of_key(out, part),
        }
    }
}
