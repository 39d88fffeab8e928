//! Bound expressions as text: for `check --show schema` and for messages.
//!
//! What is printed reads back as the same expression, with the rules it uses written out; only a row between two
//! `exists` has no name in the language and is shown as `outer`.

use std::fmt::Write as _;

use crate::schema::{
    Aggregate, Arithmetic, Comparison, Expr, FieldId, Function, Ref, RelationId, Row, Schema,
};
use crate::value::Value;

/// How strongly a part holds together; a weaker one stands in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Or,
    And,
    Not,
    Test,
    Concat,
    Sum,
    Product,
    Unary,
    Primary,
}

/// Writes an expression in the rule language.
pub fn print(schema: &Schema, expr: &Expr) -> String {
    let mut printer = Printer {
        schema,
        out: String::new(),
        level: 0,
    };
    printer.expr(expr, Rank::Or);
    printer.out
}

struct Printer<'a> {
    schema: &'a Schema,
    out: String,
    /// How many `exists` are around.
    level: u8,
}

impl Printer<'_> {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn expr(&mut self, expr: &Expr, least: Rank) {
        let parentheses = rank(expr) < least;
        if parentheses {
            self.out.push('(');
        }
        self.bare(expr);
        if parentheses {
            self.out.push(')');
        }
    }

    fn bare(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal(value) => self.literal(value),
            Expr::Ref(reference) => self.reference(reference),
            Expr::Now => self.text("now"),
            Expr::Authenticated => self.text("authenticated"),
            Expr::Scope(word) => {
                self.text("scope(");
                self.out.push_str(word);
                self.text(")");
            }
            Expr::Not(operand) => self.not(operand),
            Expr::And(parts) => self.list(parts, " and ", Rank::Not),
            Expr::Or(parts) => self.list(parts, " or ", Rank::And),
            Expr::Compare(comparison, left, right) => {
                self.expr(left, Rank::Concat);
                self.text(comparison_sign(*comparison));
                self.expr(right, Rank::Concat);
            }
            Expr::In(value, list) => self.in_list(value, " in (", list),
            Expr::Like(value, pattern) => self.like(value, " like ", pattern),
            Expr::IsNull(value) => {
                self.expr(value, Rank::Concat);
                self.text(" is null");
            }
            Expr::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right),
            Expr::Negate(operand) => {
                self.text("-");
                self.expr(operand, Rank::Primary);
            }
            Expr::Call(function, arguments) => {
                self.text(function_name(*function));
                self.text("(");
                self.list(arguments, ", ", Rank::Or);
                self.text(")");
            }
            Expr::Exists {
                row,
                path,
                relation,
                condition,
            } => self.exists(*row, path, *relation, condition.as_deref()),
            Expr::Aggregate {
                function,
                relation,
                field,
            } => self.aggregate(*function, *relation, *field),
        }
    }

    fn not(&mut self, operand: &Expr) {
        match operand {
            Expr::In(value, list) => self.in_list(value, " not in (", list),
            Expr::Like(value, pattern) => self.like(value, " not like ", pattern),
            Expr::IsNull(value) => {
                self.expr(value, Rank::Concat);
                self.text(" is not null");
            }
            _ => {
                self.text("not ");
                self.expr(operand, Rank::Not);
            }
        }
    }

    fn in_list(&mut self, value: &Expr, word: &str, list: &[Expr]) {
        self.expr(value, Rank::Concat);
        self.text(word);
        self.list(list, ", ", Rank::Concat);
        self.text(")");
    }

    fn like(&mut self, value: &Expr, word: &str, pattern: &str) {
        self.expr(value, Rank::Concat);
        self.text(word);
        self.quoted(pattern);
    }

    fn list(&mut self, parts: &[Expr], between: &str, least: Rank) {
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                self.text(between);
            }
            self.expr(part, least);
        }
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: &Expr, right: &Expr) {
        let (sign, own, tighter) = match operator {
            Arithmetic::Concat => (" || ", Rank::Concat, Rank::Sum),
            Arithmetic::Add => (" + ", Rank::Sum, Rank::Product),
            Arithmetic::Subtract => (" - ", Rank::Sum, Rank::Product),
            Arithmetic::Multiply => (" * ", Rank::Product, Rank::Unary),
            Arithmetic::Divide => (" / ", Rank::Product, Rank::Unary),
        };
        self.expr(left, own);
        self.text(sign);
        self.expr(right, tighter);
    }

    fn exists(&mut self, row: Row, path: &[RelationId], relation: RelationId, condition: Option<&Expr>) {
        self.text("exists(");
        self.row(row);
        for step in path {
            self.relation(*step);
            self.text(".");
        }
        self.relation(relation);
        if let Some(condition) = condition {
            self.text(" where ");
            self.level += 1;
            self.expr(condition, Rank::Or);
            self.level -= 1;
        }
        self.text(")");
    }

    fn aggregate(&mut self, function: Aggregate, relation: RelationId, field: Option<FieldId>) {
        self.text(match function {
            Aggregate::Count => "count(",
            Aggregate::Sum => "sum(",
            Aggregate::Min => "min(",
            Aggregate::Max => "max(",
            Aggregate::Avg => "avg(",
            Aggregate::Exists => "exists(",
        });
        self.relation(relation);
        if let Some(field) = field {
            self.text(".");
            self.field(field);
        }
        self.text(")");
    }

    fn reference(&mut self, reference: &Ref) {
        let name = &self.schema.field(reference.field).name;
        let is_word = matches!(
            name.as_str(),
            "now" | "public" | "authenticated" | "true" | "false" | "null"
        );
        if reference.path.is_empty() && reference.row == Row::Level(self.level) && is_word && self.level == 0
        {
            self.text("this.");
        }
        self.row(reference.row);
        for step in &reference.path {
            self.relation(*step);
            self.text(".");
        }
        self.field(reference.field);
    }

    /// The head of a path, with its point; nothing for the innermost row.
    fn row(&mut self, row: Row) {
        match row {
            Row::Old => self.text("old."),
            Row::Me => self.text("me."),
            Row::Level(level) if level == self.level => {}
            Row::Level(0) => self.text("this."),
            Row::Level(_) => self.text("outer."),
        }
    }

    fn relation(&mut self, id: RelationId) {
        let name = &self.schema.relation(id).name;
        self.out.push_str(name);
    }

    fn field(&mut self, id: FieldId) {
        let name = &self.schema.field(id).name;
        self.out.push_str(name);
    }

    fn literal(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::Decimal(_) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Text(text) | Value::Json(text) => self.quoted(text),
            Value::Timestamp(_) | Value::Date(_) | Value::Time(_) | Value::Uuid(_) | Value::Bytes(_) => {
                self.quoted(&value.to_wire());
            }
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('\'');
        self.out.push_str(&text.replace('\'', "''"));
        self.out.push('\'');
    }
}

