//! Structs that describe a REST service. Use them by way of `rest_runtime`, which re-exports them.

use proc_macro::TokenStream;

/// Makes a struct a resource.
#[proc_macro_derive(RestResource, attributes(rest))]
pub fn rest_resource(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Makes an enum the values of a field.
#[proc_macro_derive(RestEnum, attributes(rest))]
pub fn rest_enum(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Makes a struct that lists resources a service.
#[proc_macro_derive(RestService, attributes(rest))]
pub fn rest_service(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
