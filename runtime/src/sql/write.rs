//! Writes as SQL: the statements of the list of steps, each over one row by its key.

use rest_schema::{Comparison, FieldId, KeyKind, Link, Operation, RelationId, ResourceId};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::model::Model;
use crate::plan::access::{Deed, Ruling, is_there};
use crate::plan::expr::{Expr, Slot};
use crate::plan::read::key_condition;
use crate::sql::condition::Writer;
use crate::sql::dialect::Dialect;
use crate::sql::{Bind, Statement};

/// The row as it is, before a write: all stored columns, and what the rules say of it.
#[derive(Debug)]
pub struct PreSelect {
    /// Parameters: the key.
    pub statement: Statement,
    /// By field: where its value is.
    pub columns: Vec<Option<usize>>,
    /// The columns that make the state.
    pub state: Vec<usize>,
    /// Whether the caller may read the row.
    pub read: usize,
    /// Whether the caller may do this to it.
    pub rule: usize,
    /// By field: whether the caller may write it, where that depends.
    pub writable: Vec<Option<usize>>,
    /// By field: whether the caller may read it, where that depends.
    pub readable: Vec<Option<usize>>,
}

/// Writes the pre-select of what is done to a row that is there, or was deleted and is restored; `computed` are the
/// computed fields that are compared.
pub fn pre_select(
    model: &Model,
    resource: ResourceId,
    caller: &Caller,
    deed: Deed,
    computed: &[u32],
) -> PreSelect {
    let rules = model.rules(resource);
    let writer = Writer::new(model);
    let mut list = List {
        writer,
        statement: Statement::default(),
        columns: 0,
    };
    let columns: Vec<Option<usize>> = model
        .fields(resource)
        .map(|(id, field)| {
            if field.is_stored() {
                return Some(list.add(&Expr::Column(0, id)));
            }
            let wanted = computed.contains(&id.index);
            let value = || model.computed_for(id, caller).unwrap_or(Expr::Null);
            wanted.then(|| list.add_as(&value(), id))
        })
        .collect();
    let state = model.state(resource);
    let state = state
        .iter()
        .map(|expr| match expr {
            Expr::Column(_, field) => columns[field.index as usize].unwrap_or_default(),
            pairs => list.add(pairs),
        })
        .collect();
    let (read, rule) = match deed {
        // Whoever may read what was deleted may restore it; what is there stays as it is.
        Deed::Operation(Operation::Restore) => (rules.read_any.judged(caller), Expr::Boolean(true)),
        _ => (rules.read.judged(caller), rules.deed(deed).judged(caller)),
    };
    let (read, rule) = (list.add(&read), list.add(&rule));
    let each = |list: &mut List<'_>, all: &[Option<Ruling>]| {
        all.iter()
            .map(|rule| rule.as_ref().map(|rule| list.add(&rule.held(caller))))
            .collect::<Vec<_>>()
    };
    let (writable, readable) = if deed != Deed::Operation(Operation::Update) || caller.is_unrestricted {
        (Vec::new(), Vec::new())
    } else {
        (each(&mut list, &rules.writable), each(&mut list, &rules.readable))
    };
    let mut statement = list.finish();
    statement
        .push(" FROM ")
        .table(&model.resource(resource).table)
        .push(" t0 WHERE ");
    writer.write(&key_of(model, resource), &mut statement);
    if writer.dialect() == Dialect::Postgres {
        // Others write at the same time: what is judged here stays so until the end.
        statement.push(" FOR UPDATE OF t0");
    }
    PreSelect {
        statement,
        columns,
        state,
        read,
        rule,
        writable,
        readable,
    }
}

struct List<'a> {
    writer: Writer<'a>,
    statement: Statement,
    columns: usize,
}

impl List<'_> {
    fn add(&mut self, expr: &Expr) -> usize {
        self.separate();
        self.writer.write(expr, &mut self.statement);
        self.columns - 1
    }

    fn add_as(&mut self, expr: &Expr, field: FieldId) -> usize {
        self.separate();
        self.writer.write_as(expr, field, &mut self.statement);
        self.columns - 1
    }

    fn separate(&mut self) {
        self.statement
            .push(if self.columns == 0 { "SELECT " } else { ", " });
        self.columns += 1;
    }

    fn finish(self) -> Statement {
        self.statement
    }
}

