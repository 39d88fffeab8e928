//! Types of expressions: what operators make of their operands' types.

use crate::schema::{Aggregate, Arithmetic, Expr, Function, Schema};
use crate::types::{FieldType, Kind};
use crate::value::Value;

/// The most digits of a decimal that both databases keep exactly.
const DIGITS: u8 = 18;

/// The type of a bound expression; `None` for NULL itself. Writers of SQL need it where a type has several stored
/// forms (a decimal's scale above all).
pub fn type_of(schema: &Schema, expr: &Expr) -> Option<FieldType> {
    match expr {
        Expr::Literal(value) => of_value(value),
        Expr::Ref(reference) => Some(schema.field(reference.field).ty.clone()),
        Expr::Now => Some(FieldType::Timestamp),
        Expr::Authenticated
        | Expr::Scope(_)
        | Expr::Not(_)
        | Expr::And(_)
        | Expr::Or(_)
        | Expr::Compare(..)
        | Expr::In(..)
        | Expr::Like(..)
        | Expr::IsNull(_)
        | Expr::Exists { .. } => Some(FieldType::Boolean),
        Expr::Arithmetic(operator, left, right) => {
            of_arithmetic(*operator, &type_of(schema, left)?, &type_of(schema, right)?)
        }
        Expr::Negate(operand) => of_negation(&type_of(schema, operand)?),
        Expr::Call(function, arguments) => match function {
            Function::Coalesce => arguments.iter().find_map(|argument| type_of(schema, argument)),
            Function::Lower | Function::Upper => Some(FieldType::Text),
            Function::Length => Some(FieldType::Bigint),
            Function::Slug => Some(FieldType::Slug),
        },
        Expr::Aggregate { function, field, .. } => {
            of_aggregate(*function, field.map(|field| &schema.field(field).ty))
        }
    }
}

fn of_value(value: &Value) -> Option<FieldType> {
    match value {
        Value::Null => None,
        Value::Boolean(_) => Some(FieldType::Boolean),
        Value::Integer(_) => Some(FieldType::Bigint),
        Value::Float(_) => Some(FieldType::Float),
        Value::Decimal(decimal) => Some(FieldType::Decimal {
            precision: u8::try_from(decimal.precision()).unwrap_or(u8::MAX),
            scale: decimal.scale,
        }),
        Value::Text(_) => Some(FieldType::Text),
        Value::Timestamp(_) => Some(FieldType::Timestamp),
        Value::Date(_) => Some(FieldType::Date),
        Value::Time(_) => Some(FieldType::Time),
        Value::Uuid(_) => Some(FieldType::Uuid),
        Value::Json(_) => Some(FieldType::Json),
        Value::Bytes(_) => Some(FieldType::Bytes),
    }
}

/// What `left operator right` is; `None` where it means nothing. No operand ever changes its scale, so that scaled
/// integers may be calculated with as they stand.
pub(super) fn of_arithmetic(operator: Arithmetic, left: &FieldType, right: &FieldType) -> Option<FieldType> {
    use Arithmetic::{Add, Concat, Divide, Multiply, Subtract};
    match (operator, left.kind(), right.kind()) {
        (Concat, Kind::Text, Kind::Text) => Some(FieldType::Text),
        (Add | Subtract | Multiply | Divide, Kind::Integer, Kind::Integer) => Some(FieldType::Bigint),
        (Add | Subtract | Multiply | Divide, Kind::Integer | Kind::Float, Kind::Integer | Kind::Float) => {
            Some(FieldType::Float)
        }
        (Add | Subtract, Kind::Decimal, Kind::Decimal) => sum_of(left, right),
        (Multiply, Kind::Decimal | Kind::Integer, Kind::Decimal | Kind::Integer) => product_of(left, right),
        _ => None,
    }
}

