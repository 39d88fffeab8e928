//! The one tree of conditions and values: rules, filters, orders and computed fields all become this.
//!
//! It differs from [`rest_schema::Expr`] in that rows are numbered places in nested queries, relations are explicit
//! subqueries with the condition under which their rows count, and values are [`Slot`]s. It holds no values of a
//! request, so that equal shapes are equal trees and their SQL text is made once.

use rest_schema::{Aggregate, Arithmetic, Comparison, FieldId, Function, RelationId, ResourceId};

use crate::cell::Cell;

/// A value that is bound when a statement runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A value of the request: its place in the plan's list.
    Param(u16),
    /// A constant of the schema.
    Literal(Cell),
    /// A field of the caller's account.
    Me(FieldId),
    /// Whether the caller's token may do what a word of the service's own stands for, by its place in the schema: 1 or 0.
    Scope(u16),
    /// A field of a row given with the statement: the row before an update, the new row of a create.
    Given(FieldId),
    /// The moment of the request, in the form of this field.
    Now(FieldId),
}

/// An expression; row `n` is the table of the `n`-th query around it, 0 being the outermost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// TRUE or FALSE.
    Boolean(bool),
    /// NULL.
    Null,
    /// A bound value.
    Slot(Slot),
    /// A decimal constant: integer units of so many digits after the point.
    Units(i64, u8),
    /// A stored column of a row.
    Column(u8, FieldId),
    /// NOT
    Not(Box<Expr>),
    /// AND; never empty.
    And(Vec<Expr>),
    /// OR; never empty.
    Or(Vec<Expr>),
    /// A comparison.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `value in (a, b)`
    In(Box<Expr>, Vec<Expr>),
    /// `value in` a list bound as one JSON array.
    InArray(Box<Expr>, Slot),
    /// A GLOB, whose pattern is bound.
    Glob(Box<Expr>, Slot),
    /// A text operator of filters.
    Text(TextMatch, Box<Expr>, Slot),
    /// A full-text search.
    Search(Box<Search>),
    /// IS NULL
    IsNull(Box<Expr>),
    /// Arithmetic, and `||`.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// Unary minus.
    Negate(Box<Expr>),
    /// A function.
    Call(Function, Vec<Expr>),
    /// A query of the rows that a relation leads to.
    Related(Box<Related>),
    /// Whether a relation leads to a row from one that is found by itself.
    LedTo(Box<LedTo>),
}

/// Rows in which all words of a search stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Search {
    /// The row.
    pub row: u8,
    /// Whose rows they are.
    pub resource: ResourceId,
    /// The fields that are looked into: never empty, in the order of the schema.
    pub fields: Vec<FieldId>,
    /// The text of the search, in which there is a word.
    pub text: Slot,
}

/// Rows that a relation leads to, seen from their side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LedTo {
    /// The number of the rows that it may lead to.
    pub to: u8,
    /// The way.
    pub relation: RelationId,
    /// The number of the row that it starts from.
    pub row: u8,
    /// Which row that is: one at most.
    pub condition: Expr,
    /// Which pairs count, where those of a many-to-many are rows of a resource: a condition on such a row, which has
    /// the number of the row that the way starts from. Else TRUE.
    pub pairs: Expr,
}

/// Where a relation is followed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A row of a query around it.
    Row(u8),
    /// The row given with the statement.
    Given,
    /// The caller's account.
    Me,
}

impl Origin {
    fn shifted(self, by: u8) -> Self {
        match self {
            Self::Row(row) => Self::Row(row + by),
            Self::Given | Self::Me => self,
        }
    }
}

/// A query of the rows that a relation leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Related {
    /// Where it starts.
    pub from: Origin,
    /// The number of the rows it finds.
    pub row: u8,
    /// The way.
    pub relation: RelationId,
    /// Which rows count.
    pub condition: Expr,
    /// Which pairs count, where those of a many-to-many are rows of a resource: a condition on such a row, whose number
    /// is one more than that of the rows found. Else TRUE.
    pub pairs: Expr,
    /// What is made of them.
    pub take: Take,
}

