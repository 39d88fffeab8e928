//! The tables of a service whose database is ours, as SQL. Pure.
//!
//! Every column is kept as [`Codec`](crate::codec::Codec) keeps it, on SQLite in `STRICT` tables, so that a value which does
//! not fit its type can't come in by any door. Statements are in an order in which they run; foreign keys may point at tables
//! further down, so that PostgreSQL is told them when all tables are there.

use std::collections::HashSet;

use rest_schema::{
    Field, FieldId, FieldType, JoinColumn, KeyKind, Link, OnDelete, Relation, RelationKind, Resource,
    ResourceId, Schema,
};

use super::index::Needs;
use super::{Expression, name, table_name};
use crate::cell::Cell;
use crate::sql::dialect::Dialect;
use crate::sql::search::Kept;

/// The statement that makes a resource's table.
pub fn table(schema: &Schema, dialect: Dialect, id: ResourceId, expression: &Expression<'_>) -> String {
    let maker = Maker {
        schema,
        dialect,
        expression,
    };
    maker.table(id, schema.resource(id))
}

/// The statements that make all tables and indexes of a schema.
pub fn statements(schema: &Schema, dialect: Dialect, expression: &Expression<'_>) -> Vec<String> {
    let maker = Maker {
        schema,
        dialect,
        expression,
    };
    let mut statements: Vec<String> = schema
        .resources()
        .map(|(id, resource)| maker.table(id, resource))
        .collect();
    let joins = maker.joins();
    statements.extend(joins.iter().flat_map(|join| join.statements(dialect)));
    if dialect == Dialect::Postgres {
        statements.extend(
            schema
                .resources
                .iter()
                .flat_map(|resource| maker.foreign_keys(resource)),
        );
    }
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
    statements.extend(Kept::all(schema, dialect).iter().flat_map(Kept::statements));
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
    dialect: Dialect,
    expression: &'a Expression<'a>,
}

