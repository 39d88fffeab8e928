//! That every name means one thing: to requests, to rules, to the database.

use std::collections::HashMap;

use super::fields::RESERVED_PARAMETERS;
use super::relations::place;
use super::{Draft, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::schema::{Relation, ResourceId};
use crate::source::{Excerpt, Span};

/// Words of the rule language that look like names: a rule `public` must never hang on a field of that name.
const RULE_WORDS: &[&str] = &[
    "public",
    "authenticated",
    "me",
    "old",
    "this",
    "now",
    "true",
    "false",
    "null",
];

/// Looks at the names of all resources.
pub(super) fn find(draft: &Draft, diagnostics: &mut Diagnostics) {
    for id in draft.ids() {
        names(draft, id, diagnostics);
        columns(draft, id, diagnostics);
    }
}

/// A name, and what has it.
struct Use {
    name: String,
    what: String,
    span: Span,
    /// Whether it is a name on the wire alone, which rules don't know.
    wire: bool,
}

impl Use {
    fn new(name: &str, what: impl Into<String>, span: Span) -> Self {
        Self {
            name: name.to_owned(),
            what: what.into(),
            span,
            wire: false,
        }
    }
}

/// Fields, relations and named rules share one space of names: members of items, parameters, words of rules.
fn names(draft: &Draft, id: ResourceId, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<String, String> = HashMap::new();
    // A stub's fields are called as we please; what is seen from there is said here.
    let mut all = if draft.is_stub(id) {
        Vec::new()
    } else {
        fields(draft, id)
    };
    all.extend(relations(draft, id, diagnostics));
    for (name, _) in draft.sketch(id).block.rules("rules") {
        all.push(Use::new(&name.text, "a rule", name.span));
    }
    for one in all {
        let name = &one.name;
        if RULE_WORDS.contains(&name.as_str()) && !one.wire {
            let message = format!("`{name}` is a word of rules, so nothing else can have this name");
            let help = "give it another one; `column:` and `api_name:` may keep it";
            diagnostics.push(Diagnostic::new("reserved-name", one.span, message).help(help));
        }
        if let Some(other) = seen.insert(name.clone(), one.what.clone()) {
            let message = format!("`{name}` is the name of {other} and of {}", one.what);
            diagnostics.push(Diagnostic::new("duplicate-name", one.span, message));
        }
    }
}

fn fields(draft: &Draft, id: ResourceId) -> Vec<Use> {
    let sketch = draft.sketch(id);
    let mut list = Vec::new();
    for (field, origin) in draft.schema.resource(id).fields.iter().zip(&sketch.origins) {
        let what = match (origin, sketch.written(*origin)) {
            (Origin::Generated, _) => "the key".to_owned(),
            (Origin::Relation(_), Some(named)) => format!("the key of the relation `{}`", named.name.text),
            (Origin::Keys(_), Some(named)) => format!("the keys of the relation `{}`", named.name.text),
            _ => format!("the field `{}`", field.name),
        };
        let span = sketch.place(*origin);
        if field.api_name != field.name {
            list.push(Use {
                wire: true,
                ..Use::new(&field.api_name, what.clone(), span)
            });
        }
        list.push(Use::new(&field.name, what, span));
    }
    list
}

fn relations(draft: &Draft, id: ResourceId, diagnostics: &mut Diagnostics) -> Vec<Use> {
    let mut list = Vec::new();
    for relation in &draft.schema.resource(id).relations {
        let (what, name) = if relation.declared {
            ("a relation".to_owned(), None)
        } else {
            let from = &draft.schema.resource(relation.target).name;
            let what = format!("the inverse of a relation of `{from}`");
            (what, inverse_name(draft, relation))
        };
        let span = name.map_or_else(|| place(draft, id, &relation.name), |name| name.span);
        if RESERVED_PARAMETERS.contains(&relation.name.as_str()) {
            let name = &relation.name;
            let message =
                format!("`{name}` is a parameter of every collection, so no relation can have this name");
            diagnostics.push(Diagnostic::new("reserved-name", span, message).help("give it another name"));
        }
        if relation.name == "restore" && draft.schema.resource(id).kept.deleted.is_some() {
            let message =
                "`restore` is the address that brings a deleted item back, so no relation can have this name";
            diagnostics.push(Diagnostic::new("reserved-name", span, message).help("give it another name"));
        }
        list.push(Use::new(&relation.name, what, span));
    }
    list
}

/// Where the name of an inverse is written: at the side that declares it.
fn inverse_name<'a>(draft: &'a Draft, relation: &Relation) -> Option<&'a Excerpt> {
    let declared = relation.inverse?;
    let block = &draft.sketch(declared.resource).block;
    let named = block
        .named("belongs_to")
        .iter()
        .chain(block.named("many_to_many"))
        .nth(declared.index as usize)?;
    named.block.block("inverse")?.text("name")
}

/// SQLite compares names of columns without regard to case.
fn columns(draft: &Draft, id: ResourceId, diagnostics: &mut Diagnostics) {
    let sketch = draft.sketch(id);
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (field, origin) in draft.schema.resource(id).fields.iter().zip(&sketch.origins) {
        if !field.is_stored() {
            continue;
        }
        if let Some(other) = seen.insert(field.column.to_lowercase(), &field.name) {
            // Equal names are reported as such.
            if other != field.name {
                let message = format!(
                    "`{other}` and `{}` have one column, `{}`",
                    field.name, field.column
                );
                diagnostics.push(Diagnostic::new(
                    "duplicate-column",
                    sketch.place(*origin),
                    message,
                ));
            }
        }
    }
}
