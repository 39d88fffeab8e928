//! `#[derive(RestResource)]`

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use rest_schema::Diagnostics;
use rest_schema::rust::{Field, Form, Places, Resource, TreeKind, alone, resource};
use syn::{DeriveInput, Ident, Type};

use crate::{told, written};

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut places = Places::of_tokens();
    let mut diagnostics = Diagnostics::new();
    let read = resource(input, &mut places, &mut diagnostics);
    if let Some(resource) = read.as_ref().filter(|one| one.whole) {
        alone(resource, &places.sources, &mut diagnostics);
    }
    let errors = told::errors(diagnostics, &places);
    let traits = match &read {
        // What is wrong in what it says is no fault of its types.
        Some(resource) if resource.typed => expand(resource, &places),
        _ => fallback(input),
    };
    let constants = read.as_ref().map(constants);
    quote!(#errors #traits #constants)
}

/// The fields that hold values.
fn values(resource: &Resource) -> impl Iterator<Item = &Field> {
    let fields = resource.fields.iter();
    fields.filter(|field| !matches!(field.form, Form::ManyToMany))
}

fn expand(resource: &Resource, places: &Places) -> TokenStream {
    let (ident, name) = (&resource.ident, &resource.name.text);
    let columns = values(resource).map(column);
    let written = match &resource.tree.kind {
        TreeKind::Map(list) => written::entries(list, places),
        _ => TokenStream::new(),
    };
    let (key_type, key) = key(resource);
    let idents = resource.fields.iter().map(|field| &field.ident);
    let idents: Vec<&Ident> = idents.collect();
    let take = resource.fields.iter().map(|field| match field.form {
        Form::ManyToMany => quote!(::core::option::Option::Some(::core::default::Default::default())),
        Form::Value | Form::BelongsTo(_) => {
            let value = field_value(&field.ty);
            quote!(#value::field(values))
        }
    });
    let put = resource.fields.iter().map(|field| {
        let ident = &field.ident;
        match field.form {
            Form::ManyToMany => quote!(let _ = &self.#ident;),
            Form::Value | Form::BelongsTo(_) => {
                let value = field_value(&field.ty);
                quote!(#value::put(&self.#ident, values);)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::rest_runtime::typed::RestResource for #ident {
            const NAME: &'static str = #name;
            type Key = #key_type;
            const COLUMNS: &'static [::rest_runtime::typed::Column] = &[#(#columns),*];

            fn written(writer: &mut ::rest_runtime::schema::written::Writer) {
                writer.file(::core::file!());
                #written
            }

            fn key(&self) -> Self::Key {
                #key
            }

            fn take(
                values: &mut ::rest_runtime::typed::Taker,
            ) -> ::core::result::Result<Self, ::rest_runtime::typed::Misfit> {
                let (#(::core::option::Option::Some(#idents),)*) = (#(#take,)*) else {
                    return ::core::result::Result::Err(values.misfit());
                };
                ::core::result::Result::Ok(Self { #(#idents),* })
            }

            fn put(&self, values: &mut ::std::vec::Vec<::rest_runtime::schema::Value>) {
                #(#put)*
            }
        }
    }
}

/// Each mention of a field's type asks the same of it, so that the compiler tells of a wrong one once.
fn field_value(ty: &Type) -> TokenStream {
    quote!(<#ty as ::rest_runtime::typed::FieldValue>)
}

fn column(field: &Field) -> TokenStream {
    let (value, name) = (field_value(&field.ty), &field.name.text);
    let is_relation = matches!(field.form, Form::BelongsTo(_));
    quote!(::rest_runtime::typed::Column::of(#name, #is_relation, #value::KINDS))
}

/// The key's type and value: a tuple, where it has several fields; the parts of a relation's key one by one.
fn key(resource: &Resource) -> (TokenStream, TokenStream) {
    let fields = resource.key.iter().filter_map(|at| resource.fields.get(*at));
    let parts: Vec<(TokenStream, TokenStream)> = fields.flat_map(parts).collect();
    if let [(ty, value)] = parts.as_slice() {
        return (ty.clone(), value.clone());
    }
    let (types, values): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    (quote!((#(#types),*)), quote!((#(#values),*)))
}

fn parts(field: &Field) -> Vec<(TokenStream, TokenStream)> {
    let ident = &field.ident;
    let clone = |value| quote!(::core::clone::Clone::clone(&#value));
    match &field.ty {
        Type::Tuple(tuple) => {
            let parts = tuple.elems.iter().enumerate();
            let part = parts.map(|(at, ty)| {
                let at = Literal::usize_unsuffixed(at);
                (quote!(#ty), clone(quote!(self.#ident.#at)))
            });
            part.collect()
        }
        ty => vec![(quote!(#ty), clone(quote!(self.#ident)))],
    }
}

/// The fields by name, for typed code.
fn constants(resource: &Resource) -> TokenStream {
    let (ident, vis) = (&resource.ident, &resource.vis);
    let constants = values(resource).enumerate().map(|(place, field)| {
        let name = field.plain_name();
        let constant = Ident::new(&name.to_ascii_uppercase(), field.ident.span());
        let docs = field.docs.clone().unwrap_or_else(|| format!("The field `{name}`."));
        let ty = &field.ty;
        let place = Literal::usize_unsuffixed(place);
        quote! {
            #[doc = #docs]
            #vis const #constant: ::rest_runtime::typed::Field<Self, #ty> = ::rest_runtime::typed::Field::at(#place);
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            #(#constants)*
        }
    }
}

/// The trait for what has a fault: enough for whatever else speaks of it.
fn fallback(input: &DeriveInput) -> TokenStream {
    let (ident, name) = (&input.ident, input.ident.to_string());
    let (around, types, bounds) = input.generics.split_for_impl();
    let bounds = bounds.map(|bounds| &bounds.predicates);
    quote! {
        #[automatically_derived]
        impl #around ::rest_runtime::typed::RestResource for #ident #types
        where
            Self: ::core::marker::Send + ::core::marker::Sync + 'static,
            #bounds
        {
            const NAME: &'static str = #name;
            type Key = i64;
            const COLUMNS: &'static [::rest_runtime::typed::Column] = &[];

            fn written(_: &mut ::rest_runtime::schema::written::Writer) {}

            fn key(&self) -> Self::Key {
                0
            }

            fn take(
                _: &mut ::rest_runtime::typed::Taker,
            ) -> ::core::result::Result<Self, ::rest_runtime::typed::Misfit> {
                ::core::result::Result::Err(::rest_runtime::typed::Misfit { expected: "" })
            }

            fn put(&self, _: &mut ::std::vec::Vec<::rest_runtime::schema::Value>) {}
        }
    }
}
