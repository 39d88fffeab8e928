//! What a rule says over a scene, for one caller.

use std::cmp::Ordering;

use rest_schema::{Arithmetic, Comparison, Expr, Ref, RelationId, Row as At, Value};

use super::compute::{arithmetic, call, exact, is_like};
use super::scene::{Cell, Row, Scene, Who};
use super::truth::Truth;

/// Judges expressions.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a, 's> {
    scene: &'a Scene<'s>,
    me: Who,
    /// The guarded row before a change; `None`: as it is.
    old: Option<&'a Row<'s>>,
    /// Whether only the caller is known, and no row: what is decided then is decided before a row is looked for.
    blind: bool,
}

impl<'a, 's> Judge<'a, 's> {
    pub(super) fn new(scene: &'a Scene<'s>, me: Who) -> Self {
        Self {
            scene,
            me,
            old: None,
            blind: false,
        }
    }

    pub(super) fn of_nobody(scene: &'a Scene<'s>) -> Self {
        Self::new(scene, None)
    }

    /// With the guarded row as it was before.
    pub(super) fn after(scene: &'a Scene<'s>, me: Who, old: &'a Row<'s>) -> Self {
        Self {
            old: Some(old),
            ..Self::new(scene, me)
        }
    }

    /// What the caller alone decides.
    pub(super) fn blind(scene: &'a Scene<'s>, me: Who) -> Self {
        Self {
            blind: true,
            ..Self::new(scene, me)
        }
    }

