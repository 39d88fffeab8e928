//! Rows as JSON, plain or as HAL: one splice copies the ranges of all levels into the answer.

mod hal;

use rest_schema::{FieldId, Link, RelationId, ResourceId};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::codec::Codec;
use crate::engine::Engine;
use crate::plan::binding::related_binding;
use crate::plan::read::{ReadPlan, own_order};
use crate::request::page::Position;
use crate::respond::format::Format;
use crate::sql::select::{Include, Layout, Read};
use crate::storage::rows::{Included, NOWHERE, Output, Rows};

/// Writes rows with what belongs within them.
#[derive(Debug, Clone, Copy)]
pub struct Splicer<'a> {
    /// The service.
    pub engine: &'a Engine,
    /// Who asks.
    pub caller: &'a Caller,
    /// The form of the answer.
    pub format: Format,
    /// What its addresses begin with.
    pub prefix: &'a str,
}

/// The links of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// This page.
    pub own: String,
    /// The next one's cursor and, where it has one, its address.
    pub next: Option<(String, Option<String>)>,
    /// The one before.
    pub prev: Option<(String, Option<String>)>,
}

impl Splicer<'_> {
    /// One item, whose key stands in `rows` where the form tells addresses.
    pub fn item(&self, layout: &Layout, rows: &Rows, out: &mut Vec<u8>) {
        self.row(layout, rows, 0, out);
    }

    /// Items as an array, in the order of the collection.
    fn array(&self, layout: &Layout, rows: &Rows, places: impl Iterator<Item = usize>, out: &mut Vec<u8>) {
        out.push(b'[');
        for (count, place) in places.enumerate() {
            if count > 0 {
                out.push(b',');
            }
            self.row(layout, rows, place, out);
        }
        out.push(b']');
    }

    /// A page of a collection.
    pub fn page(&self, read: &Read, plan: &ReadPlan, output: &Output, links: &Links, out: &mut Vec<u8>) {
        let count = output.rows.len();
        let places = (0..count).map(|place| if read.backward { count - 1 - place } else { place });
        let size = (plan.limit, output.total);
        self.collection(size, links, out, |out| {
            self.array(&read.layout, &output.rows, places, out);
        });
    }

    /// A collection around its items.
    fn collection(
        &self,
        size: (u32, Option<i64>),
        links: &Links,
        out: &mut Vec<u8>,
        items: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.format == Format::Hal {
            out.extend_from_slice(b"{\"_links\":");
            hal::links_of_page(links, out);
            out.push(b',');
            page(size, links, out);
            out.extend_from_slice(b",\"_embedded\":{\"items\":");
            items(out);
            out.extend_from_slice(b"}}");
        } else {
            out.extend_from_slice(b"{\"items\":");
            items(out);
            out.push(b',');
            page(size, links, out);
            links_member(links, out);
            out.push(b'}');
        }
    }

    fn row(&self, layout: &Layout, rows: &Rows, row: usize, out: &mut Vec<u8>) {
        let object = &rows.bytes[rows.range(row)];
        let is_hal = self.format == Format::Hal;
        if layout.includes.is_empty() && !is_hal {
            out.extend_from_slice(object);
            return;
        }
        // What stands within it, without its braces.
        let members = &object[1..object.len() - 1];
        out.push(b'{');
        let mut is_first = true;
        let mut comma = |out: &mut Vec<u8>| {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
        };
        if is_hal {
            comma(out);
            self.links_of_item(layout.resource, &rows.keys[row], out);
        }
        if !members.is_empty() {
            comma(out);
            out.extend_from_slice(members);
        }
        if is_hal {
            self.embedded(layout, rows, row, out);
        } else {
            for (place, include) in layout.includes.iter().enumerate() {
                comma(out);
                out.extend_from_slice(&include.fragment);
                let link = rows.links[row * layout.includes.len() + place];
                if !self.included(include, &rows.includes[place], link, out) {
                    out.extend_from_slice(b"null");
                }
            }
        }
        out.push(b'}');
    }

    /// What is included, where there is something: a related item may be none.
    fn included(&self, include: &Include, included: &Included, link: u32, out: &mut Vec<u8>) -> bool {
        let (first, count) = included.groups.get(link as usize).copied().unwrap_or((0, 0));
        if include.to_one {
            let is_there = link != NOWHERE && count > 0;
            if is_there {
                self.row(&include.layout, &included.rows, first as usize, out);
            }
            return is_there;
        }
        let links = self.links_of(include, included, link);
        self.collection((include.cap, None), &links, out, |out| {
            let places = (first..first + count).map(|place| place as usize);
            self.array(&include.layout, &included.rows, places, out);
        });
        true
    }

    /// The addresses of an included collection: it is one of its own, below its parent.
    fn links_of(&self, include: &Include, included: &Included, link: u32) -> Links {
        let engine = self.engine;
        let parent = included.keys.get(link as usize);
        let Some(key) = parent.and_then(|link| key_of(engine, include.relation, link)) else {
            return Links::default();
        };
        let own = related(engine, self.prefix, include.relation, &key);
        let more = included.more.get(link as usize).and_then(Option::as_ref);
        let next = more.map(|values| {
            let sort = own_order(&engine.model.relation(include.relation).sort);
            let binding = related_binding(&engine.model, include.relation, &key, &[], &sort);
            let position = Position {
                values: values.clone(),
                backward: false,
            };
            let cursor = position.seal(&engine.cursor_key, binding);
            let address = format!("{own}?cursor={cursor}");
            (cursor, Some(address))
        });
        Links {
            own,
            next,
            prev: None,
        }
    }
}

