//! Where a page begins: `limit`, `page`, `cursor`, `count`, and what a cursor holds.
//!
//! A cursor names a place in an order: the values of the order's terms there. It is sealed, so that clients can neither
//! make one nor read values out of one that their fields do not show.

mod cursor;

use rest_schema::{FieldType, ResourceId, Schema, Value};

use super::Page;
use super::names::Names;
use super::query::Parameters;
use crate::plan::access::Which;
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
pub(super) fn page(schema: &Schema, parameters: &Parameters, faults: &mut Vec<Fault>) -> Page {
    match (parameters.named("cursor"), parameters.named("page")) {
        (None, None) => Page::First,
        (Some(cursor), None) if cursor.single().is_empty() => Page::First,
        (Some(cursor), None) => Page::Cursor(cursor.single().to_owned()),
        (None, Some(page)) => numbered(page.single(), schema, faults),
        (Some(_), Some(_)) => {
            let detail = "cursor and page exclude each other";
            faults.push(Fault::parameter("page", Code::ConflictingParameters, detail));
            Page::First
        }
    }
}

/// The last page that can be asked for by number, whatever `limit` is.
pub(crate) fn last_page(schema: &Schema) -> u32 {
    (MAX_SKIPPED / schema.page.max.max(1)).max(1)
}

fn numbered(text: &str, schema: &Schema, faults: &mut Vec<Fault>) -> Page {
    let last = last_page(schema);
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

/// Reads `deleted`.
pub(super) fn deleted(
    names: &Names,
    resource: ResourceId,
    parameters: &Parameters,
    faults: &mut Vec<Fault>,
) -> Which {
    let Some(parameter) = parameters.named("deleted") else {
        return Which::There;
    };
    if !names.schema.resource(resource).shows_deleted() {
        let detail = "nothing deleted is shown here";
        faults.push(Fault::parameter("deleted", Code::UnknownParameter, detail));
    }
    match parameter.single() {
        "only" => Which::Deleted,
        "with" => Which::Any,
        other => {
            let fault = Fault::parameter("deleted", Code::BadValue, "deleted is only or with, or left out");
            faults.push(fault.near(other, ["only", "with"]));
            Which::There
        }
    }
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

#[cfg(test)]
mod tests {
    use super::super::Page;
    use super::super::fixture::{posts, refused};

    #[test]
    fn a_page_has_a_size_and_a_beginning() {
        let page = |raw: &str| {
            posts(raw)
                .map(|query| (query.limit, query.page, query.count))
                .expect("a page")
        };
        assert_eq!(page(""), (20, Page::First, false));
        assert_eq!(page("limit=1&count=exact"), (1, Page::First, true));
        assert_eq!(page("limit=100&page=100000"), (100, Page::Number(100_000), false));
        assert_eq!(page("cursor="), (20, Page::First, false));
        assert_eq!(page("cursor=AbC"), (20, Page::Cursor("AbC".into()), false));
    }

    #[test]
    fn sizes_and_numbers_are_bounded() {
        for raw in [
            "limit=0",
            "limit=101",
            "limit=",
            "limit=-1",
            "limit=x",
            "limit=1.0",
            "limit=99999999999999999999",
        ] {
            assert_eq!(
                refused(posts(raw)),
                "bad-limit limit: limit is a whole number from 1 to 100"
            );
        }
        for raw in ["page=0", "page=", "page=100001", "page=4294967296", "page=x"] {
            assert_eq!(
                refused(posts(raw)),
                "bad-page page: page is a whole number from 1 to 100000; go further with cursor"
            );
        }
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        assert!(refused(posts("cursor=&page=2")).starts_with("conflicting-parameters page: "));
        assert_eq!(
            refused(posts("limit=1&limit=1")),
            "duplicate-parameter limit: limit stands 2 times and may stand once"
        );
        assert_eq!(
            refused(posts("count=exakt")),
            "bad-value count: count is exact, or left out → exact"
        );
        assert!(refused(posts("count=")).starts_with("bad-value "));
    }
}
