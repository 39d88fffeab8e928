//! What may be wrong with a database file itself, whatever its tables are.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::migrate::Finding;

/// Damages that are told; where there are more, a backup is what helps.
const DAMAGES: u32 = 10;

/// Reads the whole file, and asks for the right to write for a moment; changes nothing.
pub fn faults(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut faults = damages(connection)?;
    if faults.is_empty() {
        faults.extend(orphans(connection)?);
        faults.extend(lock(connection)?);
    }
    Ok(faults)
}

fn damages(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({DAMAGES})"))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut damages = Vec::new();
    for told in found {
        let told = told?;
        if told != "ok" {
            let help = "stop all that use it and restore a backup; `sqlite3 FILE .recover` saves what can still be read";
            damages.push(Finding::new("the file", format!("is damaged: {told}")).help(help));
        }
    }
    Ok(damages)
}

/// Rows that point at none: SQLite lets a program write them that doesn't switch foreign keys on.
fn orphans(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *counts.entry((row.get(0)?, row.get(2)?)).or_default() += 1;
    }
    let found = counts.into_iter().map(|((table, parent), count)| {
        let rows = if count == 1 { "1 row points".to_owned() } else { format!("{count} rows point") };
        let help = format!("`PRAGMA foreign_key_check({table})` lists them; mend or delete them, for writes to them are refused");
        Finding::new(table, format!("{rows} at rows of {parent} that aren't there")).help(help)
    });
    Ok(found.collect())
}

/// Whether somebody else holds the right to write, which a service waits for.
fn lock(connection: &Connection) -> rusqlite::Result<Option<Finding>> {
    connection.busy_timeout(Duration::from_millis(200))?;
    match connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
        Ok(()) => Ok(None),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                let help =
                    "writes answer 503 as long as that lasts; `fuser FILE` tells who has the file open";
                Ok(Some(
                    Finding::new("the file", "is locked for writing by another program").help(help),
                ))
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                let help = "the user that runs the service has to be able to write the file and its folder";
                Ok(Some(Finding::new("the file", "can't be written").help(help)))
            }
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(connection: &Connection) -> Vec<String> {
        let faults = faults(connection).expect("a database");
        faults
            .iter()
            .map(|fault| format!("{} {}", fault.place, fault.message))
            .collect()
    }

    #[test]
    fn rows_that_point_at_none_are_counted() {
        let connection = Connection::open_in_memory().expect("a database");
        let sql = "PRAGMA foreign_keys=OFF; CREATE TABLE a (id INTEGER PRIMARY KEY); \
            CREATE TABLE b (a_id INTEGER REFERENCES a); INSERT INTO b VALUES (1), (2), (NULL)";
        connection.execute_batch(sql).expect("rows");
        assert_eq!(
            told(&connection),
            ["b 2 rows point at rows of a that aren't there"]
        );
        connection
            .execute_batch("INSERT INTO a VALUES (1)")
            .expect("a row");
        assert_eq!(
            told(&connection),
            ["b 1 row points at rows of a that aren't there"]
        );
        connection
            .execute_batch("INSERT INTO a VALUES (2)")
            .expect("a row");
        assert!(told(&connection).is_empty());
    }

    #[test]
    fn a_lock_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Connection::open(folder.path().join("a.db")).expect("a database");
        let (one, other) = (open(), open());
        one.execute_batch("CREATE TABLE a (id INTEGER PRIMARY KEY)")
            .expect("a table");
        assert!(told(&other).is_empty());
        one.execute_batch("BEGIN IMMEDIATE").expect("the right to write");
        assert_eq!(
            told(&other),
            ["the file is locked for writing by another program"]
        );
    }
}
