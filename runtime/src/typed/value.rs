//! Rust types as values of fields.

use std::fmt;
use std::marker::PhantomData;

use rest_schema::Value;
use rest_schema::types::Kind;
use rest_schema::value::{Decimal, Float};

use super::RestEnum;

/// A stored value doesn't fit the struct's field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What would have fitted.
    pub expected: &'static str,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value is not {}", self.expected)
    }
}

impl std::error::Error for Misfit {}

/// What a Rust type holds: the kinds of its values, one after another, and whether they may be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    /// For each value.
    pub kinds: &'static [Kind],
    /// Whether NULL is among what it holds.
    pub optional: bool,
    /// The Rust type, for messages.
    pub rust: &'static str,
    /// The words of an enum.
    pub words: Option<&'static [&'static str]>,
}

impl Kinds {
    /// The words of what is an enum.
    ///
    /// # Panics
    ///
    /// Where it is none; a derive asks while it is compiled.
    pub const fn of_enum(self) -> &'static [&'static str] {
        match self.words {
            Some(words) => words,
            None => {
                panic!("the field's type is no enum that derives RestEnum; a type by another name isn't seen")
            }
        }
    }
}

/// Hands out the values of a row, one after another.
#[derive(Debug)]
pub struct Taker {
    values: std::vec::IntoIter<Value>,
    /// The first value that didn't fit.
    misfit: Option<Misfit>,
}

impl Taker {
    /// Over these values.
    pub fn new(values: Vec<Value>) -> Self {
        Self {
            values: values.into_iter(),
            misfit: None,
        }
    }

    /// The next field's value.
    pub fn take<T: FieldValue>(&mut self) -> Result<T, Misfit> {
        T::take(self)
    }

    /// The next value as it is.
    pub fn value(&mut self) -> Value {
        self.values.next().unwrap_or(Value::Null)
    }

    /// The next value, a word: its place among these.
    fn word(&mut self, words: &[&str]) -> Result<usize, Misfit> {
        let Value::Text(word) = self.value() else {
            return Err(Misfit { expected: "a word" });
        };
        let place = words.iter().position(|known| *known == word);
        place.ok_or(Misfit {
            expected: "one of the enum's words",
        })
    }

    /// Which of the values, asked for by [`FieldValue::field`], didn't fit.
    pub fn misfit(&mut self) -> Misfit {
        self.misfit.take().unwrap_or(Misfit {
            expected: "another value",
        })
    }

    /// Whether the next `count` values are NULL.
    fn are_null(&self, count: usize) -> bool {
        let next = self.values.as_slice().iter().take(count);
        next.into_iter().all(|value| *value == Value::Null)
    }
}

/// A Rust type that a field's value can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of a field",
    label = "no field has this type",
    note = "an enum of words derives `RestEnum`, and the types of fields are in `rest_runtime::types`"
)]
pub trait FieldValue: Sized + Send + Sync + 'static {
    /// What it holds.
    const KINDS: Kinds;
    /// Makes it of the next values.
    fn take(values: &mut Taker) -> Result<Self, Misfit>;
    /// The same, where the taker keeps what didn't fit: a struct of a hundred fields then needs no hundred ways out,
    /// which the compiler would have to see through.
    #[doc(hidden)]
    fn field(values: &mut Taker) -> Option<Self> {
        match Self::take(values) {
            Ok(value) => Some(value),
            Err(misfit) => {
                values.misfit.get_or_insert(misfit);
                None
            }
        }
    }
    /// Adds its values.
    fn put(&self, values: &mut Vec<Value>);
    /// The text, where it is a password that isn't hashed yet.
    #[doc(hidden)]
    fn plain(&self) -> Option<&str> {
        None
    }
}

macro_rules! field_values {
    ($($rust:ty, $kind:ident, $expected:literal, $from:expr, $to:expr;)*) => {$(
        impl FieldValue for $rust {
            const KINDS: Kinds = Kinds { kinds: &[Kind::$kind], optional: false, rust: stringify!($rust), words: None };

            fn take(values: &mut Taker) -> Result<Self, Misfit> {
                let from: fn(Value) -> Option<$rust> = $from;
                from(values.value()).ok_or(Misfit { expected: $expected })
            }

            fn put(&self, values: &mut Vec<Value>) {
                let to: fn(&$rust) -> Value = $to;
                values.push(to(self));
            }
        }
    )*};
}

macro_rules! only {
    ($variant:ident) => {
        |value| match value {
            Value::$variant(value) => Some(value),
            _ => None,
        }
    };
}