fn rank(expr: &Expr) -> Rank {
    match expr {
        Expr::Or(_) => Rank::Or,
        Expr::And(_) => Rank::And,
        Expr::Not(operand) => match **operand {
            Expr::In(..) | Expr::Like(..) | Expr::IsNull(_) => Rank::Test,
            _ => Rank::Not,
        },
        Expr::Compare(..) | Expr::In(..) | Expr::Like(..) | Expr::IsNull(_) => Rank::Test,
        Expr::Arithmetic(Arithmetic::Concat, ..) => Rank::Concat,
        Expr::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => Rank::Sum,
        Expr::Arithmetic(Arithmetic::Multiply | Arithmetic::Divide, ..) => Rank::Product,
        Expr::Negate(_) => Rank::Unary,
        Expr::Literal(value) if value.to_wire().starts_with('-') => Rank::Unary,
        Expr::Literal(_)
        | Expr::Ref(_)
        | Expr::Now
        | Expr::Authenticated
        | Expr::Scope(_)
        | Expr::Call(..)
        | Expr::Exists { .. }
        | Expr::Aggregate { .. } => Rank::Primary,
    }
}

fn comparison_sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " != ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
    }
}

fn function_name(function: Function) -> &'static str {
    match function {
        Function::Coalesce => "coalesce",
        Function::Lower => "lower",
        Function::Upper => "upper",
        Function::Length => "length",
        Function::Slug => "slug",
    }
}
