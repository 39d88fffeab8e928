//! A server of PostgreSQL in use: connections that requests share, and those that transactions have for themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use tokio::sync::Mutex;

use super::address::PATIENCE;
use super::error::Uniques;
use super::link::Types;
use super::{Address, Link};
use crate::metrics::ConnectionMeters;
use crate::sql::Statement;
use crate::storage::Refusal;
use crate::storage::connection::{Bound, Reading, Take};

/// Connections that requests share.
const SHARED: usize = 2;
/// How long nobody tries to connect after a failure: the ones that ask meanwhile are refused at once.
const PAUSE: Duration = Duration::from_millis(200);

/// A server in use.
#[derive(Debug)]
pub struct Server {
    door: Arc<Door>,
    shared: [Mutex<Shared>; SHARED],
    next: AtomicUsize,
    pool: Pool<Maker>,
    meters: ConnectionMeters,
}

/// How connections are made.
#[derive(Debug)]
struct Door {
    address: Address,
    uniques: Arc<Uniques>,
    types: Arc<Types>,
}

/// A place for a connection that is shared.
#[derive(Debug, Default)]
struct Shared {
    link: Option<Arc<Link>>,
    failed: Option<(Instant, String)>,
}

/// The pool's way to make connections.
#[derive(Debug)]
struct Maker(Arc<Door>);

impl Manager for Maker {
    type Type = Link;
    type Error = String;

    async fn create(&self) -> Result<Link, String> {
        self.0.open().await
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<String> {
        if !link.is_usable() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

impl Door {
    async fn open(&self) -> Result<Link, String> {
        Link::open(&self.address, &self.uniques, &self.types, PATIENCE).await
    }
}

/// A connection that is given back only where its transaction has ended.
pub(super) struct Lent {
    object: Option<Object<Maker>>,
}

impl Lent {
    pub(super) fn link(&self) -> Result<&Link, Refusal> {
        let link = self.object.as_deref();
        link.ok_or_else(|| Refusal::Internal("a connection was given back too early".into()))
    }

    pub(super) fn give_back(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Lent {
    /// Whoever asked has gone away in the middle: the database undoes what was begun when the connection ends.
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

impl Server {
    /// A server whose connections are made when they are needed, by the runtime on which that is.
    pub(super) fn new(address: Address, uniques: &Arc<Uniques>, meters: ConnectionMeters) -> Self {
        let pool_size = address.connections;
        let door = Arc::new(Door {
            address,
            uniques: Arc::clone(uniques),
            types: Arc::default(),
        });
        let builder = Pool::builder(Maker(Arc::clone(&door)))
            .max_size(pool_size)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE));
        // It fails only where time-outs are asked for without a runtime.
        let pool = builder.build().unwrap_or_else(|error| unreachable!("{error}"));
        Self {
            door,
            shared: Default::default(),
            next: AtomicUsize::new(0),
            pool,
            meters,
        }
    }

    /// Where it is.
    pub(super) fn address(&self) -> &Address {
        &self.door.address
    }

    /// A connection that is shared, made where there is none.
    pub(super) async fn shared(&self) -> Result<Arc<Link>, Refusal> {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % SHARED;
        let mut shared = self.shared[place].lock().await;
        if let Some(link) = shared.link.as_ref().filter(|link| link.is_usable()) {
            return Ok(Arc::clone(link));
        }
        if let Some((when, told)) = &shared.failed
            && when.elapsed() < PAUSE
        {
            return Err(Refusal::Unavailable(told.clone().into()));
        }
        shared.link = None;
        match self.door.open().await {
            Ok(link) => {
                let link = Arc::new(link);
                shared.link = Some(Arc::clone(&link));
                shared.failed = None;
                Ok(link)
            }
            Err(told) => {
                shared.failed = Some((Instant::now(), told.clone()));
                Err(Refusal::Unavailable(told.into()))
            }
        }
    }

    /// A connection for one transaction.
    pub(super) async fn own(&self) -> Result<Lent, Refusal> {
        match self.pool.get().await {
            Ok(object) => Ok(Lent { object: Some(object) }),
            Err(PoolError::Timeout(managed::TimeoutType::Wait)) => {
                Err(Refusal::Unavailable("too many writes are waiting".into()))
            }
            Err(PoolError::Backend(told)) => Err(Refusal::Unavailable(told.into())),
            Err(error) => Err(Refusal::Unavailable(error.to_string().into())),
        }
    }

    /// Looks at how many connections there are; gives how many wait for one.
    pub(super) fn measure(&self) -> i64 {
        let status = self.pool.status();
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let open = |shared: &Mutex<Shared>| shared.try_lock().is_ok_and(|shared| shared.link.is_some());
        let shared = self.shared.iter().filter(|shared| open(shared)).count();
        self.meters.shared.set(number(shared));
        self.meters.idle.set(number(status.available));
        self.meters
            .used
            .set(number(status.size.saturating_sub(status.available)));
        number(status.waiting)
    }

    /// Whether the database answers.
    pub(super) async fn is_ready(&self) -> bool {
        let answered = async {
            let link = self.shared().await.ok()?;
            link.client.batch_execute("").await.ok()
        };
        matches!(
            tokio::time::timeout(Duration::from_secs(2), answered).await,
            Ok(Some(()))
        )
    }

    /// Ends the pool; connections end with the last request that has one.
    pub(super) fn close(&self) {
        self.pool.close();
        for shared in &self.shared {
            if let Ok(mut shared) = shared.try_lock() {
                shared.link = None;
            }
        }
    }

    /// Learns the types of a statement's parameters, where no connection may keep it.
    async fn learn<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> Result<(), Refusal> {
        let lent = self.own().await?;
        let link = lent.link()?;
        link.batch(&self.door.address.begin("READ ONLY")).await?;
        let read = link.each(statement, bound, take).await;
        link.batch("COMMIT").await?;
        lent.give_back();
        read
    }
}

/// Reads, each statement on a connection that is shared: what is behind another is sent without waiting for it.
impl Reading for Server {
    async fn each<T: Take>(
        &self,
        statement: &Statement,
        bound: Bound<'_>,
        take: &mut T,
    ) -> Result<(), Refusal> {
        let link = self.shared().await?;
        if !link.knows(&statement.text) {
            return self.learn(statement, bound, take).await;
        }
        let read = link.each(statement, bound, take).await;
        if matches!(read, Err(Refusal::Again(_))) {
            link.forget();
        }
        read
    }
}
