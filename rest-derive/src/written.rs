//! A tree as the calls that write it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use rest_schema::rust::{Places, Tree, TreeKind};
use rest_schema::{Excerpt, Span};
use syn::spanned::Spanned;

/// The calls for the entries of a mapping; the writer is called `writer`.
pub(crate) fn entries(list: &[(Excerpt, Tree)], places: &Places) -> TokenStream {
    list.iter()
        .map(|(key, tree)| value(&key.text, key.span, tree, places))
        .collect()
}

/// The calls for one value. Scalars are placed where they stand, collections where their key does.
fn value(key: &str, at: Span, tree: &Tree, places: &Places) -> TokenStream {
    let place = place(tree.span, places);
    match &tree.kind {
        TreeKind::Null => quote!(writer.null(#key, #place);),
        TreeKind::Flag(flag) => quote!(writer.flag(#key, #flag, #place);),
        TreeKind::Number(number) => {
            let digits = &number.text;
            quote!(writer.number(#key, #digits, #place);)
        }
        TreeKind::Text(text) => {
            let text = &text.text;
            quote!(writer.text(#key, #text, #place);)
        }
        TreeKind::Word(word) => {
            let word = &word.text;
            quote!(writer.word(#key, #word, #place);)
        }
        TreeKind::Resource(path) => {
            quote!(writer.word(#key, <#path as ::rest_runtime::typed::RestResource>::NAME, #place);)
        }
        TreeKind::Words(path) => {
            // A constant, so that a type that is no enum is told when it is compiled, and where it stands.
            let kinds = quote!(<#path as ::rest_runtime::typed::FieldValue>::KINDS);
            let words = quote_spanned!(path.span()=> #kinds.of_enum());
            quote!({
                const WORDS: &[&str] = #words;
                writer.texts(#key, WORDS, #place);
            })
        }
        TreeKind::Variant(path, variant) => {
            quote!(writer.text(#key, ::rest_runtime::typed::RestEnum::word(&#path::#variant), #place);)
        }
        TreeKind::List(items) => {
            let items = items.iter().map(|item| value("", item.span, item, places));
            let place = self::place(at, places);
            quote!(writer.open_list(#key, #place); #(#items)* writer.close();)
        }
        TreeKind::Map(list) => {
            let entries = entries(list, places);
            let place = self::place(at, places);
            quote!(writer.open(#key, #place); #entries writer.close();)
        }
    }
}

/// Line and column, as the writer takes them.
pub(crate) fn place(span: Span, places: &Places) -> TokenStream {
    let (line, column) = places.position(span);
    let line = proc_macro2::Literal::u32_unsuffixed(line);
    let column = proc_macro2::Literal::u32_unsuffixed(column);
    quote!((#line, #column))
}
