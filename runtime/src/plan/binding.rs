//! What a cursor is bound to, so that it is refused for another question.

use rest_schema::{RelationId, ResourceId};
use xxhash_rust::xxh3::Xxh3;

use crate::cell::Cell;
use crate::model::Model;
use crate::plan::read::own_term;
use crate::request::{Operator, Query, SortTerm};

/// What a cursor is bound to: the resource, its filters and its sort, by their names and values, so that the same
/// question gives the same number on every instance and in every version.
pub fn binding(model: &Model, resource: ResourceId, query: &Query) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(model.resource(resource).name.as_bytes());
    for filter in &query.filters {
        bind_path(model, &filter.path, b'?', &mut hash);
        hash.update(format!("{:?}", filter.operator).as_bytes());
        for value in &filter.values {
            bind_cell(&model.codec(filter.path.field).encode(value), &mut hash);
        }
    }
    bind_sort(model, resource, &query.sort, &mut hash);
    hash.digest()
}

/// What a cursor into one parent's relation is bound to, when it is asked for as a collection of its own: filtered by
/// the parent's key `filter`, in the relation's order.
pub fn include_binding(model: &Model, relation: RelationId, filter: &[(crate::request::Path, &Cell)]) -> u64 {
    let relation = model.relation(relation);
    let mut hash = Xxh3::new();
    hash.update(model.resource(relation.target).name.as_bytes());
    for (path, cell) in filter {
        bind_path(model, path, b'?', &mut hash);
        hash.update(format!("{:?}", Operator::Eq).as_bytes());
        bind_cell(cell, &mut hash);
    }
    let sort: Vec<SortTerm> = relation.sort.iter().map(own_term).collect();
    bind_sort(model, relation.target, &sort, &mut hash);
    hash.digest()
}

fn bind_cell(cell: &Cell, hash: &mut Xxh3) {
    match cell {
        Cell::Null => hash.update(b"\0n"),
        Cell::Integer(value) => {
            hash.update(b"\0i");
            hash.update(&value.to_le_bytes());
        }
        Cell::Real(value) => {
            hash.update(b"\0r");
            hash.update(&value.to_bits().to_le_bytes());
        }
        Cell::Text(text) => {
            hash.update(b"\0t");
            hash.update(text.as_bytes());
        }
        Cell::Blob(bytes) => {
            hash.update(b"\0b");
            hash.update(bytes);
        }
    }
}

fn bind_sort(model: &Model, resource: ResourceId, sort: &[SortTerm], hash: &mut Xxh3) {
    if sort.is_empty() {
        for key in &model.resource(resource).sort {
            let term = own_term(key);
            bind_path(model, &term.path, if term.descending { b'-' } else { b'+' }, hash);
        }
    }
    for term in sort {
        bind_path(model, &term.path, if term.descending { b'-' } else { b'+' }, hash);
    }
}

fn bind_path(model: &Model, path: &crate::request::Path, mark: u8, hash: &mut Xxh3) {
    hash.update(&[0, mark]);
    for step in &path.steps {
        hash.update(model.relation(*step).name.as_bytes());
        hash.update(b".");
    }
    hash.update(model.field(path.field).name.as_bytes());
}
