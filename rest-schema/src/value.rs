//! Values of fields: literals of the schema, bodies of requests, parameters of statements.
//!
//! A [`Value`] is what is meant, not how a database keeps it; the stored forms are the runtime's business.

use std::fmt;

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
    /// Reads `-12.30`; no exponent, no spaces, at least one digit on each side of a point, at most 38 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let scale = if digits.contains('.') { fraction.len() } else { 0 };
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || whole.len() + scale > 38 {
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
    use super::Decimal;

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
}
