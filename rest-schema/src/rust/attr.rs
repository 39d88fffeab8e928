//! The grammar of `#[rest(…)]`: keys and values as they are written, whatever they mean.

use proc_macro2::{Span as TokenSpan, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta as Syntax, Path, Token, braced, bracketed,
    parenthesized, token,
};

use super::place::Places;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Excerpt, Span};

/// `key`, `key = value`, `key(…)`.
#[derive(Clone)]
pub(super) struct Meta {
    pub(super) key: Excerpt,
    pub(super) value: Value,
}

/// A value with its place.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// A key alone.
    Nothing,
    Text(Excerpt),
    Number(Excerpt),
    Flag(bool),
    /// A name, `-name`, a path, an interval; with the path where it is one.
    Word(Excerpt, Option<Path>),
    /// What stands in parentheses.
    Arguments(Vec<Argument>),
    /// JSON
    Null,
    List(Vec<Value>),
    Map(Vec<(Excerpt, Value)>),
}

/// One of those in parentheses. A bare name is a value.
#[derive(Clone)]
pub(super) enum Argument {
    Meta(Meta),
    Value(Value),
}

/// What stands in the attributes of one thing.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) metas: Vec<Meta>,
    /// The doc comment.
    pub(super) docs: Option<Excerpt>,
    /// Whether some of it couldn't be read.
    pub(super) broken: bool,
}

/// Reads attributes, all but ours and the doc comments left alone.
pub(super) fn read(list: &[Attribute], places: &mut Places, diagnostics: &mut Diagnostics) -> Attributes {
    let mut attributes = Attributes {
        docs: docs(list, places),
        ..Attributes::default()
    };
    for attribute in list.iter().filter(|one| one.path().is_ident("rest")) {
        let mut reader = Reader { places, diagnostics };
        let metas = &mut attributes.metas;
        let parser = |input: ParseStream| reader.metas(input, metas);
        let read = match &attribute.meta {
            Syntax::List(list) => parser.parse2(list.tokens.clone()),
            other => Err(syn::Error::new_spanned(
                other,
                "keys stand in parentheses: `#[rest(unique)]`",
            )),
        };
        if let Err(error) = read {
            attributes.broken = true;
            let end = attribute.bracket_token.span.close();
            diagnostics.push(syntax(&error, end, places));
        }
    }
    attributes
}

/// What the parser says; where input ended too early it points to nothing better than `end`.
pub(super) fn syntax(error: &syn::Error, end: TokenSpan, places: &mut Places) -> Diagnostic {
    let message = error.to_string();
    let early = message.starts_with("unexpected end of input");
    let span = if early { end } else { error.span() };
    Diagnostic::new("rust", places.at(span), message)
}

