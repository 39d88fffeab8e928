//! `rest-gen export`

use std::path::Path;

use crate::error::{Error, Outcome};
use crate::{load, output};

/// Writes the schema as YAML.
pub(crate) fn run(file: &Path) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    output::result(&rest_schema::export(&schema))?;
    Ok(Outcome::Done)
}
