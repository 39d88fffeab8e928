//! Plans of reads: which rows of which resource, in which order, and what is shown of each.
//!
//! A plan's [`Shape`] holds no values, so that its SQL is made once; the values are beside it. Access rules are in the
//! shape from the beginning: of the rows themselves, and of every resource that a filter, a sort or an include touches.

use std::sync::Arc;

use rest_schema::{Comparison, FieldId, RelationId, ResourceId, SortKey, Through, Value};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::model::Model;
use crate::plan::access::{Permit, Which};
use crate::plan::aggregate::Groups;
use crate::plan::binding::{beside_binding, binding, related_binding};
use crate::plan::expr::{Expr, LedTo, Origin, Place, Related, Search, Slot, Take, TextMatch};
use crate::plan::hidden_field;
use crate::plan::keeping::Keeping;
use crate::plan::level::{Included, Level, SharedLevel, Shown};
use crate::problem::{Code, Problem};
use crate::request::page::{CursorKey, Position};
use crate::request::search::phrases;
use crate::request::{
    Aggregation, Condition, Filter, Include, Operator, Page, Path, Query, Selection, SortTerm,
};
use crate::respond::format::Format;

/// A read, ready to be run.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    /// What it does.
    pub shape: Arc<Shape>,
    /// The values of its [`Slot::Param`]s.
    pub params: Vec<Cell>,
    /// The most rows on the page (1 for an item).
    pub limit: u32,
    /// What a cursor made from it is bound to: its sort and its filters.
    pub binding: u64,
    /// What caches may keep of what it yields.
    pub keeping: Keeping,
    /// The form of its rows.
    pub format: Format,
}

/// What a read does, apart from its values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Whose rows.
    pub resource: ResourceId,
    /// What is shown of them.
    pub level: SharedLevel,
    /// Which rows: filters and rules.
    pub condition: Expr,
    /// Which part of them.
    pub select: Select,
}

/// Which part of the rows is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Select {
    /// The one row of a key, with all stored columns for its state.
    Item {
        /// Conditions whose truth is asked for beside it (in the steps of a write).
        flags: Vec<Expr>,
    },
    /// A page.
    Page {
        /// The whole order, the key last.
        order: Vec<Term>,
        /// Where it begins.
        start: Start,
        /// Whether the rows are counted as well.
        count: bool,
    },
    /// What is worked out of all of them, by groups.
    Groups(Groups),
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Start {
    /// At the first row.
    First,
    /// After a place in the order, or before it.
    At {
        /// The place of the first of its values among the parameters; one for each term.
        values: u16,
        /// Which of them are NULL.
        nulls: Vec<bool>,
        /// Against the order.
        backward: bool,
    },
    /// After a number of rows: its place among the parameters.
    Offset(u16),
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// What is compared.
    pub expr: Expr,
    /// From the greatest.
    pub descending: bool,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// Where a relation is followed from, by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// The way.
    pub relation: RelationId,
    /// The key of the row that it starts from.
    pub key: Vec<Cell>,
}

/// Makes plans for one caller.
#[derive(Debug, Clone, Copy)]
pub struct Planner<'a> {
    /// The service.
    pub model: &'a Model,
    /// Who asks.
    pub caller: &'a Caller,
}

