//! Text → [`Schema`](crate::Schema) in one call, for those who have the text.

use crate::diagnostic::Diagnostics;
use crate::report::{Loaded, Report};
use crate::source::Sources;
use crate::yaml::{self, Loader};

/// Reads a schema; what it includes is asked of `load`.
///
/// # Errors
///
/// Every fault there is, and the warnings beside them.
pub fn read(name: &str, text: &str, load: &mut Loader<'_>) -> Result<Loaded, Report> {
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let raw = yaml::parse(name, text, load, &mut sources, &mut diagnostics);
    Loaded::of(raw, sources, diagnostics)
}

/// Reads a schema that includes nothing.
///
/// # Errors
///
/// As [`read()`]; an `include:` is a fault.
pub fn read_one(name: &str, text: &str) -> Result<Loaded, Report> {
    read(name, text, &mut |_| {
        Err("there are no other files here".to_owned())
    })
}
