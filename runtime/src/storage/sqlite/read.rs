//! Runs a whole read on one connection: the segments of a page, its count, and each level of includes.

use std::collections::HashMap;
use std::hash::Hasher;

use rest_schema::{FieldId, Value};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Row};
use siphasher::sip::SipHasher24;

use crate::cell::{Cell, CellRef};
use crate::plan::read::json_of;
use crate::sql::select::{Include, Layout, Read, ShownColumn};
use crate::sql::{Bind, Statement, TextForm, successor};
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::rows::{Found, Included, NOWHERE, Output, Rows};
use crate::storage::sqlite::connection::refusal;

/// The key of the hash that tells states of items apart; known to nobody outside.
#[derive(Clone, Copy)]
pub struct StateKey(pub [u8; 16]);

/// Runs a read; one transaction where it has more than one statement, so that all parts are of one moment.
pub fn run(
    connection: &Connection,
    read: &Read,
    values: &Values<'_>,
    limit: u32,
    state: &StateKey,
) -> Result<Output, Refusal> {
    let alone = read.segments.len() == 1 && read.count.is_none() && read.layout.includes.is_empty();
    if alone || !connection.is_autocommit() {
        return run_all(connection, read, values, limit, state);
    }
    in_one(connection, || run_all(connection, read, values, limit, state))
}

/// Runs several reads as one transaction: they see one moment, and the file is locked once instead of for each.
pub fn in_one<T>(connection: &Connection, reads: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    execute(connection, "BEGIN")?;
    let read = reads();
    // A read has nothing to lose: whatever came out, the transaction only ends.
    let ended = execute(connection, "ROLLBACK");
    let read = read?;
    ended.map(|()| read)
}

/// Runs a statement without parameters or rows.
pub fn execute(connection: &Connection, text: &str) -> Result<(), Refusal> {
    let mut statement = connection.prepare_cached(text).map_err(refusal)?;
    statement.raw_execute().map(drop).map_err(refusal)
}

/// Whether the database can be read at all: a question that needs its file.
pub fn answers(connection: &Connection) -> Result<(), Refusal> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM sqlite_master")
        .map_err(refusal)?;
    statement.query_row([], |_| Ok(())).map_err(refusal)
}

/// Rows that room is made for before they are seen.
const LIKELY_ROWS: u32 = 20;

/// The bytes of a row: names, and values as they usually are. Too little means that the buffer is copied as it grows.
fn likely_size(layout: &Layout) -> usize {
    layout.shown.iter().map(|shown| shown.fragment.len() + 48).sum()
}

fn run_all(
    connection: &Connection,
    read: &Read,
    values: &Values<'_>,
    limit: u32,
    state: &StateKey,
) -> Result<Output, Refusal> {
    let mut output = Output::default();
    let likely_rows = limit.min(LIKELY_ROWS) as usize;
    output.rows.bytes.reserve(likely_rows * likely_size(&read.layout));
    output.rows.ends.reserve(likely_rows);
    let mut level = LevelReader::new(&read.layout);
    let wanted = limit as usize + 1;
    for segment in &read.segments {
        if output.rows.len() >= wanted || output.more {
            break;
        }
        let left = wanted - output.rows.len();
        let mut statement = prepare(connection, segment, values, None, left)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(refusal)? {
            if output.rows.len() == limit as usize {
                output.more = true;
                break;
            }
            take_row(row, read, &mut level, &mut output, limit, state)?;
        }
    }
    finish_level(connection, level, &mut output.rows, values)?;
    if let Some(count) = &read.count {
        let mut statement = prepare(connection, count, values, None, 0)?;
        let mut rows = statement.raw_query();
        let row = rows.next().map_err(refusal)?;
        output.total = row.map(|row| row.get(0)).transpose().map_err(refusal)?;
    }
    Ok(output)
}

