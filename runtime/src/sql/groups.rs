//! Aggregates as SQL: one statement, of which each row is a group.
//!
//! Sums are exact, however large: PostgreSQL's are `numeric`; SQLite, whose `sum` fails beyond 64 bits, adds the upper
//! and the lower halves apart. An average is the sum by the number of values, so that it is the same on both.

use rest_schema::types::Kind;
use rest_schema::{Aggregate, FieldId, FieldType};

use crate::codec::{Codec, DecimalForm};
use crate::plan::aggregate::{Groups, Term, Value};
use crate::plan::expr::Expr;
use crate::plan::read::Shape;
use crate::request::aggregate::FUNCTIONS;
use crate::sql::condition::Writer;
use crate::sql::dialect::Dialect;
use crate::sql::select::{self, Layout, Read, fragment};
use crate::sql::{Bind, Statement};

/// Which column of a group is what. Numbers are places in the row.
#[derive(Debug)]
pub struct GroupLayout {
    /// The values that make the group.
    pub by: Vec<Member>,
    /// What is told of it, in the order asked for.
    pub parts: Vec<Part>,
    /// Where it says that a value which was added up is no number, and of which field.
    pub odd: Vec<(usize, FieldId)>,
}

/// A part of what is told of a group.
#[derive(Debug)]
pub enum Part {
    /// The number of rows.
    Count(usize),
    /// What a function gives, by field: `"sum":`
    Of(Box<[u8]>, Vec<Member>),
}

/// A value, under a name.
#[derive(Debug)]
pub struct Member {
    /// `"author.username":`
    pub fragment: Box<[u8]>,
    /// The field, for messages.
    pub field: FieldId,
    /// What it is.
    pub told: Told,
}

/// How a value is told.
#[derive(Debug)]
pub enum Told {
    /// As items show it.
    Shown(Codec, usize),
    /// A sum.
    Sum(Sum),
    /// A sum by the number of values.
    Average(Sum, usize),
}

/// Where a sum is.
#[derive(Debug, Clone, Copy)]
pub enum Sum {
    /// A double.
    Real(usize),
    /// Digits; so many of them after the point of a decimal.
    Digits(usize, Option<u8>),
    /// Two integers: how often 2^32 is in it, and what is left over.
    Halves(usize, usize, Option<u8>),
}

impl Sum {
    /// The first of its columns: NULL where there was nothing to add.
    pub fn column(self) -> usize {
        match self {
            Self::Real(column) | Self::Digits(column, _) | Self::Halves(column, _, _) => column,
        }
    }
}

/// Writes what is worked out of a shape's rows.
pub(super) fn read(writer: Writer<'_>, shape: &Shape, groups: &Groups) -> Read {
    let mut under_way = Writing {
        writer,
        values: Vec::new(),
        columns: Vec::new(),
        odd: Vec::new(),
    };
    let layout = under_way.layout(groups);
    let mut out = Statement::default();
    out.push("SELECT ")
        .push(&under_way.columns.join(", "))
        .push(" FROM (SELECT ");
    for (place, value) in under_way.values.iter().enumerate() {
        out.push(if place > 0 { ", " } else { "" }).append(value);
        out.push(&format!(" AS v{place}"));
    }
    if under_way.values.is_empty() {
        out.push("1 AS v0");
    }
    select::from(writer, &shape.level, &mut out);
    select::filter(writer, &shape.condition, &mut out);
    out.push(") s");
    let by = &under_way.columns[..groups.by.len()];
    if !by.is_empty() {
        out.push(" GROUP BY ").push(&by.join(", "));
        // NULL is greater than every value.
        out.push(" ORDER BY ")
            .push(&by.join(" NULLS LAST, "))
            .push(" NULLS LAST");
    }
    out.push(" LIMIT ").bind(Bind::Wanted);
    Read {
        segments: vec![out],
        layout: Layout::nothing(shape.resource),
        count: None,
        backward: false,
        groups: Some(layout),
    }
}

