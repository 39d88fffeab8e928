//! `rest-gen check`

use std::path::Path;

use rest_runtime::migrate::Finding;
use rest_schema::{Schema, diagnostic};

use crate::cli::{Format, Stage};
use rest_runtime::Location;
use rest_runtime::sql::dialect::Dialect;

use crate::database::location_of;
use crate::error::{Error, Outcome};
use crate::load::{Loaded, load};
use crate::{output, show};

/// Tells every fault, and shows a stage where it was reached. With a database: what in it doesn't fit, too.
pub(crate) fn run(
    file: &Path,
    stage: Option<Stage>,
    format: Format,
    database: Option<&str>,
) -> Result<Outcome, Error> {
    let loaded = load(file)?;
    let examined = match (database, &loaded.schema) {
        (Some(url), Some(schema)) => Examined::of(schema, &location_of(url)?)?,
        _ => Examined::default(),
    };
    let dialect = database.map_or_else(Dialect::default, |url| Location::from(url).dialect());
    let shown = stage.and_then(|stage| shown(&loaded, dialect, stage));
    match (format, stage) {
        // The faults are the result, unless a stage is asked for.
        (Format::Json, None) => {
            let mut list = diagnostic::json(&loaded.diagnostics, &loaded.sources);
            if let Some(list) = list.as_array_mut() {
                list.extend(examined.json());
            }
            output::result(&format!("{list:#}\n"))?;
        }
        (Format::Text, _) | (Format::Json, Some(_)) => {
            output::diagnostics(&loaded.diagnostics, &loaded.sources);
            examined.tell();
        }
    }
    match (shown, format, &loaded.schema) {
        (Some(value), Format::Json, _) => output::result(&format!("{value:#}\n"))?,
        (Some(value), Format::Text, _) => output::result(&show::text(&value))?,
        (None, Format::Text, Some(schema)) if stage.is_none() && examined.faults.is_empty() => {
            output::result(&summary(schema))?;
        }
        _ => {}
    }
    Ok(match loaded.schema {
        Some(_) if examined.faults.is_empty() => Outcome::Done,
        _ => Outcome::Faults,
    })
}

/// What a look at the database told.
#[derive(Default)]
struct Examined {
    faults: Vec<Finding>,
    advice: Vec<Finding>,
}

impl Examined {
    fn of(schema: &Schema, database: &Location) -> Result<Self, Error> {
        match rest_runtime::examine(schema, database) {
            Ok(found) => Ok(Self {
                faults: found.mismatches.into_iter().chain(found.stored).collect(),
                advice: found.advice,
            }),
            Err(error) if error.is_misfit() => Ok(Self {
                faults: vec![Finding {
                    place: "the database".to_owned(),
                    message: error.to_string(),
                    help: None,
                    statement: None,
                }],
                advice: Vec::new(),
            }),
            Err(error) => Err(Error::new(error.to_string())),
        }
    }

    fn tell(&self) {
        for fault in &self.faults {
            output::fault(&fault.to_string());
        }
        for advice in &self.advice {
            output::note(&advice.to_string());
        }
    }

    fn json(&self) -> impl Iterator<Item = serde_json::Value> {
        let faults = self.faults.iter().map(|finding| (finding, "fault"));
        let advice = self.advice.iter().map(|finding| (finding, "warning"));
        faults.chain(advice).map(|(finding, severity)| {
            serde_json::json!({
                "code": "database",
                "severity": severity,
                "place": finding.place,
                "message": finding.message,
                "help": finding.help,
                "statement": finding.statement,
            })
        })
    }
}

fn shown(loaded: &Loaded, dialect: Dialect, stage: Stage) -> Option<serde_json::Value> {
    match stage {
        Stage::Raw => loaded.raw.as_ref().map(|raw| show::raw(raw, &loaded.sources)),
        Stage::Schema => loaded.schema.as_ref().map(show::schema),
        Stage::Plan => loaded.schema.as_ref().map(|schema| show::plans(schema, dialect)),
        Stage::Sql => loaded.schema.as_ref().map(|schema| show::sql(schema, dialect)),
    }
}

fn summary(schema: &Schema) -> String {
    let resources = match schema.resources.len() {
        1 => "1 resource".to_owned(),
        many => format!("{many} resources"),
    };
    format!("{}: {resources}, no faults\n", schema.name)
}
