//! Changes to the files of a folder: all of them, or none.
//!
//! Everything is written under other names first. Only when that has worked do files get their names, which takes no
//! room and hardly fails; where it does, what was there before is put back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A file below the folder gets this text.
    Write(String, String),
    /// A file below the folder goes.
    Remove(String),
}

/// Makes the changes below a folder, which is made where it is missing.
pub(crate) fn apply(root: &Path, steps: &[Step]) -> Result<(), Error> {
    let mut batch = Batch {
        root,
        parts: Vec::new(),
        folders: Vec::new(),
        before: Vec::new(),
    };
    let done = batch.stage(steps).and_then(|()| batch.commit(steps));
    if let Err((path, error)) = done {
        batch.undo();
        return Err(told(&path, &error));
    }
    Ok(())
}

type Fault = (PathBuf, io::Error);

struct Batch<'a> {
    root: &'a Path,
    /// The file that each step has written under another name.
    parts: Vec<Option<PathBuf>>,
    /// Folders made, the outer ones first.
    folders: Vec<PathBuf>,
    /// What files were before they were changed.
    before: Vec<(PathBuf, Option<Vec<u8>>)>,
}

impl Batch<'_> {
    fn stage(&mut self, steps: &[Step]) -> Result<(), Fault> {
        for (number, step) in steps.iter().enumerate() {
            let part = match step {
                Step::Write(path, text) => Some(self.part(number, path, text)?),
                Step::Remove(_) => None,
            };
            self.parts.push(part);
        }
        Ok(())
    }

    fn part(&mut self, number: usize, path: &str, text: &str) -> Result<PathBuf, Fault> {
        let path = self.root.join(path);
        let folder = path.parent().unwrap_or(self.root).to_path_buf();
        self.folder(&folder)?;
        let part = folder.join(format!(".rest-gen-{number}.part"));
        match fs::write(&part, text) {
            Ok(()) => Ok(part),
            Err(error) => {
                let _ = fs::remove_file(&part);
                Err((path, error))
            }
        }
    }

    fn folder(&mut self, folder: &Path) -> Result<(), Fault> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.folder(parent)?;
        }
        fs::create_dir(folder).map_err(|error| (folder.to_path_buf(), error))?;
        self.folders.push(folder.to_path_buf());
        Ok(())
    }

    fn commit(&mut self, steps: &[Step]) -> Result<(), Fault> {
        for (number, step) in steps.iter().enumerate() {
            let (Step::Write(path, _) | Step::Remove(path)) = step;
            let path = self.root.join(path);
            let before = match fs::read(&path) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err((path, error)),
            };
            let done = match self.parts.get_mut(number).and_then(Option::take) {
                Some(part) => fs::rename(&part, &path).inspect_err(|_| {
                    let _ = fs::remove_file(&part);
                }),
                None if before.is_none() => Ok(()),
                None => fs::remove_file(&path),
            };
            done.map_err(|error| (path.clone(), error))?;
            self.before.push((path, before));
        }
        Ok(())
    }

    /// As far as it goes: whoever can't write can't put back either.
    fn undo(&mut self) {
        for (path, before) in self.before.drain(..).rev() {
            let _ = match before {
                Some(bytes) => fs::write(&path, bytes),
                None => fs::remove_file(&path),
            };
        }
        for part in self.parts.drain(..).flatten() {
            let _ = fs::remove_file(part);
        }
        for folder in self.folders.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn told(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    Error::new(match error.kind() {
        io::ErrorKind::PermissionDenied => format!("`{path}` may not be written; nothing was changed"),
        io::ErrorKind::ReadOnlyFilesystem => {
            format!("`{path}` is on a file system that can only be read; nothing was changed")
        }
        io::ErrorKind::StorageFull => format!("there is no room for `{path}`; nothing was changed"),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            format!("`{path}` is a file, and a folder is needed there; nothing was changed")
        }
        _ => format!("`{path}` can't be written: {error}; nothing was changed"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &str, text: &str) -> Step {
        Step::Write(path.to_owned(), text.to_owned())
    }

    #[test]
    fn all_or_nothing() {
        let folder = tempfile::tempdir().expect("there is room");
        let root = folder.path();
        apply(root, &[write("a/b/one.txt", "1"), write("two.txt", "2")]).expect("it is done");
        let steps = [
            write("a/b/one.txt", "changed"),
            Step::Remove("two.txt".to_owned()),
            write("new/three.txt", "3"),
            // A folder stands there.
            write("a/b", "4"),
        ];
        let error = apply(root, &steps).expect_err("it can't be done");
        assert!(error.to_string().ends_with("nothing was changed"), "{error}");
        let read = |name: &str| fs::read_to_string(root.join(name)).expect("it is there");
        assert_eq!(
            (read("a/b/one.txt"), read("two.txt")),
            ("1".to_owned(), "2".to_owned())
        );
        assert_eq!(fs::read_dir(root).expect("it is there").count(), 2);
        assert_eq!(fs::read_dir(root.join("a/b")).expect("it is there").count(), 1);
    }
}