field_values! {
    String, Text, "text", only!(Text), |text| Value::Text(text.clone());
    bool, Boolean, "true or false", only!(Boolean), |flag| Value::Boolean(*flag);
    i64, Integer, "an integer", only!(Integer), |number| Value::Integer(*number);
    i32, Integer, "an integer of 32 bits",
        |value| match value { Value::Integer(number) => i32::try_from(number).ok(), _ => None },
        |number| Value::Integer(i64::from(*number));
    f64, Float, "a finite number",
        |value| match value { Value::Float(number) => Some(number.get()), _ => None },
        |number| Float::new(*number).map_or(Value::Null, Value::Float);
    rust_decimal::Decimal, Decimal, "a decimal of 28 digits at most",
        |value| match value {
            Value::Decimal(number) =>
                rust_decimal::Decimal::try_from_i128_with_scale(number.units, u32::from(number.scale)).ok(),
            _ => None,
        },
        |number| Value::Decimal(Decimal {
            units: number.mantissa(),
            scale: u8::try_from(number.scale()).unwrap_or(u8::MAX),
        });
    jiff::civil::Date, Date, "a date", only!(Date), |date| Value::Date(*date);
    jiff::civil::Time, Time, "a time", only!(Time), |time| Value::Time(*time);
    jiff::Timestamp, Timestamp, "a moment", only!(Timestamp), |moment| Value::Timestamp(*moment);
    uuid::Uuid, Uuid, "a UUID", only!(Uuid), |uuid| Value::Uuid(*uuid);
    Vec<u8>, Bytes, "bytes", only!(Bytes), |bytes| Value::Bytes(bytes.clone());
    serde_json::Value, Json, "a JSON document",
        |value| match value { Value::Json(text) => serde_json::from_str(&text).ok(), _ => None },
        |document| Value::Json(document.to_string());
}

impl FieldValue for Password {
    const KINDS: Kinds = Kinds {
        kinds: &[Kind::Text],
        optional: false,
        rust: "Password",
        words: None,
    };

    fn take(values: &mut Taker) -> Result<Self, Misfit> {
        match values.value() {
            Value::Text(hash) => Ok(Self(Secret::Hash(hash))),
            _ => Err(Misfit {
                expected: "a password's hash",
            }),
        }
    }

    fn put(&self, values: &mut Vec<Value>) {
        let (Secret::Hash(text) | Secret::Plain(text)) = &self.0;
        values.push(Value::Text(text.clone()));
    }

    fn plain(&self) -> Option<&str> {
        match &self.0 {
            Secret::Plain(plain) => Some(plain),
            Secret::Hash(_) => None,
        }
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    const KINDS: Kinds = Kinds {
        optional: true,
        ..T::KINDS
    };

    fn take(values: &mut Taker) -> Result<Self, Misfit> {
        let count = T::KINDS.kinds.len();
        if !values.are_null(count) {
            return T::take(values).map(Some);
        }
        for _ in 0..count {
            values.value();
        }
        Ok(None)
    }

    fn put(&self, values: &mut Vec<Value>) {
        match self {
            Some(value) => value.put(values),
            None => values.extend(T::KINDS.kinds.iter().map(|_| Value::Null)),
        }
    }

    fn plain(&self) -> Option<&str> {
        self.as_ref().and_then(T::plain)
    }
}

/// The values of a derived enum; what `#[derive(RestEnum)]` builds its [`FieldValue`] on.
#[derive(Debug)]
pub struct Enumerated;

impl Enumerated {
    /// What a derived enum holds.
    pub const fn kinds<T: RestEnum>(rust: &'static str) -> Kinds {
        Kinds {
            kinds: &[Kind::Text],
            optional: false,
            rust,
            words: Some(T::WORDS),
        }
    }

    /// The variant of the next value.
    pub fn take<T: RestEnum>(values: &mut Taker) -> Result<T, Misfit> {
        match T::at(values.word(T::WORDS)?) {
            Some(variant) => Ok(variant),
            None => Err(Misfit {
                expected: "a variant for each word",
            }),
        }
    }

    /// Adds the word at a place.
    pub fn put(words: &[&str], place: usize, values: &mut Vec<Value>) {
        values.push(Value::Text(word(words, place).to_owned()));
    }
}

/// The word at a place; derived enums have one for each of theirs.
pub(super) fn word<'w>(words: &[&'w str], place: usize) -> &'w str {
    words.get(place).copied().unwrap_or_default()
}

macro_rules! tuples {
    ($($($name:ident $place:tt),*;)*) => {$(
        impl<$($name: FieldValue),*> FieldValue for ($($name,)*) {
            // A part of a key is one value.
            const KINDS: Kinds = Kinds {
                kinds: &[$($name::KINDS.kinds[0]),*],
                optional: false,
                rust: "a tuple",
                words: None,
            };

            fn take(values: &mut Taker) -> Result<Self, Misfit> {
                Ok(($($name::take(values)?,)*))
            }

            fn put(&self, values: &mut Vec<Value>) {
                $(self.$place.put(values);)*
            }
        }
    )*};
}

tuples! {
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

/// A password: given as text, kept as a hash. Neither is shown by `Debug`, and it has no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Secret);

#[derive(Clone, PartialEq, Eq)]
enum Secret {
    Plain(String),
    Hash(String),
}

impl Password {
    /// A password as a person types it; it is hashed when it is written.
    pub fn new(plain: impl Into<String>) -> Self {
        Self(Secret::Plain(plain.into()))
    }

    /// A password that is hashed already.
    pub(crate) fn of_hash(hash: String) -> Self {
        Self(Secret::Hash(hash))
    }
}

impl From<&str> for Password {
    fn from(plain: &str) -> Self {
        Self::new(plain)
    }
}

impl From<String> for Password {
    fn from(plain: String) -> Self {
        Self::new(plain)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A many-to-many relation of a struct; it takes no room, for its rows are read when they are asked for.
pub struct ManyToMany<T>(PhantomData<fn() -> T>);

impl<T> Default for ManyToMany<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for ManyToMany<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ManyToMany<T> {}

impl<T> PartialEq for ManyToMany<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for ManyToMany<T> {}

impl<T> fmt::Debug for ManyToMany<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManyToMany")
    }
}
