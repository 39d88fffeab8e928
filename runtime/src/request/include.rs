//! What is shown of an item: `fields` and `include`.
//!
//! Both name places in one tree of relations. A level that `include` names is shown whole unless `fields` names fields
//! of it; a level that only `fields` passes through shows what is named below it and nothing else.

use std::collections::BTreeSet;

use rest_schema::{FieldId, RelationId, ResourceId};

use super::names::Names;
use super::query::Parameters;
use super::{Include, Selection};
use crate::problem::{Code, Fault, MAX_FAULTS};

/// Reads `fields` and `include`.
pub(super) fn selection(
    names: &Names,
    resource: ResourceId,
    parameters: &Parameters,
    faults: &mut Vec<Fault>,
) -> Selection {
    let mut root = Level {
        is_whole: parameters.named("fields").is_none(),
        ..Level::default()
    };
    for (name, read) in [("include", include as Reader), ("fields", field)] {
        for item in parameters
            .named(name)
            .iter()
            .flat_map(|parameter| parameter.items())
        {
            if faults.len() >= MAX_FAULTS {
                break;
            }
            let done = if item.is_empty() {
                Err(Fault::parameter(
                    name,
                    Code::BadValue,
                    "the list has an empty place",
                ))
            } else {
                read(names, resource, &item, &mut root)
            };
            faults.extend(done.err());
        }
    }
    let most = names.schema.limits.includes;
    if root.count() > most as usize {
        let detail = format!(
            "{} relations within, where at most {most} are served",
            root.count()
        );
        faults.push(Fault::parameter("include", Code::LimitExceeded, detail).limit(most));
    }
    root.into_selection()
}

type Reader = fn(&Names, ResourceId, &str, &mut Level) -> Result<(), Fault>;

fn include(names: &Names, resource: ResourceId, item: &str, root: &mut Level) -> Result<(), Fault> {
    let (steps, _) = names.walk(resource, item.split('.'), "include")?;
    let mut level = root;
    for step in steps {
        level = level.below(step);
        level.is_whole = true;
    }
    Ok(())
}

fn field(names: &Names, resource: ResourceId, item: &str, root: &mut Level) -> Result<(), Fault> {
    let (path, _) = names.path(resource, item, "fields")?;
    let level = path.steps.into_iter().fold(root, Level::below);
    level.fields.insert(path.field);
    Ok(())
}

/// One place in the tree.
#[derive(Default)]
struct Level {
    is_whole: bool,
    /// In the order of the schema.
    fields: BTreeSet<FieldId>,
    /// In the order first named.
    below: Vec<(RelationId, Level)>,
}

impl Level {
    fn below(&mut self, relation: RelationId) -> &mut Level {
        let place = self.below.iter().position(|(known, _)| *known == relation);
        let place = place.unwrap_or_else(|| {
            self.below.push((relation, Level::default()));
            self.below.len() - 1
        });
        &mut self.below[place].1
    }

    /// The relations in it, at all depths.
    fn count(&self) -> usize {
        self.below.iter().map(|(_, level)| 1 + level.count()).sum()
    }

    fn into_selection(self) -> Selection {
        let shows_all = self.is_whole && self.fields.is_empty();
        let below = self.below.into_iter().map(|(relation, level)| Include {
            relation,
            selection: level.into_selection(),
        });
        Selection {
            includes: below.collect(),
            fields: (!shows_all).then(|| self.fields.into_iter().collect()),
        }
    }
}
