//! Developer commands: `cargo xtask bench`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program's own output")]

mod bench;

use std::process::ExitCode;

use clap::Parser;

/// Developer commands of this workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Measures a served schema beside a server written by hand for the same tables
    Bench(bench::Options),
}

/// Why a command couldn't run; told to a person and to nobody else.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let Command::Bench(options) = Command::parse();
    match bench::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}
