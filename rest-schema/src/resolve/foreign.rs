//! The fields that relations make: one for each part of the target's key.

use super::fields::{Maker, empty, is_expression, unchecked};
use super::key::{Part, foreign_parts};
use super::{Origin, deprecated, names};
use crate::diagnostic::Diagnostic;
use crate::naming::{plural, singular};
use crate::raw::{Block, Named};
use crate::schema::{DefaultValue, Field, FieldRole, RelationId, ResourceId};
use crate::types::FieldType;
use crate::value::Value;

impl Maker<'_> {
    /// The fields that hold the key of a relation's target.
    pub(super) fn foreign(&mut self, block: &Block, at: usize, origin: Origin) -> Vec<Field> {
        let named = &block.named("belongs_to")[at];
        let written = &named.block;
        let parts = match self
            .target(named)
            .and_then(|target| self.keys.get(target.0 as usize))
        {
            Some(plan) => foreign_parts(&named.name.text, plan),
            None => {
                let name = format!("{}_id", named.name.text);
                self.draft.broken.extend([name.clone(), named.name.text.clone()]);
                vec![Part {
                    name,
                    ty: FieldType::Bigint,
                }]
            }
        };
        let columns = self.columns(named, parts.len());
        let relation = RelationId {
            resource: self.id,
            index: u32::try_from(at).unwrap_or(u32::MAX),
        };
        let deprecated = deprecated::read(written, self.diagnostics);
        let default = self.foreign_default(written, block, parts.len());
        let mut fields = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let mut field = empty(&part.name, part.ty.clone());
            field.role = FieldRole::ForeignKey(relation);
            field.column = columns.get(index).cloned().unwrap_or(field.column);
            names::sql_name("column", &field.column, named.name.span, self.diagnostics);
            Self::foreign_flags(&mut field, written);
            field.deprecated = deprecated;
            field.default.clone_from(&default);
            self.wire(&mut field, written, &named.name);
            if self.plan.origins.contains(&origin) {
                field.immutable = true;
            }
            self.settable(&field, block, named);
            fields.push(field);
        }
        self.contradictions(written);
        fields
    }

    /// The field that holds the keys to which a writable many-to-many leads.
    pub(super) fn keys(&mut self, block: &Block, at: usize) -> Option<Field> {
        let named = &block.named("many_to_many")[at];
        // What the key of a resource is that isn't seen here, nobody knows.
        let target = self.target(named).filter(|target| !self.draft.is_stub(*target))?;
        // A key of several fields is a fault of the relation itself.
        let [part] = self.keys.get(target.0 as usize)?.parts.as_slice() else {
            return None;
        };
        let relation = singular(&named.name.text);
        let mut field = empty(
            &format!("{relation}_{}", plural(&part.name)),
            FieldType::Keys(Box::new(part.ty.clone())),
        );
        field.default = Some(DefaultValue::Literal(Value::of_keys(Vec::new())));
        let place = block.named("belongs_to").len() + at;
        field.role = FieldRole::Keys(RelationId {
            resource: self.id,
            index: u32::try_from(place).unwrap_or(u32::MAX),
        });
        self.wire(&mut field, &named.block, &named.name);
        Some(field)
    }

    /// The resource that a relation leads to, if there is one.
    fn target(&self, named: &Named) -> Option<ResourceId> {
        let to = named.block.text("to")?;
        self.draft
            .ids()
            .find(|id| self.draft.sketch(*id).name.text == to.text)
    }

    /// What a relation leads to where a body doesn't say.
    fn foreign_default(&mut self, written: &Block, resource: &Block, parts: usize) -> Option<DefaultValue> {
        let node = written.literal("default")?;
        let text = node.scalar();
        match text.as_ref().map(|text| (text.text.as_str(), text)) {
            Some(("me", _)) => Some(DefaultValue::Me),
            Some(("database", _)) => Some(DefaultValue::Database),
            Some((path, text)) if parts == 1 && is_expression(path, resource) => {
                Some(DefaultValue::Expression(unchecked(text)))
            }
            _ => {
                let what = text.map_or_else(String::new, |text| format!(", not `{}`", text.text));
                let message = if parts == 1 {
                    format!("the default of a relation is `me`, `database` or a path{what}")
                } else {
                    format!("the default of a relation to a key of {parts} fields is `database`{what}")
                };
                let help = "write a field of the caller's account, as `me.team_id`, or of a related row, as `author.team_id`";
                self.push(Diagnostic::new("bad-default", node.span, message).help(help));
                None
            }
        }
    }

    fn foreign_flags(field: &mut Field, written: &Block) {
        field.optional = written.is("optional");
        field.immutable = written.is("immutable");
        field.readonly = written.is("readonly");
        field.readable = written.text("readable").map(unchecked);
        field.writable = written.text("writable").map(unchecked);
        field.filterable = written.flag("filterable").unwrap_or(true);
        field.sortable = written.flag("sortable").unwrap_or(true);
    }

    fn columns(&mut self, named: &Named, parts: usize) -> Vec<String> {
        let written = &named.block;
        let columns = written.texts("columns");
        let wrong =
            |key: &str, message: String| Diagnostic::new("wrong-columns", written.place(key), message);
        match (written.text("column"), columns) {
            (Some(_), [_, ..]) => {
                self.push(wrong(
                    "columns",
                    "`column` and `columns` can't stand beside each other".to_owned(),
                ));
                Vec::new()
            }
            (Some(_), []) if parts > 1 => {
                let message =
                    format!("the key of the target has {parts} fields, so there are {parts} columns");
                self.push(wrong("column", message).help("name them by `columns: [..]`"));
                Vec::new()
            }
            (Some(column), []) => vec![column.text.clone()],
            (None, columns) => {
                if !columns.is_empty() && columns.len() != parts {
                    let message = format!("the key of the target has {parts} fields, not {}", columns.len());
                    self.push(wrong("columns", message));
                }
                if let Some(api_name) = written.text("api_name").filter(|_| parts > 1) {
                    let message = "one name on the wire can't stand for several fields";
                    self.push(Diagnostic::new("wrong-columns", api_name.span, message));
                }
                columns.iter().map(|column| column.text.clone()).collect()
            }
        }
    }
}