/// Runs a read of which the values are wanted, and no bytes.
pub fn find(connection: &Connection, read: &Read, values: &Values<'_>, limit: u32) -> Result<Found, Refusal> {
    let alone = read.segments.len() == 1 && read.count.is_none();
    if alone || !connection.is_autocommit() {
        return find_all(connection, read, values, limit);
    }
    in_one(connection, || find_all(connection, read, values, limit))
}

fn find_all(connection: &Connection, read: &Read, values: &Values<'_>, limit: u32) -> Result<Found, Refusal> {
    let mut found = Found::default();
    let limit = limit as usize;
    for segment in &read.segments {
        let left = limit - found.rows.len();
        if left == 0 {
            break;
        }
        let mut statement = prepare(connection, segment, values, None, left)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(refusal)? {
            found.rows.push(values_of(row, &read.layout)?);
        }
    }
    if read.backward {
        found.rows.reverse();
    }
    if let Some(count) = &read.count {
        let mut statement = prepare(connection, count, values, None, 0)?;
        let mut rows = statement.raw_query();
        let row = rows.next().map_err(refusal)?;
        found.total = row.map(|row| row.get(0)).transpose().map_err(refusal)?;
    }
    Ok(found)
}

/// The values of the fields shown.
fn values_of(row: &Row<'_>, layout: &Layout) -> Result<Vec<Value>, Refusal> {
    let value = |shown: &ShownColumn| {
        let value = shown.codec.decode(cell(row, shown.column)?);
        value.map_err(|unfit| Refusal::StoredValue {
            field: shown.field,
            key: cells(row, &layout.key).unwrap_or_default(),
            expected: unfit.expected,
        })
    };
    layout.shown.iter().map(value).collect()
}

fn take_row(
    row: &Row<'_>,
    read: &Read,
    level: &mut LevelReader<'_>,
    output: &mut Output,
    limit: u32,
    state: &StateKey,
) -> Result<(), Refusal> {
    let layout = &read.layout;
    level.write(row, &mut output.rows)?;
    let place = output.rows.len();
    if !layout.order.is_empty() {
        if place == 1 {
            output.first = Some(cells(row, &layout.order)?);
        }
        if place == limit as usize {
            output.last = Some(cells(row, &layout.order)?);
        }
    }
    if place == 1 && !layout.stored.is_empty() {
        output.state = Some(hash_state(row, &layout.stored, state)?);
        output.key = cells(row, &layout.key)?;
        if !layout.flags.is_empty() {
            output.flags = flags(row, &layout.flags)?;
            output.stored = cells(row, &layout.stored)?;
        }
    }
    Ok(())
}

/// Conditions asked for as columns: TRUE, FALSE or NULL.
pub fn flags(row: &Row<'_>, columns: &[usize]) -> Result<Vec<Option<bool>>, Refusal> {
    columns
        .iter()
        .map(|column| {
            row.get::<_, Option<i64>>(*column)
                .map(|flag| flag.map(|flag| flag != 0))
                .map_err(refusal)
        })
        .collect()
}

/// Copies columns of a row.
pub fn cells(row: &Row<'_>, columns: &[usize]) -> Result<Vec<Cell>, Refusal> {
    columns
        .iter()
        .map(|column| Ok(cell(row, *column)?.to_owned()))
        .collect()
}

/// Lends a column of a row.
pub fn cell<'r>(row: &'r Row<'_>, column: usize) -> Result<CellRef<'r>, Refusal> {
    row.get_ref(column).map(lent).map_err(refusal)
}