impl Planner<'_> {
    /// One item by its key, whose cells are in the order of the key's fields.
    pub fn item(
        &self,
        resource: ResourceId,
        key: Vec<Cell>,
        selection: &Selection,
    ) -> Result<ReadPlan, Problem> {
        let level = self.shared_level(resource, selection)?;
        let keeping = self.keeping(resource, &[], selection);
        let is_it = key_condition(self.model, resource, key.len());
        let read = self.read_rule_of(resource, selection.which)?;
        let plan = self.one(level, Expr::and([is_it, read]), key);
        Ok(ReadPlan { keeping, ..plan })
    }

    /// One item, shown as a level says.
    pub(crate) fn item_as(&self, level: SharedLevel, key: Vec<Cell>) -> Result<ReadPlan, Problem> {
        let is_it = key_condition(self.model, level.resource, key.len());
        let read = self.read_rule(level.resource)?;
        Ok(self.one(level, Expr::and([is_it, read]), key))
    }

    /// The one row that a condition finds.
    fn one(&self, level: SharedLevel, condition: Expr, mut params: Vec<Cell>) -> ReadPlan {
        let resource = level.resource;
        let shape = Arc::new(Shape {
            resource,
            level,
            condition,
            select: Select::Item { flags: Vec::new() },
        });
        params.shrink_to_fit();
        ReadPlan {
            shape,
            params,
            limit: 1,
            binding: 0,
            keeping: Keeping::Personal,
            format: Format::Json,
        }
    }

    /// A page of a collection; its cursor is opened by the key.
    pub fn page(&self, resource: ResourceId, query: &Query, key: &CursorKey) -> Result<ReadPlan, Problem> {
        let level = self.shared_level(resource, &query.selection)?;
        self.page_as(level, query, key)
    }

    /// A page of what a relation leads to from the row with this key.
    pub fn related(&self, from: &From, query: &Query, key: &CursorKey) -> Result<ReadPlan, Problem> {
        let relation = self.model.relation(from.relation);
        let level = match relation.through {
            Some(through) if !query.format.is_stream() && query.aggregation.is_none() => {
                let mut level = self.level(relation.target, &query.selection)?;
                level.includes.push(self.pair(through)?);
                level.into()
            }
            _ => self.shared_level(relation.target, &query.selection)?,
        };
        let own: Query;
        let query = if query.sort.is_empty() {
            own = Query {
                sort: own_order(&relation.sort),
                ..query.clone()
            };
            &own
        } else {
            query
        };
        self.page_from(level, query, key, Some(from))
    }

    /// The one item that a relation leads to from the row with this key.
    pub fn related_item(&self, from: &From, selection: &Selection) -> Result<ReadPlan, Problem> {
        let target = self.model.relation(from.relation).target;
        let level = self.shared_level(target, selection)?;
        let of_target = self.keeping(target, &[], selection);
        let keeping = of_target.and(self.model.keeping(from.relation.resource));
        let read = self.read_rule_of(target, selection.which)?;
        let plan = self.one(level, Expr::and([self.led_to(from)?, read]), from.key.clone());
        Ok(ReadPlan { keeping, ..plan })
    }

    /// The keys of the items for which conditions hold, in the order of the keys, so that all who write several take
    /// them in the same order; `from`: only of those to which a relation leads from there.
    pub fn matching(
        &self,
        resource: ResourceId,
        filters: Vec<Condition>,
        limit: u32,
        from: Option<&From>,
        key: &CursorKey,
    ) -> Result<ReadPlan, Problem> {
        let keys = &self.model.resource(resource).key.fields;
        let shown = |field: &FieldId| Shown {
            field: *field,
            value: Expr::Column(0, *field),
            guard: None,
        };
        let level = Level {
            resource,
            fields: keys.iter().map(shown).collect(),
            includes: Vec::new(),
        };
        let by_key = |field: &FieldId| {
            own_term(&SortKey {
                field: *field,
                descending: false,
            })
        };
        let query = Query {
            filters,
            sort: keys.iter().map(by_key).collect(),
            ..Query::all(limit)
        };
        self.page_from(level.into(), &query, key, from)
    }

    /// That a row is one to which a relation leads from a row that the caller may read; its key are the first parameters.
    fn led_to(&self, from: &From) -> Result<Expr, Problem> {
        let resource = from.relation.resource;
        let key = key_condition(self.model, resource, from.key.len());
        let condition = Expr::and([key, self.read_rule(resource)?]).shifted(1);
        Ok(Expr::LedTo(Box::new(LedTo {
            to: 0,
            relation: from.relation,
            row: 1,
            condition,
            pairs: self.pairs_rule(from.relation)?.shifted(1),
        })))
    }

    /// A page whose items are shown as a level says.
    pub(crate) fn page_as(
        &self,
        level: SharedLevel,
        query: &Query,
        key: &CursorKey,
    ) -> Result<ReadPlan, Problem> {
        self.page_from(level, query, key, None)
    }

    /// Which rows are asked for, and the values that say so.
    pub(super) fn which(
        &self,
        resource: ResourceId,
        query: &Query,
        from: Option<&From>,
    ) -> Result<(Expr, Vec<Cell>), Problem> {
        let mut params = from.map(|from| from.key.clone()).unwrap_or_default();
        let read = self.read_rule_of(resource, query.selection.which)?;
        let mut parts = Vec::with_capacity(query.filters.len() + 3);
        if let Some(from) = from {
            parts.push(self.led_to(from)?);
        }
        for filter in &query.filters {
            parts.push(self.condition(0, filter, &mut params)?);
        }
        if let Some(text) = &query.search {
            parts.push(self.search(resource, text, &mut params));
        }
        parts.push(read);
        Ok((Expr::and(parts), params))
    }

    fn page_from(
        &self,
        level: SharedLevel,
        query: &Query,
        key: &CursorKey,
        from: Option<&From>,
    ) -> Result<ReadPlan, Problem> {
        let resource = level.resource;
        if let Some(aggregation) = &query.aggregation {
            return self.groups(level, aggregation, query, from);
        }
        let binding = match from {
            None => binding(self.model, resource, query),
            Some(from) => {
                let hash = related_binding(self.model, from.relation, &from.key, &query.filters, &query.sort);
                beside_binding(hash, query)
            }
        };
        let position = match &query.page {
            Page::Cursor(text) if !text.is_empty() => Some(Position::open(text, key, binding)?),
            _ => None,
        };
        let (condition, mut params) = self.which(resource, query, from)?;
        let order = self.order(resource, &query.sort)?;
        if query.format.is_stream() {
            self.check_streamed(resource, from, &query.sort, position.as_ref())?;
        }
        if position
            .as_ref()
            .is_some_and(|position| position.values.len() != order.len())
        {
            return Err(Problem::new(Code::BadCursor));
        }
        let start = match (&query.page, position) {
            (_, Some(position)) => start_at(position, &mut params),
            (Page::Number(number), None) => {
                let offset = i64::from(number.saturating_sub(1)) * i64::from(query.limit);
                Start::Offset(push(&mut params, Cell::Integer(offset)))
            }
            _ => Start::First,
        };
        let select = Select::Page {
            order,
            start,
            count: query.count,
        };
        let shape = Arc::new(Shape {
            resource,
            level,
            condition,
            select,
        });
        let keeping = self.keeping_of(resource, query, from);
        Ok(ReadPlan {
            shape,
            params,
            limit: query.limit,
            binding,
            keeping,
            format: query.format,
        })
    }

    /// What may be kept of what a query finds: each resource that it looks at says so.
    pub(super) fn keeping_of(&self, resource: ResourceId, query: &Query, from: Option<&From>) -> Keeping {
        let mut steps: Vec<RelationId> = Vec::new();
        query
            .filters
            .iter()
            .for_each(|condition| condition.steps(&mut steps));
        steps.extend(query.sort.iter().flat_map(|term| &term.path.steps));
        let aggregated = query.aggregation.iter().flat_map(Aggregation::paths);
        steps.extend(aggregated.flat_map(|path| &path.steps));
        let keeping = self.keeping(resource, &steps, &query.selection);
        from.iter().fold(keeping, |keeping, from| {
            let through = self.model.relation(from.relation).through;
            let pairs = through.map(|through| self.model.keeping(through.resource()));
            let keeping = pairs.into_iter().fold(keeping, Keeping::and);
            keeping.and(self.model.keeping(from.relation.resource))
        })
    }

    fn keeping(&self, resource: ResourceId, steps: &[RelationId], selection: &Selection) -> Keeping {
        // Whom deleted rows are shown to is a rule of its own.
        if selection.which != Which::There {
            return Keeping::Personal;
        }
        let target = |relation: &RelationId| self.model.relation(*relation).target;
        let includes = || selection.includes.iter();
        let ways = steps
            .iter()
            .copied()
            .chain(includes().map(|include| include.relation));
        let pairs = ways.filter_map(|way| self.model.relation(way).through);
        let of_pairs = pairs.map(|through| self.model.keeping(through.resource()));
        let of_steps = steps
            .iter()
            .map(|step| self.model.keeping(target(step)))
            .chain(of_pairs);
        let of_includes =
            includes().map(|include| self.keeping(target(&include.relation), &[], &include.selection));
        of_steps
            .chain(of_includes)
            .fold(self.model.keeping(resource), Keeping::and)
    }

    /// The read rule as a condition on row 0, or the refusal where it is closed to this caller.
    #[cfg_attr(feature = "mutants", track_caller)]
    pub fn read_rule(&self, resource: ResourceId) -> Result<Expr, Problem> {
        self.read_rule_of(resource, Which::There)
    }

    /// The read rule of the pairs of a many-to-many, as a condition on row 0, where they are rows of a resource.
    #[cfg_attr(feature = "mutants", track_caller)]
    fn pairs_rule(&self, relation: RelationId) -> Result<Expr, Problem> {
        match self.model.relation(relation).through {
            Some(through) => self.read_rule(through.resource()),
            None => Ok(Expr::Boolean(true)),
        }
    }

    /// The same for rows of which those that were deleted may be some.
    #[cfg_attr(feature = "mutants", track_caller)]
    fn read_rule_of(&self, resource: ResourceId, which: Which) -> Result<Expr, Problem> {
        let rules = self.model.rules(resource);
        if which != Which::There && rules.restore.permit(self.caller) == Permit::Never {
            return Err(rules.restore.refusal(self.model, self.caller));
        }
        match rules.read(which).permit(self.caller) {
            Permit::Never => Err(rules.read(which).refusal(self.model, self.caller)),
            granted => Ok(granted.condition()),
        }
    }

    /// What is shown of a resource's rows to this caller, as plans share it.
    pub fn shared_level(&self, resource: ResourceId, selection: &Selection) -> Result<SharedLevel, Problem> {
        let whole = selection.fields.is_none() && selection.includes.is_empty();
        match self.model.whole_level(resource, self.caller) {
            Some(level) if whole => Ok(level.clone()),
            _ => self.level(resource, selection).map(SharedLevel::from),
        }
    }

    /// What is shown of a resource's rows to this caller.
    fn level(&self, resource: ResourceId, selection: &Selection) -> Result<Level, Problem> {
        let fields = match &selection.fields {
            Some(fields) => fields.iter().filter_map(|field| self.shown(*field)).collect(),
            None => self
                .model
                .fields(resource)
                .filter(|(_, field)| field.is_shown())
                .filter_map(|(id, _)| self.shown(id))
                .collect(),
        };
        let includes = selection
            .includes
            .iter()
            .map(|include| self.include(include))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Level {
            resource,
            fields,
            includes,
        })
    }

    /// Whether a field exists for this caller.
    pub fn is_visible(&self, field: FieldId) -> bool {
        self.model.field(field).is_shown() && !matches!(self.guard(field), Permit::Never)
    }

    fn guard(&self, field: FieldId) -> Permit<'_> {
        let rule = self.model.rules(field.resource).readable[field.index as usize].as_ref();
        rule.map_or(Permit::Always, |rule| rule.permit(self.caller))
    }

    fn shown(&self, field: FieldId) -> Option<Shown> {
        let guard = match self.guard(field) {
            Permit::Never => return None,
            Permit::Always => None,
            Permit::When(expr) => Some(expr.clone()),
        };
        let computed = self.model.computed_for(field, self.caller);
        let value = computed.unwrap_or(Expr::Column(0, field));
        Some(Shown { field, value, guard })
    }

    fn include(&self, include: &Include) -> Result<Included, Problem> {
        let relation = self.model.relation(include.relation);
        let target = relation.target;
        let sort = own_order(&relation.sort);
        Ok(Included {
            relation: include.relation,
            back: false,
            level: self.level(target, &include.selection)?,
            condition: self.read_rule(target)?,
            pairs: self.pairs_rule(include.relation)?.shifted(1),
            order: if relation.kind.is_to_one() {
                Vec::new()
            } else {
                self.order(target, &sort)?
            },
            cap: relation.limit.unwrap_or(self.model.schema.page.limit),
        })
    }

    /// The pair by which an item is found where a relation leads; the key of where it starts are the first parameters.
    fn pair(&self, through: Through) -> Result<Included, Problem> {
        let pairs = through.resource();
        let starts = Expr::are(self.model.foreign_key(through.from).unwrap_or_default());
        Ok(Included {
            relation: through.to,
            back: true,
            level: self.level(pairs, &Selection::default())?,
            condition: Expr::and([starts, self.read_rule(pairs)?]),
            pairs: Expr::Boolean(true),
            order: Vec::new(),
            cap: 1,
        })
    }

    /// The order asked for, else the resource's own, and the key last in the last term's direction.
    fn order(&self, resource: ResourceId, asked: &[SortTerm]) -> Result<Vec<Term>, Problem> {
        let own: Vec<SortTerm>;
        let asked = if asked.is_empty() {
            own = own_order(&self.model.resource(resource).sort);
            &own
        } else {
            asked
        };
        let mut terms = asked
            .iter()
            .map(|term| self.term(term))
            .collect::<Result<Vec<_>, _>>()?;
        let descending = terms.last().is_some_and(|term| term.descending);
        for key in &self.model.resource(resource).key.fields {
            let expr = Expr::Column(0, *key);
            if !terms.iter().any(|term| term.expr == expr) {
                terms.push(Term {
                    expr,
                    descending,
                    nullable: false,
                });
            }
        }
        Ok(terms)
    }

    fn term(&self, term: &SortTerm) -> Result<Term, Problem> {
        let field = term.path.field;
        // An order over values that some rows hide would tell them.
        if !self.is_open(field) {
            return Err(hidden_field(self.model, field, "sort"));
        }
        let nullable = self.model.field(field).optional || !term.path.steps.is_empty();
        let expr = self.value(&term.path)?;
        Ok(Term {
            expr,
            descending: term.descending,
            nullable,
        })
    }

    /// Whether every row shows a field to this caller.
    pub(super) fn is_open(&self, field: FieldId) -> bool {
        matches!(self.guard(field), Permit::Always)
    }

    /// The value at the end of a path of steps to one.
    pub(super) fn value(&self, path: &Path) -> Result<Expr, Problem> {
        self.value_at(Origin::Row(0), &path.steps, path.field, 0)
    }

    fn value_at(
        &self,
        from: Origin,
        steps: &[RelationId],
        field: FieldId,
        innermost: u8,
    ) -> Result<Expr, Problem> {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(Expr::Column(innermost, field));
        };
        let row = innermost + 1;
        let target = self.model.relation(*step).target;
        let value = self.value_at(Origin::Row(row), rest, field, row)?;
        let condition = self.read_rule(target)?.shifted(row);
        Ok(Expr::Related(Box::new(Related {
            from,
            row,
            relation: *step,
            condition,
            pairs: Expr::Boolean(true),
            take: Take::Value(value),
        })))
    }

    /// A condition: EXISTS along its steps, with the read rule of each target; a NOT is at the leaf, or says that nothing is
    /// there, and never above a rule.
    fn condition(&self, row: u8, condition: &Condition, params: &mut Vec<Cell>) -> Result<Expr, Problem> {
        let mut several = |all: &[Condition]| {
            let all = all.iter().map(|one| self.condition(row, one, params));
            all.collect::<Result<Vec<_>, _>>()
        };
        match condition {
            Condition::Test(filter) => self.filter_from(row, &filter.path.steps, filter, params),
            Condition::Not(filter) => Ok(self.leaf(row, filter, true, params)),
            Condition::All(all) => several(all).map(Expr::and),
            Condition::Any(all) => several(all).map(Expr::or),
            Condition::Some(relation, inner) => self.exists(row, *relation, inner, params),
            Condition::None(relation, inner) => self.exists(row, *relation, inner, params).map(Expr::negated),
        }
    }

    /// That all words of a search stand in the row, as far as the caller may read it.
    fn search(&self, resource: ResourceId, text: &str, params: &mut Vec<Cell>) -> Expr {
        let searched = self.model.fields(resource).filter(|(_, field)| field.searchable);
        let read = searched.filter(|(id, _)| matches!(self.guard(*id), Permit::Always));
        let fields: Vec<FieldId> = read.map(|(id, _)| id).collect();
        if fields.is_empty() || phrases(text).is_empty() {
            return Expr::Boolean(false);
        }
        Expr::Search(Box::new(Search {
            row: 0,
            resource,
            fields,
            text: Slot::Param(push(params, Cell::Text(text.to_owned()))),
        }))
    }

    fn exists(
        &self,
        row: u8,
        relation: RelationId,
        inner: &Condition,
        params: &mut Vec<Cell>,
    ) -> Result<Expr, Problem> {
        let inner = self.condition(row + 1, inner, params)?;
        self.some(row, relation, inner)
    }

    /// That a relation leads to a row that satisfies a condition, as far as the caller may read it.
    fn some(&self, row: u8, relation: RelationId, inner: Expr) -> Result<Expr, Problem> {
        let target = self.model.relation(relation).target;
        let rule = self.read_rule(target)?.shifted(row + 1);
        Ok(Expr::Related(Box::new(Related {
            from: Origin::Row(row),
            row: row + 1,
            relation,
            condition: Expr::and([inner, rule]),
            pairs: self.pairs_rule(relation)?.shifted(row + 2),
            take: Take::Exists,
        })))
    }

    fn filter_from(
        &self,
        row: u8,
        steps: &[RelationId],
        filter: &Filter,
        params: &mut Vec<Cell>,
    ) -> Result<Expr, Problem> {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(self.leaf(row, filter, false, params));
        };
        let inner = self.filter_from(row + 1, rest, filter, params)?;
        self.some(row, *step, inner)
    }

    fn leaf(&self, row: u8, filter: &Filter, negated: bool, params: &mut Vec<Cell>) -> Expr {
        let field = filter.path.field;
        let test = operator(self.model, row, filter, params);
        let test = if negated { test.negated() } else { test };
        match self.guard(field) {
            Permit::Always => test,
            Permit::Never => Expr::Boolean(false),
            Permit::When(guard) => Expr::and([guard.shifted(row), test]),
        }
    }
}

