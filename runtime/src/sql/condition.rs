//! The tree of conditions as SQL.
//!
//! Every expression has a [`Form`], so that decimals kept as integers of their smallest units meet other numbers at one
//! scale. Where a column meets a constant, it is the constant that is brought over, and the column's index stays usable.

use rest_schema::{Aggregate, Arithmetic, Comparison, FieldId, Function, Link, RelationId};

use crate::migrate::create::literal;
use crate::model::Model;
use crate::plan::expr::{Expr, Origin, Place, Related, Slot, Take, TextMatch};
use crate::plan::lower::{Kind, Lowering, Standing};
use crate::sql::dialect::{Dialect, Sqlite};
use crate::sql::{Bind, Statement, TextForm};

/// What a value is made of, as far as arithmetic and comparison care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An exact number of so many digits after the point, as an integer.
    Exact(u8),
    /// A double.
    Real,
    /// Anything else; a bound value, which has the form of what it meets.
    Other,
}

/// Writes expressions.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The service.
    pub model: &'a Model,
    /// Whether columns stand without the alias of their table, as in a definition.
    pub bare: bool,
}

/// A rule over a row's own columns as a table's definition has it: columns without alias, constants in place.
pub fn definition(model: &Model, rule: &rest_schema::Rule) -> String {
    let read_rule = |_: rest_schema::ResourceId| Expr::Null;
    let (kind, standing) = (Kind::Anonymous, Standing::Stored);
    let lowering = Lowering {
        schema: &model.schema,
        codecs: &model.codecs,
        kind,
        standing,
        read_rule: &read_rule,
    };
    let mut out = Statement::default();
    Writer { model, bare: true }.write(&lowering.value(&rule.expr), &mut out);
    let mut constants = out.slots.iter();
    let mut text = String::with_capacity(out.text.len());
    let mut quote = None;
    for c in out.text.chars() {
        match (c, quote) {
            ('?', None) => text.push_str(&constants.next().map_or_else(|| "NULL".to_owned(), constant)),
            (c @ ('"' | '\''), None) => {
                quote = Some(c);
                text.push(c);
            }
            (c, Some(open)) if c == open => {
                quote = None;
                text.push(c);
            }
            (c, _) => text.push(c),
        }
    }
    text
}

fn constant(bind: &Bind) -> String {
    match bind {
        Bind::Slot(Slot::Literal(cell)) => literal(cell),
        // A definition speaks of the row's own columns and constants, which its check has made sure of.
        Bind::Slot(_) | Bind::Text(..) | Bind::Keys | Bind::Wanted => "NULL".to_owned(),
    }
}

impl<'a> Writer<'a> {
    /// Writes for a statement, in which every table has an alias.
    pub fn new(model: &'a Model) -> Self {
        Self { model, bare: false }
    }
}

