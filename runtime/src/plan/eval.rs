//! What a condition comes to when only the caller is known: decided, or up to the row.
//!
//! It follows SQL's three-valued logic and the databases' comparison of stored values, so that what is decided here is
//! what the database would have said.

use std::cmp::Ordering;

use rest_schema::{Arithmetic, Comparison, Function};

use crate::cell::Cell;
use crate::plan::expr::{Expr, Slot};

/// A value as far as it is known.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Value(Cell),
    UpToTheRow,
}

/// Whether a condition lets a row pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every row.
    Always,
    /// No row.
    Never,
    /// It depends on the row.
    ByRow,
}

/// Judges a condition; `value` gives what is known of a slot.
pub fn judge(expr: &Expr, value: &dyn Fn(&Slot) -> Option<Cell>) -> Verdict {
    match eval(expr, value) {
        Known::UpToTheRow => Verdict::ByRow,
        Known::Value(cell) if truth(&cell) == Some(true) => Verdict::Always,
        Known::Value(_) => Verdict::Never,
    }
}

/// Whether a slot of which nothing is known has a part in what a condition comes to.
pub fn waits_for(expr: &Expr, slot: &Slot, value: &dyn Fn(&Slot) -> Option<Cell>) -> bool {
    let within = |part: &Expr| waits_for(part, slot, value);
    let is_open = eval(expr, value) == Known::UpToTheRow;
    is_open
        && match expr {
            Expr::Slot(other) => other == slot,
            Expr::And(all) | Expr::Or(all) => all.iter().any(within),
            Expr::Not(a) | Expr::IsNull(a) => within(a),
            Expr::Compare(_, a, b) => within(a) || within(b),
            Expr::In(a, list) => within(a) || list.iter().any(within),
            Expr::Related(related) => within(&related.condition),
            _ => false,
        }
}

fn truth(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Null => None,
        Cell::Integer(value) => Some(*value != 0),
        Cell::Real(value) => Some(*value != 0.0),
        Cell::Text(_) | Cell::Blob(_) => Some(false),
    }
}

fn boolean(value: Option<bool>) -> Known {
    Known::Value(value.map_or(Cell::Null, |value| Cell::Integer(i64::from(value))))
}

fn eval(expr: &Expr, value: &dyn Fn(&Slot) -> Option<Cell>) -> Known {
    match expr {
        Expr::Boolean(constant) => boolean(Some(*constant)),
        Expr::Null => Known::Value(Cell::Null),
        Expr::Slot(slot) => value(slot).map_or(Known::UpToTheRow, Known::Value),
        Expr::And(all) => junction(all, false, value),
        Expr::Or(all) => junction(all, true, value),
        Expr::Not(a) => with(eval(a, value), |a| boolean(truth(&a).map(|truth| !truth))),
        Expr::IsNull(a) => with(eval(a, value), |a| boolean(Some(a == Cell::Null))),
        Expr::Compare(op, a, b) => both(eval(a, value), eval(b, value), |a, b| compare(*op, &a, &b)),
        Expr::In(a, list) => is_in(&eval(a, value), list, value),
        Expr::Arithmetic(op, a, b) => both(eval(a, value), eval(b, value), |a, b| arithmetic(*op, a, b)),
        Expr::Negate(a) => with(eval(a, value), |a| {
            arithmetic(Arithmetic::Subtract, Cell::Integer(0), a)
        }),
        Expr::Call(function, all) => call(*function, all, value),
        Expr::Units(..)
        | Expr::Column(..)
        | Expr::Related(_)
        | Expr::LedTo(_)
        | Expr::Search(_)
        | Expr::InArray(..)
        | Expr::Glob(..)
        | Expr::Text(..) => Known::UpToTheRow,
    }
}

fn with(a: Known, f: impl FnOnce(Cell) -> Known) -> Known {
    match a {
        Known::Value(a) => f(a),
        Known::UpToTheRow => Known::UpToTheRow,
    }
}

fn both(a: Known, b: Known, f: impl FnOnce(Cell, Cell) -> Known) -> Known {
    with(a, |a| with(b, |b| f(a, b)))
}