/// Whether the row of a key satisfies a condition, and stays as it is until the end; the parameters are the condition's,
/// so many, then the key.
pub fn holds(model: &Model, resource: ResourceId, condition: &Expr, params: usize) -> Statement {
    let writer = Writer::new(model);
    let mut out = Statement::default();
    out.push("SELECT 1 FROM ")
        .table(&model.resource(resource).table)
        .push(" t0 WHERE ");
    for (place, field) in model.resource(resource).key.fields.iter().enumerate() {
        out.column(0, &model.field(*field).column).push(" = ");
        param(params + place, &mut out);
        out.push(" AND ");
    }
    writer.write(condition, &mut out);
    if writer.dialect() == Dialect::Postgres {
        out.push(" FOR UPDATE OF t0");
    }
    out
}

/// The condition that picks the row of the key in the first parameters.
pub fn key_of(model: &Model, resource: ResourceId) -> Expr {
    key_condition(model, resource, model.resource(resource).key.fields.len())
}

/// INSERT of these fields, whose values are the parameters; gives the key.
pub fn insert(model: &Model, resource: ResourceId, fields: &[FieldId]) -> Statement {
    let mut out = Statement::default();
    out.push("INSERT INTO ").table(&model.resource(resource).table);
    if fields.is_empty() {
        out.push(" DEFAULT VALUES");
    } else {
        out.push(" (");
        names(model, fields, &mut out);
        out.push(")");
        values(fields.len(), &mut out);
    }
    out.push(" RETURNING ");
    names(model, &model.resource(resource).key.fields, &mut out);
    out
}

fn names(model: &Model, fields: &[FieldId], out: &mut Statement) {
    for (place, field) in fields.iter().enumerate() {
        out.push(if place == 0 { "" } else { ", " })
            .name(&model.field(*field).column);
    }
}

fn param(place: usize, out: &mut Statement) {
    out.bind(Bind::Slot(Slot::Param(u16::try_from(place).unwrap_or(u16::MAX))));
}

/// UPDATE of these fields; the parameters are the key, then their values.
pub fn update(model: &Model, resource: ResourceId, fields: &[FieldId]) -> Statement {
    let mut out = Statement::default();
    out.push("UPDATE ")
        .table(&model.resource(resource).table)
        .push(" AS t0 SET ");
    let first = model.resource(resource).key.fields.len();
    for (place, field) in fields.iter().enumerate() {
        out.push(if place == 0 { "" } else { ", " })
            .name(&model.field(*field).column)
            .push(" = ");
        param(first + place, &mut out);
    }
    out.push(" WHERE ");
    Writer::new(model).write(&key_of(model, resource), &mut out);
    out
}

/// DELETE of the row of a key.
pub fn delete(model: &Model, resource: ResourceId) -> Statement {
    let mut out = Statement::default();
    out.push("DELETE FROM ")
        .table(&model.resource(resource).table)
        .push(" AS t0 WHERE ");
    Writer::new(model).write(&key_of(model, resource), &mut out);
    out
}

/// Whether a row that is there points by a belongs_to at the row with the key in the parameters.
pub fn dependent(model: &Model, relation: RelationId) -> Statement {
    let resource = relation.resource;
    let mut out = Statement::default();
    out.push("SELECT 1 FROM ")
        .table(&model.resource(resource).table)
        .push(" t0 WHERE ");
    let condition = Expr::and([pointing(model, relation), is_there(&model.schema, resource)]);
    Writer::new(model).write(&condition, &mut out);
    out.push(" LIMIT 1");
    out
}

