//! When tokens and sessions were last used: kept after the answer, and once in a while, so that no request waits for it or writes for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::caller::Caller;
use crate::service::Inner;
use crate::session::Came;
use crate::storage::state::{UseSession, UseToken};
use crate::token::Digest;

/// Seconds within which a use isn't told from the one that was kept before it.
const APART: i64 = 60;
/// Tokens and sessions whose use is remembered here, at most.
const MOST: usize = 100_000;

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Used {
    /// The token of this id.
    Token(i64),
    /// A session of ours.
    Session(Digest),
}

/// When the use of tokens and sessions was kept last, in seconds since 1970: by this instance.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<HashMap<Used, i64>>);

impl Uses {
    /// Whether a use is to be kept; then it counts as kept.
    fn is_news(&self, used: Used, now: i64) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(&used).is_some_and(|at| now - at < APART) {
            return false;
        }
        if kept.len() >= MOST {
            kept.retain(|_, at| now - *at < APART);
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(used, now);
        true
    }
}

/// Keeps that a caller's token or session was used. What can't be kept isn't: it is nothing that a request depends on.
pub(super) fn keep(service: &Arc<Inner>, caller: &Caller, now: Timestamp) {
    let used = match (caller.token, &caller.session) {
        (Some(id), _) => Used::Token(id),
        (None, Some(Came::Own(digest))) => Used::Session(*digest),
        (None, Some(Came::Flask { .. }) | None) => return,
    };
    let at = now.as_second();
    if !service.uses.is_news(used, at) {
        return;
    }
    let service = Arc::clone(service);
    tokio::spawn(async move {
        let engine = Arc::clone(&service.engine);
        let kept = match used {
            Used::Token(id) => service.storage.write_state(UseToken { engine, id, at }).await,
            Used::Session(digest) => {
                let used = UseSession { engine, digest, at };
                service.storage.write_state(used).await
            }
        };
        if let Err(refusal) = kept {
            tracing::debug!("a use isn't kept: {refusal}");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{APART, MOST, Used, Uses};

    #[test]
    fn a_use_is_kept_once_a_minute() {
        let uses = Uses::default();
        let kept = [0, 1, APART - 1, APART, APART + 1].map(|now| uses.is_news(Used::Token(7), now));
        assert_eq!(kept, [true, false, false, true, false]);
        assert!(uses.is_news(Used::Token(8), 1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let uses = Uses::default();
        for token in 0..=MOST as i64 {
            assert!(uses.is_news(Used::Token(token), 0));
        }
        assert_eq!(uses.0.lock().expect("nobody panicked").len(), 1);
    }
}