/// AND (`decides` false) or OR (`decides` true): one part that decides is enough, whatever the others are.
fn junction(all: &[Expr], decides: bool, value: &dyn Fn(&Slot) -> Option<Cell>) -> Known {
    let (mut unknown, mut null) = (false, false);
    for part in all {
        match eval(part, value) {
            Known::UpToTheRow => unknown = true,
            Known::Value(cell) => match truth(&cell) {
                Some(truth) if truth == decides => return boolean(Some(decides)),
                Some(_) => {}
                None => null = true,
            },
        }
    }
    if unknown {
        Known::UpToTheRow
    } else {
        boolean((!null).then_some(!decides))
    }
}

fn is_in(a: &Known, list: &[Expr], value: &dyn Fn(&Slot) -> Option<Cell>) -> Known {
    let Known::Value(a) = a else {
        return Known::UpToTheRow;
    };
    let equal: Vec<Known> = list
        .iter()
        .map(|b| with(eval(b, value), |b| compare(Comparison::Equal, a, &b)))
        .collect();
    if equal.contains(&boolean(Some(true))) {
        return boolean(Some(true));
    }
    if equal.contains(&Known::UpToTheRow) {
        return Known::UpToTheRow;
    }
    boolean((!equal.contains(&boolean(None))).then_some(false))
}

fn compare(op: Comparison, a: &Cell, b: &Cell) -> Known {
    let order = match order(a, b) {
        Ok(order) => order,
        Err(answer) => return answer,
    };
    boolean(Some(match op {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    }))
}

/// The databases' order of values of one kind; otherwise what a comparison comes to.
fn order(a: &Cell, b: &Cell) -> Result<Ordering, Known> {
    let of_numbers = |order: Option<Ordering>| order.ok_or(Known::UpToTheRow);
    match (a, b) {
        (Cell::Null, _) | (_, Cell::Null) => Err(boolean(None)),
        (Cell::Integer(a), Cell::Integer(b)) => Ok(a.cmp(b)),
        (Cell::Real(a), Cell::Real(b)) => of_numbers(a.partial_cmp(b)),
        (Cell::Integer(a), Cell::Real(b)) => of_numbers((*a as f64).partial_cmp(b)),
        (Cell::Real(a), Cell::Integer(b)) => of_numbers(a.partial_cmp(&(*b as f64))),
        // PostgreSQL's decimals are texts here: 9.50 is less than 10, and 1.5 is 1.50.
        (Cell::Text(a), Cell::Text(b)) if a != b && is_numeric(a) && is_numeric(b) => Err(Known::UpToTheRow),
        (Cell::Text(a), Cell::Text(b)) => Ok(a.cmp(b)),
        (Cell::Blob(a), Cell::Blob(b)) => Ok(a.cmp(b)),
        // What mixes forms is the database's to say.
        _ => Err(Known::UpToTheRow),
    }
}

