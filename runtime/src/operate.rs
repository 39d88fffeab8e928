//! What an operator does without HTTP: makes accounts, sets passwords, loads rows. Rules don't apply; values are
//! checked all the same.

use std::sync::Arc;

use rest_schema::{Field, FieldId, FieldType, JoinColumn, Link, RelationKind, ResourceId, Value};
use rusqlite::Connection;

use crate::cell::Cell;
use crate::password::{self, Plain};
use crate::problem::Fault;
use crate::request::body::Pointer;
use crate::service::{Inner, Service};
use crate::sql::Statement;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::bind::{Values, now_as};
use crate::storage::constraint::{self, Context};
use crate::storage::sqlite::connection::refusal;
use crate::storage::sqlite::read::{cells, prepare};
use crate::storage::sqlite::state::{AddToken, RevokeTokens};
use crate::storage::sqlite::writer::{Done, Job, Written};
use crate::token::Secret;

/// Rows of one resource, or pairs of one many-to-many, to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// Rows of a resource: each names its fields and their values.
    Of {
        /// The resource.
        resource: ResourceId,
        /// The rows.
        rows: Vec<Vec<(u32, Value)>>,
    },
    /// Pairs of a many-to-many: the key of this side, then of the other.
    Pairs {
        /// The relation.
        relation: rest_schema::RelationId,
        /// The pairs.
        pairs: Vec<(Vec<Value>, Vec<Value>)>,
    },
}

/// Why an operator's work was not done; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone {
    /// What is wrong, as a client would be told, with where.
    pub message: String,
    /// In which of the lots given, and which row of it, where that is known.
    pub place: Option<(usize, usize)>,
}

impl std::fmt::Display for NotDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotDone {}

impl Service {
    /// Loads rows, all or none, in the order given; foreign keys may point forward within it. Values of type password
    /// are plain and are hashed; what a row doesn't name gets its default.
    ///
    /// # Errors
    ///
    /// The first row that can't be written.
    pub async fn load(&self, lots: Vec<Rows>) -> Result<usize, NotDone> {
        match self.loaded(lots, false).await? {
            Done::Number(rows) => Ok(usize::try_from(rows).unwrap_or(0)),
            Done::Items(items) => Ok(items.len()),
        }
    }

    /// The same; gives the keys of the rows.
    pub(crate) async fn load_keyed(&self, lots: Vec<Rows>) -> Result<Vec<Vec<Cell>>, NotDone> {
        match self.loaded(lots, true).await? {
            Done::Number(_) => Ok(Vec::new()),
            Done::Items(items) => Ok(items.into_iter().map(|item| item.key).collect()),
        }
    }

    async fn loaded(&self, lots: Vec<Rows>, keyed: bool) -> Result<Done, NotDone> {
        let job = Load {
            service: Arc::clone(self.inner()),
            lots,
            keyed,
        };
        let hashed = tokio::task::spawn_blocking(move || hash_all(job)).await;
        let job = hashed.map_err(|error| told(error.to_string()))??;
        let done = self.inner().data.writer.write(job).await;
        done.map_err(|refusal| not_done(refusal, self.inner()))
    }

    /// A token of an account, as if it had signed in.
    pub(crate) async fn token_of(&self, account: Vec<Cell>) -> Result<String, NotDone> {
        let inner = self.inner();
        let secret = Secret::generate().ok_or_else(|| told("the system gives no random bytes"))?;
        let created_at = jiff::Timestamp::now().as_second();
        let lifetime = inner.engine.model.schema.tokens.lifetime;
        let add = AddToken {
            digest: secret.digest(),
            account,
            name: None,
            created_at,
            expires_at: created_at.saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX / 2)),
        };
        let added = inner.state.writer.write(add).await;
        added
            .map(|_| secret.reveal().to_owned())
            .map_err(|refusal| not_done(refusal, inner))
    }

    /// Sets an account's password and revokes its tokens; `false` where no account has this name.
    ///
    /// # Errors
    ///
    /// Where the service has no accounts, or the database refuses.
    pub async fn set_password(&self, identifier: &str, plain: Plain) -> Result<bool, NotDone> {
        let inner = self.inner();
        let Some(accounts) = inner.engine.model.schema.accounts.clone() else {
            return Err(told(
                "the service has no accounts: its schema doesn't say `accounts:`",
            ));
        };
        check_password(inner, accounts.password, &plain)?;
        let hash = inner
            .hasher
            .hash(plain)
            .await
            .map_err(|failure| told(failure.to_string()))?;
        let job = SetPassword {
            service: Arc::clone(inner),
            identifier: identifier.to_owned(),
            hash,
        };
        match inner.data.writer.write(job).await {
            Ok(Done::Number(0)) => Ok(false),
            Ok(Done::Number(_) | Done::Items(_)) => {
                let key = self.key_of(identifier)?;
                let revoked = inner.state.writer.write(RevokeTokens::Account(key)).await;
                revoked.map(|_| true).map_err(|refusal| not_done(refusal, inner))
            }
            Err(refusal) => Err(not_done(refusal, inner)),
        }
    }

    fn key_of(&self, identifier: &str) -> Result<Vec<Cell>, NotDone> {
        let inner = self.inner();
        let found = inner
            .data
            .readers
            .blocking(|link| find(inner, &link.connection, identifier));
        found
            .map(Option::unwrap_or_default)
            .map_err(|refusal| not_done(refusal, inner))
    }
}

fn told(message: impl Into<String>) -> NotDone {
    NotDone {
        message: message.into(),
        place: None,
    }
}

