//! Whose table a column stands in, and what SQLite makes of the type it was declared with.

use super::ColumnType;

/// How a column's values are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Form {
    /// In the forms of a table that we made (`STRICT`).
    #[default]
    Ours,
    /// In the forms that SQLAlchemy writes, which the column's declared type tells apart.
    Foreign {
        /// The type as the table's owner declared it, `VARCHAR(36)`; empty where there is none.
        declared: String,
    },
    /// By a type of PostgreSQL's, whoever made the table.
    Native(ColumnType),
}

impl Form {
    /// A column of another program's table.
    pub fn foreign(declared: &str) -> Self {
        Self::Foreign {
            declared: declared.to_owned(),
        }
    }
}

/// What SQLite does to values that a column is given (its documentation, "Datatypes", section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// Numbers become integers where nothing is lost.
    Integer,
    /// Numbers become text.
    Text,
    /// Everything stays as it is.
    Blob,
    /// Integers become doubles.
    Real,
    /// As `Integer`; what `NUMERIC`, `DATETIME`, `BOOLEAN` and all unknown words get.
    Numeric,
}

impl Affinity {
    /// The affinity of a declared type.
    pub fn of(declared: &str) -> Self {
        let upper = declared.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if upper.is_empty() || has(&["BLOB"]) {
            Self::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Affinity;

    #[test]
    fn affinities_are_those_of_sqlite() {
        for (declared, affinity) in [
            ("INTEGER", Affinity::Integer),
            ("bigint", Affinity::Integer),
            ("CHARINT", Affinity::Integer),
            ("VARCHAR(64)", Affinity::Text),
            ("TEXT", Affinity::Text),
            ("", Affinity::Blob),
            ("BLOB", Affinity::Blob),
            ("FLOAT", Affinity::Real),
            ("double precision", Affinity::Real),
            ("NUMERIC(10, 2)", Affinity::Numeric),
            ("DATETIME", Affinity::Numeric),
            ("BOOLEAN", Affinity::Numeric),
            ("JSON", Affinity::Numeric),
        ] {
            assert_eq!(Affinity::of(declared), affinity, "{declared}");
        }
    }
}
