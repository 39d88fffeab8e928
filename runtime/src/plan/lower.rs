//! Rules of the schema, lowered to the tree that plans are made of.
//!
//! Lowering happens once, at start, for each kind of caller: for an anonymous one `me.*` is NULL, and what that decides
//! is folded away. In a rule the related rows' own rules don't apply; in a computed field they do.

use rest_schema::{self as schema, FieldId, Link, RelationId, RelationKind, ResourceId, Row, Schema, Value};

use crate::codec::Codec;
use crate::plan::access::is_there;
use crate::plan::expr::{Expr, Origin, Related, Slot, Take};

/// Who asks, as far as the shape of a condition depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nobody in particular.
    Anonymous,
    /// A signed-in account.
    Account,
}

/// Where the guarded row and the row before stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Both are the row in the database.
    Stored,
    /// The row is in the database as it will be; the one before is given.
    Changed,
    /// The row isn't in the database yet and is given.
    Given,
    /// The row is the account that `me` speaks of.
    Account,
}

/// What lowering needs to know.
pub struct Lowering<'a> {
    /// The schema.
    pub schema: &'a Schema,
    /// How each field is kept: by resource, then by field.
    pub codecs: &'a [Vec<Codec>],
    /// For whom.
    pub kind: Kind,
    /// Where rows stand.
    pub standing: Standing,
    /// The read rule of a resource for this kind of caller, as row 0; needed for computed fields only.
    pub read_rule: &'a dyn Fn(ResourceId) -> Expr,
}

