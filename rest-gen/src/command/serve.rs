//! `rest-gen serve`

use std::path::Path;

use rest_runtime::Service;
use rest_runtime::program::Options;

use crate::error::{Error, Outcome};
use crate::{load, output};

/// Serves a schema until it is asked to end.
pub(crate) fn run(file: &Path, options: Options) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    let served = options
        .settle()
        .and_then(|options| options.serve(Service::builder(schema)));
    match served {
        Ok(()) => Ok(Outcome::Done),
        Err(failure) if failure.is_fault() => {
            output::error(&Error::new(failure.to_string()));
            Ok(Outcome::Faults)
        }
        Err(failure) => Err(Error::new(failure.to_string())),
    }
}