    /// A condition; `levels` are the guarded row and the rows of the `exists` around.
    pub(super) fn truth(&self, expr: &Expr, levels: &[&Row<'s>]) -> Truth {
        match expr {
            // Tests sign in with tokens that may do everything.
            Expr::Authenticated | Expr::Scope(_) => Truth::of(self.me.is_some()),
            Expr::Not(a) => self.truth(a, levels).not(),
            Expr::And(all) => self.junction(all, levels, Truth::TRUE, Truth::FALSE, Truth::and),
            Expr::Or(all) => self.junction(all, levels, Truth::FALSE, Truth::TRUE, Truth::or),
            Expr::Compare(op, a, b) => self.compare(*op, &self.cell(a, levels), &self.cell(b, levels)),
            Expr::In(a, list) => {
                let a = self.cell(a, levels);
                let each = list
                    .iter()
                    .map(|b| self.compare(Comparison::Equal, &a, &self.cell(b, levels)));
                each.fold(Truth::FALSE, Truth::or)
            }
            Expr::Like(a, pattern) => match self.cell(a, levels) {
                Cell::Value(Value::Null) => Truth::NULL,
                Cell::Value(Value::Text(text)) => Truth::of(is_like(&text, pattern)),
                _ => Truth::ANY,
            },
            Expr::IsNull(a) => match self.cell(a, levels) {
                Cell::Value(Value::Null) => Truth::TRUE,
                Cell::Unknown => Truth::EITHER,
                _ => Truth::FALSE,
            },
            Expr::Exists {
                row,
                path,
                relation,
                condition,
            } => self.exists((*row, path, *relation), condition.as_deref(), levels),
            other => match self.cell(other, levels) {
                Cell::Value(Value::Boolean(value)) => Truth::of(value),
                Cell::Value(Value::Null) => Truth::NULL,
                _ => Truth::ANY,
            },
        }
    }

    fn junction(
        &self,
        all: &[Expr],
        levels: &[&Row<'s>],
        empty: Truth,
        decides: Truth,
        with: fn(Truth, Truth) -> Truth,
    ) -> Truth {
        let parts: Vec<Truth> = all.iter().map(|part| self.truth(part, levels)).collect();
        let is_open = |part: &Truth| ![Truth::TRUE, Truth::FALSE, Truth::NULL].contains(part);
        // The service, too, calls it open as soon as one part is, unless another decides it.
        if self.blind && self.me.is_some() && !parts.contains(&decides) && parts.iter().any(is_open) {
            return Truth::ANY;
        }
        parts.into_iter().fold(empty, with)
    }

    fn exists(
        &self,
        (row, path, relation): (At, &[RelationId], RelationId),
        condition: Option<&Expr>,
        levels: &[&Row<'s>],
    ) -> Truth {
        if self.blind {
            return self.exists_somewhere(row, condition);
        }
        let Some(start) = self.walk(row, path, levels) else {
            return Truth::FALSE;
        };
        let rows = self.scene.related(start, relation).into_iter();
        let each = rows.map(|place| {
            let mut levels = levels.to_vec();
            levels.push(&self.scene.rows[place]);
            // NULL in the condition leaves the row out, so it is FALSE here.
            match condition.map_or(Truth::TRUE, |condition| self.truth(condition, &levels)) {
                truth if truth.refuses() => Truth::FALSE,
                truth => truth,
            }
        });
        each.fold(Truth::FALSE, Truth::or)
    }

    fn exists_somewhere(&self, row: At, condition: Option<&Expr>) -> Truth {
        let holds = condition.map_or(Truth::ANY, |condition| self.truth(condition, &[]));
        let nobody = self.me.is_none();
        if nobody && (row == At::Me || holds.refuses()) {
            Truth::FALSE
        } else {
            Truth::EITHER
        }
    }

    /// The row at the end of to-one steps.
    pub(super) fn walk<'r>(&self, row: At, path: &[RelationId], levels: &[&'r Row<'s>]) -> Option<&'r Row<'s>>
    where
        'a: 'r,
    {
        let mut at = match row {
            At::Level(level) => *levels.get(usize::from(level))?,
            At::Old => match self.old {
                Some(old) => old,
                None => *levels.first()?,
            },
            At::Me => self.me.map(|place| &self.scene.rows[place])?,
        };
        for step in path {
            let next = *self.scene.related(at, *step).first()?;
            at = &self.scene.rows[next];
        }
        Some(at)
    }

    fn reference(&self, reference: &Ref, levels: &[&Row<'s>]) -> Cell {
        if self.blind {
            return match (reference.row, self.me) {
                (At::Me, None) => Cell::NULL,
                (At::Me, Some(me)) if reference.path.is_empty() => self.scene.cell(me, reference.field.index),
                _ => Cell::Unknown,
            };
        }
        match self.walk(reference.row, &reference.path, levels) {
            Some(row) => self.scene.cell_of(row, reference.field.index),
            None => Cell::NULL,
        }
    }

    /// A value.
    pub(super) fn cell(&self, expr: &Expr, levels: &[&Row<'s>]) -> Cell {
        match expr {
            Expr::Literal(value) => Cell::Value(value.clone()),
            Expr::Ref(reference) => self.reference(reference, levels),
            Expr::Now => Cell::Now,
            Expr::Arithmetic(op, a, b) => arithmetic(*op, self.cell(a, levels), self.cell(b, levels)),
            Expr::Negate(a) => {
                let zero = Cell::Value(Value::Integer(0));
                arithmetic(Arithmetic::Subtract, zero, self.cell(a, levels))
            }
            Expr::Call(function, all) => {
                let all: Vec<Cell> = all.iter().map(|part| self.cell(part, levels)).collect();
                call(*function, &all)
            }
            Expr::Aggregate { .. } => Cell::Unknown,
            condition => match self.truth(condition, levels) {
                Truth::TRUE => Cell::Value(Value::Boolean(true)),
                Truth::FALSE => Cell::Value(Value::Boolean(false)),
                Truth::NULL => Cell::NULL,
                _ => Cell::Unknown,
            },
        }
    }

    fn compare(&self, op: Comparison, one: &Cell, other: &Cell) -> Truth {
        let is_open = [one, other].contains(&&Cell::Unknown);
        if self.blind && self.me.is_some() && is_open {
            return Truth::ANY;
        }
        match order(one, other) {
            Order::Null => Truth::NULL,
            Order::Open => Truth::ANY,
            // Which of two keys is greater is the service's choice.
            Order::Unequal if op == Comparison::Equal => Truth::FALSE,
            Order::Unequal if op == Comparison::NotEqual => Truth::TRUE,
            Order::Unequal => Truth::EITHER,
            Order::Known(order) => Truth::of(match op {
                Comparison::Equal => order == Ordering::Equal,
                Comparison::NotEqual => order != Ordering::Equal,
                Comparison::Less => order == Ordering::Less,
                Comparison::LessOrEqual => order != Ordering::Greater,
                Comparison::Greater => order == Ordering::Greater,
                Comparison::GreaterOrEqual => order != Ordering::Less,
            }),
        }
    }
}

/// How two cells stand to each other.
enum Order {
    Null,
    Open,
    Unequal,
    Known(Ordering),
}

fn order(one: &Cell, other: &Cell) -> Order {
    match (one, other) {
        (Cell::Value(Value::Null), _) | (_, Cell::Value(Value::Null)) => Order::Null,
        (Cell::Value(one), Cell::Value(other)) => in_order(one, other).map_or(Order::Open, Order::Known),
        (Cell::Key(one), Cell::Key(other)) if one == other => Order::Known(Ordering::Equal),
        (Cell::Key(_), Cell::Key(_)) => Order::Unequal,
        (Cell::Value(value), Cell::Now) => beside_now(value).map_or(Order::Open, Order::Known),
        (Cell::Now, Cell::Value(value)) => {
            beside_now(value).map_or(Order::Open, |order| Order::Known(order.reverse()))
        }
        _ => Order::Open,
    }
}

/// Numbers of two types compare as numbers.
fn in_order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Integer(_), Value::Decimal(_)) | (Value::Decimal(_), Value::Integer(_)) => {
            Some(exact(one)?.compare(exact(other)?))
        }
        (Value::Integer(one), Value::Float(other)) => float(*one).partial_cmp(&other.get()),
        (Value::Float(one), Value::Integer(other)) => one.get().partial_cmp(&float(*other)),
        (one, other) => one.compare(other),
    }
}

#[expect(clippy::cast_precision_loss, reason = "samples are small")]
fn float(integer: i64) -> f64 {
    integer as f64
}

/// A moment beside that of a test's run, where they are far enough apart.
fn beside_now(value: &Value) -> Option<Ordering> {
    let year = match value {
        Value::Timestamp(moment) => jiff::tz::Offset::UTC.to_datetime(*moment).year(),
        Value::Date(day) => day.year(),
        _ => return None,
    };
    match year {
        ..2020 => Some(Ordering::Less),
        2800.. => Some(Ordering::Greater),
        _ => None,
    }
}

/// Every field that an expression speaks of.
pub(super) fn each_ref(expr: &Expr, take: &mut dyn FnMut(&Ref)) {
    match expr {
        Expr::Ref(reference) => take(reference),
        Expr::Not(a) | Expr::IsNull(a) | Expr::Negate(a) | Expr::Like(a, _) => each_ref(a, take),
        Expr::And(all) | Expr::Or(all) | Expr::Call(_, all) => {
            all.iter().for_each(|part| each_ref(part, take));
        }
        Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => {
            each_ref(a, take);
            each_ref(b, take);
        }
        Expr::In(a, list) => {
            each_ref(a, take);
            list.iter().for_each(|part| each_ref(part, take));
        }
        Expr::Exists { .. }
        | Expr::Aggregate { .. }
        | Expr::Literal(_)
        | Expr::Now
        | Expr::Authenticated
        | Expr::Scope(_) => {}
    }
}
