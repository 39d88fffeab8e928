//! A load of rows: hashed, filled up with defaults, written whole or not at all.

use std::sync::Arc;

use rest_schema::{Field, FieldId, FieldType, JoinColumn, Link, RelationKind, ResourceId, Value};

use super::{NotDone, Rows, told};
use crate::cell::Cell;
use crate::password::{self, Plain};
use crate::problem::Fault;
use crate::request::body::Pointer;
use crate::service::Inner;
use crate::sql::Statement;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::bind::{Values, now_as};
use crate::storage::connection::{Connection, First};
use crate::storage::constraint::Context;
use crate::storage::job::{Done, Job, Written};

/// A load of rows: one job, so all or none.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) service: Arc<Inner>,
    pub(super) lots: Vec<Rows>,
    /// Whether the keys of the rows are asked for.
    pub(super) keyed: bool,
}

/// Hashes the passwords of a load, in the form that suits the database.
pub(super) fn hash_all(mut load: Load) -> Result<Load, NotDone> {
    let model = &load.service.engine.model;
    let mut hashes = std::collections::HashMap::new();
    for lot in &mut load.lots {
        let Rows::Of { resource, rows } = lot else {
            continue;
        };
        for (index, value) in rows.iter_mut().flatten() {
            let field = FieldId {
                resource: *resource,
                index: *index,
            };
            let (FieldType::Password, Value::Text(plain)) = (&model.field(field).ty, &mut *value) else {
                continue;
            };
            // Rows that share a password share its hash: a thousand hashes would take minutes.
            let hash = match hashes.get(plain.as_str()) {
                Some(hash) => String::clone(hash),
                None => {
                    let made = password::hash(load.service.password_style, &Plain::new(plain.clone()));
                    let made = made.map_err(|failure| told(failure.to_string()))?;
                    hashes.insert(plain.clone(), made.clone());
                    made
                }
            };
            *value = Value::Text(hash);
        }
    }
    Ok(load)
}

impl Job for Load {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let mut written = 0;
        let mut keys = Vec::new();
        connection.defer_foreign_keys().await?;
        for lot in &self.lots {
            match lot {
                Rows::Of { resource, rows } => {
                    for (place, row) in rows.iter().enumerate() {
                        let key = self.row(connection, *resource, place, row).await?;
                        written += 1;
                        if self.keyed {
                            keys.push(Written {
                                key,
                                created: true,
                                item: None,
                                values: None,
                            });
                        }
                    }
                }
                Rows::Pairs { relation, pairs } => {
                    for (place, pair) in pairs.iter().enumerate() {
                        self.pair(connection, *relation, place, pair).await?;
                        written += 1;
                    }
                }
            }
        }
        self.count_on(connection).await?;
        Ok(if self.keyed {
            Done::Items(keys)
        } else {
            Done::Number(written)
        })
    }
}

impl Load {
    /// Keys that the rows gave are not given again: PostgreSQL has to be told where to go on counting.
    async fn count_on<C: Connection>(&self, connection: &C) -> Result<(), Refusal> {
        let model = &self.service.engine.model;
        let mut told = Vec::new();
        for lot in &self.lots {
            let Rows::Of { resource, .. } = lot else { continue };
            if told.contains(resource) {
                continue;
            }
            told.push(*resource);
            if let Some(statement) = sql::count_on(model, *resource) {
                let values = Values::of_nobody(model, &[], &[], jiff::Timestamp::now());
                connection
                    .each(&statement, values.into(), &mut First::of(0))
                    .await?;
            }
        }
        Ok(())
    }

    async fn row<C: Connection>(
        &self,
        connection: &C,
        resource: ResourceId,
        place: usize,
        row: &[(u32, Value)],
    ) -> Result<Vec<Cell>, Refusal> {
        let model = &self.service.engine.model;
        let mut all: Vec<Option<Cell>> = vec![None; model.resource(resource).fields.len()];
        for (index, value) in row {
            all[*index as usize] = Some(
                model
                    .codec(FieldId {
                        resource,
                        index: *index,
                    })
                    .encode(value),
            );
        }
        for (id, field) in model.stored(resource) {
            if all[id.index as usize].is_none() {
                all[id.index as usize] = self.default_of(connection, id, field, &all).await?;
            }
        }
        let fields: Vec<FieldId> = model
            .stored(resource)
            .map(|(id, _)| id)
            .filter(|id| all[id.index as usize].is_some())
            .collect();
        let params: Vec<Cell> = fields
            .iter()
            .filter_map(|id| all[id.index as usize].clone())
            .collect();
        let statement = sql::insert(model, resource, &fields);
        let at = Pointer::root()
            .member(&model.resource(resource).name)
            .index(place);
        let context = Context {
            model,
            resource,
            at: &at,
            deleting: false,
        };
        let parts = model.resource(resource).key.fields.len();
        self.execute(connection, &statement, &params, parts, context)
            .await
    }

