//! Literals take the type of what they stand beside.

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::rule::ty::a;
use crate::schema::Expr;
use crate::source::Span;
use crate::types::{FieldType, Kind};
use crate::value::Value;

/// What is known of an expression's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ty {
    Known(FieldType),
    /// A number as written; the other side says of which type.
    Number(String),
    /// A text as written; it may be a date, a word of an enum, a decimal.
    Text(String),
    Null,
}

impl Ty {
    pub(super) fn known(self) -> Option<FieldType> {
        match self {
            Self::Known(ty) => Some(ty),
            Self::Number(_) | Self::Text(_) | Self::Null => None,
        }
    }

    pub(super) fn is_literal(&self) -> bool {
        !matches!(self, Self::Known(_))
    }

    /// For messages.
    pub(super) fn a(&self) -> String {
        match self {
            Self::Known(ty) => a(ty),
            Self::Number(_) => "a number".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Null => "null".to_owned(),
        }
    }
}

/// An expression with what is known of its type.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) ty: Ty,
    pub(super) nullable: bool,
    pub(super) span: Span,
}

impl Typed {
    pub(super) fn new(expr: Expr, ty: FieldType, nullable: bool, span: Span) -> Self {
        Self {
            expr,
            ty: Ty::Known(ty),
            nullable,
            span,
        }
    }

    /// A literal whose type isn't known yet.
    pub(super) fn literal(ty: Ty, span: Span) -> Self {
        Self {
            expr: Expr::Literal(Value::Null),
            nullable: ty == Ty::Null,
            ty,
            span,
        }
    }
}

impl Checker<'_> {
    /// Gives a literal the type `to`; anything else stays what it is.
    pub(super) fn coerce(&mut self, typed: Typed, to: &FieldType) -> Option<Typed> {
        let span = typed.span;
        let value = match &typed.ty {
            Ty::Known(_) | Ty::Null => return Some(typed),
            Ty::Number(text) => self.number_as(text, to, span)?,
            Ty::Text(text) => self.text_as(text, to, span)?,
        };
        Some(Typed::new(Expr::Literal(value), to.clone(), false, span))
    }

    fn number_as(&mut self, text: &str, to: &FieldType, span: Span) -> Option<Value> {
        match to.kind() {
            Kind::Integer | Kind::Float | Kind::Decimal => self.parsed(text, to, span),
            Kind::Text => self.misfit(span, "a number", to, "a text stands in single quotes: 'text'"),
            _ => self.misfit(span, "a number", to, quoted_help(to)),
        }
    }

    fn text_as(&mut self, text: &str, to: &FieldType, span: Span) -> Option<Value> {
        match to.kind() {
            // A text that no e-mail address can be is compared all the same: with '' above all.
            Kind::Text if !matches!(to, FieldType::Enum(_)) => Some(Value::Text(text.to_owned())),
            Kind::Integer | Kind::Float => self.misfit(span, "a text", to, "a number stands without quotes"),
            Kind::Boolean => self.misfit(span, "a text", to, "write `true` or `false`"),
            Kind::Json | Kind::Bytes => self.misfit(span, "a text", to, "only `is null` can be asked of it"),
            Kind::Text | Kind::Decimal | Kind::Date | Kind::Time | Kind::Timestamp | Kind::Uuid => {
                self.parsed(text, to, span)
            }
        }
    }

    fn parsed(&mut self, text: &str, to: &FieldType, span: Span) -> Option<Value> {
        match to.parse_text(text) {
            Ok(value) => Some(value),
            Err(fault) => {
                let message = format!("`{text}` isn't {}", a(to));
                let mut diagnostic = Diagnostic::new("rule-literal", span, message).help(fault.message);
                diagnostic.nearest = fault.nearest;
                self.push(diagnostic);
                None
            }
        }
    }

    fn misfit<T>(&mut self, span: Span, what: &str, to: &FieldType, help: &str) -> Option<T> {
        let message = format!("{what} stands where {} is needed", a(to));
        self.push(Diagnostic::new("rule-type", span, message).help(help));
        None
    }

    /// Gives a literal the type that it looks like.
    pub(super) fn settle(&mut self, typed: Typed) -> Option<Typed> {
        let ty = match &typed.ty {
            Ty::Known(_) => return Some(typed),
            Ty::Null => {
                let help = "only `is null` and `is not null` speak of null";
                let message = "null has no type here";
                self.push(Diagnostic::new("rule-null", typed.span, message).help(help));
                return None;
            }
            Ty::Text(_) => FieldType::Text,
            Ty::Number(text) => number_type(text),
        };
        self.coerce(typed, &ty)
    }
}

fn quoted_help(to: &FieldType) -> &'static str {
    match to {
        FieldType::Boolean => "write `true` or `false`",
        FieldType::Json | FieldType::Bytes => "only `is null` can be asked of it",
        _ => "dates, times and UUIDs stand in single quotes: '2026-01-31'",
    }
}

/// A whole number is a bigint, one with a point a decimal of just its digits.
fn number_type(text: &str) -> FieldType {
    match text.split_once('.') {
        None => FieldType::Bigint,
        Some((_, fraction)) => FieldType::Decimal {
            precision: 38,
            scale: u8::try_from(fraction.len()).unwrap_or(38).min(38),
        },
    }
}
