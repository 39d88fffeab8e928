//! Uniqueness, indexes and orders: what speaks of several fields of one resource, and what fields get from it.

use super::fields::unchecked;
use super::{Draft, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::Block;
use crate::schema::{
    Field, FieldId, FieldRole, Index, IndexExpr, IndexTerm, Resource, ResourceId, SortKey, Unique,
};
use crate::source::{Excerpt, Span};
use crate::types::FieldType;

/// The most terms that an order may have: each is a segment of a cursor.
const MOST_TERMS: usize = 3;

/// Puts uniques, indexes and orders in, then says which fields can be filtered and sorted by.
pub(super) fn build(draft: &mut Draft, diagnostics: &mut Diagnostics) {
    for id in draft.ids() {
        let block = draft.sketch(id).block.clone();
        let uniques = uniques(draft, id, &block, diagnostics);
        for unique in uniques.iter().filter(|unique| unique.fields.len() == 1) {
            set(draft, &unique.fields, |field| field.unique = true);
        }
        let indexes = indexes(draft, id, &block, &uniques, diagnostics);
        let leading = indexes
            .iter()
            .filter(|index| index.condition.is_none())
            .filter_map(|index| match index.terms.first()?.expr {
                IndexExpr::Field(field) => Some(field),
                IndexExpr::Expression(_) => None,
            });
        let leading = leading.chain(uniques.iter().filter_map(|unique| unique.fields.first().copied()));
        let leading: Vec<FieldId> = leading.collect();
        set(draft, &leading, |field| field.index = true);
        let sort = sort(draft, id, block.texts("sort"), diagnostics);
        let resource = draft.resource_mut(id);
        resource.uniques = uniques;
        resource.indexes = indexes;
        resource.sort = sort;
        reach(draft, id);
    }
}

fn set(draft: &mut Draft, fields: &[FieldId], change: impl Fn(&mut Field)) {
    for field in fields {
        if let Some(field) = draft
            .resource_mut(field.resource)
            .fields
            .get_mut(field.index as usize)
        {
            change(field);
        }
    }
}

/// Keys, unique, indexed and searchable fields can be filtered and sorted by, unless the schema says otherwise.
fn reach(draft: &mut Draft, id: ResourceId) {
    let sketch = draft.sketch(id);
    let said: Vec<(Option<bool>, Option<bool>)> = sketch
        .origins
        .iter()
        .map(|origin| {
            let block = sketch.said(*origin).map(|named| &named.block);
            let flag = |key| block.and_then(|block| block.flag(key));
            (flag("filterable"), flag("sortable"))
        })
        .collect();
    let usual: Vec<bool> = {
        let resource = draft.schema.resource(id);
        let fields = (0u32..).zip(&resource.fields);
        fields
            .map(|(index, field)| usual(resource, index, field))
            .collect()
    };
    let fields = &mut draft.resource_mut(id).fields;
    for ((field, usual), (filterable, sortable)) in fields.iter_mut().zip(usual).zip(said) {
        field.filterable = filterable.unwrap_or(usual);
        field.sortable = sortable.unwrap_or(usual);
    }
}

/// Whether a field can be filtered and sorted by where the schema doesn't say.
pub(crate) fn usual(resource: &Resource, index: u32, field: &Field) -> bool {
    let key = resource.key.fields.iter().any(|key| key.index == index);
    let foreign = matches!(field.role, FieldRole::ForeignKey(_));
    let ordered = !matches!(field.ty, FieldType::Json | FieldType::Bytes);
    let said = field.unique || field.index || field.searchable;
    (key || foreign || said) && ordered && field.is_shown() && field.is_stored()
}

/// The fields that a name stands for: one, or those of a belongs_to.
pub(super) fn fields_of(draft: &Draft, id: ResourceId, name: &str) -> Vec<FieldId> {
    let resource = draft.schema.resource(id);
    let sketch = draft.sketch(id);
    let relation = sketch
        .block
        .named("belongs_to")
        .iter()
        .position(|named| named.name.text == name);
    (0u32..)
        .zip(resource.fields.iter().zip(&sketch.origins))
        .filter(|(_, (field, origin))| {
            field.name == name || relation.is_some_and(|at| **origin == Origin::Relation(at))
        })
        .map(|(index, _)| FieldId { resource: id, index })
        .collect()
}

/// The same, a fault where there are none, or where a field has no column to speak of.
fn stored(
    draft: &Draft,
    id: ResourceId,
    name: &str,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Vec<FieldId> {
    let fields = fields_of(draft, id, name);
    let resource = draft.schema.resource(id);
    if fields.is_empty() && !draft.broken.contains(name) && !draft.may_be_foreign(id, name) {
        let message = format!("`{}` has no field and no belongs_to `{name}`", resource.name);
        let relations = draft
            .sketch(id)
            .block
            .named("belongs_to")
            .iter()
            .map(|named| &named.name.text);
        let names = resource.fields.iter().map(|field| &field.name).chain(relations);
        diagnostics.push(Diagnostic::new("unknown-field", span, message).near(name, names));
    }
    let (stored, computed): (Vec<_>, Vec<_>) = fields
        .into_iter()
        .partition(|field| draft.schema.field(*field).is_stored());
    if !computed.is_empty() {
        let message = format!("`{name}` is computed, so there is no column for it");
        diagnostics.push(Diagnostic::new("computed-field", span, message));
    }
    stored
}

/// Uniqueness of one field comes first, in the order of fields; then that of several, as written.
struct Sorted<T> {
    single: Vec<T>,
    several: Vec<T>,
}

impl<T> Sorted<T> {
    fn new() -> Self {
        Self {
            single: Vec::new(),
            several: Vec::new(),
        }
    }
}

impl Sorted<Unique> {
    fn add(&mut self, unique: Unique, span: Span, diagnostics: &mut Diagnostics) {
        let list = if unique.fields.len() == 1 {
            &mut self.single
        } else {
            &mut self.several
        };
        let same = |other: &Unique| {
            other.fields.len() == unique.fields.len()
                && unique.fields.iter().all(|field| other.fields.contains(field))
        };
        if list.iter().any(same) {
            let message = "this uniqueness is said twice";
            diagnostics.push(Diagnostic::new("duplicate-index", span, message));
        } else {
            list.push(unique);
        }
    }
}

fn uniques(draft: &Draft, id: ResourceId, block: &Block, diagnostics: &mut Diagnostics) -> Vec<Unique> {
    let mut sorted = Sorted::<Unique>::new();
    for (field, index) in draft.schema.resource(id).fields.iter().zip(0u32..) {
        if field.unique {
            let fields = vec![FieldId { resource: id, index }];
            sorted.add(Unique { fields }, block.span, diagnostics);
        }
    }
    for (at, named) in block.named("belongs_to").iter().enumerate() {
        let fields = of_relation(draft, id, at);
        if named.block.is("unique") && !fields.is_empty() {
            sorted.add(Unique { fields }, named.name.span, diagnostics);
        }
    }
    for names in block.lists("unique") {
        let fields = listed(draft, id, names, diagnostics);
        if let (Some(name), false) = (names.first(), fields.is_empty()) {
            sorted.add(Unique { fields }, name.span, diagnostics);
        }
    }
    sorted.single.sort_by_key(|unique| unique.fields.first().copied());
    sorted.single.extend(sorted.several);
    sorted.single
}

/// The fields of a tuple, each once.
fn listed(draft: &Draft, id: ResourceId, names: &[Excerpt], diagnostics: &mut Diagnostics) -> Vec<FieldId> {
    let mut fields = Vec::new();
    for name in names {
        for field in stored(draft, id, &name.text, name.span, diagnostics) {
            if fields.contains(&field) {
                let message = format!("`{}` stands here twice", name.text);
                diagnostics.push(Diagnostic::new("duplicate-index", name.span, message));
            } else {
                fields.push(field);
            }
        }
    }
    fields
}

fn of_relation(draft: &Draft, id: ResourceId, at: usize) -> Vec<FieldId> {
    (0u32..)
        .zip(&draft.sketch(id).origins)
        .filter(|(_, origin)| **origin == Origin::Relation(at))
        .map(|(index, _)| FieldId { resource: id, index })
        .collect()
}

fn ascending(fields: &[FieldId]) -> Vec<IndexTerm> {
    fields
        .iter()
        .map(|field| IndexTerm {
            expr: IndexExpr::Field(*field),
            descending: false,
        })
        .collect()
}

fn plain(fields: &[FieldId]) -> Index {
    Index {
        terms: ascending(fields),
        unique: false,
        condition: None,
    }
}

impl Sorted<Index> {
    /// What fields and relations say of themselves.
    fn own(draft: &Draft, id: ResourceId, block: &Block) -> Self {
        let mut sorted = Self::new();
        for (field, index) in draft.schema.resource(id).fields.iter().zip(0u32..) {
            if field.index {
                sorted.single.push(plain(&[FieldId { resource: id, index }]));
            }
        }
        for (at, named) in block.named("belongs_to").iter().enumerate() {
            let fields = of_relation(draft, id, at);
            match fields.len() {
                _ if !named.block.is("index") => {}
                0 => {}
                1 => sorted.single.push(plain(&fields)),
                _ => sorted.several.push(plain(&fields)),
            }
        }
        sorted
    }
}

fn indexes(
    draft: &Draft,
    id: ResourceId,
    block: &Block,
    uniques: &[Unique],
    diagnostics: &mut Diagnostics,
) -> Vec<Index> {
    let Sorted {
        mut single,
        mut several,
    } = Sorted::<Index>::own(draft, id, block);
    for written in block.blocks("index") {
        let Some(index) = long(draft, id, written, diagnostics) else {
            continue;
        };
        if single.contains(&index) || several.contains(&index) {
            let message = "this index is there already";
            diagnostics.push(Diagnostic::new("duplicate-index", written.span, message));
        } else if is_own(&index) {
            single.push(index);
        } else {
            several.push(index);
        }
    }
    // A unique field is looked up by its uniqueness.
    single.retain(|index| {
        !uniques
            .iter()
            .any(|unique| ascending(&unique.fields) == index.terms)
    });
    single.sort_by_key(|index| match index.terms.first().map(|term| &term.expr) {
        Some(IndexExpr::Field(field)) => Some(*field),
        _ => None,
    });
    single.extend(several);
    single
}

/// Whether an index is what `index: true` of a field says.
pub(crate) fn is_own(index: &Index) -> bool {
    let [term] = index.terms.as_slice() else {
        return false;
    };
    matches!(term.expr, IndexExpr::Field(_)) && !term.descending && !index.unique && index.condition.is_none()
}

fn long(draft: &Draft, id: ResourceId, written: &Block, diagnostics: &mut Diagnostics) -> Option<Index> {
    if !written.has("on") {
        let message = "the index has no terms";
        diagnostics.push(Diagnostic::new("missing-key", written.span, message).help("say `on: [name]`"));
        return None;
    }
    let mut terms: Vec<IndexTerm> = Vec::new();
    for text in written.texts("on") {
        for term in index_terms(draft, id, text, diagnostics) {
            if matches!(term.expr, IndexExpr::Field(_)) && terms.iter().any(|other| other.expr == term.expr) {
                let message = format!("`{}` stands here twice", text.text);
                diagnostics.push(Diagnostic::new("duplicate-index", text.span, message));
            } else {
                terms.push(term);
            }
        }
    }
    let index = Index {
        terms,
        unique: written.is("unique"),
        condition: written.text("where").map(unchecked),
    };
    let simple = |term: &IndexTerm| matches!(term.expr, IndexExpr::Field(_)) && !term.descending;
    if index.unique && index.condition.is_none() && index.terms.iter().all(simple) {
        let message = "a unique index over plain fields, all rows, is what `unique:` says";
        let names: Vec<&str> = written
            .texts("on")
            .iter()
            .map(|text| text.text.as_str())
            .collect();
        let help = format!("write `unique: [[{}]]`", names.join(", "));
        diagnostics.push(Diagnostic::new("contradiction", written.span, message).help(help));
        return None;
    }
    (!index.terms.is_empty()).then_some(index)
}

fn index_terms(
    draft: &Draft,
    id: ResourceId,
    text: &Excerpt,
    diagnostics: &mut Diagnostics,
) -> Vec<IndexTerm> {
    let (descending, name) = direction(&text.text);
    if !crate::raw::is_name(name) {
        // A minus before an expression would be arithmetic, so those are ascending.
        return vec![IndexTerm {
            expr: IndexExpr::Expression(unchecked(text)),
            descending: false,
        }];
    }
    let at = text.text.len() - name.len();
    stored(draft, id, name, text.sub(at, text.text.len()), diagnostics)
        .into_iter()
        .map(|field| IndexTerm {
            expr: IndexExpr::Field(field),
            descending,
        })
        .collect()
}

fn direction(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |name| (true, name))
}

/// An order as written, bound to fields.
pub(super) fn sort(
    draft: &Draft,
    id: ResourceId,
    terms: &[Excerpt],
    diagnostics: &mut Diagnostics,
) -> Vec<SortKey> {
    let mut sort: Vec<SortKey> = Vec::new();
    for text in terms {
        let (descending, name) = direction(text.text.trim());
        let span = text.span;
        if name.contains(',') {
            let message = "several terms of an order stand in a list";
            diagnostics
                .push(Diagnostic::new("wrong-shape", span, message).help(format!("write `[{}]`", text.text)));
            continue;
        }
        for field in stored(draft, id, name, span, diagnostics) {
            if let Some(reason) = unsortable(draft.schema.field(field)) {
                let message = format!("no order can be by `{name}`: {reason}");
                diagnostics.push(Diagnostic::new("bad-sort", span, message));
            } else if sort.iter().any(|key| key.field == field) {
                let message = format!("`{name}` stands in the order twice");
                diagnostics.push(Diagnostic::new("bad-sort", span, message));
            } else {
                sort.push(SortKey { field, descending });
            }
        }
    }
    if let Some(first) = terms.first().filter(|_| sort.len() > MOST_TERMS) {
        let message = format!("an order has {MOST_TERMS} terms at most; the key comes last by itself");
        diagnostics.push(Diagnostic::new("bad-sort", first.span, message));
    }
    sort
}

/// A cursor carries the values of its order to the client.
fn unsortable(field: &Field) -> Option<&'static str> {
    if matches!(field.ty, FieldType::Json | FieldType::Bytes) {
        Some("its type has no order")
    } else if !field.is_shown() {
        Some("it is never shown, and an order shows it")
    } else if field.readable.is_some() {
        Some("not everybody may read it, and an order shows it")
    } else {
        None
    }
}
