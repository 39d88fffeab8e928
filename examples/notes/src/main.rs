//! Serves `notes` on `notes.db` where no other database is named; `cargo run -- --help` tells the rest.

use std::process::ExitCode;

fn main() -> ExitCode {
    rest_runtime::program::run(|| Ok(notes::service()?.database("notes.db")))
}
