//! Values as they travel, in PostgreSQL's binary format, and the cells that they are here: those in which SQLite keeps
//! them, so that one set of codecs reads and writes both.

use std::error::Error;
use std::fmt;
use std::ops::Range;

use jiff::civil::Date;
use tokio_postgres::Row as DriverRow;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::{array, numeric};
use crate::cell::{Cell, CellRef};
use crate::storage::Refusal;
use crate::storage::connection::Row;

/// Days from the first of March of the year 0 to PostgreSQL's beginning, 2000-01-01.
const DAYS_TO_2000: i64 = 730_425;
const MICROS_OF_DAY: i64 = 86_400_000_000;

/// The bytes of a value, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What a row's values are, where it isn't in their bytes already. Used again for every row of a statement.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    cells: Vec<Kept>,
    text: Vec<u8>,
}

/// What a value is, and where.
#[derive(Debug)]
pub(super) enum Kept {
    Null,
    Integer(i64),
    Real(f64),
    /// The bytes that travelled, from this place on.
    Text(usize),
    Blob,
    Written(Range<usize>),
}

impl Scratch {
    /// Makes a row ready to be lent.
    pub(super) fn read(&mut self, row: &DriverRow) -> Result<(), Refusal> {
        self.cells.clear();
        self.text.clear();
        for (place, column) in row.columns().iter().enumerate() {
            let raw: Option<Raw<'_>> = row.try_get(place).map_err(super::error::refusal)?;
            let kept = match raw {
                None => Kept::Null,
                Some(Raw(bytes)) => kept(column.type_(), bytes, &mut self.text).unwrap_or(Kept::Blob),
            };
            self.cells.push(kept);
        }
        Ok(())
    }

    /// Lends the row that was made ready.
    pub(super) fn lend<'a>(&'a self, row: &'a DriverRow) -> Lent<'a> {
        Lent { row, scratch: self }
    }
}

/// A row of PostgreSQL's.
pub(super) struct Lent<'a> {
    row: &'a DriverRow,
    scratch: &'a Scratch,
}

impl Row for Lent<'_> {
    fn cell(&self, column: usize) -> Result<CellRef<'_>, Refusal> {
        let raw = || {
            let raw: Result<Option<Raw<'_>>, _> = self.row.try_get(column);
            raw.map(|raw| raw.map_or(&[][..], |raw| raw.0))
                .map_err(super::error::refusal)
        };
        Ok(match self.scratch.cells.get(column) {
            None => return Err(Refusal::Internal(format!("a row has no column {column}").into())),
            Some(Kept::Null) => CellRef::Null,
            Some(Kept::Integer(value)) => CellRef::Integer(*value),
            Some(Kept::Real(value)) => CellRef::Real(*value),
            Some(Kept::Text(from)) => CellRef::Text(raw()?.get(*from..).unwrap_or_default()),
            Some(Kept::Blob) => CellRef::Blob(raw()?),
            Some(Kept::Written(range)) => CellRef::Text(&self.scratch.text[range.clone()]),
        })
    }
}

/// `None` for what is malformed, or of a type that no codec reads.
pub(super) fn kept(of: &Type, bytes: &[u8], text: &mut Vec<u8>) -> Option<Kept> {
    let start = text.len();
    match of.kind() {
        Kind::Enum(_) => return Some(Kept::Text(0)),
        Kind::Domain(inner) => return kept(inner, bytes, text),
        Kind::Array(member) => {
            array::read(member, bytes, text)?;
            return Some(Kept::Written(start..text.len()));
        }
        _ => {}
    }
    match *of {
        Type::BOOL => return Some(Kept::Integer(i64::from(*bytes.first()? != 0))),
        Type::INT2 => return Some(Kept::Integer(i16::from_be_bytes(bytes.try_into().ok()?).into())),
        Type::INT4 => return Some(Kept::Integer(i32::from_be_bytes(bytes.try_into().ok()?).into())),
        Type::INT8 => return Some(Kept::Integer(i64::from_be_bytes(bytes.try_into().ok()?))),
        Type::FLOAT4 => {
            // The shortest text of a float is what people mean by it.
            let single = f32::from_be_bytes(bytes.try_into().ok()?);
            return Some(Kept::Real(
                single.to_string().parse().unwrap_or(f64::from(single)),
            ));
        }
        Type::FLOAT8 => return Some(Kept::Real(f64::from_be_bytes(bytes.try_into().ok()?))),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::UNKNOWN | Type::XML => {
            return Some(Kept::Text(0));
        }
        // A number of its version comes first.
        Type::JSONB => return Some(Kept::Text(1)),
        Type::BYTEA => return Some(Kept::Blob),
        Type::NUMERIC => numeric::read(bytes, text)?,
        Type::UUID => {
            let mut buffer = Uuid::encode_buffer();
            let uuid = Uuid::from_slice(bytes).ok()?;
            text.extend_from_slice(uuid.hyphenated().encode_lower(&mut buffer).as_bytes());
        }
        Type::DATE => push_date(i32::from_be_bytes(bytes.try_into().ok()?).into(), text),
        Type::TIME => push_time(i64::from_be_bytes(bytes.try_into().ok()?), text),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?);
            push_date(micros.div_euclid(MICROS_OF_DAY), text);
            text.push(b' ');
            push_time(micros.rem_euclid(MICROS_OF_DAY), text);
        }
        Type::INET | Type::CIDR => push_address(*of == Type::CIDR, bytes, text)?,
        _ if of.name() == "citext" => return Some(Kept::Text(0)),
        _ => return None,
    }
    Some(Kept::Written(start..text.len()))
}