fn is_numeric(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

fn arithmetic(op: Arithmetic, a: Cell, b: Cell) -> Known {
    let whole =
        |value: Option<i64>| value.map_or(Known::UpToTheRow, |value| Known::Value(Cell::Integer(value)));
    let real = |value: f64| {
        if value.is_finite() {
            Known::Value(Cell::Real(value))
        } else {
            Known::UpToTheRow
        }
    };
    match (op, a, b) {
        (_, Cell::Null, _) | (_, _, Cell::Null) => Known::Value(Cell::Null),
        (Arithmetic::Concat, Cell::Text(a), Cell::Text(b)) => Known::Value(Cell::Text(a + &b)),
        (Arithmetic::Add, Cell::Integer(a), Cell::Integer(b)) => whole(a.checked_add(b)),
        (Arithmetic::Subtract, Cell::Integer(a), Cell::Integer(b)) => whole(a.checked_sub(b)),
        (Arithmetic::Multiply, Cell::Integer(a), Cell::Integer(b)) => whole(a.checked_mul(b)),
        (Arithmetic::Add, Cell::Real(a), Cell::Real(b)) => real(a + b),
        (Arithmetic::Subtract, Cell::Real(a), Cell::Real(b)) => real(a - b),
        (Arithmetic::Multiply, Cell::Real(a), Cell::Real(b)) => real(a * b),
        // What mixes forms, or divides, is the database's to say.
        _ => Known::UpToTheRow,
    }
}

fn call(function: Function, all: &[Expr], value: &dyn Fn(&Slot) -> Option<Cell>) -> Known {
    if function == Function::Coalesce {
        for part in all {
            match eval(part, value) {
                Known::Value(Cell::Null) => {}
                other => return other,
            }
        }
        return Known::Value(Cell::Null);
    }
    let Some(first) = all.first() else {
        return Known::UpToTheRow;
    };
    with(eval(first, value), |cell| match (function, cell) {
        (_, Cell::Null) => Known::Value(Cell::Null),
        (Function::Lower, Cell::Text(text)) => Known::Value(Cell::Text(text.to_ascii_lowercase())),
        (Function::Upper, Cell::Text(text)) => Known::Value(Cell::Text(text.to_ascii_uppercase())),
        (Function::Length, Cell::Text(text)) => Known::Value(Cell::Integer(
            i64::try_from(text.chars().count()).unwrap_or(i64::MAX),
        )),
        _ => Known::UpToTheRow,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rest_schema::{FieldId, ResourceId};

    fn field(index: u32) -> FieldId {
        FieldId {
            resource: ResourceId(0),
            index,
        }
    }

    fn me(index: u32) -> Expr {
        Expr::Slot(Slot::Me(field(index)))
    }

    fn judged(expr: &Expr) -> Verdict {
        // me.0 is 7, me.1 is true, me.2 is NULL.
        judge(expr, &|slot| match slot {
            Slot::Me(field) => {
                Some([Cell::Integer(7), Cell::Integer(1), Cell::Null][field.index as usize].clone())
            }
            _ => None,
        })
    }

    #[test]
    fn one_part_can_decide() {
        let row = Expr::Column(0, field(3));
        assert_eq!(judged(&Expr::or([row.clone(), me(1)])), Verdict::Always);
        assert_eq!(judged(&Expr::and([row.clone(), me(1).negated()])), Verdict::Never);
        assert_eq!(judged(&Expr::and([row.clone(), me(1)])), Verdict::ByRow);
        assert_eq!(judged(&Expr::or([row, me(2)])), Verdict::ByRow);
    }

    #[test]
    fn null_is_neither() {
        assert_eq!(judged(&me(2)), Verdict::Never);
        assert_eq!(judged(&me(2).negated()), Verdict::Never);
        let equal = Expr::Compare(Comparison::Equal, Box::new(me(0)), Box::new(me(2)));
        assert_eq!(judged(&equal.clone().negated()), Verdict::Never);
        assert_eq!(judged(&Expr::IsNull(Box::new(equal))), Verdict::Always);
    }

    #[test]
    fn a_slot_has_a_part_where_nothing_else_decides() {
        let row = || Expr::Column(0, field(3));
        let word = || Expr::Slot(Slot::Scope(0));
        let waits = |expr: &Expr| {
            waits_for(expr, &Slot::Scope(0), &|slot| match slot {
                Slot::Me(field) => Some(Cell::Integer(i64::from(field.index == 1))),
                _ => None,
            })
        };
        assert!(waits(&word()) && waits(&word().negated()));
        assert!(waits(&Expr::and([row(), word()])) && waits(&Expr::or([row(), word()])));
        assert!(waits(&Expr::and([me(1), word()])) && !waits(&Expr::and([me(0), word()])));
        assert!(waits(&Expr::or([me(0), word()])) && !waits(&Expr::or([me(1), word()])));
        assert!(!waits(&row()) && !waits(&Expr::Slot(Slot::Scope(1))));
    }

    #[test]
    fn decimals_and_mixed_forms_are_left_to_the_database() {
        let text = |text: &str| Expr::Slot(Slot::Literal(Cell::Text(text.to_owned())));
        // `me` is 9.50 of PostgreSQL's.
        let judged = |op, other: Expr| {
            let mine = Box::new(me(0));
            judge(&Expr::Compare(op, mine, Box::new(other)), &|slot| match slot {
                Slot::Me(_) => Some(Cell::Text("9.50".to_owned())),
                Slot::Literal(cell) => Some(cell.clone()),
                _ => None,
            })
        };
        assert_eq!(judged(Comparison::Less, text("10.00")), Verdict::ByRow);
        assert_eq!(judged(Comparison::Equal, text("9.5")), Verdict::ByRow);
        assert_eq!(judged(Comparison::Equal, text("9.50")), Verdict::Always);
        assert_eq!(judged(Comparison::Equal, text("susan")), Verdict::Never);
        let ten = Expr::Slot(Slot::Literal(Cell::Integer(10)));
        assert_eq!(judged(Comparison::Less, ten), Verdict::ByRow);
    }
}
