//! Limits how often a password may be guessed: per account and per address, in bounded memory.
//!
//! An attempt is counted when it begins, so that many at once count as many, and forgiven when the password was right.
//! Counts run down with time: after a burst of wrong guesses one more is let through each [`PER_ACCOUNT`] interval.
//!
//! Each process counts in its memory. Where others may serve the same database, on PostgreSQL, the database counts as well
//! ([`Count`], [`Forgive`]): a small transaction beside the work that a password's hash is.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use siphasher::sip::SipHasher13;

use crate::cell::Cell;
use crate::engine::Engine;
use crate::problem::{Code, Problem};
use crate::storage::connection::Connection;
use crate::storage::job::{Done, Job};
use crate::storage::read::StateKey;
use crate::storage::{Refusal, state};

/// How many attempts may come at once, and after how long one of them is forgotten.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    burst: u32,
    interval: Duration,
}

/// Ten guesses at one account, then one each ten seconds: 8,640 a day.
const PER_ACCOUNT: Allowance = Allowance {
    burst: 10,
    interval: Duration::from_secs(10),
};

/// An address may stand for many people, so it gets more.
const PER_ADDRESS: Allowance = Allowance {
    burst: 100,
    interval: Duration::from_secs(1),
};

/// Counts kept at most; beyond that those nearest to being forgotten are.
const KEPT: usize = 20_000;

impl Allowance {
    /// The interval and all of them together, in milliseconds.
    fn milliseconds(self) -> [Cell; 2] {
        let whole = |time: Duration| Cell::Integer(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        [whole(self.interval), whole(self.interval * self.burst)]
    }
}

/// Who guesses, and whose password.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    account: u64,
    address: Option<u64>,
}

/// The attempts of late. Names aren't kept, only keyed hashes of them.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    hasher: RandomState,
    /// When each count will have run down to nothing.
    empty_at: Mutex<HashMap<u64, Instant>>,
}

impl Attempts {
    /// Counts an attempt, or refuses it and says after how long another makes sense.
    pub(crate) fn begin(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let attempt = Attempt::new(account, address, |what| self.hasher.hash_one(what));
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = attempt.counts();
        let waits = counts.iter().filter_map(|(key, allowance)| {
            let after = empty_at.get(key).copied().unwrap_or(now).max(now) + allowance.interval;
            (after - now)
                .checked_sub(allowance.interval * allowance.burst)
                .filter(|wait| !wait.is_zero())
        });
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        if empty_at.len() >= KEPT {
            forget(&mut empty_at, now);
        }
        for (key, allowance) in counts {
            let at = empty_at.entry(key).or_insert(now);
            *at = (*at).max(now) + allowance.interval;
        }
        Ok(attempt)
    }

    /// The password was right: the attempt doesn't count, and the account's earlier ones neither.
    pub(crate) fn forgive(&self, attempt: Attempt) {
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        empty_at.remove(&attempt.account);
        if let Some(at) = attempt.address.and_then(|key| empty_at.get_mut(&key)) {
            *at -= PER_ADDRESS.interval;
        }
    }
}

impl Attempt {
    fn new(account: &str, address: Option<IpAddr>, hash: impl Fn(Guessed<'_>) -> u64) -> Self {
        Self {
            account: hash(Guessed::Account(account)),
            address: address.map(|address| hash(Guessed::Network(network(address)))),
        }
    }

    /// As every instance of the service knows it: names and addresses aren't kept, only hashes by a key of the database's.
    pub(crate) fn shared(key: &StateKey, account: &str, address: Option<IpAddr>) -> Self {
        Self::new(account, address, |what| {
            let mut hasher = SipHasher13::new_with_key(&key.0);
            what.hash(&mut hasher);
            hasher.finish()
        })
    }

    fn counts(self) -> Vec<(u64, Allowance)> {
        let address = self.address.map(|key| (key, PER_ADDRESS));
        [(self.account, PER_ACCOUNT)].into_iter().chain(address).collect()
    }
}

/// An IPv6 customer holds a /64, so that is what counts as one address.
pub(crate) fn network(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or(0),
    }
}

