//! Reads: what is asked, fetched in its lane; and the short way for a caller with a token.

use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Response};

use super::answer::Privacy;
use super::ending::Ending;
use super::once::Repeat;
use super::router::Target;
use super::streamed::PART;
use super::{Arrival, Exchange, caller, uses};
use crate::engine::Compiled;
use crate::plan::read::ReadPlan;
use crate::problem::Problem;
use crate::request::precondition::Preconditions;
use crate::respond::format::Format;
use crate::service::Inner;
use crate::storage::Refusal;
use crate::storage::Storage;
use crate::storage::connection::driven;
use crate::storage::rows::Output;
use crate::storage::sqlite::connection::Link;
use crate::storage::sqlite::database::run;
use crate::storage::sqlite::lane::Lane;
use crate::storage::sqlite::statement::in_one;
use crate::token::Credentials;

/// A read that is planned and written.
pub(super) struct Asked {
    pub(super) plan: ReadPlan,
    /// The most rows that are wanted: of a stream more than its plan reads at once.
    pub(super) limit: u32,
    pub(super) compiled: Arc<Compiled>,
    pub(super) privacy: Privacy,
    /// What the client has or expects already.
    pub(super) expected: Preconditions,
}

type Answer = Result<Response<Body>, Problem>;

/// A read with a token, where tokens and rows are in one file: who asks and what he asks for are read in one
/// transaction on one connection, for locking the file is most of what a small read costs. `None` where it has to go
/// the long way: it isn't such a read, it doesn't belong on this thread, or the database is locked just now.
pub(super) fn at_once(
    service: &Arc<Inner>,
    parts: &Parts,
    arrival: &Arrival<'_>,
    target: &Target<'_>,
) -> Option<Answer> {
    let now = arrival.now;
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let Storage::Sqlite(files) = &service.storage else {
        return None;
    };
    // What is refused here, too, is refused on the long way.
    let media = target.media(&service.engine.model.schema, parts).ok()?;
    if media.format.is_stream() {
        return None;
    }
    if !reads || !files.is_one() || !matches!(target, Target::Collection(_) | Target::Item(..)) {
        return None;
    }
    let Some(Ok(Credentials::Bearer(secret))) = caller::credentials(parts) else {
        return None;
    };
    let digest = secret.digest();
    let answered = files.data.readers.inline(|link| {
        in_one(&link.connection, || {
            let found = driven(caller::find(service, &link.connection, &digest, now))?;
            let Some(caller) = found else {
                return Ok(Some(Err(caller::bad_token())));
            };
            if let Err(problem) = arrival.count(service, &caller) {
                return Ok(Some(Err(problem)));
            }
            uses::keep(service, &caller, now);
            let exchange = Exchange {
                service,
                parts,
                prefix: &arrival.prefix,
                outside: &arrival.outside,
                caller,
                now,
                repeat: Repeat::default(),
                media,
                ending: Ending::default(),
                noted: None,
            };
            let mut answered = exchange.on(link, target)?;
            if let Some(Ok(response)) = &mut answered {
                exchange.tell_ending(target, response);
            }
            Ok(answered)
        })
    });
    // What is refused here is refused, and told, on the long way.
    answered.ok().flatten()
}

impl Exchange<'_> {
    /// A read, written.
    pub(super) fn asked(&self, mut plan: ReadPlan) -> Result<Asked, Problem> {
        let limit = plan.limit;
        if plan.format.is_stream() {
            plan.limit = limit.min(PART);
        } else if self.media.format == Format::Hal {
            plan.format = Format::Hal;
        }
        let compiled = self.service.engine.compiled(&plan.shape);
        self.ending.add(compiled.deprecated);
        if let Some(noted) = self.noted {
            let note = (plan.clone(), Arc::clone(&compiled));
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        }
        Ok(Asked {
            limit,
            expected: Preconditions::parse(&self.parts.headers)?,
            privacy: self.privacy(&plan),
            compiled,
            plan,
        })
    }

    /// What it gives, from the lane where it belongs.
    pub(super) async fn fetch(&self, asked: &Asked) -> Result<Output, Problem> {
        let engine = &self.service.engine;
        let read = self
            .service
            .storage
            .read(engine, &asked.compiled, &asked.plan, &self.caller, self.now);
        read.await.map_err(|refusal| self.problem(refusal))
    }

    /// The same on a connection that is held, where that is its lane.
    fn on(&self, link: &Link, target: &Target<'_>) -> Result<Option<Answer>, Refusal> {
        let asked = match target {
            Target::Collection(resource) => self.page_asked(*resource).map(Some),
            Target::Item(resource, segment) => self.item_asked(*resource, segment).map(Some),
            Target::Restore(..)
            | Target::Related(..)
            | Target::Pair(..)
            | Target::Me
            | Target::Tokens
            | Target::Token(_)
            | Target::Health(_)
            | Target::About(_) => Ok(None),
        };
        let asked = match asked {
            Ok(Some(asked)) if asked.compiled.lane() == Some(Lane::Inline) => asked,
            Ok(_) => return Ok(None),
            Err(problem) => return Ok(Some(Err(problem))),
        };
        let engine = &self.service.engine;
        let output = run(link, engine, &asked.compiled, &asked.plan, &self.caller, self.now)?;
        Ok(Some(match target {
            Target::Collection(resource) => self.page_told(&self.address_of(*resource), &asked, &output),
            _ => self.item_told(&asked, output),
        }))
    }
}
