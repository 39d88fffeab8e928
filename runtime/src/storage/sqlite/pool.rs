//! Reads: connection slots that the runtime's threads try in turn, and a pool for what may take long.

use std::cell::Cell as ThreadCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError, bounded};

use crate::storage::Refusal;
use crate::storage::sqlite::connection::{self, File, Link, Purpose};

/// Steps that an inline read may take.
const INLINE_STEPS: i64 = 20_000;
/// Reads that wait for the pool; beyond: 503.
const QUEUE: usize = 256;

type Task = Box<dyn FnOnce(&Link) + Send>;

/// The connections that read.
#[derive(Debug)]
pub struct Readers {
    slots: Box<[Mutex<Link>]>,
    queue: Mutex<Option<Sender<Task>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// What a read in the pool may wait, and what it may take; beyond: 503.
    time: Duration,
}

thread_local! {
    static OWN: ThreadCell<Option<usize>> = const { ThreadCell::new(None) };
}
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// The number by which a thread chooses its slot: its own for life.
fn own() -> usize {
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            own.set(Some(number));
            number
        })
    })
}

impl Readers {
    /// Opens slots and the pool's threads, by the number of cores. A read in the pool may wait so long for its turn, and take
    /// so long.
    pub fn open(file: &File, time: Duration) -> rusqlite::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let slots = (0..cores.max(2))
            .map(|_| connection::open(file, Purpose::Inline).map(Mutex::new))
            .collect::<rusqlite::Result<_>>()?;
        let (queue, tasks) = bounded::<Task>(QUEUE);
        let mut threads = Vec::new();
        for _ in 0..(cores / 2).max(1) {
            let link = connection::open(file, Purpose::Pool)?;
            let tasks = tasks.clone();
            let builder = std::thread::Builder::new().name("rest-read".to_owned());
            let thread = builder.spawn(move || {
                for task in tasks {
                    task(&link);
                }
            });
            threads.push(thread.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?);
        }
        Ok(Self {
            slots,
            queue: Mutex::new(Some(queue)),
            threads: Mutex::new(threads),
            time,
        })
    }

    /// Runs a light read on this thread, with the budget of steps.
    pub fn inline<T>(&self, read: impl FnOnce(&Link) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let link = self.slot();
        link.allow(INLINE_STEPS);
        read(&link)
    }

    /// Runs what may wait or take long on this thread all the same: at start, in tests.
    pub fn blocking<T>(&self, read: impl FnOnce(&Link) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let link = self.slot();
        link.allow(i64::MAX);
        read(&link)
    }

    /// A slot: this thread's own if it is free, else any free one, else its own once it is free.
    fn slot(&self) -> MutexGuard<'_, Link> {
        let own = own();
        for step in 0..self.slots.len() {
            if let Ok(link) = self.slots[(own + step) % self.slots.len()].try_lock() {
                return link;
            }
        }
        self.slots[own % self.slots.len()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a read on the pool.
    pub async fn pooled<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Link) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let (time, asked) = (self.time, Instant::now());
        let task: Task = Box::new(move |link| {
            // Whoever asked may have gone away; then nobody wants the answer.
            if reply.is_closed() {
                return;
            }
            if asked.elapsed() >= time {
                let _ = reply.send(Err(Refusal::Unavailable("too many reads take long".into())));
                return;
            }
            link.allow_for(time);
            let _ = reply.send(read(link));
        });
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sent = queue.ok_or(TrySendError::Disconnected(())).and_then(|queue| {
            queue.try_send(task).map_err(|error| match error {
                TrySendError::Full(_) => TrySendError::Full(()),
                TrySendError::Disconnected(_) => TrySendError::Disconnected(()),
            })
        });
        sent.map_err(|error| Refusal::Unavailable(Box::new(error)))?;
        answer.await.map_err(|error| Refusal::Internal(Box::new(error)))?
    }

    /// How many reads wait.
    pub(crate) fn waiting(&self) -> usize {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().map_or(0, Sender::len)
    }

    /// Ends the pool's threads once they have done what is queued.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a reading thread had panicked");
            }
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.close();
    }
}
