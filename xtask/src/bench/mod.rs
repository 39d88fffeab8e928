//! The benchmark: a served schema, the hand-written server with the same contract and the bare one, side by side.
//!
//! All run at once, each on a database of its own with the same rows, and are loaded in turn, several times over; what
//! is printed are medians. A server's own CPU time per request is the steady measure: the load generator shares the
//! machine with it.

mod check;
mod client;
mod craft;
mod data;
mod extra;
mod large;
mod postgres;
mod report;
mod server;
mod workload;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;

use crate::Result;
use client::Client;
use postgres::Cluster;
use report::{Measurement, Row};
use server::{Kind, Server};
use workload::{Material, WORKLOADS, Workload};

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// One short round: does everything run and answer alike?
    #[arg(long)]
    quick: bool,
    /// Measure what writing and building a project costs, instead of serving
    #[arg(long)]
    craft: bool,
    /// Only workloads whose name contains this; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Seconds of load on one server in one round
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Rounds of which the median is taken
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure the hand-written servers alone
    #[arg(long)]
    by_hand_only: bool,
    /// Measure the served schema alone
    #[arg(long, conflicts_with = "by_hand_only")]
    ours_only: bool,
    /// Measure on PostgreSQL, which is started for it, beside a server written by hand for that
    #[arg(long)]
    postgres: bool,
    /// Posts in each database
    #[arg(long, default_value_t = data::POSTS)]
    rows: i64,
    /// Leave out memory, start-up and slow neighbours
    #[arg(long)]
    no_extra: bool,
    /// Where the databases are made; a directory that goes away by default
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Connections of the load.
const CONNECTIONS: u32 = 32;
/// The account whose token is used.
const ACCOUNT: i64 = 1;

/// Builds, starts, checks, measures, prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.craft {
        return craft::run(options.rounds());
    }
    wrk::installed()?;
    let binaries = build(options)?;
    let temporary = tempfile::tempdir()?;
    let directory = options.keep.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(directory)?;
    let cluster = options.postgres.then(postgres::start).transpose()?;
    let mut contenders = prepare(options, &binaries, cluster.as_ref(), directory)?;
    check::answers(&contenders)?;
    let rows = WORKLOADS
        .iter()
        .filter(|workload| {
            options.only.is_empty() || options.only.iter().any(|name| workload.name.contains(&**name))
        })
        .map(|workload| measure(options, workload, &mut contenders, directory))
        .collect::<Result<Vec<_>>>()?;
    report::print(
        &contenders.iter().map(|one| one.server.kind).collect::<Vec<_>>(),
        &rows,
    );
    report::memory(contenders.iter().map(|one| &one.server))?;
    if let Some(cluster) = &cluster {
        return postgres::scaling(options, &binaries, cluster, &contenders, directory);
    }
    let is_ours = |one: &Contender| one.server.kind == Kind::Ours;
    if !options.no_extra
        && let Some(ours) = contenders.into_iter().find(is_ours)
    {
        ours.server.stop()?;
        extra::neighbours(options.time(), &binaries, &ours.material, directory)?;
        extra::start(&binaries, directory)?;
    }
    Ok(())
}

impl Options {
    fn time(&self) -> u32 {
        if self.quick { 1 } else { self.seconds }
    }

    fn rounds(&self) -> usize {
        if self.quick { 1 } else { self.rounds }
    }
}

/// Where the programs are.
struct Binaries {
    ours: PathBuf,
    by_hand: PathBuf,
    /// The workspace.
    root: PathBuf,
}

fn build(options: &Options) -> Result<Binaries> {
    let packages: &[&str] = if options.by_hand_only {
        &["rest-benches"]
    } else {
        &["rest-benches", "rest-gen"]
    };
    let release = release(packages)?;
    Ok(Binaries {
        ours: release.join("rest-gen"),
        by_hand: release.join("limit-server"),
        root: root()?,
    })
}

