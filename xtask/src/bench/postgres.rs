//! The databases on PostgreSQL: a cluster as the tests start it, filled by COPY.

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../../tests/support/postgres.rs"]
mod support;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

pub(super) use support::Cluster;

use super::server::{Kind, Server};
use super::workload::WORKLOADS;
use super::{Binaries, Contender, Options, data, wrk};
use crate::Result;

/// Starts one, with memory as a small server has it.
pub(super) fn start() -> Result<Cluster> {
    let settings = [
        "shared_buffers=1GB",
        "max_wal_size=4GB",
        "maintenance_work_mem=512MB",
    ];
    let setup = support::Setup {
        settings: &settings,
        ..support::Setup::default()
    };
    Ok(Cluster::with(&setup)?)
}

/// Fills tables that are there and empty.
pub(super) fn load(cluster: &Cluster, database: &str, posts: i64) -> Result<()> {
    // Where the server may read.
    let (users, rows) = (
        cluster.folder().join("users.tsv"),
        cluster.folder().join("posts.tsv"),
    );
    data::copies(
        &mut BufWriter::new(File::create(&users)?),
        &mut BufWriter::new(File::create(&rows)?),
        posts,
    )?;
    for (columns, file) in [
        ("\"user\" (id, username, password_hash)", &users),
        (
            "post (id, user_id, title, body, status, score, created_at)",
            &rows,
        ),
    ] {
        support::give(file)?;
        cluster.sql(database, &format!("COPY {columns} FROM '{}'", file.display()))?;
    }
    cluster.sql(
        database,
        &format!("SELECT setval(pg_get_serial_sequence('post', 'id'), {posts})"),
    )?;
    cluster.sql(database, "VACUUM ANALYZE")?;
    std::fs::remove_file(&rows)?;
    Ok(())
}

/// Items by the number of connections, and by the number of instances of ours.
pub(super) fn scaling(
    options: &Options,
    binaries: &Binaries,
    cluster: &Cluster,
    contenders: &[Contender],
    directory: &Path,
) -> Result<()> {
    println!("\nitems, requests/s in thousands, by connections");
    let script = directory.join("load.lua");
    let load = |connections: u32| wrk::Load {
        connections,
        threads: connections.min(2),
        seconds: options.time(),
    };
    let rate = |run: &wrk::Run| run.requests as f64 / run.seconds / 1e3;
    for contender in contenders {
        std::fs::write(
            &script,
            WORKLOADS[0].script(&contender.material, &contender.client),
        )?;
        let mut line = format!("{:10}", contender.server.kind.name());
        for connections in [1, 8, 32, 128] {
            let run = wrk::run(contender.server.url(), &script, load(connections))?;
            line += &format!("{connections:>8}: {:5.1}", rate(&run));
        }
        println!("{line}");
    }
    let Some(ours) = contenders.iter().find(|one| one.server.kind.is_ours()) else {
        return Ok(());
    };
    std::fs::write(&script, WORKLOADS[0].script(&ours.material, &ours.client))?;
    let database = cluster.url(&name_of(ours.server.kind));
    let log = directory.join("instances.log");
    let mut others = Vec::new();
    let mut line = format!("{:10}", "instances");
    for instances in 1..=3 {
        let urls = std::iter::once(ours.server.url()).chain(others.iter().map(Server::url));
        let runs: Result<Vec<_>> = urls.map(|url| wrk::start(url, &script, load(16))).collect();
        let runs: Result<Vec<_>> = runs?.into_iter().map(wrk::end).collect();
        line += &format!("{instances:>8}: {:5.1}", runs?.iter().map(rate).sum::<f64>());
        others.push(Server::start(ours.server.kind, binaries, &database, &log, "")?);
    }
    println!("{line}");
    Ok(())
}

/// What a contender's database is called.
pub(super) fn name_of(kind: Kind) -> String {
    format!("of_{}", kind.name())
}
