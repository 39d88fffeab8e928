//! Which methods an address takes: as the schema exposes them, the same for every caller.

use rest_schema::types::Kind;
use rest_schema::{FieldId, Link, Operation, RelationId, RelationKind, Resource, Schema, Through};

use super::names_relation;

/// The methods of a resource's collection.
pub(crate) fn of_collection(resource: &Resource) -> Vec<&'static str> {
    let has = |operation| resource.access.rule(operation).is_some();
    let read = has(Operation::Read);
    served([
        ("GET", read),
        ("HEAD", read),
        ("POST", has(Operation::Create)),
        ("PATCH", read && has(Operation::Update)),
        ("DELETE", read && has(Operation::Delete)),
        ("QUERY", read),
        ("OPTIONS", true),
    ])
}

/// The methods of its items.
pub(crate) fn of_item(resource: &Resource) -> Vec<&'static str> {
    let has = |operation| resource.access.rule(operation).is_some();
    let (read, update) = (has(Operation::Read), has(Operation::Update));
    let put_creates = resource.key.by_client && has(Operation::Create);
    served([
        ("GET", read),
        ("HEAD", read),
        ("PUT", update || put_creates),
        ("PATCH", update),
        ("DELETE", has(Operation::Delete)),
        ("OPTIONS", true),
    ])
}

/// The methods of `query` below the collection: POST asks the collection there, for clients without the method QUERY. Those
/// of an item are there where `query` may be the key of one: no number is, and no key of several parts.
pub(crate) fn of_item_named_query(resource: &Resource) -> Vec<&'static str> {
    let is_key = match resource.key.fields.as_slice() {
        [field] => resource.fields[field.index as usize].ty.kind() == Kind::Text,
        _ => false,
    };
    let read = resource.access.read.is_some();
    let posted = read.then_some("POST").into_iter();
    match is_key || !read {
        true => posted.chain(of_item(resource)).collect(),
        false => posted.chain(["OPTIONS"]).collect(),
    }
}

/// What brings an item back, by its address below the item's.
pub(crate) const RESTORE: &str = "restore";

/// The methods of what brings an item back; none where nothing does.
pub(crate) fn of_restore(resource: &Resource) -> Vec<&'static str> {
    if resource.shows_deleted() {
        served([("POST", true), ("OPTIONS", true)])
    } else {
        Vec::new()
    }
}

/// The methods of what a relation leads to from an item; none where the relation doesn't exist for anybody.
pub(crate) fn of_related(schema: &Schema, relation: RelationId) -> Vec<&'static str> {
    let way = schema.relation(relation);
    let (from, target) = (schema.resource(relation.resource), schema.resource(way.target));
    let pairs = way.through.map(|through| schema.resource(through.resource()));
    let mut all = [Some(from), Some(target), pairs].into_iter().flatten();
    let read = all.all(|resource| resource.access.read.is_some());
    if !read || !names_relation(schema, relation, &|_| true) {
        return Vec::new();
    }
    let is_made = target.access.create.is_some() && !pointing(schema, relation).is_empty();
    let is_many = !way.kind.is_to_one();
    served([
        ("GET", true),
        ("HEAD", true),
        ("POST", is_made),
        ("PATCH", is_many && target.access.update.is_some()),
        ("DELETE", is_many && target.access.delete.is_some()),
        ("QUERY", is_many),
        ("OPTIONS", true),
    ])
}

/// The methods of one pair of a many-to-many; none where there is no such address. A many-to-many belongs to the side
/// that declares it.
pub(crate) fn of_pair(schema: &Schema, relation: RelationId) -> Vec<&'static str> {
    let way = schema.relation(relation);
    if way.kind != RelationKind::ManyToMany || of_related(schema, relation).is_empty() {
        return Vec::new();
    }
    let (put, delete) = match way.through {
        Some(through) => {
            let access = &schema.resource(through.resource()).access;
            let is_written = access.create.is_some() || access.update.is_some();
            (is_written && is_given(schema, through), access.delete.is_some())
        }
        None => {
            let declared = schema.declared(relation);
            let rule = schema.relation(declared).access.as_ref();
            let rule = rule.or(schema.resource(declared.resource).access.update.as_ref());
            (rule.is_some(), rule.is_some())
        }
    };
    if put || delete {
        served([("PUT", put), ("DELETE", delete), ("OPTIONS", true)])
    } else {
        Vec::new()
    }
}

/// Whether bodies say which pair an item is.
fn is_given(schema: &Schema, through: Through) -> bool {
    let given = |relation: RelationId| match &schema.relation(relation).link {
        Link::Keys { local, .. } => local.iter().all(|field| schema.field(*field).is_accepted()),
        Link::Join { .. } => false,
    };
    given(through.from) && given(through.to)
}

/// How the items to which a relation leads point to the one from which it starts: the place of each part of its key, and
/// the field in which they say it. Empty where bodies can't say it, or where there is one such item at most.
pub(crate) fn pointing(schema: &Schema, relation: RelationId) -> Vec<(usize, FieldId)> {
    match schema.relation(relation).kind {
        RelationKind::HasMany => back(schema, relation),
        _ => Vec::new(),
    }
}

/// The same, also where there is one such item at most.
pub(crate) fn back(schema: &Schema, relation: RelationId) -> Vec<(usize, FieldId)> {
    let way = schema.relation(relation);
    let Link::Keys { local, remote } = &way.link else {
        return Vec::new();
    };
    let key = &schema.resource(relation.resource).key.fields;
    let pairs = local.iter().zip(remote).filter_map(|(local, remote)| {
        let place = key.iter().position(|field| field == local)?;
        schema.field(*remote).is_accepted().then_some((place, *remote))
    });
    let pairs: Vec<_> = pairs.collect();
    let points = matches!(way.kind, RelationKind::HasMany | RelationKind::HasOne);
    if points && pairs.len() == key.len() && key.len() == local.len() {
        pairs
    } else {
        Vec::new()
    }
}

fn served<const N: usize>(all: [(&'static str, bool); N]) -> Vec<&'static str> {
    all.into_iter()
        .filter(|(_, is_served)| *is_served)
        .map(|(method, _)| method)
        .collect()
}