/// What a [`Related`] query gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Take {
    /// Whether there is one.
    Exists,
    /// A value of the one row (to-one).
    Value(Expr),
    /// An aggregate over them; `None`: of the rows themselves.
    Aggregate(Aggregate, Option<Expr>),
    /// Their keys as a JSON array, in order (many-to-many). Where every row counts, the pairs alone are asked.
    Keys,
}

/// Text operators of filters. `fold` compares without regard to ASCII case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextMatch {
    /// Where the text is looked for.
    pub place: Place,
    /// Whether ASCII letters match without regard to case.
    pub fold: bool,
}

/// Where a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Anywhere.
    Within,
    /// At the start.
    Start,
    /// At the end.
    End,
}

impl Expr {
    /// That fields of row 0 have the values of the first parameters.
    pub fn are(fields: &[FieldId]) -> Self {
        Self::and((0u16..).zip(fields).map(|(place, field)| {
            let (column, slot) = (Self::Column(0, *field), Self::Slot(Slot::Param(place)));
            Self::Compare(Comparison::Equal, Box::new(column), Box::new(slot))
        }))
    }

    /// AND, flattened and folded.
    pub fn and(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Expr::Boolean(true) => {}
                Expr::Boolean(false) => return Expr::Boolean(false),
                Expr::And(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        single(all, true, Expr::And)
    }

    /// OR, flattened and folded.
    pub fn or(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Expr::Boolean(false) => {}
                Expr::Boolean(true) => return Expr::Boolean(true),
                Expr::Or(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        single(all, false, Expr::Or)
    }

    /// The keys to which a many-to-many leads from row 0, of the rows (1) that satisfy a condition.
    pub fn keys(relation: RelationId, condition: Expr) -> Expr {
        Expr::Related(Box::new(Related {
            from: Origin::Row(0),
            row: 1,
            relation,
            condition,
            pairs: Expr::Boolean(true),
            take: Take::Keys,
        }))
    }

    /// NOT, folded.
    pub fn negated(self) -> Expr {
        match self {
            Expr::Boolean(value) => Expr::Boolean(!value),
            Expr::Null => Expr::Null,
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        }
    }

    /// Whether it speaks of a row of the database.
    pub fn speaks_of_rows(&self) -> bool {
        match self {
            Expr::Boolean(_) | Expr::Null | Expr::Slot(_) | Expr::Units(..) => false,
            Expr::Column(..) | Expr::Search(_) | Expr::Related(_) | Expr::LedTo(_) => true,
            Expr::Not(a) | Expr::IsNull(a) | Expr::Negate(a) => a.speaks_of_rows(),
            Expr::InArray(a, _) | Expr::Glob(a, _) | Expr::Text(_, a, _) => a.speaks_of_rows(),
            Expr::And(all) | Expr::Or(all) | Expr::Call(_, all) => all.iter().any(Expr::speaks_of_rows),
            Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => a.speaks_of_rows() || b.speaks_of_rows(),
            Expr::In(a, list) => a.speaks_of_rows() || list.iter().any(Expr::speaks_of_rows),
        }
    }

    /// The same expression with every row `by` levels further in.
    pub fn shifted(&self, by: u8) -> Expr {
        if by == 0 {
            return self.clone();
        }
        self.map(&|expr| match expr {
            Expr::Column(row, field) => Some(Expr::Column(row + by, *field)),
            Expr::Search(search) => Some(Expr::Search(Box::new(Search {
                row: search.row + by,
                ..(**search).clone()
            }))),
            Expr::Related(related) => Some(Expr::Related(Box::new(Related {
                from: related.from.shifted(by),
                row: related.row + by,
                relation: related.relation,
                condition: related.condition.shifted(by),
                pairs: related.pairs.shifted(by),
                take: match &related.take {
                    Take::Exists => Take::Exists,
                    Take::Keys => Take::Keys,
                    Take::Value(value) => Take::Value(value.shifted(by)),
                    Take::Aggregate(function, value) => {
                        Take::Aggregate(*function, value.as_ref().map(|value| value.shifted(by)))
                    }
                },
            }))),
            Expr::LedTo(led) => Some(Expr::LedTo(Box::new(LedTo {
                to: led.to + by,
                relation: led.relation,
                row: led.row + by,
                condition: led.condition.shifted(by),
                pairs: led.pairs.shifted(by),
            }))),
            _ => None,
        })
    }

    /// Rebuilds the tree; where `change` gives an expression, that one stands and isn't looked into.
    pub fn map(&self, change: &dyn Fn(&Expr) -> Option<Expr>) -> Expr {
        if let Some(changed) = change(self) {
            return changed;
        }
        let one = |a: &Expr| Box::new(a.map(change));
        let all = |list: &[Expr]| list.iter().map(|a| a.map(change)).collect::<Vec<_>>();
        match self {
            Expr::Boolean(_)
            | Expr::Null
            | Expr::Slot(_)
            | Expr::Units(..)
            | Expr::Column(..)
            | Expr::Search(_) => self.clone(),
            Expr::Not(a) => a.map(change).negated(),
            Expr::And(list) => Expr::and(all(list)),
            Expr::Or(list) => Expr::or(all(list)),
            Expr::Compare(op, a, b) => Expr::Compare(*op, one(a), one(b)),
            Expr::In(a, list) => Expr::In(one(a), all(list)),
            Expr::InArray(a, slot) => Expr::InArray(one(a), slot.clone()),
            Expr::Glob(a, slot) => Expr::Glob(one(a), slot.clone()),
            Expr::Text(how, a, slot) => Expr::Text(*how, one(a), slot.clone()),
            Expr::IsNull(a) => Expr::IsNull(one(a)),
            Expr::Arithmetic(op, a, b) => Expr::Arithmetic(*op, one(a), one(b)),
            Expr::Negate(a) => Expr::Negate(one(a)),
            Expr::Call(function, list) => Expr::Call(*function, all(list)),
            Expr::Related(related) => Expr::Related(Box::new(Related {
                condition: related.condition.map(change),
                pairs: related.pairs.map(change),
                take: match &related.take {
                    Take::Exists => Take::Exists,
                    Take::Keys => Take::Keys,
                    Take::Value(value) => Take::Value(value.map(change)),
                    Take::Aggregate(function, value) => {
                        Take::Aggregate(*function, value.as_ref().map(|value| value.map(change)))
                    }
                },
                ..(**related).clone()
            })),
            Expr::LedTo(led) => Expr::LedTo(Box::new(LedTo {
                condition: led.condition.map(change),
                pairs: led.pairs.map(change),
                ..(**led).clone()
            })),
        }
    }
}

fn single(mut all: Vec<Expr>, empty: bool, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match all.len() {
        0 => Expr::Boolean(empty),
        1 => all.remove(0),
        _ => many(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rest_schema::ResourceId;

    fn column(index: u32) -> Expr {
        Expr::Column(
            0,
            FieldId {
                resource: ResourceId(0),
                index,
            },
        )
    }

    #[test]
    fn constants_fold_away() {
        assert_eq!(Expr::and([]), Expr::Boolean(true));
        assert_eq!(Expr::or([]), Expr::Boolean(false));
        assert_eq!(Expr::and([Expr::Boolean(true), column(1)]), column(1));
        assert_eq!(Expr::and([Expr::Boolean(false), column(1)]), Expr::Boolean(false));
        assert_eq!(Expr::or([Expr::Boolean(true), column(1)]), Expr::Boolean(true));
        assert_eq!(column(1).negated().negated(), column(1));
    }

    #[test]
    fn a_shift_moves_every_row() {
        let inner = Related {
            from: Origin::Row(0),
            row: 1,
            relation: RelationId {
                resource: ResourceId(0),
                index: 0,
            },
            condition: Expr::Column(
                1,
                FieldId {
                    resource: ResourceId(1),
                    index: 0,
                },
            ),
            pairs: Expr::Boolean(true),
            take: Take::Exists,
        };
        let shifted = Expr::and([column(0), Expr::Related(Box::new(inner))]).shifted(2);
        let Expr::And(parts) = shifted else {
            panic!("{shifted:?}")
        };
        assert!(matches!(parts[0], Expr::Column(2, _)));
        let Expr::Related(related) = &parts[1] else {
            panic!()
        };
        assert_eq!((related.from, related.row), (Origin::Row(2), 3));
        assert!(matches!(related.condition, Expr::Column(3, _)));
    }
}
