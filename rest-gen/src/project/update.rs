//! What has to be done so that a folder is what it should be: a comparison, and nothing written.

use std::collections::{BTreeMap, BTreeSet};

use similar::TextDiff;

use super::manifest::{Manifest, VERSION, hash, unix};
use crate::emit::Source;
use crate::files::Step;

/// What differs between a project as it is and as it would be.
#[derive(Debug, Default)]
pub(crate) struct Update {
    /// Files that are written or go, by path.
    pub(crate) changes: Vec<Change>,
    /// Generated files that aren't as they were written.
    pub(crate) edited: Vec<String>,
    manifest: Manifest,
    before: Manifest,
}

/// One file that differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its path in the project.
    pub(crate) path: String,
    before: Option<String>,
    after: Option<String>,
}

impl Update {
    /// Compares what should be generated with what is there, in the bytes of each file.
    pub(crate) fn of(wanted: Vec<Source>, before: &Manifest, there: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut update = Self {
            before: before.clone(),
            manifest: Manifest {
                version: VERSION.to_owned(),
                generated: BTreeMap::new(),
                ..before.clone()
            },
            ..Self::default()
        };
        let kept: BTreeSet<String> = wanted.iter().map(|source| source.path.clone()).collect();
        for Source { path, text } in wanted {
            let is = there.get(&path);
            update
                .manifest
                .generated
                .insert(path.clone(), vec![hash(text.as_bytes())]);
            if is.is_none_or(|bytes| *unix(bytes) != *text.as_bytes()) {
                update.change(path, is, Some(text));
            }
        }
        for path in before.generated.keys().filter(|path| !kept.contains(*path)) {
            if let Some(bytes) = there.get(path) {
                update.change(path.clone(), Some(bytes), None);
            }
        }
        update.changes.sort_by(|a, b| a.path.cmp(&b.path));
        update
    }

    fn change(&mut self, path: String, is: Option<&Vec<u8>>, after: Option<String>) {
        // What a write that was cut short has left is nobody's work.
        let cut = |bytes: &[u8]| {
            after
                .as_ref()
                .is_some_and(|text| text.as_bytes().starts_with(&unix(bytes)))
        };
        if is.is_some_and(|bytes| !self.before.wrote(&path, bytes) && !cut(bytes)) {
            self.edited.push(path.clone());
        }
        self.changes.push(Change {
            path,
            before: is.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            after,
        });
    }

    /// The steps in their order. While they are under way the manifest knows each file as it was and as it will be, so
    /// that a run that was cut short is taken up by the next one.
    pub(crate) fn steps(self) -> Vec<Step> {
        let manifest = |manifest: &Manifest| Step::Write(super::manifest::NAME.to_owned(), manifest.text());
        if self.changes.is_empty() {
            let changed = self.manifest != self.before;
            return Vec::from_iter(changed.then(|| manifest(&self.manifest)));
        }
        let mut both = self.manifest.clone();
        for (path, hashes) in &self.before.generated {
            let all = both.generated.entry(path.clone()).or_default();
            all.extend(
                hashes
                    .iter()
                    .filter(|hash| !all.contains(hash))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        let mut steps = vec![manifest(&both)];
        steps.extend(self.changes.into_iter().map(|change| match change.after {
            Some(text) => Step::Write(change.path, text),
            None => Step::Remove(change.path),
        }));
        steps.push(manifest(&self.manifest));
        steps
    }
}

impl Change {
    /// In one line.
    pub(crate) fn line(&self) -> String {
        let word = match (&self.before, &self.after) {
            (None, _) => "new",
            (_, None) => "gone",
            _ => "changed",
        };
        format!("{word:8} {}\n", self.path)
    }

    /// As a unified diff.
    pub(crate) fn diff(&self) -> String {
        let name = |side: &str, text: &Option<String>| match text {
            Some(_) => format!("{side}/{}", self.path),
            None => "/dev/null".to_owned(),
        };
        let (before, after) = (name("a", &self.before), name("b", &self.after));
        diff(
            (&before, self.before.as_deref().unwrap_or_default()),
            (&after, self.after.as_deref().unwrap_or_default()),
        )
    }
}

/// A unified diff of two texts with their names.
pub(crate) fn diff(before: (&str, &str), after: (&str, &str)) -> String {
    let diff = TextDiff::from_lines(before.1, after.1);
    diff.unified_diff().header(before.0, after.0).to_string()
}
