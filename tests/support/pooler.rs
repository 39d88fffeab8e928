//! PgBouncer in front of a cluster: a connection is a client's for one transaction.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::postgres::{Cluster, give, socket_url, unprivileged};

/// A pooler that runs; ended when dropped.
#[derive(Debug)]
pub(crate) struct Pooler {
    folder: TempDir,
    child: Child,
}

const PORT: &str = "6432";

impl Pooler {
    /// Starts one that has two connections for everybody.
    pub(crate) fn start(cluster: &Cluster) -> Result<Self, String> {
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let (socket, behind) = (folder.path().display(), cluster.folder().display());
        let file = folder.path().join("pgbouncer.ini");
        let configuration = format!(
            "[databases]\n* = host={behind} user=tests\n\n[pgbouncer]\nlisten_port = {PORT}\n\
             unix_socket_dir = {socket}\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
        );
        std::fs::write(&file, configuration).map_err(|e| e.to_string())?;
        give(folder.path())?;
        give(&file)?;
        let child = unprivileged(Path::new("pgbouncer"))?
            .arg(&file)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("pgbouncer: {e}"))?;
        let pooler = Self { folder, child };
        let (socket, start) = (
            pooler.folder.path().join(format!(".s.PGSQL.{PORT}")),
            Instant::now(),
        );
        while !socket.exists() {
            if start.elapsed() > Duration::from_secs(30) {
                return Err("pgbouncer doesn't start".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(pooler)
    }

    /// The URL of a database of the cluster behind it.
    pub(crate) fn url(&self, database: &str) -> String {
        socket_url(self.folder.path(), PORT, database) + "?statement_cache=off"
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
