//! How a field's value is kept in a column, and how it is shown.
//!
//! A [`Codec`] is made once per field, from its type and the column's [`Form`]. It writes a cell straight to the answer,
//! without a value in between: a page of rows is mostly this. A stored value that does not fit its type is
//! [`Unfit`], never a null and never passed on.

mod columns;
mod form;
pub(crate) mod json_text;
mod moment;
mod number;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rest_schema::value::{Decimal, Float};
use rest_schema::{FieldType, Value};
use uuid::Uuid;

pub use columns::{ColumnType, Columns};
pub use form::{Affinity, Form};
pub use moment::Fraction;
pub use number::DecimalForm;

use crate::cell::{Cell, CellRef};
use crate::respond::format::{Json, Writing};
use json_text::Spacing;

/// A stored value does not fit its field's type. It does not hold the value, which may be private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit {
    /// What would fit, `a date as YYYY-MM-DD`.
    pub expected: &'static str,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stored value is not {}", self.expected)
    }
}

impl std::error::Error for Unfit {}

/// How one field's values are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    /// Text as it is.
    Text,
    /// The hash of a password; never shown.
    Password,
    /// An integer of 32 bits.
    Integer,
    /// An integer of 64 bits.
    Bigint,
    /// A double.
    Float,
    /// An exact decimal.
    Decimal {
        /// All digits.
        precision: u8,
        /// Digits after the point.
        scale: u8,
        /// Where they are.
        form: DecimalForm,
    },
    /// 0 or 1.
    Boolean,
    /// `YYYY-MM-DD`
    Date,
    /// `HH:MM:SS.ffffff`
    Time(Fraction),
    /// `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.
    Timestamp(Fraction),
    /// A UUID.
    Uuid(UuidForm),
    /// JSON as text, compact where ours.
    Json(JsonForm),
    /// Bytes as they are.
    Bytes,
    /// One of these words.
    Enum(Arc<[String]>),
    /// Keys of related items, kept so: a JSON array of what their columns hold.
    Keys(Box<Codec>),
}

/// How a UUID is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UuidForm {
    /// 36 characters, lower case; nothing else is read. Ours.
    Ours,
    /// Written with 36 characters; every form is read.
    Hyphenated,
    /// Written with 32 hexadecimal digits (`sa.Uuid`'s `CHAR(32)`); every form is read.
    Simple,
    /// Written as 16 bytes; every form is read.
    Bytes,
}

/// How a JSON document is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonForm {
    /// Compact. Ours.
    Compact,
    /// With Python's spaces; a bare number may have become one (`JSON` has numeric affinity).
    Python,
}

type Read<T> = Result<T, Unfit>;

impl Codec {
    /// The codec of a field of type `ty` whose column is kept in `form`.
    pub fn new(ty: &FieldType, form: &Form) -> Self {
        let declared = match form {
            Form::Ours | Form::Native(_) => None,
            Form::Foreign { declared } => Some(declared.as_str()),
        };
        let fraction = declared.map_or(Fraction::Always, |_| Fraction::Optional);
        match ty {
            FieldType::String | FieldType::Text | FieldType::Email | FieldType::Url | FieldType::Slug => {
                Self::Text
            }
            FieldType::Password => Self::Password,
            FieldType::Integer => Self::Integer,
            FieldType::Bigint => Self::Bigint,
            FieldType::Float => Self::Float,
            FieldType::Decimal { precision, scale } => Self::Decimal {
                precision: *precision,
                scale: *scale,
                form: match form {
                    Form::Native(_) => DecimalForm::Text,
                    Form::Ours | Form::Foreign { .. } => decimal_form(declared),
                },
            },
            FieldType::Boolean => Self::Boolean,
            FieldType::Date => Self::Date,
            FieldType::Time => Self::Time(fraction),
            FieldType::Timestamp => Self::Timestamp(fraction),
            FieldType::Uuid => Self::Uuid(uuid_form(declared)),
            FieldType::Json => Self::Json(declared.map_or(JsonForm::Compact, |_| JsonForm::Python)),
            FieldType::Bytes => Self::Bytes,
            FieldType::Enum(words) => Self::Enum(words.as_slice().into()),
            FieldType::Keys(of) => Self::Keys(Box::new(Self::new(of, form))),
        }
    }

