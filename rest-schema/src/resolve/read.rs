//! Text → [`Schema`] in one call, for those who have the text.

use super::resolve;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, json, lines};
use crate::schema::Schema;
use crate::source::Sources;
use crate::yaml::{self, Loader};

/// A schema, with what there is to say about it.
#[derive(Debug)]
pub struct Loaded {
    /// The schema.
    pub schema: Schema,
    /// What was read to get it.
    pub report: Report,
}

/// All that was found, and the files it was found in.
#[derive(Debug)]
pub struct Report {
    /// Faults and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files, the top one first.
    pub sources: Sources,
}

impl Report {
    /// How many faults there are.
    pub fn faults(&self) -> usize {
        let faults = self.diagnostics.iter();
        faults.filter(|one| one.severity == Severity::Fault).count()
    }

    /// A line per diagnostic.
    pub fn lines(&self) -> String {
        lines(&self.diagnostics, &self.sources)
    }

    /// A JSON array for editors and scripts.
    pub fn json(&self) -> serde_json::Value {
        json(&self.diagnostics, &self.sources)
    }

    /// Drawn with excerpts; with ANSI colours or plain.
    #[cfg(feature = "draw")]
    pub fn draw(&self, coloured: bool) -> String {
        crate::diagnostic::draw::draw(&self.diagnostics, &self.sources, coloured)
    }
}

/// Reads a schema; what it includes is asked of `load`.
///
/// # Errors
///
/// Every fault there is, and the warnings beside them.
pub fn read(name: &str, text: &str, load: &mut Loader<'_>) -> Result<Loaded, Report> {
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let schema = yaml::parse(name, text, load, &mut sources, &mut diagnostics)
        .and_then(|raw| resolve(&raw, &mut diagnostics).filter(|_| !diagnostics.has_faults()));
    let report = Report {
        diagnostics: diagnostics.finish(),
        sources,
    };
    match schema {
        Some(schema) => Ok(Loaded { schema, report }),
        None => Err(report),
    }
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
