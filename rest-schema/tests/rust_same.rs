//! Every schema of the repository, written as structs: it is read as the same, and no struct alone has a fault.
#![cfg(all(feature = "rust", feature = "yaml"))]
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rest_schema::keys::Shape;
use rest_schema::raw::{Block, Entry, Named, Node, NodeKind, Value};
use rest_schema::rust::{Places, alone, read_files, resource};
use rest_schema::{Diagnostics, FieldType, Resource, Schema, Sources, export, naming, yaml};
use syn::DeriveInput;

fn schemas() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let entries = |folder: &str| std::fs::read_dir(root.join(folder)).unwrap();
    // Not every example has its schema in YAML.
    let examples = entries("examples").map(|entry| entry.unwrap().path().join("rest.yaml"));
    let examples = examples.filter(|path| path.exists());
    let schemas = entries("tests/schemas").map(|entry| entry.unwrap().path());
    let schemas = schemas.filter(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".yaml") && !name.ends_with(".seed.yaml")
    });
    examples.chain(schemas).collect()
}

fn read(path: &Path) -> Schema {
    let text = std::fs::read_to_string(path).unwrap();
    let folder = path.parent().unwrap();
    let mut load = |glob: &str| {
        let entries = std::fs::read_dir(folder.join(glob.split('*').next().unwrap())).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let read = |path: PathBuf| {
            (
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            )
        };
        Ok(paths.into_iter().map(read).collect())
    };
    rest_schema::read("rest.yaml", &text, &mut load).unwrap().schema
}

#[test]
fn structs_are_read_as_the_schema_they_were_written_from() {
    let schemas = schemas();
    for path in &schemas {
        let schema = read(path);
        let text = written(&schema);
        let files = [("main.rs".to_owned(), text.clone())];
        let again =
            read_files(&files).unwrap_or_else(|report| panic!("{}\n{report}\n{text}", path.display()));
        assert_eq!(again.schema, schema, "{}\n{text}", path.display());
        assert_eq!(every_struct_alone(&text), schema.resources.len());
    }
    assert!(schemas.len() > 6);
}

/// Looks at each struct as its derive does; how many there were.
fn every_struct_alone(text: &str) -> usize {
    let mut count = 0;
    for item in text
        .split("\n\n")
        .filter(|item| item.starts_with("#[derive(RestResource)]"))
    {
        let input: DeriveInput = syn::parse_str(item).unwrap();
        let (mut places, mut diagnostics) = (Places::of_tokens(), Diagnostics::new());
        let one = resource(&input, &mut places, &mut diagnostics).unwrap();
        assert!(one.whole && one.typed);
        alone(&one, &places.sources, &mut diagnostics);
        let faults = diagnostics.has_faults();
        let told = places.told(&diagnostics.finish());
        assert!(!faults, "{item}\n{told:?}");
        count += 1;
    }
    count
}

/// A schema as structs, by way of its exported form.
fn written(schema: &Schema) -> String {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let text = export(schema);
    let raw = yaml::parse(
        "rest.yaml",
        &text,
        &mut |_| unreachable!(),
        &mut sources,
        &mut diagnostics,
    );
    diagnostics.finish();
    let root = raw.unwrap().root;
    let mut out = String::new();
    for (named, resource) in root.named("resources").iter().zip(&schema.resources) {
        structure(schema, resource, named, &mut out);
    }
    let keys = ["service", "resources"];
    let settings = attributes(&root, &keys);
    let name = format!("name = {:?}", root.string("service").unwrap());
    let _ = writeln!(
        out,
        "#[derive(RestService)]\n#[rest({name})]\n{settings}struct Service {{"
    );
    for (at, resource) in schema.resources.iter().enumerate() {
        let _ = writeln!(out, "    r{at}: {},", resource.name);
    }
    out + "}\n"
}

fn structure(schema: &Schema, resource: &Resource, named: &Named, out: &mut String) {
    let block = &named.block;
    let mut fields = String::new();
    if !block.has("key")
        || block.block("key").is_some()
        || block.string("key").is_some_and(|key| key == "uuid")
    {
        let key = schema.field(resource.key.fields[0]);
        let declared = block
            .named("fields")
            .iter()
            .any(|named| named.name.text == "uuid");
        if !declared {
            fields += &field(&key.name, rust_type(&key.ty), "");
        }
    }
    for one in block.named("fields") {
        let name = format!(
            "{}{}",
            resource.name,
            naming::kebab(&one.name.text).replace('-', "_")
        );
        let ty = value_type(&one.block, &name, out);
        fields += &field(
            &one.name.text,
            &ty,
            &attributes(&one.block, &["values", "optional"]),
        );
    }
    for one in block.named("belongs_to") {
        let (name, ty) = foreign(schema, one);
        let target = one.block.string("to").unwrap();
        let attributes = attributes(&one.block, &["to", "optional"]);
        let named = format!("    #[rest(belongs_to = {target}, name = {:?})]\n", one.name.text);
        fields += &field(&name, &optional(&one.block, ty), &(named + &attributes));
    }
    for one in block.named("many_to_many") {
        let ty = format!("ManyToMany<{}>", one.block.string("to").unwrap());
        fields += &field(&one.name.text, &ty, &attributes(&one.block, &["to"]));
    }
    let own = attributes(block, &["fields", "belongs_to", "many_to_many"]);
    let _ = writeln!(
        out,
        "#[derive(RestResource)]\n{own}struct {} {{\n{fields}}}\n",
        resource.name
    );
}

