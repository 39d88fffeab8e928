//! Reads as SQL: the statements of a page or an item, of each level of includes below it, and of its count.
//!
//! Includes never join: each level is one statement over the distinct keys of the level above, bound as one array.

use rest_schema::{Link, RelationId};

use crate::codec::Codec;
use crate::model::Model;
use crate::plan::expr::{Expr, Slot};
use crate::plan::level::{Included, Level, Shown};
use crate::plan::read::{Select, Shape, Start, Term};
use crate::sql::condition::Writer;
use crate::sql::dialect::Dialect;
use crate::sql::groups::{self, GroupLayout};
use crate::sql::{Bind, Statement};

/// A read plan's shape, written.
#[derive(Debug)]
pub struct Read {
    /// Run one after another until the page is full.
    pub segments: Vec<Statement>,
    /// What the rows hold.
    pub layout: Layout,
    /// The number of all rows, where it is asked for.
    pub count: Option<Statement>,
    /// Whether the rows come in the opposite of the order.
    pub backward: bool,
    /// What the rows hold instead, where each is a group.
    pub groups: Option<GroupLayout>,
}

/// Which column of a row is what. Numbers are places in the row.
#[derive(Debug)]
pub struct Layout {
    /// Whose rows.
    pub resource: rest_schema::ResourceId,
    /// What is written of a row.
    pub shown: Vec<ShownColumn>,
    /// The levels below.
    pub includes: Vec<Include>,
    /// The terms of the order, for cursors.
    pub order: Vec<usize>,
    /// The key.
    pub key: Vec<usize>,
    /// All stored columns in the schema's order (items only).
    pub stored: Vec<usize>,
    /// Those that make the state of an item.
    pub state: Vec<usize>,
    /// When the item was last changed, where that says when what is shown of it was.
    pub modified: Option<(usize, Codec)>,
    /// The conditions asked for with an item.
    pub flags: Vec<usize>,
}

impl Layout {
    /// Nothing of a row.
    pub(super) fn nothing(resource: rest_schema::ResourceId) -> Self {
        Self {
            resource,
            shown: Vec::new(),
            includes: Vec::new(),
            order: Vec::new(),
            key: Vec::new(),
            stored: Vec::new(),
            state: Vec::new(),
            modified: None,
            flags: Vec::new(),
        }
    }
}

/// A member of the item.
#[derive(Debug)]
pub struct ShownColumn {
    /// `"name":`
    pub fragment: Box<[u8]>,
    /// The field, for messages.
    pub field: rest_schema::FieldId,
    /// How it is written.
    pub codec: Codec,
    /// Where its value is.
    pub column: usize,
    /// Where it says whether it is shown.
    pub guard: Option<usize>,
}

/// A level below.
#[derive(Debug)]
pub struct Include {
    /// `"name":`
    pub fragment: Box<[u8]>,
    /// The relation.
    pub relation: RelationId,
    /// Where the row's own side of the link is; one NULL among them: it leads nowhere.
    pub link: Vec<usize>,
    /// One object or null.
    pub to_one: bool,
    /// The most rows of one parent.
    pub cap: u32,
    /// Column 0 is the place of the parent's key in the bound array.
    pub statement: Statement,
    /// What the rows hold.
    pub layout: Layout,
}

/// Writes a shape.
pub fn read(model: &Model, shape: &Shape) -> Read {
    let writer = Writer::new(model);
    match &shape.select {
        Select::Item { flags } => item(writer, shape, flags),
        Select::Page { order, start, count } => page(writer, shape, order, start, *count),
        Select::Groups(groups) => groups::read(writer, shape, groups),
    }
}

fn item(writer: Writer<'_>, shape: &Shape, flags: &[Expr]) -> Read {
    let mut columns = Columns::default();
    let mut layout = layout(writer, &shape.level, &[], true, &mut columns);
    layout.flags = flags.iter().map(|flag| columns.add(flag, None)).collect();
    let mut out = Statement::default();
    columns.select(writer, &mut out);
    from(writer, &shape.level, &mut out);
    filter(writer, &shape.condition, &mut out);
    Read {
        segments: vec![out],
        layout,
        count: None,
        backward: false,
        groups: None,
    }
}

