//! What searches need beside the tables: made and taken away as the schema says where the database is ours, told
//! where it isn't. Pure.

use rest_schema::Schema;

use super::catalogue::Catalogue;
use super::fit::Finding;
use crate::sql::dialect::Dialect;
use crate::sql::search::Kept;

/// The statements that bring what is kept for searches in line with the schema; none where it is.
pub(super) fn changes(schema: &Schema, dialect: Dialect, catalogue: &Catalogue) -> Vec<String> {
    let (complete, missing): (Vec<_>, Vec<_>) = Kept::all(schema, dialect)
        .into_iter()
        .partition(|kept| is_there(kept, catalogue));
    let needed: Vec<String> = complete.iter().flat_map(Kept::names).collect();
    let is_needed = |name: &String| needed.iter().any(|needed| needed.eq_ignore_ascii_case(name));
    let others = catalogue.searches.iter().filter(|name| !is_needed(name));
    let mut statements = Kept::removal(dialect, &others.cloned().collect::<Vec<_>>());
    statements.extend(missing.iter().flat_map(Kept::statements));
    statements
}

/// What the owner of the tables would have to make: without it a search finds nothing on SQLite, and is slow on
/// PostgreSQL.
pub(super) fn missing(schema: &Schema, dialect: Dialect, catalogue: &Catalogue) -> Vec<Finding> {
    let all = Kept::all(schema, dialect).into_iter();
    let missing = all.filter(|kept| !is_there(kept, catalogue) && catalogue.table(kept.table()).is_some());
    let tell = |kept: Kept<'_>| {
        let what = match dialect {
            Dialect::Sqlite => "nothing is kept by which a search could find rows of",
            Dialect::Postgres => "no index serves a search of",
        };
        let mut finding = Finding::new(kept.place(), format!("{what} {}", kept.table()));
        if dialect == Dialect::Sqlite {
            finding = finding
                .help("these statements make it, and triggers that keep it in step; or no `searchable`");
        }
        finding.statement = Some(kept.statements().join(";\n  "));
        finding
    };
    missing.map(tell).collect()
}

fn is_there(kept: &Kept<'_>, catalogue: &Catalogue) -> bool {
    let there = |name: &String| {
        catalogue
            .searches
            .iter()
            .any(|one| one.eq_ignore_ascii_case(name))
    };
    kept.names().iter().all(there)
}
