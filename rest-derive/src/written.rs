//! A tree as the one call that writes it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use rest_schema::packed::Packer;
use rest_schema::rust::{Places, Tree, TreeKind};
use rest_schema::written::At;
use rest_schema::{Excerpt, Span};
use syn::spanned::Spanned;

/// The call for the entries of a mapping; the writer is called `writer`.
pub(crate) fn entries(list: &[(Excerpt, Tree)], places: &Places) -> TokenStream {
    let mut packed = Packed {
        places,
        packer: Packer::new(),
        late: Vec::new(),
    };
    packed.entries(list);
    let (text, late) = (packed.packer.finish(), packed.late);
    quote!(writer.packed(#text, &[#(#late),*]);)
}

struct Packed<'a> {
    places: &'a Places,
    packer: Packer,
    /// What only the compiler of the program knows.
    late: Vec<TokenStream>,
}

impl Packed<'_> {
    fn entries(&mut self, list: &[(Excerpt, Tree)]) {
        for (key, tree) in list {
            self.value(&key.text, key.span, tree);
        }
    }

    /// Scalars are placed where they stand, collections where their key does.
    fn value(&mut self, key: &str, at: Span, tree: &Tree) {
        let place = self.places.position(tree.span);
        match &tree.kind {
            TreeKind::Null => self.packer.null(key, place),
            TreeKind::Flag(flag) => self.packer.flag(key, *flag, place),
            TreeKind::Number(number) => self.packer.number(key, &number.text, place),
            TreeKind::Text(text) => self.packer.text(key, &text.text, place),
            TreeKind::Word(word) => self.packer.word(key, &word.text, place),
            TreeKind::Resource(path) => {
                let name = quote!(<#path as ::rest_runtime::typed::RestResource>::NAME);
                self.late(key, place, quote!(Word(#name)));
            }
            TreeKind::Words(path) => {
                // A constant, so that a type that is no enum is told when it is compiled, and where it stands.
                let kinds = quote!(<#path as ::rest_runtime::typed::FieldValue>::KINDS);
                let words = quote_spanned!(path.span()=> #kinds.of_enum());
                let words = quote!({
                    const WORDS: &[&str] = #words;
                    WORDS
                });
                self.late(key, place, quote!(Texts(#words)));
            }
            TreeKind::Variant(path, variant) => {
                let word = quote!(::rest_runtime::typed::RestEnum::word(&#path::#variant));
                self.late(key, place, quote!(Text(#word)));
            }
            TreeKind::List(items) => {
                self.packer.open_list(key, self.places.position(at));
                for item in items {
                    self.value("", item.span, item);
                }
                self.packer.close();
            }
            TreeKind::Map(list) => {
                self.packer.open(key, self.places.position(at));
                self.entries(list);
                self.packer.close();
            }
        }
    }

    fn late(&mut self, key: &str, at: At, what: TokenStream) {
        self.packer.late(key, at);
        self.late
            .push(quote!(::rest_runtime::schema::packed::Late::#what));
    }
}

/// Line and column, as the writer takes them.
pub(crate) fn place(span: Span, places: &Places) -> TokenStream {
    let (line, column) = places.position(span);
    let line = proc_macro2::Literal::u32_unsuffixed(line);
    let column = proc_macro2::Literal::u32_unsuffixed(column);
    quote!((#line, #column))
}
