//! A connection, the statements that it keeps prepared, and what runs on it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, RowStream};

use super::Address;
use super::address::{PATIENCE, causes};
use super::binary::{Param, Scratch};
use super::error::{Uniques, is_constraint, refusal, refused};
use crate::cell::Cell;
use crate::sql::dialect::numbered;
use crate::sql::{Bind, Statement};
use crate::storage::Refusal;
use crate::storage::connection::{Bound, Reading, Take};
use crate::storage::constraint::Context;

/// Statements that a connection keeps prepared; strangers choose which there are.
const STATEMENTS: usize = 128;

/// How much longer than a statement may run nobody waits for its answer.
const MARGIN: Duration = Duration::from_secs(2);

/// A connection.
pub struct Link {
    pub(super) client: Client,
    uniques: Arc<Uniques>,
    kept: Prepared,
    /// How long an answer may take.
    patience: Duration,
    /// Whether an answer took longer: what is sent after it would wait as well.
    is_silent: AtomicBool,
}

/// What is known of the statements that ran before.
enum Prepared {
    /// They are kept prepared here.
    Here(Mutex<Kept>),
    /// The types of their parameters, which all connections share; they themselves are sent each time.
    Types(Arc<Types>),
}

/// The types of the parameters of statements, by their text.
#[derive(Debug, Default)]
pub(super) struct Types(Mutex<HashMap<String, Arc<[Type]>>>);

#[derive(Default)]
struct Kept {
    all: HashMap<String, (tokio_postgres::Statement, u64)>,
    clock: u64,
}

impl Kept {
    fn get(&mut self, text: &str) -> Option<tokio_postgres::Statement> {
        self.clock += 1;
        let clock = self.clock;
        let (statement, used) = self.all.get_mut(text)?;
        *used = clock;
        Some(statement.clone())
    }

