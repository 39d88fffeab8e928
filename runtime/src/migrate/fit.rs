//! Whether a schema fits the tables that stand in a database: every mismatch at once, and what would be better. Pure.
//!
//! A mismatch is something by which a request would be answered wrongly or not at all. What only makes one slow, or lets
//! the owner's other programs write what the schema forbids, is advice.

mod advice;
mod relations;

use std::fmt;

use rest_schema::diagnostic::nearest;
use rest_schema::types::Kind;
use rest_schema::{DefaultValue, Field, FieldRole, FieldType, KeyKind, Resource, ResourceId, Schema};

use super::catalogue::{Catalogue, Column, Native, Table};
use super::{Expression, Ownership, create, search};
use crate::codec::{Affinity, Codec, ColumnType, Form, UuidForm};
use crate::sql::dialect::{Dialect, LONGEST_NAME};

/// Digits of a decimal that an integer of 64 bits keeps.
const DIGITS_OF_INTEGER: u8 = 18;

/// What came of comparing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fit {
    /// How each field's column is kept: by resource, then by field.
    pub forms: Vec<Vec<Form>>,
    /// Why the schema can't be served on this database; empty where it can.
    pub mismatches: Vec<Finding>,
    /// What would be better.
    pub advice: Vec<Finding>,
    /// Filters and orders that no index of another program's serves.
    pub costs: Vec<Finding>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: `Post`, `Post.title`.
    pub place: String,
    /// What: lower case, no full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// A statement that the database's owner may run.
    pub statement: Option<String>,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            help: None,
            statement: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        match &self.statement {
            Some(statement) => write!(f, "\n  {statement};"),
            None => Ok(()),
        }
    }
}

/// What no table of ours could keep.
pub fn unkeepable(schema: &Schema, dialect: Dialect) -> Vec<Finding> {
    match dialect {
        Dialect::Sqlite => too_many_digits(schema),
        Dialect::Postgres => too_long_names(schema),
    }
}

fn too_long_names(schema: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut look = |place: String, name: &str, word: &str| {
        if name.split('.').any(|part| part.len() > LONGEST_NAME) {
            let message = format!(
                "PostgreSQL keeps {LONGEST_NAME} bytes of a name, and {name} has {}",
                name.len()
            );
            findings.push(Finding::new(place, message).help(format!("`{word}:` gives it a shorter one")));
        }
    };
    for resource in &schema.resources {
        look(resource.name.clone(), &resource.table, "table");
        for field in resource.fields.iter().filter(|field| field.is_stored()) {
            look(
                format!("{}.{}", resource.name, field.name),
                &field.column,
                "column",
            );
        }
    }
    findings
}

fn too_many_digits(schema: &Schema) -> Vec<Finding> {
    let fields = schema
        .resources
        .iter()
        .flat_map(|resource| resource.fields.iter().map(move |field| (resource, field)));
    let too_long = fields.filter(|(_, field)| {
        matches!(field.ty, FieldType::Decimal { precision, .. } if precision > DIGITS_OF_INTEGER)
            && field.is_stored()
    });
    let finding = |(resource, field): (&Resource, &Field)| {
        let place = format!("{}.{}", resource.name, field.name);
        let message = format!("SQLite keeps at most {DIGITS_OF_INTEGER} digits of a decimal exactly");
        Finding::new(place, message).help(format!("`precision: {DIGITS_OF_INTEGER}` or less"))
    };
    too_long.map(finding).collect()
}

/// Compares a schema with what stands in a database.
pub fn fit(
    schema: &Schema,
    dialect: Dialect,
    catalogue: &Catalogue,
    ownership: Ownership,
    expression: &Expression<'_>,
) -> Fit {
    let mut fit = Fit::default();
    if dialect == Dialect::Sqlite && ownership == Ownership::Foreign && catalogue.journal_mode != "wal" {
        let advice = format!(
            "its journal mode is {}: readers and the writer wait for each other",
            catalogue.journal_mode
        );
        let help = "`storage: { journal: wal }` switches it, for every program that uses the file";
        fit.advice.push(Finding::new("the database", advice).help(help));
    }
    for (id, resource) in schema.resources() {
        let before = fit.mismatches.len();
        let mut comparison = Comparison {
            schema,
            dialect,
            catalogue,
            ownership,
            resource,
            fit: &mut fit,
        };
        comparison.compare(id);
        if ownership == Ownership::Ours && comparison.fit.mismatches.len() == before {
            comparison.definition(&create::table(schema, dialect, id, expression));
        }
        comparison.advise_indexes(expression);
        comparison.count_costs(id);
    }
    match (ownership, dialect) {
        (Ownership::Ours, _) => {}
        (Ownership::Foreign, Dialect::Sqlite) => {
            fit.mismatches.extend(search::missing(schema, dialect, catalogue));
        }
        (Ownership::Foreign, Dialect::Postgres) => {
            fit.advice.extend(search::missing(schema, dialect, catalogue));
        }
    }
    fit
}

