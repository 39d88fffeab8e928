//! A field in typed code: set, compared with, sorted by.

use std::marker::PhantomData;

use rest_schema::Value;

use super::{Field, FieldValue};
use crate::request::Operator;

/// A field and the value it is to have: `Post::TITLE.set("Hello")`.
pub struct Set<R> {
    pub(crate) place: usize,
    pub(crate) given: Given,
    of: PhantomData<fn() -> R>,
}

/// What a field is given.
#[derive(Clone)]
pub(crate) enum Given {
    /// Its values, one for each field behind the column.
    Values(Vec<Value>),
    /// A password as its owner typed it.
    Plain(String),
}

impl<R> Set<R> {
    pub(crate) fn is_plain_password(&self) -> bool {
        matches!(self.given, Given::Plain(_))
    }
}

/// What a field must be: `Post::STATUS.eq(Status::Published)`.
pub struct Condition<R> {
    pub(crate) place: usize,
    pub(crate) operator: Operator,
    /// For each value that is compared with: its values, one for each field behind the column.
    pub(crate) values: Vec<Vec<Value>>,
    of: PhantomData<fn() -> R>,
}

/// A field that is sorted by: `Post::CREATED_AT.desc()`.
pub struct Order<R> {
    pub(crate) place: usize,
    pub(crate) descending: bool,
    of: PhantomData<fn() -> R>,
}

fn values(value: &impl FieldValue) -> Vec<Value> {
    let mut values = Vec::with_capacity(1);
    value.put(&mut values);
    values
}

impl<R, T: FieldValue> Field<R, T> {
    /// The field with a value.
    pub fn set(self, value: impl Into<T>) -> Set<R> {
        let value = value.into();
        let given = match value.plain() {
            Some(plain) => Given::Plain(plain.to_owned()),
            None => Given::Values(values(&value)),
        };
        Set {
            place: self.place(),
            given,
            of: PhantomData,
        }
    }

    /// The field is this; `None` is a value like any other.
    pub fn eq(self, value: impl Into<T>) -> Condition<R> {
        self.compare(Operator::Eq, Operator::IsNull, value.into())
    }

    /// The field is something else, and not null.
    pub fn ne(self, value: impl Into<T>) -> Condition<R> {
        self.compare(Operator::Ne, Operator::IsNotNull, value.into())
    }

    /// The field is greater.
    pub fn gt(self, value: impl Into<T>) -> Condition<R> {
        self.condition(Operator::Gt, vec![values(&value.into())])
    }

    /// The field is greater, or equal.
    pub fn gte(self, value: impl Into<T>) -> Condition<R> {
        self.condition(Operator::Gte, vec![values(&value.into())])
    }

    /// The field is less.
    pub fn lt(self, value: impl Into<T>) -> Condition<R> {
        self.condition(Operator::Lt, vec![values(&value.into())])
    }

    /// The field is less, or equal.
    pub fn lte(self, value: impl Into<T>) -> Condition<R> {
        self.condition(Operator::Lte, vec![values(&value.into())])
    }

    /// The field is one of these.
    pub fn is_in<V: Into<T>>(self, all: impl IntoIterator<Item = V>) -> Condition<R> {
        let all = all.into_iter().map(|value| values(&value.into()));
        self.condition(Operator::In, all.collect())
    }

    /// The field is none of these, and not null.
    pub fn not_in<V: Into<T>>(self, all: impl IntoIterator<Item = V>) -> Condition<R> {
        let all = all.into_iter().map(|value| values(&value.into()));
        self.condition(Operator::Nin, all.collect())
    }

    /// From the least.
    pub fn asc(self) -> Order<R> {
        self.order(false)
    }

    /// From the greatest.
    pub fn desc(self) -> Order<R> {
        self.order(true)
    }

    fn compare(self, operator: Operator, of_null: Operator, value: T) -> Condition<R> {
        let values = values(&value);
        if values.iter().all(|value| *value == Value::Null) {
            self.condition(of_null, Vec::new())
        } else {
            self.condition(operator, vec![values])
        }
    }

    fn condition(self, operator: Operator, values: Vec<Vec<Value>>) -> Condition<R> {
        Condition {
            place: self.place(),
            operator,
            values,
            of: PhantomData,
        }
    }

    fn order(self, descending: bool) -> Order<R> {
        Order {
            place: self.place(),
            descending,
            of: PhantomData,
        }
    }
}

impl<R, T: FieldValue> Field<R, Option<T>> {
    /// The field is null.
    pub fn is_null(self) -> Condition<R> {
        self.condition(Operator::IsNull, Vec::new())
    }

    /// The field is not null.
    pub fn is_not_null(self) -> Condition<R> {
        self.condition(Operator::IsNotNull, Vec::new())
    }
}

/// Fields that hold text.
pub trait Textual: FieldValue {}

impl Textual for String {}
impl Textual for Option<String> {}

impl<R, T: Textual> Field<R, T> {
    /// The text has this in it.
    pub fn contains(self, part: impl Into<String>) -> Condition<R> {
        self.text(Operator::Contains, part)
    }

    /// The text begins with this.
    pub fn starts_with(self, part: impl Into<String>) -> Condition<R> {
        self.text(Operator::StartsWith, part)
    }

    /// The text ends with this.
    pub fn ends_with(self, part: impl Into<String>) -> Condition<R> {
        self.text(Operator::EndsWith, part)
    }

    /// The text has this in it, in any case of ASCII letters.
    pub fn icontains(self, part: impl Into<String>) -> Condition<R> {
        self.text(Operator::IContains, part)
    }

    fn text(self, operator: Operator, part: impl Into<String>) -> Condition<R> {
        self.condition(operator, vec![vec![Value::Text(part.into())]])
    }
}

macro_rules! shown_by_place {
    ($($name:ident)*) => {$(
        impl<R> std::fmt::Debug for $name<R> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("place", &self.place).finish_non_exhaustive()
            }
        }
    )*};
}

shown_by_place! { Set Condition Order }
