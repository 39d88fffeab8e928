//! What is worked out once, at start, and then only read: the schema with its codecs and compiled rules.

use std::sync::Arc;

use rest_schema::{
    Deprecation, Field, FieldId, Link, OnDelete, Relation, RelationId, RelationKind, Resource, ResourceId,
    Schema, Through,
};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::codec::{Codec, ColumnType, Columns};
use crate::plan::access::{self, Account, ResourceRules};
use crate::plan::expr::Expr;
use crate::plan::keeping::Keeping;
use crate::plan::level::{Level, SharedLevel, whole_levels};
use crate::plan::lower::Kind;
use crate::scope::{Act, Words};

/// A schema made ready to serve.
#[derive(Debug)]
pub struct Model {
    /// The schema.
    pub schema: Schema,
    /// How the fields are kept.
    pub columns: Columns,
    /// The rules of each resource.
    pub rules: Vec<ResourceRules>,
    /// Which accounts may sign in and use their tokens, as row 0; TRUE where all may.
    pub active: Expr,
    /// The words of the scopes that a token may have.
    pub scopes: Words,
    /// The account's fields that rules speak of, sorted.
    pub me_fields: Arc<[FieldId]>,
    /// By resource: what caches may keep of it.
    pub keeping: Vec<Keeping>,
    /// Whether anything has a day of its end.
    pub has_ends: bool,
    /// By resource: whether rows of which changes are logged may go, or be let go, with one of it.
    audited_along: Vec<bool>,
    /// By resource: what is told of its end where all of an item is shown.
    deprecated: Vec<Option<Deprecation>>,
    /// What is shown where a request doesn't say: to anonymous callers, and to accounts.
    whole: [Vec<Option<SharedLevel>>; 2],
}

fn earliest(all: impl Iterator<Item = Option<Deprecation>>) -> Option<Deprecation> {
    all.flatten().reduce(Deprecation::and)
}

fn whole_deprecation(resource: &Resource) -> Option<Deprecation> {
    let shown = resource.fields.iter().filter(|field| field.is_shown());
    earliest(std::iter::once(resource.deprecated).chain(shown.map(|field| field.deprecated)))
}

/// By resource: whether something audited points at it by what a deletion follows, itself or by way of what goes along.
fn audited_along(schema: &Schema) -> Vec<bool> {
    let mut along = vec![false; schema.resources.len()];
    // Each round finds what is one step further away, until there is nothing further.
    loop {
        let of = |(id, _)| {
            let mut pointing = schema.pointing_at(id);
            pointing.any(|relation| is_logged_along(schema, &along, relation))
        };
        let further: Vec<bool> = schema.resources().map(of).collect();
        if further == along {
            return along;
        }
        along = further;
    }
}

/// Whether a deletion that follows a belongs_to back changes something audited.
fn is_logged_along(schema: &Schema, along: &[bool], relation: RelationId) -> bool {
    let is_audited = schema.resource(relation.resource).kept.audited;
    match schema.relation(relation).on_delete {
        OnDelete::Restrict => false,
        OnDelete::SetNull => is_audited,
        OnDelete::Cascade => is_audited || along[relation.resource.0 as usize],
    }
}

impl Model {
    /// Compiles a schema whose fields are kept so.
    pub fn new(schema: Schema, columns: Columns) -> Self {
        let rules = access::compile(&schema, &columns.codecs);
        let me_fields = access::fields_of_me(&schema).into();
        let active = access::active(&schema, &columns.codecs);
        let scopes = Words::new(&schema);
        let keeping = schema
            .resources()
            .map(|(id, _)| Keeping::of(&schema, id))
            .collect();
        let has_ends = schema.has_days_of_an_end();
        let deprecated = schema.resources.iter().map(whole_deprecation).collect();
        let audited_along = audited_along(&schema);
        let whole = [Vec::new(), Vec::new()];
        let mut model = Self {
            schema,
            columns,
            rules,
            active,
            scopes,
            me_fields,
            keeping,
            has_ends,
            audited_along,
            deprecated,
            whole,
        };
        model.whole = [Kind::Anonymous, Kind::Account].map(|kind| whole_levels(&model, kind));
        model
    }

    /// A resource.
    pub fn resource(&self, id: ResourceId) -> &Resource {
        self.schema.resource(id)
    }

    /// A field.
    pub fn field(&self, id: FieldId) -> &Field {
        self.schema.field(id)
    }

    /// A relation.
    pub fn relation(&self, id: RelationId) -> &Relation {
        self.schema.relation(id)
    }

    /// The fields of this side by which a belongs_to points at its target; `None` for the other kinds.
    pub fn foreign_key(&self, relation: RelationId) -> Option<&[FieldId]> {
        let relation = self.relation(relation);
        match (&relation.link, relation.kind) {
            (Link::Keys { local, .. }, RelationKind::BelongsTo) => Some(local),
            _ => None,
        }
    }

    /// The fields by which a row that is a pair points at both sides: this one's, then the target's.
    pub fn fields_of_pair(&self, through: Through) -> Vec<FieldId> {
        let fields = |side| self.foreign_key(side).unwrap_or_default();
        [fields(through.from), fields(through.to)].concat()
    }

    /// How a field is kept.
    pub fn codec(&self, id: FieldId) -> &Codec {
        &self.columns.codecs[id.resource.0 as usize][id.index as usize]
    }