/// A statement under way.
struct Writing<'a> {
    writer: Writer<'a>,
    /// What is taken of each row, `v0` and so on, each once.
    values: Vec<Statement>,
    /// What is worked out of it, each once.
    columns: Vec<String>,
    odd: Vec<(usize, FieldId)>,
}

impl Writing<'_> {
    fn layout(&mut self, groups: &Groups) -> GroupLayout {
        let mut by = Vec::new();
        for value in &groups.by {
            let taken = self.compared(&value.expr);
            let codec = self.writer.model.codec(value.field).clone();
            let told = Told::Shown(codec, self.column(taken));
            by.push(member(value, told));
        }
        let mut parts: Vec<(Aggregate, Part)> = Vec::new();
        for Term { function, of } in &groups.terms {
            let Some(value) = of else {
                let column = self.column("count(*)".to_owned());
                parts.push((*function, Part::Count(column)));
                continue;
            };
            let told = member(value, self.told(*function, value));
            match parts.iter_mut().find(|(known, _)| known == function) {
                Some((_, Part::Of(_, members))) => members.push(told),
                _ => {
                    let row = FUNCTIONS.iter().find(|row| row.function == *function);
                    let word = row.map_or("", |row| row.word);
                    parts.push((*function, Part::Of(fragment(word), vec![told])));
                }
            }
        }
        GroupLayout {
            by,
            parts: parts.into_iter().map(|(_, part)| part).collect(),
            odd: std::mem::take(&mut self.odd),
        }
    }

    fn told(&mut self, function: Aggregate, value: &Value) -> Told {
        match function {
            Aggregate::Avg => {
                let sum = self.sum(value);
                let taken = self.number(value);
                Told::Average(sum, self.column(format!("count({taken})")))
            }
            Aggregate::Min | Aggregate::Max => {
                let word = if function == Aggregate::Min { "min" } else { "max" };
                let codec = self.writer.model.codec(value.field);
                let (taken, codec) = match (self.scale(value.field), codec.scaled()) {
                    (Some(scale), None) if self.writer.dialect() == Dialect::Sqlite => {
                        (self.number(value), units_of(scale))
                    }
                    _ => (self.compared(&value.expr), codec.clone()),
                };
                Told::Shown(codec, self.column(format!("{word}({taken})")))
            }
            Aggregate::Sum | Aggregate::Count | Aggregate::Exists => Told::Sum(self.sum(value)),
        }
    }

    fn sum(&mut self, value: &Value) -> Sum {
        let taken = self.number(value);
        let scale = self.scale(value.field);
        self.check(value);
        let is_float = self.writer.model.field(value.field).ty.kind() == Kind::Float;
        match self.writer.dialect() {
            Dialect::Sqlite if is_float => Sum::Real(self.column(format!("sum({taken})"))),
            Dialect::Postgres if is_float => Sum::Real(self.column(format!("sum({taken}::float8)"))),
            Dialect::Postgres => Sum::Digits(self.column(format!("sum({taken}::numeric)")), scale),
            Dialect::Sqlite => Sum::Halves(
                self.column(format!("sum({taken} >> 32)")),
                self.column(format!("sum({taken} & 4294967295)")),
                scale,
            ),
        }
    }

    /// SQLite adds up whatever it finds, and takes a word for zero.
    fn check(&mut self, value: &Value) {
        let kinds = match self.writer.model.codec(value.field) {
            _ if self.writer.dialect() == Dialect::Postgres => return,
            Codec::Integer | Codec::Bigint => "'integer', 'null'",
            Codec::Decimal {
                form: DecimalForm::Text,
                ..
            } => "'integer', 'real', 'text', 'null'",
            _ => "'integer', 'real', 'null'",
        };
        let mut stored = Statement::default();
        self.writer.write(&value.expr, &mut stored);
        let stored = self.taken(stored);
        let column = self.column(format!("max(typeof({stored}) NOT IN ({kinds}))"));
        if !self.odd.contains(&(column, value.field)) {
            self.odd.push((column, value.field));
        }
    }

    /// The digits after the point of a decimal.
    fn scale(&self, field: FieldId) -> Option<u8> {
        match self.writer.model.field(field).ty {
            FieldType::Decimal { scale, .. } => Some(scale),
            _ => None,
        }
    }

    /// A number of each row. What SQLite keeps of a decimal as a double or a text becomes a whole number of its units.
    fn number(&mut self, value: &Value) -> String {
        let is_kept = self.writer.dialect() == Dialect::Postgres
            || self.writer.model.codec(value.field).scaled().is_some();
        let mut taken = Statement::default();
        match self.scale(value.field).filter(|_| !is_kept) {
            None => {
                self.writer.write(&value.expr, &mut taken);
            }
            Some(scale) => {
                taken.push("CAST(round(");
                self.writer.write(&value.expr, &mut taken);
                taken.push(&format!(" * 1e{scale}) AS INTEGER)"));
            }
        }
        self.taken(taken)
    }

    /// A value of each row, as it is compared.
    fn compared(&mut self, expr: &Expr) -> String {
        let mut taken = Statement::default();
        self.writer.ordered(expr, &mut taken);
        self.taken(taken)
    }

    fn taken(&mut self, value: Statement) -> String {
        format!("v{}", place(&mut self.values, value))
    }

    fn column(&mut self, text: String) -> usize {
        place(&mut self.columns, text)
    }
}