struct Comparison<'a> {
    schema: &'a Schema,
    dialect: Dialect,
    catalogue: &'a Catalogue,
    ownership: Ownership,
    resource: &'a Resource,
    fit: &'a mut Fit,
}

impl Comparison<'_> {
    fn compare(&mut self, id: ResourceId) {
        let Some(table) = self.catalogue.table(&self.resource.table) else {
            let names = self.catalogue.tables.iter().map(|table| table.name.as_str());
            let near = nearest(&self.resource.table, names).map(|near| format!("; the nearest is {near}"));
            let message = format!(
                "there is no table {}{}",
                self.resource.table,
                near.unwrap_or_default()
            );
            let help = "`table:` says what it is called";
            self.fit
                .mismatches
                .push(Finding::new(&self.resource.name, message).help(help));
            let forms = self.resource.fields.iter().map(|field| self.own_form(field));
            let forms = forms.collect();
            self.fit.forms.push(forms);
            return;
        };
        let mut forms = Vec::new();
        for field in &self.resource.fields {
            forms.push(self.form(table, field));
        }
        self.fit.forms.push(forms);
        self.key(table);
        self.rest_of_columns(table);
        self.uniques(table);
        for relation in &self.resource.relations {
            self.relation(id, table, relation);
        }
    }

    fn mismatch(&mut self, field: Option<&Field>, message: impl Into<String>, help: &str) {
        let place = self.place(field);
        self.fit.mismatches.push(Finding::new(place, message).help(help));
    }

    fn place(&self, field: Option<&Field>) -> String {
        match field {
            Some(field) => format!("{}.{}", self.resource.name, field.name),
            None => self.resource.name.clone(),
        }
    }

    fn form(&mut self, table: &Table, field: &Field) -> Form {
        if !field.is_stored() {
            return match (self.dialect, self.ownership) {
                (Dialect::Sqlite, Ownership::Foreign) => Form::foreign(""),
                _ => self.own_form(field),
            };
        }
        let Some(column) = table.column(&field.column) else {
            let near = nearest(
                &field.column,
                table.columns.iter().map(|column| column.name.as_str()),
            );
            let near = near
                .map(|near| format!("; the nearest is {near}"))
                .unwrap_or_default();
            let message = format!("{} has no column {}{near}", table.name, field.column);
            self.mismatch(Some(field), message, "`column:` says what it is called");
            return self.own_form(field);
        };
        self.column(table, column, field);
        match (&column.native, self.ownership) {
            (Some(native), _) => Form::Native(ColumnType {
                name: column.declared.clone(),
                is_in_order_of_bytes: native.is_in_order_of_bytes,
            }),
            (None, Ownership::Ours) => Form::Ours,
            (None, Ownership::Foreign) => Form::foreign(&column.declared),
        }
    }

    fn holds(&self, column: &Column, ty: &FieldType) -> bool {
        match &column.native {
            Some(native) => holds_native(native, ty),
            None => holds(&column.declared, ty),
        }
    }

    fn own_form(&self, field: &Field) -> Form {
        match self.dialect {
            Dialect::Sqlite => Form::Ours,
            Dialect::Postgres => Form::Native(ColumnType::ours(&field.ty)),
        }
    }

    fn column(&mut self, table: &Table, column: &Column, field: &Field) {
        let declared = if column.declared.is_empty() {
            "no type"
        } else {
            &column.declared
        };
        let fits = match (&column.native, self.ownership) {
            (Some(_), Ownership::Ours) => column.declared == native_name(field.ty.row().postgres),
            (None, Ownership::Ours) => column.declared.eq_ignore_ascii_case(field.ty.row().sqlite),
            (_, Ownership::Foreign) => self.holds(column, &field.ty),
        };
        if !fits {
            let message = format!(
                "{}.{} is declared {declared}, which can't hold {}",
                table.name,
                column.name,
                field.ty.name()
            );
            self.mismatch(
                Some(field),
                message,
                "the type is to be one that the column's values are of",
            );
        }
        self.key_form(table, column, field);
        self.column_rules(table, column, field);
        self.advise_decimal(table, column, field);
    }

    /// Keys travel to the database in lists as JSON, which has no bytes.
    fn key_form(&mut self, table: &Table, column: &Column, field: &Field) {
        let codec = Codec::new(&field.ty, &Form::foreign(&column.declared));
        let is_key = column.key_place > 0 || field.role != FieldRole::Plain;
        if is_key
            && column.native.is_none()
            && self.ownership == Ownership::Foreign
            && codec == Codec::Uuid(UuidForm::Bytes)
        {
            let message = format!(
                "{}.{} keeps a key as bytes, which isn't served",
                table.name, column.name
            );
            self.mismatch(Some(field), message, "a key that is an integer or a text");
        }
    }

    /// NOT NULL, DEFAULT, GENERATED.
    fn column_rules(&mut self, table: &Table, column: &Column, field: &Field) {
        let is_rowid = table.rowid.as_deref() == Some(column.name.as_str());
        if column.is_generated && field.is_accepted() {
            let message = format!("{}.{} is computed by the database", table.name, column.name);
            self.mismatch(Some(field), message, "`readonly: true`");
        }
        if field.optional && column.is_required && !is_rowid {
            let message = format!(
                "{}.{} is NOT NULL, and the field is optional",
                table.name, column.name
            );
            self.mismatch(
                Some(field),
                message,
                "without `optional: true`, or with the column's NOT NULL gone",
            );
        }
        if !field.optional && !column.is_required && column.key_place == 0 {
            let message = format!(
                "{}.{} may be NULL, and the field is not optional",
                table.name, column.name
            );
            self.mismatch(Some(field), message, "`optional: true`");
        }
        let fills = is_rowid || column.default.is_some() || column.is_generated;
        if field.default == Some(DefaultValue::Database) && !fills && !field.optional {
            let message = format!("{}.{} has no DEFAULT", table.name, column.name);
            self.mismatch(Some(field), message, "another `default:`, or none");
        }
    }

    fn key(&mut self, table: &Table) {
        let columns: Vec<&str> = self
            .resource
            .key
            .fields
            .iter()
            .map(|id| self.schema.field(*id).column.as_str())
            .collect();
        if columns.iter().any(|column| table.column(column).is_none()) {
            return;
        }
        if table.is_view {
            let message = format!("{} is a view", table.name);
            self.mismatch(None, message, "a resource is kept in a table");
        } else if !table.is_unique(&columns, false) {
            let message = format!(
                "{} has neither a primary key nor a UNIQUE on ({})",
                table.name,
                columns.join(", ")
            );
            self.mismatch(None, message, "`key:` names what tells one row from another");
        } else if self.resource.key.kind == KeyKind::Autoincrement
            && table.rowid.as_deref() != columns.first().copied()
        {
            let counted = match self.dialect {
                Dialect::Sqlite => "INTEGER PRIMARY KEY",
                Dialect::Postgres => "an identity or a serial",
            };
            let message = format!(
                "{}.{} isn't {counted}, so nothing counts it up",
                table.name,
                columns.join(", ")
            );
            self.mismatch(
                None,
                message,
                "a key that the client gives: `key: { by_client: true }`, or a natural one",
            );
        }
    }

    /// Columns that the schema doesn't speak of.
    fn rest_of_columns(&mut self, table: &Table) {
        if self.resource.access.create.is_none() {
            return;
        }
        let is_known = |column: &Column| {
            let mut stored = self.resource.fields.iter().filter(|field| field.is_stored());
            stored.any(|field| field.column.eq_ignore_ascii_case(&column.name))
        };
        let fills = |column: &Column| {
            column.default.is_some()
                || column.is_generated
                || table.rowid.as_deref() == Some(column.name.as_str())
        };
        let missing = table
            .columns
            .iter()
            .filter(|column| column.is_required && !fills(column) && !is_known(column));
        for column in missing.collect::<Vec<_>>() {
            let message = format!(
                "{}.{} is NOT NULL without a DEFAULT, and no field is kept there: nothing could be created",
                table.name, column.name
            );
            self.mismatch(None, message, "a field for it, or no `create:` in `access:`");
        }
    }

    fn uniques(&mut self, table: &Table) {
        for unique in &self.resource.uniques {
            let fields: Vec<&Field> = unique.fields.iter().map(|id| self.schema.field(*id)).collect();
            let columns: Vec<&str> = fields.iter().map(|field| field.column.as_str()).collect();
            let all_there = columns.iter().all(|column| table.column(column).is_some());
            let in_part = self.resource.kept.deleted.is_some();
            if all_there && !table.is_unique(&columns, in_part) {
                let message = format!("{} has no UNIQUE on ({})", table.name, columns.join(", "));
                let field = if let [field] = fields[..] {
                    Some(field)
                } else {
                    None
                };
                self.mismatch(field, message, "without `unique`, or with a unique index there");
            }
        }
    }

    /// What the catalogue doesn't tell apart: checks, and the words of an enum.
    fn definition(&mut self, definition: &str) {
        let table = self.catalogue.table(&self.resource.table);
        if table.is_some_and(|table| table.definition != definition) {
            let message = format!(
                "{} was made by another schema: its checks or the words of its enums differ",
                self.resource.table
            );
            self.mismatch(None, message, "the schema as it was, or another database");
        }
    }
}

