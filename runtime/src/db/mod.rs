//! Rows as structs: the same plans, checks, rules, steps and hooks as by HTTP, without HTTP.
//!
//! ```text
//! Db (of a service) ─┬─ as_caller(caller)  rules hold ─┐
//! Tx (of a write)  ──┴─ unrestricted()     they don't ─┴─> Repository: get list insert update delete
//! ```
//!
//! Structs are whole: `readable` and `private` are about answers, and a program sees every field of a row that it may
//! see. Filters and sorts on a field that the caller may not read find nothing all the same.

mod contents;
mod list;
mod transaction;

use std::sync::Arc;
use std::sync::mpsc::Sender;

use jiff::Timestamp;
use rest_schema::{Operation, ResourceId, Value};
use tokio::sync::oneshot;

pub(crate) use contents::contents;
pub use list::List;

use crate::caller::Caller;
use crate::cell::Cell;
use crate::engine::Engine;
use crate::hook::{self, Ask};
use crate::plan::read::{Planner, ReadPlan};
use crate::problem::Problem;
use crate::request::precondition::Preconditions;
use crate::service::{Inner, Service};
use crate::storage::Refusal;
use crate::storage::job::Written;
use crate::storage::rows::Found;
use crate::storage::steps::Action;
use crate::typed::{Binding, FieldValue, Password, RestResource, Set, Struct, Taker};
use crate::write::Asking;

/// The data of a service: [`Service::db`].
#[derive(Debug, Clone)]
pub struct Db {
    service: Arc<Inner>,
}

impl Service {
    /// The data of the service, as structs.
    pub fn db(&self) -> Db {
        Db::of(Arc::clone(self.inner()))
    }
}

impl Db {
    pub(crate) fn of(service: Arc<Inner>) -> Self {
        Self { service }
    }

    /// Rows as a caller may see and change them.
    pub fn as_caller(&self, caller: &Caller) -> Repository<'_> {
        self.by(caller.clone())
    }

    /// All rows: no rule holds, only the limits of fields, uniqueness and foreign keys.
    pub fn unrestricted(&self) -> Repository<'_> {
        self.by(Caller::anonymous().unrestricted())
    }

    fn by(&self, caller: Caller) -> Repository<'_> {
        Repository {
            way: Way::Service(&self.service),
            engine: &self.service.engine,
            caller,
        }
    }

    /// The caller's own account; `None` where nobody is signed in.
    ///
    /// # Errors
    ///
    /// `internal` where `R` isn't the accounts' struct.
    pub async fn me<R: RestResource>(&self, caller: &Caller) -> Result<Option<R>, Problem> {
        let all = self.unrestricted();
        let binding = all.binding::<R>()?;
        let Some(account) = &caller.account else {
            return Ok(None);
        };
        if account.resource != binding.resource {
            return Err(Problem::internal(format!("{} is not what accounts are", R::NAME)));
        }
        let fields = &self.service.engine.model.resource(account.resource).key.fields;
        let key = fields.iter().map(|field| account.cell(*field).clone()).collect();
        all.item(&binding, key).await
    }

    /// A password hashed, for a write within a transaction, which can't wait for that.
    ///
    /// # Errors
    ///
    /// 503 where too many wait to be hashed.
    pub async fn hash(&self, plain: &str) -> Result<Password, Problem> {
        let hash = self.service.hashed(crate::password::Plain::new(plain)).await?;
        Ok(Password::of_hash(hash))
    }
}

/// Rows, for one caller or for the program itself.
#[derive(Debug)]
pub struct Repository<'a> {
    way: Way<'a>,
    engine: &'a Arc<Engine>,
    caller: Caller,
}

