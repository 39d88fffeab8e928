//! A rule left out, to see that tests notice: only in builds with the feature `mutants`, which no program has.
//!
//! Each place in the code that asks a rule is a way on which it could be forgotten. `REST_MUTANTS` names a file in which the
//! places are written that are come by; with `REST_MUTANT` set to one of them, the rule asked there grants everything.

use std::collections::HashSet;
use std::io::Write as _;
use std::panic::Location;
use std::sync::{LazyLock, Mutex, PoisonError};

static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("REST_MUTANT").ok());
static LISTED: LazyLock<Option<std::ffi::OsString>> = LazyLock::new(|| std::env::var_os("REST_MUTANTS"));
static SEEN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Whether the rule is left out that is asked here.
pub(super) fn is_left_out(at: &Location<'_>) -> bool {
    if CHOSEN.is_none() && LISTED.is_none() {
        return false;
    }
    let place = format!("{}:{}:{}", at.file(), at.line(), at.column());
    if let Some(file) = &*LISTED {
        // Held until the line is written, and written at once: tests of one program run side by side.
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert(place.clone()) {
            let list = std::fs::OpenOptions::new().create(true).append(true).open(file);
            // Where it can't be written, the places are missing that were to be tried, and that is told.
            let _ = list.and_then(|mut list| list.write_all(format!("{place}\n").as_bytes()));
        }
    }
    CHOSEN.as_deref() == Some(&place)
}