fn field(name: &str, ty: &str, attributes: &str) -> String {
    let ident = if syn::parse_str::<syn::Ident>(name).is_ok() {
        name.to_owned()
    } else {
        format!("r#{name}")
    };
    format!("{attributes}    {ident}: {ty},\n")
}

/// The Rust type of a field; an enum is written before its struct.
fn value_type(block: &Block, name: &str, out: &mut String) -> String {
    let Some(ty) = block.string("type") else {
        return "i64".to_owned();
    };
    let ty = match ty.as_str() {
        "enum" => {
            let _ = writeln!(out, "#[derive(RestEnum)]\nenum {name} {{");
            for (at, word) in block.texts("values").iter().enumerate() {
                let _ = writeln!(out, "    #[rest(name = {:?})]\n    V{at},", word.text);
            }
            *out += "}\n\n";
            name.to_owned()
        }
        "integer" => "i32".to_owned(),
        "bigint" => "i64".to_owned(),
        "float" => "f64".to_owned(),
        "decimal" => "Decimal".to_owned(),
        "boolean" => "bool".to_owned(),
        "date" => "Date".to_owned(),
        "time" => "Time".to_owned(),
        "timestamp" => "Timestamp".to_owned(),
        "uuid" => "Uuid".to_owned(),
        "json" => "Json".to_owned(),
        "bytes" => "Vec<u8>".to_owned(),
        "password" => "Password".to_owned(),
        _ => "String".to_owned(),
    };
    optional(block, ty)
}

fn optional(block: &Block, ty: String) -> String {
    if block.is("optional") {
        format!("Option<{ty}>")
    } else {
        ty
    }
}

fn rust_type(ty: &FieldType) -> &'static str {
    match ty {
        FieldType::Integer => "i32",
        FieldType::Bigint => "i64",
        FieldType::Uuid => "Uuid",
        FieldType::Date => "Date",
        _ => "String",
    }
}

/// The field that holds the key of a relation's target, and its type.
fn foreign(schema: &Schema, named: &Named) -> (String, String) {
    let target = named.block.string("to").unwrap();
    let target = schema.resources.iter().find(|one| one.name == target).unwrap();
    let keys: Vec<_> = target.key.fields.iter().map(|id| schema.field(*id)).collect();
    match keys.as_slice() {
        [key] => (
            format!("{}_{}", named.name.text, key.name),
            rust_type(&key.ty).to_owned(),
        ),
        keys => {
            let types: Vec<_> = keys.iter().map(|key| rust_type(&key.ty)).collect();
            (named.name.text.clone(), format!("({})", types.join(", ")))
        }
    }
}

/// The entries of a block, an attribute each.
fn attributes(block: &Block, without: &[&str]) -> String {
    let entries = block
        .entries
        .iter()
        .filter(|entry| !without.contains(&entry.key.key));
    entries
        .map(|entry| format!("    #[rest({})]\n", attribute(entry)))
        .collect()
}

fn attribute(entry: &Entry) -> String {
    let key = entry.key.key;
    let texts = |list: &[rest_schema::Excerpt]| {
        list.iter()
            .map(|one| format!("{:?}", one.text))
            .collect::<Vec<_>>()
    };
    match &entry.value {
        Value::Flag(true) => key.to_owned(),
        Value::Flag(false) => format!("{key} = false"),
        Value::Number(number) if entry.key.shape == Shape::Duration => format!("{key} = \"{number}s\""),
        Value::Number(number) => format!("{key} = {number}"),
        Value::Text(text) if key == "type" || key == "resource" => format!("{key} = {}", text.text),
        Value::Text(text) => format!("{key} = {:?}", text.text),
        Value::Texts(list) => format!("{key}({})", texts(list).join(", ")),
        Value::Lists(lists) => {
            let lists = lists
                .iter()
                .map(|list| format!("{key}({})", texts(list).join(", ")));
            lists.collect::<Vec<_>>().join(", ")
        }
        Value::Rules(rules) => {
            let rules = rules
                .iter()
                .map(|(name, rule)| format!("{} = {:?}", name.text, rule.text));
            format!("{key}({})", rules.collect::<Vec<_>>().join(", "))
        }
        Value::Literal(node) => format!("{key} = {}", literal(node, false)),
        Value::Block(block) => format!("{key}({})", list(block)),
        Value::Blocks(blocks) => {
            let blocks = blocks.iter().map(|block| format!("{key}({})", list(block)));
            blocks.collect::<Vec<_>>().join(", ")
        }
        Value::Named(named) => {
            let named = named
                .iter()
                .map(|one| format!("{}({})", one.name.text, list(&one.block)));
            format!("{key}({})", named.collect::<Vec<_>>().join(", "))
        }
        Value::Broken => unreachable!(),
    }
}

fn list(block: &Block) -> String {
    block.entries.iter().map(attribute).collect::<Vec<_>>().join(", ")
}

fn literal(node: &Node, within: bool) -> String {
    match &node.kind {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Flag(flag) => flag.to_string(),
        NodeKind::Number(number) => number.text.clone(),
        NodeKind::Text { text, plain: true } if !within && text.text == "database" => text.text.clone(),
        NodeKind::Text { text, .. } => format!("{:?}", text.text),
        NodeKind::List(items) => {
            let items = items.iter().map(|item| literal(item, true));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        NodeKind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{:?}: {}", key.scalar().unwrap().text, literal(value, true)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
