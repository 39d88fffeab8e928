//! One reading of text per type: for literals of the schema, parameters and members of bodies alike.
//!
//! What a text means is decided here and nowhere else, so that `?score=1`, `"score": 1` and `default: 1` can't
//! differ. Length, range and pattern are the field's rules, not the type's, and are checked by who knows the field.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::{Decimal, Float, Value, keys};
use crate::types::FieldType;

macro_rules! codes {
    ($($name:ident $word:literal $doc:literal;)*) => {
        /// Why a text isn't a value of a type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ValueCode {
            $(#[doc = $doc] $name),*
        }

        /// All codes with their words and meanings, in the order of the documentation.
        pub const VALUE_CODES: &[(ValueCode, &str, &str)] = &[$((ValueCode::$name, $word, $doc)),*];

        impl ValueCode {
            /// The word that programs read.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word),*
                }
            }
        }
    };
}

codes! {
    NotAnInteger "not-an-integer" "Not a whole number";
    NotANumber "not-a-number" "Not a number";
    NotADecimal "not-a-decimal" "Not a decimal number";
    NotABoolean "not-a-boolean" "Neither true nor false";
    NotADate "not-a-date" "Not a calendar date";
    NotATime "not-a-time" "Not a time of day";
    NotATimestamp "not-a-timestamp" "Not a moment with its offset (RFC 3339)";
    NotAUuid "not-a-uuid" "Not a UUID of 36 characters";
    NotJson "not-json" "Not a JSON text";
    NotBase64 "not-base64" "Not bytes in base64 with padding";
    NotOneOf "not-one-of" "Not one of the values there are";
    NotAnEmail "not-an-email" "Not an e-mail address";
    NotAUrl "not-a-url" "Not an absolute URI";
    NotASlug "not-a-slug" "Not lower-case words joined by single dashes";
    OutOfRange "out-of-range" "Beyond what the type can hold";
    TooPrecise "too-precise" "More digits after the point than are kept";
    TooDeep "too-deep" "JSON nested too deep";
    NulCharacter "nul-character" "The character U+0000, which no database keeps in text";
}

/// Why a text isn't a value of a type, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFault {
    /// For programs.
    pub code: ValueCode,
    /// For people: what would be right; lower case, no full stop.
    pub message: String,
    /// The value that was probably meant.
    pub nearest: Option<String>,
}

impl ValueFault {
    fn new(code: ValueCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            nearest: None,
        }
    }
}

impl fmt::Display for ValueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

type Parsed = Result<Value, ValueFault>;

/// How deep a JSON value may nest; what reads it later may be recursive.
const JSON_DEPTH: usize = 128;

impl FieldType {
    /// Reads a value of this type. There is no text for NULL: who calls knows where NULL may stand.
    pub fn parse_text(&self, text: &str) -> Parsed {
        if text.contains('\0') {
            return Err(ValueFault::new(
                ValueCode::NulCharacter,
                "the character U+0000 can't be kept",
            ));
        }
        match self {
            Self::String | Self::Text | Self::Password => Ok(Value::Text(text.to_owned())),
            Self::Integer => integer(text, i64::from(i32::MIN), i64::from(i32::MAX)),
            Self::Bigint => integer(text, i64::MIN, i64::MAX),
            Self::Float => float(text),
            Self::Decimal { precision, scale } => decimal(text, *precision, *scale),
            Self::Boolean => boolean(text),
            Self::Date => date(text),
            Self::Time => time(text),
            Self::Timestamp => timestamp(text),
            Self::Uuid => uuid(text),
            Self::Json => json(text),
            Self::Keys(of) => keys::read(text, of).map(Value::of_keys),
            Self::Bytes => bytes(text),
            Self::Enum(values) => word(text, values),
            Self::Email => checked(
                text,
                is_email,
                ValueCode::NotAnEmail,
                "an e-mail address, `susan@example.com`",
            ),
            Self::Url => checked(
                text,
                is_url,
                ValueCode::NotAUrl,
                "an absolute URI, `https://example.com/`",
            ),
            Self::Slug => {
                let right = "lower-case letters and digits in words joined by single dashes, `a-slug`";
                checked(text, is_slug, ValueCode::NotASlug, right)
            }
        }
    }
}

