//! Full-text search as SQL: what is kept to find words by, how a search asks for it, and what either database calls it.
//!
//! On SQLite an FTS5 table without content beside the resource's own, which triggers keep in step; on PostgreSQL an
//! index over an expression. Words are folded and taken apart alike: at what is neither a letter nor a digit, without
//! stemming, without stop words, accents kept.

use rest_schema::{Field, FieldId, ResourceId, Schema};

use crate::migrate::{name, table_name};
use crate::request::search::{Phrase, phrases};
use crate::sql::dialect::Dialect;

/// What the names of all that is kept for searches begin with.
pub const PREFIX: &str = "rest_search_";

/// Characters of a row that PostgreSQL looks into: its lists of words hold less than 1 MiB, and a character takes four
/// bytes there at most.
const LONGEST_ROW: usize = 250_000;

/// What PostgreSQL's parser would take for a part of an address, a number or a path, where it only ends a word.
const SIGNS: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;

/// The fields of a resource that a search looks into.
pub fn searched(schema: &Schema, resource: ResourceId) -> impl Iterator<Item = (FieldId, &Field)> {
    let of = move |index| FieldId { resource, index };
    let fields = (0u32..).map(of).zip(&schema.resource(resource).fields);
    fields.filter(|(_, field)| field.searchable)
}

/// What is kept for the searches of one resource.
pub struct Kept<'s> {
    schema: &'s Schema,
    dialect: Dialect,
    resource: ResourceId,
}

impl<'s> Kept<'s> {
    /// Of one resource; `None` where nothing is searched.
    pub fn of(schema: &'s Schema, dialect: Dialect, resource: ResourceId) -> Option<Self> {
        let kept = Self {
            schema,
            dialect,
            resource,
        };
        searched(schema, resource).next().map(|_| kept)
    }

    /// Of all resources in which something is searched.
    pub fn all(schema: &'s Schema, dialect: Dialect) -> Vec<Self> {
        let of = |(id, _)| Self::of(schema, dialect, id);
        schema.resources().filter_map(of).collect()
    }

    /// Its name, the end of which tells what it is made of: one by this name is what the schema needs.
    pub fn name(&self) -> String {
        let resource = self.schema.resource(self.resource);
        let columns = searched(self.schema, self.resource).map(|(_, field)| field.column.as_str());
        let keys = resource
            .key
            .fields
            .iter()
            .map(|id| self.schema.field(*id).column.as_str());
        let made_of: Vec<&str> = keys.chain(["\0"]).chain(columns).collect();
        let hash = xxhash_rust::xxh3::xxh3_64(made_of.join("\0").as_bytes()) >> 32;
        let table = self.table().replace('.', "_");
        let whole = format!("{PREFIX}{table}_{hash:08x}");
        Dialect::Postgres.shortened(whole)
    }

    /// All names of what is kept.
    pub fn names(&self) -> Vec<String> {
        let own = self.name();
        match self.dialect {
            // An index stands in the schema of its table.
            Dialect::Postgres => {
                let of = self.table().rsplit_once('.').map(|(of, _)| format!("{of}."));
                vec![of.unwrap_or_default() + &own]
            }
            Dialect::Sqlite => {
                let ends = ["_insert", "_update", "_delete"].into_iter();
                let rows = self.rows().map(|_| "_rows");
                let others = ends.chain(rows).map(|end| format!("{own}{end}"));
                std::iter::once(own.clone()).chain(others).collect()
            }
        }
    }

