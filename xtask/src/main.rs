//! Developer commands: `cargo xtask bench`, `cargo xtask mutants`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program's own output")]

mod bench;
mod mutants;

use std::process::ExitCode;

use clap::Parser;

/// Developer commands of this workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Measures a served schema beside a server written by hand for the same tables
    Bench(bench::Options),
    /// Leaves out each rule where it is asked, and holds the generated tests of the examples to notice
    Mutants,
}

/// Why a command couldn't run; told to a person and to nobody else.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Bench(options) => bench::run(&options).map(|()| true),
        Command::Mutants => mutants::run(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}