pub(super) fn expected(code: ValueCode, right: &str) -> ValueFault {
    ValueFault::new(code, format!("must be {right}"))
}

fn checked(text: &str, is_right: fn(&str) -> bool, code: ValueCode, right: &str) -> Parsed {
    if is_right(text) {
        Ok(Value::Text(text.to_owned()))
    } else {
        Err(expected(code, right))
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// JSON's whole numbers, so that one number has one spelling (and an item one address).
fn is_whole(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    digits(unsigned) && (unsigned == "0" || !unsigned.starts_with('0'))
}

fn integer(text: &str, min: i64, max: i64) -> Parsed {
    if !is_whole(text) {
        return Err(expected(ValueCode::NotAnInteger, "a whole number"));
    }
    match text.parse() {
        Ok(value) if (min..=max).contains(&value) => Ok(Value::Integer(value)),
        _ => Err(expected(
            ValueCode::OutOfRange,
            &format!("a whole number from {min} to {max}"),
        )),
    }
}

/// JSON's numbers: `inf`, `nan`, hexadecimal, `.5` and `5.` are none.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent_is_right =
        exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    let mantissa_is_right = match mantissa.split_once('.') {
        Some((whole, fraction)) => is_whole(whole) && digits(fraction),
        None => is_whole(mantissa),
    };
    mantissa_is_right && exponent_is_right
}

fn float(text: &str) -> Parsed {
    if !is_number(text) {
        return Err(expected(ValueCode::NotANumber, "a number"));
    }
    let value = text.parse().ok().and_then(Float::new);
    value
        .map(Value::Float)
        .ok_or_else(|| ValueFault::new(ValueCode::OutOfRange, "must be a number that a double can hold"))
}

fn decimal(text: &str, precision: u8, scale: u8) -> Parsed {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    if !is_whole(whole) || !digits(fraction) {
        return Err(expected(ValueCode::NotADecimal, "a decimal number, `12.50`"));
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(scale) {
        return Err(ValueFault::new(
            ValueCode::TooPrecise,
            format!("must have at most {scale} digits after the point"),
        ));
    }
    let point = if fraction.is_empty() { "" } else { "." };
    Decimal::parse(&format!("{whole}{point}{fraction}"))
        .and_then(|value| value.rescale(scale))
        .filter(|value| value.precision() <= u32::from(precision))
        .map(Value::Decimal)
        .ok_or_else(|| {
            ValueFault::new(
                ValueCode::OutOfRange,
                format!(
                    "must have at most {} digits before the point",
                    precision.saturating_sub(scale)
                ),
            )
        })
}

fn boolean(text: &str) -> Parsed {
    match text {
        "true" => Ok(Value::Boolean(true)),
        "false" => Ok(Value::Boolean(false)),
        _ => Err(expected(ValueCode::NotABoolean, "`true` or `false`")),
    }
}

/// Whether `text` is digits and marks exactly as in `shape`, where `0` stands for any digit.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                mark => byte == mark,
            })
}

fn date(text: &str) -> Parsed {
    let fault = || expected(ValueCode::NotADate, "a calendar date, `2026-01-31`");
    if !has_shape(text, "0000-00-00") {
        return Err(fault());
    }
    text.parse::<Date>().map(Value::Date).map_err(|_| fault())
}

/// `HH:MM:SS` with up to six digits after a point; without seconds too, as HTML's `type=time` sends it.
fn time_of_day(text: &str, seconds_optional: bool) -> Result<Option<Time>, ValueFault> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let short = seconds_optional && fraction.is_none() && has_shape(clock, "00:00");
    if !short && !has_shape(clock, "00:00:00") || fraction.is_some_and(|fraction| !digits(fraction)) {
        return Ok(None);
    }
    if fraction.is_some_and(|fraction| fraction.len() > 6) {
        return Err(ValueFault::new(
            ValueCode::TooPrecise,
            "must have at most 6 digits after the point of the seconds",
        ));
    }
    Ok(text.parse().ok())
}

