//! `rest-gen openapi`

use std::path::Path;

use rest_runtime::openapi::{Version, of_schema};

use crate::error::{Error, Outcome};
use crate::{load, output};

/// Prints the OpenAPI document.
pub(crate) fn run(file: &Path, version: &str) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    // The command line admits those that there are.
    let version = Version::parse(version).unwrap_or(Version::V3_1);
    let document = of_schema(&schema, version).map_err(|bad| Error::new(bad.to_string()))?;
    output::result(&format!("{document:#}\n"))?;
    Ok(Outcome::Done)
}
