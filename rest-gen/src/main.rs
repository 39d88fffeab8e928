//! `rest-gen`: checks a schema, serves it, and looks after its accounts and rows.
//!
//! ```text
//! cli (what was typed) ─> command/* (what is done) ─> output (results: stdout) · error (what went wrong: stderr)
//! ```
//!
//! Exit codes: 0 done, 1 the input has faults, 2 it couldn't run.

mod cli;
mod command;
mod database;
mod diff;
mod emit;
mod error;
mod files;
mod load;
mod output;
mod project;
mod show;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(outcome) => outcome.code(),
        Err(error) => {
            output::error(&error);
            ExitCode::from(2)
        }
    }
}
