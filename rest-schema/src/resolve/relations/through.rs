//! A many-to-many whose pairs are the rows of a resource.

use super::are_unique;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{Block, Named};
use crate::resolve::Draft;
use crate::schema::{
    FieldId, JoinColumn, Link, OnDelete, Relation, RelationId, RelationKind, ResourceId, Through,
};
use crate::source::Excerpt;

/// What can't be said of pairs that are rows of a resource, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("table", "its table is the resource's"),
    (
        "writable",
        "an item of it may have more to say than two keys: link by PUT of the pair, or POST it",
    ),
    ("access", "its own rules say who makes and deletes pairs"),
    ("api_name", "bodies say nothing of it"),
];

/// The member of listed items that is the pair.
const MEMBER: &str = "through";

/// The relation, by the belongs_to that the resource has to either side.
pub(super) fn relation(
    draft: &Draft,
    id: ResourceId,
    target: ResourceId,
    named: &Named,
    name: &Excerpt,
    diagnostics: &mut Diagnostics,
) -> Relation {
    for (key, why) in ELSEWHERE {
        if let Some(entry) = named.block.entry(key) {
            let message = format!("`{key}` isn't said of a many-to-many with `through`");
            diagnostics.push(Diagnostic::new("contradiction", entry.at, message).help(*why));
        }
    }
    let found = draft.find(name, diagnostics);
    let seen = found.filter(|found| ![*found, target].iter().any(|id| draft.is_stub(*id)));
    let through = seen.and_then(|pairs| match ends(draft, pairs, [id, target], &named.block) {
        Ok([from, to]) => Some(Through { from, to }),
        Err(message) => {
            let help = format!(
                "`{}` needs one belongs_to to `{}` and one to `{}`, and `unique: [[…, …]]` over both",
                name.text,
                draft.schema.resource(id).name,
                draft.schema.resource(target).name
            );
            diagnostics.push(Diagnostic::new("contradiction", name.span, message).help(help));
            None
        }
    });
    let side = |side: ResourceId, relation: Option<RelationId>| {
        let fields = relation
            .map(|relation| local(draft, relation))
            .unwrap_or_default();
        let keys = draft.schema.resource(side).key.fields.iter();
        let columns = fields
            .iter()
            .map(|field| draft.schema.field(*field).column.clone());
        let joins = columns.zip(keys).map(|(column, field)| JoinColumn {
            column,
            field: *field,
        });
        joins.collect()
    };
    Relation {
        name: named.name.text.clone(),
        kind: RelationKind::ManyToMany,
        target,
        inverse: None,
        declared: true,
        link: Link::Join {
            table: match through {
                Some(through) => draft.schema.resource(through.resource()).table.clone(),
                None => format!("{}_{}", draft.schema.resource(id).table, named.name.text),
            },
            local: side(id, through.map(|through| through.from)),
            remote: side(target, through.map(|through| through.to)),
        },
        through,
        access: None,
        on_delete: OnDelete::Restrict,
        limit: None,
        nested: false,
        sort: Vec::new(),
        description: named.block.string("description"),
    }
}

/// Items listed by the relation show the pair as a member of theirs, whose name nothing else may have.
pub(super) fn members(draft: &Draft, diagnostics: &mut Diagnostics) {
    for (id, resource) in draft.schema.resources() {
        for relation in resource.relations.iter().filter(|relation| relation.declared) {
            if relation.through.is_none() {
                continue;
            }
            let back = relation.inverse.map(|_| id);
            let clash = [Some(relation.target), back].into_iter().flatten().find(|id| {
                let listed = draft.schema.resource(*id);
                listed.fields.iter().any(|field| field.api_name == MEMBER)
                    || listed.relations.iter().any(|relation| relation.name == MEMBER)
            });
            if let Some(listed) = clash {
                let name = &draft.schema.resource(listed).name;
                let message = format!("items of `{name}` have a member `{MEMBER}` of their own");
                let help = "where the relation leads, that member is the pair: give theirs another name";
                let span = super::place(draft, id, &relation.name);
                diagnostics.push(Diagnostic::new("contradiction", span, message).help(help));
            }
        }
    }
}

/// The belongs_to that lead to both sides, or why they can't be told.
fn ends(
    draft: &Draft,
    pairs: ResourceId,
    sides: [ResourceId; 2],
    written: &Block,
) -> Result<[RelationId; 2], String> {
    let [from, to] = ["from_column", "to_column"].map(|key| written.text(key));
    let [own, other] = sides;
    let (from, to) = if from.is_some() {
        let from = end(draft, pairs, own, from, None)?;
        (from, end(draft, pairs, other, to, Some(from))?)
    } else {
        let to = end(draft, pairs, other, to, None)?;
        (end(draft, pairs, own, None, Some(to))?, to)
    };
    let fields = [local(draft, from), local(draft, to)].concat();
    if are_unique(draft, pairs, &fields) {
        Ok([from, to])
    } else {
        let name = &draft.schema.resource(pairs).name;
        Err(format!("two items of `{name}` may be the same pair"))
    }
}

/// The one belongs_to that leads to a side: by its column where that is said, and not the one of the other side.
fn end(
    draft: &Draft,
    pairs: ResourceId,
    side: ResourceId,
    column: Option<&Excerpt>,
    taken: Option<RelationId>,
) -> Result<RelationId, String> {
    let target = &draft.sketch(side).name.text;
    let (name, relations) = (
        &draft.schema.resource(pairs).name,
        draft.sketch(pairs).block.named("belongs_to"),
    );
    let leads = (0u32..)
        .zip(relations)
        .filter(|(_, named)| named.block.text("to").is_some_and(|to| to.text == *target))
        .map(|(index, _)| RelationId {
            resource: pairs,
            index,
        })
        .filter(|relation| Some(*relation) != taken);
    let has = |relation: &RelationId, column: &Excerpt| {
        let fields = local(draft, *relation);
        fields
            .first()
            .is_some_and(|field| draft.schema.field(*field).column == column.text)
    };
    let found: Vec<RelationId> = leads
        .filter(|relation| column.is_none_or(|column| has(relation, column)))
        .collect();
    match (found.as_slice(), column) {
        ([only], _) => Ok(*only),
        ([], Some(column)) => Err(format!(
            "`{name}` has no belongs_to to `{target}` in the column `{}`",
            column.text
        )),
        ([], None) => Err(format!(
            "`{name}` has no belongs_to to `{target}` left, so its items are no pairs"
        )),
        ([..], _) => Err(format!(
            "`{name}` has several belongs_to to `{target}`: say `from_column` or `to_column`"
        )),
    }
}

fn local(draft: &Draft, relation: RelationId) -> Vec<FieldId> {
    super::local(draft, relation.resource, relation.index as usize)
}