/// Columns of the rows that point by a belongs_to at the row with the key in the parameters, of those too that are
/// marked as deleted; they stay as they are until the end.
pub fn dependents(model: &Model, relation: RelationId, fields: &[FieldId]) -> Statement {
    let mut out = Statement::default();
    select(model, relation.resource, fields, &mut out);
    let writer = Writer::new(model);
    writer.write(&pointing(model, relation), &mut out);
    if writer.dialect() == Dialect::Postgres {
        out.push(" FOR UPDATE OF t0");
    }
    out
}

/// Marks the rows that are there and point by a belongs_to at the row with the key in the first parameters as deleted
/// at the moment after them, or takes the marks of that moment away (`is_back`); the moment of the change comes last,
/// where they keep it. Gives their keys.
pub fn mark_dependents(model: &Model, relation: RelationId, deleted: FieldId, is_back: bool) -> Statement {
    let resource = model.resource(relation.resource);
    let kept = &resource.kept;
    let pointing = pointing(model, relation);
    let moment = model.foreign_key(relation).unwrap_or_default().len();
    let mark = Expr::Column(0, deleted);
    let mut out = Statement::default();
    out.push("UPDATE ").table(&resource.table).push(" AS t0 SET ");
    out.name(&model.field(deleted).column).push(" = ");
    if is_back {
        out.push("NULL");
    } else {
        param(moment, &mut out);
    }
    if let Some(version) = kept.version {
        let column = &model.field(version).column;
        out.push(", ").name(column).push(" = coalesce(");
        out.column(0, column).push(", 0) + 1");
    }
    if let Some(updated) = kept.updated {
        out.push(", ").name(&model.field(updated).column).push(" = ");
        param(moment + 1, &mut out);
    }
    out.push(" WHERE ");
    let which = if is_back {
        let slot = Slot::Param(u16::try_from(moment).unwrap_or(u16::MAX));
        Expr::Compare(Comparison::Equal, Box::new(mark), Box::new(Expr::Slot(slot)))
    } else {
        Expr::IsNull(Box::new(mark))
    };
    Writer::new(model).write(&Expr::and([pointing, which]), &mut out);
    out.push(" RETURNING ");
    names(model, &resource.key.fields, &mut out);
    out
}

/// That row 0 points by a belongs_to at the row with the key in the first parameters.
fn pointing(model: &Model, relation: RelationId) -> Expr {
    Expr::are(model.foreign_key(relation).unwrap_or_default())
}

/// Whether a row that the caller may read stands at the end of a belongs_to or many-to-many; the parameters are the key's parts.
pub fn target(model: &Model, relation: RelationId, read_rule: &Expr) -> Statement {
    let relation = model.relation(relation);
    let mut out = Statement::default();
    out.push("SELECT 1 FROM ")
        .table(&model.resource(relation.target).table)
        .push(" t0 WHERE ");
    let remote: Vec<FieldId> = match &relation.link {
        Link::Keys { remote, .. } => remote.clone(),
        Link::Join { remote, .. } => remote.iter().map(|join| join.field).collect(),
    };
    for (place, field) in remote.iter().enumerate() {
        out.push(if place == 0 { "" } else { " AND " });
        out.column(0, &model.field(*field).column).push(" = ");
        param(place, &mut out);
    }
    if *read_rule != Expr::Boolean(true) {
        out.push(" AND ");
        Writer::new(model).write(read_rule, &mut out);
    }
    let keeps_deleted = model.resource(relation.target).kept.deleted.is_some();
    if keeps_deleted && model.columns.dialect == Dialect::Postgres {
        // Whoever deletes it now is waited for; a foreign key would see nothing of that.
        out.push(" FOR KEY SHARE OF t0");
    }
    out
}

/// The value of an expression over the given row, in the stored form of a field.
pub fn value(model: &Model, expr: &Expr, field: FieldId) -> Statement {
    let mut out = Statement::default();
    out.push("SELECT ");
    Writer::new(model).write_as(expr, field, &mut out);
    out
}

/// Columns of the row of a key, if it is there.
pub fn columns(model: &Model, resource: ResourceId, fields: &[FieldId]) -> Statement {
    columns_where(model, resource, fields, &key_of(model, resource))
}

