//! What can't be a resource, an enum or a service at all.

use syn::DeriveInput;

use super::place::Places;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;

/// Tells that a thing isn't what a derive can be put on.
pub(super) fn refuse(what: &str, right: &str, help: &str, at: Span, diagnostics: &mut Diagnostics) {
    let message = format!("{what} is {right}");
    diagnostics.push(Diagnostic::new("not-derivable", at, message).help(help));
}

/// A schema names each type once, so that none has parameters.
pub(super) fn is_plain(
    input: &DeriveInput,
    what: &str,
    places: &mut Places,
    diagnostics: &mut Diagnostics,
) -> bool {
    let Some(first) = input.generics.params.first() else {
        return true;
    };
    let (is, help) = match first {
        syn::GenericParam::Lifetime(_) => ("a lifetime", "let it hold its values: `String`, not `&str`"),
        _ => ("a type parameter", "write one type for each resource"),
    };
    let at = places.at(syn::spanned::Spanned::span(first));
    let message = format!("{what} has no parameters, and this is {is}");
    diagnostics.push(Diagnostic::new("not-derivable", at, message).help(help));
    false
}