/// What is hashed.
#[derive(Hash)]
enum Guessed<'a> {
    Account(&'a str),
    Network(u64),
}

/// The refusal of a guess too many, and when the next one makes sense.
pub(crate) fn too_many(wait: Duration) -> Problem {
    let detail = "too many wrong passwords for this account, or from this address";
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(Code::TooManyRequests)
        .detail(detail)
        .retry_after(seconds)
}

/// Counts an attempt in the database, or refuses it and counts nothing.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) engine: Arc<Engine>,
    pub(crate) attempt: Attempt,
}

impl Job for Count {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        state::forget_attempts(connection, state, model).await?;
        for (counted, allowance) in self.attempt.counts() {
            let (counted, allowance) = (cell(counted), allowance.milliseconds());
            let wait = state::count_attempt(connection, state, model, counted, allowance).await?;
            if let Some(wait) = wait {
                return Err(Refusal::Problem(too_many(wait)));
            }
        }
        Ok(Done::Number(0))
    }
}

/// What [`Count`] counted isn't held against anybody: the password was right.
#[derive(Debug)]
pub(crate) struct Forgive {
    pub(crate) engine: Arc<Engine>,
    pub(crate) attempt: Attempt,
}

impl Job for Forgive {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (model, state) = (&self.engine.model, &self.engine.state);
        let [interval, _] = PER_ADDRESS.milliseconds();
        let address = self.attempt.address.map(cell);
        state::forgive_attempt(
            connection,
            state,
            model,
            cell(self.attempt.account),
            address,
            interval,
        )
        .await?;
        Ok(Done::Number(0))
    }
}

/// The number as a database keeps it, with a sign.
fn cell(counted: u64) -> Cell {
    Cell::Integer(counted.cast_signed())
}

fn forget(empty_at: &mut HashMap<u64, Instant>, now: Instant) {
    empty_at.retain(|_, at| *at > now);
    if empty_at.len() >= KEPT {
        let mut ends: Vec<Instant> = empty_at.values().copied().collect();
        let (_, median, _) = ends.select_nth_unstable(KEPT / 2);
        let median = *median;
        empty_at.retain(|_, at| *at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_burst_then_one_by_one() {
        let attempts = Attempts::default();
        let start = Instant::now();
        for _ in 0..PER_ACCOUNT.burst {
            assert!(attempts.begin("susan", None, start).is_ok());
        }
        assert_eq!(
            attempts.begin("susan", None, start).err(),
            Some(PER_ACCOUNT.interval)
        );
        let later = start + PER_ACCOUNT.interval;
        assert!(attempts.begin("susan", None, later).is_ok());
        assert!(attempts.begin("susan", None, later).is_err());
        assert!(attempts.begin("miguel", None, later).is_ok());
    }

    #[test]
    fn a_right_password_is_no_guess() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..1_000 {
            let attempt = attempts.begin("susan", v4(1), now).expect("allowed");
            attempts.forgive(attempt);
        }
    }

    #[test]
    fn an_address_has_a_limit_of_its_own() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let allowed = (0..1_000).filter(|n| attempts.begin(&format!("account {n}"), v4(1), now).is_ok());
        assert_eq!(allowed.count(), PER_ADDRESS.burst as usize);
        assert!(attempts.begin("another", v4(2), now).is_ok());
    }

    #[test]
    fn neighbours_in_one_network_count_together() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let address = |host: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]));
        let allowed =
            (0..1_000).filter(|n| attempts.begin(&format!("account {n}"), address(*n), now).is_ok());
        assert_eq!(allowed.count(), PER_ADDRESS.burst as usize);
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..3 * KEPT {
            let _ = attempts.begin(&format!("account {n}"), None, now);
        }
        assert!(attempts.empty_at.lock().expect("no panic").len() <= KEPT);
    }
}
