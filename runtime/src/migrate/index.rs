//! Which indexes a schema needs: those it asks for, and those that foreign keys and orders can't do without.
//!
//! An index is walked in both directions, and SQLite adds the rowid to each, ascending. So where an order ends
//! descending, the index is made with all its directions turned round: the key at its end then costs nothing.

use rest_schema::{FieldId, Index, IndexExpr, Link, Relation, RelationKind, Resource, Schema, SortKey};

use super::name;

/// An index that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Its terms, the key at their end where rows need it to be told apart.
    pub terms: Vec<Term>,
    /// How many terms at the start only ever have one value, so that their direction doesn't matter.
    pub fixed: usize,
    /// Whether it forbids equal rows.
    pub is_unique: bool,
    /// Which rows it holds, as SQL.
    pub condition: Option<String>,
    /// What needs it.
    pub why: Why,
}

/// What needs an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The schema asks for it.
    Declared,
    /// A relation's name: following it, and deleting what it leads to.
    Relation(String),
    /// The resource's order.
    Sort,
}

/// A term of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// A column, or an expression as SQL.
    pub on: On,
    /// From the greatest.
    pub descending: bool,
}

/// What an index term holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// A column.
    Column(String),
    /// An expression, as SQL.
    Expression(String),
}

impl Term {
    fn column(column: &str, descending: bool) -> Self {
        Self {
            on: On::Column(column.to_owned()),
            descending,
        }
    }

    fn is_on(&self, column: &str) -> bool {
        matches!(&self.on, On::Column(own) if own.eq_ignore_ascii_case(column))
    }
}

impl Needed {
    /// One on a column alone.
    pub fn on(column: &str) -> Self {
        Self {
            terms: vec![Term::column(column, false)],
            fixed: 0,
            is_unique: false,
            condition: None,
            why: Why::Declared,
        }
    }

    /// The statement that makes it; `rowid` is the column that SQLite adds by itself.
    pub fn statement(&self, index_name: &str, table: &str, rowid: Option<&str>) -> String {
        let turn = self.terms.last().is_some_and(|term| term.descending);
        let own = self.own_terms(rowid).iter().enumerate();
        let terms: Vec<String> = own
            .map(|(place, term)| written(term, if place < self.fixed { term.descending } else { turn }))
            .collect();
        let unique = if self.is_unique { "UNIQUE " } else { "" };
        let condition = self
            .condition
            .as_ref()
            .map(|condition| format!(" WHERE {condition}"))
            .unwrap_or_default();
        format!(
            "CREATE {unique}INDEX {} ON {} ({}){condition}",
            name(index_name),
            super::table_name(table),
            terms.join(", ")
        )
    }

    /// Its columns, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| match &term.on {
            On::Column(column) => Some(column.as_str()),
            On::Expression(_) => None,
        })
    }

    /// Whether none of its terms is an expression.
    pub fn has_columns_only(&self) -> bool {
        self.columns().count() == self.terms.len()
    }

    /// The terms to be written, without the rowid at the end, which SQLite adds by itself.
    fn own_terms(&self, rowid: Option<&str>) -> &[Term] {
        match self.terms.split_last() {
            Some((last, before)) if !before.is_empty() && rowid.is_some_and(|rowid| last.is_on(rowid)) => {
                before
            }
            _ => &self.terms,
        }
    }

    /// A name for it; others may have the same.
    pub fn name(&self, table: &str, rowid: Option<&str>) -> String {
        let parts = self.own_terms(rowid).iter().map(|term| match &term.on {
            On::Column(column) => column.as_str(),
            On::Expression(_) => "expr",
        });
        let parts: Vec<&str> = parts.collect();
        format!("ix_{}_{}", table.replace('.', "_"), parts.join("_"))
    }

    /// Whether an index with these terms (a column or `None`, and its direction) does as well.
    pub fn is_served_by(&self, terms: &[(Option<&str>, bool)]) -> bool {
        let is_same = |(term, (column, _)): (&Term, &(Option<&str>, bool))| {
            column.is_some_and(|column| term.is_on(column))
        };
        let is_long = terms.len() >= self.terms.len();
        let turned = |(term, (_, descends)): (&Term, &(Option<&str>, bool))| term.descending != *descends;
        let directions: Vec<bool> = self
            .terms
            .iter()
            .zip(terms)
            .skip(self.fixed)
            .map(turned)
            .collect();
        self.condition.is_none()
            && is_long
            && self.terms.iter().zip(terms).all(is_same)
            && directions.windows(2).all(|pair| pair[0] == pair[1])
    }
}

fn written(term: &Term, turn: bool) -> String {
    let direction = if term.descending == turn { "" } else { " DESC" };
    match &term.on {
        On::Column(column) => format!("{}{direction}", name(column)),
        On::Expression(expression) => format!("({expression}){direction}"),
    }
}

/// What the schema says of one resource, with rules written by `expression`.
pub struct Needs<'a> {
    /// The schema.
    pub schema: &'a Schema,
    /// Writes a rule over the resource's own columns as SQL.
    pub expression: &'a super::Expression<'a>,
}

