//! Warnings about what works and will be slow.
//!
//! Where the tables are ours we make the indexes that orders need; where they are another program's we can only say so.

use super::Draft;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::schema::{FieldId, IndexExpr, Link, RelationKind, Resource, ResourceId, SortKey};
use crate::source::Span;

/// An order without an index reads all rows for each page.
pub(super) fn orders(draft: &Draft, diagnostics: &mut Diagnostics) {
    if draft.schema.managed != Some(false) {
        return;
    }
    for id in draft.ids() {
        let sketch = draft.sketch(id);
        let resource = draft.schema.resource(id);
        warn(
            draft,
            id,
            &[],
            &resource.sort,
            sketch.block.place("sort"),
            diagnostics,
        );
        let declared = ["belongs_to", "many_to_many"]
            .map(|key| sketch.block.named(key))
            .concat();
        for (relation, named) in resource.relations.iter().zip(&declared) {
            let inverse = relation.inverse.map(|id| draft.schema.relation(id));
            let (Some(inverse), Link::Keys { local, .. }) = (inverse, &relation.link) else {
                continue;
            };
            if let Some(written) = named
                .block
                .block("inverse")
                .filter(|_| inverse.kind == RelationKind::HasMany)
            {
                warn(
                    draft,
                    id,
                    local,
                    &inverse.sort,
                    written.place("sort"),
                    diagnostics,
                );
            }
        }
    }
}

fn warn(
    draft: &Draft,
    id: ResourceId,
    first: &[FieldId],
    sort: &[SortKey],
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    let resource = draft.schema.resource(id);
    if sort.is_empty() || is_served(resource, first, sort) {
        return;
    }
    let name = |field: FieldId| draft.schema.field(field).name.as_str();
    let mut terms: Vec<String> = first.iter().map(|field| name(*field).to_owned()).collect();
    terms.extend(sort.iter().map(|key| {
        let sign = if key.descending { "-" } else { "" };
        format!("{sign}{}", name(key.field))
    }));
    let message = format!(
        "no index of `{}` has this order, so each page reads all rows",
        resource.name
    );
    let help = format!(
        "let the owner of the table make one, and say `index: [[{}]]`",
        terms.join(", ")
    );
    diagnostics.push(
        Diagnostic::new("unindexed-sort", span, message)
            .help(help)
            .warning(),
    );
}

/// Whether some index begins with these fields and goes on in this order or its reverse.
fn is_served(resource: &Resource, first: &[FieldId], sort: &[SortKey]) -> bool {
    let ascending =
        |fields: &[FieldId]| -> Vec<(FieldId, bool)> { fields.iter().map(|field| (*field, false)).collect() };
    let mut orders = vec![ascending(&resource.key.fields)];
    orders.extend(resource.uniques.iter().map(|unique| ascending(&unique.fields)));
    let whole = resource.indexes.iter().filter(|index| index.condition.is_none());
    orders.extend(whole.map(|index| {
        let fields = index.terms.iter().map_while(|term| match term.expr {
            IndexExpr::Field(field) => Some((field, term.descending)),
            IndexExpr::Expression(_) => None,
        });
        fields.collect()
    }));
    orders.iter().any(|order| {
        let begins =
            order.len() >= first.len() && first.iter().zip(order).all(|(field, (other, _))| field == other);
        begins && goes_on(&order[first.len()..], sort)
    })
}

fn goes_on(order: &[(FieldId, bool)], sort: &[SortKey]) -> bool {
    let one_way = |reverse: bool| {
        let terms = sort.iter().zip(order);
        let mut terms = terms.map(|(key, (field, descending))| {
            key.field == *field && (key.descending != *descending) == reverse
        });
        terms.all(|same| same)
    };
    order.len() >= sort.len() && (one_way(false) || one_way(true))
}
