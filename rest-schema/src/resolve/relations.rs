//! Relations: each declared once, by the side that has the key or the table of pairs, and seen from both.
//!
//! A relation that leads nowhere leads to its own resource here, so that places stay what they are; its fault and its
//! name are kept.

mod through;

use std::collections::HashMap;

use super::{Draft, Origin, index, names};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{Block, Named};
use crate::schema::{
    FieldId, JoinColumn, Link, OnDelete, Relation, RelationId, RelationKind, Resource, ResourceId, Through,
};
use crate::source::{Excerpt, Span};

/// Makes all relations: those declared, in the order of the fields they made, then the other sides.
pub(super) fn build(draft: &mut Draft, diagnostics: &mut Diagnostics) {
    for id in draft.ids() {
        let block = draft.sketch(id).block.clone();
        for (at, named) in block.named("belongs_to").iter().enumerate() {
            let relation = belongs_to(draft, id, at, named, diagnostics);
            draft.resource_mut(id).relations.push(relation);
        }
        for named in block.named("many_to_many") {
            let relation = many_to_many(draft, id, named, diagnostics);
            draft.resource_mut(id).relations.push(relation);
        }
    }
    for id in draft.ids() {
        let block = draft.sketch(id).block.clone();
        let declared = block
            .named("belongs_to")
            .iter()
            .chain(block.named("many_to_many"));
        for (index, named) in (0u32..).zip(declared) {
            let relation = RelationId { resource: id, index };
            if let Some(inverse) = named.block.block("inverse") {
                other_side(draft, relation, named, inverse, diagnostics);
            }
        }
    }
    join_tables(draft, diagnostics);
    through::members(draft, diagnostics);
}

fn target(draft: &mut Draft, id: ResourceId, named: &Named, diagnostics: &mut Diagnostics) -> ResourceId {
    let found = match named.block.text("to") {
        Some(to) => draft.find(to, diagnostics),
        None => {
            if !named.block.has("to") {
                let message = format!("`{}` leads nowhere", named.name.text);
                let help = "name a resource: `to: User`";
                diagnostics.push(Diagnostic::new("missing-key", named.name.span, message).help(help));
            }
            None
        }
    };
    found.unwrap_or_else(|| {
        draft.broken.insert(named.name.text.clone());
        if let Some(inverse) = named
            .block
            .block("inverse")
            .and_then(|inverse| inverse.text("name"))
        {
            draft.broken.insert(inverse.text.clone());
        }
        id
    })
}

fn belongs_to(
    draft: &mut Draft,
    id: ResourceId,
    at: usize,
    named: &Named,
    diagnostics: &mut Diagnostics,
) -> Relation {
    let target = target(draft, id, named, diagnostics);
    let local = local(draft, id, at);
    let remote = draft.schema.resource(target).key.fields.clone();
    Relation {
        name: named.name.text.clone(),
        kind: RelationKind::BelongsTo,
        target,
        inverse: None,
        declared: true,
        link: Link::Keys { local, remote },
        through: None,
        access: None,
        on_delete: on_delete(&named.block, diagnostics),
        limit: None,
        nested: false,
        sort: Vec::new(),
        description: named.block.string("description"),
    }
}

/// The fields that hold the key of the belongs_to at a place.
fn local(draft: &Draft, id: ResourceId, at: usize) -> Vec<FieldId> {
    let origins = draft.sketch(id).origins.iter();
    (0u32..)
        .zip(origins)
        .filter(|(_, origin)| **origin == Origin::Relation(at))
        .map(|(index, _)| FieldId { resource: id, index })
        .collect()
}

fn on_delete(block: &Block, diagnostics: &mut Diagnostics) -> OnDelete {
    let Some(word) = block.text("on_delete") else {
        return OnDelete::Restrict;
    };
    match word.text.as_str() {
        "cascade" => OnDelete::Cascade,
        "set_null" => {
            if !block.is("optional") {
                let message = "`set_null` needs a relation that may lead nowhere";
                let help = "say `optional: true`, or `on_delete: cascade`";
                diagnostics.push(Diagnostic::new("contradiction", word.span, message).help(help));
            }
            OnDelete::SetNull
        }
        _ => OnDelete::Restrict,
    }
}

