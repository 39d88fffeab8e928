//! Servers that follow the primary, and answer reads.
//!
//! A replica is read from while it was known, at most [`BEHIND`] ago, to have all that the primary had. A caller who has
//! written reads from the primary for longer than that, [`AFTER_A_WRITE`], whichever instance he asks: that he has is kept
//! in the primary's `rest_writers`, and found with his token, which is looked up there for each request anyway. That is a
//! small write per account and second, where following each caller's position in the log would be one for each write.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryMessage;

use super::Address;
use super::database::Database;
use super::error::Uniques;
use super::server::Server;
use crate::caller::Caller;
use crate::cell::Cell;
use crate::metrics::{Databases, ReplicaMeters};
use crate::storage::Refusal;

/// How far behind a replica may be.
const BEHIND: Duration = Duration::from_secs(5);
/// How long a caller who has written reads from the primary, in seconds: longer than a replica may be behind.
pub(crate) const AFTER_A_WRITE: u32 = 10;
/// How often replicas are looked at.
const PERIOD: Duration = Duration::from_millis(250);
/// How long one may take to tell how far it is.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is kept that the same caller has written.
const MARKED: Duration = Duration::from_secs(1);
/// Callers remembered at most for that.
const CALLERS: usize = 10_000;

/// How far a server is: bytes of its log.
type Position = u64;

/// All replicas of a database.
#[derive(Debug)]
pub(super) struct Replicas {
    all: Vec<Replica>,
    next: AtomicUsize,
    watch: Once,
    is_closed: AtomicBool,
    since: Instant,
    /// When it was last kept that an account has written.
    marked: Mutex<HashMap<Vec<Cell>, Instant>>,
}

/// A server that follows.
#[derive(Debug)]
struct Replica {
    server: Server,
    meters: ReplicaMeters,
    /// The last moment of which it is known that all from before it is here: milliseconds since the start, and one. 0: none.
    fresh: AtomicU64,
}

impl Replicas {
    pub(super) fn new(addresses: Vec<Address>, uniques: &Arc<Uniques>, counts: &Databases) -> Self {
        let replica = |address: Address| {
            let name = format!("replica {}", address.place());
            Replica {
                server: Server::new(address, uniques, counts.connections(&name)),
                meters: counts.of_replica(&name),
                fresh: AtomicU64::new(0),
            }
        };
        Self {
            all: addresses.into_iter().map(replica).collect(),
            next: AtomicUsize::new(0),
            watch: Once::new(),
            is_closed: AtomicBool::new(false),
            since: Instant::now(),
            marked: Mutex::default(),
        }
    }

    /// Whether there is one.
    pub(super) fn are_there(&self) -> bool {
        !self.all.is_empty()
    }

    /// The replica that a caller's read goes to; `None`: to the primary.
    pub(super) fn pick(&self, database: &Arc<Database>, caller: &Caller) -> Option<&Server> {
        if self.all.is_empty() {
            return None;
        }
        // By the runtime that needs it, as all connections are made.
        self.watch
            .call_once(|| drop(tokio::spawn(watch(Arc::downgrade(database)))));
        if caller.has_written || caller.is_unrestricted {
            return None;
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut all = (0..self.all.len()).map(|place| &self.all[(first + place) % self.all.len()]);
        let replica = all.find(|replica| self.behind(replica).is_some_and(|behind| behind < BEHIND))?;
        replica.meters.served.inc();
        Some(&replica.server)
    }

    /// For how long it isn't known that a replica has everything.
    fn behind(&self, replica: &Replica) -> Option<Duration> {
        let fresh = replica.fresh.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.since.elapsed().saturating_sub(Duration::from_millis(fresh)))
    }

    /// Whether it was kept a moment ago that an account has written.
    pub(super) fn is_marked(&self, account: &[Cell]) -> bool {
        let marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        marked.get(account).is_some_and(|at| at.elapsed() < MARKED)
    }

    /// It was kept, as of this moment.
    pub(super) fn marked(&self, account: &[Cell], at: Instant) {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        if marked.len() >= CALLERS {
            marked.clear();
        }
        marked.insert(account.to_vec(), at);
    }

    pub(super) fn measure(&self) {
        for replica in &self.all {
            replica.server.measure();
            let behind = self
                .behind(replica)
                .map_or(f64::INFINITY, |behind| behind.as_secs_f64());
            replica.meters.behind.set(behind);
        }
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        for replica in &self.all {
            replica.server.close();
        }
    }

    fn moment(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.since);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}

/// Looks at all replicas again and again, until the database is closed.
async fn watch(database: Weak<Database>) {
    // Where the primary was of late.
    let mut primary: VecDeque<(Instant, Position)> = VecDeque::new();
    let mut were_used: Vec<Option<bool>> = Vec::new();
    loop {
        let Some(database) = database.upgrade().filter(|database| !is_closed(database)) else {
            return;
        };
        let asked = Instant::now();
        if let Ok(position) = position(database.primary(), "pg_current_wal_lsn()").await {
            primary.push_back((asked, position));
        }
        while primary.front().is_some_and(|(at, _)| at.elapsed() > BEHIND) {
            primary.pop_front();
        }
        let replicas = &database.replicas;
        were_used.resize(replicas.all.len(), None);
        for (replica, was_used) in replicas.all.iter().zip(&mut were_used) {
            let reached = position(&replica.server, "pg_last_wal_replay_lsn()").await;
            if let Ok(reached) = &reached
                && let Some((at, _)) = primary.iter().rev().find(|(_, position)| position <= reached)
            {
                replica.fresh.fetch_max(replicas.moment(*at), Ordering::Relaxed);
            }
            let is_used = replicas.behind(replica).is_some_and(|behind| behind < BEHIND);
            if *was_used != Some(is_used) {
                told(replica, is_used, reached.err());
                *was_used = Some(is_used);
            }
        }
        drop(database);
        tokio::time::sleep(PERIOD).await;
    }
}

fn is_closed(database: &Database) -> bool {
    database.replicas.is_closed.load(Ordering::Relaxed)
}

fn told(replica: &Replica, is_used: bool, why: Option<Refusal>) {
    let address = replica.server.address();
    match (is_used, why) {
        (true, _) => tracing::info!("the replica {address} is read from"),
        (false, Some(refusal)) => tracing::warn!("the replica {address} isn't read from: {refusal}"),
        (false, None) => tracing::warn!("the replica {address} isn't read from: it is too far behind"),
    }
}

/// How far a server is; `Err` also where it has no such position.
async fn position(server: &Server, expression: &str) -> Result<Position, Refusal> {
    let asked = async {
        let link = server.shared().await?;
        let text = format!("SELECT pg_wal_lsn_diff({expression}, '0/0')");
        let answer = link.client().simple_query(&text).await;
        let answer = answer.map_err(super::error::refusal)?;
        let position = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        position.ok_or_else(|| Refusal::Unavailable("it follows no other server".into()))
    };
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    answered.unwrap_or_else(|_| Err(Refusal::Unavailable("it doesn't answer".into())))
}
