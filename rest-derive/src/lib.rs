//! Structs that describe a REST service. Use them by way of `rest_runtime`, which re-exports them.
//!
//! What attributes mean is read and checked by [`rest_schema::rust`]; here is only what is emitted. A struct with a
//! fault still gets its traits, empty, so that one mistake is one message.

mod choice;
mod resource;
mod service;
mod told;
mod written;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a resource.
#[proc_macro_derive(RestResource, attributes(rest))]
pub fn rest_resource(input: TokenStream) -> TokenStream {
    resource::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an enum the values of a field.
#[proc_macro_derive(RestEnum, attributes(rest))]
pub fn rest_enum(input: TokenStream) -> TokenStream {
    choice::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct that lists resources a service.
#[proc_macro_derive(RestService, attributes(rest))]
pub fn rest_service(input: TokenStream) -> TokenStream {
    service::derive(&parse_macro_input!(input as DeriveInput)).into()
}