/// `key = ?` for each part of the key, the values being the first parameters.
pub fn key_condition(model: &Model, resource: ResourceId, count: usize) -> Expr {
    let fields = &model.resource(resource).key.fields;
    debug_assert_eq!(fields.len(), count);
    Expr::are(fields)
}

fn operator(model: &Model, row: u8, filter: &Filter, params: &mut Vec<Cell>) -> Expr {
    let field = filter.path.field;
    let codec = model.codec(field);
    let column = Box::new(Expr::Column(row, field));
    let mut slot = |value: Option<&Value>| {
        let cell = value.map_or(Cell::Null, |value| codec.encode(value));
        Slot::Param(push(params, cell))
    };
    let first = filter.values.first();
    let mut compare = |op| {
        let value = Box::new(Expr::Slot(slot(first)));
        Expr::Compare(op, column.clone(), value)
    };
    match filter.operator {
        Operator::Eq => compare(Comparison::Equal),
        Operator::Ne => compare(Comparison::NotEqual),
        Operator::Gt => compare(Comparison::Greater),
        Operator::Gte => compare(Comparison::GreaterOrEqual),
        Operator::Lt => compare(Comparison::Less),
        Operator::Lte => compare(Comparison::LessOrEqual),
        Operator::IsNull => Expr::IsNull(column),
        Operator::IsNotNull => Expr::IsNull(column).negated(),
        Operator::In | Operator::Nin => {
            let cells: Vec<Cell> = filter.values.iter().map(|value| codec.encode(value)).collect();
            let array = Slot::Param(push(params, json_array(&cells)));
            let test = Expr::InArray(column, array);
            if filter.operator == Operator::Nin {
                test.negated()
            } else {
                test
            }
        }
        Operator::Contains => Expr::Text(
            TextMatch {
                place: Place::Within,
                fold: false,
            },
            column,
            slot(first),
        ),
        Operator::StartsWith => Expr::Text(
            TextMatch {
                place: Place::Start,
                fold: false,
            },
            column,
            slot(first),
        ),
        Operator::EndsWith => Expr::Text(
            TextMatch {
                place: Place::End,
                fold: false,
            },
            column,
            slot(first),
        ),
        Operator::IContains => Expr::Text(
            TextMatch {
                place: Place::Within,
                fold: true,
            },
            column,
            slot(first),
        ),
        Operator::IStartsWith => Expr::Text(
            TextMatch {
                place: Place::Start,
                fold: true,
            },
            column,
            slot(first),
        ),
        Operator::IEndsWith => Expr::Text(
            TextMatch {
                place: Place::End,
                fold: true,
            },
            column,
            slot(first),
        ),
    }
}

