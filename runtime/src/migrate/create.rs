//! The tables of a service whose database is ours, as SQL. Pure.
//!
//! Every column is kept as [`Codec`](crate::codec::Codec) keeps it, in `STRICT` tables, so that a value
//! which does not fit its type can't come in by any door. Statements are in an order in which they run; foreign keys may
//! point at tables further down.

use std::collections::HashSet;

use rest_schema::{
    Field, FieldId, FieldType, JoinColumn, KeyKind, Link, OnDelete, Relation, RelationKind, Resource,
    ResourceId, Schema,
};

use super::index::Needs;
use super::{Expression, name};
use crate::cell::Cell;

/// The statement that makes a resource's table.
pub fn table(schema: &Schema, id: ResourceId, expression: &Expression<'_>) -> String {
    Maker { schema, expression }.table(id, schema.resource(id))
}

/// The statements that make all tables and indexes of a schema.
pub fn statements(schema: &Schema, expression: &Expression<'_>) -> Vec<String> {
    let maker = Maker { schema, expression };
    let mut statements: Vec<String> = schema
        .resources()
        .map(|(id, resource)| maker.table(id, resource))
        .collect();
    let joins = maker.joins();
    statements.extend(joins.iter().flat_map(Join::statements));
    let mut names: HashSet<String> = schema
        .resources
        .iter()
        .map(|resource| resource.table.to_lowercase())
        .collect();
    names.extend(
        joins
            .iter()
            .flat_map(|join| [join.table.to_lowercase(), join.index_name().to_lowercase()]),
    );
    for resource in &schema.resources {
        statements.extend(maker.indexes(resource, &mut names));
    }
    statements
}

/// The column that is the rowid of a resource's table, where the key is one integer.
pub fn rowid<'s>(schema: &'s Schema, resource: &Resource) -> Option<&'s str> {
    match resource.key.fields[..] {
        [key] if matches!(schema.field(key).ty, FieldType::Integer | FieldType::Bigint) => {
            Some(&schema.field(key).column)
        }
        _ => None,
    }
}

struct Maker<'a> {
    schema: &'a Schema,
    expression: &'a Expression<'a>,
}

impl Maker<'_> {
    fn table(&self, id: ResourceId, resource: &Resource) -> String {
        let fields = (0u32..).zip(&resource.fields);
        let stored = fields.filter(|(_, field)| field.is_stored());
        let mut lines: Vec<String> = stored
            .map(|(index, field)| self.column(resource, FieldId { resource: id, index }, field))
            .collect();
        if rowid(self.schema, resource).is_none() {
            lines.push(format!("PRIMARY KEY ({})", self.names(&resource.key.fields)));
        }
        let uniques = resource
            .uniques
            .iter()
            .filter(|unique| unique.fields != resource.key.fields);
        lines.extend(uniques.map(|unique| format!("UNIQUE ({})", self.names(&unique.fields))));
        lines.extend(
            resource
                .relations
                .iter()
                .filter_map(|relation| self.foreign_key(relation)),
        );
        lines.extend(resource.checks.iter().map(|check| {
            format!(
                "CONSTRAINT {} CHECK ({})",
                name(&check.name),
                (self.expression)(&check.rule)
            )
        }));
        format!(
            "CREATE TABLE {} (\n  {}\n) STRICT",
            name(&resource.table),
            lines.join(",\n  ")
        )
    }

    fn names(&self, fields: &[FieldId]) -> String {
        let names: Vec<String> = fields
            .iter()
            .map(|id| name(&self.schema.field(*id).column))
            .collect();
        names.join(", ")
    }

    fn column(&self, resource: &Resource, id: FieldId, field: &Field) -> String {
        let column = name(&field.column);
        let mut text = format!("{column} {}", field.ty.row().sqlite);
        if rowid(self.schema, resource) == Some(&field.column) && resource.key.fields.contains(&id) {
            text.push_str(" PRIMARY KEY");
            if resource.key.kind == KeyKind::Autoincrement {
                // A key is not given to another row after a delete: addresses and tokens would point at it.
                text.push_str(" AUTOINCREMENT");
            }
        }
        if !field.optional {
            text.push_str(" NOT NULL");
        }
        if let Some(check) = check(&field.ty, &column) {
            text.push_str(&format!(" CHECK ({check})"));
        }
        text
    }

    fn foreign_key(&self, relation: &Relation) -> Option<String> {
        let Link::Keys { local, remote } = &relation.link else {
            return None;
        };
        if relation.kind != RelationKind::BelongsTo {
            return None;
        }
        // Not RESTRICT: that would refuse what the same statement's cascade is about to take away.
        let action = match relation.on_delete {
            OnDelete::Restrict => "",
            OnDelete::Cascade => " ON DELETE CASCADE",
            OnDelete::SetNull => " ON DELETE SET NULL",
        };
        Some(format!(
            "FOREIGN KEY ({}) REFERENCES {} ({}){action}",
            self.names(local),
            name(&self.schema.resource(relation.target).table),
            self.names(remote)
        ))
    }

    fn indexes(&self, resource: &Resource, names: &mut HashSet<String>) -> Vec<String> {
        let needs = Needs {
            schema: self.schema,
            expression: self.expression,
        };
        let rowid = rowid(self.schema, resource);
        let make = |needed: super::index::Needed| {
            let wanted = needed.name(&resource.table, rowid);
            let mut free = wanted.clone();
            let mut number = 2;
            while !names.insert(free.to_lowercase()) {
                free = format!("{wanted}_{number}");
                number += 1;
            }
            needed.statement(&free, &resource.table, rowid)
        };
        needs.of(resource).into_iter().map(make).collect()
    }

    /// Join tables, each once, without those that are a resource's own.
    fn joins(&self) -> Vec<Join> {
        let is_free = |table: &str| {
            !self
                .schema
                .resources
                .iter()
                .any(|resource| resource.table.eq_ignore_ascii_case(table))
        };
        let mut joins: Vec<Join> = Vec::new();
        let relations = self
            .schema
            .resources
            .iter()
            .flat_map(|resource| &resource.relations);
        for relation in relations.filter(|relation| relation.declared) {
            let Link::Join { table, local, remote } = &relation.link else {
                continue;
            };
            if is_free(table) && !joins.iter().any(|join| join.table.eq_ignore_ascii_case(table)) {
                joins.push(Join {
                    table: table.clone(),
                    local: self.side(local),
                    remote: self.side(remote),
                });
            }
        }
        joins
    }

    fn side(&self, columns: &[JoinColumn]) -> Side {
        let fields: Vec<FieldId> = columns.iter().map(|column| column.field).collect();
        let target = fields
            .first()
            .map(|field| self.schema.resource(field.resource).table.clone());
        let types = fields.iter().map(|id| self.schema.field(*id).ty.row().sqlite);
        Side {
            columns: columns.iter().map(|column| name(&column.column)).collect(),
            types: types.collect(),
            target: name(&target.unwrap_or_default()),
            keys: self.names(&fields),
        }
    }
}