fn many_to_many(draft: &mut Draft, id: ResourceId, named: &Named, diagnostics: &mut Diagnostics) -> Relation {
    let block = &named.block;
    let target = target(draft, id, named, diagnostics);
    if let Some(through) = block.text("through") {
        return through::relation(draft, id, target, named, through, diagnostics);
    }
    let (own, other) = (draft.schema.resource(id), draft.schema.resource(target));
    let default = |resource: &Resource| format!("{}_id", resource.table);
    let table = block.string("table");
    let table = table.unwrap_or_else(|| format!("{}_{}", own.table, named.name.text));
    let from = block.string("from_column").unwrap_or_else(|| default(own));
    let to = block.string("to_column").unwrap_or_else(|| default(other));
    pairs(named, &table, &from, &to, diagnostics);
    for resource in [own, other] {
        if resource.key.fields.len() > 1 {
            let name = &resource.name;
            let message =
                format!("a table of pairs can't hold the key of `{name}`, which has several fields");
            let help = "declare a resource for the pairs, with two belongs_to";
            diagnostics.push(Diagnostic::new("bad-key", named.name.span, message).help(help));
        }
    }
    if let Some(api_name) = block.text("api_name")
        && !block.is("writable")
    {
        let message = format!(
            "bodies say nothing of `{}`, so there is no member to name",
            named.name.text
        );
        diagnostics.push(
            Diagnostic::new("contradiction", api_name.span, message)
                .help("say `writable: true`, or leave it out"),
        );
    }
    let side = |column: String, resource: ResourceId| {
        vec![JoinColumn {
            column,
            field: FieldId { resource, index: 0 },
        }]
    };
    Relation {
        name: named.name.text.clone(),
        kind: RelationKind::ManyToMany,
        target,
        inverse: None,
        declared: true,
        link: Link::Join {
            table,
            local: side(from, id),
            remote: side(to, target),
        },
        through: None,
        access: None,
        on_delete: OnDelete::Restrict,
        limit: None,
        nested: false,
        sort: Vec::new(),
        description: block.string("description"),
    }
}

/// What is wrong with a table of pairs itself.
fn pairs(named: &Named, table: &str, from: &str, to: &str, diagnostics: &mut Diagnostics) {
    names::table_name(table, named.block.place("table"), diagnostics);
    for (key, column) in [("from_column", from), ("to_column", to)] {
        names::sql_name("column", column, named.block.place(key), diagnostics);
    }
    if from.eq_ignore_ascii_case(to) {
        let message = format!("both sides of `{}` have the column `{from}`", named.name.text);
        let help = "give them names by `from_column:` and `to_column:`";
        diagnostics.push(Diagnostic::new("duplicate-column", named.name.span, message).help(help));
    }
}

/// The same relation at its target.
fn other_side(
    draft: &mut Draft,
    declared: RelationId,
    named: &Named,
    inverse: &Block,
    diagnostics: &mut Diagnostics,
) {
    let Some(name) = inverse.text("name") else {
        if !inverse.has("name") {
            let message = "the inverse has no name";
            diagnostics.push(Diagnostic::new("missing-key", inverse.span, message));
        }
        return;
    };
    if draft.broken.contains(&named.name.text) && draft.broken.contains(&name.text) {
        return;
    }
    let relation = draft.schema.relation(declared).clone();
    let unique = relation.kind == RelationKind::BelongsTo && is_unique(draft, &relation, &named.block);
    let (kind, link) = turned(relation.link, unique);
    let limit = shown(name, inverse, kind, diagnostics);
    let other = draft.resource_mut(relation.target);
    let id = RelationId {
        resource: relation.target,
        index: u32::try_from(other.relations.len()).unwrap_or(u32::MAX),
    };
    other.relations.push(Relation {
        name: name.text.clone(),
        kind,
        target: declared.resource,
        inverse: Some(declared),
        declared: false,
        link,
        through: relation.through.map(Through::turned),
        access: None,
        on_delete: OnDelete::Restrict,
        limit,
        nested: is_nested(inverse, kind, diagnostics),
        sort: Vec::new(),
        description: inverse.string("description"),
    });
    draft.resource_mut(declared.resource).relations[declared.index as usize].inverse = Some(id);
}

