//! The tests that are generated from the examples' schemas, on PostgreSQL: what they ask of a file of SQLite they ask by
//! themselves.

use std::process::Command;

use libtest_mimic::Trial;

use crate::support::postgres::Cluster;
use crate::support::server::package;
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(
        "generated::tests_pass_on_postgres_and_leave_nothing",
        on_postgres,
    )]
}

fn on_postgres() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let url = cluster.database("tests")?;
    // As all that this workspace builds for its tests is built, so that nothing is built anew.
    let run = Command::new(env!("CARGO"))
        .current_dir(package().join(".."))
        .args(["test", "--workspace", "--test", "generated", "--no-fail-fast"])
        .env("REST_TEST_DATABASE", url)
        .output()
        .map_err(|e| e.to_string())?;
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    if !run.status.success() {
        return Err(format!("{told}\n{}", String::from_utf8_lossy(&run.stderr)));
    }
    let passed = told.lines().filter_map(passed).sum::<usize>();
    if passed < 200 {
        return Err(format!("{passed} tests are too few:\n{told}"));
    }
    let left = cluster.ask(
        "tests",
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rest\\_test\\_%'",
    )?;
    if left.trim().is_empty() {
        Ok(())
    } else {
        Err(format!("these are left:\n{left}"))
    }
}

/// How many tests a line says that passed.
fn passed(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("test result: ok. ")?;
    rest.split(' ').next()?.parse().ok()
}
