//! `.rest-gen`: which files of a project are generated, and what each was, so that edits by hand are seen.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_128;

/// Its name in a project.
pub(crate) const NAME: &str = ".rest-gen";
/// The form in which it is written.
const FORMAT: u64 = 1;
/// Who writes it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a project knows of its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The version of the program that wrote it.
    pub(crate) version: String,
    /// How the runtime is depended on.
    pub(crate) runtime: Runtime,
    /// Generated files: the hash of what was written; two while a write is under way.
    pub(crate) generated: BTreeMap<String, Vec<String>>,
    /// Files of their owner: the hash of what the scaffold was.
    pub(crate) yours: BTreeMap<String, String>,
}

/// Where the runtime comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// The registry.
    #[default]
    Registry,
    /// A folder.
    Path(String),
}

/// Why a manifest can't be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is none, or only a part of one.
    Broken,
    /// It is of a form that this program doesn't know; the version that knows it.
    Newer(String),
}

impl Manifest {
    /// Reads one.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let value: Value = serde_json::from_str(text).map_err(|_| Fault::Broken)?;
        let version = value["rest_gen"].as_str().unwrap_or_default().to_owned();
        match value["format"].as_u64() {
            Some(FORMAT) => {}
            Some(format) if format > FORMAT => return Err(Fault::Newer(version)),
            _ => return Err(Fault::Broken),
        }
        let hashes = |value: &Value| match value {
            Value::Array(hashes) => hashes
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            one => Vec::from_iter(one.as_str().map(str::to_owned)),
        };
        let map = |key: &str| value[key].as_object().cloned().ok_or(Fault::Broken);
        let generated = map("generated")?;
        let yours = map("yours")?;
        let yours = yours
            .iter()
            .filter_map(|(path, hash)| Some((path.clone(), hash.as_str()?.to_owned())));
        Ok(Self {
            version,
            runtime: match value["runtime"].as_str() {
                Some(path) => Runtime::Path(path.to_owned()),
                None => Runtime::Registry,
            },
            generated: generated
                .iter()
                .map(|(path, value)| (path.clone(), hashes(value)))
                .collect(),
            yours: yours.collect(),
        })
    }

    /// Writes it.
    pub(crate) fn text(&self) -> String {
        let generated: Map<String, Value> = self
            .generated
            .iter()
            .map(|(path, hashes)| match hashes.as_slice() {
                [only] => (path.clone(), json!(only)),
                many => (path.clone(), json!(many)),
            })
            .collect();
        let runtime = match &self.runtime {
            Runtime::Registry => Value::Null,
            Runtime::Path(path) => json!(path),
        };
        let value = json!({
            "format": FORMAT,
            "rest_gen": self.version,
            "runtime": runtime,
            "generated": generated,
            "yours": self.yours,
        });
        format!("{value:#}\n")
    }

    /// Whether a generated file is as it was written.
    pub(crate) fn wrote(&self, path: &str, bytes: &[u8]) -> bool {
        let hash = hash(bytes);
        self.generated
            .get(path)
            .is_some_and(|hashes| hashes.contains(&hash))
    }
}

/// A text's hash, whichever line ends a checkout has given it.
pub(crate) fn hash(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(&unix(bytes)))
}

/// With the line ends that are written.
pub(crate) fn unix(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'\r') {
        return Cow::Borrowed(bytes);
    }
    let next = bytes.iter().skip(1).map(Some).chain([None]);
    let kept = bytes
        .iter()
        .zip(next)
        .filter(|(byte, next)| **byte != b'\r' || *next != Some(&b'\n'));
    kept.map(|(byte, _)| *byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_make_no_difference() {
        assert_eq!(*unix(b"a\r\nb\n\r\r\nc\r"), *b"a\nb\n\r\nc\r");
        assert_eq!(hash(b"a\r\nb\r\n"), hash(b"a\nb\n"));
        assert_ne!(hash(b"a\nb\n"), hash(b"a\nb"));
    }

    #[test]
    fn what_is_written_is_read() {
        let manifest = Manifest {
            version: VERSION.to_owned(),
            runtime: Runtime::Path("../runtime".to_owned()),
            generated: BTreeMap::from([
                ("a".to_owned(), vec!["1".to_owned()]),
                ("b".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
            ]),
            yours: BTreeMap::from([("c".to_owned(), "3".to_owned())]),
        };
        let text = manifest.text();
        assert_eq!(Manifest::parse(&text), Ok(manifest));
        assert_eq!(Manifest::parse(&text[..text.len() / 2]), Err(Fault::Broken));
        let newer = text.replacen("\"format\": 1", "\"format\": 2", 1);
        assert_eq!(Manifest::parse(&newer), Err(Fault::Newer(VERSION.to_owned())));
    }
}