    /// The resource's table.
    pub fn table(&self) -> &'s str {
        &self.schema.resource(self.resource).table
    }

    /// The resource's name in the schema.
    pub fn place(&self) -> &str {
        &self.schema.resource(self.resource).name
    }

    /// The statements that make it, and find the words of the rows that are there.
    pub fn statements(&self) -> Vec<String> {
        match self.dialect {
            Dialect::Sqlite => self.sqlite(),
            Dialect::Postgres => vec![format!(
                "CREATE INDEX {} ON {} USING gin ({})",
                name(&self.name()),
                table_name(self.table()),
                self.vector(&self.fields(), &|column| name(column))
            )],
        }
    }

    /// The statements that take away what is kept by these names and isn't needed.
    pub fn removal(dialect: Dialect, names: &[String]) -> Vec<String> {
        // Dropping the table drops what FTS5 keeps beside it; triggers would stay.
        let drop = |word: &str, one: &String| format!("DROP {word} IF EXISTS {}", table_name(one));
        let is_trigger = |one: &&String| {
            ["_insert", "_update", "_delete"]
                .iter()
                .any(|end| one.ends_with(end))
        };
        match dialect {
            Dialect::Postgres => names.iter().map(|one| drop("INDEX", one)).collect(),
            Dialect::Sqlite => {
                let triggers = names.iter().filter(is_trigger).map(|one| drop("TRIGGER", one));
                let tables = names
                    .iter()
                    .filter(|one| !is_trigger(one))
                    .map(|one| drop("TABLE", one));
                triggers.chain(tables).collect()
            }
        }
    }

    /// The fields that it looks into.
    pub fn fields(&self) -> Vec<FieldId> {
        searched(self.schema, self.resource).map(|(id, _)| id).collect()
    }

    /// The column that is the rowid; where there is none, SQLite may number rows anew, and they are told apart by
    /// numbers of our own ([`Kept::rows`]).
    fn rowid(&self) -> Option<&'s str> {
        crate::migrate::create::rowid(self.schema, self.schema.resource(self.resource))
    }

    /// The table of our own numbers, and the key's columns with their types.
    fn rows(&self) -> Option<(String, Vec<(&'s str, &'static str)>)> {
        if self.rowid().is_some() {
            return None;
        }
        let keys = self.schema.resource(self.resource).key.fields.iter();
        let keys = keys.map(|id| {
            let field = self.schema.field(*id);
            (field.column.as_str(), field.ty.row().sqlite)
        });
        Some((format!("{}_rows", self.name()), keys.collect()))
    }

    fn sqlite(&self) -> Vec<String> {
        let (own, table) = (self.name(), table_name(self.table()));
        let quoted = name(&own);
        let columns: Vec<&str> = searched(self.schema, self.resource)
            .map(|(_, field)| field.column.as_str())
            .collect();
        let kept = (0..columns.len()).map(|place| format!("c{place}"));
        let kept = kept.collect::<Vec<_>>().join(", ");
        let of = |row: &str| {
            let all = columns.iter().map(|column| format!("{row}{}", name(column)));
            all.collect::<Vec<_>>().join(", ")
        };
        let mut statements = vec![format!(
            "CREATE VIRTUAL TABLE {quoted} USING fts5({kept}, content='', tokenize='unicode61 remove_diacritics 0')"
        )];
        let (insert, delete, fill, key) = match (self.rowid(), self.rows()) {
            (Some(rowid), _) => (
                format!(
                    "INSERT INTO {quoted} (rowid, {kept}) VALUES (new.{}, {});",
                    name(rowid),
                    of("new.")
                ),
                format!(
                    "INSERT INTO {quoted} ({quoted}, rowid, {kept}) VALUES ('delete', old.{}, {});",
                    name(rowid),
                    of("old.")
                ),
                format!(
                    "INSERT INTO {quoted} (rowid, {kept}) SELECT {}, {} FROM {table}",
                    name(rowid),
                    of("")
                ),
                name(rowid),
            ),
            (None, rows) => {
                let (rows, keys) = rows.unwrap_or_default();
                let rows = name(&rows);
                let listed = |before: &str| {
                    let all = keys.iter().map(|(column, _)| format!("{before}{}", name(column)));
                    all.collect::<Vec<_>>().join(", ")
                };
                let is = |row: &str| {
                    let all = keys
                        .iter()
                        .map(|(column, _)| format!("k.{0} = {row}.{0}", name(column)));
                    all.collect::<Vec<_>>().join(" AND ")
                };
                let typed = keys
                    .iter()
                    .map(|(column, of)| format!("{} {of} NOT NULL", name(column)));
                let typed = typed.collect::<Vec<_>>().join(", ");
                statements.push(format!(
                    "CREATE TABLE {rows} (rest_search_rowid INTEGER PRIMARY KEY, {typed}, UNIQUE ({})) STRICT",
                    listed("")
                ));
                statements.push(format!(
                    "INSERT INTO {rows} ({0}) SELECT {0} FROM {table}",
                    listed("")
                ));
                (
                    format!(
                        "INSERT INTO {rows} ({}) VALUES ({}); INSERT INTO {quoted} (rowid, {kept}) \
                         SELECT k.rest_search_rowid, {} FROM {rows} k WHERE {};",
                        listed(""),
                        listed("new."),
                        of("new."),
                        is("new")
                    ),
                    format!(
                        "INSERT INTO {quoted} ({quoted}, rowid, {kept}) SELECT 'delete', k.rest_search_rowid, {} \
                         FROM {rows} k WHERE {}; DELETE FROM {rows} AS k WHERE {};",
                        of("old."),
                        is("old"),
                        is("old")
                    ),
                    format!(
                        "INSERT INTO {quoted} (rowid, {kept}) SELECT k.rest_search_rowid, {} FROM {rows} k JOIN {table} t \
                         ON {}",
                        of("t."),
                        is("t")
                    ),
                    listed(""),
                )
            }
        };
        statements.push(fill);
        let trigger = |word: &str, of: String, body: &str| {
            let called = name(&format!("{own}_{word}"));
            let event = word.to_uppercase();
            format!("CREATE TRIGGER {called} AFTER {event}{of} ON {table} BEGIN {body} END")
        };
        statements.push(trigger("insert", String::new(), &insert));
        statements.push(trigger("delete", String::new(), &delete));
        let changed = format!(" OF {key}, {}", of(""));
        statements.push(trigger("update", changed, &format!("{delete} {insert}")));
        statements
    }

    /// The query of the keys of the rows that a search finds on SQLite, up to the search; `fields` are those it looks
    /// into. Then what the key's columns are compared as.
    pub fn found(&self, fields: &[FieldId]) -> (String, String) {
        let quoted = name(&self.name());
        let (selected, joined) = match self.rows() {
            None => ("rowid".to_owned(), String::new()),
            Some((rows, keys)) => {
                let keys = keys.iter().map(|(column, _)| format!("k.{}", name(column)));
                let joined = format!(" JOIN {} k ON k.rest_search_rowid = {quoted}.rowid", name(&rows));
                (keys.collect::<Vec<_>>().join(", "), joined)
            }
        };
        let before = format!("SELECT {selected} FROM {quoted}{joined} WHERE {quoted} MATCH ");
        let all = self.fields();
        let columns = if fields == all {
            String::new()
        } else {
            let places = (0..all.len()).filter(|place| fields.contains(&all[*place]));
            let columns: Vec<String> = places.map(|place| format!("c{place}")).collect();
            format!("'{{{}}} : ' || ", columns.join(" "))
        };
        (before, columns)
    }

    /// The words of a row's fields on PostgreSQL; no phrase goes from one field on to the next.
    pub fn vector(&self, fields: &[FieldId], column: &dyn Fn(&str) -> String) -> String {
        let signs = SIGNS.replace('\'', "''");
        let most = LONGEST_ROW / fields.len().max(1);
        let words = fields.iter().map(|id| {
            let column = column(&self.schema.field(*id).column);
            format!(
                "to_tsvector('simple', translate(left(coalesce({column}, '')::text, {most}), '{signs}', '{}'))",
                " ".repeat(SIGNS.len())
            )
        });
        let words: Vec<String> = words.collect();
        match words.as_slice() {
            [only] => only.clone(),
            _ => format!("ts_delete({}, ' ')", words.join(" || ''' '':1'::tsvector || ")),
        }
    }
}

