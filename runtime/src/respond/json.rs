//! Rows as JSON: one splice copies the ranges of all levels into the answer.

use rest_schema::{FieldId, Link, RelationId, ResourceId};

use crate::cell::Cell;
use crate::codec::Codec;
use crate::engine::Engine;
use crate::plan::binding::related_binding;
use crate::plan::read::{ReadPlan, own_order};
use crate::request::page::Position;
use crate::sql::select::{Include, Layout, Read};
use crate::storage::rows::{Included, NOWHERE, Output, Rows};

/// Writes rows with what belongs in their holes.
#[derive(Debug, Clone, Copy)]
pub struct Splicer<'a> {
    /// The service.
    pub engine: &'a Engine,
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
    /// One item.
    pub fn item(&self, layout: &Layout, rows: &Rows, out: &mut Vec<u8>) {
        self.row(layout, rows, 0, out);
    }

    /// Items as an array's members, in the order of the collection.
    pub fn members(&self, layout: &Layout, rows: &Rows, backward: bool, out: &mut Vec<u8>) {
        let count = rows.len();
        for place in 0..count {
            if place > 0 {
                out.push(b',');
            }
            self.row(
                layout,
                rows,
                if backward { count - 1 - place } else { place },
                out,
            );
        }
    }

    /// A page of a collection.
    pub fn page(&self, read: &Read, plan: &ReadPlan, output: &Output, links: &Links, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"items\":[");
        self.members(&read.layout, &output.rows, read.backward, out);
        out.push(b']');
        tail(plan.limit, output.total, links, out);
    }

    fn row(&self, layout: &Layout, rows: &Rows, row: usize, out: &mut Vec<u8>) {
        let range = rows.range(row);
        let width = layout.includes.len();
        let mut from = range.start;
        for place in 0..width {
            let hole = rows.holes[row * width + place] as usize;
            out.extend_from_slice(&rows.bytes[from..hole]);
            from = hole;
            let include = &layout.includes[place];
            self.hole(
                include,
                &rows.includes[place],
                rows.links[row * width + place],
                out,
            );
        }
        out.extend_from_slice(&rows.bytes[from..range.end]);
    }

    fn hole(&self, include: &Include, included: &Included, link: u32, out: &mut Vec<u8>) {
        let group = included.groups.get(link as usize).copied().unwrap_or((0, 0));
        if include.to_one {
            if link == NOWHERE || group.1 == 0 {
                out.extend_from_slice(b"null");
            } else {
                self.row(&include.layout, &included.rows, group.0 as usize, out);
            }
            return;
        }
        out.extend_from_slice(b"{\"items\":[");
        for place in 0..group.1 {
            if place > 0 {
                out.push(b',');
            }
            self.row(&include.layout, &included.rows, (group.0 + place) as usize, out);
        }
        out.push(b']');
        let links = self.links_of(include, included, link);
        tail(include.cap, None, &links, out);
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

fn tail(limit: u32, total: Option<i64>, links: &Links, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"page\":{\"limit\":");
    out.extend_from_slice(itoa::Buffer::new().format(limit).as_bytes());
    out.extend_from_slice(b",\"next\":");
    text_or_null(links.next.as_ref().map(|(cursor, _)| cursor.as_str()), out);
    out.extend_from_slice(b",\"prev\":");
    text_or_null(links.prev.as_ref().map(|(cursor, _)| cursor.as_str()), out);
    if let Some(total) = total {
        out.extend_from_slice(b",\"total\":");
        out.extend_from_slice(itoa::Buffer::new().format(total).as_bytes());
    }
    out.extend_from_slice(b"},\"links\":{\"self\":");
    text_or_null(Some(links.own.as_str()).filter(|own| !own.is_empty()), out);
    out.extend_from_slice(b",\"next\":");
    text_or_null(links.next.as_ref().and_then(|(_, link)| link.as_deref()), out);
    out.extend_from_slice(b",\"prev\":");
    text_or_null(links.prev.as_ref().and_then(|(_, link)| link.as_deref()), out);
    out.extend_from_slice(b"}}");
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
