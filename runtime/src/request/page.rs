//! Where a page begins: `limit`, `page`, `cursor`, `count`, and what a cursor holds.
//!
//! A cursor names a place in an order: the values of the order's terms there. It is sealed, so that clients can neither
//! make one nor read values out of one that their fields do not show.

mod cursor;

use rest_schema::{FieldType, Schema, Value};

use super::Page;
use super::query::Parameters;
use crate::problem::{Code, Fault};

pub use cursor::{CursorKey, Position};

/// The items that `page` may skip; further ones are reached by cursors.
pub const MAX_SKIPPED: u32 = 10_000_000;

/// Reads `limit`; the schema's own where there is none, or a wrong one.
pub(super) fn limit(schema: &Schema, parameters: &Parameters, faults: &mut Vec<Fault>) -> u32 {
    let sizes = &schema.page;
    let Some(parameter) = parameters.named("limit") else {
        return sizes.limit;
    };
    number(parameter.single(), sizes.max).unwrap_or_else(|| {
        let detail = format!("limit is a whole number from 1 to {}", sizes.max);
        faults.push(Fault::parameter("limit", Code::BadLimit, detail).limit(sizes.max));
        sizes.limit
    })
}

/// Reads `cursor` and `page`, which exclude each other.
pub(super) fn page(limit: u32, parameters: &Parameters, faults: &mut Vec<Fault>) -> Page {
    match (parameters.named("cursor"), parameters.named("page")) {
        (None, None) => Page::First,
        (Some(cursor), None) if cursor.single().is_empty() => Page::First,
        (Some(cursor), None) => Page::Cursor(cursor.single().to_owned()),
        (None, Some(page)) => numbered(page.single(), limit, faults),
        (Some(_), Some(_)) => {
            let detail = "cursor and page exclude each other";
            faults.push(Fault::parameter("page", Code::ConflictingParameters, detail));
            Page::First
        }
    }
}

fn numbered(text: &str, limit: u32, faults: &mut Vec<Fault>) -> Page {
    let last = (MAX_SKIPPED / limit.max(1)).max(1);
    match number(text, last) {
        Some(page) => Page::Number(page),
        None => {
            let detail = format!("page is a whole number from 1 to {last}; go further with cursor");
            faults.push(Fault::parameter("page", Code::BadPage, detail).limit(last));
            Page::First
        }
    }
}

/// Reads `count`.
pub(super) fn count(parameters: &Parameters, faults: &mut Vec<Fault>) -> bool {
    let Some(parameter) = parameters.named("count") else {
        return false;
    };
    if parameter.single() != "exact" {
        let fault = Fault::parameter("count", Code::BadValue, "count is exact, or left out");
        faults.push(fault.near(parameter.single(), ["exact"]));
    }
    true
}

/// A whole number from 1 to `max`, written as every integer is.
fn number(text: &str, max: u32) -> Option<u32> {
    let Ok(Value::Integer(value)) = FieldType::Bigint.parse_text(text) else {
        return None;
    };
    u32::try_from(value)
        .ok()
        .filter(|value| (1..=max).contains(value))
}
