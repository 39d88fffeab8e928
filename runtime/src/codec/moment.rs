//! Dates, times and moments as stored texts: `YYYY-MM-DD`, `HH:MM:SS.ffffff`, and both with a space between (UTC).
//!
//! Of fixed width, so that texts sort as moments do. Reading rearranges the text; nothing is converted.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Whether a stored time may leave its fraction out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// Always six digits: what we write.
    Always,
    /// Six digits or none: what SQLAlchemy and SQLite's `CURRENT_TIMESTAMP` write. Other numbers of digits mean
    /// different moments to different versions of SQLAlchemy, so they are read by nobody.
    Optional,
}

/// A stored time of day, taken apart.
pub(super) struct Clock<'a> {
    /// `HH:MM:SS`
    pub(super) seconds: &'a [u8],
    /// The digits after the point without trailing zeros.
    pub(super) fraction: &'a [u8],
}

/// Reads `YYYY-MM-DD`; the text itself is the answer.
pub(super) fn date(text: &[u8]) -> Option<&[u8]> {
    let [a, b, c, d, b'-', e, f, b'-', g, h] = *text else {
        return None;
    };
    let year = number([a, b])? * 100 + number([c, d])?;
    let month = number([e, f])?;
    let day = number([g, h])?;
    (1..=12).contains(&month).then_some(())?;
    (day >= 1 && day <= days(year, month)).then_some(text)
}

/// Reads `HH:MM:SS` and its fraction.
pub(super) fn clock(text: &[u8], allowed: Fraction) -> Option<Clock<'_>> {
    let (seconds, rest) = text.split_at_checked(8)?;
    let [a, b, b':', c, d, b':', e, f] = *seconds else {
        return None;
    };
    if number([a, b])? > 23 || number([c, d])? > 59 || number([e, f])? > 59 {
        return None;
    }
    let fraction = match (rest, allowed) {
        ([], Fraction::Optional) => rest,
        ([b'.', digits @ ..], _) if digits.len() == 6 && digits.iter().all(u8::is_ascii_digit) => digits,
        _ => return None,
    };
    let zeros = fraction.iter().rev().take_while(|&&digit| digit == b'0').count();
    Some(Clock {
        seconds,
        fraction: &fraction[..fraction.len() - zeros],
    })
}

/// Reads a date, a space and a time.
pub(super) fn timestamp(text: &[u8], allowed: Fraction) -> Option<(&[u8], Clock<'_>)> {
    let (day, rest) = text.split_at_checked(10)?;
    let [b' ', time @ ..] = rest else {
        return None;
    };
    Some((date(day)?, clock(time, allowed)?))
}

impl Clock<'_> {
    /// Writes it as ISO 8601 does, without trailing zeros.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.seconds);
        if !self.fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(self.fraction);
        }
    }

    fn time(&self) -> Option<Time> {
        let at = |place: usize| {
            let value = number([self.seconds[place], self.seconds[place + 1]])?;
            i8::try_from(value).ok()
        };
        let nanos = (0..9).fold(0, |sum, place| {
            let digit = self
                .fraction
                .get(place)
                .map_or(0, |digit| i32::from(digit - b'0'));
            sum * 10 + digit
        });
        Time::new(at(0)?, at(3)?, at(6)?, nanos).ok()
    }
}

/// A stored date as a value.
pub(super) fn decode_date(text: &[u8]) -> Option<Date> {
    let text = date(text)?;
    let at = |place: usize| number([text[place], text[place + 1]]);
    let year = i16::try_from(at(0)? * 100 + at(2)?).ok()?;
    Date::new(year, i8::try_from(at(5)?).ok()?, i8::try_from(at(8)?).ok()?).ok()
}

/// A stored time as a value.
pub(super) fn decode_time(text: &[u8], allowed: Fraction) -> Option<Time> {
    clock(text, allowed)?.time()
}

/// A stored moment as a value.
pub(super) fn decode_timestamp(text: &[u8], allowed: Fraction) -> Option<Timestamp> {
    let (day, clock) = timestamp(text, allowed)?;
    let moment = DateTime::from_parts(decode_date(day)?, clock.time()?);
    TimeZone::UTC.to_timestamp(moment).ok()
}

/// The stored form of a date.
pub(super) fn encode_date(date: Date) -> String {
    let mut out = String::with_capacity(10);
    push_date(date, &mut out);
    out
}

/// The stored form of a time.
pub(super) fn encode_time(time: Time) -> String {
    let mut out = String::with_capacity(15);
    push_time(time, &mut out);
    out
}

/// The stored form of a moment.
pub(super) fn encode_timestamp(moment: Timestamp) -> String {
    let civil = TimeZone::UTC.to_datetime(moment);
    let mut out = String::with_capacity(26);
    push_date(civil.date(), &mut out);
    out.push(' ');
    push_time(civil.time(), &mut out);
    out
}

fn push_date(date: Date, out: &mut String) {
    let year = u32::from(date.year().unsigned_abs());
    push_digits(year, 4, out);
    out.push('-');
    push_digits(u32::from(date.month().unsigned_abs()), 2, out);
    out.push('-');
    push_digits(u32::from(date.day().unsigned_abs()), 2, out);
}

fn push_time(time: Time, out: &mut String) {
    push_digits(u32::from(time.hour().unsigned_abs()), 2, out);
    out.push(':');
    push_digits(u32::from(time.minute().unsigned_abs()), 2, out);
    out.push(':');
    push_digits(u32::from(time.second().unsigned_abs()), 2, out);
    out.push('.');
    push_digits(time.subsec_nanosecond().unsigned_abs() / 1_000, 6, out);
}

fn push_digits(value: u32, width: u32, out: &mut String) {
    for place in (0..width).rev() {
        let digit = value / 10u32.pow(place) % 10;
        out.extend(char::from_digit(digit, 10));
    }
}

fn number(digits: [u8; 2]) -> Option<u16> {
    let [tens, ones] = digits;
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
}

fn days(year: u16, month: u16) -> u16 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}
