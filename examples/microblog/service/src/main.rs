//! Serves `microblog`: `cargo run -- --database microblog.db`, and `--help` tells the rest.

use std::process::ExitCode;

fn main() -> ExitCode {
    rest_runtime::program::run(microblog::service)
}
