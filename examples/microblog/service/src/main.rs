//! Serves `microblog`; `cargo run -- --help` tells the rest.

use std::process::ExitCode;

fn main() -> ExitCode {
    rest_runtime::program::run(microblog::service)
}
