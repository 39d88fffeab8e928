//! The whole result of a list, sent while it is read.
//!
//! A stream is the plan of the list, run in parts from key to key: each part is a read of its own in the pool, and the
//! next one begins when the client has taken the last. So no connection and no transaction waits for a client, memory
//! doesn't grow with the result, and when the client goes away nothing is left that goes on. It is no snapshot: rows that
//! are there throughout are sent once, in their order; others may be.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue};
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use rest_schema::ResourceId;

use super::reading::Asked;
use super::{Exchange, answer, coded};
use crate::caller::Caller;
use crate::event;
use crate::plan::read::ReadPlan;
use crate::problem::Problem;
use crate::respond::format::{Csv, Format};
use crate::respond::json::Links;
use crate::respond::link;
use crate::service::Inner;
use crate::sql::select::Layout;
use crate::storage::Refusal;
use crate::storage::rows::Output;

/// Rows that are read at once.
pub(super) const PART: u32 = 1_000;
/// How often a part is tried while the database can't be read, before the stream is given up.
const ATTEMPTS: u32 = 6;
/// The pause before the second try; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(50);

impl Exchange<'_> {
    /// The answer that begins with this output: what goes wrong until here is a problem, afterwards the stream is cut.
    pub(super) fn streamed(
        &self,
        resource: ResourceId,
        address: &str,
        asked: Asked,
        output: Output,
    ) -> Result<Response<Body>, Problem> {
        asked.expected.hold_for_collection()?;
        let own = link::itself(address, self.parts.uri.query());
        let links = Links {
            own,
            ..Links::default()
        };
        let mut first = Vec::new();
        let model = &self.service.engine.model;
        let format = self.media.format;
        if format == Format::Csv {
            header(model, &asked.compiled.read.layout, &mut first);
        }
        let privacy = asked.privacy;
        let mut rest = Rest {
            service: Arc::clone(self.service),
            caller: self.caller.clone(),
            now: self.now,
            plan: Some(asked.plan),
            left: asked.limit,
        };
        first.extend_from_slice(&output.rows.bytes);
        rest.read(&output);
        let parts = stream::try_unfold((Some(first), rest), |(first, mut rest)| async move {
            let part = match first {
                Some(first) => Some(first),
                None => rest.next().await?,
            };
            Ok::<_, Refusal>(part.map(|part| (Bytes::from(part), (None, rest))))
        });
        let mut response = answer::stream(Body::from_stream(parts), &links, self.prefix, privacy);
        answer::as_media(&mut response, self.media);
        coded::choose(&mut response, &self.parts.headers);
        if format == Format::Csv {
            let name = &model.resource(resource).collection;
            let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
            let headers = response.headers_mut();
            headers.extend(disposition.ok().map(|value| (CONTENT_DISPOSITION, value)));
        }
        Ok(response)
    }
}

fn header(model: &crate::model::Model, layout: &Layout, out: &mut Vec<u8>) {
    let shown = layout.shown.iter();
    Csv::header(shown.map(|shown| model.field(shown.field).api_name.as_str()), out);
}

/// What is still to be read.
struct Rest {
    service: Arc<Inner>,
    caller: Caller,
    now: Timestamp,
    /// The part to be read next, once the one before is known; `None`: there is none.
    plan: Option<ReadPlan>,
    /// The rows that may still be sent.
    left: u32,
}

impl Rest {
    /// Goes on behind what was read.
    fn read(&mut self, output: &Output) {
        let count = u32::try_from(output.rows.len()).unwrap_or(u32::MAX);
        // Without a limit there is no end to what may be sent.
        if self.left != u32::MAX {
            self.left = self.left.saturating_sub(count);
        }
        let last = output.last.clone().filter(|_| output.more && self.left > 0);
        self.plan = match (self.plan.take(), last) {
            (Some(plan), Some(last)) => Some(ReadPlan {
                limit: self.left.min(PART),
                ..plan.behind(last)
            }),
            _ => None,
        };
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(plan) = &self.plan else {
            return Ok(None);
        };
        let engine = &self.service.engine;
        let compiled = engine.compiled(&plan.shape);
        let mut attempt = 1;
        let output = loop {
            let read = self
                .service
                .storage
                .read(engine, &compiled, plan, &self.caller, self.now);
            match read.await {
                Err(Refusal::Unavailable(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * 2u32.saturating_pow(attempt - 1)).await;
                    attempt += 1;
                }
                Err(refusal) => {
                    event::cut(&engine.model.resource(plan.shape.resource).name, &refusal);
                    return Err(refusal);
                }
                Ok(output) => break output,
            }
        };
        self.read(&output);
        Ok(Some(output.rows.bytes).filter(|bytes| !bytes.is_empty()))
    }
}
