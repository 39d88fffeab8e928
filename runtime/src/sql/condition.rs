//! The tree of conditions as SQL.
//!
//! Every expression has a [`Form`], so that decimals kept as integers of their smallest units meet other numbers at one
//! scale. Where a column meets a constant, it is the constant that is brought over, and the column's index stays usable.

use rest_schema::{Aggregate, Arithmetic, Comparison, FieldId, Function, Link};

use crate::codec::{Codec, UuidForm};
use crate::migrate::create::literal;
use crate::model::Model;
use crate::plan::expr::{Expr, LedTo, Origin, Place, Related, Search, Slot, Take, TextMatch};
use crate::plan::lower::{Kind, Lowering, Standing};
use crate::sql::dialect::Dialect;
use crate::sql::search::Kept;
use crate::sql::{Bind, Statement, TextForm, constants};

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
        codecs: &model.columns.codecs,
        kind,
        standing,
        read_rule: &read_rule,
    };
    let mut out = Statement::default();
    Writer { model, bare: true }.write(&lowering.value(&rule.expr), &mut out);
    let mut slots = out.slots.iter();
    constants(&out.text, &mut || {
        let slot = slots.next();
        slot.map_or_else(|| "NULL".to_owned(), |slot| constant(slot, model.columns.dialect))
    })
}

/// A value of a definition, as it stands in its text.
pub(crate) fn constant(bind: &Bind, dialect: Dialect) -> String {
    match (bind, dialect) {
        (Bind::Slot(Slot::Literal(cell)), Dialect::Sqlite) => literal(cell),
        // In quotes it takes the type of what it meets.
        (Bind::Slot(Slot::Literal(cell)), Dialect::Postgres) => quoted(cell),
        (Bind::Text(Slot::Literal(cell), form), _) => quoted(&form.of(cell.clone())),
        // A definition speaks of the row's own columns and constants, which its check has made sure of.
        (Bind::Slot(_) | Bind::Text(..) | Bind::Keys(_) | Bind::Wanted, _) => "NULL".to_owned(),
    }
}

fn quoted(cell: &crate::cell::Cell) -> String {
    use crate::cell::Cell;
    match cell {
        Cell::Integer(value) => format!("'{value}'"),
        Cell::Real(value) => format!("'{value:?}'"),
        Cell::Null | Cell::Text(_) | Cell::Blob(_) => literal(cell),
    }
}

impl<'a> Writer<'a> {
    /// Writes for a statement, in which every table has an alias.
    pub fn new(model: &'a Model) -> Self {
        Self { model, bare: false }
    }

    /// The database's language.
    pub fn dialect(&self) -> Dialect {
        self.model.columns.dialect
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
                out.push(&self.type_of_slot(slot));
                return self.form_of_slot(slot);
            }
            Expr::Units(units, scale) if self.dialect() == Dialect::Postgres => {
                let decimal = rest_schema::value::Decimal {
                    units: i128::from(*units),
                    scale: *scale,
                };
                let cell = crate::cell::Cell::Text(decimal.to_string());
                out.bind(Bind::Slot(Slot::Literal(cell))).push("::numeric");
                return Form::Real;
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
                self.dialect().usual(out, &|out| self.compare(*op, a, b, out));
            }
            Expr::Compare(op, a, b) => self.compare(*op, a, b, out),
            Expr::In(a, list) if !self.bare && is_class(expr) => {
                self.dialect().usual(out, &|out| self.in_list(a, list, out));
            }
            Expr::In(a, list) => self.in_list(a, list, out),
            Expr::InArray(a, slot) => {
                let of = self.operand(a, false, out);
                self.dialect().in_array(out, Bind::Slot(slot.clone()), &of);
            }
            Expr::Glob(a, slot) => {
                self.write(a, out);
                self.dialect().matches(out, Bind::Slot(slot.clone()));
            }
            Expr::Text(how, a, slot) => self.text(*how, a, slot, out),
            Expr::Search(search) => self.search(search, out),
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
            Expr::LedTo(led) => self.led_to(led, out),
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

