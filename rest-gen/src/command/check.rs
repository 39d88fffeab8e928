//! `rest-gen check`

use std::path::Path;

use rest_schema::{Schema, diagnostic};

use crate::cli::{Format, Stage};
use crate::error::{Error, Outcome};
use crate::load::{Loaded, load};
use crate::{output, show};

/// Tells every fault, and shows a stage where it was reached.
pub(crate) fn run(file: &Path, stage: Option<Stage>, format: Format) -> Result<Outcome, Error> {
    let loaded = load(file)?;
    let shown = stage.and_then(|stage| shown(&loaded, stage));
    match (format, stage) {
        // The faults are the result, unless a stage is asked for.
        (Format::Json, None) => {
            let list = diagnostic::json(&loaded.diagnostics, &loaded.sources);
            output::result(&format!("{list:#}\n"))?;
        }
        (Format::Text, _) | (Format::Json, Some(_)) => {
            output::diagnostics(&loaded.diagnostics, &loaded.sources);
        }
    }
    match (shown, format, &loaded.schema) {
        (Some(value), Format::Json, _) => output::result(&format!("{value:#}\n"))?,
        (Some(value), Format::Text, _) => output::result(&show::text(&value))?,
        (None, Format::Text, Some(schema)) if stage.is_none() => output::result(&summary(schema))?,
        _ => {}
    }
    Ok(match loaded.schema {
        Some(_) => Outcome::Done,
        None => Outcome::Faults,
    })
}

fn shown(loaded: &Loaded, stage: Stage) -> Option<serde_json::Value> {
    match stage {
        Stage::Raw => loaded.raw.as_ref().map(|raw| show::raw(raw, &loaded.sources)),
        Stage::Schema => loaded.schema.as_ref().map(show::schema),
        Stage::Plan => loaded.schema.as_ref().map(show::plans),
        Stage::Sql => loaded.schema.as_ref().map(show::sql),
    }
}

fn summary(schema: &Schema) -> String {
    let resources = match schema.resources.len() {
        1 => "1 resource".to_owned(),
        many => format!("{many} resources"),
    };
    format!("{}: {resources}, no faults\n", schema.name)
}