/// Lends what a driver gives.
pub fn lent(value: ValueRef<'_>) -> CellRef<'_> {
    match value {
        ValueRef::Null => CellRef::Null,
        ValueRef::Integer(value) => CellRef::Integer(value),
        ValueRef::Real(value) => CellRef::Real(value),
        ValueRef::Text(text) => CellRef::Text(text),
        ValueRef::Blob(bytes) => CellRef::Blob(bytes),
    }
}

/// The state of an item: a keyed hash of all its stored columns, in the schema's order.
pub struct StateHash(SipHasher24);

impl StateHash {
    /// Begins.
    pub fn new(key: &StateKey) -> Self {
        Self(SipHasher24::new_with_key(&key.0))
    }

    /// Adds the next column.
    pub fn add(&mut self, cell: CellRef<'_>) {
        match cell {
            CellRef::Null => self.0.write_u8(0),
            CellRef::Integer(value) => self.add_bytes(1, &value.to_le_bytes()),
            CellRef::Real(value) => self.add_bytes(2, &value.to_bits().to_le_bytes()),
            CellRef::Text(bytes) => self.add_bytes(3, bytes),
            CellRef::Blob(bytes) => self.add_bytes(4, bytes),
        }
    }

    fn add_bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.0.write_u8(kind);
        self.0.write(&(bytes.len() as u64).to_le_bytes());
        self.0.write(bytes);
    }

    /// The state.
    pub fn finish(&self) -> u64 {
        self.0.finish()
    }
}

fn hash_state(row: &Row<'_>, stored: &[usize], key: &StateKey) -> Result<u64, Refusal> {
    let mut hash = StateHash::new(key);
    for column in stored {
        hash.add(cell(row, *column)?);
    }
    Ok(hash.finish())
}

/// Prepares a statement and binds its parameters.
pub fn prepare<'c>(
    connection: &'c Connection,
    statement: &Statement,
    values: &Values<'_>,
    keys: Option<&str>,
    wanted: usize,
) -> Result<CachedStatement<'c>, Refusal> {
    let mut prepared = connection.prepare_cached(&statement.text).map_err(refusal)?;
    for (place, bind) in statement.slots.iter().enumerate() {
        bind_one(&mut prepared, place + 1, bind, values, keys, wanted).map_err(refusal)?;
    }
    Ok(prepared)
}

fn bind_one(
    prepared: &mut CachedStatement<'_>,
    place: usize,
    bind: &Bind,
    values: &Values<'_>,
    keys: Option<&str>,
    wanted: usize,
) -> rusqlite::Result<()> {
    match bind {
        Bind::Slot(slot) => match values.lend(slot) {
            Some(cell) => bind_cell(prepared, place, cell),
            None => bind_cell(prepared, place, &values.cell(slot)),
        },
        Bind::Text(slot, form) => bind_cell(prepared, place, &changed(values.cell(slot), *form)),
        Bind::Keys => prepared.raw_bind_parameter(place, keys.unwrap_or("[]")),
        Bind::Wanted => prepared.raw_bind_parameter(place, i64::try_from(wanted).unwrap_or(i64::MAX)),
    }
}

fn changed(cell: Cell, form: TextForm) -> Cell {
    match (cell, form) {
        (Cell::Text(text), TextForm::Folded) => Cell::Text(text.to_ascii_lowercase()),
        (Cell::Text(text), TextForm::Successor) => successor(&text).map_or(Cell::Null, Cell::Text),
        (other, _) => other,
    }
}

/// Binds one cell.
pub fn bind_cell(prepared: &mut CachedStatement<'_>, place: usize, cell: &Cell) -> rusqlite::Result<()> {
    match cell {
        Cell::Null => prepared.raw_bind_parameter(place, rusqlite::types::Null),
        Cell::Integer(value) => prepared.raw_bind_parameter(place, value),
        Cell::Real(value) => prepared.raw_bind_parameter(place, value),
        Cell::Text(text) => prepared.raw_bind_parameter(place, text),
        Cell::Blob(bytes) => prepared.raw_bind_parameter(place, bytes),
    }
}

/// Writes the rows of a level and collects the keys that its includes need.
struct LevelReader<'l> {
    layout: &'l Layout,
    keys: Vec<Keys>,
}

/// The distinct keys of one include.
#[derive(Default)]
struct Keys {
    places: HashMap<Vec<Cell>, u32>,
    all: Vec<Vec<Cell>>,
}

impl Keys {
    fn place(&mut self, key: Vec<Cell>) -> u32 {
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let place = u32::try_from(self.all.len()).unwrap_or(NOWHERE);
        self.all.push(key.clone());
        self.places.insert(key, place);
        place
    }
}

