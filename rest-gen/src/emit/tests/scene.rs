//! A scene: the rows that a test makes, before anything is asked of the service.
//!
//! It is kept as values, so that rules can be judged over it, and written down as statements only at the end. What
//! only the service decides is a [`Cell`] that says so.

use rest_schema::{
    DefaultValue, Field, FieldId, FieldRole, KeyKind, Link, RelationId, RelationKind, Resource, ResourceId,
    Rule, Schema, Through, Value,
};

use super::judge::Judge;
use super::sample::Rules;
use super::unique::{Uniqueness, uniques};

/// How deep the rows that a row needs may need others.
const DEEPEST: usize = 8;

/// How many samples are tried for a value that no other row has.
const TRIES: usize = 40;

/// A value as far as a scene knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// This one, or NULL.
    Value(Value),
    /// The key that the service made for the row at this place of the scene.
    Key(usize),
    /// The moment of the write.
    Now,
    /// Something else.
    Unknown,
}

impl Cell {
    pub(super) const NULL: Self = Self::Value(Value::Null);
}

/// Where a field's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot<'s> {
    /// The body says it.
    Given(Cell),
    /// The body leaves it out, and this is what it becomes.
    Left(Cell),
    /// The body leaves it out, and an expression over the row decides.
    Expression(&'s Rule),
}

/// Who sends a request: nobody, or the account at this place of the scene.
pub(super) type Who = Option<usize>;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<'s> {
    pub(super) resource: ResourceId,
    /// By field.
    pub(super) slots: Vec<Slot<'s>>,
    /// Who makes it over HTTP; `None`: it is there before.
    pub(super) maker: Option<Who>,
}

/// Two rows that a many-to-many joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    /// The relation, at the side that declares it.
    pub(super) relation: RelationId,
    /// The row of that side.
    pub(super) from: usize,
    /// The row of the other.
    pub(super) to: usize,
}

/// How a row is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct How {
    /// With what it could leave out, too.
    pub(super) full: bool,
    /// Who makes it over HTTP; `None`: it is there before.
    pub(super) maker: Option<Who>,
}

impl How {
    /// There before, and no more than it needs.
    pub(super) const THERE: Self = Self {
        full: false,
        maker: None,
    };
}

/// The rows of a test.
#[derive(Debug, Clone)]
pub(super) struct Scene<'s> {
    pub(super) schema: &'s Schema,
    pub(super) rows: Vec<Row<'s>>,
    pub(super) pairs: Vec<Pair>,
    /// A row that may have what others have: a test that it is refused needs one.
    pub(super) clashing: Option<usize>,
    /// Fields of rows that stay as they are.
    pub(super) pinned: Vec<(usize, u32)>,
}

