//! `rest-gen serve`

use std::path::Path;

use rest_runtime::program;

use crate::database::Database;
use crate::error::{Error, Outcome};
use crate::{load, output};

/// Serves a schema until it is asked to end.
pub(crate) fn run(
    file: &Path,
    database: &Database,
    listen: &str,
    admin_listen: Option<&str>,
) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    match program::serve(database.builder(schema)?, listen, admin_listen) {
        Ok(()) => Ok(Outcome::Done),
        Err(failure) if failure.is_fault() => {
            output::error(&Error::new(failure.to_string()));
            Ok(Outcome::Faults)
        }
        Err(failure) => Err(Error::new(failure.to_string())),
    }
}
