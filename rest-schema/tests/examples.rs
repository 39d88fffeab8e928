//! Every schema of the repository resolves without a word.
#![cfg(all(feature = "yaml", feature = "draw"))]
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// `examples/*/rest.yaml` and the schemas of the HTTP cases.
fn schemas() -> Vec<PathBuf> {
    let mut list = Vec::new();
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        list.push(entry.unwrap().path().join("rest.yaml"));
    }
    for entry in std::fs::read_dir(root().join("tests/schemas"))
        .into_iter()
        .flatten()
    {
        list.push(entry.unwrap().path());
    }
    list.retain(|path| {
        path.is_file()
            && path.extension().is_some_and(|end| end == "yaml")
            && !path.to_string_lossy().ends_with(".seed.yaml")
    });
    list.sort();
    list
}

/// Files beside a schema, by `folder/*.yaml`.
fn load(folder: &Path, glob: &str) -> Result<Vec<(String, String)>, String> {
    let (inner, end) = glob.split_once('*').ok_or("not a glob")?;
    let mut list = Vec::new();
    for entry in std::fs::read_dir(folder.join(inner)).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.to_string_lossy().ends_with(end) {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            list.push((
                name,
                std::fs::read_to_string(&path).map_err(|error| error.to_string())?,
            ));
        }
    }
    list.sort();
    Ok(list)
}

#[test]
fn every_example_resolves() {
    let mut found = String::new();
    for path in schemas() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let folder = path.parent().unwrap();
        match rest_schema::read(&name, &text, &mut |glob| load(folder, glob)) {
            Ok(loaded) => found += &loaded.report.draw(false),
            Err(report) => found += &report.draw(false),
        }
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
fn every_example_is_the_same_after_an_export() {
    for path in schemas() {
        let text = std::fs::read_to_string(&path).unwrap();
        let folder = path.parent().unwrap();
        let Ok(loaded) = rest_schema::read("rest.yaml", &text, &mut |glob| load(folder, glob)) else {
            continue;
        };
        let exported = rest_schema::export(&loaded.schema);
        match rest_schema::read_one("exported.yaml", &exported) {
            Ok(again) => assert_eq!(again.schema, loaded.schema, "{}:\n{exported}", path.display()),
            Err(report) => panic!("{}:\n{exported}\n{}", path.display(), report.draw(false)),
        }
    }
}

#[test]
fn an_export_reads_like_a_schema() {
    let loaded = rest_schema::read_one("rest.yaml", include_str!("microblog.yaml")).unwrap();
    insta::assert_snapshot!("microblog_exported", rest_schema::export(&loaded.schema));
}

/// Checks a value against what [`rest_schema::json_schema`] uses of JSON Schema; a keyword that isn't known here fails.
fn fits(schema: &Value, root: &Value, value: &Value) -> Result<(), String> {
    let Value::Object(keywords) = schema else {
        return if schema == &Value::Bool(true) {
            Ok(())
        } else {
            Err(format!("{value} isn't allowed"))
        };
    };
    for (keyword, says) in keywords {
        let good = match keyword.as_str() {
            "description" | "title" | "$schema" | "$defs" | "additionalProperties" => true,
            "type" => {
                let types = says.as_array().cloned().unwrap_or_else(|| vec![says.clone()]);
                types.iter().any(|ty| is_of(ty.as_str().unwrap(), value))
            }
            "enum" => says.as_array().unwrap().contains(value),
            "pattern" => {
                let pattern = regex::Regex::new(says.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "minimum" => value
                .as_f64()
                .is_none_or(|number| number >= says.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| number <= says.as_f64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= says.as_u64().unwrap()),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    fits(says, root, item)?;
                }
                true
            }
            "required" => says
                .as_array()
                .unwrap()
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some()),
            "properties" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    let says = says.get(key).unwrap_or(&keywords["additionalProperties"]);
                    fits(says, root, value).map_err(|error| format!("{key}: {error}"))?;
                }
                true
            }
            "propertyNames" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    fits(says, root, &Value::from(key.as_str()))?;
                    fits(&keywords["additionalProperties"], root, value)
                        .map_err(|error| format!("{key}: {error}"))?;
                }
                true
            }
            "anyOf" => says
                .as_array()
                .unwrap()
                .iter()
                .any(|one| fits(one, root, value).is_ok()),
            "$ref" => {
                let place = says.as_str().unwrap().strip_prefix('#').unwrap();
                fits(root.pointer(place).expect("a definition"), root, value)?;
                true
            }
            other => panic!("the keyword {other}"),
        };
        if !good {
            return Err(format!("{value} breaks {keyword}: {says}"));
        }
    }
    Ok(())
}

fn is_of(ty: &str, value: &Value) -> bool {
    match ty {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the type {other}"),
    }
}

fn as_json(text: &str) -> Value {
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { strict_booleans: true }).unwrap()
}

#[test]
fn every_example_fits_the_json_schema() {
    let schema = rest_schema::json_schema();
    for path in schemas() {
        let text = std::fs::read_to_string(&path).unwrap();
        fits(&schema, &schema, &as_json(&text)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    for wrong in [
        "service: 1",
        "service: a\nresorces: {}",
        "service: a\nresources: { A: { fields: { b: strin } } }",
    ] {
        assert!(fits(&schema, &schema, &as_json(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn the_json_schema_stays_what_it_is() {
    let text = serde_json::to_string_pretty(&rest_schema::json_schema()).unwrap();
    insta::assert_snapshot!("json_schema", text);
}