/// Doc comments, line by line; the space after `///` isn't part of them.
fn docs(list: &[Attribute], places: &mut Places) -> Option<Excerpt> {
    let lines: Vec<(String, TokenSpan)> = list
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Syntax::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text), ..
                }) => Some((text.value(), text.span())),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let (first, last) = (lines.first()?.1, lines.last()?.1);
    let text = lines
        .iter()
        .map(|(text, _)| text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    let indented = text.lines().all(|line| line.is_empty() || line.starts_with(' '));
    let lines = text
        .lines()
        .map(|line| line.strip_prefix(' ').filter(|_| indented).unwrap_or(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text.trim_end().trim_start_matches('\n');
    if text.is_empty() {
        return None;
    }
    Some(Excerpt::whole(text, places.between(first, last)))
}

struct Reader<'a> {
    places: &'a mut Places,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn metas(&mut self, input: ParseStream, metas: &mut Vec<Meta>) -> syn::Result<()> {
        while !input.is_empty() {
            metas.push(self.meta(input)?);
            comma(input)?;
        }
        Ok(())
    }

    fn meta(&mut self, input: ParseStream) -> syn::Result<Meta> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected a key, as in `unique` or `length = 1..=64`"));
        }
        let ident = input.call(Ident::parse_any)?;
        let key = self.word(&ident);
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            self.value(input)?
        } else if input.peek(token::Paren) {
            let content;
            let around = parenthesized!(content in input);
            let arguments = self.arguments(&content)?;
            let span = self.places.between(around.span.open(), around.span.close());
            Value {
                span,
                kind: Kind::Arguments(arguments),
            }
        } else {
            Value {
                span: key.span,
                kind: Kind::Nothing,
            }
        };
        Ok(Meta { key, value })
    }

    fn arguments(&mut self, input: ParseStream) -> syn::Result<Vec<Argument>> {
        let mut list = Vec::new();
        while !input.is_empty() {
            let follows = |what: fn(ParseStream) -> bool| {
                let ahead = input.fork();
                ahead.call(Ident::parse_any).is_ok() && what(&ahead)
            };
            let is_meta = follows(|ahead| ahead.peek(Token![=]) || ahead.peek(token::Paren));
            list.push(if is_meta {
                Argument::Meta(self.meta(input)?)
            } else {
                Argument::Value(self.value(input)?)
            });
            comma(input)?;
        }
        Ok(list)
    }

    fn word(&mut self, ident: &Ident) -> Excerpt {
        Excerpt::whole(ident.unraw().to_string(), self.places.at(ident.span()))
    }

    fn value(&mut self, input: ParseStream) -> syn::Result<Value> {
        if input.peek(LitStr) {
            let text = self.places.literal(&input.parse()?);
            return Ok(Value {
                span: text.span,
                kind: Kind::Text(text),
            });
        }
        if input.peek(token::Brace) || input.peek(token::Bracket) {
            return self.json(input);
        }
        if input.peek(Token![..]) || is_number(input) {
            return self.number_or_interval(input);
        }
        if input.peek(syn::LitBool) {
            let flag: syn::LitBool = input.parse()?;
            let span = self.places.at(flag.span);
            return Ok(Value {
                span,
                kind: Kind::Flag(flag.value),
            });
        }
        self.name(input)
    }

    /// `name`, `-name`, `a::path`
    fn name(&mut self, input: ParseStream) -> syn::Result<Value> {
        let minus: Option<Token![-]> = input.parse()?;
        if !input.peek(Ident::peek_any) && !input.peek(Token![::]) {
            return Err(input.error("expected a text in quotes, a number, a range or a name"));
        }
        let path = input.call(path)?;
        if input.peek(Token![.]) {
            return Err(input.error("a path or an expression stands in quotes: `\"author.name\"`"));
        }
        let words: Vec<String> = path
            .segments
            .iter()
            .map(|one| one.ident.unraw().to_string())
            .collect();
        let text = format!("{}{}", if minus.is_some() { "-" } else { "" }, words.join("::"));
        let last = path.segments.last().map_or(path.span(), |last| last.ident.span());
        let first = path.segments.first().map_or(last, |first| first.ident.span());
        let span = self
            .places
            .between(minus.as_ref().map_or(first, Spanned::span), last);
        let excerpt = Excerpt::whole(text, span);
        let path = minus.is_none().then_some(path);
        Ok(Value {
            span,
            kind: Kind::Word(excerpt, path),
        })
    }

    /// `5`, `-0.5`, `1..=64`, `..=9.99`, `1..`
    fn number_or_interval(&mut self, input: ParseStream) -> syn::Result<Value> {
        let low = if is_number(input) {
            Some(number(input)?)
        } else {
            None
        };
        if let Some((text, first, last)) = &low
            && !input.peek(Token![..])
        {
            let excerpt = Excerpt::whole(text, self.places.between(*first, *last));
            return Ok(Value {
                span: excerpt.span,
                kind: Kind::Number(excerpt),
            });
        }
        let inclusive = input.peek(Token![..=]);
        let dots = if inclusive {
            input.parse::<Token![..=]>()?.spans[0]
        } else {
            input.parse::<Token![..]>()?.spans[0]
        };
        let high = if is_number(input) {
            Some(number(input)?)
        } else {
            None
        };
        let first = low.as_ref().map_or(dots, |(_, first, _)| *first);
        let last = high.as_ref().map_or(dots, |(_, _, last)| *last);
        let span = self.places.between(first, last);
        let text =
            |end: &Option<(String, TokenSpan, TokenSpan)>| end.as_ref().map_or("", |end| &end.0).to_owned();
        let (low, high) = (text(&low), text(&high));
        if !inclusive && !high.is_empty() {
            let message =
                format!("in Rust `{low}..{high}` leaves {high} out, and both ends of an interval are in it");
            let help = format!("write `{low}..={high}`");
            self.diagnostics
                .push(Diagnostic::new("bad-interval", span, message).help(help));
        }
        Ok(Value {
            span,
            kind: Kind::Word(Excerpt::whole(format!("{low}..{high}"), span), None),
        })
    }

    /// A JSON document.
    fn json(&mut self, input: ParseStream) -> syn::Result<Value> {
        let content;
        if input.peek(token::Bracket) {
            let around = bracketed!(content in input);
            let mut list = Vec::new();
            while !content.is_empty() {
                list.push(self.json_value(&content)?);
                comma(&content)?;
            }
            let span = self.places.between(around.span.open(), around.span.close());
            return Ok(Value {
                span,
                kind: Kind::List(list),
            });
        }
        let around = braced!(content in input);
        let mut entries = Vec::new();
        while !content.is_empty() {
            let key: LitStr = content.parse()?;
            content.parse::<Token![:]>()?;
            entries.push((self.places.literal(&key), self.json_value(&content)?));
            comma(&content)?;
        }
        let span = self.places.between(around.span.open(), around.span.close());
        Ok(Value {
            span,
            kind: Kind::Map(entries),
        })
    }

    fn json_value(&mut self, input: ParseStream) -> syn::Result<Value> {
        let value = self.value(input)?;
        match &value.kind {
            Kind::Word(word, _) if word.text == "null" => Ok(Value {
                kind: Kind::Null,
                ..value
            }),
            Kind::Word(..) => Err(input.error("a text within JSON stands in quotes")),
            _ => Ok(value),
        }
    }
}

