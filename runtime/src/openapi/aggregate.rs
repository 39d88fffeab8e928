//! What is worked out of a collection, by groups.

use rest_schema::types::Kind;
use rest_schema::{Aggregate, Field, FieldType, ResourceId};
use serde_json::{Value, json};

use super::field::{self, LONGEST_QUERY, Object, Use};
use super::response::LONGEST_TEXT;
use super::{Document, object};
use crate::request::aggregate::{COUNT, FUNCTIONS, FunctionRow, MAX_ITEMS, is_groupable};

impl Document<'_> {
    /// The groups, each with what is told of it.
    pub(super) fn aggregated(&self, id: ResourceId) -> Value {
        let by = self.single(id, is_groupable);
        let by: Vec<_> = by
            .map(|(path, field)| (path, self.value_or_null(field)))
            .collect();
        let mut members = Object::new();
        if !by.is_empty() {
            members.insert("group".to_owned(), by_path(by));
        }
        let count = json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX });
        members.insert(COUNT.to_owned(), count);
        for row in FUNCTIONS {
            let fields = self.single(id, |field| row.takes(field));
            let told: Vec<_> = fields
                .map(|(path, field)| (path, self.result(row, field)))
                .collect();
            if !told.is_empty() {
                members.insert(row.word.to_owned(), by_path(told));
            }
        }
        let items = json!({ "type": "array", "items": object(members, &[]), "maxItems": MAX_ITEMS });
        object([("items", items)], &["items"])
    }

    /// What a function gives of a field: null where there are no values.
    fn result(&self, row: &FunctionRow, field: &Field) -> Value {
        let number = json!({ "type": ["number", "null"], "format": "double" });
        match (row.function, field.ty.kind()) {
            (Aggregate::Min | Aggregate::Max, _) => self.value_or_null(field),
            (Aggregate::Sum, Kind::Integer) => json!({ "type": ["integer", "null"] }),
            (Aggregate::Sum, Kind::Decimal) => {
                let digits = match field.ty {
                    FieldType::Decimal { scale, .. } if scale > 0 => format!(r"\.[0-9]{{{scale}}}"),
                    _ => String::new(),
                };
                let pattern = format!("^-?(0|[1-9][0-9]*){digits}$");
                json!({ "type": ["string", "null"], "pattern": pattern, "maxLength": LONGEST_QUERY })
            }
            _ => number,
        }
    }

    /// A value of a field, as items show it, or null.
    fn value_or_null(&self, field: &Field) -> Value {
        let usage = Use::Shown {
            limits: self.model.schema.managed != Some(false),
        };
        let own = Field {
            optional: true,
            ..field.clone()
        };
        Value::Object(field::schema(&own, None, usage, self.model.schema.limits.body))
    }
}

/// Values by the paths of their fields; those of paths through several relations stand in no list.
fn by_path(all: Vec<(String, Value)>) -> Value {
    let mut by_path = object(all, &[]);
    by_path["additionalProperties"] = json!({
        "type": ["string", "number", "boolean", "null"],
        "maxLength": LONGEST_TEXT,
        "description": "a field at the end of a longer path",
    });
    by_path
}
