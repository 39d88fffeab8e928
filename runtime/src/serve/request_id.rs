//! Ids of requests.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Makes ids that no other request has, here or on another instance, and that sort by time. They are no secrets, so a
/// seed and a counter do what two questions to the operating system would.
#[derive(Debug)]
pub(crate) struct RequestIds {
    seed: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        let (seed, next) = Uuid::new_v4().as_u64_pair();
        Self {
            seed,
            next: AtomicU64::new(next),
        }
    }

    /// A UUID of version 7.
    pub(crate) fn next(&self, now: Timestamp) -> Uuid {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let bits = xxh3_128_with_seed(&place.to_le_bytes(), self.seed).to_le_bytes();
        let mut random = [0; 10];
        random.copy_from_slice(&bits[..10]);
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_sort_by_time() {
        let (ids, others) = (RequestIds::new(), RequestIds::new());
        let (now, later) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let first = ids.next(now);
        assert_eq!(first.get_version_num(), 7);
        assert_ne!(first, ids.next(now));
        assert_ne!(first, others.next(now));
        assert!(first < ids.next(later));
    }
}
