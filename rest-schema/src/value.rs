//! Values of fields: literals of the schema, bodies of requests, parameters of statements.
//!
//! A [`Value`] is what is meant, not how a database keeps it; the stored forms are the runtime's business.

mod keys;
mod parse;

use std::cmp::Ordering;
use std::fmt;

pub use parse::{VALUE_CODES, ValueCode, ValueFault};

use jiff::Timestamp;
use jiff::civil::{Date, Time};

/// A value of some field type, or NULL. `Eq` and `Hash` are structural (floats by their bits).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// No value.
    Null,
    /// boolean
    Boolean(bool),
    /// integer, bigint
    Integer(i64),
    /// float, finite
    Float(Float),
    /// decimal
    Decimal(Decimal),
    /// string, text, enum, email, url, slug, password
    Text(String),
    /// timestamp, to the microsecond
    Timestamp(Timestamp),
    /// date
    Date(Date),
    /// time of day, to the microsecond
    Time(Time),
    /// uuid
    Uuid(uuid::Uuid),
    /// json, as compact text
    Json(String),
    /// bytes
    Bytes(Vec<u8>),
}

impl Value {
    /// The text that means this value in a query string, in JSON (without quotes) and in a schema; the inverse of
    /// [`FieldType::parse_text`](crate::FieldType::parse_text).
    pub fn to_wire(&self) -> String {
        self.to_string()
    }

    /// The order of two values of one type; `None` for NULL, values of two types, and types without an order.
    /// Text is ordered by code point.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => Some(one.cmp(other)),
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(other)),
            (Self::Float(one), Self::Float(other)) => one.get().partial_cmp(&other.get()),
            (Self::Decimal(one), Self::Decimal(other)) => Some(one.compare(*other)),
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            (Self::Timestamp(one), Self::Timestamp(other)) => Some(one.cmp(other)),
            (Self::Date(one), Self::Date(other)) => Some(one.cmp(other)),
            (Self::Time(one), Self::Time(other)) => Some(one.cmp(other)),
            (Self::Uuid(one), Self::Uuid(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// The canonical text; `null` for NULL.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Decimal(value) => value.fmt(f),
            Self::Text(text) | Self::Json(text) => f.write_str(text),
            Self::Timestamp(value) => value.fmt(f),
            Self::Date(value) => value.fmt(f),
            Self::Time(value) => value.fmt(f),
            Self::Uuid(value) => value.fmt(f),
            Self::Bytes(bytes) => {
                let alphabet = &base64::engine::general_purpose::STANDARD;
                base64::display::Base64Display::new(bytes, alphabet).fmt(f)
            }
        }
    }
}

/// A finite float that compares by its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Float(u64);

impl Float {
    /// `None` for NaN and the infinities, which neither JSON nor a comparison can hold. `-0` becomes `0`.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self((value + 0.0).to_bits()))
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// The shortest text that reads back as the same double, as JSON has it.
impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::Number::from_f64(self.get()) {
            Some(number) => number.fmt(f),
            None => self.get().fmt(f),
        }
    }
}

impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// An exact decimal: `units` × 10^-`scale`. Equal numbers of different scale differ as values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits, without the point.
    pub units: i128,
    /// Digits after the point, at most 38.
    pub scale: u8,
}

impl Decimal {
    /// Reads `-12.30`; no exponent, no spaces, at least one digit on each side of a point, at most 38 digits that count.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let scale = if digits.contains('.') { fraction.len() } else { 0 };
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || whole.trim_start_matches('0').len() + scale > 38 {
            return None;
        }
        let fraction = if scale == 0 { "" } else { fraction };
        let units: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some(Self {
            units: if negative { -units } else { units },
            scale: u8::try_from(scale).ok()?,
        })
    }

    /// The same number with `scale` digits after the point; `None` where digits would be lost or don't fit.
    pub fn rescale(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            let factor = 10i128.checked_pow(u32::from(scale - self.scale))?;
            return Some(Self {
                units: self.units.checked_mul(factor)?,
                scale,
            });
        }
        let factor = 10i128.checked_pow(u32::from(self.scale - scale))?;
        (self.units % factor == 0).then_some(Self {
            units: self.units / factor,
            scale,
        })
    }

    /// The order of the two numbers, whatever their scales.
    pub fn compare(self, other: Self) -> Ordering {
        // Whole and fraction apart: 38 digits leave no room to bring both to one scale.
        let scale = self.scale.max(other.scale);
        let (one, two) = (self.parts(scale), other.parts(scale));
        one.cmp(&two)
    }

    /// The floor, and what is above it, with `scale` digits; `scale` is not less than the number's own.
    fn parts(self, scale: u8) -> (i128, i128) {
        let own = 10i128.pow(u32::from(self.scale));
        let rest = self.units.rem_euclid(own);
        (
            self.units.div_euclid(own),
            rest * 10i128.pow(u32::from(scale - self.scale)),
        )
    }

    /// Digits before and after the point, without leading zeros.
    pub fn precision(self) -> u32 {
        self.units
            .unsigned_abs()
            .checked_ilog10()
            .map_or(1, |log| log + 1)
            .max(u32::from(self.scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let digits = self.units.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{Decimal, Value};

    #[test]
    fn decimals_keep_their_digits() {
        for text in [
            "0",
            "-1",
            "12.30",
            "0.05",
            "-0.001",
            "99999999999999999999999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            " 1",
            "+1",
            "1.2.3",
            "999999999999999999999999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_rescale_never_loses_a_digit() {
        let d = Decimal {
            units: 1230,
            scale: 2,
        };
        assert_eq!(d.rescale(1), Some(Decimal { units: 123, scale: 1 }));
        assert_eq!(d.rescale(0), None);
        assert_eq!(
            d.rescale(4),
            Some(Decimal {
                units: 123_000,
                scale: 4
            })
        );
    }

    #[test]
    fn decimals_compare_as_numbers_whatever_their_scale() {
        let ordered = [
            "-99999999999999999999999999999999999999",
            "-1.01",
            "-1",
            "-0.99",
            "0",
            "0.05",
            "0.5",
            "12.30",
            "12.31",
        ];
        let numbers: Vec<Decimal> = ordered.iter().filter_map(|text| Decimal::parse(text)).collect();
        for (one, left) in numbers.iter().enumerate() {
            for (two, right) in numbers.iter().enumerate() {
                assert_eq!(left.compare(*right), one.cmp(&two), "{left} {right}");
            }
        }
        let (short, long) = (Decimal::parse("12.3"), Decimal::parse("12.30000"));
        assert_eq!(short.zip(long).map(|(a, b)| a.compare(b)), Some(Ordering::Equal));
    }

    #[test]
    fn null_and_values_of_two_types_have_no_order() {
        assert_eq!(
            Value::Integer(1).compare(&Value::Integer(2)),
            Some(Ordering::Less)
        );
        assert_eq!(Value::Null.compare(&Value::Null), None);
        assert_eq!(Value::Integer(1).compare(&Value::Text("1".to_owned())), None);
    }
}
