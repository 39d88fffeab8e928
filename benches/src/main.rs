//! The hand-written server that ours is measured against: one table pair (posts with their authors, `tables.sql`),
//! written only to be fast.
//!
//! `--contract` does by hand what a generated service does for the same schema: tokens looked up by query, the read
//! rule as a condition, validators, validation, request ids, counters, the steps of a write. `--bare` is the floor:
//! rows to JSON and nothing else. `--postgres` is nearly as bare, on PostgreSQL. The first two read on the runtime's own threads and write through one thread that commits
//! in groups. Pages are read forwards only, and a body's first fault is told, not all: nothing else is asked here.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program's own output")]

mod app;
mod bare;
mod contract;
mod database;
mod json;
mod options;
mod postgres;
mod token;
mod writer;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use app::App;
use options::{Mode, Options};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Options::from_arguments(std::env::args().skip(1))
        .map_err(Into::into)
        .and_then(run)
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("limit-server: {error}");
            ExitCode::from(2)
        }
    }
}

#[tokio::main]
async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let router = match options.mode {
        Mode::Contract => Router::new()
            .fallback(contract::handle)
            .with_state(Arc::new(App::open(&options)?)),
        Mode::Bare => Router::new()
            .fallback(bare::handle)
            .with_state(Arc::new(App::open(&options)?)),
        Mode::Postgres => {
            let app = postgres::App::open(&options.database, &options.tokens).await?;
            Router::new().fallback(postgres::handle).with_state(Arc::new(app))
        }
    };
    let listener = TcpListener::bind(&options.listen).await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Without it nothing breaks; answers leave later.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
