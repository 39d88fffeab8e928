//! Values of a field: those that keep its rules, told apart by a number, and what is wrong with those that don't.

use jiff::civil::{date, time};
use jiff::{Span, Timestamp};
use rest_schema::types::Kind;
use rest_schema::value::{Decimal, Float};
use rest_schema::{Bounds, Field, FieldType, Value};

use super::pattern;

/// Characters of a password where the schema names no limit, as the service has it.
const LONGEST_PASSWORD: u64 = 1_024;

/// The day on which dated samples begin.
const DAY: jiff::civil::Date = date(2026, 1, 1);

/// A field with what its place in the resource adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'s> {
    pub(super) field: &'s Field,
    pub(super) is_key: bool,
}

impl<'s> Rules<'s> {
    /// The word that the service refuses a value of the right type for; `None`: it takes it.
    pub(super) fn fault(&self, value: &Value) -> Option<&'static str> {
        let (min, max) = self.lengths();
        let length = match value {
            Value::Text(text) => text.chars().count() as u64,
            Value::Bytes(bytes) => bytes.len() as u64,
            _ => min,
        };
        if length < min {
            return Some("too-short");
        }
        if length > max {
            return Some("too-long");
        }
        self.range_fault(value).or_else(|| self.pattern_fault(value))
    }

    fn range_fault(&self, value: &Value) -> Option<&'static str> {
        let Bounds { min, max } = self.field.range.as_ref()?;
        let is = |bound: &Option<Value>, side| {
            bound
                .as_ref()
                .is_some_and(|bound| value.compare(bound) == Some(side))
        };
        if is(min, std::cmp::Ordering::Less) {
            return Some("too-small");
        }
        is(max, std::cmp::Ordering::Greater).then_some("too-great")
    }

    fn pattern_fault(&self, value: &Value) -> Option<&'static str> {
        let (Some(pattern), Value::Text(text)) = (&self.field.pattern, value) else {
            return None;
        };
        (!pattern::matches(pattern, text)).then_some("bad-pattern")
    }

    /// The least and greatest length, with those that hold where the schema names none.
    pub(super) fn lengths(&self) -> (u64, u64) {
        let bounds = self.field.length.as_ref();
        let is_password = self.field.ty == FieldType::Password;
        let min = bounds.and_then(|bounds| bounds.min).unwrap_or(0);
        let max = bounds.and_then(|bounds| bounds.max);
        let most = if is_password { LONGEST_PASSWORD } else { u64::MAX };
        let least = u64::from(self.is_key || is_password);
        (min.max(least), max.unwrap_or(most))
    }

    /// A text read as the field's type, and within its rules.
    pub(super) fn sound(&self, text: &str) -> Option<Value> {
        let value = self.field.ty.parse_text(text).ok()?;
        self.fault(&value).is_none().then_some(value)
    }

    /// The `nth` sound value, from 1; two numbers give two values wherever there are enough of them.
    pub(super) fn nth(&self, nth: usize) -> Option<Value> {
        [nth, nth % 7, nth % 3, nth % 2, 1, 0]
            .into_iter()
            .find_map(|nth| self.distinct(nth))
    }

    fn distinct(&self, nth: usize) -> Option<Value> {
        if let FieldType::Enum(words) = &self.field.ty {
            let word = words.get(nth.saturating_sub(1) % words.len().max(1))?;
            return self.sound(word);
        }
        if self.field.ty.kind() == Kind::Text {
            let stems = ["-", "_", "", " "].map(|mark| self.text(nth, mark));
            let upper = stems[2].to_ascii_uppercase();
            let mut all = stems.into_iter().chain([upper]);
            let plain = all.find_map(|text| self.sound(&text));
            return plain.or_else(|| self.matching(nth));
        }
        let mut all = self.plain(nth).into_iter();
        all.find(|value| self.fault(value).is_none())
    }

    /// A text that the field's own pattern makes.
    fn matching(&self, nth: usize) -> Option<Value> {
        let mut texts = pattern::texts(self.field.pattern.as_deref()?, nth);
        texts.find_map(|text| self.sound(&text))
    }

    fn text(&self, nth: usize, mark: &str) -> String {
        let (min, max) = self.lengths();
        let mark = if self.field.ty.name() == "slug" { "-" } else { mark };
        let name = self.field.api_name.to_ascii_lowercase();
        let stem = name.replace(['_', '.'], mark);
        let (before, stem, after) = match self.field.ty {
            FieldType::Email => ("", stem, "@example.com"),
            FieldType::Url => ("https://example.com/", stem, ""),
            FieldType::Password => ("", "correct-horse".to_owned(), ""),
            _ => ("", stem, ""),
        };
        let fixed = (before.len() + after.len()) as u64;
        let (min, max) = (min.saturating_sub(fixed), max.saturating_sub(fixed));
        let full = format!("{stem}{mark}{nth}");
        format!("{before}{}{after}", fitting(&full, nth, min, max))
    }

    fn plain(&self, nth: usize) -> Vec<Value> {
        let step = i64::try_from(nth).unwrap_or(0);
        match self.field.ty.kind() {
            Kind::Integer => self.near(Value::Integer(step), nth),
            Kind::Float => {
                #[expect(clippy::cast_precision_loss, reason = "it is small")]
                let value = Float::new(nth as f64 * 1.5).map(Value::Float);
                value.map_or_else(Vec::new, |value| self.near(value, nth))
            }
            Kind::Decimal => self.near(Value::Decimal(self.decimal(step)), nth),
            Kind::Boolean => vec![Value::Boolean(nth.is_multiple_of(2))],
            Kind::Date => self.near(Value::Date(DAY.saturating_add(Span::new().days(step))), nth),
            Kind::Time => {
                let start = time(8, 0, 0, 0);
                self.near(Value::Time(start.wrapping_add(Span::new().minutes(step))), nth)
            }
            Kind::Timestamp => {
                let moment = DAY.saturating_add(Span::new().days(step)).at(8, 0, 0, 0);
                let moment = jiff::tz::Offset::UTC.to_timestamp(moment);
                moment.map_or_else(|_| Vec::new(), |at| self.near(Value::Timestamp(at), nth))
            }
            Kind::Uuid => vec![Value::Uuid(uuid::Uuid::from_u128(
                0x0000_0000_0000_4000_8000_0000_0000_0000 | nth as u128,
            ))],
            // There may be no items that they could be the keys of.
            Kind::Json if self.field.keys_of().is_some() => vec![Value::of_keys(Vec::new())],
            Kind::Json => vec![Value::Json(format!("{{\"n\":{nth}}}"))],
            Kind::Bytes => {
                let (min, max) = self.lengths();
                vec![Value::Bytes(
                    fitting(&format!("bytes-{nth}"), nth, min, max).into_bytes(),
                )]
            }
            Kind::Text => Vec::new(),
        }
    }

    fn decimal(&self, whole: i64) -> Decimal {
        let FieldType::Decimal { precision, scale } = self.field.ty else {
            return Decimal { units: 0, scale: 0 };
        };
        let unit = if precision > scale {
            10i128.pow(u32::from(scale))
        } else {
            1
        };
        let units = i128::from(whole) * unit;
        Decimal { units, scale }
    }

    /// The value itself, then values as far from the ends of the range.
    fn near(&self, value: Value, nth: usize) -> Vec<Value> {
        let mut all = vec![value];
        if let Some(bounds) = &self.field.range {
            let walk = |bound: &Option<Value>, up: bool| {
                let mut at = bound.clone()?;
                for _ in 0..nth {
                    at = next(&at, up)?;
                }
                Some(at)
            };
            all.extend(walk(&bounds.min, true));
            all.extend(walk(&bounds.max, false));
        }
        all
    }

    /// Sound values to try where a rule asks for one: of every kind that the field has, its bounds among them.
    pub(super) fn candidates(&self) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        match &self.field.ty {
            FieldType::Enum(values) => all.extend(values.iter().cloned().map(Value::Text)),
            FieldType::Boolean => all.extend([true, false].map(Value::Boolean)),
            _ => all.extend((1..=4).filter_map(|nth| self.nth(nth))),
        }
        if let Some(bounds) = &self.field.range {
            all.extend([&bounds.min, &bounds.max].into_iter().flatten().cloned());
        }
        let far = match self.field.ty.kind() {
            Kind::Timestamp => ["2001-01-01T00:00:00Z", "2901-01-01T00:00:00Z"],
            Kind::Date => ["2001-01-01", "2901-01-01"],
            Kind::Time => ["00:00:00", "23:59:00"],
            _ => ["0", "1000"],
        };
        if self.field.ty.kind() != Kind::Text {
            all.extend(far.into_iter().filter_map(|text| self.sound(text)));
        }
        let mut seen = Vec::new();
        for value in all {
            if self.fault(&value).is_none() && !seen.contains(&value) {
                seen.push(value);
            }
        }
        if self.field.optional {
            seen.push(Value::Null);
        }
        seen
    }
}

