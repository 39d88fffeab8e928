//! Serves `tracker` on `tracker.db` where no other database is named; `cargo run -- --help` tells the rest.

use std::process::ExitCode;

fn main() -> ExitCode {
    rest_runtime::program::run(|| Ok(tracker::service()?.database("tracker.db")))
}
