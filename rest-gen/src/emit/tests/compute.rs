//! What expressions make of cells: arithmetic, functions, patterns.

use rest_schema::value::Decimal;
use rest_schema::{Arithmetic, Function, Value};

use super::scene::Cell;

pub(super) fn arithmetic(op: Arithmetic, one: Cell, other: Cell) -> Cell {
    match (one, other) {
        (Cell::Value(Value::Null), _) | (_, Cell::Value(Value::Null)) => Cell::NULL,
        (Cell::Value(one), Cell::Value(other)) => {
            calculated(op, &one, &other).map_or(Cell::Unknown, Cell::Value)
        }
        _ => Cell::Unknown,
    }
}

fn calculated(op: Arithmetic, one: &Value, other: &Value) -> Option<Value> {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) if op == Arithmetic::Concat => {
            Some(Value::Text(format!("{one}{other}")))
        }
        (Value::Integer(one), Value::Integer(other)) => match op {
            Arithmetic::Add => one.checked_add(*other),
            Arithmetic::Subtract => one.checked_sub(*other),
            Arithmetic::Multiply => one.checked_mul(*other),
            Arithmetic::Divide | Arithmetic::Concat => None,
        }
        .map(Value::Integer),
        (Value::Decimal(_) | Value::Integer(_), Value::Decimal(_) | Value::Integer(_)) => {
            calculated_exactly(op, exact(one)?, exact(other)?).map(Value::Decimal)
        }
        _ => None,
    }
}

/// A whole or decimal number.
pub(super) fn exact(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(decimal) => Some(*decimal),
        Value::Integer(integer) => Some(Decimal {
            units: i128::from(*integer),
            scale: 0,
        }),
        _ => None,
    }
}

fn calculated_exactly(op: Arithmetic, one: Decimal, other: Decimal) -> Option<Decimal> {
    if op == Arithmetic::Multiply {
        return Some(Decimal {
            units: one.units.checked_mul(other.units)?,
            scale: one.scale + other.scale,
        });
    }
    let scale = one.scale.max(other.scale);
    let (one, other) = (one.rescale(scale)?, other.rescale(scale)?);
    let units = match op {
        Arithmetic::Add => one.units.checked_add(other.units)?,
        Arithmetic::Subtract => one.units.checked_sub(other.units)?,
        Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Concat => return None,
    };
    Some(Decimal { units, scale })
}

pub(super) fn call(function: Function, all: &[Cell]) -> Cell {
    if function == Function::Coalesce {
        let first = all.iter().find(|cell| **cell != Cell::NULL);
        return first.cloned().unwrap_or(Cell::NULL);
    }
    match all.first() {
        Some(Cell::Value(Value::Null)) => Cell::NULL,
        Some(Cell::Value(Value::Text(text))) => match function {
            Function::Lower => Cell::Value(Value::Text(text.to_ascii_lowercase())),
            Function::Upper => Cell::Value(Value::Text(text.to_ascii_uppercase())),
            Function::Length => {
                let length = i64::try_from(text.chars().count());
                length.map_or(Cell::Unknown, |length| Cell::Value(Value::Integer(length)))
            }
            // What is a slug already stays as it is.
            Function::Slug if rest_schema::FieldType::Slug.parse_text(text).is_ok() => {
                Cell::Value(Value::Text(text.clone()))
            }
            Function::Slug | Function::Coalesce => Cell::Unknown,
        },
        _ => Cell::Unknown,
    }
}

/// SQL's LIKE: `%` any text, `_` any character, `\` escapes.
pub(super) fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.chars();
    match parts.next() {
        None => text.is_empty(),
        Some('%') => {
            let rest = parts.as_str();
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| is_like(&text[at..], rest))
        }
        Some(wanted) => {
            let literal = if wanted == '\\' {
                parts.next()
            } else {
                Some(wanted)
            };
            let any = wanted == '_';
            let mut chars = text.chars();
            let first = chars.next();
            first.is_some() && (any || first == literal) && is_like(chars.as_str(), parts.as_str())
        }
    }
}
