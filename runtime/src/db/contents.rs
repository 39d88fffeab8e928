//! What typed code sets, as what a body would say.

use rest_schema::{FieldType, Value};

use crate::model::Model;
use crate::problem::Problem;
use crate::request::body::{self, Json};
use crate::typed::{Binding, Given, Set};
use crate::validate::Content;

/// By field: what it is given.
pub(crate) fn contents<R>(
    model: &Model,
    binding: &Binding,
    sets: impl IntoIterator<Item = Set<R>>,
) -> Result<Vec<(u32, Content)>, Problem> {
    let mut contents = Vec::new();
    for set in sets {
        let fields = binding.columns.get(set.place).map_or(&[][..], Vec::as_slice);
        match set.given {
            Given::Plain(plain) => {
                let plain =
                    |field: &rest_schema::FieldId| (field.index, Content::Json(Json::Text(plain.clone())));
                contents.extend(fields.iter().map(plain));
            }
            Given::Values(values) => {
                for (field, value) in fields.iter().zip(values) {
                    let content = match (&model.field(*field).ty, value) {
                        (FieldType::Password, Value::Text(hash)) => Content::Hash(hash),
                        (_, value) => Content::Json(json(value)?),
                    };
                    contents.push((field.index, content));
                }
            }
        }
    }
    Ok(contents)
}

/// A value as a body would say it.
fn json(value: Value) -> Result<Json, Problem> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(flag),
        Value::Integer(number) => Json::Integer(number),
        Value::Float(number) => Json::Float(number.get()),
        Value::Text(text) => Json::Text(text),
        Value::Json(document) => body::parse(document.as_bytes())?,
        other => Json::Text(other.to_wire()),
    })
}