/// Precision and scale, as far as the type has them.
fn digits(ty: &FieldType) -> (u8, u8) {
    match ty {
        FieldType::Decimal { precision, scale } => (*precision, *scale),
        _ => (10, 0),
    }
}

fn sum_of(left: &FieldType, right: &FieldType) -> Option<FieldType> {
    let ((one, scale), (two, other)) = (digits(left), digits(right));
    (scale == other).then(|| FieldType::Decimal {
        precision: one.max(two).max(DIGITS),
        scale,
    })
}

fn product_of(left: &FieldType, right: &FieldType) -> Option<FieldType> {
    let ((one, scale), (two, other)) = (digits(left), digits(right));
    let scale = scale + other;
    (scale <= DIGITS).then(|| FieldType::Decimal {
        precision: one.max(two).max(DIGITS),
        scale,
    })
}

/// What `-operand` is.
pub(super) fn of_negation(operand: &FieldType) -> Option<FieldType> {
    match operand.kind() {
        Kind::Integer => Some(FieldType::Bigint),
        Kind::Float | Kind::Decimal => Some(operand.clone()),
        _ => None,
    }
}

/// What an aggregate over a field of this type is; `None` where it means nothing.
pub(super) fn of_aggregate(function: Aggregate, field: Option<&FieldType>) -> Option<FieldType> {
    match (function, field) {
        (Aggregate::Count, None) => Some(FieldType::Bigint),
        (Aggregate::Exists, None) => Some(FieldType::Boolean),
        (Aggregate::Sum, Some(ty)) => match ty.kind() {
            Kind::Decimal => sum_of(ty, ty),
            Kind::Integer | Kind::Float => of_negation(ty),
            _ => None,
        },
        (Aggregate::Avg, Some(ty)) => {
            let number = matches!(ty.kind(), Kind::Integer | Kind::Float | Kind::Decimal);
            number.then_some(FieldType::Float)
        }
        (Aggregate::Min | Aggregate::Max, Some(ty)) => is_ordered(ty).then(|| ty.clone()),
        _ => None,
    }
}

/// Whether `=` means something.
pub(super) fn is_comparable(ty: &FieldType) -> bool {
    !matches!(ty, FieldType::Password | FieldType::Json | FieldType::Bytes)
}

/// Whether `<` means something.
pub(super) fn is_ordered(ty: &FieldType) -> bool {
    is_comparable(ty) && *ty != FieldType::Boolean
}

/// Whether values of the two types can stand on two sides of a comparison as they are stored.
pub(super) fn compares(left: &FieldType, right: &FieldType) -> bool {
    let number = |kind| matches!(kind, Kind::Integer | Kind::Float);
    match (left, right) {
        (FieldType::Decimal { scale: one, .. }, FieldType::Decimal { scale: two, .. }) => one == two,
        _ => left.kind() == right.kind() || number(left.kind()) && number(right.kind()),
    }
}

/// Whether a value of type `from` is a value of a field of type `to`.
pub(super) fn assigns(from: &FieldType, to: &FieldType) -> bool {
    match (from, to) {
        (_, FieldType::String | FieldType::Text) => from.kind() == Kind::Text && is_comparable(from),
        (_, FieldType::Integer | FieldType::Bigint) => from.kind() == Kind::Integer,
        (_, FieldType::Float) => matches!(from.kind(), Kind::Integer | Kind::Float),
        (_, FieldType::Decimal { .. }) => compares(from, to),
        _ => from == to,
    }
}

/// The type with its article, for messages.
pub(super) fn a(ty: &FieldType) -> String {
    let article = if ty.name().starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    match ty {
        FieldType::Decimal { scale, .. } => format!("a decimal with {scale} digits after the point"),
        FieldType::Boolean => "a condition".to_owned(),
        FieldType::Json => "json".to_owned(),
        FieldType::Bytes => "bytes".to_owned(),
        FieldType::Text => "text".to_owned(),
        _ => format!("{article} {}", ty.name()),
    }
}