    /// The digits after the point of a decimal that is kept as an integer of its smallest units.
    pub fn scaled(&self) -> Option<u8> {
        match self {
            Self::Decimal {
                scale,
                form: DecimalForm::Scaled,
                ..
            } => Some(*scale),
            _ => None,
        }
    }

    /// Writes a cell as JSON; NULL as `null`.
    ///
    /// # Errors
    ///
    /// Where the cell doesn't fit the field's type.
    pub fn write_json(&self, cell: CellRef<'_>, out: &mut Vec<u8>) -> Result<(), Unfit> {
        self.lexeme::<Json>(cell, out)
    }

    /// Writes a cell as a form quotes it.
    ///
    /// # Errors
    ///
    /// Where the cell doesn't fit the field's type.
    pub fn lexeme<W: Writing>(&self, cell: CellRef<'_>, out: &mut Vec<u8>) -> Result<(), Unfit> {
        match (self, cell) {
            (Self::Password, _) => {
                return Err(Unfit {
                    expected: "for showing",
                });
            }
            (_, CellRef::Null) => W::null(out),
            (Self::Text, cell) => W::text(out, text(cell)?),
            (Self::Integer, cell) => {
                let value = integer32(cell)?;
                W::bare(out, |out| number::write_integer(value, out));
            }
            (Self::Bigint, cell) => {
                let value = integer(cell)?;
                W::bare(out, |out| number::write_integer(value, out));
            }
            (Self::Float, cell) => {
                let value = real(cell)?;
                W::bare(out, |out| number::write_real(value, out));
            }
            (Self::Boolean, cell) => {
                let word: &[u8] = if boolean(cell)? { b"true" } else { b"false" };
                W::bare(out, |out| out.extend_from_slice(word));
            }
            (Self::Enum(words), cell) => W::text(out, word(words, cell)?),
            (Self::Uuid(form), cell) => {
                let mut buffer = Uuid::encode_buffer();
                let text = uuid(*form, cell)?.hyphenated().encode_lower(&mut buffer);
                W::plain(out, |out| out.extend_from_slice(text.as_bytes()));
            }
            (Self::Json(form), cell) => {
                let document = document(*form, cell)?;
                W::document(out, |out| document.write(out));
            }
            (
                Self::Decimal {
                    precision,
                    scale,
                    form,
                },
                cell,
            ) => {
                let units = units(*precision, *scale, *form, cell)?;
                W::plain(out, |out| number::write_units(units, *scale, out));
            }
            (Self::Date, cell) => {
                let date = moment::date(bytes_of_text(cell)).ok_or(DATE)?;
                W::plain(out, |out| out.extend_from_slice(date));
            }
            (Self::Time(fraction), cell) => {
                let clock = moment::clock(bytes_of_text(cell), *fraction).ok_or(TIME)?;
                W::plain(out, |out| clock.write(out));
            }
            (Self::Timestamp(fraction), cell) => {
                let (date, clock) = moment::timestamp(bytes_of_text(cell), *fraction).ok_or(TIMESTAMP)?;
                W::plain(out, |out| {
                    out.extend_from_slice(date);
                    out.push(b'T');
                    clock.write(out);
                    out.push(b'Z');
                });
            }
            (Self::Bytes, cell) => {
                let text = STANDARD.encode(blob(cell)?);
                W::plain(out, |out| out.extend_from_slice(text.as_bytes()));
            }
            (Self::Keys(of), cell) => {
                let mut array = vec![b'['];
                for (place, key) in keys(cell)?.iter().enumerate() {
                    if place > 0 {
                        array.push(b',');
                    }
                    of.write_json(key.as_ref(), &mut array)?;
                }
                array.push(b']');
                W::document(out, |out| out.extend_from_slice(&array));
            }
        }
        Ok(())
    }

