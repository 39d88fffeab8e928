//! Rows that are groups, told as JSON: `{"group": {"status": "sold"}, "count": 3, "avg": {"pages": 12.5}}`.

use std::ops::ControlFlow;

use rest_schema::FieldId;
use rest_schema::value::Decimal;

use crate::cell::CellRef;
use crate::codec::{Codec, DecimalForm};
use crate::respond::format::{Json, Writing};
use crate::sql::groups::{GroupLayout, Member, Part, Sum, Told};
use crate::storage::Refusal;
use crate::storage::connection::{Row, Take, number};
use crate::storage::rows::Output;

/// Takes the rows of an aggregate.
pub(super) struct Groups<'l> {
    pub(super) layout: &'l GroupLayout,
    pub(super) limit: usize,
    pub(super) output: Output,
}

impl Take for Groups<'_> {
    fn take(&mut self, row: &impl Row) -> Result<ControlFlow<()>, Refusal> {
        let rows = &mut self.output.rows;
        if rows.len() == self.limit {
            self.output.more = true;
            return Ok(ControlFlow::Break(()));
        }
        for (column, field) in &self.layout.odd {
            if number(row, *column)? != 0 {
                return Err(unfit(*field, "a number"));
            }
        }
        let out = &mut rows.bytes;
        out.push(b'{');
        if !self.layout.by.is_empty() {
            out.extend_from_slice(b"\"group\":");
            members(row, &self.layout.by, out)?;
        }
        for (place, part) in self.layout.parts.iter().enumerate() {
            if place > 0 || !self.layout.by.is_empty() {
                out.push(b',');
            }
            match part {
                Part::Count(column) => {
                    out.extend_from_slice(b"\"count\":");
                    out.extend_from_slice(number(row, *column)?.to_string().as_bytes());
                }
                Part::Of(fragment, of) => {
                    out.extend_from_slice(fragment);
                    members(row, of, out)?;
                }
            }
        }
        out.push(b'}');
        let end = u32::try_from(out.len()).unwrap_or(u32::MAX);
        rows.ends.push(end);
        Ok(ControlFlow::Continue(()))
    }
}

fn members(row: &impl Row, all: &[Member], out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.push(b'{');
    for (place, member) in all.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&member.fragment);
        member.write(row, out)?;
    }
    out.push(b'}');
    Ok(())
}

impl Member {
    fn write(&self, row: &impl Row, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match &self.told {
            Told::Shown(codec, column) => self.shown(codec, row.cell(*column)?, out),
            // There was nothing to add.
            Told::Sum(sum) | Told::Average(sum, _) if row.cell(sum.column())? == CellRef::Null => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            Told::Sum(Sum::Real(column)) => self.shown(&Codec::Float, row.cell(*column)?, out),
            Told::Sum(sum @ (Sum::Digits(_, scale) | Sum::Halves(_, _, scale))) => {
                let digits = self.exact(row, *sum)?.to_string();
                if scale.is_some() {
                    Json::plain(out, |out| out.extend_from_slice(digits.as_bytes()));
                } else {
                    out.extend_from_slice(digits.as_bytes());
                }
                Ok(())
            }
            Told::Average(sum, count) => {
                let sum = match sum {
                    Sum::Real(column) => real(row.cell(*column)?),
                    exact => self.exact(row, *exact)?.to_string().parse().unwrap_or(f64::NAN),
                };
                #[expect(clippy::cast_precision_loss, reason = "an average is a double")]
                let average = sum / number(row, *count)? as f64;
                self.shown(&Codec::Float, CellRef::Real(average), out)
            }
        }
    }

    /// A value as items show it.
    fn shown(&self, codec: &Codec, cell: CellRef<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        codec
            .write_json(cell, out)
            .map_err(|unfit| self.unfit(unfit.expected))
    }

    /// A sum that isn't a double.
    fn exact(&self, row: &impl Row, sum: Sum) -> Result<Decimal, Refusal> {
        let (units, scale) = match sum {
            Sum::Halves(high, low, scale) => {
                let (high, low) = (number(row, high)?, number(row, low)?);
                ((i128::from(high) << 32) + i128::from(low), scale)
            }
            Sum::Digits(column, scale) => {
                let codec = Codec::Decimal {
                    precision: 38,
                    scale: scale.unwrap_or(0),
                    form: DecimalForm::Text,
                };
                let value = codec.decode(row.cell(column)?);
                match value.map_err(|unfit| self.unfit(unfit.expected))? {
                    rest_schema::Value::Decimal(decimal) => return Ok(decimal),
                    _ => (0, scale),
                }
            }
            Sum::Real(_) => (0, None),
        };
        Ok(Decimal {
            units,
            scale: scale.unwrap_or(0),
        })
    }

    fn unfit(&self, expected: &'static str) -> Refusal {
        unfit(self.field, expected)
    }
}

/// What is wrong with one of a group's values; nobody knows with which.
fn unfit(field: FieldId, expected: &'static str) -> Refusal {
    Refusal::StoredValue {
        field,
        key: Vec::new(),
        expected,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of doubles is one")]
fn real(cell: CellRef<'_>) -> f64 {
    match cell {
        CellRef::Real(value) => value,
        CellRef::Integer(value) => value as f64,
        CellRef::Null | CellRef::Text(_) | CellRef::Blob(_) => f64::NAN,
    }
}