fn page(writer: Writer<'_>, shape: &Shape, order: &[Term], start: &Start, count: bool) -> Read {
    let mut columns = Columns::default();
    let layout = layout(writer, &shape.level, order, false, &mut columns);
    let mut head = Statement::default();
    columns.select(writer, &mut head);
    from(writer, &shape.level, &mut head);
    let backward = matches!(start, Start::At { backward: true, .. });
    let segments = segments(order, start)
        .into_iter()
        .map(|segment| {
            let mut out = head.clone();
            filter(
                writer,
                &Expr::and([shape.condition.clone(), segment.condition.clone()]),
                &mut out,
            );
            order_by(writer, &segment.order, &mut out);
            out.push(" LIMIT ").bind(Bind::Wanted);
            if let Start::Offset(offset) = start {
                out.push(" OFFSET ").bind(Bind::Slot(Slot::Param(*offset)));
            }
            out
        })
        .collect();
    let count = count.then(|| {
        let mut out = Statement::default();
        out.push("SELECT count(*)");
        from(writer, &shape.level, &mut out);
        filter(writer, &shape.condition, &mut out);
        out
    });
    Read {
        segments,
        layout,
        count,
        backward,
        groups: None,
    }
}

pub(super) fn from(writer: Writer<'_>, level: &Level, out: &mut Statement) {
    out.push(" FROM ")
        .table(&writer.model.resource(level.resource).table)
        .push(" t0");
}

pub(super) fn filter(writer: Writer<'_>, condition: &Expr, out: &mut Statement) {
    if *condition != Expr::Boolean(true) {
        out.push(" WHERE ");
        writer.write(condition, out);
    }
}

fn order_by(writer: Writer<'_>, order: &[Term], out: &mut Statement) {
    for (place, term) in order.iter().enumerate() {
        out.push(if place == 0 { " ORDER BY " } else { ", " });
        writer.ordered(&term.expr, out);
        if term.descending {
            out.push(" DESC");
        }
        if term.nullable {
            // NULL is greater than every value.
            out.push(if term.descending {
                " NULLS FIRST"
            } else {
                " NULLS LAST"
            });
        }
    }
}

/// A part of an order that one index scan serves.
struct Segment {
    condition: Expr,
    order: Vec<Term>,
}

/// The rows from a place on, as ranges: those equal to it in the longest prefix first, so that each is one index range.
fn segments(order: &[Term], start: &Start) -> Vec<Segment> {
    match start {
        Start::Offset(_) => vec![Segment {
            condition: Expr::Boolean(true),
            order: order.to_vec(),
        }],
        Start::First => split_at_null(Vec::new(), order),
        Start::At {
            values,
            nulls,
            backward,
        } => {
            let order: Vec<Term> = order.iter().map(|term| reversed(term, *backward)).collect();
            (0..order.len())
                .rev()
                .flat_map(|equal| after(&order, equal, *values, nulls))
                .collect()
        }
    }
}

fn reversed(term: &Term, backward: bool) -> Term {
    Term {
        descending: term.descending != backward,
        ..term.clone()
    }
}

/// A nullable first term splits into its values and its NULLs, so that an index serves each.
fn split_at_null(equal: Vec<Expr>, order: &[Term]) -> Vec<Segment> {
    let Some((first, rest)) = order.split_first() else {
        return Vec::new();
    };
    if !first.nullable {
        return vec![Segment {
            condition: Expr::and(equal),
            order: order.to_vec(),
        }];
    }
    let is_null = Expr::IsNull(Box::new(first.expr.clone()));
    let mut valued = vec![Term {
        nullable: false,
        ..first.clone()
    }];
    valued.extend_from_slice(rest);
    let values = Segment {
        condition: Expr::and(equal.iter().cloned().chain([is_null.clone().negated()])),
        order: valued,
    };
    let nulls = Segment {
        condition: Expr::and(equal.into_iter().chain([is_null])),
        order: rest.to_vec(),
    };
    if first.descending {
        vec![nulls, values]
    } else {
        vec![values, nulls]
    }
}

/// The rows equal to the place in the first `equal` terms and after it in the next.
fn after(order: &[Term], equal: usize, values: u16, nulls: &[bool]) -> Vec<Segment> {
    let value = |place: usize| {
        let offset = u16::try_from(place).unwrap_or(u16::MAX);
        Box::new(Expr::Slot(Slot::Param(values.saturating_add(offset))))
    };
    let is_null = |place: usize| Expr::IsNull(Box::new(order[place].expr.clone()));
    let compare = |op, place: usize| Expr::Compare(op, Box::new(order[place].expr.clone()), value(place));
    let prefix: Vec<Expr> = (0..equal)
        .map(|place| {
            if nulls[place] {
                is_null(place)
            } else {
                compare(rest_schema::Comparison::Equal, place)
            }
        })
        .collect();
    let term = &order[equal];
    let of = |condition: Expr, order: &[Term]| Segment {
        condition: Expr::and(prefix.iter().cloned().chain([condition])),
        order: order.to_vec(),
    };
    let mut valued = vec![Term {
        nullable: false,
        ..term.clone()
    }];
    valued.extend_from_slice(&order[equal + 1..]);
    match (nulls[equal], term.descending) {
        // NULL is the greatest: ascending nothing follows it, descending every value does.
        (true, false) => Vec::new(),
        (true, true) => vec![of(is_null(equal).negated(), &valued)],
        (false, true) => vec![of(compare(rest_schema::Comparison::Less, equal), &valued)],
        (false, false) => {
            let mut all = vec![of(compare(rest_schema::Comparison::Greater, equal), &valued)];
            if term.nullable {
                all.push(of(is_null(equal), &order[equal + 1..]));
            }
            all
        }
    }
}