    /// What a cell means.
    pub fn decode(&self, cell: CellRef<'_>) -> Result<Value, Unfit> {
        Ok(match (self, cell) {
            (_, CellRef::Null) => Value::Null,
            (Self::Text, cell) => Value::Text(text(cell)?.to_owned()),
            // Some applications keep their hashes as bytes.
            (Self::Password, CellRef::Blob(hash)) => Value::Text(text(CellRef::Text(hash))?.to_owned()),
            (Self::Password, cell) => Value::Text(text(cell)?.to_owned()),
            (Self::Enum(words), cell) => Value::Text(word(words, cell)?.to_owned()),
            (Self::Integer, cell) => Value::Integer(integer32(cell)?),
            (Self::Bigint, cell) => Value::Integer(integer(cell)?),
            (Self::Float, cell) => Value::Float(Float::new(real(cell)?).ok_or(FLOAT)?),
            (Self::Boolean, cell) => Value::Boolean(boolean(cell)?),
            (
                Self::Decimal {
                    precision,
                    scale,
                    form,
                },
                cell,
            ) => Value::Decimal(Decimal {
                units: units(*precision, *scale, *form, cell)?,
                scale: *scale,
            }),
            (Self::Date, cell) => Value::Date(moment::decode_date(bytes_of_text(cell)).ok_or(DATE)?),
            (Self::Time(fraction), cell) => {
                Value::Time(moment::decode_time(bytes_of_text(cell), *fraction).ok_or(TIME)?)
            }
            (Self::Timestamp(fraction), cell) => {
                Value::Timestamp(moment::decode_timestamp(bytes_of_text(cell), *fraction).ok_or(TIMESTAMP)?)
            }
            (Self::Uuid(form), cell) => Value::Uuid(uuid(*form, cell)?),
            (Self::Json(form), cell) => {
                let mut out = Vec::new();
                document(*form, cell)?.write(&mut out);
                Value::Json(String::from_utf8(out).map_err(|_| JSON)?)
            }
            (Self::Bytes, cell) => Value::Bytes(blob(cell)?.to_vec()),
            (Self::Keys(of), cell) => {
                let keys = keys(cell)?;
                let keys = keys.iter().map(|key| of.decode(key.as_ref()));
                Value::of_keys(keys.collect::<Result<_, _>>()?)
            }
        })
    }

    /// The stored form of a value, for writing it and for comparing the column with it. A number takes the column's
    /// form whichever kind of number it is, so that a rule may compare a decimal with `10`.
    pub fn encode(&self, value: &Value) -> Cell {
        match (self, value) {
            (Self::Decimal { scale, form, .. }, Value::Decimal(decimal)) => {
                encode_decimal(*decimal, *scale, *form)
            }
            (Self::Decimal { scale, form, .. }, Value::Integer(integer)) => {
                let decimal = Decimal {
                    units: i128::from(*integer),
                    scale: 0,
                };
                encode_decimal(decimal, *scale, *form)
            }
            #[expect(clippy::cast_precision_loss, reason = "the column holds doubles")]
            (Self::Float, Value::Integer(integer)) => Cell::Real(*integer as f64),
            (_, Value::Null) => Cell::Null,
            (_, Value::Boolean(flag)) => Cell::Integer(i64::from(*flag)),
            (_, Value::Integer(integer)) => Cell::Integer(*integer),
            (_, Value::Float(float)) => Cell::Real(float.get()),
            (_, Value::Decimal(decimal)) => Cell::Real(number::nearest_real(*decimal)),
            (_, Value::Text(text)) => Cell::Text(text.clone()),
            (_, Value::Timestamp(moment)) => Cell::Text(moment::encode_timestamp(*moment)),
            (_, Value::Date(date)) => Cell::Text(moment::encode_date(*date)),
            (_, Value::Time(time)) => Cell::Text(moment::encode_time(*time)),
            (Self::Uuid(UuidForm::Simple), Value::Uuid(uuid)) => Cell::Text(uuid.simple().to_string()),
            (Self::Uuid(UuidForm::Bytes), Value::Uuid(uuid)) => Cell::Blob(uuid.as_bytes().to_vec()),
            (_, Value::Uuid(uuid)) => Cell::Text(uuid.hyphenated().to_string()),
            (Self::Json(JsonForm::Python), Value::Json(text)) => {
                Cell::Text(json_text::copied(text, Spacing::Python))
            }
            (_, Value::Json(text)) => Cell::Text(text.clone()),
            (_, Value::Bytes(bytes)) => Cell::Blob(bytes.clone()),
        }
    }
}

