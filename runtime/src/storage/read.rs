//! Runs a whole read on a connection: the segments of a page, its count, and each level of includes.

use std::collections::HashMap;
use std::ops::ControlFlow;

use rest_schema::{FieldId, Value};
use siphasher::sip::SipHasher24;

use crate::cell::{Cell, CellRef};
use crate::respond::format::{Csv, Format, Json, Writing};
use crate::sql::groups::GroupLayout;
use crate::sql::select::{Include, Layout, Read, ShownColumn};
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{Bound, First, Reading, Row, Take, cells, flag, number};
use crate::storage::groups::Groups;
use crate::storage::rows::{Found, Included, NOWHERE, Output, Rows};

/// The key of the hash that tells states of items apart; known to nobody outside.
#[derive(Clone, Copy)]
pub struct StateKey(pub [u8; 16]);

/// Rows that room is made for before they are seen.
const LIKELY_ROWS: u32 = 20;

/// The bytes of a row: names, and values as they usually are. Too little means that the buffer is copied as it grows.
fn likely_size(layout: &Layout) -> usize {
    layout.shown.iter().map(|shown| shown.fragment.len() + 48).sum()
}

impl Read {
    /// Whether it is one statement, and so of one moment by itself.
    pub fn is_one_statement(&self) -> bool {
        self.segments.len() == 1 && self.count.is_none() && self.layout.includes.is_empty()
    }
}

/// Runs a read.
///
/// # Errors
///
/// Where the database refuses, or a stored value doesn't fit its field.
pub async fn run<C: Reading>(
    connection: &C,
    read: &Read,
    values: Values<'_>,
    limit: u32,
    format: Format,
    state: &StateKey,
) -> Result<Output, Refusal> {
    if let Some(layout) = &read.groups {
        // Apart from the future of every read, which would have its size.
        return Box::pin(grouped(connection, read, layout, values, limit)).await;
    }
    let mut output = Output::default();
    let likely_rows = limit.min(LIKELY_ROWS) as usize;
    output.rows.bytes.reserve(likely_rows * likely_size(&read.layout));
    output.rows.ends.reserve(likely_rows);
    let mut page = Page {
        level: LevelReader::new(&read.layout, format),
        layout: &read.layout,
        limit: limit as usize,
        state,
        output,
    };
    let wanted = limit as usize + 1;
    for segment in &read.segments {
        if page.output.rows.len() >= wanted || page.output.more {
            break;
        }
        let wanted = wanted - page.output.rows.len();
        let bound = Bound {
            wanted,
            ..values.into()
        };
        connection.each(segment, bound, &mut page).await?;
    }
    let Page {
        level, mut output, ..
    } = page;
    if !level.keys.is_empty() {
        finish_level(connection, level, &mut output.rows, values).await?;
    }
    if let Some(statement) = &read.count {
        output.total = count(connection, statement, values).await?;
    }
    Ok(output)
}

/// Runs a read whose rows are groups.
async fn grouped<C: Reading>(
    connection: &C,
    read: &Read,
    layout: &GroupLayout,
    values: Values<'_>,
    limit: u32,
) -> Result<Output, Refusal> {
    let mut groups = Groups {
        layout,
        limit: limit as usize,
        output: Output::default(),
    };
    for segment in &read.segments {
        let bound = Bound {
            wanted: limit as usize + 1,
            ..values.into()
        };
        connection.each(segment, bound, &mut groups).await?;
    }
    Ok(groups.output)
}

async fn count<C: Reading>(
    connection: &C,
    statement: &crate::sql::Statement,
    values: Values<'_>,
) -> Result<Option<i64>, Refusal> {
    let mut first = First::of(1);
    connection.each(statement, values.into(), &mut first).await?;
    Ok(match first.found.as_deref() {
        Some([Cell::Integer(total)]) => Some(*total),
        _ => None,
    })
}

