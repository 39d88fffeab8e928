//! Rows as JSON: one splice copies the ranges of all levels into the answer.

use rest_schema::{Link, RelationId, ResourceId};

use crate::cell::Cell;
use crate::codec::Codec;
use crate::engine::Engine;
use crate::plan::binding::include_binding;
use crate::plan::read::ReadPlan;
use crate::request::Path;
use crate::request::page::Position;
use crate::respond::link::Query;
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
    /// The next one's cursor and address.
    pub next: Option<(String, String)>,
    /// The one before.
    pub prev: Option<(String, String)>,
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

    /// The addresses of an included collection: the target's own, filtered by the parent's key.
    fn links_of(&self, include: &Include, included: &Included, link: u32) -> Links {
        let Some(key) = included.keys.get(link as usize) else {
            return Links::default();
        };
        let Some(filter) = parent_filter(self.engine, include.relation, key) else {
            return Links::default();
        };
        let model = &self.engine.model;
        let relation = model.relation(include.relation);
        let mut query = Query::new(self.prefix, &model.resource(relation.target).collection);
        for (path, cell) in &filter {
            let codec = model.codec(path.field);
            query.add(&name_of(self.engine, path), &text_of(codec, cell));
        }
        if !relation.sort.is_empty() {
            query.add("sort", &sort_of(self.engine, include.relation));
        }
        let own = query.text().to_owned();
        let next = included
            .more
            .get(link as usize)
            .and_then(Option::as_ref)
            .map(|values| {
                let binding = include_binding(model, include.relation, &filter);
                let position = Position {
                    values: values.clone(),
                    backward: false,
                };
                let cursor = position.seal(&self.engine.cursor_key, binding);
                query.add("cursor", &cursor);
                (cursor, query.text().to_owned())
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
    text_or_null(links.next.as_ref().map(|(_, link)| link.as_str()), out);
    out.extend_from_slice(b",\"prev\":");
    text_or_null(links.prev.as_ref().map(|(_, link)| link.as_str()), out);
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

/// The filter that gives one parent's relation as a collection of its own; `None` where it can't be asked for so.
fn parent_filter<'k>(
    engine: &Engine,
    relation: RelationId,
    key: &'k [Cell],
) -> Option<Vec<(Path, &'k Cell)>> {
    let model = &engine.model;
    let way = model.relation(relation);
    let (steps, fields) = match &way.link {
        Link::Keys { remote, .. } => (Vec::new(), remote.clone()),
        Link::Join { local, .. } => (vec![way.inverse?], local.iter().map(|join| join.field).collect()),
    };
    let filterable = fields.iter().all(|field| model.field(*field).filterable);
    filterable.then(|| {
        let path = |field| Path {
            steps: steps.clone(),
            field,
        };
        fields.into_iter().map(path).zip(key).collect()
    })
}

fn name_of(engine: &Engine, path: &Path) -> String {
    let mut name = String::new();
    for step in &path.steps {
        name.push_str(&engine.model.relation(*step).name);
        name.push('.');
    }
    name + &engine.model.field(path.field).api_name
}

fn sort_of(engine: &Engine, relation: RelationId) -> String {
    let terms = engine.model.relation(relation).sort.iter().map(|term| {
        let sign = if term.descending { "-" } else { "" };
        format!("{sign}{}", engine.model.field(term.field).api_name)
    });
    terms.collect::<Vec<_>>().join(",")
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
