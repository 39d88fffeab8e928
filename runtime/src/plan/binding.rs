//! What a cursor is bound to, so that it is refused for another question.

use rest_schema::{RelationId, ResourceId};
use xxhash_rust::xxh3::Xxh3;

use crate::cell::Cell;
use crate::model::Model;
use crate::plan::access::Which;
use crate::plan::read::own_term;
use crate::request::{Condition, Filter, Query, SortTerm};

/// What a cursor is bound to: the resource, its filters and its sort, by their names and values, so that the same
/// question gives the same number on every instance and in every version.
pub fn binding(model: &Model, resource: ResourceId, query: &Query) -> u64 {
    let mut hash = Xxh3::new();
    bind(model, resource, &query.filters, &query.sort, &mut hash);
    beside_binding(hash.digest(), query)
}

/// The same with what is asked beside filters and sort: a search, and rows that were deleted.
pub fn beside_binding(binding: u64, query: &Query) -> u64 {
    let with = |text: &[u8], binding| xxhash_rust::xxh3::xxh3_64_with_seed(text, binding);
    let search = query.search.as_deref();
    let searched = search.map_or(binding, |text| with(text.as_bytes(), binding));
    match query.selection.which {
        Which::There => searched,
        Which::Deleted => with(b"\0deleted", searched),
        Which::Any => with(b"\0any", searched),
    }
}

/// The same within what a relation leads to from the row with this key: as a collection of its own, or included.
pub fn related_binding(
    model: &Model,
    relation: RelationId,
    key: &[Cell],
    filters: &[Condition],
    sort: &[SortTerm],
) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(model.resource(relation.resource).name.as_bytes());
    key.iter().for_each(|cell| bind_cell(cell, &mut hash));
    hash.update(b"\0/");
    let relation = model.relation(relation);
    hash.update(relation.name.as_bytes());
    hash.update(b"\0/");
    bind(model, relation.target, filters, sort, &mut hash);
    hash.digest()
}

fn bind(model: &Model, resource: ResourceId, filters: &[Condition], sort: &[SortTerm], hash: &mut Xxh3) {
    hash.update(model.resource(resource).name.as_bytes());
    for condition in filters {
        bind_condition(model, condition, hash);
    }
    bind_sort(model, resource, sort, hash);
}

fn bind_condition(model: &Model, condition: &Condition, hash: &mut Xxh3) {
    let mut several = |mark: &[u8], all: &[Condition]| {
        hash.update(mark);
        all.iter().for_each(|one| bind_condition(model, one, hash));
        hash.update(b"\0)");
    };
    match condition {
        Condition::Test(filter) => bind_filter(model, filter, b'?', hash),
        Condition::Not(filter) => bind_filter(model, filter, b'!', hash),
        Condition::All(all) => several(b"\0&(", all),
        Condition::Any(all) => several(b"\0|(", all),
        Condition::Some(relation, inner) | Condition::None(relation, inner) => {
            let is_some = matches!(condition, Condition::Some(..));
            hash.update(if is_some { b"\0>" } else { b"\0<" });
            hash.update(model.relation(*relation).name.as_bytes());
            bind_condition(model, inner, hash);
        }
    }
}

fn bind_filter(model: &Model, filter: &Filter, mark: u8, hash: &mut Xxh3) {
    bind_path(model, &filter.path, mark, hash);
    hash.update(format!("{:?}", filter.operator).as_bytes());
    for value in &filter.values {
        bind_cell(&model.codec(filter.path.field).encode(value), hash);
    }
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