fn not_done(refusal: Refusal, inner: &Inner) -> NotDone {
    let problem = refusal.into_problem(&inner.engine.model);
    let places: Vec<String> = problem.all_faults().iter().map(fault_text).collect();
    let message = if places.is_empty() {
        problem.told().into_owned()
    } else {
        places.join("; ")
    };
    let cause = problem.cause().filter(|_| problem.status().is_server_error());
    told(cause.map_or(message.clone(), |cause| format!("{message}: {cause}")))
}

fn fault_text(fault: &Fault) -> String {
    match &fault.place {
        crate::problem::Place::Pointer(pointer) => format!("{pointer}: {}", fault.detail),
        crate::problem::Place::Parameter(name) | crate::problem::Place::Header(name) => {
            format!("{name}: {}", fault.detail)
        }
    }
}

fn check_password(inner: &Inner, field: FieldId, plain: &Plain) -> Result<(), NotDone> {
    let of = inner.engine.model.field(field);
    let characters = String::from_utf8_lossy(plain.as_bytes()).chars().count() as u64;
    let Some(length) = &of.length else { return Ok(()) };
    if length.min.is_some_and(|min| characters < min) || length.max.is_some_and(|max| characters > max) {
        let bound = |bound: Option<u64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        let range = format!("{}..{}", bound(length.min), bound(length.max));
        return Err(told(format!("the password's length isn't within {range}")));
    }
    Ok(())
}

/// A load of rows: one job, so all or none.
#[derive(Debug)]
struct Load {
    service: Arc<Inner>,
    lots: Vec<Rows>,
    /// Whether the keys of the rows are asked for.
    keyed: bool,
}

/// Hashes the passwords of a load, in the form that suits the database.
fn hash_all(mut load: Load) -> Result<Load, NotDone> {
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
    fn run(&self, connection: &Connection) -> Result<Done, Refusal> {
        let mut written = 0;
        let mut keys = Vec::new();
        connection
            .execute_batch("PRAGMA defer_foreign_keys = ON")
            .map_err(refusal)?;
        for lot in &self.lots {
            match lot {
                Rows::Of { resource, rows } => {
                    for (place, row) in rows.iter().enumerate() {
                        let key = self.row(connection, *resource, place, row)?;
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
                        self.pair(connection, *relation, place, pair)?;
                        written += 1;
                    }
                }
            }
        }
        Ok(if self.keyed {
            Done::Items(keys)
        } else {
            Done::Number(written)
        })
    }
}

impl Load {
    fn row(
        &self,
        connection: &Connection,
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
                all[id.index as usize] = self.default_of(connection, id, field, &all)?;
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
    }

    fn default_of(
        &self,
        connection: &Connection,
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
                let mut found = self
                    .one_row(connection, &statement, &[], &given, 1)?
                    .unwrap_or_default();
                found.pop()
            }
            Some(DefaultValue::Me | DefaultValue::Database) | None => {
                let is_key = model.resource(id.resource).key.fields.contains(&id);
                (is_key && field.ty == FieldType::Uuid)
                    .then(|| codec.encode(&Value::Uuid(uuid::Uuid::now_v7())))
            }
        })
    }

    fn pair(
        &self,
        connection: &Connection,
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
            .map(drop)
    }

    /// Runs a statement to its end; gives the first columns of its last row.
    fn execute(
        &self,
        connection: &Connection,
        statement: &Statement,
        params: &[Cell],
        columns: usize,
        context: Context<'_>,
    ) -> Result<Vec<Cell>, Refusal> {
        let now = jiff::Timestamp::now();
        let values = Values::of_nobody(&self.service.engine.model, params, &[], now);
        let mut prepared = prepare(connection, statement, &values, None, 0)?;
        let mut rows = prepared.raw_query();
        let all: Vec<usize> = (0..columns).collect();
        let mut given = Vec::new();
        loop {
            match rows.next() {
                Ok(Some(row)) => given = cells(row, &all)?,
                Ok(None) => return Ok(given),
                Err(error) => return Err(located(constraint::told(error, context), context.at)),
            }
        }
    }

    fn one_row(
        &self,
        connection: &Connection,
        statement: &Statement,
        params: &[Cell],
        given: &[Cell],
        columns: usize,
    ) -> Result<Option<Vec<Cell>>, Refusal> {
        let now = jiff::Timestamp::now();
        let values = Values::of_nobody(&self.service.engine.model, params, given, now);
        let mut prepared = prepare(connection, statement, &values, None, 0)?;
        let mut rows = prepared.raw_query();
        let all: Vec<usize> = (0..columns).collect();
        rows.next()
            .map_err(refusal)?
            .map(|row| cells(row, &all))
            .transpose()
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

/// A new password for an account.
#[derive(Debug)]
struct SetPassword {
    service: Arc<Inner>,
    identifier: String,
    hash: String,
}

impl Job for SetPassword {
    fn run(&self, connection: &Connection) -> Result<Done, Refusal> {
        let model = &self.service.engine.model;
        let Some(accounts) = &model.schema.accounts else {
            return Ok(Done::Number(0));
        };
        let Some(key) = find(&self.service, connection, &self.identifier)? else {
            return Ok(Done::Number(0));
        };
        let statement = sql::update(model, accounts.resource, &[accounts.password]);
        let mut params = key;
        params.push(Cell::Text(self.hash.clone()));
        let now = jiff::Timestamp::now();
        let values = Values::of_nobody(model, &params, &[], now);
        let mut prepared = prepare(connection, &statement, &values, None, 0)?;
        let changed = prepared.raw_execute().map_err(refusal)?;
        Ok(Done::Number(i64::try_from(changed).unwrap_or(i64::MAX)))
    }
}

fn find(inner: &Inner, connection: &Connection, identifier: &str) -> Result<Option<Vec<Cell>>, Refusal> {
    let now = jiff::Timestamp::now();
    let found = crate::serve::account_named(&inner.engine.model, connection, identifier, now)?;
    Ok(found.map(|found| found.key))
}
