//! The only place that touches the file system: reads texts, finds what a pattern names, writes all or nothing.

mod change;

pub(crate) use change::{Step, apply};

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The most bytes of one text; nothing that this program reads whole is larger by right.
const MOST: u64 = 64 << 20;

/// Reads a file as text.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    text(path).map_err(|why| Error::new(format!("`{}` {why}", path.display())))
}

/// A file's bytes; `None` where there is no such file.
pub(crate) fn found(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::symlink_metadata(path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Ok(_) | Err(_) => match bytes(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) => Err(Error::new(format!("`{}` {why}", path.display()))),
        },
    }
}

/// Whether there is a file or folder.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}

/// The absolute form of a path to something that is there.
pub(crate) fn absolute(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// A path to something that may not be there yet, in its absolute form.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for above in whole.ancestors() {
        if let (Some(found), Ok(rest)) = (absolute(above), whole.strip_prefix(above)) {
            return found.join(rest);
        }
    }
    whole
}

/// The names in a folder, sorted; `None` where there is no such folder.
pub(crate) fn names(folder: &Path) -> Result<Option<Vec<String>>, Error> {
    let told = |why: &str| Error::new(format!("`{}` {why}", folder.display()));
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound => Ok(None),
                io::ErrorKind::NotADirectory if folder.exists() => Err(told("is a file, not a folder")),
                io::ErrorKind::NotADirectory => Ok(None),
                io::ErrorKind::PermissionDenied => Err(told("may not be read")),
                _ => Err(told(&format!("can't be read: {error}"))),
            };
        }
    };
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(Some(names))
}

/// What generating depends on, below a project: the texts of all YAML files, and which Rust files stand by the models.
pub(crate) fn watched(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for name in names(&folder).ok().flatten().unwrap_or_default() {
            let path = folder.join(&name);
            let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
            match (path.is_dir(), name.as_str()) {
                (true, "target" | "node_modules") => {}
                (true, _) if name.starts_with('.') => {}
                (true, _) => folders.push(path),
                (false, _) if is_yaml => found.push((path.clone(), bytes(&path).unwrap_or_default())),
                (false, _) if name.ends_with(".rs") && folder.ends_with("models") => {
                    found.push((path, Vec::new()));
                }
                (false, _) => {}
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> Result<String, String> {
    let bytes = bytes(path)?;
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        format!("isn't text in UTF-8: byte {place} begins no character")
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "doesn't exist".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read".to_owned(),
        io::ErrorKind::IsADirectory => "is a folder, not a file".to_owned(),
        _ => format!("can't be read: {error}"),
    };
    let file = File::open(path).map_err(told)?;
    if file.metadata().map_err(told)?.is_dir() {
        return Err("is a folder, not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > MOST {
        return Err(format!("is larger than {} MiB", MOST >> 20));
    }
    Ok(bytes)
}

/// Whether a schema is read from Rust: from a `.rs` file, or from a folder.
pub(crate) fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "rs") || path.is_dir()
}

/// A `.rs` file, or all those below a folder, by name, with their texts; hidden folders and `target` left out.
pub(crate) fn rust(path: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut found = Vec::new();
    collect(path, &mut found)
        .map_err(|error| Error::new(format!("the folder `{}` can't be read: {error}", path.display())))?;
    found.sort();
    if found.is_empty() {
        let message = format!("`{}` holds no `.rs` file", path.display());
        return Err(Error::new(message));
    }
    let named = |path: PathBuf| Ok((path.display().to_string(), read(&path)?));
    found.into_iter().map(named).collect()
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // A link to a folder may lead back to this one.
        let is_folder = entry.file_type()?.is_dir();
        let walked = is_folder && !name.starts_with('.') && name != "target";
        if walked || (path.is_file() && name.ends_with(".rs")) {
            collect(&path, found)?;
        }
    }
    Ok(())
}

/// The files that a pattern names below `base`, by name, with their texts; `*` and `?` stand for parts of one name.
pub(crate) fn matching(base: &Path, pattern: &str) -> Result<Vec<(String, String)>, String> {
    if pattern.split('/').any(|part| part == "**") {
        return Err("`**` isn't understood; name the folders".to_owned());
    }
    let mut found = vec![base.to_path_buf()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        found = found
            .iter()
            .flat_map(|folder| entries(folder, part))
            .collect::<Vec<PathBuf>>();
    }
    found.retain(|path| path.is_file());
    found.sort();
    let named = |path: PathBuf| {
        Ok((
            path.display().to_string(),
            text(&path).map_err(|why| told(&path, &why))?,
        ))
    };
    found.into_iter().map(named).collect()
}

fn told(path: &Path, why: &str) -> String {
    format!("{} {why}", path.display())
}

fn entries(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    if !pattern.contains(['*', '?']) {
        return vec![folder.join(pattern)];
    }
    let folder_to_read = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(entries) = fs::read_dir(folder_to_read) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    // A pattern doesn't find hidden files, as in a shell.
    names
        .filter(|name| !name.starts_with('.') && matches(pattern, name))
        .map(|name| folder.join(name))
        .collect()
}

/// Whether a name is what a pattern describes, in time linear in both for each `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_stand_for_parts_of_a_name() {
        for (pattern, name, wanted) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", ".yaml", true),
            ("*.yaml", "a.yml", false),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxa", false),
            ("", "", true),
            ("ü?", "üß", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