    /// What tells a bound value its type where nothing else does: a value of the account, or of a row that is given, may
    /// meet another such one.
    fn type_of_slot(&self, slot: &Slot) -> String {
        let of = |field: FieldId| self.model.column_type(field);
        match slot {
            Slot::Me(field) | Slot::Given(field) | Slot::Now(field) => {
                of(*field).map_or_else(String::new, |of| format!("::{}", of.name))
            }
            Slot::Scope(_) if self.dialect() == Dialect::Postgres => "::int8".to_owned(),
            Slot::Param(_) | Slot::Literal(_) | Slot::Scope(_) => String::new(),
        }
    }

    /// Appends what is compared with a list, and gives the type of the list's members.
    fn operand(&self, a: &Expr, order: bool, out: &mut Statement) -> String {
        let (value, form) = self.compared(a, order);
        out.append(&value);
        let of_column = match a {
            Expr::Column(_, field) => self.model.column_type(*field),
            _ => None,
        };
        match (form, of_column, a) {
            (Form::Exact(_), ..) => "int8".to_owned(),
            (_, Some(of), Expr::Column(_, field))
                if of.as_text(self.model.field(*field), false).is_empty() =>
            {
                of.name.clone()
            }
            _ => "text".to_owned(),
        }
    }

    /// A value as it is compared: a text of another database's making by its bytes.
    fn compared(&self, a: &Expr, order: bool) -> (Statement, Form) {
        let (mut value, form) = self.apart(a);
        if let Expr::Column(_, field) = a
            && let Some(of) = self.model.column_type(*field)
        {
            value.push(of.as_text(self.model.field(*field), order));
        }
        (value, form)
    }

    /// Appends a term of an order.
    pub fn ordered(&self, expr: &Expr, out: &mut Statement) {
        out.append(&self.compared(expr, true).0);
    }

    /// A constant of any size beside an integer column: it has to be told that it may be greater than that.
    fn widened(&self, value: &mut (Statement, Form), expr: &Expr, beside: Form) {
        let is_value = matches!(expr, Expr::Slot(Slot::Param(_) | Slot::Literal(_)));
        if is_value && self.dialect() == Dialect::Postgres && matches!(beside, Form::Exact(_)) {
            value.0.push("::int8");
        }
    }

