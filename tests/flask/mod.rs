//! The service and a real Flask app on one database, at the same time: a file in both journal modes, and PostgreSQL.

mod browser;
mod python;
mod story;

use libtest_mimic::Trial;

/// One test for each database and journal mode.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, journal: &'static str| {
        Trial::test(format!("flask::{name}"), move || {
            story::tell(journal).map_err(Into::into)
        })
    };
    vec![
        trial("beside_the_app_in_rollback_mode", "delete"),
        trial("beside_the_app_in_wal_mode", "wal"),
        Trial::test("flask::beside_the_app_on_postgres", || {
            story::tell_on_postgres().map_err(Into::into)
        }),
    ]
}