/// Runs a read of which the values are wanted, and no bytes.
///
/// # Errors
///
/// As [`run`].
pub async fn find<C: Reading>(
    connection: &C,
    read: &Read,
    values: Values<'_>,
    limit: u32,
) -> Result<Found, Refusal> {
    let mut list = List {
        layout: &read.layout,
        rows: Vec::new(),
    };
    for segment in &read.segments {
        let wanted = limit as usize - list.rows.len();
        if wanted == 0 {
            break;
        }
        let bound = Bound {
            wanted,
            ..values.into()
        };
        connection.each(segment, bound, &mut list).await?;
    }
    let mut found = Found {
        rows: list.rows,
        total: None,
    };
    if read.backward {
        found.rows.reverse();
    }
    if let Some(statement) = &read.count {
        found.total = count(connection, statement, values).await?;
    }
    Ok(found)
}

/// Takes rows of which the values are wanted.
struct List<'l> {
    layout: &'l Layout,
    rows: Vec<Vec<Value>>,
}

impl Take for List<'_> {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        let value = |shown: &ShownColumn| {
            let value = shown.codec.decode(row.cell(shown.column)?);
            value.map_err(|unfit| Refusal::StoredValue {
                field: shown.field,
                key: cells(row, &self.layout.key).unwrap_or_default(),
                expected: unfit.expected,
            })
        };
        let values = self.layout.shown.iter().map(value);
        self.rows.push(values.collect::<Result<_, Refusal>>()?);
        Ok(ControlFlow::Continue(()))
    }
}

/// Takes the rows of a page, or of an item.
struct Page<'l> {
    level: LevelReader<'l>,
    layout: &'l Layout,
    limit: usize,
    state: &'l StateKey,
    output: Output,
}

