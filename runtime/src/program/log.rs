//! The log, on the standard error: lines for people on a terminal, JSON elsewhere.
//!
//! It is written by a thread of its own, so that no request waits for a reader of the log; what that thread can't
//! keep up with is dropped, and counted.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Events that wait to be written.
const QUEUE: usize = 8_192;

static DROPPED: AtomicU64 = AtomicU64::new(0);
static WRITER: OnceLock<Writer> = OnceLock::new();

struct Writer {
    queue: SyncSender<Line>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Line {
    Event(Vec<u8>),
    End,
}

/// Begins to log what `RUST_LOG` says; without it, requests and what goes wrong.
pub(super) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,rest=info"));
    let (queue, lines) = sync_channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("rest-log".to_owned())
        .spawn(move || write(&lines));
    let Ok(thread) = thread else {
        return;
    };
    let writer = Writer {
        queue,
        thread: Mutex::new(Some(thread)),
    };
    if WRITER.set(writer).is_err() {
        return;
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Queue);
    // Another subscriber can't be there: this program starts one, once.
    let _ = if io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}

/// Writes what still waits.
pub(super) fn finish() {
    let Some(writer) = WRITER.get() else {
        return;
    };
    let thread = writer
        .thread
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if writer.queue.send(Line::End).is_ok() {
        let _ = thread.map(JoinHandle::join);
    }
}

fn write(lines: &Receiver<Line>) {
    while let Ok(Line::Event(event)) = lines.recv() {
        let mut stderr = io::stderr().lock();
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = writeln!(
                stderr,
                "{{\"level\":\"WARN\",\"message\":\"{dropped} events were dropped\"}}"
            );
        }
        // Where the standard error is closed there is nobody to tell.
        let _ = stderr.write_all(&event);
    }
}

/// Gives the subscriber a writer per event.
struct Queue;

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Event;

    fn make_writer(&'a self) -> Event {
        Event(Vec::with_capacity(256))
    }
}

/// An event on its way; sent when it is dropped, whole.
struct Event(Vec<u8>);

impl Write for Event {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let Some(writer) = WRITER.get().filter(|_| !self.0.is_empty()) else {
            return;
        };
        if let Err(TrySendError::Full(_)) = writer.queue.try_send(Line::Event(std::mem::take(&mut self.0))) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}
