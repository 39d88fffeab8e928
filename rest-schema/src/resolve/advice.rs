//! Warnings about what works and will be slow.
//!
//! Where the tables are ours we make the indexes that orders need; where they are another program's we can only say so.

use super::Draft;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::schema::{FieldId, Link, RelationKind, ResourceId, SortKey};
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
    if sort.is_empty() || resource.serves(first, sort) {
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