/// A type's name as PostgreSQL's catalogue has it.
fn native_name(name: &str) -> &str {
    match name {
        "timestamptz" => "timestamp with time zone",
        "time" => "time without time zone",
        other => other,
    }
}

/// Whether a column of PostgreSQL's type keeps values of ours.
fn holds_native(native: &Native, ty: &FieldType) -> bool {
    let base = native.base.as_str();
    let is_text = matches!(
        base,
        "text" | "character varying" | "character" | "citext" | "name"
    );
    match ty.kind() {
        Kind::Text if *ty == FieldType::Password => is_text || base == "bytea",
        Kind::Text => is_text || native.is_enum || matches!(base, "uuid" | "inet" | "cidr" | "xml"),
        Kind::Integer => matches!(base, "smallint" | "integer" | "bigint"),
        Kind::Float => matches!(base, "real" | "double precision"),
        Kind::Decimal => base == "numeric",
        Kind::Boolean => base == "boolean",
        Kind::Date => base == "date",
        Kind::Time => base == "time without time zone",
        Kind::Timestamp => matches!(base, "timestamp with time zone" | "timestamp without time zone"),
        Kind::Uuid => base == "uuid" || is_text,
        Kind::Json => matches!(base, "json" | "jsonb") || base.strip_suffix("[]").is_some_and(is_member),
        Kind::Bytes => base == "bytea",
    }
}

