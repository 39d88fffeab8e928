//! What isn't CPU per request: a fast request beside slow ones, memory at rest, the start of a large schema.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Binaries;
use super::client::Client;
use super::large;
use super::server::{Kind, Server, free_address, serve};
use super::workload::{Material, WORKLOADS};
use super::wrk::{self, Load};
use crate::Result;

/// Items alone, and beside what is slow: filters that no index serves, and guesses of passwords.
pub(super) fn neighbours(
    seconds: u32,
    binaries: &Binaries,
    material: &Material,
    directory: &Path,
) -> Result<()> {
    let schema = binaries.root.join("benches/bench.yaml");
    let database = directory.join(Kind::Ours.name()).with_extension("db");
    let mut command = serve(binaries, &schema, &database.display().to_string());
    // Guesses come from as many addresses as they say.
    command.env("REST_TRUSTED_PROXIES", "127.0.0.1");
    let server = listening(command, &database)?;
    let script = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).map(|()| path)
    };
    let items = WORKLOADS[0].script(material, &Client::new(server.url()));
    let items = script("items.lua", &items)?;
    let slow = script("slow.lua", include_str!("slow.lua"))?;
    let guesses = script("guesses.lua", include_str!("guesses.lua"))?;
    let load = |connections, seconds| Load {
        connections,
        threads: 1,
        seconds,
    };
    for (what, noise, connections) in [
        ("two unindexed filters at a time", slow, 2),
        ("guesses of passwords by eight at a time", guesses, 8),
    ] {
        let quiet = wrk::run(server.url(), &items, load(8, seconds))?;
        let noise = wrk::start(server.url(), &noise, load(connections, seconds + 1))?;
        let loud = wrk::run(server.url(), &items, load(8, seconds))?;
        let noise = wrk::told(noise)?;
        println!("\nitems beside {what}");
        for (name, quiet, loud) in [("p50", quiet.p50, loud.p50), ("p99", quiet.p99, loud.p99)] {
            let times = loud / quiet;
            println!("{name}, ms    {quiet:>8.2} alone, {loud:.2} beside ({times:.1} x)");
        }
        if let Some(checked) = noise["checked"].as_u64() {
            println!("passwords  {checked:>8} checked");
        }
    }
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
    let command = serve(binaries, schema, &database.display().to_string());
    let started = Instant::now();
    let server = listening(command, database)?;
    Ok((server, started.elapsed()))
}

/// Starts a server at a free address, its log beside its database.
fn listening(mut command: Command, database: &Path) -> Result<Server> {
    let listen = free_address()?;
    command.arg("--listen").arg(&listen);
    Server::spawn(Kind::Ours, command, &listen, &database.with_extension("log"))
}