impl Lowering<'_> {
    /// Lowers a rule over one row and folds what is decided, exactly (three-valued).
    pub fn value(&self, expr: &schema::Expr) -> Expr {
        self.lower(expr, &mut vec![0], None)
    }

    /// Lowers a rule that grants: only TRUE counts, so that NULL folds to FALSE.
    pub fn granting(&self, expr: &schema::Expr) -> Expr {
        granting(self.value(expr))
    }

    fn lower(&self, expr: &schema::Expr, rows: &mut Vec<u8>, hint: Option<FieldId>) -> Expr {
        use schema::Expr as S;
        match expr {
            S::Literal(value) => self.literal(value, hint),
            S::Ref(reference) => self.reference(reference, rows),
            S::Now => hint.map_or(Expr::Null, |field| Expr::Slot(Slot::Now(field))),
            S::Authenticated => Expr::Boolean(self.kind == Kind::Account),
            S::Scope(word) => self.scope(word),
            S::Not(a) => self.lower(a, rows, None).negated(),
            S::And(all) => Expr::and(self.all(all, rows, None)),
            S::Or(all) => Expr::or(self.all(all, rows, None)),
            S::Compare(op, a, b) => {
                let hint = hint_of(a).or_else(|| hint_of(b));
                let (a, b) = (self.lower(a, rows, hint), self.lower(b, rows, hint));
                null_if_either(a, b, |a, b| Expr::Compare(*op, a, b))
            }
            S::In(value, list) => self.in_list(value, list, rows),
            S::Like(value, pattern) => match self.lower(value, rows, None) {
                Expr::Null => Expr::Null,
                value => Expr::Glob(Box::new(value), Slot::Literal(glob_of_like(pattern))),
            },
            S::IsNull(a) => match self.asked_for(a, rows) {
                Expr::Null => Expr::Boolean(true),
                a => Expr::IsNull(Box::new(a)),
            },
            S::Arithmetic(op, a, b) => {
                let hint = hint_of(a).or_else(|| hint_of(b)).or(hint);
                let (a, b) = (self.lower(a, rows, hint), self.lower(b, rows, hint));
                null_if_either(a, b, |a, b| Expr::Arithmetic(*op, a, b))
            }
            S::Negate(a) => match self.lower(a, rows, hint) {
                Expr::Null => Expr::Null,
                a => Expr::Negate(Box::new(a)),
            },
            S::Call(function, all) => {
                let hint = all.iter().find_map(hint_of).or(hint);
                Expr::Call(*function, self.all(all, rows, hint))
            }
            S::Exists {
                row,
                path,
                relation,
                condition,
            } => self.exists(*row, path, *relation, condition.as_deref(), rows),
            S::Aggregate {
                function,
                relation,
                field,
            } => self.aggregate(*function, *relation, *field, rows),
        }
    }

    fn all(&self, all: &[schema::Expr], rows: &mut Vec<u8>, hint: Option<FieldId>) -> Vec<Expr> {
        all.iter().map(|a| self.lower(a, rows, hint)).collect()
    }

    /// Whether a token has a word of the service's own, which nobody has who isn't signed in.
    fn scope(&self, word: &str) -> Expr {
        let words = &mut (0u16..).zip(&self.schema.tokens.scopes);
        match (self.kind, words.find(|(_, own)| *own == word)) {
            (Kind::Account, Some((place, _))) => {
                let has = Box::new(Expr::Slot(Slot::Scope(place)));
                let yes = Box::new(Expr::Slot(Slot::Literal(crate::cell::Cell::Integer(1))));
                Expr::Compare(schema::Comparison::Equal, has, yes)
            }
            _ => Expr::Boolean(false),
        }
    }

    /// A constant takes the stored form of the field it meets.
    fn literal(&self, value: &Value, hint: Option<FieldId>) -> Expr {
        match (value, hint) {
            (Value::Null, _) => Expr::Null,
            (Value::Boolean(value), None) => Expr::Boolean(*value),
            (Value::Decimal(decimal), Some(field)) if self.codec(field).scaled().is_some() => {
                match i64::try_from(decimal.units) {
                    Ok(units) => Expr::Units(units, decimal.scale),
                    Err(_) => Expr::Null,
                }
            }
            // A number that meets a decimal stays a number: the dialect brings both to one scale.
            (Value::Integer(number), _) => Expr::Slot(Slot::Literal(crate::cell::Cell::Integer(*number))),
            (value, Some(field)) if same_kind(self.schema, field, value) => {
                Expr::Slot(Slot::Literal(self.codec(field).encode(value)))
            }
            (value, _) => Expr::Slot(Slot::Literal(Codec::Text.encode(value))),
        }
    }

    fn codec(&self, field: FieldId) -> &Codec {
        &self.codecs[field.resource.0 as usize][field.index as usize]
    }

    fn in_list(&self, value: &schema::Expr, list: &[schema::Expr], rows: &mut Vec<u8>) -> Expr {
        let hint = hint_of(value).or_else(|| list.iter().find_map(hint_of));
        match self.lower(value, rows, hint) {
            Expr::Null => Expr::Null,
            value => Expr::In(Box::new(value), self.all(list, rows, hint)),
        }
    }

    /// What is asked to be there. Where the tables aren't ours, or deleted rows are kept, a key may lead nowhere, so the
    /// row itself is asked.
    fn asked_for(&self, expr: &schema::Expr, rows: &mut Vec<u8>) -> Expr {
        match expr {
            schema::Expr::Ref(reference) if self.may_lead_nowhere(reference) => {
                self.at_end(reference, &reference.path, reference.field, rows)
            }
            other => self.lower(other, rows, None),
        }
    }

    fn may_lead_nowhere(&self, reference: &schema::Ref) -> bool {
        self.schema.managed != Some(true) || self.schema.may_lead_to_deleted(&reference.path)
    }

    /// A field at the end of to-one steps. A step to the key that this side holds anyway needs no query.
    fn reference(&self, reference: &schema::Ref, rows: &[u8]) -> Expr {
        let (path, field) = self.shortened(&reference.path, reference.field);
        self.at_end(reference, path, field, rows)
    }

    fn at_end(&self, reference: &schema::Ref, path: &[RelationId], field: FieldId, rows: &[u8]) -> Expr {
        let origin = self.origin(reference.row, rows);
        if origin == Origin::Me && self.kind == Kind::Anonymous {
            return Expr::Null;
        }
        let innermost = rows.last().copied().unwrap_or(0);
        self.follow(origin, path, innermost, &|origin| match origin {
            Origin::Row(row) => Expr::Column(row, field),
            Origin::Given => Expr::Slot(Slot::Given(field)),
            Origin::Me => Expr::Slot(Slot::Me(field)),
        })
    }

    /// `author.id` is `author_id`, where that is how the relation finds the author.
    fn shortened<'p>(&self, path: &'p [RelationId], field: FieldId) -> (&'p [RelationId], FieldId) {
        if let Some((last, before)) = path.split_last() {
            let relation = self.schema.relation(*last);
            if let (RelationKind::BelongsTo, Link::Keys { local, remote }) = (relation.kind, &relation.link)
                && let Some(place) = remote.iter().position(|id| *id == field)
            {
                return (before, local[place]);
            }
        }
        (path, field)
    }

    /// Where a row stands.
    fn origin(&self, row: Row, rows: &[u8]) -> Origin {
        match (row, self.standing) {
            (Row::Me, Standing::Account) => Origin::Row(rows[0]),
            (Row::Me, _) => Origin::Me,
            (Row::Level(0), Standing::Given) | (Row::Old, Standing::Changed | Standing::Given) => {
                Origin::Given
            }
            (Row::Old, Standing::Stored | Standing::Account) => Origin::Row(rows[0]),
            (Row::Level(level), _) => Origin::Row(rows[usize::from(level)]),
        }
    }

    /// One query inside another for each to-one step; `end` makes the value at the last row.
    fn follow(&self, from: Origin, path: &[RelationId], innermost: u8, end: &dyn Fn(Origin) -> Expr) -> Expr {
        let Some((step, rest)) = path.split_first() else {
            return end(from);
        };
        let row = innermost + 1;
        let value = self.follow(Origin::Row(row), rest, row, end);
        Expr::Related(Box::new(Related {
            from,
            row,
            relation: *step,
            condition: self.is_there(*step, row),
            pairs: Expr::Boolean(true),
            take: Take::Value(value),
        }))
    }

    fn exists(
        &self,
        row: Row,
        path: &[RelationId],
        relation: RelationId,
        condition: Option<&schema::Expr>,
        rows: &mut Vec<u8>,
    ) -> Expr {
        let from = self.origin(row, rows);
        if from == Origin::Me && self.kind == Kind::Anonymous {
            return Expr::Boolean(false);
        }
        let mut steps = path.to_vec();
        steps.push(relation);
        let innermost = rows.last().copied().unwrap_or(0);
        let last = innermost + u8::try_from(steps.len()).unwrap_or(u8::MAX - innermost);
        rows.push(last);
        let condition = condition.map_or(Expr::Boolean(true), |condition| self.lower(condition, rows, None));
        rows.pop();
        self.exists_along(from, &steps, innermost, granting(condition))
    }

    /// EXISTS along steps, with the condition on the last row; the rows in between need only be there.
    fn exists_along(&self, from: Origin, steps: &[RelationId], innermost: u8, condition: Expr) -> Expr {
        let Some((step, rest)) = steps.split_first() else {
            return condition;
        };
        let row = innermost + 1;
        let condition = self.exists_along(Origin::Row(row), rest, row, condition);
        if condition == Expr::Boolean(false) {
            return condition;
        }
        Expr::Related(Box::new(Related {
            from,
            row,
            relation: *step,
            condition: Expr::and([condition, self.is_there(*step, row)]),
            pairs: self.pairs(*step, row, &|pairs| is_there(self.schema, pairs)),
            take: Take::Exists,
        }))
    }

    /// That the row to which a step leads wasn't deleted.
    fn is_there(&self, step: RelationId, row: u8) -> Expr {
        is_there(self.schema, self.schema.relation(step).target).shifted(row)
    }

    /// Which pairs lead to a row, where they are rows themselves.
    fn pairs(&self, step: RelationId, row: u8, rule: &dyn Fn(ResourceId) -> Expr) -> Expr {
        let through = self.schema.relation(step).through;
        through.map_or(Expr::Boolean(true), |through| {
            rule(through.resource()).shifted(row + 1)
        })
    }

    /// The keys of the rows to which a many-to-many leads from row 0 and that the caller may read.
    pub fn keys(&self, relation: RelationId) -> Expr {
        let target = self.schema.relation(relation).target;
        Expr::keys(relation, (self.read_rule)(target).shifted(1))
    }

    /// Over the rows that the caller may read.
    fn aggregate(
        &self,
        function: schema::Aggregate,
        relation: RelationId,
        field: Option<FieldId>,
        rows: &[u8],
    ) -> Expr {
        let innermost = rows.last().copied().unwrap_or(0);
        let row = innermost + 1;
        let target = self.schema.relation(relation).target;
        let take = if function == schema::Aggregate::Exists {
            Take::Exists
        } else {
            Take::Aggregate(function, field.map(|field| Expr::Column(row, field)))
        };
        Expr::Related(Box::new(Related {
            from: Origin::Row(rows[0]),
            row,
            relation,
            condition: (self.read_rule)(target).shifted(row),
            pairs: self.pairs(relation, row, self.read_rule),
            take,
        }))
    }
}