    fn put(&mut self, text: &str, statement: &tokio_postgres::Statement) {
        if self.all.len() >= STATEMENTS {
            let oldest = self.all.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(text, _)| text.clone()) {
                self.all.remove(&oldest);
            }
        }
        self.all.insert(text.to_owned(), (statement.clone(), self.clock));
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// Connects. What travels is driven by the runtime that this is called on.
    pub(super) async fn open(
        address: &Address,
        uniques: &Arc<Uniques>,
        types: &Arc<Types>,
        patience: Duration,
    ) -> Result<Self, String> {
        let settings = address.settings();
        let connected = settings.connect(address.connector.clone());
        let connected = tokio::time::timeout(patience, connected).await;
        let connected = connected.map_err(|_| "it doesn't answer".to_owned())?;
        let (client, connection) = connected.map_err(|error| causes(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!("a connection to the database ended: {}", causes(&error));
            }
        });
        let kept = if address.keeps_statements {
            Prepared::Here(Mutex::default())
        } else {
            Prepared::Types(Arc::clone(types))
        };
        Ok(Self {
            client,
            uniques: Arc::clone(uniques),
            kept,
            patience: address.statement_timeout() + MARGIN,
            is_silent: AtomicBool::new(false),
        })
    }

    /// Connects to look at a database and to make tables in it.
    pub(crate) async fn first(address: &Address) -> Result<Self, String> {
        Self::open(address, &Arc::default(), &Arc::default(), 2 * PATIENCE).await
    }

    /// Whether what is sent may be answered.
    pub(super) fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.is_silent.load(Ordering::Relaxed)
    }

    /// What the database answers, if it does in time.
    async fn answered<T>(&self, answer: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        if !self.is_usable() {
            return Err(Refusal::Unavailable(
                "the connection to the database is gone".into(),
            ));
        }
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answered) => answered,
            Err(_) => {
                self.is_silent.store(true, Ordering::Relaxed);
                Err(Refusal::Unavailable("the database doesn't answer".into()))
            }
        }
    }

    /// Runs statements without values.
    pub(super) async fn batch(&self, text: &str) -> Result<(), Refusal> {
        let run = async { self.client.batch_execute(text).await.map_err(refusal) };
        self.answered(run).await
    }

    /// Commits; `Ok(false)`: a constraint that is checked only now refused it.
    pub(super) async fn commit(&self) -> Result<bool, Refusal> {
        let run = async {
            match self.client.batch_execute("COMMIT").await {
                Ok(()) => Ok(true),
                Err(error) if is_constraint(&error) => Ok(false),
                Err(error) => Err(refusal(error)),
            }
        };
        self.answered(run).await
    }

    /// Runs a statement that writes; a constraint that refuses it is told by field.
    pub(super) async fn change<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        context: Context<'_>,
        take: &mut T,
    ) -> Result<u64, Refusal> {
        let told = |error| refused(error, context, &self.uniques);
        self.answered(self.run(statement, &bound, take, &told)).await
    }

    /// Whether a statement is sent as soon as it is run: else its parameters are asked for first.
    pub(super) fn goes_out_at_once(&self, statement: &Statement) -> bool {
        match &self.kept {
            Prepared::Here(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.get(&statement.text).is_some()
            }
            Prepared::Types(types) => types.get(&statement.text).is_some(),
        }
    }

    /// The driver's own.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Forgets what is prepared: the tables may have changed.
    pub(super) fn forget(&self) {
        match &self.kept {
            Prepared::Here(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).all.clear(),
            Prepared::Types(types) => types.forget(),
        }
    }

    /// Whether a statement can be sent alone: else its types have to be asked first, in a transaction.
    pub(super) fn knows(&self, text: &str) -> bool {
        match &self.kept {
            Prepared::Here(_) => true,
            Prepared::Types(types) => types.get(text).is_some(),
        }
    }

    async fn query(&self, statement: &Statement, bound: &Bound<'_>) -> Result<RowStream, Error> {
        let params: Vec<Param<'_>> = statement.slots.iter().map(|bind| param(bind, bound)).collect();
        let text = &statement.text;
        match &self.kept {
            Prepared::Here(kept) => {
                let found = kept.lock().unwrap_or_else(PoisonError::into_inner).get(text);
                let prepared = match found {
                    Some(prepared) => prepared,
                    None => {
                        let prepared = self.client.prepare(&numbered(text)).await?;
                        kept.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .put(text, &prepared);
                        prepared
                    }
                };
                self.client.query_raw(&prepared, &params).await
            }
            Prepared::Types(types) => {
                let found = match types.get(text) {
                    Some(found) => found,
                    None => {
                        let prepared = self.client.prepare(&numbered(text)).await?;
                        types.put(text, prepared.params())
                    }
                };
                let params = params
                    .iter()
                    .zip(found.iter())
                    .map(|(param, of)| (param as &(dyn ToSql + Sync), of.clone()));
                let params: Vec<_> = params.collect();
                self.client.query_typed_raw(&numbered(text), params).await
            }
        }
    }

    async fn run<T: Take>(
        &self,
        statement: &Statement,
        bound: &Bound<'_>,
        take: &mut T,
        told: &(dyn Fn(Error) -> Refusal + Sync),
    ) -> Result<u64, Refusal> {
        let rows = self.query(statement, bound).await.map_err(told)?;
        let mut rows = pin!(rows);
        let mut scratch = Scratch::default();
        while let Some(row) = rows.try_next().await.map_err(told)? {
            scratch.read(&row)?;
            if take.take(&scratch.lend(&row))? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(rows.rows_affected().unwrap_or(0))
    }
}

impl Types {
    fn get(&self, text: &str) -> Option<Arc<[Type]>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(text).cloned()
    }

    fn put(&self, text: &str, of: &[Type]) -> Arc<[Type]> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= 8 * STATEMENTS {
            all.clear();
        }
        let of: Arc<[Type]> = of.into();
        all.insert(text.to_owned(), Arc::clone(&of));
        of
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn param<'p>(bind: &Bind, bound: &Bound<'p>) -> Param<'p> {
    match bind {
        Bind::Slot(slot) => Param::Cell(bound.values.cell(slot)),
        Bind::Text(slot, form) => Param::Cell(form.of(bound.values.cell(slot))),
        Bind::Keys(part) => Param::Keys(bound.keys, usize::from(*part)),
        Bind::Wanted => Param::Cell(Cell::Integer(i64::try_from(bound.wanted).unwrap_or(i64::MAX))),
    }
}

impl Reading for Link {
    async fn each<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> Result<(), Refusal> {
        let run = self.run(statement, &bound, take, &refusal);
        self.answered(run).await.map(drop)
    }
}
