//! Pairs of a many-to-many: linked and unlinked.

use jiff::Timestamp;
use rest_schema::{JoinColumn, Link, RelationId, ResourceId};

use super::judge::Become;
use super::{Steps, not_found};
use crate::cell::Cell;
use crate::plan::access::Deed;
use crate::plan::expr::Expr;
use crate::plan::read::Planner;
use crate::request::Selection;
use crate::request::body::Pointer;
use crate::request::precondition::Preconditions;
use crate::respond::format::Format;
use crate::sql::dialect::Dialect;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{Connection, First};
use crate::storage::job::Done;
use crate::storage::read;

/// A pair of a many-to-many, by the address of one of its sides.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The relation, from the side of the address.
    pub relation: RelationId,
    /// The key of the item in the address.
    pub key: Vec<Cell>,
    /// The key of the other.
    pub other: Vec<Cell>,
    /// Whether they are to be linked; else unlinked.
    pub linked: bool,
}

impl<C: Connection> Steps<'_, C> {
    /// `both readable → 404 → the rule of the side that declares the relation → 403 → 412 → statement → the rule again → 403`
    pub(super) async fn link(&self, pair: &Pair, expected: &Preconditions) -> Result<Done, Refusal> {
        let model = &self.engine().model;
        let way = model.relation(pair.relation);
        let declared = model.schema.declared(pair.relation);
        let declaring = if way.declared { &pair.key } else { &pair.other };
        self.hold(declared.resource, declaring).await?;
        let here = self.state_of(pair.relation.resource, &pair.key).await?;
        let (Some((state, modified)), Some(_)) = (here, self.state_of(way.target, &pair.other).await?) else {
            return Err(not_found());
        };
        let deed = Deed::Link(declared);
        let before = self
            .pre_select(declaring, deed, &[])
            .await?
            .ok_or_else(not_found)?;
        expected.hold_for(state, modified).map_err(Refusal::Problem)?;
        let at = Pointer::root();
        self.write_pair(pair.relation, &pair.key, &pair.other, pair.linked, &at)
            .await?;
        let caller = &self.write.caller;
        let written = Become::Linked(declared, &before.cells);
        self.post_select(declaring, written, caller, &[], &at).await?;
        Ok(Done::Number(0))
    }

    /// Links or unlinks the items of these keys.
    pub(super) async fn write_pair(
        &self,
        relation: RelationId,
        key: &[Cell],
        other: &[Cell],
        linked: bool,
        at: &Pointer,
    ) -> Result<(), Refusal> {
        let way = self.engine().model.relation(relation);
        let Link::Join { table, local, remote } = &way.link else {
            return Err(Refusal::Internal(format!("`{}` has no pairs", way.name).into()));
        };
        let mut params = self.values_in(local, relation.resource, key);
        params.extend(self.values_in(remote, way.target, other));
        let columns: Vec<&str> = local
            .iter()
            .chain(remote)
            .map(|join| join.column.as_str())
            .collect();
        let statement = if linked {
            sql::link(table, &columns)
        } else {
            sql::unlink(table, &columns)
        };
        let context = self.context(at, false);
        let written = self
            .write_row(&statement, &params, context, &mut First::of(0))
            .await?;
        if written > 0 {
            self.log_pair(relation, key, other, linked).await?;
        }
        Ok(())
    }

    /// Waits for whoever writes the pairs of a row, where they are part of its state: a statement that waits sees the
    /// row as it has become, and all else as it was.
    pub(super) async fn hold(&self, resource: ResourceId, key: &[Cell]) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let fields = &model.resource(resource).fields;
        if model.columns.dialect == Dialect::Postgres && fields.iter().any(|field| field.keys_of().is_some())
        {
            let statement = sql::holds(model, resource, &Expr::Boolean(true), 0);
            self.first(&statement, key, &[], 0).await?;
        }
        Ok(())
    }

    /// A key, in the order of the columns that hold it.
    fn values_in(&self, joins: &[JoinColumn], resource: ResourceId, key: &[Cell]) -> Vec<Cell> {
        let fields = &self.engine().model.resource(resource).key.fields;
        let of = |join: &JoinColumn| {
            let place = fields.iter().position(|field| *field == join.field)?;
            key.get(place).cloned()
        };
        joins.iter().filter_map(of).collect()
    }

    /// The state of an item as it is, and when it was last changed; `None` where the caller may not read it.
    pub(super) async fn state_of(
        &self,
        resource: ResourceId,
        key: &[Cell],
    ) -> Result<Option<(u64, Option<Timestamp>)>, Refusal> {
        let engine = self.engine();
        let caller = &self.write.caller;
        let planner = Planner {
            model: &engine.model,
            caller,
        };
        let plan = planner
            .item(resource, key.to_vec(), &Selection::nothing())
            .map_err(Refusal::Problem)?;
        let compiled = engine.compiled(&plan.shape);
        let values = Values::of_plan(&engine.model, &plan, caller, self.write.now);
        let output = read::run(
            self.connection,
            &compiled.read,
            values,
            1,
            Format::Json,
            &engine.state_key,
        )
        .await?;
        let state = output.state.filter(|_| !output.rows.is_empty());
        Ok(state.map(|state| (state, output.modified)))
    }
}