/// A table of pairs.
struct Join {
    table: String,
    local: Side,
    remote: Side,
}

struct Side {
    columns: Vec<String>,
    types: Vec<&'static str>,
    target: String,
    keys: String,
}

impl Join {
    fn index_name(&self) -> String {
        format!("ix_{}_inverse", self.table)
    }

    /// The table, found from one side by its key, and the index that finds it from the other.
    fn statements(&self) -> [String; 2] {
        let sides = [&self.local, &self.remote];
        let mut lines: Vec<String> = sides
            .iter()
            .flat_map(|side| side.columns.iter().zip(&side.types))
            .map(|(column, ty)| format!("{column} {ty} NOT NULL"))
            .collect();
        let (local, remote) = (self.local.columns.join(", "), self.remote.columns.join(", "));
        lines.push(format!("PRIMARY KEY ({local}, {remote})"));
        lines.extend(sides.iter().map(|side| {
            let columns = side.columns.join(", ");
            format!(
                "FOREIGN KEY ({columns}) REFERENCES {} ({}) ON DELETE CASCADE",
                side.target, side.keys
            )
        }));
        let table = name(&self.table);
        [
            format!(
                "CREATE TABLE {table} (\n  {}\n) STRICT, WITHOUT ROWID",
                lines.join(",\n  ")
            ),
            format!(
                "CREATE INDEX {} ON {table} ({remote}, {local})",
                name(&self.index_name())
            ),
        ]
    }
}

/// What a column of a type holds, where the column's own type says too little.
fn check(ty: &FieldType, column: &str) -> Option<String> {
    match ty {
        FieldType::Boolean => Some(format!("{column} IN (0, 1)")),
        FieldType::Json => Some(format!("json_valid({column})")),
        FieldType::Enum(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            Some(format!("{column} IN ({})", words.join(", ")))
        }
        _ => None,
    }
}

/// A value as SQL; a definition can't have bound ones.
pub fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        // The least integer has no literal: its digits are read before its sign.
        Cell::Integer(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
        Cell::Integer(value) => value.to_string(),
        Cell::Real(value) => format!("{value:?}"),
        Cell::Text(text) => quoted(text),
        Cell::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{digits}'")
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
