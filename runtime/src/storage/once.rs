//! Writes that a client may send again: each is done once, and answered with what it gave the first time
//! (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header-07).
//!
//! Where one database holds rows and our own state, a key is kept in the write's transaction, so it is there exactly if
//! the write is. Where they lie apart, the key is committed first, as under way, and what it gave afterwards: the write is
//! done at most once, and after a crash between the two nobody knows whether it was.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::Engine;
use crate::problem::{Code, Problem};
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::storage::job::{Done, Job, Written};
use crate::storage::rows::{Output, Rows};
use crate::storage::state;

/// Seconds for which what a write gave is kept.
pub const KEPT: i64 = 24 * 3_600;

/// A write under a key of its sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Who sends what where under which key: a digest, for nothing of it need be read again.
    pub id: [u8; 32],
    /// What is sent: a digest of the body.
    pub request: [u8; 32],
    /// The moment, in seconds since 1970.
    pub now: i64,
}

/// What is known of a key.
#[derive(Debug)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// The write is done, and gave this.
    Done(Vec<Written>),
    /// It has begun, and whether it has ended isn't known.
    Begun,
    /// Something else was sent under it.
    Other,
}

impl Once {
    /// What is known of it.
    ///
    /// # Errors
    ///
    /// Where the database refuses.
    pub(crate) async fn known<C: Connection>(
        &self,
        connection: &C,
        engine: &Engine,
    ) -> Result<Known, Refusal> {
        let found = state::find_once(connection, &engine.state, &engine.model, self).await?;
        Ok(match found {
            None => Known::Nothing,
            Some((request, _)) if request != self.request => Known::Other,
            Some((_, None)) => Known::Begun,
            Some((_, Some(answer))) => Known::Done(read(&answer)),
        })
    }

    /// Takes it, where nobody else has; what is known of it otherwise.
    ///
    /// # Errors
    ///
    /// Where the database refuses.
    pub(crate) async fn claim<C: Connection>(
        &self,
        connection: &C,
        engine: &Engine,
    ) -> Result<Known, Refusal> {
        let claimed = state::claim_once(connection, &engine.state, &engine.model, self, KEPT).await?;
        if claimed {
            Ok(Known::Nothing)
        } else {
            self.known(connection, engine).await
        }
    }

    /// Keeps what the write gave.
    ///
    /// # Errors
    ///
    /// Where the database refuses.
    pub(crate) async fn keep<C: Connection>(
        &self,
        connection: &C,
        engine: &Engine,
        given: &str,
    ) -> Result<(), Refusal> {
        state::keep_once(connection, &engine.state, &engine.model, self, given).await
    }
}

impl Known {
    /// What the write gave; `None` where it is to be done.
    ///
    /// # Errors
    ///
    /// 422 where something else was sent, 409 where it isn't known what became of it; `is_under_way` says whether it is
    /// being done just now.
    pub fn answer(self, is_under_way: bool) -> Result<Option<Vec<Written>>, Problem> {
        match self {
            Self::Nothing => Ok(None),
            Self::Done(written) => Ok(Some(written)),
            Self::Begun if is_under_way => Err(Problem::new(Code::IdempotencyInFlight)),
            Self::Begun => Err(Problem::new(Code::IdempotencyUnknown)),
            Self::Other => Err(Problem::new(Code::IdempotencyMismatch)),
        }
    }
}

/// What is done with a key in a transaction of its own.
#[derive(Debug)]
pub struct OfKey {
    /// The service.
    pub engine: Arc<Engine>,
    /// The key.
    pub once: Once,
    /// What.
    pub doing: Doing,
}

/// See [`OfKey`].
#[derive(Debug)]
pub enum Doing {
    /// Looks what is known of it.
    Look,
    /// Takes it.
    Claim,
    /// Keeps what the write gave.
    Keep(String),
    /// Gives it back, since nothing was done.
    Release,
}

impl Job for OfKey {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let (engine, once) = (&self.engine, &self.once);
        let known = match &self.doing {
            Doing::Look => once.known(connection, engine).await?,
            Doing::Claim => once.claim(connection, engine).await?,
            Doing::Keep(given) => {
                once.keep(connection, engine, given).await?;
                Known::Nothing
            }
            Doing::Release => {
                state::release_once(connection, &engine.state, &engine.model, once).await?;
                Known::Nothing
            }
        };
        Ok(Done::Known(known))
    }
}

/// What a write gave, as it is kept.
pub fn written(items: &[Written]) -> String {
    let one = |written: &Written| {
        let item = written.item.as_ref();
        let text = item.map(|output| String::from_utf8_lossy(&output.rows.bytes));
        json!({
            "key": state::key_text(&written.key),
            "created": written.created,
            "item": text,
            // Beyond what JSON's numbers are sure to hold.
            "state": item.and_then(|output| output.state).map(|state| format!("{state:016x}")),
        })
    };
    Value::Array(items.iter().map(one).collect()).to_string()
}

fn read(text: &str) -> Vec<Written> {
    let Ok(Value::Array(items)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let one = |item: &Value| {
        let state = item["state"].as_str();
        let output = item["item"].as_str().map(|text| Output {
            rows: Rows {
                bytes: text.as_bytes().to_vec(),
                ends: vec![u32::try_from(text.len()).unwrap_or(u32::MAX)],
                ..Rows::default()
            },
            state: state.and_then(|state| u64::from_str_radix(state, 16).ok()),
            ..Output::default()
        });
        Written {
            key: state::key_of(item["key"].as_str().unwrap_or_default()),
            created: item["created"] == true,
            item: output,
            values: None,
        }
    };
    items.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    #[test]
    fn what_a_write_gave_is_read_as_it_was_kept() {
        let item = Output {
            rows: Rows {
                bytes: "{\"id\":1,\"name\":\"é\"}".into(),
                ends: vec![20],
                ..Rows::default()
            },
            state: Some(u64::MAX),
            ..Output::default()
        };
        let items = [
            Written {
                key: vec![Cell::Integer(1), Cell::Text("a,b".to_owned())],
                created: true,
                item: Some(item),
                values: None,
            },
            Written {
                key: vec![Cell::Integer(i64::MAX)],
                created: false,
                item: None,
                values: None,
            },
        ];
        let again = read(&written(&items));
        assert_eq!(format!("{again:?}"), format!("{items:?}"));
    }
}
