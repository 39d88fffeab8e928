//! What stands in a database of PostgreSQL, read from its own catalogue.

use std::collections::HashMap;

use tokio_postgres::{Client, Error, Row};

use super::{Catalogue, Column, ForeignKey, Native, Table, TableIndex};
use crate::sql::search::PREFIX;

/// Tables and views but for the system's and those that extensions bring; those of the schema in which we make tables
/// have plain names, others that of their schema first.
const TABLES: &str = "
SELECT c.oid, CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END,
       c.relkind IN ('v', 'm')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 2";

/// The type's own name is that of a cast; the base is what a domain is made of.
const COLUMNS: &str = "
SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, NULL),
       pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), a.attnotnull,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '', a.attgenerated <> '',
       t.typtype = 'e', a.attnum,
       coalesce(CASE WHEN l.collprovider = 'd'
                     THEN (SELECT datcollate FROM pg_catalog.pg_database WHERE datname = current_database())
                     ELSE l.collname::text END IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8', 'ucs_basic'), true)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum";

const INDEXES: &str = "
SELECT i.indrelid, c.relname, i.indisunique AND i.indimmediate, i.indisprimary, i.indpred IS NOT NULL, i.indnkeyatts,
       i.indkey::text, i.indoption::text
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indisvalid
ORDER BY c.relname";

const FOREIGN_KEYS: &str = "
SELECT conrelid, confrelid, conkey::text, confkey::text, confdeltype
FROM pg_catalog.pg_constraint WHERE contype = 'f'
ORDER BY conname";

/// Reads it.
pub(crate) async fn read(client: &Client) -> Result<Catalogue, Error> {
    let tables = client.query(TABLES, &[]).await?;
    let columns = client.query(COLUMNS, &[]).await?;
    let indexes = client.query(INDEXES, &[]).await?;
    let foreign_keys = client.query(FOREIGN_KEYS, &[]).await?;
    let mut names: HashMap<u32, String> = HashMap::new();
    for table in &tables {
        names.insert(table.try_get(0)?, table.try_get(1)?);
    }
    let mut catalogue = Catalogue::default();
    for table in &tables {
        let oid: u32 = table.try_get(0)?;
        let is_of = |row: &&Row| row.try_get::<_, u32>(0).is_ok_and(|of| of == oid);
        let own: Vec<&Row> = columns.iter().filter(is_of).collect();
        let mut numbered: HashMap<i16, String> = HashMap::new();
        for column in &own {
            numbered.insert(column.try_get(9)?, column.try_get(1)?);
        }
        let mut made = Table {
            name: table.try_get(1)?,
            is_view: table.try_get(2)?,
            rowid: None,
            columns: own.into_iter().map(column).collect::<Result<_, _>>()?,
            indexes: Vec::new(),
            definition: String::new(),
            foreign_keys: Vec::new(),
        };
        for row in indexes.iter().filter(is_of) {
            let index = index(row, &numbered)?;
            if row.try_get(3)? {
                set_key(&mut made, &index);
            }
            if index.name.starts_with(PREFIX) {
                let of = made.name.rsplit_once('.').map(|(of, _)| format!("{of}."));
                catalogue.searches.push(of.unwrap_or_default() + &index.name);
            }
            made.indexes.push(index);
        }
        if let [key] = made.key()[..] {
            let counts = |column: &&Column| column.name == key && column.is_counted();
            made.rowid = made.columns.iter().find(counts).map(|column| column.name.clone());
        }
        for row in foreign_keys.iter().filter(is_of) {
            made.foreign_keys
                .extend(foreign_key(row, &numbered, &columns, &names)?);
        }
        catalogue.tables.push(made);
    }
    Ok(catalogue)
}

fn column(row: &Row) -> Result<Column, Error> {
    Ok(Column {
        name: row.try_get(1)?,
        declared: row.try_get(2)?,
        is_required: row.try_get(4)?,
        default: row.try_get(5)?,
        key_place: 0,
        is_generated: row.try_get(7)?,
        native: Some(Native {
            base: row.try_get(3)?,
            is_enum: row.try_get(8)?,
            is_identity: row.try_get(6)?,
            is_in_order_of_bytes: row.try_get(10)?,
        }),
    })
}

fn set_key(table: &mut Table, index: &TableIndex) {
    let terms = (1u32..).zip(index.terms.iter().take(index.declared));
    for (place, (name, _)) in terms {
        let column = table
            .columns
            .iter_mut()
            .find(|column| Some(&column.name) == name.as_ref());
        if let Some(column) = column {
            column.key_place = place;
        }
    }
}

fn index(row: &Row, columns: &HashMap<i16, String>) -> Result<TableIndex, Error> {
    let count = usize::try_from(row.try_get::<_, i16>(5)?).unwrap_or(0);
    let keys = numbers(row.try_get(6)?);
    let options = numbers(row.try_get(7)?);
    let terms = keys.iter().take(count).zip(&options);
    Ok(TableIndex {
        name: row.try_get(1)?,
        terms: terms
            .map(|(column, option)| (columns.get(column).cloned(), option & 1 == 1))
            .collect(),
        declared: count,
        is_unique: row.try_get(2)?,
        is_partial: row.try_get(4)?,
    })
}

fn foreign_key(
    row: &Row,
    own: &HashMap<i16, String>,
    columns: &[Row],
    names: &HashMap<u32, String>,
) -> Result<Option<ForeignKey>, Error> {
    let target: u32 = row.try_get(1)?;
    let Some(table) = names.get(&target) else {
        return Ok(None);
    };
    let (from, to) = (numbers(row.try_get(2)?), numbers(row.try_get(3)?));
    let there = |number: i16| {
        let is_it = |row: &&Row| {
            row.try_get::<_, u32>(0).is_ok_and(|of| of == target)
                && row.try_get::<_, i16>(9).is_ok_and(|of| of == number)
        };
        columns.iter().find(is_it).and_then(|row| row.try_get(1).ok())
    };
    let pairs = from.iter().zip(to);
    Ok(Some(ForeignKey {
        table: table.clone(),
        columns: pairs
            .filter_map(|(from, to)| Some((own.get(from)?.clone(), there(to))))
            .collect(),
        on_delete: match row.try_get::<_, i8>(4)?.cast_unsigned() {
            b'c' => "CASCADE",
            b'n' => "SET NULL",
            b'd' => "SET DEFAULT",
            b'r' => "RESTRICT",
            _ => "NO ACTION",
        }
        .to_owned(),
    }))
}

/// `1 2` or `{1,2}`
fn numbers(text: &str) -> Vec<i16> {
    text.split(|c: char| !c.is_ascii_digit() && c != '-')
        .filter_map(|number| number.parse().ok())
        .collect()
}
