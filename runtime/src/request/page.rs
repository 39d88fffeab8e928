//! Where a page begins: `limit`, `page`, `cursor`, `count`, and what a cursor holds.
//!
//! A cursor names a place in an order: the values of the order's terms there. It is sealed, so that clients can neither
//! make one nor read values out of one that their fields do not show.

mod cursor;

pub use cursor::{CursorKey, Position};