/// The columns of a statement, each once.
#[derive(Default)]
struct Columns {
    all: Vec<(Expr, Option<rest_schema::FieldId>)>,
    first: usize,
}

impl Columns {
    fn add(&mut self, expr: &Expr, as_field: Option<rest_schema::FieldId>) -> usize {
        let wanted = (expr.clone(), as_field);
        let place = self
            .all
            .iter()
            .position(|column| *column == wanted)
            .unwrap_or_else(|| {
                self.all.push(wanted);
                self.all.len() - 1
            });
        self.first + place
    }

    fn select(&self, writer: Writer<'_>, out: &mut Statement) {
        out.push("SELECT ");
        if self.first > 0 {
            out.push(writer.dialect().place_of_key());
        }
        if self.first == 0 && self.all.is_empty() {
            out.push("1");
        }
        for (place, (expr, field)) in self.all.iter().enumerate() {
            if place + self.first > 0 {
                out.push(", ");
            }
            match field {
                Some(field) => writer.write_as(expr, *field, out),
                None => {
                    writer.write(expr, out);
                }
            }
        }
    }
}

/// Decides the columns of a level. Keys and links are fetched even where they aren't shown.
fn layout(writer: Writer<'_>, level: &Level, order: &[Term], whole: bool, columns: &mut Columns) -> Layout {
    let model = writer.model;
    let shown = level
        .fields
        .iter()
        .map(|shown| {
            let computed = !model.field(shown.field).is_stored();
            ShownColumn {
                fragment: fragment(&model.field(shown.field).api_name),
                field: shown.field,
                codec: model.codec(shown.field).clone(),
                column: columns.add(&shown.value, computed.then_some(shown.field)),
                guard: shown.guard.as_ref().map(|guard| columns.add(guard, None)),
            }
        })
        .collect();
    let resource = model.resource(level.resource);
    let key = resource
        .key
        .fields
        .iter()
        .map(|field| columns.add(&Expr::Column(0, *field), None))
        .collect();
    let links: Vec<Vec<usize>> = level
        .includes
        .iter()
        .map(|included| {
            let fields = included.local(model);
            fields
                .iter()
                .map(|field| columns.add(&Expr::Column(0, *field), None))
                .collect()
        })
        .collect();
    let order = order.iter().map(|term| columns.add(&term.expr, None)).collect();
    let mut add_all = |all: &mut dyn Iterator<Item = Expr>| -> Vec<usize> {
        let wanted = all.filter(|_| whole);
        wanted.map(|expr| columns.add(&expr, None)).collect()
    };
    let column = |(field, _)| Expr::Column(0, field);
    let stored = add_all(&mut model.stored(level.resource).map(column));
    let state = add_all(&mut model.state(level.resource).into_iter());
    let of_others = |shown: &Shown| !model.field(shown.field).is_stored();
    let is_its_own = level.includes.is_empty() && !level.fields.iter().any(of_others);
    let updated = resource.kept.updated.filter(|_| whole && is_its_own);
    let modified = updated.map(|field| {
        let column = columns.add(&Expr::Column(0, field), None);
        (column, model.codec(field).clone())
    });
    let includes = level
        .includes
        .iter()
        .zip(links)
        .map(|(included, link)| include(writer, included, link))
        .collect();
    Layout {
        resource: level.resource,
        shown,
        includes,
        order,
        key,
        stored,
        state,
        modified,
        flags: Vec::new(),
    }
}

pub(super) fn fragment(name: &str) -> Box<[u8]> {
    let mut text = serde_json::Value::from(name).to_string().into_bytes();
    text.push(b':');
    text.into()
}

