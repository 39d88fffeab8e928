//! That every filter has a name of its own also where brackets and dots can't stand: `pages[gte]` is `pages_gte` there.

use std::collections::HashMap;

use super::Draft;
use super::relations::place;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::operators::{Operator, x_name};
use crate::schema::{Field, Link, Relation, RelationKind, ResourceId};
use crate::source::Span;

/// Looks at the filters of all resources, as far as one relation away.
pub(super) fn find(draft: &Draft, diagnostics: &mut Diagnostics) {
    for id in draft.ids().filter(|id| !draft.is_stub(*id)) {
        let mut seen: HashMap<String, String> = HashMap::new();
        for (path, field, span) in paths(draft, id) {
            let mut told = false;
            for row in Operator::of_kind(field.ty.kind()) {
                let written = match row.operator {
                    Operator::Eq => path.clone(),
                    _ => format!("{path}[{}]", row.word),
                };
                let name = x_name(&path, row.word);
                let Some(other) = seen.insert(name.clone(), written.clone()) else {
                    continue;
                };
                // Two fields of one resource are told there, equal paths as equal names; one fault of two fields is enough.
                let is_told_there = path.contains('.') && step(&other) == step(&path);
                if other != written && !is_told_there && !told {
                    told = true;
                    let message = format!(
                        "the filters `{other}` and `{written}` are both `{name}` in programs made from the document"
                    );
                    let help = "give one of the fields another `api_name:`, or `filterable: false`";
                    diagnostics.push(Diagnostic::new("duplicate-name", span, message).help(help));
                }
            }
        }
    }
}

/// The relation by which a path begins, if any.
fn step(path: &str) -> Option<&str> {
    path.split_once('.').map(|(step, _)| step)
}

/// What requests filter by: own fields, and those that a relation leads to.
fn paths(draft: &Draft, id: ResourceId) -> Vec<(String, &Field, Span)> {
    let resource = draft.schema.resource(id);
    let origins = &draft.sketch(id).origins;
    let own = resource
        .fields
        .iter()
        .zip(origins)
        .map(|(field, origin)| (field.api_name.clone(), field, draft.sketch(id).place(*origin)));
    let there = resource
        .relations
        .iter()
        .filter(|relation| leads(draft, relation));
    let of_relations = there.flat_map(|relation| {
        let span = place(draft, id, &relation.name);
        let fields = draft.schema.resource(relation.target).fields.iter();
        fields.map(move |field| (format!("{}.{}", relation.name, field.api_name), field, span))
    });
    let all = own.chain(of_relations);
    all.filter(|(_, field, _)| field.is_shown() && field.filterable)
        .collect()
}

/// Whether requests may name a relation.
fn leads(draft: &Draft, relation: &Relation) -> bool {
    let foreign_key = match (&relation.link, relation.kind) {
        (Link::Keys { local, .. }, RelationKind::BelongsTo) => local.as_slice(),
        (Link::Keys { remote, .. }, _) => remote.as_slice(),
        (Link::Join { .. }, _) => &[],
    };
    let is_shown = |id: &crate::schema::FieldId| draft.schema.field(*id).is_shown();
    draft.schema.resource(relation.target).access.read.is_some() && foreign_key.iter().all(is_shown)
}
