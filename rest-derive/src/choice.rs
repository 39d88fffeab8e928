//! `#[derive(RestEnum)]`

use proc_macro2::TokenStream;
use quote::quote;
use rest_schema::Diagnostics;
use rest_schema::rust::{Choice, Places, choice};
use syn::{DeriveInput, Ident};

use crate::told;

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut places = Places::of_tokens();
    let mut diagnostics = Diagnostics::new();
    let read = choice(input, &mut places, &mut diagnostics);
    let errors = told::errors(diagnostics, &places);
    let sound = read.filter(|_| errors.is_empty());
    let traits = match sound {
        Some(choice) => expand(&choice),
        None => empty(input),
    };
    quote!(#errors #traits)
}

fn expand(choice: &Choice) -> TokenStream {
    let (idents, words): (Vec<&Ident>, Vec<&str>) = choice
        .variants
        .iter()
        .map(|(ident, word)| (ident, word.text.as_str()))
        .unzip();
    let places = 0..idents.len();
    let places: Vec<_> = places.map(proc_macro2::Literal::usize_unsuffixed).collect();
    let place = quote!(match self { #(Self::#idents => #places,)* });
    let at = quote!(#(#places => ::core::option::Option::Some(Self::#idents),)*);
    emit(&choice.ident, &quote!(#(#words),*), &place, &at)
}

/// Traits for what has a fault: it has no words.
fn empty(input: &DeriveInput) -> TokenStream {
    if input.generics.params.is_empty() {
        let nothing = TokenStream::new();
        emit(&input.ident, &nothing, &quote!(0), &nothing)
    } else {
        TokenStream::new()
    }
}

fn emit(ident: &Ident, words: &TokenStream, place: &TokenStream, at: &TokenStream) -> TokenStream {
    let name = ident.to_string();
    quote! {
        #[automatically_derived]
        impl ::rest_runtime::typed::RestEnum for #ident {
            const WORDS: &'static [&'static str] = &[#words];

            fn place(&self) -> usize {
                #place
            }

            fn at(place: usize) -> ::core::option::Option<Self> {
                match place {
                    #at
                    _ => ::core::option::Option::None,
                }
            }
        }

        #[automatically_derived]
        impl ::rest_runtime::typed::FieldValue for #ident {
            const KINDS: ::rest_runtime::typed::Kinds = ::rest_runtime::typed::Enumerated::kinds::<Self>(#name);

            fn take(
                values: &mut ::rest_runtime::typed::Taker,
            ) -> ::core::result::Result<Self, ::rest_runtime::typed::Misfit> {
                ::rest_runtime::typed::Enumerated::take(values)
            }

            fn put(&self, values: &mut ::std::vec::Vec<::rest_runtime::schema::Value>) {
                ::rest_runtime::typed::Enumerated::put(
                    <Self as ::rest_runtime::typed::RestEnum>::WORDS,
                    ::rest_runtime::typed::RestEnum::place(self),
                    values,
                );
            }
        }
    }
}
