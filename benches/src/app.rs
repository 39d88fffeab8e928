//! What requests share.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::database::{self, Slots};
use crate::options::{Mode, Options};
use crate::token;
use crate::writer::Writer;

/// Connections, keys and counters.
pub(crate) struct App {
    /// Connections that read.
    pub(crate) slots: Slots,
    /// The thread that writes.
    pub(crate) writer: Writer,
    /// The key of states and cursors.
    pub(crate) key: (u64, u64),
    /// Requests by the first digit of their status.
    pub(crate) requests: [AtomicU64; 6],
    /// Bytes of bodies sent.
    pub(crate) bytes: AtomicU64,
    seed: u64,
    next: AtomicU64,
}

impl App {
    /// Opens the database and starts the writer.
    pub(crate) fn open(options: &Options) -> Result<Self, Box<dyn Error>> {
        let connection = database::writer(&options.database)?;
        for (secret, user) in &options.tokens {
            token::keep(&connection, secret, *user)?;
        }
        Ok(Self {
            slots: Slots::open(&options.database)?,
            writer: Writer::start(connection, options.mode == Mode::Contract)?,
            key: Uuid::new_v4().as_u64_pair(),
            requests: Default::default(),
            bytes: AtomicU64::new(0),
            seed: Uuid::new_v4().as_u64_pair().1,
            next: AtomicU64::new(0),
        })
    }

    /// A request's id: unlike any other, and no secret.
    pub(crate) fn request_id(&self) -> Uuid {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let bits = xxh3_128_with_seed(&place.to_le_bytes(), self.seed);
        uuid::Builder::from_random_bytes(bits.to_le_bytes()).into_uuid()
    }

    /// Counts an answer.
    pub(crate) fn count(&self, status: u16, bytes: u64) {
        let class = usize::from(status / 100).min(self.requests.len() - 1);
        self.requests[class].fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