fn place<T: PartialEq>(all: &mut Vec<T>, one: T) -> usize {
    let known = all.iter().position(|other| *other == one);
    known.unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    })
}

fn member(value: &Value, told: Told) -> Member {
    Member {
        fragment: fragment(&value.name),
        field: value.field,
        told,
    }
}

/// A decimal as a whole number of its units.
fn units_of(scale: u8) -> Codec {
    Codec::Decimal {
        precision: 38,
        scale,
        form: DecimalForm::Scaled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Caller;
    use crate::model::Model;
    use crate::plan::read::Planner;
    use crate::request::page::CursorKey;
    use crate::request::query;
    use crate::respond::format::Format;

    const BOOKS: &str = "
service: books
managed: true
resources:
  Author:
    fields: { name: { type: string, filterable: true } }
    access: { read: public }
  Book:
    fields:
      pages: { type: integer, optional: true }
      price: { type: decimal, precision: 8, scale: 2 }
      weight: { type: float }
      status: { type: enum, values: [listed, sold], filterable: true }
    belongs_to: { author: { to: Author, inverse: books } }
    access: { read: status = 'listed' }
";

    fn written(raw: &str, dialect: Dialect) -> String {
        let schema = rest_schema::read_one("rest.yaml", BOOKS)
            .expect("a schema")
            .schema;
        let columns = crate::codec::Columns::ours(&schema, dialect);
        let model = Model::new(schema.clone(), columns);
        let (books, _) = schema.resources().nth(1).expect("a resource");
        let query = query::collection(&schema, books, Some(raw), Format::Json, &|_| true);
        let caller = Caller::anonymous();
        let planner = Planner {
            model: &model,
            caller: &caller,
        };
        let plan = planner
            .page(books, &query.expect("a query"), &CursorKey::new([0; 32]))
            .expect("a plan");
        select::read(&model, &plan.shape).segments[0].text.clone()
    }

    #[test]
    fn a_statement_takes_values_and_works_them_out() {
        let asked = [
            "aggregate=count",
            "aggregate=count,avg(pages),sum(pages),sum(price),max(weight)&group=status,author.name",
        ];
        let all = [Dialect::Sqlite, Dialect::Postgres]
            .map(|dialect| asked.map(|raw| written(raw, dialect)).join("\n"));
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