/// `"page":{…}`
fn page((limit, total): (u32, Option<i64>), links: &Links, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"page\":{\"limit\":");
    out.extend_from_slice(itoa::Buffer::new().format(limit).as_bytes());
    out.extend_from_slice(b",\"next\":");
    text_or_null(links.next.as_ref().map(|(cursor, _)| cursor.as_str()), out);
    out.extend_from_slice(b",\"prev\":");
    text_or_null(links.prev.as_ref().map(|(cursor, _)| cursor.as_str()), out);
    if let Some(total) = total {
        out.extend_from_slice(b",\"total\":");
        out.extend_from_slice(itoa::Buffer::new().format(total).as_bytes());
    }
    out.push(b'}');
}

/// `,"links":{…}`
fn links_member(links: &Links, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"links\":{\"self\":");
    text_or_null(Some(links.own.as_str()).filter(|own| !own.is_empty()), out);
    out.extend_from_slice(b",\"next\":");
    text_or_null(links.next.as_ref().and_then(|(_, link)| link.as_deref()), out);
    out.extend_from_slice(b",\"prev\":");
    text_or_null(links.prev.as_ref().and_then(|(_, link)| link.as_deref()), out);
    out.push(b'}');
}

/// Cursors and links are ASCII without anything that JSON escapes.
fn text_or_null(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        None => out.extend_from_slice(b"null"),
        Some(text) => {
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        }
    }
}

/// The key of a row, of the values by which a relation leaves it.
fn key_of(engine: &Engine, relation: RelationId, link: &[Cell]) -> Option<Vec<Cell>> {
    let local: Vec<FieldId> = match &engine.model.relation(relation).link {
        Link::Keys { local, .. } => local.clone(),
        Link::Join { local, .. } => local.iter().map(|join| join.field).collect(),
    };
    let key = &engine.model.resource(relation.resource).key.fields;
    let cell = |field: &FieldId| {
        let place = local.iter().position(|of| of == field)?;
        link.get(place).cloned()
    };
    key.iter().map(cell).collect()
}

/// The address of what a relation leads to from the row with this key.
pub fn related(engine: &Engine, prefix: &str, relation: RelationId, key: &[Cell]) -> String {
    let mut at = address(engine, prefix, relation.resource, key);
    at.push('/');
    at.push_str(&engine.model.relation(relation).name);
    at
}

/// A cell as it stands in an address: the wire form without quotes.
pub fn text_of(codec: &Codec, cell: &Cell) -> String {
    match codec.decode(cell.as_ref()) {
        Ok(value) => value.to_wire(),
        Err(_) => String::new(),
    }
}

/// The address of an item.
pub fn address(engine: &Engine, prefix: &str, resource: ResourceId, key: &[Cell]) -> String {
    let model = &engine.model;
    let collection = &model.resource(resource).collection;
    let mut address = format!("{prefix}/{collection}/");
    for (place, (field, cell)) in model.resource(resource).key.fields.iter().zip(key).enumerate() {
        if place > 0 {
            address.push(',');
        }
        crate::respond::link::push_segment(&text_of(model.codec(*field), cell), &mut address);
    }
    address
}
