//! What the targets share: schemas of the tests.

use std::sync::LazyLock;

use rest_schema::{ResourceId, Schema};

/// A blog: relations of every kind, rules, accounts.
pub static BLOG: LazyLock<Schema> = LazyLock::new(|| read(include_str!("../../tests/schemas/blog.yaml")));

/// A field of every type.
pub static TYPES: LazyLock<Schema> = LazyLock::new(|| read(include_str!("../../tests/schemas/types.yaml")));

fn read(text: &str) -> Schema {
    match rest_schema::read_one("rest.yaml", text) {
        Ok(loaded) => loaded.schema,
        Err(report) => panic!("{}", report.lines()),
    }
}

/// One of the schema's resources, chosen by a byte.
pub fn chosen(schema: &Schema, byte: u8) -> ResourceId {
    let count = u32::try_from(schema.resources.len()).unwrap_or(1);
    ResourceId(u32::from(byte) % count)
}
