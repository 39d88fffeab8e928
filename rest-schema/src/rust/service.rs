//! A struct as a service: the resources that it names, and the settings of the service.

use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type};

use super::attr::{self, Kind, Meta};
use super::entries::{Entries, entries};
use super::place::Places;
use super::tree::{Tree, TreeKind};
use super::{field, shape};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::Level;
use crate::source::{Excerpt, Span};

/// A struct that derives RestService.
pub struct Service {
    /// The struct.
    pub ident: Ident,
    /// Its resources, in their order.
    pub resources: Vec<Member>,
    /// The settings, as the mapping of a service without its resources.
    pub settings: Vec<(Excerpt, Tree)>,
    /// Where the struct stands.
    pub at: Span,
}

/// A resource of a service.
pub struct Member {
    /// The field.
    pub ident: Ident,
    /// The struct that is the resource.
    pub path: Path,
    /// Where it is named.
    pub at: Span,
}

/// Reads a service; `None` where the struct can't be one at all.
pub fn service(input: &DeriveInput, places: &mut Places, diagnostics: &mut Diagnostics) -> Option<Service> {
    let at = places.at(input.ident.span());
    let what = "a service";
    if !shape::is_plain(input, what, places, diagnostics) {
        return None;
    }
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => &fields.named,
            _ => return refused(at, diagnostics),
        },
        _ => return refused(at, diagnostics),
    };
    let mut resources: Vec<Member> = Vec::new();
    for field in fields {
        for meta in attr::read(&field.attrs, places, diagnostics).metas {
            let message = format!("a resource of a service has no key `{}`", meta.key.text);
            let help = "what a resource is stands at its own struct";
            diagnostics.push(Diagnostic::new("unknown-key", meta.key.span, message).help(help));
        }
        let span = places.at(syn::spanned::Spanned::span(&field.ty));
        let (Some(ident), Type::Path(ty)) = (&field.ident, &field.ty) else {
            let help = "write `posts: Post`";
            shape::refuse(
                "a field of a service",
                "a struct that derives RestResource",
                help,
                span,
                diagnostics,
            );
            continue;
        };
        let member = Member {
            ident: ident.clone(),
            path: ty.path.clone(),
            at: span,
        };
        if resources
            .iter()
            .any(|other| spelled(&other.path) == spelled(&member.path))
        {
            let message = format!("`{}` is a resource of the service already", last(&member.path));
            diagnostics.push(Diagnostic::new("duplicate-key", span, message));
        } else {
            resources.push(member);
        }
    }
    let settings = settings(input, at, &resources, places, diagnostics);
    Some(Service {
        ident: input.ident.clone(),
        resources,
        settings,
        at,
    })
}

fn refused(at: Span, diagnostics: &mut Diagnostics) -> Option<Service> {
    let help = "write `struct Blog { users: User, posts: Post }`";
    shape::refuse(
        "a service",
        "a struct whose fields name its resources",
        help,
        at,
        diagnostics,
    );
    None
}

fn settings(
    input: &DeriveInput,
    at: Span,
    resources: &[Member],
    places: &mut Places,
    diagnostics: &mut Diagnostics,
) -> Entries {
    let attributes = attr::read(&input.attrs, places, diagnostics);
    let mut metas = attributes.metas;
    let mut list = Entries::new();
    match field::take_name(&mut metas, diagnostics) {
        Some(name) => {
            let span = name.span;
            list.push((
                Excerpt::whole("service", span),
                Tree::new(span, TreeKind::Text(name)),
            ));
        }
        None if attributes.broken => {}
        None => {
            let message = "the service has no name";
            let help = format!(
                "say `#[rest(name = \"{}\")]`",
                crate::naming::kebab(&input.ident.unraw().to_string())
            );
            diagnostics.push(Diagnostic::new("missing-key", at, message).help(help));
        }
    }
    let accounts = account_resource(&metas, resources);
    let mut said = entries(Level::Service, &["name"], metas, diagnostics);
    if let Some(path) = accounts {
        lead(&mut said, path);
    }
    list.extend(said);
    field::describe(&mut list, attributes.docs);
    list
}

/// The struct of `accounts(resource = User)`, where it is one of the service's.
fn account_resource(metas: &[Meta], resources: &[Member]) -> Option<Path> {
    let all = metas.iter().filter(|meta| meta.key.text == "accounts");
    let arguments = all.flat_map(|meta| match &meta.value.kind {
        Kind::Arguments(list) => list.as_slice(),
        _ => &[],
    });
    let mut words = arguments.filter_map(|argument| match argument {
        attr::Argument::Meta(meta) if meta.key.text == "resource" => match &meta.value.kind {
            Kind::Word(_, Some(path)) => Some(path),
            _ => None,
        },
        _ => None,
    });
    let path = words.next()?;
    let found = resources.iter().find(|member| last(&member.path) == last(path));
    found.map(|member| member.path.clone())
}

fn lead(entries: &mut Entries, path: Path) {
    let accounts = entries.iter_mut().find(|(key, _)| key.text == "accounts");
    if let Some((
        _,
        Tree {
            kind: TreeKind::Map(list),
            ..
        },
    )) = accounts
        && let Some((_, tree)) = list.iter_mut().find(|(key, _)| key.text == "resource")
    {
        tree.kind = TreeKind::Resource(path);
    }
}

/// The last word of a path: what the type is called.
pub(super) fn last(path: &Path) -> String {
    path.segments
        .last()
        .map(|last| last.ident.unraw().to_string())
        .unwrap_or_default()
}

/// A path as it is spelled.
fn spelled(path: &Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|one| one.ident.unraw().to_string())
        .collect()
}
