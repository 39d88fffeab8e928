//! A database file in use: those who read it and the one who writes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::caller::Caller;
use crate::engine::{Compiled, Engine};
use crate::metrics::Meters;
use crate::plan::read::ReadPlan;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::driven;
use crate::storage::read;
use crate::storage::rows::{Found, Output};
use crate::storage::sqlite::connection::{File, Link, refusal};
use crate::storage::sqlite::lane::{self, Lane};
use crate::storage::sqlite::pool::Readers;
use crate::storage::sqlite::statement::in_one;
use crate::storage::sqlite::writer::Writer;

/// Rows that a read may ask for on the runtime's own threads.
const LONG: u32 = 1_000;

/// A database file in use.
#[derive(Debug)]
pub struct Database {
    /// The file.
    pub file: File,
    /// Those who read.
    pub readers: Readers,
    /// The one who writes.
    pub writer: Writer,
    meters: Meters,
}

impl Database {
    /// Opens connections and starts threads. What is asked of it may take so long.
    pub(crate) fn open(file: File, time: Duration, meters: Meters) -> rusqlite::Result<Self> {
        // The writer first: it may have to switch the journal mode.
        let writer = Writer::open(&file, time, meters.batch.clone())?;
        let readers = Readers::open(&file, time)?;
        Ok(Self {
            file,
            readers,
            writer,
            meters,
        })
    }

    /// Runs a read in its lane.
    pub async fn read(
        &self,
        engine: &Arc<Engine>,
        compiled: &Arc<Compiled>,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Output, Refusal> {
        self.in_lane(run, engine, compiled, plan, caller, now).await
    }

    /// Runs a read of which the values are wanted, in its lane.
    pub async fn find(
        &self,
        engine: &Arc<Engine>,
        compiled: &Arc<Compiled>,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Found, Refusal> {
        self.in_lane(find, engine, compiled, plan, caller, now).await
    }

    /// What is long or streamed goes to the pool, whatever the lane of its shape. What overruns the inline lane, or meets a
    /// lock there, is run again in the pool.
    async fn in_lane<T: Send + 'static>(
        &self,
        run: Run<T>,
        engine: &Arc<Engine>,
        compiled: &Arc<Compiled>,
        plan: &ReadPlan,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<T, Refusal> {
        let is_long = plan.limit > LONG || plan.format.is_stream();
        if !is_long && self.lane(compiled)? == Lane::Inline {
            let result = self
                .readers
                .inline(|link| run(link, engine, compiled, plan, caller, now));
            match result {
                Err(Refusal::Overrun) => compiled.set_lane(Lane::Pool),
                Err(Refusal::Unavailable(_)) => {}
                other => return other,
            }
            self.meters.moved.inc();
        }
        let (engine, compiled) = (Arc::clone(engine), Arc::clone(compiled));
        let (plan, caller) = (plan.clone(), caller.clone());
        self.readers
            .pooled(move |link| run(link, &engine, &compiled, &plan, &caller, now))
            .await
    }

    fn lane(&self, compiled: &Compiled) -> Result<Lane, Refusal> {
        if let Some(lane) = compiled.lane() {
            return Ok(lane);
        }
        let decided = self.readers.blocking(|link| {
            lane::decide(&link.connection, &compiled.shape, &compiled.read).map_err(refusal)
        });
        let lane = match decided {
            Ok(lane) => lane,
            // Locked just now: this once it goes where waiting is allowed.
            Err(Refusal::Unavailable(_)) => return Ok(Lane::Pool),
            Err(other) => return Err(other),
        };
        compiled.set_lane(lane);
        Ok(lane)
    }

    /// Looks at how much waits.
    pub(crate) fn measure(&self) {
        let number = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        self.meters.reads.set(number(self.readers.waiting()));
        self.meters.writes.set(number(self.writer.waiting()));
    }

    /// Ends all threads; what is queued is done first.
    pub fn close(&self) {
        self.writer.close();
        self.readers.close();
    }
}

/// How a read is run on a connection.
type Run<T> = fn(&Link, &Engine, &Compiled, &ReadPlan, &Caller, Timestamp) -> Result<T, Refusal>;

/// Runs a read of which the values are wanted on a connection.
fn find(
    link: &Link,
    engine: &Engine,
    compiled: &Compiled,
    plan: &ReadPlan,
    caller: &Caller,
    now: Timestamp,
) -> Result<Found, Refusal> {
    let values = Values::of_plan(&engine.model, plan, caller, now);
    of_one_moment(link, compiled, || {
        driven(read::find(&link.connection, &compiled.read, values, plan.limit))
    })
}

/// Runs a read on a connection.
pub fn run(
    link: &Link,
    engine: &Engine,
    compiled: &Compiled,
    plan: &ReadPlan,
    caller: &Caller,
    now: Timestamp,
) -> Result<Output, Refusal> {
    let values = Values::of_plan(&engine.model, plan, caller, now);
    of_one_moment(link, compiled, || {
        driven(read::run(
            &link.connection,
            &compiled.read,
            values,
            plan.limit,
            plan.format,
            &engine.state_key,
        ))
    })
}

/// Runs a read as one transaction where it has more than one statement, so that all parts are of one moment.
fn of_one_moment<T>(
    link: &Link,
    compiled: &Compiled,
    read: impl FnOnce() -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    if compiled.read.is_one_statement() || !link.connection.is_autocommit() {
        read()
    } else {
        in_one(&link.connection, read)
    }
}