impl Maker<'_> {
    fn table(&self, id: ResourceId, resource: &Resource) -> String {
        let fields = (0u32..).zip(&resource.fields);
        let stored = fields.filter(|(_, field)| field.is_stored());
        let mut lines: Vec<String> = stored
            .map(|(index, field)| self.column(resource, FieldId { resource: id, index }, field))
            .collect();
        if self.dialect == Dialect::Postgres || rowid(self.schema, resource).is_none() {
            lines.push(format!("PRIMARY KEY ({})", self.names(&resource.key.fields)));
        }
        let uniques = resource
            .uniques
            .iter()
            // Where deleted rows stay, an index over the others forbids equal ones.
            .filter(|unique| resource.kept.deleted.is_none() && unique.fields != resource.key.fields);
        lines.extend(uniques.map(|unique| format!("UNIQUE ({})", self.names(&unique.fields))));
        if self.dialect == Dialect::Sqlite {
            let relations = resource.relations.iter();
            lines.extend(relations.filter_map(|relation| self.foreign_key(relation)));
        }
        lines.extend(resource.checks.iter().map(|check| {
            format!(
                "CONSTRAINT {} CHECK ({})",
                name(&check.name),
                (self.expression)(&check.rule)
            )
        }));
        let strict = match self.dialect {
            Dialect::Sqlite => " STRICT",
            Dialect::Postgres => "",
        };
        format!(
            "CREATE TABLE {} (\n  {}\n){strict}",
            table_name(&resource.table),
            lines.join(",\n  ")
        )
    }

    /// Each on its own, for tables that are there.
    fn foreign_keys(&self, resource: &Resource) -> Vec<String> {
        let keys = resource
            .relations
            .iter()
            .filter_map(|relation| self.foreign_key(relation));
        let add = |key| format!("ALTER TABLE {} ADD {key}", table_name(&resource.table));
        keys.map(add).collect()
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
        let mut text = format!("{column} {}", declared(&field.ty, self.dialect));
        if rowid(self.schema, resource) == Some(&field.column) && resource.key.fields.contains(&id) {
            let counts = resource.key.kind == KeyKind::Autoincrement;
            // A key is not given to another row after a delete: addresses and tokens would point at it.
            text.push_str(match (self.dialect, counts) {
                (Dialect::Sqlite, true) => " PRIMARY KEY AUTOINCREMENT",
                (Dialect::Sqlite, false) => " PRIMARY KEY",
                (Dialect::Postgres, true) => " GENERATED BY DEFAULT AS IDENTITY",
                (Dialect::Postgres, false) => "",
            });
        }
        if !field.optional {
            text.push_str(" NOT NULL");
        }
        if let Some(check) = check(&field.ty, self.dialect, &column) {
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
        // So that a load may name rows before it makes them.
        let deferrable = match self.dialect {
            Dialect::Sqlite => "",
            Dialect::Postgres => " DEFERRABLE",
        };
        Some(format!(
            "FOREIGN KEY ({}) REFERENCES {} ({}){action}{deferrable}",
            self.names(local),
            table_name(&self.schema.resource(relation.target).table),
            self.names(remote)
        ))
    }

    fn indexes(&self, resource: &Resource, names: &mut HashSet<String>) -> Vec<String> {
        let needs = Needs {
            schema: self.schema,
            expression: self.expression,
        };
        let rowid = match self.dialect {
            Dialect::Sqlite => rowid(self.schema, resource),
            Dialect::Postgres => None,
        };
        let make = |needed: super::index::Needed| {
            let wanted = needed.name(&resource.table, rowid);
            let wanted = self.dialect.shortened(wanted);
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
        for relation in relations.filter(|relation| relation.declared && relation.through.is_none()) {
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
        let types = fields
            .iter()
            .map(|id| declared(&self.schema.field(*id).ty, self.dialect));
        Side {
            columns: columns.iter().map(|column| name(&column.column)).collect(),
            types: types.collect(),
            target: table_name(&target.unwrap_or_default()),
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
    types: Vec<String>,
    target: String,
    keys: String,
}

impl Join {
    fn index_name(&self) -> String {
        format!("ix_{}_inverse", self.table)
    }

    /// The table, found from one side by its key, and the index that finds it from the other.
    fn statements(&self, dialect: Dialect) -> [String; 2] {
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
            let deferrable = match dialect {
                Dialect::Sqlite => "",
                Dialect::Postgres => " DEFERRABLE",
            };
            format!(
                "FOREIGN KEY ({columns}) REFERENCES {} ({}) ON DELETE CASCADE{deferrable}",
                side.target, side.keys
            )
        }));
        let table = table_name(&self.table);
        let strict = match dialect {
            Dialect::Sqlite => " STRICT, WITHOUT ROWID",
            Dialect::Postgres => "",
        };
        let index = dialect.shortened(self.index_name());
        [
            format!("CREATE TABLE {table} (\n  {}\n){strict}", lines.join(",\n  ")),
            format!("CREATE INDEX {} ON {table} ({remote}, {local})", name(&index)),
        ]
    }
}

/// A column's type where the table is ours.
fn declared(ty: &FieldType, dialect: Dialect) -> String {
    let row = ty.row();
    match (dialect, ty) {
        (Dialect::Sqlite, _) => row.sqlite.to_owned(),
        (Dialect::Postgres, FieldType::Decimal { precision, scale }) => {
            format!("numeric({precision}, {scale})")
        }
        // In the order of code points, whatever the database's own order is: the same everywhere, and an index serves it.
        (Dialect::Postgres, _) if row.postgres == "text" => "text COLLATE \"C\"".to_owned(),
        (Dialect::Postgres, _) => row.postgres.to_owned(),
    }
}

/// What a column of a type holds, where the column's own type says too little.
fn check(ty: &FieldType, dialect: Dialect, column: &str) -> Option<String> {
    match (ty, dialect) {
        (FieldType::Boolean, Dialect::Sqlite) => Some(format!("{column} IN (0, 1)")),
        (FieldType::Json, Dialect::Sqlite) => Some(format!("json_valid({column})")),
        (FieldType::Enum(words), _) => {
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