/// Writes a day as `YYYY-MM-DD`; one that has no such form, as infinity has none, as what no codec reads.
fn push_date(days: i64, text: &mut Vec<u8>) {
    match date_of(days) {
        Some((year, month, day)) => {
            push_digits(year, 4, text);
            text.push(b'-');
            push_digits(month, 2, text);
            text.push(b'-');
            push_digits(day, 2, text);
        }
        None => text.extend_from_slice(b"infinity"),
    }
}

/// The civil date so many days after 2000-01-01; `None` beyond the years 1 to 9999.
fn date_of(days: i64) -> Option<(u64, u64, u64)> {
    // Counted from the first of March of the year 0, in eras of 400 years.
    let days = days.checked_add(DAYS_TO_2000)?;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let number = |value: i64| u64::try_from(value).ok();
    (1..=9_999)
        .contains(&year)
        .then_some((number(year)?, number(month)?, number(day)?))
}

fn push_time(micros: i64, text: &mut Vec<u8>) {
    let micros = u64::try_from(micros).unwrap_or(u64::MAX);
    let seconds = micros / 1_000_000;
    push_digits(seconds / 3_600, 2, text);
    text.push(b':');
    push_digits(seconds / 60 % 60, 2, text);
    text.push(b':');
    push_digits(seconds % 60, 2, text);
    text.push(b'.');
    push_digits(micros % 1_000_000, 6, text);
}

fn push_digits(value: u64, width: u32, text: &mut Vec<u8>) {
    for place in (0..width).rev() {
        // A digit is below ten.
        text.push(b'0' + u8::try_from(value / 10u64.pow(place) % 10).unwrap_or(0));
    }
}

/// Writes an address as PostgreSQL prints it: `10.0.0.1`, and with its network where that isn't the whole of it.
fn push_address(is_network: bool, bytes: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let (bits, address) = (*bytes.get(1)?, bytes.get(4..)?);
    let (shown, all) = if let Ok(octets) = <[u8; 4]>::try_from(address) {
        (std::net::Ipv4Addr::from(octets).to_string(), 32)
    } else {
        let octets = <[u8; 16]>::try_from(address).ok()?;
        (std::net::Ipv6Addr::from(octets).to_string(), 128)
    };
    text.extend_from_slice(shown.as_bytes());
    if bits != all || is_network {
        text.extend_from_slice(format!("/{bits}").as_bytes());
    }
    Some(())
}

/// A parameter: a cell, or one part of each of the keys of the level above.
pub(super) enum Param<'a> {
    Cell(Cell),
    Keys(&'a [Vec<Cell>], usize),
}