/// How reads and writes get to the database.
#[derive(Debug)]
enum Way<'a> {
    Service(&'a Arc<Inner>),
    /// Through the transaction of a write; with that write's moment.
    Tx(&'a Sender<Ask>, Timestamp),
}

impl<'a> Repository<'a> {
    pub(crate) fn in_tx(
        asks: &'a Sender<Ask>,
        engine: &'a Arc<Engine>,
        caller: Caller,
        now: Timestamp,
    ) -> Self {
        Self {
            way: Way::Tx(asks, now),
            engine,
            caller,
        }
    }
}

impl Repository<'_> {
    /// The item of a key; `None` where there is none that the caller may read.
    ///
    /// # Errors
    ///
    /// 401 or 403 where reading is closed to the caller; 500 and 503 as everywhere.
    pub async fn get<R: RestResource>(&self, key: impl Into<R::Key>) -> Result<Option<R>, Problem> {
        let binding = self.binding::<R>()?;
        let key = self.key(binding.resource, &key.into());
        self.item(&binding, key).await
    }

    /// The items, to be filtered, sorted and limited before they are read.
    pub fn list<R: RestResource>(&self) -> List<'_, R> {
        List::of(self)
    }

    /// Makes an item; what isn't set gets its default. Gives it as it is now.
    ///
    /// # Errors
    ///
    /// Each refusal that POST has: 401, 403, 409, 422.
    pub async fn insert<R: RestResource>(
        &self,
        sets: impl IntoIterator<Item = Set<R>>,
    ) -> Result<R, Problem> {
        let binding = self.binding::<R>()?;
        let resource = binding.resource;
        self.engine.open(resource, Operation::Create, &self.caller)?;
        let given = self.contents(&binding, sets)?;
        let validator = self.engine.validators.resource(resource);
        let new = self
            .engine
            .as_writer(resource, &self.caller, self.now(), |writer| {
                validator.create_of(&given, writer)
            });
        let rows = vec![new.map_err(Problem::invalid)?];
        self.write(&binding, Action::Create { rows, many: false }).await
    }

    /// Changes the item of a key; what isn't set stays. Gives it as it is now.
    ///
    /// # Errors
    ///
    /// Each refusal that PATCH has: 401, 403, 404, 409, 422.
    pub async fn update<R: RestResource>(
        &self,
        key: impl Into<R::Key>,
        sets: impl IntoIterator<Item = Set<R>>,
    ) -> Result<R, Problem> {
        let binding = self.binding::<R>()?;
        let resource = binding.resource;
        self.engine.open(resource, Operation::Update, &self.caller)?;
        let key = self.key(resource, &key.into());
        let given = self.contents(&binding, sets)?;
        let validator = self.engine.validators.resource(resource);
        let update = self
            .engine
            .as_writer(resource, &self.caller, self.now(), |writer| {
                validator.change_of(&given, writer)
            });
        let action = Action::Update {
            key,
            update: Box::new(update),
            create: None,
            expected: Preconditions::default(),
        };
        self.write(&binding, action).await
    }

    /// Deletes the item of a key.
    ///
    /// # Errors
    ///
    /// Each refusal that DELETE has: 401, 403, 404, 409.
    pub async fn delete<R: RestResource>(&self, key: impl Into<R::Key>) -> Result<(), Problem> {
        let binding = self.binding::<R>()?;
        let resource = binding.resource;
        self.engine.open(resource, Operation::Delete, &self.caller)?;
        let key = self.key(resource, &key.into());
        let expected = Preconditions::default();
        self.written(resource, Action::Delete { key, expected }, None)
            .await
            .map(drop)
    }

    fn binding<R: RestResource>(&self) -> Result<Arc<Binding>, Problem> {
        self.engine.binding(&Struct::of::<R>()).map_err(|mismatches| {
            let all: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
            Problem::internal(format!("a struct doesn't fit the schema: {}", all.join("; ")))
        })
    }

    fn key(&self, resource: ResourceId, key: &impl FieldValue) -> Vec<Cell> {
        let model = &self.engine.model;
        let mut values = Vec::new();
        key.put(&mut values);
        let fields = &model.resource(resource).key.fields;
        let encoded = fields.iter().zip(&values);
        encoded
            .map(|(field, value)| model.codec(*field).encode(value))
            .collect()
    }

    fn contents<R: RestResource>(
        &self,
        binding: &Binding,
        sets: impl IntoIterator<Item = Set<R>>,
    ) -> Result<Vec<(u32, crate::validate::Content)>, Problem> {
        let sets: Vec<Set<R>> = sets.into_iter().collect();
        if matches!(self.way, Way::Tx(..)) && sets.iter().any(Set::is_plain_password) {
            return Err(Problem::internal(
                "a password can't be hashed within a write; hash it before, by `Db::hash`",
            ));
        }
        contents(&self.engine.model, binding, sets)
    }

    fn now(&self) -> Timestamp {
        match self.way {
            Way::Service(_) => Timestamp::now(),
            Way::Tx(_, now) => now,
        }
    }

    fn planner(&self) -> Planner<'_> {
        Planner {
            model: &self.engine.model,
            caller: &self.caller,
        }
    }

    async fn item<R: RestResource>(&self, binding: &Binding, key: Vec<Cell>) -> Result<Option<R>, Problem> {
        let level = binding.level(&self.engine.model, &self.caller);
        let plan = self.planner().item_as(level, key)?;
        let found = self.find(plan).await?;
        found.rows.into_iter().next().map(made).transpose()
    }

    async fn find(&self, plan: ReadPlan) -> Result<Found, Problem> {
        let found = match self.way {
            Way::Service(service) => {
                hook::refuse_in_tx()?;
                let compiled = self.engine.compiled(&plan.shape);
                let storage = &service.storage;
                storage
                    .find(self.engine, &compiled, &plan, &self.caller, self.now())
                    .await
            }
            Way::Tx(asks, _) => {
                let (reply, answer) = oneshot::channel();
                let ask = Ask::Find {
                    plan: Box::new(plan),
                    caller: self.caller.clone(),
                    reply,
                };
                asked(asks, ask, answer).await
            }
        };
        found.map_err(|refusal| refusal.into_problem(&self.engine.model))
    }

    async fn write<R: RestResource>(&self, binding: &Arc<Binding>, action: Action) -> Result<R, Problem> {
        let wanted = Some(Arc::clone(binding));
        let mut written = self.written(binding.resource, action, wanted).await?;
        let values = written.pop().and_then(|written| written.values);
        values.map_or_else(|| Err(Problem::internal("a write gave no item")), made)
    }

    async fn written(
        &self,
        resource: ResourceId,
        action: Action,
        wanted: Option<Arc<Binding>>,
    ) -> Result<Vec<Written>, Problem> {
        match self.way {
            Way::Service(service) => {
                let asked = Asking {
                    resource,
                    caller: self.caller.clone(),
                    now: self.now(),
                    wanted,
                };
                service.write(asked, action).await
            }
            Way::Tx(asks, _) => {
                let (reply, answer) = oneshot::channel();
                let ask = Ask::Write {
                    resource,
                    caller: self.caller.clone(),
                    action: Box::new(action),
                    wanted,
                    reply,
                };
                let written = asked(asks, ask, answer).await;
                written.map_err(|refusal| refusal.into_problem(&self.engine.model))
            }
        }
    }
}

/// Asks the transaction, and waits.
async fn asked<T>(
    asks: &Sender<Ask>,
    ask: Ask,
    answer: oneshot::Receiver<Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let over = || Refusal::Internal("the transaction is over".into());
    asks.send(ask).map_err(|_| over())?;
    answer.await.map_err(|_| over())?
}

/// A struct of its values.
fn made<R: RestResource>(values: Vec<Value>) -> Result<R, Problem> {
    R::take(&mut Taker::new(values)).map_err(|misfit| {
        let message = format!("a stored {} doesn't fit its struct: {misfit}", R::NAME);
        Problem::internal(message)
    })
}