/// A link seen from its target.
fn turned(link: Link, unique: bool) -> (RelationKind, Link) {
    match link {
        Link::Keys { local, remote } => {
            let kind = if unique {
                RelationKind::HasOne
            } else {
                RelationKind::HasMany
            };
            let link = Link::Keys {
                local: remote,
                remote: local,
            };
            (kind, link)
        }
        Link::Join { table, local, remote } => {
            let link = Link::Join {
                table,
                local: remote,
                remote: local,
            };
            (RelationKind::ManyToMany, link)
        }
    }
}

/// Whether items are made along with the one they belong to.
fn is_nested(inverse: &Block, kind: RelationKind, diagnostics: &mut Diagnostics) -> bool {
    let is_nested = inverse.is("nested");
    if is_nested && kind == RelationKind::ManyToMany {
        let message = "pairs link items that are there, so none are made along with others";
        let help = "say `writable: true`, which sets their keys";
        let span = inverse.place("nested");
        diagnostics.push(Diagnostic::new("contradiction", span, message).help(help));
    }
    is_nested
}

/// How many items an include shows.
fn shown(name: &Excerpt, inverse: &Block, kind: RelationKind, diagnostics: &mut Diagnostics) -> Option<u32> {
    for key in ["limit", "sort"] {
        if let Some(entry) = inverse.entry(key).filter(|_| kind == RelationKind::HasOne) {
            let message = format!(
                "`{}` leads to one item at most, so `{key}` means nothing",
                name.text
            );
            diagnostics.push(Diagnostic::new("contradiction", entry.at, message));
        }
    }
    let limit = u32::try_from(inverse.number("limit")?).ok()?;
    if limit == 0 {
        let message = "an include that shows no items shows nothing; the least is 1";
        diagnostics.push(Diagnostic::new("wrong-shape", inverse.place("limit"), message));
    }
    Some(limit)
}

/// Whether no two rows can lead to one target: said of the relation, of its fields, or because they are the key.
fn is_unique(draft: &Draft, relation: &Relation, written: &Block) -> bool {
    let Link::Keys { local, .. } = &relation.link else {
        return false;
    };
    let Some(first) = local.first() else {
        return false;
    };
    written.is("unique") || are_unique(draft, first.resource, local)
}

/// Whether no two rows have the same values of fields: because they are the key, or it is said of them.
fn are_unique(draft: &Draft, id: ResourceId, fields: &[FieldId]) -> bool {
    let same = |all: &[FieldId]| all.len() == fields.len() && all.iter().all(|field| fields.contains(field));
    let block = &draft.sketch(id).block;
    let listed = block.lists("unique").iter().any(|names| {
        let all: Vec<FieldId> = names
            .iter()
            .flat_map(|name| index::fields_of(draft, id, &name.text))
            .collect();
        same(&all)
    });
    same(&draft.schema.resource(id).key.fields) || listed
}