impl<'s> Scene<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            rows: Vec::new(),
            pairs: Vec::new(),
            clashing: None,
            pinned: Vec::new(),
        }
    }

    pub(super) fn resource_of(&self, row: usize) -> &'s Resource {
        self.schema.resource(self.rows[row].resource)
    }

    /// Whether a row may be given a value here: what is there before takes all that is stored.
    pub(super) fn is_settable(&self, row: usize, index: u32) -> bool {
        let resource = self.resource_of(row);
        let field = &resource.fields[index as usize];
        let is_generated = is_generated(resource, index, field) && !resource.key.by_client;
        // A row that was deleted is none that a test can ask for.
        let is_mark = resource.kept.deleted.is_some_and(|mark| mark.index == index);
        if !field.is_stored() || is_generated || is_mark || self.pinned.contains(&(row, index)) {
            return false;
        }
        match self.rows[row].maker {
            None => true,
            Some(_) => field.is_accepted() && field.writable.is_none(),
        }
    }

    /// A field's value.
    pub(super) fn cell(&self, row: usize, index: u32) -> Cell {
        self.cell_of(&self.rows[row], index)
    }

    /// The same of a row that needn't be in the scene (any more).
    pub(super) fn cell_of(&self, row: &Row<'s>, index: u32) -> Cell {
        match &row.slots[index as usize] {
            Slot::Given(cell) | Slot::Left(cell) => cell.clone(),
            Slot::Expression(rule) => Judge::of_nobody(self).cell(&rule.expr, &[row]),
        }
    }

    /// The rows that a relation leads to.
    pub(super) fn related(&self, row: &Row<'s>, relation: RelationId) -> Vec<usize> {
        let found = self.schema.relation(relation);
        match &found.link {
            Link::Keys { local, remote } => {
                let own: Vec<Cell> = local.iter().map(|id| self.cell_of(row, id.index)).collect();
                let is_one = |place: &usize| {
                    self.rows[*place].resource == found.target
                        && own
                            .iter()
                            .zip(remote)
                            .all(|(own, id)| same(own, &self.cell(*place, id.index)))
                };
                (0..self.rows.len()).filter(is_one).collect()
            }
            Link::Join { .. } => match found.through {
                Some(through) => self.joined_through(row, through),
                None => self.joined(row, relation),
            },
        }
    }

    /// By the rows that are the pairs.
    fn joined_through(&self, row: &Row<'s>, through: Through) -> Vec<usize> {
        let Link::Keys { local, remote } = &self.schema.relation(through.from).link else {
            return Vec::new();
        };
        let starts_here = |pair: &&Row<'s>| {
            let mut parts = local.iter().zip(remote);
            pair.resource == through.resource()
                && parts.all(|(own, key)| same(&self.cell_of(pair, own.index), &self.cell_of(row, key.index)))
        };
        let pairs = self.rows.iter().filter(starts_here);
        pairs.flat_map(|pair| self.related(pair, through.to)).collect()
    }

    fn joined(&self, row: &Row<'s>, relation: RelationId) -> Vec<usize> {
        let found = self.schema.relation(relation);
        let declared = if found.declared {
            Some(relation)
        } else {
            found.inverse
        };
        let ends = self.pairs.iter().filter(|pair| Some(pair.relation) == declared);
        let ends = ends.map(|pair| {
            if found.declared {
                (pair.from, pair.to)
            } else {
                (pair.to, pair.from)
            }
        });
        let key = &self.schema.resource(row.resource).key.fields;
        let is_this = |from: usize| {
            let same = |id: &FieldId| same(&self.cell(from, id.index), &self.cell_of(row, id.index));
            self.rows[from].resource == row.resource && key.iter().all(same)
        };
        ends.filter(|(from, _)| is_this(*from))
            .map(|(_, to)| to)
            .collect()
    }

    /// Makes a row, and what it can't be without; `None` where that never ends, or where values run out.
    pub(super) fn add(&mut self, resource: ResourceId, how: How, given: &[(u32, Cell)]) -> Option<usize> {
        self.add_within(resource, how, given, 0)
    }

    fn add_within(
        &mut self,
        resource: ResourceId,
        how: How,
        given: &[(u32, Cell)],
        depth: usize,
    ) -> Option<usize> {
        if depth > DEEPEST {
            return None;
        }
        let place = self.rows.len();
        let nth = self.rows.iter().filter(|row| row.resource == resource).count() + 1;
        let fields = &self.schema.resource(resource).fields;
        let slots = vec![Slot::Left(Cell::Unknown); fields.len()];
        self.rows.push(Row {
            resource,
            slots,
            maker: how.maker,
        });
        for (index, field) in (0u32..).zip(fields) {
            let preset = given.iter().find(|(of, _)| *of == index);
            let slot = match preset {
                Some((_, cell)) => Slot::Given(cell.clone()),
                None if matches!(field.role, FieldRole::ForeignKey(_)) => Slot::Left(Cell::NULL),
                None => self.filled(place, index, how, nth)?,
            };
            self.rows[place].slots[index as usize] = slot;
        }
        self.point_at_others(place, how, given, depth)?;
        self.tell_apart(place, nth)?;
        Some(place)
    }

    /// A plain field, or a part of the key.
    fn filled(&self, place: usize, index: u32, how: How, nth: usize) -> Option<Slot<'s>> {
        let resource = self.resource_of(place);
        let field = &resource.fields[index as usize];
        if let Some(rule) = &field.computed {
            return Some(Slot::Expression(rule));
        }
        if is_generated(resource, index, field) {
            return Some(Slot::Left(Cell::Key(place)));
        }
        Some(match &field.default {
            Some(DefaultValue::Literal(value)) => Slot::Left(Cell::Value(value.clone())),
            Some(DefaultValue::Now) => Slot::Left(Cell::Now),
            Some(DefaultValue::Expression(rule)) => Slot::Expression(rule),
            Some(_) => Slot::Left(Cell::Unknown),
            None if field.optional && !(how.full && self.is_settable(place, index)) => Slot::Left(Cell::NULL),
            None if how.maker.is_some() && !field.is_accepted() => Slot::Left(Cell::NULL),
            None => Slot::Given(Cell::Value(self.rules(resource, index).nth(nth)?)),
        })
    }

    /// Foreign keys: to the maker by default, to rows of their own where they can't be NULL.
    fn point_at_others(&mut self, place: usize, how: How, given: &[(u32, Cell)], depth: usize) -> Option<()> {
        let id = self.rows[place].resource;
        let resource = self.schema.resource(id);
        for (index, relation) in (0u32..).zip(&resource.relations) {
            let Link::Keys { local, remote } = &relation.link else {
                continue;
            };
            let is_given = |of: &FieldId| given.iter().any(|(index, _)| *index == of.index);
            if relation.kind != RelationKind::BelongsTo || local.iter().all(is_given) {
                continue;
            }
            let first = &resource.fields[local[0].index as usize];
            if let (Some(who), Some(DefaultValue::Me)) = (how.maker, &first.default) {
                for (own, other) in local.iter().zip(remote) {
                    let cell = who.map_or(Cell::NULL, |me| self.cell(me, other.index));
                    self.rows[place].slots[own.index as usize] = Slot::Left(cell);
                }
                continue;
            }
            if local.iter().any(|of| resource.fields[of.index as usize].optional) {
                continue;
            }
            if how.maker.is_some() && !first.is_accepted() {
                return None;
            }
            let shared: Vec<(u32, Cell)> = local
                .iter()
                .zip(remote)
                .map(|(own, other)| (other.index, self.cell(place, own.index)))
                .filter(|(_, cell)| *cell != Cell::NULL)
                .collect();
            let target = self.add_within(relation.target, How::THERE, &shared, depth + 1)?;
            self.link(place, RelationId { resource: id, index }, target);
        }
        Some(())
    }

    /// What fields of a new row are to have so that they hold these of a row that is there.
    pub(super) fn holding(&self, row: usize, theirs: &[FieldId], own: &[FieldId]) -> Vec<(u32, Cell)> {
        let cells = theirs.iter().map(|field| self.cell(row, field.index));
        own.iter().map(|field| field.index).zip(cells).collect()
    }

    /// Points a belongs_to of a row at another row.
    pub(super) fn link(&mut self, place: usize, relation: RelationId, target: usize) {
        let Link::Keys { local, remote } = &self.schema.relation(relation).link else {
            return;
        };
        for (own, other) in local.iter().zip(remote) {
            let cell = self.cell(target, other.index);
            self.rows[place].slots[own.index as usize] = Slot::Given(cell);
        }
    }

    /// Takes other samples until the row shares no value that may stand only once.
    fn tell_apart(&mut self, place: usize, nth: usize) -> Option<()> {
        let resource = self.resource_of(place);
        for step in 1..=TRIES {
            let Some(fields) = self.conflict_of(place) else {
                return Some(());
            };
            let plain = fields.iter().copied().find(|id| {
                let field = &resource.fields[id.index as usize];
                let slot = &self.rows[place].slots[id.index as usize];
                !matches!(field.role, FieldRole::ForeignKey(_))
                    && (matches!(slot, Slot::Given(_)) || self.is_settable(place, id.index))
            })?;
            let value = self.rules(resource, plain.index).nth(nth + step)?;
            self.rows[place].slots[plain.index as usize] = Slot::Given(Cell::Value(value));
        }
        None
    }

    /// The fields of a uniqueness that a row breaks.
    pub(super) fn conflict_of(&self, place: usize) -> Option<Vec<FieldId>> {
        if self.clashing == Some(place) {
            return None;
        }
        let mut all = uniques(self.resource_of(place)).into_iter();
        let found = all.find(|unique| {
            let others =
                (0..self.rows.len()).filter(|other| *other != place && self.clashing != Some(*other));
            others
                .filter(|other| self.rows[*other].resource == self.rows[place].resource)
                .any(|other| self.clash(unique, place, other))
        });
        found.map(|unique| unique.fields)
    }

    fn clash(&self, unique: &Uniqueness<'_>, one: usize, other: usize) -> bool {
        let is_same = |id: &FieldId| same(&self.cell(one, id.index), &self.cell(other, id.index));
        unique.fields.iter().all(is_same)
            && unique
                .condition
                .is_none_or(|rule| self.may_hold(rule, one) && self.may_hold(rule, other))
    }

    fn may_hold(&self, rule: &Rule, place: usize) -> bool {
        let truth = Judge::of_nobody(self).truth(&rule.expr, &[&self.rows[place]]);
        !truth.refuses()
    }

    /// The rules of a field's values.
    pub(super) fn rules(&self, resource: &'s Resource, index: u32) -> Rules<'s> {
        Rules {
            field: &resource.fields[index as usize],
            is_key: resource.key.fields.iter().any(|id| id.index == index),
        }
    }

    /// Whether the database would take all rows: uniqueness, and foreign keys to rows that are there.
    pub(super) fn is_sound(&self) -> bool {
        (0..self.rows.len()).all(|place| self.conflict_of(place).is_none() && self.points_somewhere(place))
    }

    fn points_somewhere(&self, place: usize) -> bool {
        let row = &self.rows[place];
        let resource = self.resource_of(place);
        let keys = (0u32..).zip(&resource.relations);
        let keys = keys.filter(|(_, relation)| relation.kind == RelationKind::BelongsTo);
        keys.map(|(index, relation)| {
            (
                RelationId {
                    resource: row.resource,
                    index,
                },
                relation,
            )
        })
        .all(|(id, relation)| {
            let Link::Keys { local, .. } = &relation.link else {
                return true;
            };
            let cells: Vec<Cell> = local.iter().map(|id| self.cell(place, id.index)).collect();
            cells.contains(&Cell::NULL) || !self.related(row, id).is_empty()
        })
    }
}

/// Whether the service makes the value itself: a key that is counted up or a UUID.
pub(super) fn is_generated(resource: &Resource, index: u32, field: &Field) -> bool {
    matches!(resource.key.kind, KeyKind::Autoincrement | KeyKind::Uuid)
        && resource.key.fields.iter().any(|id| id.index == index)
        && !matches!(field.role, FieldRole::ForeignKey(_))
}

/// Whether two cells are surely the same value; NULL is none.
pub(super) fn same(one: &Cell, other: &Cell) -> bool {
    match (one, other) {
        (Cell::Value(Value::Null), _) | (Cell::Unknown | Cell::Now, _) => false,
        (one, other) => one == other,
    }
}