const TEXT: Unfit = Unfit {
    expected: "text in UTF-8",
};
const INTEGER: Unfit = Unfit {
    expected: "an integer",
};
const INTEGER_32: Unfit = Unfit {
    expected: "an integer of 32 bits",
};
const FLOAT: Unfit = Unfit {
    expected: "a finite number",
};
const DECIMAL: Unfit = Unfit {
    expected: "a decimal of the field's precision",
};
const BOOLEAN: Unfit = Unfit { expected: "0 or 1" };
const DATE: Unfit = Unfit {
    expected: "a date as YYYY-MM-DD",
};
const TIME: Unfit = Unfit {
    expected: "a time as HH:MM:SS.ffffff",
};
const TIMESTAMP: Unfit = Unfit {
    expected: "a moment as YYYY-MM-DD HH:MM:SS.ffffff",
};
const UUID: Unfit = Unfit { expected: "a UUID" };
const JSON: Unfit = Unfit {
    expected: "a JSON document",
};
const BYTES: Unfit = Unfit { expected: "bytes" };
const KEYS: Unfit = Unfit {
    expected: "a JSON array of keys",
};
const WORD: Unfit = Unfit {
    expected: "one of the field's values",
};

fn decimal_form(declared: Option<&str>) -> DecimalForm {
    match declared.map(Affinity::of) {
        None => DecimalForm::Scaled,
        Some(Affinity::Text) => DecimalForm::Text,
        Some(_) => DecimalForm::Number,
    }
}

fn uuid_form(declared: Option<&str>) -> UuidForm {
    let Some(declared) = declared else {
        return UuidForm::Ours;
    };
    let upper = declared.to_ascii_uppercase();
    if upper.contains("BLOB") || upper.contains("BINARY") {
        UuidForm::Bytes
    } else if upper.contains("32") {
        UuidForm::Simple
    } else {
        UuidForm::Hyphenated
    }
}

fn text(cell: CellRef<'_>) -> Read<&str> {
    match cell {
        CellRef::Text(text) => std::str::from_utf8(text).map_err(|_| TEXT),
        _ => Err(TEXT),
    }
}

/// What the columns of keys hold that stand in a JSON array.
fn keys(cell: CellRef<'_>) -> Read<Vec<Cell>> {
    let array: Vec<serde_json::Value> = serde_json::from_str(text(cell)?).map_err(|_| KEYS)?;
    let key = |key| match key {
        serde_json::Value::String(text) => Ok(Cell::Text(text)),
        serde_json::Value::Number(number) => number.as_i64().map(Cell::Integer).ok_or(KEYS),
        _ => Err(KEYS),
    };
    array.into_iter().map(key).collect()
}

/// The bytes of a text; of anything else none, which fits no type that asks for this.
fn bytes_of_text(cell: CellRef<'_>) -> &[u8] {
    match cell {
        CellRef::Text(text) => text,
        _ => b"",
    }
}

fn integer(cell: CellRef<'_>) -> Read<i64> {
    match cell {
        CellRef::Integer(value) => Ok(value),
        _ => Err(INTEGER),
    }
}

