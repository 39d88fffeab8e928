//! One struct by itself, as a macro sees it: all that can be wrong in it whatever the others are.
//!
//! The resources that it leads to stand in as stubs: their keys are of the types that the struct's own foreign keys
//! have, and all else of them is open. No fault is told of what only the others could show.

use syn::{Ident, Path};

use super::resource::{Foreign, Form, Resource};
use super::service::{Member, Service, last};
use super::tree::{Tree, TreeKind, Types, name};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{self, Node, NodeKind};
use crate::resolve;
use crate::source::{Excerpt, Sources, Span};
use crate::written::unrepeated;

/// Looks for faults in a resource.
pub fn alone(resource: &Resource, sources: &Sources, diagnostics: &mut Diagnostics) {
    let own = last_of(&resource.ident);
    let types = Open {
        own: own.clone(),
        name: resource.name.text.clone(),
    };
    let node = resource.tree.node(&types, diagnostics);
    let stubs = stubs(resource, &node, &types);
    let mut all = vec![(name(&resource.name), node)];
    for stub in stubs {
        if !all.iter().any(|(key, _)| text(key) == text(&stub.0)) {
            all.push(stub);
        }
    }
    let root = mapping(vec![(
        "resources",
        Node {
            span: Span::default(),
            kind: NodeKind::Map(all),
        },
    )]);
    let root = unrepeated(root, diagnostics);
    if let Some(raw) = raw::read(&root, sources, diagnostics) {
        resolve::alone(&raw, 1, diagnostics);
    }
}

/// Looks for faults in the settings of a service.
pub fn service_alone(service: &Service, sources: &Sources, diagnostics: &mut Diagnostics) {
    let types = Open {
        own: String::new(),
        name: String::new(),
    };
    let node = Tree::new(service.at, TreeKind::Map(service.settings.clone())).node(&types, diagnostics);
    account_resource(service, diagnostics);
    let root = unrepeated(node, diagnostics);
    if let Some(raw) = raw::read(&root, sources, diagnostics) {
        resolve::alone(&raw, 0, diagnostics);
    }
}

/// Accounts are one of the resources that the struct names.
fn account_resource(service: &Service, diagnostics: &mut Diagnostics) {
    let accounts = service.settings.iter().filter(|(key, _)| key.text == "accounts");
    for (_, tree) in accounts {
        let TreeKind::Map(entries) = &tree.kind else {
            continue;
        };
        for (_, tree) in entries.iter().filter(|(key, _)| key.text == "resource") {
            if let Some(word) = tree.scalar() {
                let message = format!("no resource is called `{}`", word.text);
                let fault = Diagnostic::new("unknown-resource", tree.span, message);
                let names = service.resources.iter().map(|Member { path, .. }| last(path));
                diagnostics.push(fault.near(&word.text, names));
            }
        }
    }
}

fn last_of(ident: &Ident) -> String {
    last(&Path::from(ident.clone()))
}

/// What is known of other types: nothing but what they are called.
struct Open {
    own: String,
    name: String,
}

impl Types for Open {
    fn resource(&self, path: &Path, _: Span, _: &mut Diagnostics) -> Option<String> {
        let last = last(path);
        let own = last == "Self" || last == self.own;
        // An underscore keeps stubs apart from a struct whose `name` is that of another.
        Some(if own {
            self.name.clone()
        } else {
            format!("{last}_")
        })
    }

    fn words(&self, _: &Path, _: Span, _: &mut Diagnostics) -> Option<Vec<String>> {
        None
    }

    fn variant(&self, _: &Path, _: &Ident, _: Span, _: &mut Diagnostics) -> Option<String> {
        None
    }
}

/// The resources that a struct leads to. A key of one field whose name isn't seen is called as nothing else is.
fn stubs(resource: &Resource, node: &Node, types: &Open) -> Vec<(Node, Node)> {
    let mut quiet = Diagnostics::new();
    let mut list = Vec::new();
    for field in &resource.fields {
        if let Form::BelongsTo(foreign) = &field.form {
            let target = types.resource(&foreign.target, foreign.at, &mut quiet);
            list.extend(target.map(|target| (word(&target, foreign.at), stub(foreign))));
        }
    }
    if let NodeKind::Map(sections) = &node.kind {
        let pairs = sections.iter().filter(|(key, _)| text(key) == "many_to_many");
        for (_, relations) in pairs {
            list.extend(
                targets(relations)
                    .into_iter()
                    .map(|to| (to.clone(), mapping(Vec::new()))),
            );
        }
    }
    quiet.finish();
    list
}

fn targets(relations: &Node) -> Vec<&Node> {
    let NodeKind::Map(relations) = &relations.kind else {
        return Vec::new();
    };
    let keys = relations.iter().filter_map(|(_, relation)| match &relation.kind {
        NodeKind::Map(entries) => Some(entries),
        _ => None,
    });
    keys.flatten()
        .filter(|(key, _)| matches!(text(key).as_str(), "to" | "through"))
        .map(|(_, to)| to)
        .collect()
}

fn stub(foreign: &Foreign) -> Node {
    let at = foreign.at;
    let names: Vec<String> = match foreign.types.as_slice() {
        [_] => vec![foreign.key.clone().unwrap_or_else(|| "_key".to_owned())],
        types => (1..=types.len()).map(|part| format!("_{part}")).collect(),
    };
    let fields = names.iter().zip(&foreign.types).map(|(name, ty)| {
        let field = mapping(vec![("type", word(ty, at))]);
        (word(name, at), Node { span: at, ..field })
    });
    let fields = fields.collect();
    let keys = names.iter().map(|name| word(name, at)).collect();
    mapping(vec![
        (
            "key",
            Node {
                span: at,
                kind: NodeKind::List(keys),
            },
        ),
        (
            "fields",
            Node {
                span: at,
                kind: NodeKind::Map(fields),
            },
        ),
    ])
}

fn text(node: &Node) -> String {
    node.scalar().map(|text| text.text).unwrap_or_default()
}

fn word(word: &str, span: Span) -> Node {
    name(&Excerpt::whole(word, span))
}

fn mapping(entries: Vec<(&str, Node)>) -> Node {
    let entries = entries
        .into_iter()
        .map(|(key, node)| (word(key, node.span), node));
    Node {
        span: Span::default(),
        kind: NodeKind::Map(entries.collect()),
    }
}
