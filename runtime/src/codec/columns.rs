//! The columns of a service: in what a database keeps them, and how their cells are read.

use rest_schema::types::Kind;
use rest_schema::{Field, FieldType, Link, Schema};

use super::{Codec, Form};
use crate::sql::dialect::Dialect;

/// How the fields of a service are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// The database's language.
    pub dialect: Dialect,
    /// The codec of each field: by resource, then by field.
    pub codecs: Vec<Vec<Codec>>,
    /// The type of each column where values have to be told theirs; empty on SQLite.
    pub types: Vec<Vec<ColumnType>>,
}

/// A column's type on PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnType {
    /// Its name as in a cast, without length or precision: `character varying`, `"public"."mood"`.
    pub name: String,
    /// Whether the column's own order of texts is that of their bytes.
    pub is_in_order_of_bytes: bool,
}

impl ColumnType {
    /// That of a column of ours.
    pub fn ours(ty: &FieldType) -> Self {
        Self {
            name: ty.row().postgres.to_owned(),
            is_in_order_of_bytes: true,
        }
    }

    /// Whether it holds texts, so that a value of it compares as one.
    pub fn is_text(&self) -> bool {
        matches!(
            self.name.as_str(),
            "text" | "character varying" | "character" | "citext" | "name"
        )
    }

    /// What a column needs after it to be compared as the text that its field is; with `order`, as one that is less or
    /// greater than another.
    pub fn as_text(&self, field: &Field, order: bool) -> &'static str {
        if field.ty.kind() != Kind::Text {
            return "";
        }
        let is_word = matches!(field.ty, FieldType::Enum(_));
        match (self.is_text(), order) {
            (true, true) if !self.is_in_order_of_bytes => " COLLATE \"C\"",
            (true, _) => "",
            (false, true) => "::text COLLATE \"C\"",
            (false, false) if is_word => "",
            (false, false) => "::text",
        }
    }
}

impl Columns {
    /// Columns that are kept in these forms: by resource, then by field.
    pub fn new(schema: &Schema, dialect: Dialect, forms: &[Vec<Form>]) -> Self {
        let codec = |(field, form): (&Field, &Form)| Codec::new(&field.ty, form);
        let of_type = |(field, form): (&Field, &Form)| match form {
            Form::Native(of) => of.clone(),
            Form::Ours | Form::Foreign { .. } => ColumnType::ours(&field.ty),
        };
        let all = || schema.resources.iter().zip(forms);
        let mut codecs: Vec<Vec<Codec>> = all()
            .map(|(resource, forms)| resource.fields.iter().zip(forms).map(codec).collect())
            .collect();
        keys_as_where_they_are(schema, &mut codecs);
        Self {
            dialect,
            codecs,
            types: match dialect {
                Dialect::Sqlite => Vec::new(),
                Dialect::Postgres => all()
                    .map(|(resource, forms)| resource.fields.iter().zip(forms).map(of_type).collect())
                    .collect(),
            },
        }
    }

    /// Those of tables that are ours.
    pub fn ours(schema: &Schema, dialect: Dialect) -> Self {
        let form = |field: &Field| match dialect {
            Dialect::Sqlite => Form::Ours,
            Dialect::Postgres => Form::Native(ColumnType::ours(&field.ty)),
        };
        let forms: Vec<Vec<Form>> = schema
            .resources
            .iter()
            .map(|resource| resource.fields.iter().map(form).collect())
            .collect();
        Self::new(schema, dialect, &forms)
    }
}

/// Keys of related items are read as the resource keeps them that they are keys of.
fn keys_as_where_they_are(schema: &Schema, codecs: &mut [Vec<Codec>]) {
    for (id, resource) in schema.resources() {
        for (index, relation) in (0..).zip(resource.fields.iter().map(Field::keys_of)) {
            let link = relation.map(|relation| &schema.relation(relation).link);
            if let Some(Link::Join { remote, .. }) = link
                && let [key] = remote.as_slice()
            {
                let of = codecs[key.field.resource.0 as usize][key.field.index as usize].clone();
                codecs[id.0 as usize][index] = Codec::Keys(Box::new(of));
            }
        }
    }
}