    async fn default_of<C: Connection>(
        &self,
        connection: &C,
        id: FieldId,
        field: &Field,
        row: &[Option<Cell>],
    ) -> Result<Option<Cell>, Refusal> {
        use rest_schema::DefaultValue;
        let model = &self.service.engine.model;
        let codec = model.codec(id);
        Ok(match &field.default {
            Some(DefaultValue::Literal(value)) => Some(codec.encode(value)),
            Some(DefaultValue::Now) => Some(codec.encode(&now_as(field.ty.kind(), jiff::Timestamp::now()))),
            Some(DefaultValue::Uuid) => Some(codec.encode(&Value::Uuid(uuid::Uuid::now_v7()))),
            Some(DefaultValue::Expression(_)) => {
                let rule = model.rules(id.resource).defaults[id.index as usize].as_ref();
                let Some(rule) = rule else { return Ok(None) };
                let statement = sql::value(model, rule.expr(crate::plan::lower::Kind::Anonymous), id);
                let given: Vec<Cell> = row
                    .iter()
                    .map(|cell| cell.clone().unwrap_or(Cell::Null))
                    .collect();
                let now = jiff::Timestamp::now();
                let values = Values::of_nobody(model, &[], &given, now);
                let mut first = First::of(1);
                connection.each(&statement, values.into(), &mut first).await?;
                first.found.and_then(|mut cells| cells.pop())
            }
            Some(DefaultValue::Me | DefaultValue::Database) | None => {
                let is_key = model.resource(id.resource).key.fields.contains(&id);
                (is_key && field.ty == FieldType::Uuid)
                    .then(|| codec.encode(&Value::Uuid(uuid::Uuid::now_v7())))
            }
        })
    }

    async fn pair<C: Connection>(
        &self,
        connection: &C,
        relation: rest_schema::RelationId,
        place: usize,
        (own, other): &(Vec<Value>, Vec<Value>),
    ) -> Result<(), Refusal> {
        let model = &self.service.engine.model;
        let way = model.relation(relation);
        let (Link::Join { table, local, remote }, RelationKind::ManyToMany) = (&way.link, way.kind) else {
            return Err(Refusal::Internal(
                format!("`{}` is no many_to_many", way.name).into(),
            ));
        };
        let joins: Vec<_> = local.iter().chain(remote).collect();
        let encode = |(join, value): (&&JoinColumn, &Value)| model.codec(join.field).encode(value);
        let params: Vec<Cell> = joins.iter().zip(own.iter().chain(other)).map(encode).collect();
        let statement = sql::insert_pair(table, joins.iter().map(|join| join.column.as_str()));
        let name = format!("{}.{}", model.resource(relation.resource).name, way.name);
        let at = Pointer::root().member(&name).index(place);
        let context = Context {
            model,
            resource: relation.resource,
            at: &at,
            deleting: false,
        };
        self.execute(connection, &statement, &params, 0, context)
            .await
            .map(drop)
    }

    /// Runs a statement to its end; gives the first columns of its row.
    async fn execute<C: Connection>(
        &self,
        connection: &C,
        statement: &Statement,
        params: &[Cell],
        columns: usize,
        context: Context<'_>,
    ) -> Result<Vec<Cell>, Refusal> {
        let now = jiff::Timestamp::now();
        let values = Values::of_nobody(&self.service.engine.model, params, &[], now);
        let mut first = First::of(columns);
        let changed = connection
            .change(statement, values.into(), context, &mut first)
            .await;
        changed.map_err(|refusal| located(refusal, context.at))?;
        Ok(first.found.unwrap_or_default())
    }
}

/// Says which row a refusal without a place is about.
fn located(refusal: Refusal, at: &Pointer) -> Refusal {
    match refusal {
        Refusal::Problem(problem) if problem.all_faults().is_empty() => {
            let detail = problem.told().into_owned();
            let fault = Fault::pointer(at.as_str().to_owned(), problem.code().word(), detail);
            Refusal::Problem(problem.fault(fault))
        }
        other => other,
    }
}