fn comma(input: ParseStream) -> syn::Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// Keywords may stand in it: they are names elsewhere.
fn path(input: ParseStream) -> syn::Result<Path> {
    input.call(Path::parse_mod_style).or_else(|error| {
        let ident = input.call(Ident::parse_any).map_err(|_| error)?;
        Ok(Path::from(ident))
    })
}

fn is_number(input: ParseStream) -> bool {
    let plain = input.peek(syn::LitInt) || input.peek(syn::LitFloat);
    plain || (input.peek(Token![-]) && (input.peek2(syn::LitInt) || input.peek2(syn::LitFloat)))
}

/// A number's digits, with its first and last token.
fn number(input: ParseStream) -> syn::Result<(String, TokenSpan, TokenSpan)> {
    let minus: Option<Token![-]> = input.parse()?;
    let literal: Lit = input.parse()?;
    let (digits, suffix) = match &literal {
        Lit::Int(number) => (number.base10_digits().to_owned(), number.suffix().to_owned()),
        Lit::Float(number) => (number.base10_digits().to_owned(), number.suffix().to_owned()),
        _ => return Err(syn::Error::new_spanned(&literal, "expected a number")),
    };
    if !suffix.is_empty() {
        let message = format!("a number has no type here: write `{digits}`");
        return Err(syn::Error::new_spanned(&literal, message));
    }
    let last = literal.span();
    let first = minus.as_ref().map_or(last, Spanned::span);
    let sign = if minus.is_some() { "-" } else { "" };
    Ok((format!("{sign}{digits}"), first, last))
}

/// Whether an attribute derives a trait of this name.
pub(super) fn derives(attribute: &Attribute, names: &[&str]) -> bool {
    let Syntax::List(list) = &attribute.meta else {
        return false;
    };
    let named =
        |token: TokenTree| matches!(token, TokenTree::Ident(ident) if names.iter().any(|name| ident == name));
    list.path.is_ident("derive") && list.tokens.clone().into_iter().any(named)
}