/// A text, or where it is too long its number, as long as it has to be.
fn fitting(text: &str, nth: usize, min: u64, max: u64) -> String {
    let width = usize::try_from(max).unwrap_or(usize::MAX);
    let mut text = if text.len() <= width {
        text.to_owned()
    } else {
        base36(nth)
    };
    let least = usize::try_from(min).unwrap_or(0);
    while text.len() < least {
        text.push('x');
    }
    text
}

fn base36(mut number: usize) -> String {
    let digits: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    let mut text = String::new();
    loop {
        text.insert(0, digits[number % digits.len()]);
        number /= digits.len();
        if number == 0 {
            return text;
        }
    }
}

/// The value one step above or below.
pub(super) fn next(value: &Value, up: bool) -> Option<Value> {
    let sign = if up { 1 } else { -1 };
    Some(match value {
        Value::Integer(integer) => Value::Integer(integer.checked_add(sign)?),
        Value::Float(float) => {
            #[expect(clippy::cast_precision_loss, reason = "it is one")]
            let step = sign as f64 / 64.0;
            Value::Float(Float::new(float.get() + step)?)
        }
        Value::Decimal(decimal) => Value::Decimal(Decimal {
            units: decimal.units + i128::from(sign),
            scale: decimal.scale,
        }),
        Value::Date(day) => Value::Date(day.checked_add(Span::new().days(sign)).ok()?),
        Value::Time(of_day) => Value::Time(of_day.checked_add(Span::new().minutes(sign)).ok()?),
        Value::Timestamp(moment) => Value::Timestamp(step_of(*moment, sign)?),
        Value::Text(text) if up => Value::Text(format!("{text}x")),
        _ => return None,
    })
}

fn step_of(moment: Timestamp, sign: i64) -> Option<Timestamp> {
    moment.checked_add(Span::new().hours(24 * sign)).ok()
}