/// Only TRUE counts: NULL becomes FALSE wherever that can't turn the answer round.
pub fn granting(expr: Expr) -> Expr {
    match expr {
        Expr::Null => Expr::Boolean(false),
        Expr::And(all) => Expr::and(all.into_iter().map(granting)),
        Expr::Or(all) => Expr::or(all.into_iter().map(granting)),
        other => other,
    }
}

fn null_if_either(a: Expr, b: Expr, both: impl FnOnce(Box<Expr>, Box<Expr>) -> Expr) -> Expr {
    if a == Expr::Null || b == Expr::Null {
        Expr::Null
    } else {
        both(Box::new(a), Box::new(b))
    }
}

fn same_kind(schema: &Schema, field: FieldId, value: &Value) -> bool {
    use rest_schema::types::Kind as K;
    matches!(
        (schema.field(field).ty.kind(), value),
        (K::Text, Value::Text(_))
            | (K::Float, Value::Float(_))
            | (K::Decimal, Value::Decimal(_))
            | (K::Boolean, Value::Boolean(_))
            | (K::Date, Value::Date(_))
            | (K::Time, Value::Time(_))
            | (K::Timestamp, Value::Timestamp(_))
            | (K::Uuid, Value::Uuid(_))
            | (K::Json, Value::Json(_))
            | (K::Bytes, Value::Bytes(_))
    )
}

