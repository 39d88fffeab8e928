//! A schema from its file, by all stages, with what is to be told about it.

use std::path::Path;

use rest_schema::{Diagnostic, Diagnostics, Schema, Sources, raw, yaml};

use crate::error::Error;
use crate::{files, output};

/// What reading a schema gave; a stage that failed gave nothing.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// All files read.
    pub(crate) sources: Sources,
    /// As written.
    pub(crate) raw: Option<raw::Service>,
    /// Checked.
    pub(crate) schema: Option<Schema>,
    /// Faults and warnings.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a schema and all that it includes.
pub(crate) fn load(path: &Path) -> Result<Loaded, Error> {
    let text = files::read(path)?;
    let base = path.parent().unwrap_or(Path::new(""));
    let mut find = |pattern: &str| files::matching(base, pattern);
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let name = path.display().to_string();
    let raw = yaml::parse(&name, &text, &mut find, &mut sources, &mut diagnostics);
    let schema = raw
        .as_ref()
        .and_then(|raw| rest_schema::resolve(raw, &mut diagnostics))
        .filter(|_| !diagnostics.has_faults());
    Ok(Loaded {
        sources,
        raw,
        schema,
        diagnostics: diagnostics.finish(),
    })
}

/// The schema of a file, its warnings told; `None` where it has faults, which were told too.
pub(crate) fn schema(path: &Path) -> Result<Option<Schema>, Error> {
    let loaded = load(path)?;
    output::diagnostics(&loaded.diagnostics, &loaded.sources);
    Ok(loaded.schema)
}
