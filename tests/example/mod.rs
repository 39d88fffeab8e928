//! The examples: their schemas are right and warn of nothing, and the shop sells.

mod shop;

use std::path::PathBuf;

use libtest_mimic::Trial;
use rest_schema::resolve;

use crate::support::server::package;

/// One test for each example's schema, and those of the shop.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = ["microblog", "shop", "tracker"]
        .map(|name| {
            Trial::test(format!("examples::{name}_is_accepted"), move || {
                accepted(name).map_err(Into::into)
            })
        })
        .into();
    trials.push(Trial::test("examples::the_shop_sells", || {
        shop::sells().map_err(Into::into)
    }));
    trials
}

fn folder(name: &str) -> PathBuf {
    package().join("../examples").join(name)
}

fn accepted(name: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(folder(name).join("rest.yaml")).map_err(|e| e.to_string())?;
    match resolve::read("rest.yaml", &text, &mut |glob| included(name, glob)) {
        Ok(loaded) if loaded.report.diagnostics.is_empty() => Ok(()),
        Ok(loaded) => Err(loaded.report.draw(false)),
        Err(report) => Err(report.draw(false)),
    }
}

/// The files of the folder that a glob like `resources/*.yaml` names.
fn included(name: &str, glob: &str) -> Result<Vec<(String, String)>, String> {
    let sub = glob.strip_suffix("/*.yaml").ok_or("not a glob of an example")?;
    let files = std::fs::read_dir(folder(name).join(sub)).map_err(|e| e.to_string())?;
    let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
            Ok((file.display().to_string(), text))
        })
        .collect()
}