fn include(writer: Writer<'_>, included: &Included, link: Vec<usize>) -> Include {
    let mut columns = Columns {
        all: Vec::new(),
        first: 1,
    };
    let layout = layout(writer, &included.level, &included.order, false, &mut columns);
    let mut out = Statement::default();
    columns.select(writer, &mut out);
    out.push(" FROM ");
    let types = key_types(writer, included);
    writer.dialect().keys(&mut out, &types);
    let to_one = included.is_to_one(writer.model);
    if !to_one && writer.dialect() == Dialect::Postgres {
        out.push(" CROSS JOIN LATERAL (SELECT t0.*");
        of_parent(writer, included, &mut out);
        out.push(") t0");
    } else {
        out.push(match writer.dialect() {
            // In this order, whatever SQLite thinks of it.
            Dialect::Sqlite => " CROSS JOIN ",
            Dialect::Postgres => " JOIN ",
        });
        out.table(&writer.model.resource(included.level.resource).table)
            .push(" t0 ON ");
        if to_one {
            linked(writer, included, &mut out);
            filter(writer, &included.condition, &mut out);
        } else {
            capped(writer, included, &mut out);
        }
    }
    if !to_one {
        out.push(" ORDER BY j.key");
        let mut order = Statement::default();
        order_by(writer, &included.order, &mut order);
        out.push(&order.text.replacen(" ORDER BY ", ", ", 1));
        out.slots.extend(order.slots);
    }
    Include {
        fragment: fragment(included.name(writer.model)),
        relation: included.relation,
        link,
        to_one,
        cap: included.cap,
        statement: out,
        layout,
    }
}

/// The types of the parts of the keys by which a relation is followed.
fn key_types<'m>(writer: Writer<'m>, included: &Included) -> Vec<&'m str> {
    let remote = included.remote(writer.model).map(<[_]>::to_vec);
    let fields = remote.unwrap_or_else(|| included.local(writer.model));
    let of = |field| writer.model.column_type(field).map_or("", |of| of.name.as_str());
    fields.into_iter().map(of).collect()
}

/// `t0.remote = j.value`
fn linked(writer: Writer<'_>, included: &Included, out: &mut Statement) {
    match &writer.model.relation(included.relation).link {
        Link::Keys { .. } => {
            let remote = included.remote(writer.model).unwrap_or_default();
            for (place, field) in remote.iter().enumerate() {
                if place > 0 {
                    out.push(" AND ");
                }
                out.column(0, &writer.model.field(*field).column).push(" = ");
                writer.dialect().part_of_key(out, place, remote.len());
            }
        }
        Link::Join { table, local, remote } => {
            out.push("EXISTS (SELECT 1 FROM ").table(table).push(" t1 WHERE ");
            for (place, join) in local.iter().enumerate() {
                out.column(1, &join.column).push(" = ");
                writer.dialect().part_of_key(out, place, local.len());
                out.push(" AND ");
            }
            for (place, join) in remote.iter().enumerate() {
                if place > 0 {
                    out.push(" AND ");
                }
                out.column(1, &join.column).push(" = ");
                out.column(0, &writer.model.field(join.field).column);
            }
            writer.and(&included.pairs, out);
            out.push(")");
        }
    }
}

/// The first rows of each parent by their keys: `row_number()` would read every child.
fn capped(writer: Writer<'_>, included: &Included, out: &mut Statement) {
    let model = writer.model;
    let resource = model.resource(included.level.resource);
    let keys = &resource.key.fields;
    let tuple = |out: &mut Statement| {
        for (place, key) in keys.iter().enumerate() {
            if place > 0 {
                out.push(", ");
            }
            out.column(0, &model.field(*key).column);
        }
    };
    out.push(if keys.len() > 1 { "(" } else { "" });
    tuple(out);
    out.push(if keys.len() > 1 {
        ") IN (SELECT "
    } else {
        " IN (SELECT "
    });
    tuple(out);
    of_parent(writer, included, out);
    out.push(")");
}

/// The first rows of one parent, from where they stand.
fn of_parent(writer: Writer<'_>, included: &Included, out: &mut Statement) {
    let model = writer.model;
    let table = &model.resource(included.level.resource).table;
    out.push(" FROM ");
    match &model.relation(included.relation).link {
        Link::Keys { .. } => {
            out.table(table).push(" t0 WHERE ");
            linked(writer, included, out);
        }
        Link::Join {
            table: pairs,
            local,
            remote,
        } => {
            out.table(pairs).push(" t1 JOIN ").table(table).push(" t0 ON ");
            for (place, join) in remote.iter().enumerate() {
                if place > 0 {
                    out.push(" AND ");
                }
                out.column(0, &model.field(join.field).column).push(" = ");
                out.column(1, &join.column);
            }
            out.push(" WHERE ");
            for (place, join) in local.iter().enumerate() {
                if place > 0 {
                    out.push(" AND ");
                }
                out.column(1, &join.column).push(" = ");
                writer.dialect().part_of_key(out, place, local.len());
            }
            writer.and(&included.pairs, out);
        }
    }
    writer.and(&included.condition, out);
    order_by(writer, &included.order, out);
    out.push(" LIMIT ")
        .push(itoa::Buffer::new().format(included.cap + 1));
}
