//! `numeric` as it travels: digits to the base of ten thousand.

/// A decimal that isn't finite; no codec reads it.
const NOT_FINITE: &[u8] = b"NaN";
const NEGATIVE: u16 = 0x4000;
const POSITIVE: u16 = 0x0000;
/// Decimal digits in one of PostgreSQL's.
const GROUP: usize = 4;

/// Writes what travelled as a decimal text with all digits of its scale; `None` for what is malformed.
pub(super) fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let word = |place: usize| Some(u16::from_be_bytes([*bytes.get(place)?, *bytes.get(place + 1)?]));
    let count = usize::from(word(0)?);
    let weight = word(2)?.cast_signed();
    let sign = word(4)?;
    let scale = usize::from(word(6)?);
    if sign != POSITIVE && sign != NEGATIVE {
        out.extend_from_slice(NOT_FINITE);
        return Some(());
    }
    let digit = |place: i32| match usize::try_from(place) {
        Ok(place) if place < count => word(8 + 2 * place),
        _ => Some(0),
    };
    if sign == NEGATIVE {
        out.push(b'-');
    }
    let whole = i32::from(weight) + 1;
    let start = out.len();
    for place in 0..whole {
        push_group(digit(place)?, out);
    }
    let zeros = out[start..].iter().take_while(|digit| **digit == b'0').count();
    out.drain(start..start + zeros);
    if out.len() == start {
        out.push(b'0');
    }
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + scale;
        let mut place = whole;
        while out.len() < end {
            push_group(digit(place)?, out);
            place += 1;
        }
        out.truncate(end);
    }
    Some(())
}

fn push_group(group: u16, out: &mut Vec<u8>) {
    for divisor in [1_000, 100, 10, 1] {
        // A digit is below ten.
        out.push(b'0' + u8::try_from(group / divisor % 10).unwrap_or(0));
    }
}

/// Writes a decimal text, `-12.50`, as it travels; `None` where it is none, or has more digits than `numeric` takes.
pub(super) fn write(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (NEGATIVE, rest),
        None => (POSITIVE, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if !is_number || whole.len() + fraction.len() > 16_000 {
        return None;
    }
    // Both parts filled up to whole groups, the point between two of them.
    let before = whole.len().next_multiple_of(GROUP) - whole.len();
    let after = fraction.len().next_multiple_of(GROUP) - fraction.len();
    let all = std::iter::repeat_n(b'0', before)
        .chain(whole.bytes())
        .chain(fraction.bytes())
        .chain(std::iter::repeat_n(b'0', after));
    let all: Vec<u8> = all.collect();
    let mut groups: Vec<u16> = all
        .chunks(GROUP)
        .map(|group| {
            group
                .iter()
                .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
        })
        .collect();
    let mut weight = i16::try_from((before + whole.len()) / GROUP).ok()? - 1;
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= i16::try_from(leading).ok()?;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    if groups.is_empty() {
        weight = 0;
    }
    let sign = if groups.is_empty() { POSITIVE } else { sign };
    out.extend_from_slice(&u16::try_from(groups.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&u16::try_from(fraction.len()).ok()?.to_be_bytes());
    for group in groups {
        out.extend_from_slice(&group.to_be_bytes());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{read, write};

    fn there_and_back(text: &str) -> String {
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        write(text, &mut bytes).expect("a decimal");
        read(&bytes, &mut back).expect("well formed");
        String::from_utf8(back).expect("digits")
    }

    #[test]
    fn digits_are_kept() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "12.50",
            "10000",
            "99999999.9999",
            "0.0001",
            "0.00010",
            "-0.5",
            "100000000000000000000000000000000000000.1",
        ] {
            assert_eq!(there_and_back(text), text);
        }
        assert_eq!(there_and_back("-0.00"), "0.00");
        assert_eq!(there_and_back("007"), "7");
    }

    #[test]
    fn what_is_no_number_is_not_written() {
        for text in ["", "-", ".5", "1e5", "NaN", "1.2.3", " 1"] {
            assert_eq!(write(text, &mut Vec::new()), None, "{text}");
        }
    }

    #[test]
    fn what_is_cut_short_is_not_read() {
        let mut bytes = Vec::new();
        write("12345.678", &mut bytes).expect("a decimal");
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length], &mut Vec::new()), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_decimal_comes_back(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?") {
            let back = there_and_back(&text);
            let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.' | b'-'));
            prop_assert_eq!(back, if is_zero { text.trim_start_matches('-').to_owned() } else { text });
        }
    }
}