fn time(text: &str) -> Parsed {
    match time_of_day(text, true)? {
        Some(time) => Ok(Value::Time(time)),
        None => Err(expected(ValueCode::NotATime, "a time of day, `13:30:00`")),
    }
}

fn timestamp(text: &str) -> Parsed {
    let fault = || {
        let right = "a moment with its offset (RFC 3339), `2026-01-31T13:30:00Z`";
        expected(ValueCode::NotATimestamp, right)
    };
    let (day, rest) = text.split_at_checked(10).ok_or_else(fault)?;
    let clock = rest.strip_prefix(['T', 't', ' ']).ok_or_else(fault)?;
    let (clock, offset) = clock.split_at(clock.find(['Z', 'z', '+', '-']).ok_or_else(fault)?);
    let offset_seconds = offset_seconds(offset).ok_or_else(fault)?;
    let Value::Date(day) = date(day).map_err(|_| fault())? else {
        return Err(fault());
    };
    let time = time_of_day(clock, false)?.ok_or_else(fault)?;
    let offset = jiff::tz::Offset::from_seconds(offset_seconds).map_err(|_| fault())?;
    match offset.to_timestamp(day.to_datetime(time)) {
        Ok(moment) if is_writable(moment) => Ok(Value::Timestamp(moment)),
        _ => Err(expected(
            ValueCode::OutOfRange,
            "a moment in the years 0000 to 9999, in UTC",
        )),
    }
}

/// RFC 3339 has no years before 0000, and an offset may lead there.
fn is_writable(moment: Timestamp) -> bool {
    jiff::tz::Offset::UTC.to_datetime(moment).year() >= 0
}

fn offset_seconds(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let clock = text.get(1..).filter(|clock| has_shape(clock, "00:00"))?;
    let (hours, minutes): (i32, i32) = (clock.get(..2)?.parse().ok()?, clock.get(3..)?.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn uuid(text: &str) -> Parsed {
    // The crate reads braces, URNs and bare digits too; one UUID has one spelling here, but for its case.
    let hyphenated = text.len() == 36;
    match uuid::Uuid::try_parse(text) {
        Ok(value) if hyphenated => Ok(Value::Uuid(value)),
        _ => Err(expected(
            ValueCode::NotAUuid,
            "a UUID, `0197f4a1-6c3b-7d52-9a3e-5b1f0c2d4e6f`",
        )),
    }
}

fn bytes(text: &str) -> Parsed {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map(Value::Bytes)
        .map_err(|_| expected(ValueCode::NotBase64, "bytes in base64 with padding"))
}

fn word(text: &str, values: &[String]) -> Parsed {
    if values.iter().any(|value| value == text) {
        return Ok(Value::Text(text.to_owned()));
    }
    let list: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    let mut fault = expected(ValueCode::NotOneOf, &format!("one of {}", list.join(", ")));
    fault.nearest = crate::diagnostic::nearest(text, values);
    Err(fault)
}

/// JSON's own text without the space between its tokens: digits and the order of members stay as they came.
fn json(text: &str) -> Parsed {
    let valid = serde_json::from_str::<&serde_json::value::RawValue>(text);
    if valid.is_err() {
        return Err(expected(ValueCode::NotJson, "a JSON text"));
    }
    compact(text).map(Value::Json)
}

fn compact(valid: &str) -> Result<String, ValueFault> {
    let mut out = String::with_capacity(valid.len());
    let (mut quoted, mut depth) = (false, 0usize);
    let mut characters = valid.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' => {
                if valid[place..].starts_with("\\u0000") {
                    return Err(ValueFault::new(
                        ValueCode::NulCharacter,
                        "the character U+0000 can't be kept",
                    ));
                }
                out.push(character);
                // In valid JSON a backslash stands in a string and something follows it.
                if let Some((_, escaped)) = characters.next() {
                    out.push(escaped);
                }
                continue;
            }
            ' ' | '\n' | '\r' | '\t' if !quoted => continue,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth > JSON_DEPTH {
            return Err(ValueFault::new(
                ValueCode::TooDeep,
                format!("must not nest deeper than {JSON_DEPTH} levels"),
            ));
        }
        out.push(character);
    }
    Ok(out)
}