/// A set as one bound value: a JSON array of stored forms. Blobs have no JSON form and are never filtered by.
pub fn json_array(cells: &[Cell]) -> Cell {
    let values = cells.iter().map(json_of).collect();
    Cell::Text(serde_json::Value::Array(values).to_string())
}

pub(crate) fn json_of(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Null | Cell::Blob(_) => serde_json::Value::Null,
        Cell::Integer(value) => (*value).into(),
        Cell::Real(value) => (*value).into(),
        Cell::Text(text) => text.as_str().into(),
    }
}

/// An order of the schema, as a request would ask for it.
pub(crate) fn own_order(keys: &[rest_schema::SortKey]) -> Vec<SortTerm> {
    keys.iter().map(own_term).collect()
}

pub(super) fn own_term(key: &rest_schema::SortKey) -> SortTerm {
    let path = crate::request::Path {
        steps: Vec::new(),
        field: key.field,
    };
    SortTerm {
        path,
        descending: key.descending,
    }
}

fn push(params: &mut Vec<Cell>, cell: Cell) -> u16 {
    params.push(cell);
    // The limits on parameters and lists keep plans far below this.
    u16::try_from(params.len() - 1).unwrap_or(u16::MAX)
}

pub(super) fn start_at(position: Position, params: &mut Vec<Cell>) -> Start {
    let values = u16::try_from(params.len()).unwrap_or(u16::MAX);
    let nulls = position.values.iter().map(|cell| *cell == Cell::Null).collect();
    params.extend(position.values);
    Start::At {
        values,
        nulls,
        backward: position.backward,
    }
}
