//! `rest-gen diff`

use std::path::Path;

use serde_json::json;

use crate::cli::Format;
use crate::diff::{self, Change, Weight};
use crate::error::{Error, Outcome};
use crate::{load, output};

/// Tells what a change of a schema means to clients; a breaking change is a fault.
pub(crate) fn run(old: &Path, new: &Path, format: Format) -> Result<Outcome, Error> {
    let (Some(old), Some(new)) = (load::schema(old)?, load::schema(new)?) else {
        return Ok(Outcome::Faults);
    };
    let changes = diff::compare(&old, &new);
    let text = match format {
        Format::Text => text(&changes),
        Format::Json => {
            let list: Vec<_> = changes.iter().map(json).collect();
            format!("{:#}\n", serde_json::Value::Array(list))
        }
    };
    output::result(&text)?;
    let breaks = changes.iter().any(|change| change.weight == Weight::Breaking);
    Ok(if breaks { Outcome::Faults } else { Outcome::Done })
}

fn json(change: &Change) -> serde_json::Value {
    json!({ "weight": change.weight.word(), "place": change.place, "message": change.message })
}

fn text(changes: &[Change]) -> String {
    let width = changes.iter().map(|change| change.place.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for change in changes {
        let weight = change.weight.word();
        text += &format!("{weight:<10}  {:<width$}  {}\n", change.place, change.message);
    }
    let count = |weight| changes.iter().filter(|change| change.weight == weight).count();
    let (breaking, to_look_at) = (count(Weight::Breaking), count(Weight::ToLookAt));
    text += &match (breaking, to_look_at, changes.len()) {
        (_, _, 0) => "clients see no change\n".to_owned(),
        (0, 0, _) => "no change breaks a client\n".to_owned(),
        (0, to_look_at, _) => format!("no change breaks a client for certain; to look at: {to_look_at}\n"),
        (1, to_look_at, _) => format!("1 change breaks clients; to look at: {to_look_at}\n"),
        (breaking, to_look_at, _) => {
            format!("{breaking} changes break clients; to look at: {to_look_at}\n")
        }
    };
    text
}
