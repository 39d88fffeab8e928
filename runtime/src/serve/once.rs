//! Writes that are sent again under the same `Idempotency-Key`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use rest_schema::ResourceId;
use sha2::{Digest, Sha256};

use super::Exchange;
use crate::problem::Problem;
use crate::request::body::{self, Json};
use crate::request::idempotency;
use crate::storage::job::{Done, Written};
use crate::storage::once::{Doing, OfKey, Once};

/// What is known of a request's key.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    once: OnceLock<Once>,
    /// What the request gave before.
    given: Mutex<Option<Vec<Written>>>,
    is_repeated: AtomicBool,
}

impl Repeat {
    /// The key, where there is one.
    pub(super) fn once(&self) -> Option<Once> {
        self.once.get().cloned()
    }

    /// Whether what is answered was given before.
    pub(super) fn is_repeated(&self) -> bool {
        self.is_repeated.load(Ordering::Relaxed)
    }
}

impl Exchange<'_> {
    /// The body of a write that may be sent again.
    ///
    /// # Errors
    ///
    /// What is wrong with the body; 400, 409 or 422 for its key.
    pub(super) async fn json_once(&self, body: Body) -> Result<Json, Problem> {
        let bytes = self.bytes(body).await?;
        let json = body::parse(&bytes)?;
        if let Some(key) = idempotency::key(&self.parts.headers)? {
            self.look(&key, &bytes).await?;
        }
        Ok(json)
    }

    async fn look(&self, key: &str, body: &[u8]) -> Result<(), Problem> {
        let Some(account) = &self.caller.account else {
            return Err(idempotency::bad(
                "belongs to an account: sign in, or leave it out",
            ));
        };
        let engine = &self.service.engine;
        let who = account.key(engine.model.resource(account.resource));
        let address = self
            .parts
            .uri
            .path_and_query()
            .map_or("", |address| address.as_str());
        let who = crate::storage::state::key_text(&who);
        let media = self.parts.headers.get(CONTENT_TYPE);
        let media = media.map_or(&[][..], |media| media.as_bytes());
        let once = Once {
            id: digest(&[
                who.as_bytes(),
                self.parts.method.as_str().as_bytes(),
                address.as_bytes(),
                key.as_bytes(),
            ]),
            request: digest(&[media, body]),
            now: self.now.as_second(),
        };
        let look = OfKey {
            engine: Arc::clone(engine),
            once: once.clone(),
            doing: Doing::Look,
        };
        let done = self.service.storage.write_state(look).await;
        if let Done::Known(known) = done.map_err(|refusal| self.problem(refusal))? {
            let given = known.answer(self.service.under_way.has(&once.id))?;
            *self.repeat.given.lock().unwrap_or_else(PoisonError::into_inner) = given;
        }
        // It is set once.
        let _ = self.repeat.once.set(once);
        Ok(())
    }

    /// What the same request gave before.
    pub(super) fn given_before(&self) -> Option<Vec<Written>> {
        let mut given = self.repeat.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.take()
    }

    /// The same as it may be told now: without what the caller may not read any more.
    pub(super) async fn repeated(
        &self,
        resource: ResourceId,
        mut given: Vec<Written>,
    ) -> Result<Vec<Written>, Problem> {
        self.repeat.is_repeated.store(true, Ordering::Relaxed);
        for written in given.iter_mut().filter(|written| written.item.is_some()) {
            if !self.may_read(resource, &written.key).await? {
                written.item = None;
            }
        }
        Ok(given)
    }
}

/// A digest of parts, each told from the next by its length.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
