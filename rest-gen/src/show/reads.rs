//! Plans and SQL, by resource, read and caller.

use rest_runtime::show::{Shown, reads, tables};
use rest_runtime::sql::dialect::Dialect;
use rest_schema::Schema;
use serde_json::{Map, Value};

/// What each read does.
pub(crate) fn plans(schema: &Schema, dialect: Dialect) -> Value {
    by_resource(&reads(schema, dialect), |shown| match &shown.plan {
        Some(of) => Value::String(plan(schema, of)),
        None => closed(),
    })
}

/// A plan on lines of a bearable length, with names for ids.
pub(crate) fn plan(schema: &Schema, plan: &str) -> String {
    folded(&named(schema, plan))
}

/// What each read becomes, after the tables.
pub(crate) fn sql(schema: &Schema, dialect: Dialect) -> Value {
    let mut all = Map::new();
    if schema.managed != Some(false) {
        let tables = tables(schema, dialect).join(";\n") + ";";
        all.insert("tables".to_owned(), Value::String(tables));
    }
    let reads = by_resource(&reads(schema, dialect), |shown| match shown.sql.as_slice() {
        [] => closed(),
        all => Value::String(all.join("\n")),
    });
    all.insert("reads".to_owned(), reads);
    Value::Object(all)
}

fn closed() -> Value {
    Value::String("closed".to_owned())
}

fn by_resource(reads: &[Shown], value: impl Fn(&Shown) -> Value) -> Value {
    let mut resources = Map::new();
    for shown in reads {
        let entry = resources
            .entry(shown.resource.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(entry) = entry {
            entry.insert(format!("{} for {}", shown.read, shown.caller), value(shown));
        }
    }
    Value::Object(resources)
}

/// The plan with names for ids.
fn named(schema: &Schema, plan: &str) -> String {
    let mut text = plan.to_owned();
    for (id, resource) in schema.resources() {
        let place = |index: usize| format!("{{ resource: ResourceId({}), index: {index} }}", id.0);
        for (index, field) in resource.fields.iter().enumerate() {
            let name = format!("{}.{}", resource.name, field.name);
            text = text.replace(&format!("FieldId {}", place(index)), &name);
        }
        for (index, relation) in resource.relations.iter().enumerate() {
            let name = format!("{}.{}", resource.name, relation.name);
            text = text.replace(&format!("RelationId {}", place(index)), &name);
        }
    }
    for (id, resource) in schema.resources() {
        text = text.replace(&format!("ResourceId({})", id.0), &resource.name);
    }
    text
}

/// Characters of a group that stands on one line.
const WIDTH: usize = 90;

/// A value's one line as several, where its groups are long.
fn folded(line: &str) -> String {
    let mut out = String::new();
    fold(line, 0, &mut out);
    out
}

fn fold(text: &str, indent: usize, out: &mut String) {
    let opening = text.find(['{', '[', '(']).filter(|_| text.len() > WIDTH);
    let groups = opening.and_then(|open| Some((open, closing(text, open)?)));
    let Some((open, close)) = groups else {
        out.push_str(text);
        return;
    };
    out.push_str(&text[..=open]);
    for part in parts(&text[open + 1..close]) {
        out.push('\n');
        out.push_str(&" ".repeat(indent + 2));
        fold(part.trim(), indent + 2, out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push_str(&text[close..]);
}

/// Where the group that opens at a place ends.
fn closing(text: &str, open: usize) -> Option<usize> {
    first(&text[open..], |depth, _| depth == 0).map(|length| open + length)
}

/// The parts between commas of the outermost level.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(comma) = first(rest, |depth, byte| depth == 0 && byte == b',') {
        parts.push(&rest[..comma]);
        rest = &rest[comma + 1..];
    }
    parts.push(rest);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The first place where depth and byte are as wanted, the byte counted; quotes hide brackets.
fn first(text: &str, wanted: impl Fn(usize, u8) -> bool) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => {
                escaped = false;
                continue;
            }
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' | b'(' if !quoted => depth += 1,
            b'}' | b']' | b')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !quoted && wanted(depth, byte) {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn long_groups_are_folded_and_short_ones_stay() {
        let long = "x".repeat(90);
        let text = format!(r#"A {{ b: [1, (2, 3)], c: "}},\"", d: {long} }}"#);
        let wanted = format!("A {{\n  b: [1, (2, 3)]\n  c: \"}},\\\"\"\n  d: {long}\n}}");
        assert_eq!(folded(&text), wanted);
        assert_eq!(folded("A { b: 1 }"), "A { b: 1 }");
    }
}
