//! `rest-gen seed`

use std::path::Path;

use rest_runtime::problem::{Fault, Place};
use rest_runtime::request::body::Json;
use rest_schema::raw::{Node, NodeKind};
use rest_schema::{Diagnostic, Diagnostics, Sources, yaml};

use crate::database::{Database, run_async};
use crate::error::{Error, Outcome};
use crate::{files, load, output};

/// Loads the rows of a YAML file, all or none.
pub(crate) fn run(file: &Path, rows: &Path, database: &Database) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    let text = files::read(rows)?;
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let name = rows.display().to_string();
    let tree = yaml::tree(&name, &text, &mut sources, &mut diagnostics);
    let Some(tree) = tree.filter(|_| !diagnostics.has_faults()) else {
        output::diagnostics(&diagnostics.finish(), &sources);
        return Ok(Outcome::Faults);
    };
    drop(diagnostics.finish());
    let Some(service) = database.opened(schema)? else {
        return Ok(Outcome::Faults);
    };
    let lots = match service.rows(&json(&tree)) {
        Ok(lots) => lots,
        Err(faults) => {
            output::diagnostics(&told(&faults, &tree), &sources);
            return Ok(Outcome::Faults);
        }
    };
    let loaded = run_async(async {
        let loaded = service.load(lots).await;
        service.shutdown().await;
        loaded
    })?;
    match loaded {
        Ok(count) => {
            let word = if count == 1 { "row" } else { "rows" };
            output::result(&format!("{count} {word} loaded\n"))?;
            Ok(Outcome::Done)
        }
        Err(refused) => {
            output::error(&Error::new(refused.to_string()));
            Ok(Outcome::Faults)
        }
    }
}

/// The file as JSON: what YAML calls a number or a text is one.
fn json(node: &Node) -> Json {
    match &node.kind {
        NodeKind::Null => Json::Null,
        NodeKind::Flag(flag) => Json::Bool(*flag),
        NodeKind::Number(text) => number(&text.text),
        NodeKind::Text { text, .. } => Json::Text(text.text.clone()),
        NodeKind::List(list) => Json::Array(list.iter().map(json).collect()),
        NodeKind::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| (key.scalar().map_or_else(String::new, |key| key.text), json(value)))
                .collect(),
        ),
    }
}

fn number(text: &str) -> Json {
    let whole = text.parse().map(Json::Integer);
    let whole = whole.or_else(|_| text.parse().map(Json::Unsigned));
    let real = || {
        text.parse()
            .ok()
            .filter(|real: &f64| real.is_finite())
            .map(Json::Float)
    };
    whole
        .ok()
        .or_else(real)
        .unwrap_or_else(|| Json::Text(text.to_owned()))
}

/// Faults at their places in the file.
fn told(faults: &[Fault], tree: &Node) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::new();
    for fault in faults {
        let (Place::Pointer(place) | Place::Parameter(place) | Place::Header(place)) = &fault.place;
        let (node, last) = find(tree, place);
        let message = match last {
            // What is wrong with a whole list says its name itself.
            Some(name) if place.matches('/').count() > 1 => format!("`{name}` {}", fault.detail),
            _ => fault.detail.clone(),
        };
        let mut diagnostic = Diagnostic::new("row", node.span, message);
        diagnostic.nearest = fault.nearest.clone();
        diagnostics.push(diagnostic);
    }
    diagnostics.finish()
}

/// The node that a pointer names, or the last one on the way there; and the name of its member.
fn find<'a>(tree: &'a Node, pointer: &str) -> (&'a Node, Option<String>) {
    let mut node = tree;
    let mut name = None;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        let next = match &node.kind {
            NodeKind::List(list) => segment.parse::<usize>().ok().and_then(|place| list.get(place)),
            NodeKind::Map(entries) => {
                let entry = entries
                    .iter()
                    .find(|(key, _)| key.scalar().is_some_and(|key| key.text == segment));
                name = Some(segment);
                entry.map(|(_, value)| value)
            }
            NodeKind::Null | NodeKind::Flag(_) | NodeKind::Number(_) | NodeKind::Text { .. } => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    (node, name)
}
