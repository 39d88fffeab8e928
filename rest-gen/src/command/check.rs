//! `rest-gen check`

use std::path::Path;

use rest_runtime::migrate::{Finding, cost::costs};
use rest_schema::{Schema, diagnostic};

use crate::cli::{Format, Stage};
use rest_runtime::Location;
use rest_runtime::show::access::matrix;
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
    let mut examined = match (database, &loaded.schema) {
        (Some(url), Some(schema)) => Examined::of(schema, &location_of(url)?)?,
        (None, Some(schema)) => Examined {
            costs: costs(schema),
            ..Examined::default()
        },
        (_, None) => Examined::default(),
    };
    examined.open = loaded
        .schema
        .as_ref()
        .map_or_else(Vec::new, |schema| matrix(schema).open);
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

/// What a look at the database told, or without one the schema by itself.
#[derive(Default)]
struct Examined {
    faults: Vec<Finding>,
    advice: Vec<Finding>,
    costs: Vec<Finding>,
    /// What anybody may do that is rarely meant so.
    open: Vec<Finding>,
}

impl Examined {
    fn of(schema: &Schema, database: &Location) -> Result<Self, Error> {
        match rest_runtime::examine(schema, database) {
            Ok(found) => Ok(Self {
                faults: found.mismatches.into_iter().chain(found.stored).collect(),
                advice: found.advice,
                costs: found.costs,
                open: Vec::new(),
            }),
            Err(error) if error.is_misfit() => Ok(Self {
                faults: vec![Finding {
                    place: "the database".to_owned(),
                    message: error.to_string(),
                    help: None,
                    statement: None,
                }],
                ..Self::default()
            }),
            Err(error) => Err(Error::new(error.to_string())),
        }
    }

    fn tell(&self) {
        for fault in &self.faults {
            output::fault(&fault.to_string());
        }
        for open in &self.open {
            output::warning(&open.to_string());
        }
        for note in self.advice.iter().chain(&self.costs) {
            output::note(&note.to_string());
        }
    }

    fn json<'a>(&'a self) -> impl Iterator<Item = serde_json::Value> + use<'a> {
        let of = |findings: &'a [Finding], code, severity| {
            findings.iter().map(move |finding| (finding, code, severity))
        };
        let faults = of(&self.faults, "database", "fault");
        let advice = of(&self.advice, "database", "warning");
        let costs = of(&self.costs, "unindexed", "warning");
        let open = of(&self.open, "open", "warning");
        faults
            .chain(open)
            .chain(advice)
            .chain(costs)
            .map(|(finding, code, severity)| {
                serde_json::json!({
                    "code": code,
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