/// The field whose stored form the constants beside it take.
fn hint_of(expr: &schema::Expr) -> Option<FieldId> {
    use schema::Expr as S;
    match expr {
        S::Ref(reference) => Some(reference.field),
        S::Aggregate { field, .. } => *field,
        S::Negate(a) => hint_of(a),
        S::Arithmetic(_, a, b) => hint_of(a).or_else(|| hint_of(b)),
        S::Call(schema::Function::Length, _) => None,
        S::Call(_, all) => all.iter().find_map(hint_of),
        _ => None,
    }
}

/// LIKE's pattern as a GLOB's, which is case-sensitive as standard SQL's LIKE is.
fn glob_of_like(pattern: &str) -> crate::cell::Cell {
    let mut glob = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => glob.push('*'),
            '_' => glob.push('?'),
            '\\' => {
                if let Some(escaped) = chars.next() {
                    push_plain(escaped, &mut glob);
                }
            }
            other => push_plain(other, &mut glob),
        }
    }
    crate::cell::Cell::Text(glob)
}

fn push_plain(c: char, glob: &mut String) {
    if matches!(c, '*' | '?' | '[') {
        glob.push('[');
        glob.push(c);
        glob.push(']');
    } else {
        glob.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    #[test]
    fn like_becomes_glob() {
        assert_eq!(glob_of_like("a%_\\%*["), Cell::Text("a*?%[*][[]".to_owned()));
    }

    #[test]
    fn null_grants_nothing() {
        let a = Expr::Column(
            0,
            FieldId {
                resource: ResourceId(0),
                index: 0,
            },
        );
        assert_eq!(granting(Expr::Null), Expr::Boolean(false));
        assert_eq!(granting(Expr::or([a.clone(), Expr::Null])), a);
        assert_eq!(granting(Expr::and([a, Expr::Null])), Expr::Boolean(false));
    }
}
