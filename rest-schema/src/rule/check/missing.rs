//! What a rule says of a row that isn't there: all its fields are NULL then.

use super::scope::Base;
use crate::schema::{Expr, Function, RelationId, Row};
use crate::value::Value;

/// Whether a condition can't be TRUE where there is no row at the end of the base's path.
pub(super) fn rejects(expr: &Expr, base: &Base) -> bool {
    match expr {
        Expr::Literal(Value::Boolean(value)) => !value,
        Expr::And(parts) => parts.iter().any(|part| rejects(part, base)),
        Expr::Or(parts) => parts.iter().all(|part| rejects(part, base)),
        Expr::Not(operand) => is_null(operand, base),
        // No key, no rows.
        Expr::Exists { row, path, .. } => leads_through(*row, path, base),
        _ => is_null(expr, base),
    }
}

/// Whether an expression is NULL there.
fn is_null(expr: &Expr, base: &Base) -> bool {
    match expr {
        Expr::Literal(value) => *value == Value::Null,
        Expr::Ref(reference) => leads_through(reference.row, &reference.path, base),
        Expr::Not(operand) | Expr::Negate(operand) => is_null(operand, base),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(|part| is_null(part, base)),
        Expr::Compare(_, left, right) | Expr::Arithmetic(_, left, right) => {
            is_null(left, base) || is_null(right, base)
        }
        Expr::In(value, _) | Expr::Like(value, _) => is_null(value, base),
        Expr::Call(Function::Coalesce, values) => values.iter().all(|value| is_null(value, base)),
        Expr::Call(_, values) => values.iter().any(|value| is_null(value, base)),
        Expr::Now
        | Expr::Authenticated
        | Expr::Scope(_)
        | Expr::IsNull(_)
        | Expr::Exists { .. }
        | Expr::Aggregate { .. } => false,
    }
}

fn leads_through(row: Row, path: &[RelationId], base: &Base) -> bool {
    row == base.row && path.starts_with(&base.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Comparison, FieldId, Ref, ResourceId};

    #[test]
    fn a_rule_that_asks_for_a_value_rejects_a_missing_row() {
        let id = ResourceId(0);
        let step = RelationId {
            resource: id,
            index: 0,
        };
        let base = Base {
            row: Row::Level(0),
            path: vec![step],
            resource: id,
        };
        let field = |path: &[RelationId]| {
            Expr::Ref(Ref {
                row: Row::Level(0),
                path: path.to_vec(),
                field: FieldId {
                    resource: id,
                    index: 0,
                },
            })
        };
        let (own, other) = (field(&[step, step]), field(&[]));
        let equal = |one: &Expr, two: &Expr| {
            Expr::Compare(Comparison::Equal, Box::new(one.clone()), Box::new(two.clone()))
        };
        let not = |expr: &Expr| Expr::Not(Box::new(expr.clone()));
        let asked = equal(&own, &other);
        let null = Expr::IsNull(Box::new(own.clone()));
        let exists = Expr::Exists {
            row: Row::Level(0),
            path: vec![step],
            relation: step,
            condition: None,
        };
        for (expr, wanted) in [
            (asked.clone(), true),
            (not(&asked), true),
            (equal(&other, &other), false),
            (null.clone(), false),
            (not(&null), false),
            (Expr::Or(vec![asked.clone(), null.clone()]), false),
            (Expr::And(vec![null.clone(), asked.clone()]), true),
            (not(&Expr::And(vec![asked.clone(), null])), false),
            (exists.clone(), true),
            (not(&exists), false),
            (Expr::Call(Function::Coalesce, vec![own, other]), false),
            (Expr::Literal(Value::Boolean(true)), false),
        ] {
            assert_eq!(rejects(&expr, &base), wanted, "{expr:?}");
        }
    }
}