fn integer32(cell: CellRef<'_>) -> Read<i64> {
    let value = integer(cell).map_err(|_| INTEGER_32)?;
    i32::try_from(value).map(i64::from).map_err(|_| INTEGER_32)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a column of numeric affinity keeps 2.0 as 2"
)]
fn real(cell: CellRef<'_>) -> Read<f64> {
    match cell {
        CellRef::Real(value) if value.is_finite() => Ok(value),
        CellRef::Integer(value) => Ok(value as f64),
        _ => Err(FLOAT),
    }
}

fn boolean(cell: CellRef<'_>) -> Read<bool> {
    match cell {
        CellRef::Integer(0) => Ok(false),
        CellRef::Integer(1) => Ok(true),
        _ => Err(BOOLEAN),
    }
}

fn blob(cell: CellRef<'_>) -> Read<&[u8]> {
    match cell {
        CellRef::Blob(bytes) => Ok(bytes),
        _ => Err(BYTES),
    }
}

fn word<'a>(words: &[String], cell: CellRef<'a>) -> Read<&'a str> {
    let word = text(cell).map_err(|_| WORD)?;
    words
        .iter()
        .any(|known| known == word)
        .then_some(word)
        .ok_or(WORD)
}

fn units(precision: u8, scale: u8, form: DecimalForm, cell: CellRef<'_>) -> Read<i128> {
    let units = match (form, cell) {
        (DecimalForm::Scaled, CellRef::Integer(units)) => Some(i128::from(units)),
        (DecimalForm::Scaled, _) => None,
        (_, CellRef::Integer(value)) => number::units_of_integer(value, scale),
        (_, CellRef::Real(value)) => number::units_of_real(value, scale),
        (_, cell) => text(cell)
            .ok()
            .and_then(Decimal::parse)
            .and_then(|decimal| decimal.rescale(scale))
            .map(|decimal| decimal.units),
    };
    units
        .filter(|units| units.unsigned_abs() < number::ten_to(precision))
        .ok_or(DECIMAL)
}

fn encode_decimal(value: Decimal, scale: u8, form: DecimalForm) -> Cell {
    let exact = value.rescale(scale);
    match form {
        DecimalForm::Scaled => match exact.and_then(|decimal| i64::try_from(decimal.units).ok()) {
            Some(units) => Cell::Integer(units),
            // Only a comparison meets this: a number between two that the column can hold, or beyond all of them.
            None => Cell::Real(number::nearest_real(value) * 10f64.powi(i32::from(scale))),
        },
        DecimalForm::Number => Cell::Real(number::nearest_real(value)),
        DecimalForm::Text => Cell::Text(exact.unwrap_or(value).to_string()),
    }
}

fn uuid(form: UuidForm, cell: CellRef<'_>) -> Read<Uuid> {
    match (form, cell) {
        (UuidForm::Ours, CellRef::Text(text)) if !is_hyphenated(text) => Err(UUID),
        (_, CellRef::Text(text)) => Uuid::try_parse_ascii(text).map_err(|_| UUID),
        (UuidForm::Ours, _) => Err(UUID),
        (_, CellRef::Blob(bytes)) => Uuid::from_slice(bytes).map_err(|_| UUID),
        _ => Err(UUID),
    }
}

fn is_hyphenated(text: &[u8]) -> bool {
    text.len() == 36 && !text.iter().any(u8::is_ascii_uppercase)
}

/// A document as it is kept.
enum Document<'a> {
    Text(&'a str),
    Integer(i64),
    Real(f64),
}

impl Document<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => json_text::copy(text, Spacing::Compact, out),
            Self::Integer(value) => number::write_integer(*value, out),
            Self::Real(value) => number::write_real(*value, out),
        }
    }
}

fn document(form: JsonForm, cell: CellRef<'_>) -> Read<Document<'_>> {
    match (form, cell) {
        (JsonForm::Python, CellRef::Integer(value)) => Ok(Document::Integer(value)),
        (JsonForm::Python, CellRef::Real(value)) if value.is_finite() => Ok(Document::Real(value)),
        (_, cell) => {
            let text = text(cell).map_err(|_| JSON)?;
            json_text::is_json(text)
                .then_some(Document::Text(text))
                .ok_or(JSON)
        }
    }
}
