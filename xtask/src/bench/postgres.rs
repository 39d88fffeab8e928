//! The databases on PostgreSQL: a cluster as the tests start it, filled by COPY.

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../../tests/support/postgres.rs"]
mod support;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

pub(super) use support::Cluster;

use super::workload::WORKLOADS;
use super::{Contender, Options, data, wrk};
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

/// Items by the number of connections.
pub(super) fn scaling(options: &Options, contenders: &[Contender], directory: &Path) -> Result<()> {
    println!("\nitems, requests/s in thousands, by connections");
    let script = directory.join("load.lua");
    for contender in contenders {
        std::fs::write(
            &script,
            WORKLOADS[0].script(&contender.material, &contender.client),
        )?;
        let mut line = format!("{:10}", contender.server.kind.name());
        for connections in [1, 8, 32, 128] {
            let load = wrk::Load {
                connections,
                threads: connections.min(2),
                seconds: options.time(),
            };
            let run = wrk::run(contender.server.url(), &script, load)?;
            line += &format!(
                "{:>8}: {:5.1}",
                connections,
                run.requests as f64 / run.seconds / 1e3
            );
        }
        println!("{line}");
    }
    Ok(())
}
