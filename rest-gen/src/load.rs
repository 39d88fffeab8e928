//! A schema from its files, YAML or Rust, by all stages, with what is to be told about it.

use std::path::Path;

use rest_schema::{Diagnostic, Diagnostics, Schema, Sources, raw, rust, yaml};

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

/// Reads a schema and all that belongs to it: a YAML file with what it includes, a `.rs` file, or all those of a folder.
pub(crate) fn load(path: &Path) -> Result<Loaded, Error> {
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let is_rust = files::is_rust(path);
    let raw = if is_rust {
        rust::parse(&files::rust(path)?, &mut sources, &mut diagnostics)
    } else {
        yaml(path, &mut sources, &mut diagnostics)?
    };
    let schema = raw
        .as_ref()
        .and_then(|raw| rest_schema::resolve(raw, &mut diagnostics))
        .filter(|_| !diagnostics.has_faults());
    let mut diagnostics = diagnostics.finish();
    if is_rust {
        diagnostics = diagnostics.into_iter().map(rust::in_rust).collect();
    }
    Ok(Loaded {
        sources,
        raw,
        schema,
        diagnostics,
    })
}

fn yaml(
    path: &Path,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Result<Option<raw::Service>, Error> {
    let text = files::read(path)?;
    let base = path.parent().unwrap_or(Path::new(""));
    let mut find = |pattern: &str| files::matching(base, pattern);
    let name = path.display().to_string();
    Ok(yaml::parse(&name, &text, &mut find, sources, diagnostics))
}

/// The schema of files, its warnings told; `None` where it has faults, which were told too.
pub(crate) fn schema(path: &Path) -> Result<Option<Schema>, Error> {
    let loaded = load(path)?;
    output::diagnostics(&loaded.diagnostics, &loaded.sources);
    Ok(loaded.schema)
}
