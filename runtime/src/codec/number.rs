//! Decimals as scaled integers, doubles and texts; numbers written without allocation.

use rest_schema::value::Decimal;

/// Where a decimal's digits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalForm {
    /// An integer: the number times 10^scale. Ours.
    Scaled,
    /// A number: integer or double, whatever the column's affinity made of it.
    Number,
    /// Its digits as text.
    Text,
}

/// 10^`power`, for powers up to 38.
pub(super) fn ten_to(power: u8) -> u128 {
    10u128.saturating_pow(u32::from(power))
}

/// The units, at `scale`, of an integer.
pub(super) fn units_of_integer(value: i64, scale: u8) -> Option<i128> {
    let factor = i128::try_from(ten_to(scale)).ok()?;
    i128::from(value).checked_mul(factor)
}

/// The units, at `scale`, of a double: its shortest decimal text, rounded half away from zero.
pub(super) fn units_of_real(value: f64, scale: u8) -> Option<i128> {
    if !value.is_finite() {
        return None;
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value.abs());
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole
        .bytes()
        .chain(fraction.bytes())
        .fold(0i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let shift = exponent - i32::try_from(fraction.len()).ok()? + i32::from(scale);
    let units = shifted(digits, shift)?;
    Some(if value < 0.0 { -units } else { units })
}

/// `digits` × 10^`shift`, rounded half up; `None` where it does not fit.
fn shifted(digits: i128, shift: i32) -> Option<i128> {
    let factor = 10i128.checked_pow(shift.unsigned_abs());
    match (factor, shift >= 0) {
        _ if digits == 0 => Some(0),
        (Some(factor), true) => digits.checked_mul(factor),
        (Some(factor), false) => Some((digits + factor / 2) / factor),
        (None, true) => None,
        (None, false) => Some(0),
    }
}

/// The double nearest to a decimal.
pub(super) fn nearest_real(value: Decimal) -> f64 {
    value.to_string().parse().unwrap_or(0.0)
}

/// Writes `units` × 10^-`scale` with exactly `scale` digits after the point.
pub(super) fn write_units(units: i128, scale: u8, out: &mut Vec<u8>) {
    const ZEROS: [u8; 40] = [b'0'; 40];
    let scale = usize::from(scale);
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(units.unsigned_abs()).as_bytes();
    if units < 0 {
        out.push(b'-');
    }
    if scale == 0 {
        out.extend_from_slice(digits);
        return;
    }
    let missing = (scale + 1).saturating_sub(digits.len()).min(ZEROS.len());
    out.extend_from_slice(&ZEROS[..missing]);
    out.extend_from_slice(digits);
    out.insert(out.len() - scale, b'.');
}

/// Writes an integer.
pub(super) fn write_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a finite double as JSON; `-0` as `0.0`.
pub(super) fn write_real(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(zmij::Buffer::new().format_finite(value + 0.0).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::{units_of_real, write_units};

    #[test]
    fn doubles_give_the_digits_that_people_see() {
        for (real, scale, units) in [
            (12.3, 2, 1230),
            (0.1 + 0.2, 2, 30),
            (0.125, 2, 13),
            (-0.125, 2, -13),
            (1e21, 0, 1_000_000_000_000_000_000_000),
            (1e-7, 2, 0),
            (5e-324, 6, 0),
            (12345.0, 3, 12_345_000),
        ] {
            assert_eq!(units_of_real(real, scale), Some(units), "{real} at {scale}");
        }
        assert_eq!(units_of_real(1e300, 2), None);
        assert_eq!(units_of_real(f64::INFINITY, 2), None);
    }

    #[test]
    fn units_are_written_with_their_scale() {
        for (units, scale, text) in [
            (0, 2, "0.00"),
            (-5, 2, "-0.05"),
            (1230, 2, "12.30"),
            (7, 0, "7"),
            (-100, 1, "-10.0"),
            (1, 38, "0.00000000000000000000000000000000000001"),
        ] {
            let mut out = b"x".to_vec();
            write_units(units, scale, &mut out);
            assert_eq!(String::from_utf8(out).expect("UTF-8"), format!("x{text}"));
        }
    }
}