/// A table of pairs belongs to one relation, and isn't the table of a resource.
fn join_tables(draft: &Draft, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<String, String> = HashMap::new();
    for (_, resource) in draft.known() {
        seen.insert(
            resource.table.to_lowercase(),
            format!("the resource `{}`", resource.name),
        );
    }
    for (id, resource) in draft.schema.resources() {
        for relation in resource.relations.iter().filter(|relation| relation.declared) {
            let (Link::Join { table, .. }, None) = (&relation.link, relation.through) else {
                continue;
            };
            let own = format!("`{}.{}`", resource.name, relation.name);
            if let Some(other) = seen.insert(table.to_lowercase(), own) {
                let message = format!("the table `{table}` is that of {other} as well");
                let help = "one side declares a relation, and names the other by `inverse:`";
                let span = place(draft, id, &relation.name);
                diagnostics.push(Diagnostic::new("duplicate-table", span, message).help(help));
            }
        }
    }
}

pub(super) fn place(draft: &Draft, id: ResourceId, relation: &str) -> Span {
    let sketch = draft.sketch(id);
    ["belongs_to", "many_to_many"]
        .iter()
        .flat_map(|key| sketch.block.named(key))
        .find(|named| named.name.text == relation)
        .map_or(sketch.name.span, |named| named.name.span)
}

/// The orders of includes, which need all fields.
pub(super) fn finish(draft: &mut Draft, diagnostics: &mut Diagnostics) {
    for id in draft.ids() {
        let block = draft.sketch(id).block.clone();
        for (at, named) in block.named("belongs_to").iter().enumerate() {
            left_behind(draft, id, at, named, diagnostics);
            made_along(draft, id, at, named, diagnostics);
        }
        let declared = block
            .named("belongs_to")
            .iter()
            .chain(block.named("many_to_many"));
        for (at, named) in declared.enumerate() {
            let Some(inverse) = named.block.block("inverse").filter(|inverse| inverse.has("sort")) else {
                continue;
            };
            let sort = index::sort(draft, id, inverse.texts("sort"), diagnostics);
            let other = draft
                .schema
                .resource(id)
                .relations
                .get(at)
                .and_then(|one| one.inverse);
            if let Some(other) = other {
                draft.resource_mut(other.resource).relations[other.index as usize].sort = sort;
            }
        }
    }
}

/// What is made along with an item holds its key, and is what somebody may make.
fn made_along(draft: &Draft, id: ResourceId, at: usize, named: &Named, diagnostics: &mut Diagnostics) {
    let Some(inverse) = named
        .block
        .block("inverse")
        .filter(|inverse| inverse.is("nested"))
    else {
        return;
    };
    let own = draft.schema.resource(id);
    let sketch = draft.sketch(id);
    let is_closed = (own.fields.iter().zip(&sketch.origins))
        .any(|(field, origin)| *origin == Origin::Relation(at) && !field.is_accepted());
    let made = sketch.block.block("access");
    let span = inverse.place("nested");
    if is_closed {
        let message = format!("no client says to which `{}` it belongs", named.name.text);
        let help = "leave `nested` out, or `readonly`";
        diagnostics.push(Diagnostic::new("contradiction", span, message).help(help));
    } else if !draft.is_stub(id) && made.is_some_and(|access| !access.has("create")) {
        let message = format!("nobody may make a `{}`", own.name);
        let help = "say `create:` in its `access`, or leave `nested` out";
        diagnostics.push(Diagnostic::new("contradiction", span, message).help(help));
    }
}

/// What goes with a row that can be restored must be restorable itself.
fn left_behind(draft: &Draft, id: ResourceId, at: usize, named: &Named, diagnostics: &mut Diagnostics) {
    let own = draft.schema.resource(id);
    let Some(relation) = own.relations.get(at) else {
        return;
    };
    let target = draft.schema.resource(relation.target);
    if relation.on_delete == OnDelete::Cascade
        && target.kept.deleted.is_some()
        && own.kept.deleted.is_none()
        && !draft.is_stub(id)
    {
        let message = format!(
            "`{}` keeps what is deleted, and `{}` would lose what goes with it",
            target.name, own.name
        );
        let help = format!(
            "say `soft_delete: deleted_at` in `{}` too, or `on_delete: restrict`",
            own.name
        );
        diagnostics
            .push(Diagnostic::new("contradiction", named.block.place("on_delete"), message).help(help));
    }
}