impl Take for Page<'_> {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        let (layout, output) = (self.layout, &mut self.output);
        if output.rows.len() == self.limit {
            output.more = true;
            return Ok(ControlFlow::Break(()));
        }
        self.level.write(row, &mut output.rows)?;
        let place = output.rows.len();
        if !layout.order.is_empty() {
            if place == 1 {
                output.first = Some(cells(row, &layout.order)?);
            }
            if place == self.limit {
                output.last = Some(cells(row, &layout.order)?);
            }
        }
        if place == 1 && !layout.stored.is_empty() {
            output.state = Some(hash_state(row, &layout.state, self.state)?);
            if let Some((column, codec)) = &layout.modified
                && let Ok(Value::Timestamp(moment)) = codec.decode(row.cell(*column)?)
            {
                output.modified = Some(moment);
            }
            output.key = cells(row, &layout.key)?;
            if !layout.flags.is_empty() {
                let flags = layout.flags.iter().map(|column| flag(row, *column));
                output.flags = flags.collect::<Result<_, Refusal>>()?;
                output.stored = cells(row, &layout.stored)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The state of an item: a keyed hash of its version, or of all its stored columns, in the schema's order.
pub struct StateHash {
    hasher: SipHasher24,
    /// What is hashed, at once: it is a dozen small pieces.
    bytes: Vec<u8>,
}

impl StateHash {
    /// Begins.
    pub fn new(key: &StateKey) -> Self {
        Self {
            hasher: SipHasher24::new_with_key(&key.0),
            bytes: Vec::with_capacity(256),
        }
    }

    /// Adds the next column.
    pub fn add(&mut self, cell: CellRef<'_>) {
        match cell {
            CellRef::Null => self.bytes.push(0),
            CellRef::Integer(value) => self.add_bytes(1, &value.to_le_bytes()),
            CellRef::Real(value) => self.add_bytes(2, &value.to_bits().to_le_bytes()),
            CellRef::Text(bytes) => self.add_bytes(3, bytes),
            CellRef::Blob(bytes) => self.add_bytes(4, bytes),
        }
    }

    fn add_bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// The state.
    pub fn finish(&self) -> u64 {
        self.hasher.hash(&self.bytes)
    }
}

fn hash_state(row: &impl Row, columns: &[usize], key: &StateKey) -> Result<u64, Refusal> {
    let mut hash = StateHash::new(key);
    for column in columns {
        hash.add(row.cell(*column)?);
    }
    Ok(hash.finish())
}

/// Writes the rows of a level and collects the keys that its includes need.
struct LevelReader<'l> {
    layout: &'l Layout,
    format: Format,
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
    fn new(layout: &'l Layout, format: Format) -> Self {
        Self {
            layout,
            format,
            keys: layout.includes.iter().map(|_| Keys::default()).collect(),
        }
    }

    fn write(&mut self, row: &impl Row, rows: &mut Rows) -> Result<(), Refusal> {
        match self.format {
            Format::Json | Format::Hal | Format::Ndjson => self.members::<Json>(row, &mut rows.bytes)?,
            Format::Csv => self.members::<Csv>(row, &mut rows.bytes)?,
        }
        if self.format == Format::Ndjson {
            rows.bytes.push(b'\n');
        }
        if self.format == Format::Hal {
            rows.keys.push(cells(row, &self.layout.key)?);
        }
        for (include, keys) in self.layout.includes.iter().zip(&mut self.keys) {
            let key = cells(row, &include.link)?;
            let nowhere = key.contains(&Cell::Null);
            rows.links.push(if nowhere { NOWHERE } else { keys.place(key) });
        }
        rows.ends.push(place_of(rows.bytes.len()));
        Ok(())
    }

    /// Writes what is shown of a row.
    fn members<W: Writing>(&self, row: &impl Row, out: &mut Vec<u8>) -> Result<(), Refusal> {
        W::begin(out);
        let mut first = true;
        for shown in &self.layout.shown {
            if let Some(guard) = shown.guard
                && flag(row, guard)? != Some(true)
            {
                first &= !W::absent(out, first);
                continue;
            }
            W::member(out, std::mem::take(&mut first), &shown.fragment);
            let value = row.cell(shown.column)?;
            shown
                .codec
                .lexeme::<W>(value, out)
                .map_err(|unfit| self.unfit(row, shown.field, unfit.expected))?;
        }
        W::end(out);
        Ok(())
    }

    fn unfit(&self, row: &impl Row, field: FieldId, expected: &'static str) -> Refusal {
        let key = cells(row, &self.layout.key).unwrap_or_default();
        Refusal::StoredValue { field, key, expected }
    }
}

fn place_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads the levels below.
async fn finish_level<C: Reading>(
    connection: &C,
    level: LevelReader<'_>,
    rows: &mut Rows,
    values: Values<'_>,
) -> Result<(), Refusal> {
    for (include, keys) in level.layout.includes.iter().zip(level.keys) {
        let format = level.format;
        let included = Box::pin(run_include(connection, include, keys.all, values, format)).await?;
        rows.includes.push(included);
    }
    Ok(())
}

async fn run_include<C: Reading>(
    connection: &C,
    include: &Include,
    keys: Vec<Vec<Cell>>,
    values: Values<'_>,
    format: Format,
) -> Result<Included, Refusal> {
    let mut below = Below {
        include,
        level: LevelReader::new(&include.layout, format),
        included: Included {
            groups: vec![(0, 0); keys.len()],
            more: keys.iter().map(|_| None).collect(),
            ..Included::default()
        },
        last: Vec::new(),
    };
    if !keys.is_empty() {
        let bound = Bound {
            keys: &keys,
            ..values.into()
        };
        connection.each(&include.statement, bound, &mut below).await?;
        below.included.keys = keys;
        finish_level(connection, below.level, &mut below.included.rows, values).await?;
    }
    Ok(below.included)
}

/// Takes the rows of a level below.
struct Below<'l> {
    include: &'l Include,
    level: LevelReader<'l>,
    included: Included,
    last: Vec<Cell>,
}

impl Take for Below<'_> {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        let (include, included) = (self.include, &mut self.included);
        let parent = usize::try_from(number(row, 0)?).unwrap_or(usize::MAX);
        let Some(group) = included.groups.get_mut(parent) else {
            return Ok(ControlFlow::Continue(()));
        };
        if !include.to_one && group.1 == include.cap {
            included.more[parent] = Some(std::mem::take(&mut self.last));
            return Ok(ControlFlow::Continue(()));
        }
        if include.to_one && group.1 == 1 {
            return Ok(ControlFlow::Continue(()));
        }
        if group.1 == 0 {
            group.0 = place_of(included.rows.len());
        }
        group.1 += 1;
        if group.1 == include.cap && !include.to_one {
            self.last = cells(row, &include.layout.order)?;
        }
        self.level.write(row, &mut included.rows)?;
        Ok(ControlFlow::Continue(()))
    }
}