impl<'l> LevelReader<'l> {
    fn new(layout: &'l Layout) -> Self {
        Self {
            layout,
            keys: layout.includes.iter().map(|_| Keys::default()).collect(),
        }
    }

    fn write(&mut self, row: &Row<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        let out = &mut rows.bytes;
        out.push(b'{');
        let mut first = true;
        for shown in &self.layout.shown {
            if let Some(guard) = shown.guard
                && row.get::<_, Option<i64>>(guard).map_err(refusal)?.unwrap_or(0) == 0
            {
                continue;
            }
            comma(&mut first, out);
            out.extend_from_slice(&shown.fragment);
            let value = cell(row, shown.column)?;
            shown
                .codec
                .write_json(value, out)
                .map_err(|unfit| self.unfit(row, shown.field, unfit.expected))?;
        }
        for (include, keys) in self.layout.includes.iter().zip(&mut self.keys) {
            comma(&mut first, out);
            out.extend_from_slice(&include.fragment);
            rows.holes.push(place_of(out.len()));
            let key = cells(row, &include.link)?;
            let nowhere = key.contains(&Cell::Null);
            rows.links.push(if nowhere { NOWHERE } else { keys.place(key) });
        }
        out.push(b'}');
        rows.ends.push(place_of(out.len()));
        Ok(())
    }

    fn unfit(&self, row: &Row<'_>, field: FieldId, expected: &'static str) -> Refusal {
        let key = cells(row, &self.layout.key).unwrap_or_default();
        Refusal::StoredValue { field, key, expected }
    }
}

fn comma(first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

fn place_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn finish_level(
    connection: &Connection,
    level: LevelReader<'_>,
    rows: &mut Rows,
    values: &Values<'_>,
) -> Result<(), Refusal> {
    for (include, keys) in level.layout.includes.iter().zip(level.keys) {
        rows.includes
            .push(run_include(connection, include, keys.all, values)?);
    }
    Ok(())
}

fn run_include(
    connection: &Connection,
    include: &Include,
    keys: Vec<Vec<Cell>>,
    values: &Values<'_>,
) -> Result<Included, Refusal> {
    let mut included = Included {
        groups: vec![(0, 0); keys.len()],
        more: keys.iter().map(|_| None).collect(),
        ..Included::default()
    };
    if keys.is_empty() {
        return Ok(included);
    }
    let array = array_of(&keys);
    included.keys = keys;
    let mut level = LevelReader::new(&include.layout);
    let mut statement = prepare(connection, &include.statement, values, Some(&array), 0)?;
    let mut rows = statement.raw_query();
    let mut last = Vec::new();
    while let Some(row) = rows.next().map_err(refusal)? {
        let parent: usize = row
            .get::<_, i64>(0)
            .map_err(refusal)?
            .try_into()
            .unwrap_or(usize::MAX);
        let Some(group) = included.groups.get_mut(parent) else {
            continue;
        };
        if !include.to_one && group.1 == include.cap {
            included.more[parent] = Some(std::mem::take(&mut last));
            continue;
        }
        if include.to_one && group.1 == 1 {
            continue;
        }
        if group.1 == 0 {
            group.0 = place_of(included.rows.len());
        }
        group.1 += 1;
        if group.1 == include.cap && !include.to_one {
            last = cells(row, &include.layout.order)?;
        }
        level.write(row, &mut included.rows)?;
    }
    drop(rows);
    drop(statement);
    finish_level(connection, level, &mut included.rows, values)?;
    Ok(included)
}

/// The keys as the array that the level is run over: bare values, or arrays of the parts of composite ones.
fn array_of(keys: &[Vec<Cell>]) -> String {
    let value = |key: &Vec<Cell>| match key.as_slice() {
        [one] => json_of(one),
        parts => parts.iter().map(json_of).collect(),
    };
    keys.iter().map(value).collect::<serde_json::Value>().to_string()
}