    fn form_of_slot(&self, slot: &Slot) -> Form {
        match slot {
            Slot::Me(field) | Slot::Given(field) => self.form_of_field(*field),
            Slot::Literal(crate::cell::Cell::Integer(_)) | Slot::Scope(_) => Form::Exact(0),
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
        let order = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        let (mut left, mut right) = (self.compared(a, order), self.compared(b, order));
        let (of_left, of_right) = (left.1, right.1);
        self.widened(&mut left, a, of_right);
        self.widened(&mut right, b, of_left);
        let common = common(left.1, right.1);
        out.push("(");
        self.brought(&left, common, out);
        out.push(match op {
            Comparison::Equal => " = ",
            Comparison::NotEqual => " <> ",
            Comparison::Less => " < ",
            Comparison::LessOrEqual => " <= ",
            Comparison::Greater => " > ",
            Comparison::GreaterOrEqual => " >= ",
        });
        self.brought(&right, common, out);
        out.push(")");
    }

    fn in_list(&self, a: &Expr, list: &[Expr], out: &mut Statement) {
        let value = self.compared(a, false);
        let members = list.iter().map(|member| {
            let mut written = self.compared(member, false);
            self.widened(&mut written, member, value.1);
            written
        });
        let members: Vec<_> = members.collect();
        let common = members
            .iter()
            .fold(value.1, |form, member| common(form, member.1));
        out.push("(");
        self.brought(&value, common, out);
        out.push(" IN (");
        for (place, member) in members.iter().enumerate() {
            if place > 0 {
                out.push(", ");
            }
            self.brought(member, common, out);
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
        if self.dialect() == Dialect::Postgres {
            return native_arithmetic(op, &left, &right, sign, form, out);
        }
        out.push("(");
        self.brought(&left, target.unwrap_or(left.1), out);
        out.push(sign);
        self.brought(&right, target.unwrap_or(right.1), out);
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
        self.dialect().call(out, function, &|out| {
            for (place, part) in parts.iter().enumerate() {
                if place > 0 {
                    out.push(", ");
                }
                let target = if function == Function::Coalesce {
                    form
                } else {
                    part.1
                };
                self.brought(part, target, out);
            }
        });
        form
    }

    fn text(&self, how: TextMatch, a: &Expr, slot: &Slot, out: &mut Statement) {
        let dialect = self.dialect();
        let value = self.apart(a).0;
        let plain = |out: &mut Statement| {
            out.append(&value);
        };
        let folded = |out: &mut Statement| dialect.folded(out, &plain);
        match (how.place, how.fold) {
            (Place::Start, false) => self.range(a, slot, out),
            (Place::Within, false) => dialect.contains(out, &plain, Bind::Slot(slot.clone())),
            (Place::End, false) => dialect.ends_with(out, &plain, &|| Bind::Slot(slot.clone())),
            (place, true) => {
                let bind = || Bind::Text(slot.clone(), TextForm::Folded);
                match place {
                    Place::Within => dialect.contains(out, &folded, bind()),
                    Place::Start => dialect.starts_with(out, &folded, &bind),
                    Place::End => dialect.ends_with(out, &folded, &bind),
                }
            }
        }
    }

    fn search(&self, search: &Search, out: &mut Statement) {
        let Some(kept) = Kept::of(&self.model.schema, self.dialect(), search.resource) else {
            out.push("FALSE");
            return;
        };
        let text = |form| Bind::Text(search.text.clone(), form);
        match self.dialect() {
            Dialect::Sqlite => {
                let (query, columns) = kept.found(&search.fields);
                let keys = &self.model.resource(search.resource).key.fields;
                out.push("(");
                for (place, key) in keys.iter().enumerate() {
                    out.push(if place == 0 { "" } else { ", " });
                    out.column(search.row, &self.model.field(*key).column);
                }
                out.push(") IN (").push(&query).push(&columns);
                out.bind(text(TextForm::Fts5)).push(")");
            }
            Dialect::Postgres => {
                // What isn't found in all fields isn't in some of them; the index has all.
                let all = kept.fields();
                let narrower = (search.fields != all).then_some(&search.fields);
                for (place, fields) in std::iter::once(&all).chain(narrower).enumerate() {
                    let column = |column: &str| format!("t{}.{}", search.row, crate::migrate::name(column));
                    out.push(if place == 0 { "" } else { " AND " });
                    out.push(&kept.vector(fields, &column))
                        .push(" @@ to_tsquery('simple', ");
                    out.bind(text(TextForm::Tsquery)).push(")");
                }
            }
        }
    }

    /// All texts that begin so, as a range, so that an index serves it.
    fn range(&self, a: &Expr, slot: &Slot, out: &mut Statement) {
        let value = self.compared(a, true).0;
        let successor = || Bind::Text(slot.clone(), TextForm::Successor);
        out.push("(")
            .append(&value)
            .push(" >= ")
            .bind(Bind::Slot(slot.clone()))
            .push(" AND (")
            .append(&value)
            .push(" < ")
            .bind(successor())
            .push(" OR ")
            .bind(successor());
        out.push(match self.dialect() {
            Dialect::Sqlite => " IS NULL))",
            Dialect::Postgres => "::text IS NULL))",
        });
    }

    fn related(&self, related: &Related, out: &mut Statement) -> Form {
        if related.take == Take::Keys {
            self.keys(related, out);
            return Form::Other;
        }
        let target = self.model.relation(related.relation).target;
        let (mut value, form) = match &related.take {
            Take::Exists | Take::Keys => (text("1"), Form::Other),
            Take::Value(value) => self.apart(value),
            Take::Aggregate(function, value) => self.aggregate(*function, value.as_ref()),
        };
        out.push(if related.take == Take::Exists {
            "EXISTS (SELECT "
        } else {
            "(SELECT "
        });
        out.append(&std::mem::take(&mut value)).push(" FROM ");
        out.table(&self.model.resource(target).table)
            .push(" ")
            .alias(related.row)
            .push(" WHERE ");
        self.link(related, out);
        self.and(&related.condition, out);
        out.push(")");
        form
    }

    /// One more condition, where it says something.
    pub fn and(&self, condition: &Expr, out: &mut Statement) {
        if *condition != Expr::Boolean(true) {
            out.push(" AND ");
            self.write(condition, out);
        }
    }

    /// The keys that stand beside a row in pairs, as a JSON array. They come in their order from within, where the table of
    /// pairs has an index that gives it.
    fn keys(&self, related: &Related, out: &mut Statement) {
        let Link::Join { table, local, remote } = &self.model.relation(related.relation).link else {
            out.push("NULL");
            return;
        };
        out.push("(SELECT ")
            .push(&self.dialect().array("k.key"))
            .push(" FROM (SELECT DISTINCT ");
        for join in remote {
            let is_bytes = matches!(self.model.codec(join.field), Codec::Uuid(UuidForm::Bytes));
            let of = self.model.column_type(join.field);
            let as_text = of.map_or("", |of| of.as_text(self.model.field(join.field), true));
            out.push(if is_bytes { "hex(j." } else { "j." })
                .name(&join.column)
                .push(if is_bytes { ")" } else { as_text });
        }
        out.push(" key");
        out.push(" FROM ").table(table).push(" j");
        if related.condition != Expr::Boolean(true) {
            let target = self.model.relation(related.relation).target;
            out.push(" JOIN ")
                .table(&self.model.resource(target).table)
                .push(" ")
                .alias(related.row)
                .push(" ON ");
            for (place, join) in remote.iter().enumerate() {
                out.push(if place == 0 { "" } else { " AND " });
                out.column(related.row, &self.model.field(join.field).column)
                    .push(" = j.")
                    .name(&join.column);
            }
        }
        for (place, join) in local.iter().enumerate() {
            out.push(if place == 0 { " WHERE j." } else { " AND j." })
                .name(&join.column)
                .push(" = ");
            self.origin(related.from, join.field, out);
        }
        self.and(&related.condition, out);
        out.push(" ORDER BY key) k)");
    }

    fn aggregate(&self, function: Aggregate, value: Option<&Expr>) -> (Statement, Form) {
        let Some(value) = value else {
            return (text("count(*)"), Form::Exact(0));
        };
        let is_order = matches!(function, Aggregate::Min | Aggregate::Max);
        let (inner, form) = self.compared(value, is_order);
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
        match (self.dialect(), function) {
            (Dialect::Postgres, Aggregate::Avg) => {
                out.append(&inner).push("::float8");
            }
            _ => self.brought(&(inner, self.apart(value).1), target, &mut out),
        }
        out.push(")");
        (out, form)
    }

    /// The condition by which a relation finds its rows from where it starts.
    fn link(&self, related: &Related, out: &mut Statement) {
        let Related { from, row, pairs, .. } = related;
        match &self.model.relation(related.relation).link {
            Link::Keys { local, remote } => {
                for (place, (local, remote)) in local.iter().zip(remote).enumerate() {
                    if place > 0 {
                        out.push(" AND ");
                    }
                    out.column(*row, &self.model.field(*remote).column).push(" = ");
                    self.origin(*from, *local, out);
                }
            }
            Link::Join { table, local, remote } => {
                let pair = row + 1;
                out.push("EXISTS (SELECT 1 FROM ").table(table).push(" ");
                out.alias(pair).push(" WHERE ");
                for join in local {
                    out.column(pair, &join.column).push(" = ");
                    self.origin(*from, join.field, out);
                    out.push(" AND ");
                }
                for (place, join) in remote.iter().enumerate() {
                    if place > 0 {
                        out.push(" AND ");
                    }
                    out.column(pair, &join.column).push(" = ");
                    out.column(*row, &self.model.field(join.field).column);
                }
                self.and(pairs, out);
                out.push(")");
            }
        }
    }

    /// The start is looked up by itself, once, so that an index finds what it leads to.
    fn led_to(&self, led: &LedTo, out: &mut Statement) {
        let relation = self.model.relation(led.relation);
        let start = |field: FieldId, out: &mut Statement| {
            let table = &self.model.resource(led.relation.resource).table;
            out.push("(SELECT ")
                .column(led.row, &self.model.field(field).column);
            out.push(" FROM ")
                .table(table)
                .push(" ")
                .alias(led.row)
                .push(" WHERE ");
            self.write(&led.condition, out);
            out.push(")");
        };
        out.push("(");
        match &relation.link {
            Link::Keys { local, remote } => {
                for (place, (local, remote)) in local.iter().zip(remote).enumerate() {
                    if place > 0 {
                        out.push(" AND ");
                    }
                    out.column(led.to, &self.model.field(*remote).column).push(" = ");
                    start(*local, out);
                }
            }
            Link::Join { table, local, remote } => {
                let tuple = remote.len() > 1;
                out.push(if tuple { "(" } else { "" });
                for (place, join) in remote.iter().enumerate() {
                    out.push(if place == 0 { "" } else { ", " });
                    out.column(led.to, &self.model.field(join.field).column);
                }
                out.push(if tuple { ") IN (SELECT " } else { " IN (SELECT " });
                for (place, join) in remote.iter().enumerate() {
                    out.push(if place == 0 { "" } else { ", " });
                    out.column(led.row, &join.column);
                }
                out.push(" FROM ")
                    .table(table)
                    .push(" ")
                    .alias(led.row)
                    .push(" WHERE ");
                for (place, join) in local.iter().enumerate() {
                    out.push(if place == 0 { "" } else { " AND " });
                    out.column(led.row, &join.column).push(" = ");
                    start(join.field, out);
                }
                self.and(&led.pairs, out);
                out.push(")");
            }
        }
        out.push(")");
    }

    fn origin(&self, from: Origin, field: FieldId, out: &mut Statement) {
        match from {
            Origin::Row(row) => {
                out.column(row, &self.model.field(field).column);
            }
            Origin::Given => {
                self.write(&Expr::Slot(Slot::Given(field)), out);
            }
            Origin::Me => {
                self.write(&Expr::Slot(Slot::Me(field)), out);
            }
        }
    }

    /// Appends a value in a field's own stored form: what a computed field shows through its field's codec.
    pub fn write_as(&self, expr: &Expr, field: FieldId, out: &mut Statement) {
        let value = self.apart(expr);
        if let Some(of) = self.model.column_type(field) {
            return native_exactly(&value, self.model.field(field), &of.name, out);
        }
        let target = match self.form_of_field(field) {
            Form::Other => value.1,
            form => form,
        };
        self.brought_exactly(&value, target, out);
    }

    /// Appends a value in a form that holds at least as much. PostgreSQL's numbers meet at their own scales.
    fn brought(&self, (value, form): &(Statement, Form), target: Form, out: &mut Statement) {
        match (form, target) {
            _ if self.dialect() == Dialect::Postgres => {
                out.append(value);
            }
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
    fn brought_exactly(&self, value: &(Statement, Form), target: Form, out: &mut Statement) {
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
            _ => self.brought(value, target, out),
        }
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

/// Arithmetic of PostgreSQL, whose numbers know their own scales. Integers are widened first, for it refuses what doesn't
/// fit where SQLite goes on; what is divided by zero is NULL, as there.
fn native_arithmetic(
    op: Arithmetic,
    left: &(Statement, Form),
    right: &(Statement, Form),
    sign: &str,
    form: Form,
    out: &mut Statement,
) -> Form {
    let cast = |of: Form| match (op, of) {
        (Arithmetic::Concat, _) => "::text",
        (Arithmetic::Divide, _) => "::float8",
        (_, Form::Exact(_)) => "::int8",
        _ => "",
    };
    out.push("(").append(&left.0).push(cast(left.1)).push(sign);
    if op == Arithmetic::Divide {
        out.push("nullif(").append(&right.0).push("::float8, 0))");
    } else {
        out.append(&right.0).push(cast(right.1)).push(")");
    }
    form
}

/// A value as a column of PostgreSQL would keep it, rounded half away from zero where digits are lost.
fn native_exactly(value: &(Statement, Form), field: &rest_schema::Field, of: &str, out: &mut Statement) {
    use rest_schema::FieldType;
    match &field.ty {
        FieldType::Decimal { scale, .. } => {
            out.push("round((").append(&value.0).push(")::numeric, ");
            out.push(itoa::Buffer::new().format(*scale)).push(")");
        }
        FieldType::Integer | FieldType::Bigint => {
            out.push("round((").append(&value.0).push(")::numeric)::int8");
        }
        _ => {
            out.push("(").append(&value.0).push(")::").push(of);
        }
    }
}

fn power(digits: u8) -> String {
    let mut text = String::with_capacity(usize::from(digits) + 1);
    text.push('1');
    text.extend(std::iter::repeat_n('0', usize::from(digits)));
    text
}