/// Whether arrays of a type are served, as lists in JSON.
fn is_member(of: &str) -> bool {
    matches!(
        of,
        "text"
            | "character varying"
            | "smallint"
            | "integer"
            | "bigint"
            | "boolean"
            | "real"
            | "double precision"
            | "numeric"
            | "uuid"
            | "date"
    )
}

/// Whether a column declared so keeps values of a type as SQLAlchemy writes them.
fn holds(declared: &str, ty: &FieldType) -> bool {
    let affinity = Affinity::of(declared);
    match ty.kind() {
        Kind::Text => matches!(affinity, Affinity::Text | Affinity::Blob),
        Kind::Integer => matches!(affinity, Affinity::Integer | Affinity::Numeric | Affinity::Blob),
        Kind::Float => matches!(affinity, Affinity::Real | Affinity::Numeric | Affinity::Blob),
        Kind::Decimal => matches!(
            affinity,
            Affinity::Numeric | Affinity::Real | Affinity::Text | Affinity::Blob
        ),
        Kind::Boolean => matches!(affinity, Affinity::Numeric | Affinity::Integer | Affinity::Blob),
        Kind::Date | Kind::Time | Kind::Timestamp | Kind::Json | Kind::Uuid => {
            matches!(affinity, Affinity::Numeric | Affinity::Text | Affinity::Blob)
        }
        Kind::Bytes => matches!(affinity, Affinity::Blob | Affinity::Numeric),
    }
}
