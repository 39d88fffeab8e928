//! What stands in a database, read from its own catalogue; nothing of it is judged here.

pub(crate) mod postgres;

use rusqlite::{Connection, Result, params};

use crate::sql::search::PREFIX;

/// All tables and views of a database, but for SQLite's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// In the order of the catalogue.
    pub tables: Vec<Table>,
    /// What is kept for searches: tables and triggers, or indexes, by the names that [`Kept`](crate::sql::search::Kept)
    /// gives them.
    pub searches: Vec<String>,
    /// SQLite's: `wal`, `delete`, …
    pub journal_mode: String,
}

/// A table or a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// As its owner spells it.
    pub name: String,
    /// Whether rows can't be written.
    pub is_view: bool,
    /// The column that the database counts up where a row doesn't give it: SQLite's rowid, PostgreSQL's identity or serial
    /// that is the key.
    pub rowid: Option<String>,
    /// In their order, generated ones included.
    pub columns: Vec<Column>,
    /// Indexes, those of PRIMARY KEY and UNIQUE included; the key of a rowid table that is its rowid is none.
    pub indexes: Vec<TableIndex>,
    /// The statement that made it, as SQLite keeps it; on PostgreSQL, as we do.
    pub definition: String,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as declared; empty where none is.
    pub declared: String,
    /// Whether it is NOT NULL (or part of a key that makes it so).
    pub is_required: bool,
    /// Its DEFAULT, as SQL.
    pub default: Option<String>,
    /// Its place in the primary key, from 1; 0 where it is no part of it.
    pub key_place: u32,
    /// Whether the database computes it.
    pub is_generated: bool,
    /// What PostgreSQL says of it besides.
    pub native: Option<Native>,
}

/// What PostgreSQL says of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Native {
    /// The type that a domain is made of, else its own.
    pub base: String,
    /// Whether that is an enumeration.
    pub is_enum: bool,
    /// Whether it is an identity column.
    pub is_identity: bool,
    /// Whether its texts are in the order of their bytes.
    pub is_in_order_of_bytes: bool,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableIndex {
    /// Its name.
    pub name: String,
    /// Its terms: a column, or `None` for an expression; and whether it descends. Then what SQLite adds: the rowid (as
    /// the key's column where it is one) or the primary key.
    pub terms: Vec<(Option<String>, bool)>,
    /// How many of the terms were declared.
    pub declared: usize,
    /// Whether it forbids equal rows.
    pub is_unique: bool,
    /// Whether it holds some rows only.
    pub is_partial: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Where it points.
    pub table: String,
    /// From column to column; the target's primary key where that isn't said.
    pub columns: Vec<(String, Option<String>)>,
    /// `CASCADE`, `SET NULL`, `NO ACTION`, …
    pub on_delete: String,
}

