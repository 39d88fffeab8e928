//! How many requests a caller has (`limits: { requests, window }`), and the fields that tell him what is left
//! (draft-ietf-httpapi-ratelimit-headers-11).
//!
//! An account is one caller, whatever tokens it uses; those without one are told apart by address. A caller's window begins
//! with his first request and ends when it is over, so he may use two quotas around its end: what is bounded is the load,
//! and what `RateLimit` says of the rest and its end is exact. Each process counts for itself, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use rest_schema::Quota;

use crate::attempts::network;
use crate::caller::Caller;
use crate::cell::Cell;
use crate::model::Model;
use crate::problem::{Code, Problem};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Windows kept at most; beyond that those nearest to their end are forgotten.
const KEPT: usize = 50_000;

/// The windows of all callers of late.
#[derive(Debug)]
pub(crate) struct Quotas {
    quota: Quota,
    policy: HeaderValue,
    hasher: RandomState,
    /// By a keyed hash of the caller.
    windows: Mutex<HashMap<u64, Window>>,
}

/// The window of a caller.
#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Instant,
    used: u32,
}

/// A request that was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// How many more there may be.
    left: u32,
    /// Seconds until there are all of them again.
    resets: u64,
    /// Whether this one was one too many.
    is_beyond: bool,
}

impl Quotas {
    /// Nobody has asked yet.
    pub(crate) fn new(quota: Quota) -> Self {
        let policy = format!("\"default\";q={};w={}", quota.requests, quota.window);
        Self {
            quota,
            policy: HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("")),
            hasher: RandomState::new(),
            windows: Mutex::default(),
        }
    }

    /// Counts a request of a caller, who asks from an address.
    pub(crate) fn count(
        &self,
        model: &Model,
        caller: &Caller,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Counted {
        let mut hasher = self.hasher.build_hasher();
        match &caller.account {
            None => address.map(network).hash(&mut hasher),
            Some(account) => {
                for field in &model.resource(account.resource).key.fields {
                    match account.cell(*field) {
                        Cell::Integer(number) => number.hash(&mut hasher),
                        Cell::Text(text) => text.hash(&mut hasher),
                        Cell::Blob(bytes) => bytes.hash(&mut hasher),
                        Cell::Null | Cell::Real(_) => {}
                    }
                }
                // No address looks like this.
                hasher.write_u8(1);
            }
        }
        self.count_one(hasher.finish(), now)
    }

    fn count_one(&self, caller: u64, now: Instant) -> Counted {
        let length = Duration::from_secs(self.quota.window.into());
        let anew = Window {
            ends: now + length,
            used: 0,
        };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= KEPT && !windows.contains_key(&caller) {
            forget(&mut windows, now);
        }
        let window = windows.entry(caller).or_insert(anew);
        if window.ends <= now {
            *window = anew;
        }
        let is_beyond = window.used >= self.quota.requests;
        window.used += u32::from(!is_beyond);
        let rest = window.ends - now;
        Counted {
            left: self.quota.requests - window.used,
            resets: rest.as_secs() + u64::from(rest.subsec_nanos() > 0),
            is_beyond,
        }
    }

    /// Refuses a request that is one too many.
    pub(crate) fn admit(&self, counted: Counted) -> Result<(), Problem> {
        if !counted.is_beyond {
            return Ok(());
        }
        let Quota { requests, window } = self.quota;
        let detail = format!("a caller has {requests} requests in {window} seconds, and these were made");
        Err(Problem::new(Code::TooManyRequests)
            .detail(detail)
            .retry_after(counted.resets))
    }

    /// Tells what there is, and what is left of it.
    pub(crate) fn tell(&self, counted: Counted, headers: &mut HeaderMap) {
        let left = format!("\"default\";r={};t={}", counted.left, counted.resets);
        if let Ok(left) = HeaderValue::from_str(&left) {
            headers.insert(RATE_LIMIT, left);
        }
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
    }
}

/// Forgets what is over; where that is too little, half of the rest.
fn forget(windows: &mut HashMap<u64, Window>, now: Instant) {
    windows.retain(|_, window| window.ends > now);
    if windows.len() >= KEPT {
        let mut ends: Vec<Instant> = windows.values().map(|window| window.ends).collect();
        let (_, median, _) = ends.select_nth_unstable(KEPT / 2);
        let median = *median;
        windows.retain(|_, window| window.ends > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas(requests: u32, window: u32) -> Quotas {
        Quotas::new(Quota { requests, window })
    }

    fn told(quotas: &Quotas, counted: Counted) -> String {
        let mut headers = HeaderMap::new();
        quotas.tell(counted, &mut headers);
        let of = |name: &str| headers[name].to_str().unwrap_or_default().to_owned();
        format!("{} {}", of("ratelimit-policy"), of("ratelimit"))
    }

    #[test]
    fn a_window_runs_from_its_first_request_to_its_end() {
        let (quotas, start) = (quotas(2, 60), Instant::now());
        let at = |seconds: u64| start + Duration::from_millis(seconds * 1000 + 1);
        let first = quotas.count_one(7, at(0));
        assert_eq!(told(&quotas, first), r#""default";q=2;w=60 "default";r=1;t=60"#);
        assert!(quotas.admit(quotas.count_one(7, at(10))).is_ok());
        let beyond = quotas.count_one(7, at(20));
        assert_eq!(told(&quotas, beyond), r#""default";q=2;w=60 "default";r=0;t=40"#);
        assert_eq!(
            quotas.admit(beyond).map_err(|problem| problem.code()),
            Err(Code::TooManyRequests)
        );
        // Another caller's window is his own, and a new one begins when the old one is over.
        assert!(quotas.admit(quotas.count_one(8, at(20))).is_ok());
        assert_eq!(
            (quotas.count_one(7, at(60)).left, quotas.count_one(7, at(70)).left),
            (1, 0)
        );
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let (quotas, start) = (quotas(1, 60), Instant::now());
        for caller in 0..=KEPT as u64 {
            quotas.count_one(caller, start + Duration::from_nanos(caller));
        }
        let kept = quotas
            .windows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        assert!(kept <= KEPT, "{kept}");
        // What is over goes first.
        quotas.count_one(u64::MAX, start + Duration::from_secs(61));
        assert!(
            quotas
                .count_one(u64::MAX, start + Duration::from_secs(62))
                .is_beyond
        );
    }
}
