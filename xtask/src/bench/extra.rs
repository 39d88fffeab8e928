//! What isn't CPU per request: a fast request beside slow ones, memory at rest, the start of a large schema.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Binaries;
use super::client::Client;
use super::large;
use super::server::{Kind, Server, free_address, serve};
use super::workload::{Material, WORKLOADS};
use super::wrk::{self, Load};
use crate::Result;

/// The p99 of items, alone and while filters that no index serves run.
pub(super) fn neighbours(seconds: u32, server: &Server, material: &Material, directory: &Path) -> Result<()> {
    let items = directory.join("items.lua");
    std::fs::write(&items, WORKLOADS[0].script(material, &Client::new(server.url())))?;
    let slow = directory.join("slow.lua");
    std::fs::write(&slow, "wrk.path = \"/api/posts?body[contains]=nowhere\"\n")?;
    let load = Load {
        connections: 8,
        threads: 1,
        seconds,
    };
    let quiet = wrk::run(server.url(), &items, load)?;
    let mut noise = wrk::start(
        server.url(),
        &slow,
        Load {
            connections: 2,
            threads: 1,
            seconds: seconds + 1,
        },
    )?;
    let loud = wrk::run(server.url(), &items, load)?;
    noise.wait()?;
    println!("\nitems beside two unindexed filters at a time");
    println!(
        "p50, ms    {:>8.2} alone, {:.2} beside ({:.1} x)",
        quiet.p50,
        loud.p50,
        loud.p50 / quiet.p50
    );
    println!(
        "p99, ms    {:>8.2} alone, {:.2} beside ({:.1} x)",
        quiet.p99,
        loud.p99,
        loud.p99 / quiet.p99
    );
    Ok(())
}

/// The second start of a service with 100 resources, and what it holds at rest.
pub(super) fn start(binaries: &Binaries, directory: &Path) -> Result<()> {
    let schema = directory.join("large.yaml");
    std::fs::write(&schema, large::schema(100))?;
    println!("\nstarts on an existing database");
    for (name, schema) in [
        ("2 resources", binaries.root.join("benches/bench.yaml")),
        ("100 resources", schema),
    ] {
        let database = directory.join(format!("{}.db", name.replace(' ', "-")));
        begin(binaries, &schema, &database)?.0.stop()?;
        let mut times = Vec::new();
        for _ in 0..5 {
            let (server, time) = begin(binaries, &schema, &database)?;
            times.push(time);
            server.stop()?;
        }
        times.sort();
        let (server, _) = begin(binaries, &schema, &database)?;
        std::thread::sleep(Duration::from_secs(1));
        let (own, all) = server.memory()?;
        println!(
            "{name:14}{:>6.0} ms, {own:.1} MB of its own at rest ({all:.1} with its files)",
            times[2].as_secs_f64() * 1e3
        );
    }
    Ok(())
}

fn begin(binaries: &Binaries, schema: &Path, database: &Path) -> Result<(Server, Duration)> {
    let listen = free_address()?;
    let mut command = serve(binaries, schema, &database.display().to_string());
    command.arg("--listen").arg(&listen);
    let started = Instant::now();
    let server = Server::spawn(Kind::Ours, command, &listen, &database.with_extension("log"))?;
    Ok((server, started.elapsed()))
}
