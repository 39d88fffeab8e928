//! An enum as the words of a field.

use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, Visibility};

use super::place::Places;
use super::{attr, field, shape};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::naming;
use crate::source::Excerpt;

/// An enum that derives RestEnum.
pub struct Choice {
    /// The enum.
    pub ident: Ident,
    /// Who sees it.
    pub vis: Visibility,
    /// Its variants and their words.
    pub variants: Vec<(Ident, Excerpt)>,
}

/// Reads an enum; `None` where it can't be the words of a field at all.
pub fn choice(input: &DeriveInput, places: &mut Places, diagnostics: &mut Diagnostics) -> Option<Choice> {
    let what = "the words of a field are";
    let at = places.at(input.ident.span());
    if !shape::is_plain(input, "an enum of words", places, diagnostics) {
        return None;
    }
    let Data::Enum(data) = &input.data else {
        refuse(what, "an enum", at, diagnostics);
        return None;
    };
    if data.variants.is_empty() {
        refuse(what, "an enum with one variant at least", at, diagnostics);
        return None;
    }
    for meta in attr::read(&input.attrs, places, diagnostics).metas {
        let message = format!("an enum has no key `{}`", meta.key.text);
        let help = "its variants have `name`; what a field has is said of the field";
        diagnostics.push(Diagnostic::new("unknown-key", meta.key.span, message).help(help));
    }
    let mut variants: Vec<(Ident, Excerpt)> = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            let at = places.at(variant.ident.span());
            refuse("a variant is", "a word, and holds nothing", at, diagnostics);
        }
        let word = word(variant, places, diagnostics);
        if variants.iter().any(|(_, other)| other.text == word.text) {
            let message = format!("`{}` is the word of two variants", word.text);
            let fault = Diagnostic::new("duplicate-name", word.span, message);
            diagnostics.push(fault.help("give one of them another by `#[rest(name = \"…\")]`"));
        }
        variants.push((variant.ident.clone(), word));
    }
    Some(Choice {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        variants,
    })
}

fn refuse(what: &str, right: &str, at: crate::source::Span, diagnostics: &mut Diagnostics) {
    let message = format!("{what} {right}");
    let help = "write `enum Status { Draft, Published }`";
    diagnostics.push(Diagnostic::new("not-derivable", at, message).help(help));
}

/// The word of a variant: its name in snake_case, where no other is said.
fn word(variant: &syn::Variant, places: &mut Places, diagnostics: &mut Diagnostics) -> Excerpt {
    let mut metas = attr::read(&variant.attrs, places, diagnostics).metas;
    let said = field::take_name(&mut metas, diagnostics);
    for meta in metas {
        let message = format!("a variant has no key `{}`", meta.key.text);
        let fault = Diagnostic::new("unknown-key", meta.key.span, message);
        diagnostics.push(fault.help("it has name").near(&meta.key.text, ["name"]));
    }
    let word = said.unwrap_or_else(|| {
        let name = naming::snake(&variant.ident.unraw().to_string());
        Excerpt::whole(name, places.at(variant.ident.span()))
    });
    if word.text.is_empty() || word.text.chars().any(char::is_control) {
        let message = "a value of an enum is a text without control characters, and not empty";
        diagnostics.push(Diagnostic::new("bad-literal", word.span, message));
    }
    word
}