fn root() -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(own.parent().ok_or("the workspace has no root")?.to_owned())
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds packages of the workspace for release, and says where.
fn release(packages: &[&str]) -> Result<PathBuf> {
    let root = root()?;
    let mut command = cargo();
    command.current_dir(&root).args(["build", "--quiet", "--release"]);
    command.args(packages.iter().flat_map(|name| ["--package", name]));
    if !command.status()?.success() {
        return Err("the build failed".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release"))
}

/// A running server and what is asked of it.
struct Contender {
    server: Server,
    client: Client,
    material: Material,
}

fn prepare(
    options: &Options,
    binaries: &Binaries,
    cluster: Option<&Cluster>,
    directory: &Path,
) -> Result<Vec<Contender>> {
    let all: &[Kind] = if options.postgres {
        &Kind::ON_POSTGRES
    } else {
        &Kind::ALL
    };
    let kinds = match (options.ours_only, options.by_hand_only) {
        (true, _) => &all[..1],
        (false, true) => &all[1..],
        (false, false) => all,
    };
    let mut token = "bench-token-of-the-hand-written-servers".to_owned();
    let mut contenders = Vec::new();
    for kind in kinds {
        let log = directory.join(format!("{}.log", kind.name()));
        let database = match cluster {
            Some(cluster) => {
                let name = postgres::name_of(*kind);
                let database = cluster.database(&name)?;
                // Ours makes its tables itself, and both have the same.
                Server::start(Kind::OursOnPostgres, binaries, &database, &log, &token)?.stop()?;
                postgres::load(cluster, &name, options.rows)?;
                database
            }
            None => {
                let file = directory.join(format!("{}.db", kind.name()));
                let database = file.display().to_string();
                // The first start makes the tables.
                Server::start(*kind, binaries, &database, &log, &token)?.stop()?;
                data::load(&file, options.rows)?;
                database
            }
        };
        let server = Server::start(*kind, binaries, &database, &log, &token)?;
        let mut client = Client::new(server.url());
        if kind.is_ours() {
            token = client.sign_in(data::USERNAME, data::PASSWORD)?;
        }
        client.token = Some(token.clone());
        let material = Material::gather(&client, *kind, options.rows)?;
        contenders.push(Contender {
            server,
            client,
            material,
        });
    }
    Ok(contenders)
}

fn measure(
    options: &Options,
    workload: &'static Workload,
    contenders: &mut [Contender],
    directory: &Path,
) -> Result<Row> {
    eprintln!("{}", workload.name);
    let mut runs = vec![Vec::new(); contenders.len()];
    // The first round warms up and isn't counted.
    for round in 0..=options.rounds() {
        for (place, contender) in contenders.iter_mut().enumerate() {
            let seconds = if round == 0 { 1 } else { options.time() };
            let run = contender.run(workload, seconds, directory)?;
            if round > 0 {
                runs[place].push(run);
            }
        }
    }
    Ok(Row {
        name: workload.name,
        measurements: runs.iter().map(|runs| Measurement::median(runs)).collect(),
    })
}

impl Contender {
    fn run(&self, workload: &Workload, seconds: u32, directory: &Path) -> Result<Measurement> {
        let script = directory.join("load.lua");
        std::fs::write(&script, workload.script(&self.material, &self.client))?;
        let before = self.server.cpu()?;
        let load = wrk::run(
            self.server.url(),
            &script,
            wrk::Load {
                connections: CONNECTIONS,
                threads: 2,
                seconds,
            },
        )?;
        // What is answered last is still being accounted for.
        std::thread::sleep(Duration::from_millis(20));
        let cpu = self.server.cpu()? - before;
        if load.errors > 0 || load.requests == 0 {
            let name = self.server.kind.name();
            return Err(format!(
                "{name}: {}: {} of {} requests failed",
                workload.name, load.errors, load.requests
            )
            .into());
        }
        Ok(Measurement {
            cpu: cpu.as_secs_f64() * 1e6 / load.requests as f64,
            rate: load.requests as f64 / load.seconds,
            p50: load.p50,
            p99: load.p99,
        })
    }
}
