//! Raw → [`Schema`]: every name bound, every default decided, every rule checked, every fault reported.
//!
//! A draft with all resources, fields and relations is made first; rules, which may speak of any of them, are checked
//! over it and put in last. A fault never ends a step: what is broken stands in for itself, so that the rest can be
//! looked at too, and its name is remembered, so that no rule is blamed for it.

mod access;
mod advice;
mod clashes;
mod cors;
mod deprecated;
mod fields;
mod foreign;
mod index;
mod jwt;
mod kept;
mod key;
mod literal;
mod names;
mod parameters;
mod pattern;
#[cfg(feature = "yaml")]
mod read;
mod relations;
mod service;
mod sessions;
mod typing;

#[cfg(feature = "yaml")]
pub use read::{read, read_one};

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{self, Block};
use crate::rule;
use crate::schema::{Resource, ResourceId, Schema};
use crate::source::{Excerpt, Span};

pub(crate) use index::{is_own, usual as usual_reach};
pub(crate) use names::empty;

/// Makes a schema of what is written; `None` where there is a fault.
pub fn resolve(raw: &raw::Service, diagnostics: &mut Diagnostics) -> Option<Schema> {
    let before = diagnostics.faults();
    let draft = build(raw, None, diagnostics);
    (diagnostics.faults() == before).then_some(draft.schema)
}

/// Looks for faults in the first `known` resources, and in the settings; the resources after them are stubs for what
/// stands elsewhere, and so is all that isn't said. Tells only what would be wrong whatever stands there.
#[cfg(feature = "rust")]
pub(crate) fn alone(raw: &raw::Service, known: usize, diagnostics: &mut Diagnostics) {
    build(raw, Some(known), diagnostics);
}

fn build(raw: &raw::Service, known: Option<usize>, diagnostics: &mut Diagnostics) -> Draft {
    let mut draft = names::draft(raw, known, diagnostics);
    let keys = key::plan(&draft, diagnostics);
    fields::build(&mut draft, &keys, diagnostics);
    kept::bind(&mut draft, &raw.root, diagnostics);
    relations::build(&mut draft, diagnostics);
    index::build(&mut draft, diagnostics);
    relations::finish(&mut draft, diagnostics);
    clashes::find(&draft, diagnostics);
    service::build(&mut draft, &raw.root, diagnostics);
    access::build(&mut draft, &raw.root, diagnostics);
    parameters::find(&draft, diagnostics);
    advice::orders(&draft, diagnostics);
    draft
}

/// A schema in the making.
struct Draft {
    /// Without rules until the last step.
    schema: Schema,
    /// What each resource is made of; parallel to the schema's resources.
    sketches: Vec<Sketch>,
    /// Names of fields and relations that have a fault of their own.
    broken: HashSet<String>,
    /// How many resources are known, where the others are stubs; `None` where all are.
    known: Option<usize>,
}

/// A resource as written, its mixins merged in.
struct Sketch {
    name: Excerpt,
    block: Block,
    /// Where each field comes from; parallel to the resource's fields.
    origins: Vec<Origin>,
}

/// Where a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A key that the schema doesn't declare as a field.
    Generated,
    /// A place in `fields`.
    Field(usize),
    /// A place in `belongs_to`.
    Relation(usize),
    /// A place in `many_to_many`.
    Keys(usize),
}

impl Draft {
    fn ids(&self) -> impl Iterator<Item = ResourceId> + use<> {
        (0u32..).map(ResourceId).take(self.sketches.len())
    }

    /// Whether there is more than is seen here.
    fn is_open(&self) -> bool {
        self.known.is_some()
    }

    /// Whether a resource stands for one that isn't seen here.
    fn is_stub(&self, id: ResourceId) -> bool {
        self.known.is_some_and(|known| id.0 as usize >= known)
    }

    /// The resources whose names are known.
    fn known(&self) -> impl Iterator<Item = (&Sketch, &Resource)> {
        let known = self.known.unwrap_or(usize::MAX);
        self.sketches.iter().zip(&self.schema.resources).take(known)
    }

    /// Whether a name may be that of a field of a foreign key, which is named after a key that isn't seen here.
    fn may_be_foreign(&self, id: ResourceId, name: &str) -> bool {
        let relations = self.sketch(id).block.named("belongs_to").iter();
        self.is_open() && rule::begins_with_one(name, relations.map(|named| named.name.text.as_str()))
    }

    fn sketch(&self, id: ResourceId) -> &Sketch {
        &self.sketches[id.0 as usize]
    }

    fn resource_mut(&mut self, id: ResourceId) -> &mut Resource {
        &mut self.schema.resources[id.0 as usize]
    }

    /// The resource that a name means; a fault where there is none.
    fn find(&self, name: &Excerpt, diagnostics: &mut Diagnostics) -> Option<ResourceId> {
        let found = self.ids().find(|id| self.sketch(*id).name.text == name.text);
        if found.is_none() {
            let message = format!("no resource is called `{}`", name.text);
            let names = self.sketches.iter().map(|sketch| &sketch.name.text);
            diagnostics.push(Diagnostic::new("unknown-resource", name.span, message).near(&name.text, names));
        }
        found
    }
}

impl Sketch {
    /// The block that says what a field is; `None` for a generated key.
    fn written(&self, origin: Origin) -> Option<&raw::Named> {
        match origin {
            Origin::Generated => None,
            Origin::Field(at) => self.block.named("fields").get(at),
            Origin::Relation(at) => self.block.named("belongs_to").get(at),
            Origin::Keys(at) => self.block.named("many_to_many").get(at),
        }
    }

    /// The same where it has the keys of a field; the keys of a many-to-many are said by the relation's.
    fn said(&self, origin: Origin) -> Option<&raw::Named> {
        self.written(origin)
            .filter(|_| !matches!(origin, Origin::Keys(_)))
    }

    /// Where to point for a field.
    fn place(&self, origin: Origin) -> Span {
        self.written(origin)
            .map_or(self.block.place("key"), |named| named.name.span)
    }
}