/// HTML's pattern for `type=email`.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !local.is_empty() && local.bytes().all(is_local) && domain.split('.').all(is_host_label)
}

fn is_host_label(label: &str) -> bool {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(right)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// RFC 3986: a scheme, a colon, and only characters that a URI may hold.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme_is_right = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    scheme_is_right && !rest.is_empty() && has_uri_characters(rest) && (!web || has_host(rest))
}

/// RFC 9110, 4.2.1: the web's addresses name a host.
fn has_host(rest: &str) -> bool {
    rest.strip_prefix("//")
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']))
}

fn has_uri_characters(text: &str) -> bool {
    let mut parts = text.split('%');
    let plain = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte))
    };
    let escaped = |part: &str| {
        part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()) && plain(part)
    };
    parts.next().is_some_and(plain) && parts.all(escaped)
}

fn is_slug(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::TYPES;

    fn read(ty: &FieldType, text: &str) -> Result<String, &'static str> {
        ty.parse_text(text)
            .map(|value| value.to_wire())
            .map_err(|fault| fault.code.word())
    }

    fn all_types() -> Vec<FieldType> {
        use FieldType::*;
        let decimal = Decimal {
            precision: 8,
            scale: 2,
        };
        let words = Enum(vec!["draft".to_owned(), "published".to_owned()]);
        vec![
            String, Text, Integer, Bigint, Float, decimal, Boolean, Date, Time, Timestamp, Uuid, Json, Bytes,
            words, Email, Url, Slug, Password,
        ]
    }

    #[test]
    fn every_type_finds_its_own_row() {
        let names: Vec<&str> = all_types().iter().map(FieldType::name).collect();
        let rows: Vec<&str> = TYPES.iter().map(|row| row.name).collect();
        assert_eq!(names, rows);
    }

    #[test]
    fn whole_numbers_have_one_spelling_and_a_range() {
        let (integer, bigint) = (FieldType::Integer, FieldType::Bigint);
        for text in ["0", "-1", "2147483647", "-2147483648"] {
            assert_eq!(read(&integer, text).as_deref(), Ok(text));
        }
        for text in ["", "-", "+1", "01", "1.0", "1e3", " 1", "0x1", "\u{661}"] {
            assert_eq!(read(&integer, text), Err("not-an-integer"), "{text}");
        }
        assert_eq!(read(&integer, "2147483648"), Err("out-of-range"));
        assert_eq!(
            read(&bigint, "-9223372036854775808").as_deref(),
            Ok("-9223372036854775808")
        );
        assert_eq!(read(&bigint, "9223372036854775808"), Err("out-of-range"));
    }

    #[test]
    fn floats_are_finite_and_written_as_json() {
        let float = FieldType::Float;
        for (text, wire) in [
            ("1", "1.0"),
            ("-0", "0.0"),
            ("1e3", "1000.0"),
            ("0.1", "0.1"),
            ("1E-7", "1e-7"),
        ] {
            assert_eq!(read(&float, text).as_deref(), Ok(wire));
        }
        for text in ["nan", "inf", ".5", "5.", "1e", "1e+", "0x1p3", ""] {
            assert_eq!(read(&float, text), Err("not-a-number"), "{text}");
        }
        assert_eq!(read(&float, "1e999"), Err("out-of-range"));
    }

    #[test]
    fn decimals_take_their_scale_and_lose_no_digit() {
        let decimal = FieldType::Decimal {
            precision: 5,
            scale: 2,
        };
        for (text, wire) in [
            ("1", "1.00"),
            ("-0.5", "-0.50"),
            ("1.200", "1.20"),
            ("999.99", "999.99"),
            ("-0", "0.00"),
        ] {
            assert_eq!(read(&decimal, text).as_deref(), Ok(wire));
        }
        assert_eq!(read(&decimal, "1.001"), Err("too-precise"));
        assert_eq!(read(&decimal, "1000"), Err("out-of-range"));
        assert_eq!(read(&decimal, &"9".repeat(99)), Err("out-of-range"));
        for text in ["", ".5", "5.", "1e2", "1,5", "1.2.3"] {
            assert_eq!(read(&decimal, text), Err("not-a-decimal"), "{text}");
        }
        let widest = FieldType::Decimal {
            precision: 38,
            scale: 38,
        };
        assert_eq!(
            read(&widest, &format!("0.{}", "9".repeat(38))),
            Ok(format!("0.{}", "9".repeat(38)))
        );
        assert_eq!(read(&widest, "1"), Err("out-of-range"));
    }

    #[test]
    fn moments_have_an_offset_and_come_back_in_utc() {
        let moment = FieldType::Timestamp;
        for (text, wire) in [
            ("2026-01-31T13:30:00Z", "2026-01-31T13:30:00Z"),
            ("2026-01-31t13:30:00.120000z", "2026-01-31T13:30:00.12Z"),
            ("2026-01-31 15:30:00+02:00", "2026-01-31T13:30:00Z"),
            ("2025-12-31T23:30:00.000001-01:30", "2026-01-01T01:00:00.000001Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("9999-12-30T21:59:59.999999Z", "9999-12-30T21:59:59.999999Z"),
        ] {
            assert_eq!(read(&moment, text).as_deref(), Ok(wire));
        }
        for text in [
            "2026-01-31",
            "2026-01-31T13:30:00",
            "2026-01-31T13:30Z",
            "2026-02-30T13:30:00Z",
            "2026-01-31T25:30:00Z",
            "2026-01-31T13:30:00+0200",
            "2026-01-31T13:30:00+24:00",
            "2026-01-31T13:30:00Z[UTC]",
            "+002026-01-31T13:30:00Z",
            "2026-01-31T13:30:00,5Z",
            "2026-01-31T13:30:00.Z",
            "",
            "zwölf",
        ] {
            assert_eq!(read(&moment, text), Err("not-a-timestamp"), "{text}");
        }
        assert_eq!(read(&moment, "2026-01-31T13:30:00.1234567Z"), Err("too-precise"));
        assert_eq!(read(&moment, "0000-01-01T00:00:00+01:00"), Err("out-of-range"));
        assert_eq!(read(&moment, "9999-12-31T23:59:59-23:59"), Err("out-of-range"));
    }

    #[test]
    fn dates_and_times_are_iso() {
        assert_eq!(read(&FieldType::Date, "2024-02-29").as_deref(), Ok("2024-02-29"));
        for text in ["2026-02-29", "20260101", "2026-1-1", "2026-01-01T00:00:00Z", ""] {
            assert_eq!(read(&FieldType::Date, text), Err("not-a-date"), "{text}");
        }
        for (text, wire) in [("13:30", "13:30:00"), ("13:30:05.500", "13:30:05.5")] {
            assert_eq!(read(&FieldType::Time, text).as_deref(), Ok(wire));
        }
        for text in ["24:00:00", "13", "13:30.5", "1:30:00", "13:30:00Z", ""] {
            assert_eq!(read(&FieldType::Time, text), Err("not-a-time"), "{text}");
        }
        assert_eq!(read(&FieldType::Time, "13:30:00.0000001"), Err("too-precise"));
    }

    #[test]
    fn a_uuid_has_hyphens_and_becomes_lower_case() {
        let upper = "0197F4A1-6C3B-7D52-9A3E-5B1F0C2D4E6F";
        assert_eq!(read(&FieldType::Uuid, upper), Ok(upper.to_lowercase()));
        for text in [
            "0197f4a16c3b7d529a3e5b1f0c2d4e6f",
            "{0197f4a1-6c3b-7d52-9a3e-5b1f0c2d4e6f}",
            "",
        ] {
            assert_eq!(read(&FieldType::Uuid, text), Err("not-a-uuid"), "{text}");
        }
    }

    #[test]
    fn json_keeps_its_digits_and_its_order() {
        let json = FieldType::Json;
        let text = "{ \"b\" : [1.00, 12345678901234567890123], \"a b\\\"\": \" \" }";
        let wire = "{\"b\":[1.00,12345678901234567890123],\"a b\\\"\":\" \"}";
        assert_eq!(read(&json, text).as_deref(), Ok(wire));
        assert_eq!(read(&json, "{a: 1}"), Err("not-json"));
        assert_eq!(read(&json, "1 2"), Err("not-json"));
        assert_eq!(read(&json, "\"\\u0000\""), Err("nul-character"));
        assert_eq!(read(&json, "\"\\\\u0000\"").as_deref(), Ok("\"\\\\u0000\""));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&json, &nested(120)).is_ok());
        assert!(read(&json, &nested(100_000)).is_err());
    }

    #[test]
    fn texts_with_a_form_are_held_to_it() {
        for text in ["a@b", "susan.o'neil+x@mail.example.com"] {
            assert_eq!(read(&FieldType::Email, text).as_deref(), Ok(text));
        }
        for text in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@-b", "a@b..c", "ä@b.c"] {
            assert_eq!(read(&FieldType::Email, text), Err("not-an-email"), "{text}");
        }
        for text in [
            "https://example.com/a?b=%20#c",
            "mailto:a@b",
            "urn:isbn:1",
            "http://[::1]/",
        ] {
            assert_eq!(read(&FieldType::Url, text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "example.com",
            "/a",
            "https:",
            "http:a",
            "http://",
            "HTTPS:///a",
            "http://:80",
            "1a:b",
            "http://a b",
            "http://a/%2",
            "http://ä",
            "a:b%",
        ] {
            assert_eq!(read(&FieldType::Url, text), Err("not-a-url"), "{text}");
        }
        assert_eq!(read(&FieldType::Slug, "a-1-b").as_deref(), Ok("a-1-b"));
        for text in ["", "-", "a-", "a--b", "A", "a_b"] {
            assert_eq!(read(&FieldType::Slug, text), Err("not-a-slug"), "{text}");
        }
    }

    #[test]
    fn an_unknown_word_of_an_enum_names_the_nearest() {
        let status = FieldType::Enum(vec!["draft".to_owned(), "published".to_owned()]);
        let fault = status.parse_text("publishd");
        assert_eq!(
            fault,
            Err(ValueFault {
                code: ValueCode::NotOneOf,
                message: "must be one of `draft`, `published`".to_owned(),
                nearest: Some("published".to_owned()),
            })
        );
    }

    #[test]
    fn bytes_are_base64_and_text_has_no_nul() {
        assert_eq!(read(&FieldType::Bytes, "aGk=").as_deref(), Ok("aGk="));
        assert_eq!(read(&FieldType::Bytes, "aGk"), Err("not-base64"));
        for ty in all_types() {
            assert_eq!(read(&ty, "a\0b"), Err("nul-character"));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same_value(text in ".{0,40}", number in any::<i64>(), float in any::<f64>()) {
            let texts = [text, number.to_string(), float.to_string(), format!("{}.{:02}", number / 100, number.unsigned_abs() % 100)];
            for ty in all_types() {
                for text in &texts {
                    if let Ok(value) = ty.parse_text(text) {
                        prop_assert_eq!(ty.parse_text(&value.to_wire()), Ok(value));
                    }
                }
            }
        }

        #[test]
        fn a_moment_is_never_more_than_its_text(seconds in -62_167_219_200i64..253_402_207_200, micros in 0i32..1_000_000) {
            let moment = Timestamp::new(seconds, micros * 1000)?;
            let value = Value::Timestamp(moment);
            prop_assert_eq!(FieldType::Timestamp.parse_text(&value.to_wire()), Ok(value));
        }
    }
}