    /// An account of this resource, of cells that were read by [`Model::me_fields`].
    pub fn account(&self, resource: ResourceId, cells: Vec<Cell>) -> Arc<Account> {
        Arc::new(Account {
            resource,
            fields: Arc::clone(&self.me_fields),
            cells,
        })
    }

    /// A field's cell of a value that is written as in a query string; `None` for what isn't one of its type.
    pub fn cell_of(&self, field: FieldId, text: &str) -> Option<Cell> {
        let value = self.field(field).ty.parse_text(text).ok()?;
        Some(self.codec(field).encode(&value))
    }

    /// The type of a field's column, where values have to be told theirs.
    pub fn column_type(&self, id: FieldId) -> Option<&ColumnType> {
        self.columns
            .types
            .get(id.resource.0 as usize)
            .map(|fields| &fields[id.index as usize])
    }

    /// The belongs_to by which a deletion of a row changes others whose changes are logged, or leads on to such.
    pub fn logged_along(&self, id: ResourceId) -> impl Iterator<Item = RelationId> {
        let pointing = self.schema.pointing_at(id);
        let logged = |relation: &RelationId| is_logged_along(&self.schema, &self.audited_along, *relation);
        pointing.filter(move |relation| self.audited_along[id.0 as usize] && logged(relation))
    }

    /// What caches may keep of a resource.
    pub fn keeping(&self, id: ResourceId) -> Keeping {
        self.keeping[id.0 as usize]
    }

    /// What is told of the end of a resource, of all that is shown of it where a request doesn't say.
    pub fn deprecation(&self, id: ResourceId) -> Option<Deprecation> {
        self.deprecated[id.0 as usize]
    }

    /// What is told of the end of what a level shows, and of what is within.
    pub fn deprecation_of(&self, level: &Level) -> Option<Deprecation> {
        let fields = level
            .fields
            .iter()
            .map(|shown| self.field(shown.field).deprecated);
        let below = level.includes.iter();
        let below = below.map(|included| self.deprecation_of(&included.level));
        let own = [self.resource(level.resource).deprecated];
        earliest(own.into_iter().chain(fields).chain(below))
    }

    /// The rules of a resource.
    pub fn rules(&self, id: ResourceId) -> &ResourceRules {
        &self.rules[id.0 as usize]
    }

    /// An account of which nothing is known but that it is one.
    pub(crate) fn somebody(&self) -> Caller {
        let unknown = || vec![Cell::Null; self.me_fields.len()];
        let accounts = self.schema.accounts.as_ref();
        Caller {
            account: accounts.map(|accounts| self.account(accounts.resource, unknown())),
            ..Caller::anonymous()
        }
    }

    /// What is shown of a resource where a request doesn't say, if that was worked out for callers of this kind.
    pub fn whole_level(&self, id: ResourceId, caller: &Caller) -> Option<&SharedLevel> {
        let is_computed = |field: &Field| !field.is_stored();
        if caller.is_limited() && self.resource(id).fields.iter().any(is_computed) {
            return None;
        }
        let kind = caller.kind_in(id, Act::Read);
        self.whole[usize::from(kind == Kind::Account)][id.0 as usize].as_ref()
    }

    /// The ids of a resource's fields.
    pub fn fields(&self, id: ResourceId) -> impl Iterator<Item = (FieldId, &Field)> {
        let of = move |index| FieldId { resource: id, index };
        (0u32..).map(of).zip(&self.resource(id).fields)
    }

    /// The stored fields of a resource, in the schema's order: what a whole row is.
    pub fn stored(&self, id: ResourceId) -> impl Iterator<Item = (FieldId, &Field)> {
        self.fields(id).filter(|(_, field)| field.is_stored())
    }

    /// The fields that make the state of a row: its version, where the service counts one, else all that are stored.
    fn state_fields(&self, id: ResourceId) -> Vec<FieldId> {
        match self.resource(id).kept.version {
            Some(version) => vec![version],
            None => self.stored(id).map(|(field, _)| field).collect(),
        }
    }

    /// What tells one state of a row from another, as row 0: its version or all that is stored, and the pairs by which
    /// a writable many-to-many leads anywhere, whoever may see that.
    pub fn state(&self, id: ResourceId) -> Vec<Expr> {
        let columns = self.state_fields(id).into_iter();
        let columns = columns.map(|field| Expr::Column(0, field));
        columns.chain(self.pairs(id)).collect()
    }

    /// The pairs of the writable many-to-manys of a resource, as row 0.
    fn pairs(&self, id: ResourceId) -> impl Iterator<Item = Expr> {
        let relations = self.resource(id).fields.iter().filter_map(Field::keys_of);
        relations.map(|relation| Expr::keys(relation, Expr::Boolean(true)))
    }

    /// The expression of a field that has no column, as row 0, for callers who are the same in every resource.
    pub fn computed(&self, id: FieldId, kind: Kind) -> Option<&Expr> {
        let computed = self.rules(id.resource).computed[id.index as usize].as_ref()?;
        Some(computed.expr(kind))
    }

    /// The same for any caller.
    pub fn computed_for(&self, id: FieldId, caller: &Caller) -> Option<Expr> {
        if !caller.is_limited() {
            return self.computed(id, caller.kind_in(id.resource, Act::Read)).cloned();
        }
        let (schema, codecs) = (&self.schema, &self.columns.codecs);
        let kind_in = |resource| caller.kind_in(resource, Act::Read);
        access::of_readable(schema, codecs, self.field(id), id.resource, &kind_in)
    }
}
