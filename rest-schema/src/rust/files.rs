//! Files of Rust → raw, without compiling them: each struct and enum that derives one of ours is found where it stands.
//!
//! A file is looked through token by token, so that all else in it may be whatever Rust allows. Types are known by the
//! last word of their path; a type of the same file comes first.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, DeriveInput, Ident, Path, Token};

use super::attr::{derives, syntax};
use super::choice::{Choice, choice};
use super::place::Places;
use super::resource::{Resource, resource};
use super::service::{Service, last, service};
use super::tree::{Tree, TreeKind, Types, name};
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::raw::{self, Node, NodeKind};
use crate::report::{Loaded, Report};
use crate::source::{Excerpt, FileId, Sources, Span};
use crate::written::unrepeated;

const OURS: [&str; 3] = ["RestResource", "RestEnum", "RestService"];

/// Reads the service that structs describe, from the names and texts of all files they stand in.
///
/// # Errors
///
/// Every fault there is, and the warnings beside them.
pub fn read_files(files: &[(String, String)]) -> Result<Loaded, Report> {
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let raw = parse(files, &mut sources, &mut diagnostics);
    Loaded::of(raw, sources, diagnostics)
}

/// Reads the service that structs describe; `None` where some of it couldn't be read.
pub fn parse(
    files: &[(String, String)],
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<raw::Service> {
    let mut places = Places::of_files();
    let mut found = Found::default();
    for (name, text) in files {
        let file = places.sources.add(name, text);
        places.file(file);
        found.read(file, text, &mut places, diagnostics);
    }
    let root = found.root(diagnostics);
    *sources = places.sources;
    let root = unrepeated(root.filter(|_| !found.broken)?, diagnostics);
    raw::read(&root, sources, diagnostics)
}

/// What stands in the files, each with its file.
#[derive(Default)]
struct Found {
    services: Vec<(FileId, Service)>,
    resources: Vec<(FileId, Resource)>,
    choices: Vec<(FileId, Choice)>,
    /// Whether some of them couldn't be read, so that whatever speaks of it would be blamed.
    broken: bool,
}

impl Found {
    fn read(&mut self, file: FileId, text: &str, places: &mut Places, diagnostics: &mut Diagnostics) {
        let mut items = Vec::new();
        let parser = |input: ParseStream| find(input, &mut items);
        let read = text.parse::<TokenStream>().map_err(syn::Error::from);
        if let Err(error) = read.and_then(|tokens| parser.parse2(tokens)) {
            diagnostics.push(syntax(&error, error.span(), places));
            self.broken = true;
        }
        for item in items {
            let derives = |name: &str| item.attrs.iter().any(|one| derives(one, &[name]));
            if derives("RestResource") {
                let read = resource(&item, places, diagnostics);
                self.broken |= read.as_ref().is_none_or(|one| one.key.is_empty());
                self.resources.extend(read.map(|one| (file, one)));
            }
            if derives("RestEnum") {
                let read = choice(&item, places, diagnostics);
                self.broken |= read.is_none();
                self.choices.extend(read.map(|one| (file, one)));
            }
            if derives("RestService") {
                let read = service(&item, places, diagnostics);
                self.broken |= read.is_none();
                self.services.extend(read.map(|one| (file, one)));
            }
        }
    }

    /// The whole service as a tree.
    fn root(&self, diagnostics: &mut Diagnostics) -> Option<Node> {
        let mut services = self.services.iter();
        let Some((file, service)) = services.next() else {
            if !self.broken {
                let message = "no struct here derives RestService";
                let help =
                    "write `#[derive(RestService)] struct Blog { posts: Post }`, one field for each resource";
                diagnostics.push(Diagnostic::new("missing-key", Span::default(), message).help(help));
            }
            return None;
        };
        for (_, other) in services {
            let message = format!("`{}` is a service already, and there is one", service.ident);
            diagnostics.push(Diagnostic::new("duplicate-key", other.at, message));
        }
        let types = self.types(*file, "");
        let settings = Tree::new(service.at, TreeKind::Map(service.settings.clone()));
        let mut root = settings.node(&types, diagnostics);
        let resources = service.resources.iter().filter_map(|member| {
            let found = self.resource(*file, &last(&member.path));
            if found.is_none() && !self.broken {
                let message = format!("no struct `{}` here derives RestResource", last(&member.path));
                let names = self.resources.iter().map(|(_, one)| one.ident.to_string());
                let fault = Diagnostic::new("unknown-resource", member.at, message);
                diagnostics.push(fault.near(&last(&member.path), names));
            }
            let (file, resource) = found?;
            let types = self.types(*file, &resource.name.text);
            Some((name(&resource.name), resource.tree.node(&types, diagnostics)))
        });
        let resources = Node {
            span: service.at,
            kind: NodeKind::Map(resources.collect()),
        };
        if let NodeKind::Map(entries) = &mut root.kind {
            entries.push((name(&Excerpt::whole("resources", service.at)), resources));
        }
        Some(root)
    }

    fn resource(&self, file: FileId, ident: &str) -> Option<&(FileId, Resource)> {
        nearby(&self.resources, file, |one| one.ident == ident)
    }

    fn types<'a>(&'a self, file: FileId, own: &'a str) -> Here<'a> {
        Here {
            found: self,
            file,
            own,
        }
    }
}

/// What is in the same file, then what is anywhere.
fn nearby<T>(list: &[(FileId, T)], file: FileId, wanted: impl Fn(&T) -> bool) -> Option<&(FileId, T)> {
    let mut here = list.iter().filter(|(one, _)| *one == file);
    let same = here.find(|(_, one)| wanted(one));
    same.or_else(|| list.iter().find(|(_, one)| wanted(one)))
}

/// The types that a file can name.
struct Here<'a> {
    found: &'a Found,
    file: FileId,
    own: &'a str,
}

