//! A generated project: which files it has, whose they are, and what of them has changed.
//!
//! ```text
//! rest.yaml ─> generated (always rewritten) + scaffold (written once, then somebody's own) ─> update ─> files
//! ```
//!
//! Nothing here touches the file system but through [`crate::files`].

pub(crate) mod folder;
pub(crate) mod manifest;
pub(crate) mod scaffold;
pub(crate) mod update;

use std::collections::BTreeSet;

use rest_schema::Schema;

use self::scaffold::Settings;
use crate::emit::rust::Names;
use crate::emit::{Source, rust, tests};

/// The schema's file in a project.
pub(crate) const SCHEMA: &str = "rest.yaml";

/// All generated files, by path; resources whose module is among `yours` have no struct of ours. What else is
/// generated is added here.
pub(crate) fn generated(schema: &Schema, yours: &BTreeSet<String>, settings: &Settings) -> Vec<Source> {
    let names = Names::of(schema);
    let mut files = rust::files(schema, &names, yours);
    let tests = tests::files(schema, &settings.library()).into_iter();
    files.extend(tests.map(|(name, text)| Source {
        path: format!("tests/generated/{name}"),
        text,
    }));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
