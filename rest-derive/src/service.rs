//! `#[derive(RestService)]`

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use rest_schema::rust::{Places, Service, service, service_alone};
use rest_schema::{Diagnostics, naming};
use syn::DeriveInput;
use syn::ext::IdentExt;

use crate::{told, written};

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut places = Places::of_tokens();
    let mut diagnostics = Diagnostics::new();
    let read = service(input, &mut places, &mut diagnostics);
    if let Some(service) = &read {
        service_alone(service, &places.sources, &mut diagnostics);
    }
    let errors = told::errors(diagnostics, &places);
    let sound = read.filter(|_| errors.is_empty());
    let traits = match sound {
        Some(service) => expand(&service, &places),
        None => fallback(input),
    };
    quote!(#errors #traits)
}

fn expand(service: &Service, places: &Places) -> TokenStream {
    let ident = &service.ident;
    let settings = written::entries(&service.settings, places);
    let top = written::place(service.at, places);
    let types: Vec<_> = service.resources.iter().map(|member| &member.path).collect();
    let fields: Vec<_> = service.resources.iter().map(|member| &member.ident).collect();
    let at: Vec<_> = service
        .resources
        .iter()
        .map(|member| written::place(member.at, places))
        .collect();
    let name = naming::snake(&ident.unraw().to_string());
    let test = format_ident!("{name}_is_a_sound_service");
    quote! {
        #[automatically_derived]
        impl ::rest_runtime::typed::RestService for #ident {
            fn written(writer: &mut ::rest_runtime::schema::written::Writer) {
                writer.file(::core::file!());
                #settings
                writer.open("resources", #top);
                #(
                    writer.file(::core::file!());
                    writer.open(<#types as ::rest_runtime::typed::RestResource>::NAME, #at);
                    <#types as ::rest_runtime::typed::RestResource>::written(writer);
                    writer.close();
                )*
                writer.close();
            }

            fn structs(add: &mut dyn ::core::ops::FnMut(::rest_runtime::typed::Struct)) {
                // The struct is a list of types, of which nobody ever makes a value.
                let _ = |#(#fields: #types),*| Self { #(#fields),* };
                let _ = |list: &Self| { #(let _ = &list.#fields;)* };
                #(add(::rest_runtime::typed::Struct::of::<#types>());)*
            }
        }

        #[cfg(test)]
        #[test]
        fn #test() {
            if let ::core::result::Result::Err(report) = ::rest_runtime::typed::load::<#ident>() {
                ::core::panic!("{report}");
            }
        }
    }
}

fn fallback(input: &DeriveInput) -> TokenStream {
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let ident = &input.ident;
    quote! {
        #[automatically_derived]
        impl ::rest_runtime::typed::RestService for #ident {
            fn written(_: &mut ::rest_runtime::schema::written::Writer) {}

            fn structs(_: &mut dyn ::core::ops::FnMut(::rest_runtime::typed::Struct)) {}
        }
    }
}