impl Writer<'_> {
    /// Appends an expression and says what it is made of.
    pub fn write(&self, expr: &Expr, out: &mut Statement) -> Form {
        match expr {
            Expr::Boolean(value) => {
                out.push(if *value { "TRUE" } else { "FALSE" });
            }
            Expr::Null => {
                out.push("NULL");
            }
            Expr::Slot(slot) => {
                out.bind(Bind::Slot(slot.clone()));
                return self.form_of_slot(slot);
            }
            Expr::Units(units, scale) => {
                out.bind(Bind::Slot(Slot::Literal(crate::cell::Cell::Integer(*units))));
                return Form::Exact(*scale);
            }
            Expr::Column(row, field) => {
                let column = &self.model.field(*field).column;
                if self.bare {
                    out.name(column);
                } else {
                    out.column(*row, column);
                }
                return self.form_of_field(*field);
            }
            Expr::Not(a) => match a.as_ref() {
                // As SQLite's planner knows it.
                Expr::IsNull(a) => self.wrapped("(", a, ") IS NOT NULL", out),
                a => self.wrapped("NOT (", a, ")", out),
            },
            Expr::And(all) => self.joined(all, " AND ", out),
            Expr::Or(all) => self.joined(all, " OR ", out),
            Expr::Compare(op, a, b) if !self.bare && is_class(expr) => {
                Sqlite::usual(out, &|out| self.compare(*op, a, b, out));
            }
            Expr::Compare(op, a, b) => self.compare(*op, a, b, out),
            Expr::In(a, list) if !self.bare && is_class(expr) => {
                Sqlite::usual(out, &|out| self.in_list(a, list, out));
            }
            Expr::In(a, list) => self.in_list(a, list, out),
            Expr::InArray(a, slot) => {
                self.write(a, out);
                Sqlite::in_array(out, Bind::Slot(slot.clone()));
            }
            Expr::Glob(a, slot) => {
                self.write(a, out);
                Sqlite::matches(out, Bind::Slot(slot.clone()));
            }
            Expr::Text(how, a, slot) => self.text(*how, a, slot, out),
            Expr::IsNull(a) => self.wrapped("(", a, ") IS NULL", out),
            Expr::Arithmetic(op, a, b) => return self.arithmetic(*op, a, b, out),
            Expr::Negate(a) => {
                out.push("(- ");
                let form = self.write(a, out);
                out.push(")");
                return form;
            }
            Expr::Call(function, all) => return self.call(*function, all, out),
            Expr::Related(related) => return self.related(related, out),
        }
        Form::Other
    }

    fn wrapped(&self, before: &str, a: &Expr, after: &str, out: &mut Statement) {
        out.push(before);
        self.write(a, out);
        out.push(after);
    }

    fn joined(&self, all: &[Expr], between: &str, out: &mut Statement) {
        out.push("(");
        for (place, part) in all.iter().enumerate() {
            if place > 0 {
                out.push(between);
            }
            self.write(part, out);
        }
        out.push(")");
    }

    fn form_of_slot(&self, slot: &Slot) -> Form {
        match slot {
            Slot::Me(field) | Slot::Given(field) => self.form_of_field(*field),
            Slot::Literal(crate::cell::Cell::Integer(_)) => Form::Exact(0),
            Slot::Literal(crate::cell::Cell::Real(_)) => Form::Real,
            Slot::Param(_) | Slot::Literal(_) | Slot::Now(_) => Form::Other,
        }
    }

    fn form_of_field(&self, field: FieldId) -> Form {
        use rest_schema::types::Kind;
        let field_of = self.model.field(field);
        match (field_of.ty.kind(), self.model.codec(field).scaled()) {
            (Kind::Decimal, Some(scale)) => Form::Exact(scale),
            (Kind::Integer, _) => Form::Exact(0),
            (Kind::Decimal | Kind::Float, _) => Form::Real,
            _ => Form::Other,
        }
    }

    fn compare(&self, op: Comparison, a: &Expr, b: &Expr, out: &mut Statement) {
        let (left, right) = (self.apart(a), self.apart(b));
        let common = common(left.1, right.1);
        out.push("(");
        brought(&left, common, out);
        out.push(match op {
            Comparison::Equal => " = ",
            Comparison::NotEqual => " <> ",
            Comparison::Less => " < ",
            Comparison::LessOrEqual => " <= ",
            Comparison::Greater => " > ",
            Comparison::GreaterOrEqual => " >= ",
        });
        brought(&right, common, out);
        out.push(")");
    }

    fn in_list(&self, a: &Expr, list: &[Expr], out: &mut Statement) {
        let value = self.apart(a);
        let members: Vec<_> = list.iter().map(|member| self.apart(member)).collect();
        let common = members
            .iter()
            .fold(value.1, |form, member| common(form, member.1));
        out.push("(");
        brought(&value, common, out);
        out.push(" IN (");
        for (place, member) in members.iter().enumerate() {
            if place > 0 {
                out.push(", ");
            }
            brought(member, common, out);
        }
        out.push("))");
    }

    fn arithmetic(&self, op: Arithmetic, a: &Expr, b: &Expr, out: &mut Statement) -> Form {
        let (left, right) = (self.apart(a), self.apart(b));
        let (sign, form, target) = match (op, left.1, right.1) {
            (Arithmetic::Concat, ..) => (" || ", Form::Other, None),
            // SQLite divides integers without a rest; ours is the quotient.
            (Arithmetic::Divide, ..) => (" / ", Form::Real, Some(Form::Real)),
            (Arithmetic::Multiply, Form::Exact(a), Form::Exact(b)) => (" * ", Form::Exact(a + b), None),
            (Arithmetic::Multiply, a, b) => (" * ", common(a, b), Some(common(a, b))),
            (Arithmetic::Add, a, b) => (" + ", common(a, b), Some(common(a, b))),
            (Arithmetic::Subtract, a, b) => (" - ", common(a, b), Some(common(a, b))),
        };
        out.push("(");
        brought(&left, target.unwrap_or(left.1), out);
        out.push(sign);
        brought(&right, target.unwrap_or(right.1), out);
        out.push(")");
        form
    }

    fn call(&self, function: Function, all: &[Expr], out: &mut Statement) -> Form {
        let parts: Vec<_> = all.iter().map(|part| self.apart(part)).collect();
        let form = match function {
            Function::Coalesce => parts.iter().fold(Form::Other, |form, part| common(form, part.1)),
            Function::Length => Form::Exact(0),
            Function::Lower | Function::Upper | Function::Slug => Form::Other,
        };
        out.push(Sqlite::function(function)).push("(");
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                out.push(", ");
            }
            let target = if function == Function::Coalesce {
                form
            } else {
                part.1
            };
            brought(part, target, out);
        }
        out.push(")");
        form
    }

    fn text(&self, how: TextMatch, a: &Expr, slot: &Slot, out: &mut Statement) {
        let value = self.apart(a).0;
        let plain = |out: &mut Statement| {
            out.append(&value);
        };
        let folded = |out: &mut Statement| {
            out.push("lower(").append(&value).push(")");
        };
        match (how.place, how.fold) {
            (Place::Start, false) => {
                // A range, so that an index serves it.
                out.push("(")
                    .append(&value)
                    .push(" >= ")
                    .bind(Bind::Slot(slot.clone()))
                    .push(" AND (");
                out.append(&value)
                    .push(" < ")
                    .bind(Bind::Text(slot.clone(), TextForm::Successor));
                out.push(" OR ")
                    .bind(Bind::Text(slot.clone(), TextForm::Successor))
                    .push(" IS NULL))");
            }
            (Place::Within, false) => Sqlite::contains(out, &plain, Bind::Slot(slot.clone())),
            (Place::End, false) => Sqlite::ends_with(out, &plain, &|| Bind::Slot(slot.clone())),
            (place, true) => {
                let bind = || Bind::Text(slot.clone(), TextForm::Folded);
                match place {
                    Place::Within => Sqlite::contains(out, &folded, bind()),
                    Place::Start => Sqlite::starts_with(out, &folded, &bind),
                    Place::End => Sqlite::ends_with(out, &folded, &bind),
                }
            }
        }
    }

    fn related(&self, related: &Related, out: &mut Statement) -> Form {
        let target = self.model.relation(related.relation).target;
        let (mut value, form) = match &related.take {
            Take::Exists => (text("1"), Form::Other),
            Take::Value(value) => self.apart(value),
            Take::Aggregate(function, value) => self.aggregate(*function, value.as_ref()),
        };
        out.push(if related.take == Take::Exists {
            "EXISTS (SELECT "
        } else {
            "(SELECT "
        });
        out.append(&std::mem::take(&mut value)).push(" FROM ");
        out.name(&self.model.resource(target).table)
            .push(" ")
            .alias(related.row)
            .push(" WHERE ");
        self.link(related.relation, related.from, related.row, out);
        if related.condition != Expr::Boolean(true) {
            out.push(" AND ");
            self.write(&related.condition, out);
        }
        out.push(")");
        form
    }

    fn aggregate(&self, function: Aggregate, value: Option<&Expr>) -> (Statement, Form) {
        let Some(value) = value else {
            return (text("count(*)"), Form::Exact(0));
        };
        let (inner, form) = self.apart(value);
        let mut out = Statement::default();
        let (name, form) = match function {
            Aggregate::Count | Aggregate::Exists => ("count(", Form::Exact(0)),
            Aggregate::Sum => ("sum(", form),
            Aggregate::Min => ("min(", form),
            Aggregate::Max => ("max(", form),
            Aggregate::Avg => ("avg(", Form::Real),
        };
        out.push(name);
        let target = if function == Aggregate::Avg {
            Form::Real
        } else {
            form
        };
        brought(&(inner, self.apart(value).1), target, &mut out);
        out.push(")");
        (out, form)
    }

    /// The condition by which a relation finds its rows (row `row`) from where it starts.
    pub fn link(&self, relation: RelationId, from: Origin, row: u8, out: &mut Statement) {
        match &self.model.relation(relation).link {
            Link::Keys { local, remote } => {
                for (place, (local, remote)) in local.iter().zip(remote).enumerate() {
                    if place > 0 {
                        out.push(" AND ");
                    }
                    out.column(row, &self.model.field(*remote).column).push(" = ");
                    self.origin(from, *local, out);
                }
            }
            Link::Join { table, local, remote } => {
                out.push("EXISTS (SELECT 1 FROM ").name(table).push(" j WHERE ");
                for join in local {
                    out.push("j.").name(&join.column).push(" = ");
                    self.origin(from, join.field, out);
                    out.push(" AND ");
                }
                for (place, join) in remote.iter().enumerate() {
                    if place > 0 {
                        out.push(" AND ");
                    }
                    out.push("j.").name(&join.column).push(" = ");
                    out.column(row, &self.model.field(join.field).column);
                }
                out.push(")");
            }
        }
    }

    fn origin(&self, from: Origin, field: FieldId, out: &mut Statement) {
        match from {
            Origin::Row(row) => out.column(row, &self.model.field(field).column),
            Origin::Given => out.bind(Bind::Slot(Slot::Given(field))),
            Origin::Me => out.bind(Bind::Slot(Slot::Me(field))),
        };
    }

    /// Appends a value in a field's own stored form: what a computed field shows through its field's codec.
    pub fn write_as(&self, expr: &Expr, field: FieldId, out: &mut Statement) {
        let value = self.apart(expr);
        let target = match self.form_of_field(field) {
            Form::Other => value.1,
            form => form,
        };
        brought_exactly(&value, target, out);
    }

    fn apart(&self, expr: &Expr) -> (Statement, Form) {
        let mut out = Statement::default();
        let form = self.write(expr, &mut out);
        (out, form)
    }
}

