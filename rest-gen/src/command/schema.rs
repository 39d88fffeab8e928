//! `rest-gen schema`

use crate::error::{Error, Outcome};
use crate::output;

/// Prints the JSON Schema.
pub(crate) fn run() -> Result<Outcome, Error> {
    output::result(&format!("{:#}\n", rest_schema::json_schema()))?;
    Ok(Outcome::Done)
}