/// Columns of the rows that are there in which fields have the values of the parameters.
pub fn columns_of(model: &Model, by: &[FieldId], fields: &[FieldId]) -> Statement {
    let resource = fields.first().map_or(ResourceId(0), |field| field.resource);
    columns_where(model, resource, fields, &Expr::are(by))
}

/// Columns of the rows that are there for which a condition holds.
pub fn columns_where(model: &Model, resource: ResourceId, fields: &[FieldId], condition: &Expr) -> Statement {
    let mut out = Statement::default();
    select(model, resource, fields, &mut out);
    let condition = Expr::and([condition.clone(), is_there(&model.schema, resource)]);
    Writer::new(model).write(&condition, &mut out);
    out
}

/// Columns of a table's rows, up to the condition.
fn select(model: &Model, resource: ResourceId, fields: &[FieldId], out: &mut Statement) {
    out.push("SELECT ");
    for (place, field) in fields.iter().enumerate() {
        out.push(if place == 0 { "" } else { ", " })
            .column(0, &model.field(*field).column);
    }
    out.push(" FROM ")
        .table(&model.resource(resource).table)
        .push(" t0 WHERE ");
}

/// What makes the database go on counting after the greatest key that is there; `None` where it does so by itself.
pub fn count_on(model: &Model, resource: ResourceId) -> Option<Statement> {
    let of = model.resource(resource);
    let [key] = of.key.fields[..] else { return None };
    if model.columns.dialect != Dialect::Postgres || of.key.kind != KeyKind::Autoincrement {
        return None;
    }
    let column = &model.field(key).column;
    let literal = |text: &str| Bind::Slot(Slot::Literal(Cell::Text(text.to_owned())));
    let mut table = Statement::default();
    table.table(&of.table);
    let mut out = Statement::default();
    out.push("SELECT setval(pg_get_serial_sequence(")
        .bind(literal(&table.text))
        .push(", ")
        .bind(literal(column))
        .push("), max(")
        .name(column)
        .push(")) FROM ")
        .append(&table)
        .push(" HAVING max(")
        .name(column)
        .push(") IS NOT NULL");
    Some(out)
}

/// INSERT of a pair into a join table; the parameters are these columns' values.
pub fn insert_pair<'c>(table: &str, columns: impl ExactSizeIterator<Item = &'c str>) -> Statement {
    let count = columns.len();
    let mut out = into_pairs(table, columns);
    values(count, &mut out);
    out
}

fn into_pairs<'c>(table: &str, columns: impl Iterator<Item = &'c str>) -> Statement {
    let mut out = Statement::default();
    out.push("INSERT INTO ").table(table).push(" (");
    for (place, column) in columns.enumerate() {
        out.push(if place == 0 { "" } else { ", " }).name(column);
    }
    out.push(")");
    out
}

/// Adds a pair that isn't there; parameters: its columns. The table need not forbid a second one.
pub fn link(table: &str, columns: &[&str]) -> Statement {
    let mut out = into_pairs(table, columns.iter().copied());
    out.push(" SELECT ");
    for place in 0..columns.len() {
        out.push(if place == 0 { "" } else { ", " });
        param(place, &mut out);
    }
    out.push(" WHERE NOT EXISTS (SELECT 1 FROM ").table(table);
    of_pair(columns, &mut out);
    out.push(") ON CONFLICT DO NOTHING");
    out
}

/// Takes a pair away; parameters: its columns.
pub fn unlink(table: &str, columns: &[&str]) -> Statement {
    let mut out = Statement::default();
    out.push("DELETE FROM ").table(table);
    of_pair(columns, &mut out);
    out
}

fn of_pair(columns: &[&str], out: &mut Statement) {
    for (place, column) in columns.iter().enumerate() {
        out.push(if place == 0 { " WHERE " } else { " AND " })
            .name(column)
            .push(" = ");
        param(place, out);
    }
}

fn values(count: usize, out: &mut Statement) {
    out.push(" VALUES (");
    for place in 0..count {
        out.push(if place == 0 { "" } else { ", " });
        param(place, out);
    }
    out.push(")");
}