/// Whether a condition only says of which kind a row is, as `status = 'published'` in a rule does: a column equal to
/// constants of the schema. An index on that column finds half the table, and without statistics SQLite would rather
/// take it, and sort, than walk the index of the order until the page is full.
fn is_class(expr: &Expr) -> bool {
    let constant = |expr: &Expr| matches!(expr, Expr::Slot(Slot::Literal(_)));
    match expr {
        Expr::Compare(Comparison::Equal, a, b) => match (a.as_ref(), b.as_ref()) {
            (Expr::Column(..), other) | (other, Expr::Column(..)) => constant(other),
            _ => false,
        },
        Expr::In(a, list) => matches!(a.as_ref(), Expr::Column(..)) && list.iter().all(constant),
        _ => false,
    }
}

fn text(text: &str) -> Statement {
    Statement {
        text: text.to_owned(),
        slots: Vec::new(),
    }
}

/// The form in which two values meet.
fn common(a: Form, b: Form) -> Form {
    match (a, b) {
        (Form::Exact(a), Form::Exact(b)) => Form::Exact(a.max(b)),
        (Form::Other, form) | (form, Form::Other) => form,
        _ => Form::Real,
    }
}

/// Appends a value in a form that holds at least as much.
fn brought((value, form): &(Statement, Form), target: Form, out: &mut Statement) {
    match (form, target) {
        (Form::Exact(from), Form::Exact(to)) if to > *from => {
            out.push("(")
                .append(value)
                .push(" * ")
                .push(&power(to - from))
                .push(")");
        }
        (Form::Exact(from), Form::Real) => {
            out.push("(")
                .append(value)
                .push(" / ")
                .push(&power(*from))
                .push(".0)");
        }
        _ => {
            out.append(value);
        }
    }
}

/// Appends a value in just this form, rounding where digits are lost.
fn brought_exactly(value: &(Statement, Form), target: Form, out: &mut Statement) {
    match (value.1, target) {
        (Form::Exact(from), Form::Exact(to)) if from > to => {
            out.push("CAST(round(")
                .append(&value.0)
                .push(" / ")
                .push(&power(from - to))
                .push(".0) AS INTEGER)");
        }
        (Form::Real, Form::Exact(to)) => {
            out.push("CAST(round(")
                .append(&value.0)
                .push(" * ")
                .push(&power(to))
                .push(".0) AS INTEGER)");
        }
        _ => brought(value, target, out),
    }
}

fn power(digits: u8) -> String {
    let mut text = String::with_capacity(usize::from(digits) + 1);
    text.push('1');
    text.extend(std::iter::repeat_n('0', usize::from(digits)));
    text
}
