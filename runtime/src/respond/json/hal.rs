//! The two members that HAL adds (draft-kelly-json-hal-11): `_links` and `_embedded`.
//!
//! What is included is embedded: a related item as an item, related items as the collection that they are at their own
//! address, with its `_links` and `page`. A related item that isn't there isn't embedded, for HAL has no null there.

use rest_schema::{RelationId, ResourceId};

use super::{Links, Splicer, address, related};
use crate::cell::Cell;
use crate::plan::read::Planner;
use crate::request::{methods, names_relation};
use crate::sql::select::Layout;
use crate::storage::rows::Rows;

impl Splicer<'_> {
    /// `"_links":{…}` of an item: itself, and what its relations lead to, as far as the caller may know of them.
    pub(super) fn links_of_item(&self, resource: ResourceId, key: &[Cell], out: &mut Vec<u8>) {
        let (engine, model) = (self.engine, &self.engine.model);
        let planner = Planner {
            model,
            caller: self.caller,
        };
        out.extend_from_slice(b"\"_links\":{");
        link("self", &address(engine, self.prefix, resource, key), out);
        for (index, relation) in (0u32..).zip(&model.resource(resource).relations) {
            let id = RelationId { resource, index };
            let is_known = names_relation(&model.schema, id, &|field| planner.is_visible(field));
            if is_known && !methods::of_related(&model.schema, id).is_empty() {
                out.push(b',');
                link(&relation.name, &related(engine, self.prefix, id, key), out);
            }
        }
        out.push(b'}');
    }

    /// `,"_embedded":{…}` of an item, where something is included.
    pub(super) fn embedded(&self, layout: &Layout, rows: &Rows, row: usize, out: &mut Vec<u8>) {
        let width = layout.includes.len();
        let start = out.len();
        out.extend_from_slice(b",\"_embedded\":{");
        let before_first = out.len();
        for (place, include) in layout.includes.iter().enumerate() {
            let before = out.len();
            if before > before_first {
                out.push(b',');
            }
            out.extend_from_slice(&include.fragment);
            if !self.included(
                include,
                &rows.includes[place],
                rows.links[row * width + place],
                out,
            ) {
                out.truncate(before);
            }
        }
        if out.len() == before_first {
            out.truncate(start);
        } else {
            out.push(b'}');
        }
    }
}

/// The links of a page: itself and its neighbours, as far as they have addresses.
pub(super) fn links_of_page(links: &Links, out: &mut Vec<u8>) {
    let address = |neighbour: &Option<(String, Option<String>)>| neighbour.as_ref()?.1.clone();
    let own = Some(links.own.clone()).filter(|own| !own.is_empty());
    out.push(b'{');
    let all = [
        ("self", own),
        ("next", address(&links.next)),
        ("prev", address(&links.prev)),
    ];
    let mut is_first = true;
    for (name, to) in all {
        if let Some(to) = to {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            link(name, &to, out);
        }
    }
    out.push(b'}');
}

/// Names and addresses hold nothing that JSON escapes.
fn link(name: &str, to: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":{\"href\":\"");
    out.extend_from_slice(to.as_bytes());
    out.extend_from_slice(b"\"}");
}
