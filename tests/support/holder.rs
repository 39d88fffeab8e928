//! Somebody else's session in PostgreSQL, with a transaction under way.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::postgres::Cluster;

/// A transaction that is open; rolled back when dropped.
pub(crate) struct Holder<'c> {
    cluster: &'c Cluster,
    database: String,
    session: Child,
    says: Option<ChildStdin>,
}

impl<'c> Holder<'c> {
    /// Begins a transaction that holds a table.
    pub(crate) fn lock(cluster: &'c Cluster, database: &str, table: &str) -> Result<Self, String> {
        let mut session = Command::new("psql")
            .args(["-h", &cluster.folder().display().to_string()])
            .args(["-U", "tests", "-d", database, "-q"])
            .env("PGAPPNAME", "holder")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let says = session.stdin.take();
        let mut holder = Self {
            cluster,
            database: database.to_owned(),
            session,
            says,
        };
        holder.say(&format!("BEGIN; LOCK TABLE {table};"))?;
        holder.until(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE application_name = 'holder' AND mode = 'AccessExclusiveLock' AND granted",
        )?;
        Ok(holder)
    }

    /// Waits until somebody waits for it.
    pub(crate) fn is_in_the_way(&self) -> Result<(), String> {
        self.until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    }

    /// Goes on with these statements and commits.
    pub(crate) fn commit(mut self, sql: &str) -> Result<(), String> {
        self.say(&format!("{sql}; COMMIT;"))?;
        drop(self.says.take());
        let ended = self.session.wait().map_err(|e| e.to_string())?;
        if ended.success() {
            Ok(())
        } else {
            Err(format!("psql ended with {ended}"))
        }
    }

    fn say(&mut self, sql: &str) -> Result<(), String> {
        let says = self.says.as_mut().ok_or("the session has ended")?;
        writeln!(says, "{sql}").map_err(|e| e.to_string())
    }

    /// Waits until a count isn't none.
    fn until(&self, count: &str) -> Result<(), String> {
        let start = Instant::now();
        while self.cluster.ask(&self.database, count)? == "0" {
            if start.elapsed() > Duration::from_secs(30) {
                return Err(format!("it remains none: {count}"));
            }
        }
        Ok(())
    }
}

impl Drop for Holder<'_> {
    fn drop(&mut self) {
        let ended =
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'holder'";
        let _ = self.cluster.sql("postgres", ended);
        // It would wait for what it is told next.
        let _ = self.session.kill();
        let _ = self.session.wait();
    }
}