/// A search as FTS5 reads it.
pub(super) fn fts5(text: &str) -> String {
    let one = |phrase: &Phrase| {
        let star = if phrase.is_prefix { " *" } else { "" };
        format!("\"{}\"{star}", phrase.words.join(" "))
    };
    let all: Vec<String> = phrases(text).iter().map(one).collect();
    format!("({})", all.join(" "))
}

/// A search as PostgreSQL's `to_tsquery` reads it.
pub(super) fn tsquery(text: &str) -> String {
    let one = |phrase: &Phrase| {
        let words: Vec<String> = phrase.words.iter().map(|word| format!("'{word}'")).collect();
        let star = if phrase.is_prefix { ":*" } else { "" };
        format!("{}{star}", words.join(" <-> "))
    };
    let all: Vec<String> = phrases(text).iter().map(one).collect();
    all.join(" & ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn either_database_is_asked_in_its_own_words() {
        let text = "rust \"hello wor\"* e-mail";
        assert_eq!(fts5(text), "(\"rust\" \"hello wor\" * \"e mail\")");
        assert_eq!(tsquery(text), "'rust' & 'hello' <-> 'wor':* & 'e' <-> 'mail'");
    }

    proptest! {
        #[test]
        fn no_text_is_a_syntax_error(text in "[a-c0-9é\"*():^{}+' -]{0,30}|\\PC{0,60}") {
            let connection = Connection::open_in_memory().expect("a database");
            connection
                .execute_batch("CREATE VIRTUAL TABLE s USING fts5(c0, c1, content='')")
                .expect("a table");
            let search = fts5(&text);
            if !phrases(&text).is_empty() {
                for columns in ["", "{c1} : "] {
                    let found = connection.query_row(
                        "SELECT count(*) FROM s WHERE s MATCH ?1 || ?2",
                        [columns, &search],
                        |row| row.get::<_, i64>(0),
                    );
                    prop_assert_eq!(found.map_err(|e| e.to_string()), Ok(0), "{}", search);
                }
            }
        }
    }
}
