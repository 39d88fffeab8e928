//! What a database gives and takes: a cell of a row, before and after a [codec](crate::codec) has read it.

use std::hash::{Hash, Hasher};

/// A cell that a driver lends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellRef<'a> {
    /// NULL
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text, as it stands (SQLite doesn't promise UTF-8).
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// A cell of our own: a bound parameter, a link key, a place in an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// NULL
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A double, finite.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

// A Real is finite by construction, so equality is reflexive.
impl Eq for Cell {}

impl Hash for Cell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Integer(value) => value.hash(state),
            Self::Real(value) => value.to_bits().hash(state),
            Self::Text(value) => value.hash(state),
            Self::Blob(value) => value.hash(state),
        }
    }
}

impl CellRef<'_> {
    /// A copy; text that isn't UTF-8 becomes a blob.
    pub fn to_owned(self) -> Cell {
        match self {
            CellRef::Null => Cell::Null,
            CellRef::Integer(value) => Cell::Integer(value),
            CellRef::Real(value) => Cell::Real(value),
            CellRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Cell::Text(text.to_owned()),
                Err(_) => Cell::Blob(text.to_vec()),
            },
            CellRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
        }
    }
}

impl Cell {
    /// Lends it.
    pub fn as_ref(&self) -> CellRef<'_> {
        match self {
            Self::Null => CellRef::Null,
            Self::Integer(value) => CellRef::Integer(*value),
            Self::Real(value) => CellRef::Real(*value),
            Self::Text(text) => CellRef::Text(text.as_bytes()),
            Self::Blob(bytes) => CellRef::Blob(bytes),
        }
    }

    /// A text, also one that is kept as bytes; `None` for what is none.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Blob(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Null | Self::Integer(_) | Self::Real(_) => None,
        }
    }
}