impl Here<'_> {
    fn choice(&self, path: &Path) -> Option<&Choice> {
        let name = last(path);
        let found = nearby(&self.found.choices, self.file, |one| one.ident == name);
        found.map(|(_, choice)| choice)
    }
}

impl Types for Here<'_> {
    fn resource(&self, path: &Path, _: Span, _: &mut Diagnostics) -> Option<String> {
        let ident = last(path);
        if ident == "Self" {
            return Some(self.own.to_owned());
        }
        let found = self.found.resource(self.file, &ident);
        Some(found.map_or(ident, |(_, resource)| resource.name.text.clone()))
    }

    fn words(&self, path: &Path, at: Span, diagnostics: &mut Diagnostics) -> Option<Vec<String>> {
        if let Some(choice) = self.choice(path) {
            return Some(
                choice
                    .variants
                    .iter()
                    .map(|(_, word)| word.text.clone())
                    .collect(),
            );
        }
        if !self.found.broken {
            let name = last(path);
            let message = format!("`{name}` is no type of a field, and no enum here that derives RestEnum");
            let mut fault = Diagnostic::new("unknown-type", at, message);
            let choices = self.found.choices.iter().map(|(_, one)| one.ident.to_string());
            fault.nearest = nearest(&name, choices);
            diagnostics.push(fault);
        }
        None
    }

    fn variant(
        &self,
        path: &Path,
        variant: &Ident,
        at: Span,
        diagnostics: &mut Diagnostics,
    ) -> Option<String> {
        let variants = &self.choice(path)?.variants;
        let found = variants.iter().find(|(ident, _)| ident == variant);
        if found.is_none() {
            let message = format!("`{}` has no variant `{variant}`", last(path));
            let names = variants.iter().map(|(ident, _)| ident.to_string());
            let fault = Diagnostic::new("bad-literal", at, message);
            diagnostics.push(fault.near(&variant.to_string(), names));
        }
        found.map(|(_, word)| word.text.clone())
    }
}

/// Finds the items of ours in a file or a module.
fn find(input: ParseStream, items: &mut Vec<DeriveInput>) -> syn::Result<()> {
    let mut is_module = false;
    while !input.is_empty() {
        if input.peek(Token![#]) && !input.peek2(Token![!]) {
            let ahead = input.fork();
            let attributes = ahead.call(Attribute::parse_outer)?;
            if attributes.iter().any(|one| derives(one, &OURS)) {
                items.push(input.parse()?);
                continue;
            }
            input.call(Attribute::parse_outer)?;
            if attributes.iter().any(is_test) && input.peek(Token![mod]) {
                skip_module(input)?;
            }
            continue;
        }
        // `mod name { … }`
        is_module |= input.peek(Token![mod]);
        match input.parse()? {
            TokenTree::Group(group) if is_module && group.delimiter() == Delimiter::Brace => {
                is_module = false;
                let parser = |input: ParseStream| find(input, items);
                parser.parse2(group.stream())?;
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => is_module = false,
            _ => {}
        }
    }
    Ok(())
}

fn is_test(attribute: &Attribute) -> bool {
    let cfg = attribute.path().is_ident("cfg");
    cfg && attribute
        .parse_args::<Ident>()
        .is_ok_and(|condition| condition == "test")
}

fn skip_module(input: ParseStream) -> syn::Result<()> {
    loop {
        match input.parse()? {
            TokenTree::Group(_) => return Ok(()),
            TokenTree::Punct(punct) if punct.as_char() == ';' => return Ok(()),
            _ => {}
        }
    }
}