/// Values may be private.
impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let mut bytes = Vec::new();
        let written = match self {
            Self::Cell(cell) => write(cell, of, &mut bytes),
            Self::Keys(keys, part) => {
                let members = keys.iter().map(|key| key.get(*part).unwrap_or(&Cell::Null));
                array::write(members, of, &mut bytes)
            }
        };
        let is_null = written.map_err(|unfit| unfit.told(of))?;
        out.extend_from_slice(&bytes);
        Ok(is_null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A cell is not what a type holds.
pub(super) struct Unfit;

impl Unfit {
    fn told(self, of: &Type) -> Box<dyn Error + Sync + Send> {
        format!("a value has no form as {of}").into()
    }
}

pub(super) fn write(cell: &Cell, of: &Type, out: &mut Vec<u8>) -> Result<IsNull, Unfit> {
    match of.kind() {
        _ if *cell == Cell::Null => return Ok(IsNull::Yes),
        Kind::Domain(inner) => return write(cell, inner, out),
        Kind::Array(_) => {
            let Cell::Text(list) = cell else { return Err(Unfit) };
            let members = array::members(list)?;
            return array::write(members.iter(), of, out);
        }
        _ => {}
    }
    value(cell, of, out).ok_or(Unfit)?;
    Ok(IsNull::No)
}

fn value(cell: &Cell, of: &Type, out: &mut Vec<u8>) -> Option<()> {
    match (of, cell) {
        (&Type::BOOL, Cell::Integer(value)) => out.push(u8::from(*value != 0)),
        (&Type::INT2, Cell::Integer(value)) => {
            out.extend_from_slice(&i16::try_from(*value).ok()?.to_be_bytes());
        }
        (&Type::INT4, Cell::Integer(value)) => {
            out.extend_from_slice(&i32::try_from(*value).ok()?.to_be_bytes());
        }
        (&Type::INT8, Cell::Integer(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (&Type::INT8, Cell::Text(text)) => {
            out.extend_from_slice(&text.parse::<i64>().ok()?.to_be_bytes());
        }
        #[expect(clippy::cast_possible_truncation, reason = "the column holds singles")]
        (&Type::FLOAT4, Cell::Real(value)) => out.extend_from_slice(&(*value as f32).to_be_bytes()),
        #[expect(clippy::cast_precision_loss, reason = "the column holds singles")]
        (&Type::FLOAT4, Cell::Integer(value)) => out.extend_from_slice(&(*value as f32).to_be_bytes()),
        (&Type::FLOAT8, Cell::Real(value)) => out.extend_from_slice(&value.to_be_bytes()),
        #[expect(clippy::cast_precision_loss, reason = "the column holds doubles")]
        (&Type::FLOAT8, Cell::Integer(value)) => out.extend_from_slice(&(*value as f64).to_be_bytes()),
        (&Type::FLOAT8, Cell::Text(text)) => {
            out.extend_from_slice(&text.parse::<f64>().ok()?.to_be_bytes());
        }
        (&Type::NUMERIC, Cell::Integer(value)) => numeric::write(&value.to_string(), out)?,
        (&Type::NUMERIC, Cell::Real(value)) => numeric::write(&value.to_string(), out)?,
        (&Type::NUMERIC, Cell::Text(text)) => numeric::write(text, out)?,
        (&Type::BYTEA, Cell::Blob(bytes)) => out.extend_from_slice(bytes),
        (&Type::JSONB, Cell::Text(text)) => {
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        (&Type::UUID, Cell::Text(text)) => {
            out.extend_from_slice(Uuid::try_parse(text).ok()?.as_bytes());
        }
        (&Type::DATE, Cell::Text(text)) => {
            let days = i32::try_from(days_of(text)?).ok()?;
            out.extend_from_slice(&days.to_be_bytes());
        }
        (&Type::TIME, Cell::Text(text)) => out.extend_from_slice(&micros_of(text)?.to_be_bytes()),
        (&Type::TIMESTAMP | &Type::TIMESTAMPTZ, Cell::Text(text)) => {
            let (date, time) = text.split_once(' ')?;
            let micros = days_of(date)? * MICROS_OF_DAY + micros_of(time)?;
            out.extend_from_slice(&micros.to_be_bytes());
        }
        (&Type::INET | &Type::CIDR, Cell::Text(text)) => write_address(of == &Type::CIDR, text, out)?,
        (&Type::BOOL | &Type::INT2 | &Type::INT4 | &Type::FLOAT4 | &Type::BYTEA, Cell::Text(_)) => {
            return None;
        }
        (_, Cell::Text(text)) => out.extend_from_slice(text.as_bytes()),
        (_, Cell::Integer(value)) if is_text(of) => out.extend_from_slice(value.to_string().as_bytes()),
        (_, Cell::Real(value)) if is_text(of) => out.extend_from_slice(value.to_string().as_bytes()),
        _ => return None,
    }
    Some(())
}

fn is_text(of: &Type) -> bool {
    matches!(*of, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::UNKNOWN)
}

fn days_of(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    let beginning = jiff::civil::date(2000, 1, 1);
    // jiff counts in days where nothing else is asked for.
    Some((date - beginning).get_days().into())
}

fn micros_of(text: &str) -> Option<i64> {
    let number = |range: Range<usize>| text.get(range)?.parse::<i64>().ok();
    let seconds = number(0..2)? * 3_600 + number(3..5)? * 60 + number(6..8)?;
    let fraction = text
        .get(9..15)
        .map_or(Some(0), |digits| digits.parse::<i64>().ok())?;
    Some(seconds * 1_000_000 + fraction)
}

fn write_address(is_network: bool, text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let (family, all, octets) = match address.parse().ok()? {
        std::net::IpAddr::V4(address) => (2, 32, address.octets().to_vec()),
        std::net::IpAddr::V6(address) => (3, 128, address.octets().to_vec()),
    };
    let bits = bits.unwrap_or(all);
    let length = if all == 32 { 4 } else { 16 };
    if bits > all {
        return None;
    }
    out.extend_from_slice(&[family, bits, u8::from(is_network), length]);
    out.extend_from_slice(&octets);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A cell there and back, as the bytes of its text.
    fn there_and_back(cell: &Cell, of: &Type) -> String {
        let (mut bytes, mut text) = (Vec::new(), Vec::new());
        assert!(write(cell, of, &mut bytes).is_ok(), "{cell:?} as {of}");
        let text = match kept(of, &bytes, &mut text) {
            Some(Kept::Written(range)) => text[range].to_vec(),
            Some(Kept::Text(from)) => bytes[from..].to_vec(),
            Some(Kept::Integer(value)) => value.to_string().into_bytes(),
            Some(Kept::Real(value)) => value.to_string().into_bytes(),
            other => panic!("{other:?}"),
        };
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn values_come_back() {
        let text = |text: &str| Cell::Text(text.to_owned());
        for (of, value) in [
            (Type::DATE, "0001-01-01"),
            (Type::DATE, "1999-12-31"),
            (Type::DATE, "2000-02-29"),
            (Type::DATE, "9999-12-31"),
            (Type::TIME, "23:59:59.999999"),
            (Type::TIMESTAMPTZ, "1969-07-20 20:17:40.000001"),
            (Type::TIMESTAMP, "2026-01-31 00:00:00.000000"),
            (Type::UUID, "018f3f2e-0000-7000-8000-00000000abcd"),
            (Type::JSONB, "{\"a\":1}"),
            (Type::NUMERIC, "-12.50"),
            (Type::INET, "10.0.0.1"),
            (Type::INET, "2001:db8::1/64"),
            (Type::CIDR, "10.0.0.0/8"),
        ] {
            assert_eq!(there_and_back(&text(value), &of), value);
        }
        assert_eq!(there_and_back(&Cell::Integer(1), &Type::BOOL), "1");
        assert_eq!(there_and_back(&Cell::Integer(-7), &Type::INT2), "-7");
        assert_eq!(there_and_back(&Cell::Real(0.1), &Type::FLOAT4), "0.1");
        assert_eq!(there_and_back(&Cell::Integer(3), &Type::NUMERIC), "3");
    }

    #[test]
    fn what_has_no_form_is_not_sent() {
        for (cell, of) in [
            (Cell::Integer(40_000), Type::INT2),
            (Cell::Text("yesterday".to_owned()), Type::DATE),
            (Cell::Text("x".to_owned()), Type::UUID),
            (Cell::Blob(vec![0]), Type::TEXT),
            (Cell::Text("10.0.0.1/33".to_owned()), Type::INET),
        ] {
            assert!(write(&cell, &of, &mut Vec::new()).is_err(), "{cell:?}");
        }
    }

    #[test]
    fn what_no_codec_reads_is_no_value_of_it() {
        let mut text = Vec::new();
        kept(&Type::DATE, &i32::MAX.to_be_bytes(), &mut text);
        kept(&Type::TIMESTAMPTZ, &i64::MIN.to_be_bytes(), &mut text);
        assert!(text.starts_with(b"infinityinfinity"));
        assert!(kept(&Type::INT4, b"x", &mut text).is_none());
        assert!(kept(&Type::POINT, b"x", &mut text).is_none());
    }

    proptest! {
        #[test]
        fn any_day_is_the_one_that_jiff_knows(days in -730_119i32..2_921_939) {
            let mut text = Vec::new();
            push_date(days.into(), &mut text);
            let text = String::from_utf8(text).expect("digits");
            prop_assert_eq!(days_of(&text), Some(i64::from(days)));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            for of in [Type::NUMERIC, Type::DATE, Type::TIME, Type::TIMESTAMPTZ, Type::UUID, Type::INET, Type::BOOL] {
                let _ = kept(&of, &bytes, &mut Vec::new());
            }
        }
    }
}
