//! Diagnostics as errors of the compiler, each on its tokens.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use rest_schema::rust::{Places, Told};
use rest_schema::{Diagnostics, Severity};

/// All faults. Warnings have no way to the author here; the service's test and `rest-gen check` tell them.
pub(crate) fn errors(diagnostics: Diagnostics, places: &Places) -> TokenStream {
    let mut list = diagnostics.finish();
    list.retain(|one| one.severity == Severity::Fault);
    let errors = places.told(&list).into_iter().map(|told| error(&told));
    errors.collect()
}

/// The compiler underlines from the first token of what it is given to the last one.
fn error(told: &Told) -> TokenStream {
    let message = &told.message;
    let path = quote_spanned!(told.start=> ::core::compile_error!);
    let text = quote_spanned!(told.end=> { #message });
    quote!(#path #text)
}