impl Catalogue {
    /// Reads it.
    pub fn read(connection: &Connection) -> Result<Self> {
        let mut names = connection.prepare(
            "SELECT name, type, wr FROM pragma_table_list
             WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?;
        let kinds = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut tables = Vec::new();
        for kind in kinds {
            let (name, kind, has_no_rowid): (String, String, bool) = kind?;
            tables.push(read_table(connection, name, kind == "view", has_no_rowid)?);
        }
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        let journal_mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        let mut names = connection.prepare(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')
                 AND name LIKE ?1 ESCAPE '\\'
             UNION ALL
             SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE ?1 ESCAPE '\\'",
        )?;
        let like = format!("{}%", PREFIX.replace('_', "\\_"));
        let searches = names.query_map([like], |row| row.get(0))?;
        Ok(Self {
            tables,
            searches: searches.collect::<Result<_>>()?,
            journal_mode,
        })
    }

    /// A table by its name; SQLite doesn't look at the case.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

impl Table {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The primary key's columns, in their order.
    pub fn key(&self) -> Vec<&str> {
        let mut key: Vec<&Column> = self
            .columns
            .iter()
            .filter(|column| column.key_place > 0)
            .collect();
        key.sort_by_key(|column| column.key_place);
        key.into_iter().map(|column| column.name.as_str()).collect()
    }

    /// Whether rows can't be equal in all of these columns; `in_part`: or some rows can't.
    pub fn is_unique(&self, columns: &[&str], in_part: bool) -> bool {
        let key = self.key();
        let holds = |unique: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(unique));
        let is_key = !key.is_empty() && key.iter().all(|column| holds(column));
        is_key
            || self
                .indexes
                .iter()
                .any(|index| index.is_unique && (in_part || !index.is_partial) && index.declared_all(&holds))
    }
}

impl Column {
    /// Whether PostgreSQL counts it up.
    fn is_counted(&self) -> bool {
        let is_serial = self
            .default
            .as_deref()
            .is_some_and(|default| default.starts_with("nextval("));
        is_serial || self.native.as_ref().is_some_and(|native| native.is_identity)
    }
}

impl TableIndex {
    fn declared_all(&self, holds: &dyn Fn(&str) -> bool) -> bool {
        let mut declared = self.terms.iter().take(self.declared);
        declared.all(|(column, _)| column.as_deref().is_some_and(holds))
    }
}

fn read_table(connection: &Connection, name: String, is_view: bool, has_no_rowid: bool) -> Result<Table> {
    let mut table = Table {
        columns: read_columns(connection, &name)?,
        definition: read_definition(connection, &name)?,
        indexes: Vec::new(),
        foreign_keys: read_foreign_keys(connection, &name)?,
        rowid: None,
        name,
        is_view,
    };
    let indexes = list_indexes(connection, &table.name)?;
    // A key with an index of its own isn't the rowid (`INT PRIMARY KEY`, `INTEGER PRIMARY KEY DESC`).
    let has_key_index = indexes.iter().any(|index| index.is_of_key);
    table.rowid = match table.key()[..] {
        [key] if !has_no_rowid && !has_key_index => Some(key.to_owned()),
        _ => None,
    };
    for index in indexes {
        let index = read_index(connection, &index, table.rowid.as_deref())?;
        table.indexes.push(index);
    }
    Ok(table)
}

fn read_definition(connection: &Connection, table: &str) -> Result<String> {
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE name = ?1 AND type IN ('table', 'view')")?;
    let mut rows = statement.query([table])?;
    let definition = rows
        .next()?
        .map(|row| row.get::<_, Option<String>>(0))
        .transpose()?;
    Ok(definition.flatten().unwrap_or_default())
}

fn read_columns(connection: &Connection, table: &str) -> Result<Vec<Column>> {
    let mut columns = connection
        .prepare("SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1)")?;
    let columns = columns.query_map([table], |row| {
        Ok(Column {
            name: row.get(0)?,
            declared: row.get(1)?,
            is_required: row.get(2)?,
            default: row.get(3)?,
            key_place: row.get(4)?,
            is_generated: row.get::<_, u32>(5)? >= 2,
            native: None,
        })
    })?;
    columns.collect()
}

struct Listed {
    name: String,
    is_unique: bool,
    is_of_key: bool,
    is_partial: bool,
}

fn list_indexes(connection: &Connection, table: &str) -> Result<Vec<Listed>> {
    let mut list =
        connection.prepare("SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1)")?;
    let list = list.query_map([table], |row| {
        Ok(Listed {
            name: row.get(0)?,
            is_unique: row.get(1)?,
            is_of_key: row.get::<_, String>(2)? == "pk",
            is_partial: row.get(3)?,
        })
    })?;
    list.collect()
}

fn read_index(connection: &Connection, listed: &Listed, rowid: Option<&str>) -> Result<TableIndex> {
    let mut terms = connection.prepare("SELECT cid, name, \"desc\", key FROM pragma_index_xinfo(?1)")?;
    let terms = terms.query_map([&listed.name], |row| {
        let name: Option<String> = if row.get::<_, i64>(0)? == -1 {
            rowid.map(str::to_owned)
        } else {
            row.get(1)?
        };
        Ok(((name, row.get(2)?), row.get::<_, bool>(3)?))
    })?;
    let terms = terms.collect::<Result<Vec<_>>>()?;
    Ok(TableIndex {
        name: listed.name.clone(),
        declared: terms.iter().filter(|(_, is_declared)| *is_declared).count(),
        terms: terms.into_iter().map(|(term, _)| term).collect(),
        is_unique: listed.is_unique,
        is_partial: listed.is_partial,
    })
}

fn read_foreign_keys(connection: &Connection, table: &str) -> Result<Vec<ForeignKey>> {
    let mut list = connection.prepare(
        "SELECT id, \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list(?1) ORDER BY id, seq",
    )?;
    let mut rows = list.query(params![table])?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let columns = (row.get(2)?, row.get(3)?);
        match keys.last_mut() {
            Some((last, key)) if *last == id => key.columns.push(columns),
            _ => keys.push((
                id,
                ForeignKey {
                    table: row.get(1)?,
                    columns: vec![columns],
                    on_delete: row.get(4)?,
                },
            )),
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}
