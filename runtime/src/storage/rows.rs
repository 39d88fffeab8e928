//! What a read yields before it is an answer: per level the bytes of its rows, and what leads to the levels below.
//!
//! Nothing is parsed again: [`crate::respond::json`] copies ranges of these buffers into the answer once.

use rest_schema::Value;

use crate::cell::Cell;

/// No link: what belongs there is null or empty.
pub const NOWHERE: u32 = u32::MAX;

/// The rows of one level.
#[derive(Debug, Default)]
pub struct Rows {
    /// Them as they are answered, one after another, each without the includes.
    pub bytes: Vec<u8>,
    /// Where each row ends; it begins where the one before ends.
    pub ends: Vec<u32>,
    /// For each row and include: the place of its key among the include's keys, or [`NOWHERE`].
    pub links: Vec<u32>,
    /// The key of each row, where the form tells addresses.
    pub keys: Vec<Vec<Cell>>,
    /// The levels below.
    pub includes: Vec<Included>,
}

/// A level below.
#[derive(Debug, Default)]
pub struct Included {
    /// The distinct keys of the level above that lead here.
    pub keys: Vec<Vec<Cell>>,
    /// All rows, those of one key together.
    pub rows: Rows,
    /// For each key: the rows that are its (first, count).
    pub groups: Vec<(u32, u32)>,
    /// For each key whose rows are more than are shown: the order's cells of the last one shown.
    pub more: Vec<Option<Vec<Cell>>>,
}

impl Rows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all levels.
    pub fn size(&self) -> usize {
        let below: usize = self.includes.iter().map(|included| included.rows.size()).sum();
        self.bytes.len() + below
    }

    /// Where a row stands.
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        start..self.ends[row] as usize
    }
}

/// What a read for a program's own structs yields.
#[derive(Debug, Default)]
pub struct Found {
    /// The rows, each with the values of the fields shown, in their order.
    pub rows: Vec<Vec<Value>>,
    /// The number of all rows, where it was asked for.
    pub total: Option<i64>,
}

/// What a whole read yields.
#[derive(Debug, Default)]
pub struct Output {
    /// The rows of the page, or of the item; not more than the limit.
    pub rows: Rows,
    /// Whether there are more in the direction read.
    pub more: bool,
    /// The order's cells of the first row read.
    pub first: Option<Vec<Cell>>,
    /// The order's cells of the last row of a full page.
    pub last: Option<Vec<Cell>>,
    /// The number of all rows, where it was asked for.
    pub total: Option<i64>,
    /// The state of the item.
    pub state: Option<u64>,
    /// When the item, and with it what is shown of it, was last changed; `None` where that isn't known.
    pub modified: Option<jiff::Timestamp>,
    /// The flags asked for with the item.
    pub flags: Vec<Option<bool>>,
    /// The key of the first row.
    pub key: Vec<Cell>,
    /// The item's stored columns, where asked for.
    pub stored: Vec<Cell>,
}