impl Needs<'_> {
    /// The indexes of a resource beyond those that its key and its uniques have anyway; none that another does as well.
    pub fn of(&self, resource: &Resource) -> Vec<Needed> {
        let mut needed: Vec<Needed> = Vec::new();
        let uniques = resource
            .uniques
            .iter()
            .filter(|unique| resource.kept.deleted.is_some() && unique.fields != resource.key.fields)
            .map(|unique| self.unique_of_those_there(resource, &unique.fields));
        let declared = resource
            .indexes
            .iter()
            .map(|index| self.declared(resource, index));
        let relations = resource
            .relations
            .iter()
            .filter_map(|relation| self.relation(resource, relation));
        for index in uniques
            .chain(declared)
            .chain(relations)
            .chain(self.sort(resource))
        {
            if !self.is_served(resource, &index, &needed) {
                needed.push(index);
            }
        }
        needed
    }

    /// The key's columns.
    pub fn key(&self, resource: &Resource) -> Vec<&str> {
        let key = resource.key.fields.iter();
        key.map(|id| self.schema.field(*id).column.as_str()).collect()
    }

    /// Rows that are kept after they were deleted hinder no other.
    fn unique_of_those_there(&self, resource: &Resource, fields: &[FieldId]) -> Needed {
        let columns = fields
            .iter()
            .map(|field| Term::column(&self.schema.field(*field).column, false));
        Needed {
            terms: columns.collect(),
            fixed: 0,
            is_unique: true,
            condition: self.is_there(resource),
            why: Why::Declared,
        }
    }

    /// That a row wasn't deleted, where the resource keeps those that were.
    fn is_there(&self, resource: &Resource) -> Option<String> {
        let deleted = resource.kept.deleted?;
        Some(format!("{} IS NULL", name(&self.schema.field(deleted).column)))
    }

    fn declared(&self, resource: &Resource, index: &Index) -> Needed {
        let own = index.condition.as_ref().map(self.expression);
        let condition = match (own, self.is_there(resource).filter(|_| index.unique)) {
            (Some(own), Some(there)) => Some(format!("({own}) AND {there}")),
            (own, there) => own.or(there),
        };

        let terms = index.terms.iter().map(|term| Term {
            on: match &term.expr {
                IndexExpr::Field(field) => On::Column(self.schema.field(*field).column.clone()),
                IndexExpr::Expression(rule) => On::Expression((self.expression)(rule)),
            },
            descending: term.descending,
        });
        let terms = terms.collect();
        Needed {
            terms: if index.unique {
                terms
            } else {
                self.with_key(resource, terms)
            },
            fixed: 0,
            is_unique: index.unique,
            condition,
            why: Why::Declared,
        }
    }

    /// For rows by what they belong to, in the order in which that shows them.
    fn relation(&self, resource: &Resource, relation: &Relation) -> Option<Needed> {
        let Link::Keys { local, .. } = &relation.link else {
            return None;
        };
        if relation.kind != RelationKind::BelongsTo {
            return None;
        }
        let inverse = relation.inverse.map(|id| &self.schema.relation(id).sort);
        let sort = inverse.filter(|sort| !sort.is_empty()).unwrap_or(&resource.sort);
        let mut terms: Vec<Term> = local
            .iter()
            .map(|id| Term::column(&self.schema.field(*id).column, false))
            .collect();
        self.push_sort(sort, &mut terms);
        Some(Needed {
            terms: self.with_key(resource, terms),
            fixed: local.len(),
            is_unique: false,
            condition: None,
            why: Why::Relation(relation.name.clone()),
        })
    }

    fn sort(&self, resource: &Resource) -> Option<Needed> {
        if resource.sort.is_empty() {
            return None;
        }
        let mut terms = Vec::new();
        self.push_sort(&resource.sort, &mut terms);
        Some(Needed {
            terms: self.with_key(resource, terms),
            fixed: 0,
            is_unique: false,
            condition: None,
            why: Why::Sort,
        })
    }

    fn push_sort(&self, sort: &[SortKey], terms: &mut Vec<Term>) {
        for key in sort {
            let column = &self.schema.field(key.field).column;
            if !terms.iter().any(|term| term.is_on(column)) {
                terms.push(Term::column(column, key.descending));
            }
        }
    }

    /// The key comes last, in the last term's direction.
    fn with_key(&self, resource: &Resource, mut terms: Vec<Term>) -> Vec<Term> {
        let descending = terms.last().is_some_and(|term| term.descending);
        for column in self.key(resource) {
            if !terms.iter().any(|term| term.is_on(column)) {
                terms.push(Term::column(column, descending));
            }
        }
        terms
    }

    /// Whether the key, a unique or an index that is made already does as well.
    fn is_served(&self, resource: &Resource, index: &Needed, made: &[Needed]) -> bool {
        let key = self.key(resource);
        let holds_all = |unique: &&rest_schema::Unique| {
            resource.kept.deleted.is_none() || unique.fields == resource.key.fields
        };
        let uniques = resource.uniques.iter().filter(holds_all).map(|unique| {
            let columns = unique
                .fields
                .iter()
                .map(|id| self.schema.field(*id).column.as_str());
            columns.collect::<Vec<_>>()
        });
        let served_by_unique = |columns: &[&str]| {
            let terms: Vec<_> = columns.iter().map(|column| (Some(*column), false)).collect();
            // Where the first terms leave one row at most, what follows them orders nothing.
            let decides = columns.len() <= index.fixed.max(1)
                && index.terms.len() >= columns.len()
                && index
                    .terms
                    .iter()
                    .zip(columns)
                    .all(|(term, column)| term.is_on(column));
            decides && index.condition.is_none() || index.is_served_by(&terms)
        };
        let served_by_made = |made: &Needed| {
            let terms = made.terms.iter().map(|term| match &term.on {
                On::Column(column) => (Some(column.as_str()), term.descending),
                On::Expression(_) => (None, term.descending),
            });
            let terms: Vec<_> = terms.collect();
            made == index || made.condition.is_none() && index.is_served_by(&terms)
        };
        !index.is_unique
            && (served_by_unique(&key) || uniques.into_iter().any(|columns| served_by_unique(&columns)))
            || made
                .iter()
                .any(|made| (!index.is_unique || made.is_unique) && served_by_made(made))
    }
}
