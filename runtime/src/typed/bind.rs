//! Structs held against the schema that is served: which resource a struct is, and which of its fields is where.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rest_schema::{Field, FieldId, FieldType, Link, Resource, ResourceId, Schema};

use super::{Column, Kinds, Struct};
use crate::caller::Caller;
use crate::model::Model;
use crate::plan::expr::Expr;
use crate::plan::level::{Level, SharedLevel, Shown};
use crate::plan::lower::Kind;
use crate::scope::Act;

/// Where a struct and the schema don't agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The resource, and the struct's field where it is one, as the schema calls them.
    pub place: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for Mismatch {}

/// A struct's place in a service.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) resource: ResourceId,
    /// By column: the fields whose values it holds.
    pub(crate) columns: Vec<Vec<FieldId>>,
    /// Whether a column is computed, so that its value is known of a stored row only.
    pub(crate) has_computed: bool,
    /// What is read of a row to make the struct: for anonymous callers, and for accounts.
    levels: [SharedLevel; 2],
}

impl Binding {
    /// What is read of a row to make the struct.
    pub(crate) fn level(&self, model: &Model, caller: &Caller) -> SharedLevel {
        if self.has_computed && caller.is_limited() {
            return level(self.resource, &self.columns, &|field| {
                model.computed_for(field, caller)
            });
        }
        let kind = caller.kind_in(self.resource, Act::Read);
        self.levels[usize::from(kind == Kind::Account)].clone()
    }

    /// The fields of all columns, in the order in which the struct takes their values.
    pub(crate) fn fields(&self) -> impl Iterator<Item = FieldId> {
        self.columns.iter().flatten().copied()
    }
}

/// The structs of a service, as far as they have been met.
#[derive(Debug, Default)]
pub(crate) struct Bindings(RwLock<HashMap<TypeId, Arc<Binding>>>);

impl Bindings {
    /// A struct's place: found before, or found out now.
    pub(crate) fn get(&self, model: &Model, of: &Struct) -> Result<Arc<Binding>, Vec<Mismatch>> {
        let id = (of.id)();
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(known));
        }
        let binding = Arc::new(bind(model, of)?);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(all.entry(id).or_insert(binding)))
    }
}

fn bind(model: &Model, of: &Struct) -> Result<Binding, Vec<Mismatch>> {
    let Some((id, resource)) = model
        .schema
        .resources()
        .find(|(_, resource)| resource.name == of.name)
    else {
        let message = "the schema has no resource of this name".to_owned();
        return Err(vec![Mismatch {
            place: of.name.to_owned(),
            message,
        }]);
    };
    let matcher = Matcher {
        schema: &model.schema,
        id,
        resource,
    };
    let mut mismatches = Vec::new();
    let mut columns = Vec::with_capacity(of.columns.len());
    for column in of.columns {
        let found = matcher.fields(column);
        match found.and_then(|fields| matcher.check(column, &fields).map(|()| fields)) {
            Ok(fields) => columns.push(fields),
            Err(message) => mismatches.push(Mismatch {
                place: format!("{}.{}", of.name, column.name),
                message,
            }),
        }
    }
    if let Err(message) = matcher.check_values(&of.key, &resource.key.fields, "the key") {
        mismatches.push(Mismatch {
            place: of.name.to_owned(),
            message,
        });
    }
    if !mismatches.is_empty() {
        return Err(mismatches);
    }
    let computed = |field: &FieldId| !model.field(*field).is_stored();
    Ok(Binding {
        resource: id,
        has_computed: columns.iter().flatten().any(computed),
        levels: [Kind::Anonymous, Kind::Account]
            .map(|kind| level(id, &columns, &|field| model.computed(field, kind).cloned())),
        columns,
    })
}

/// A struct is whole: who may read a field is a matter of answers, not of a program's own code.
fn level(
    resource: ResourceId,
    columns: &[Vec<FieldId>],
    computed: &dyn Fn(FieldId) -> Option<Expr>,
) -> SharedLevel {
    let shown = |field: &FieldId| Shown {
        field: *field,
        value: computed(*field).unwrap_or(Expr::Column(0, *field)),
        guard: None,
    };
    SharedLevel::from(Level {
        resource,
        fields: columns.iter().flatten().map(shown).collect(),
        includes: Vec::new(),
    })
}

struct Matcher<'a> {
    schema: &'a Schema,
    id: ResourceId,
    resource: &'a Resource,
}

impl Matcher<'_> {
    /// The fields behind a column.
    fn fields(&self, column: &Column) -> Result<Vec<FieldId>, String> {
        if column.is_relation {
            return match self.resource.relation_by_name(column.name) {
                Some((_, relation)) => match &relation.link {
                    Link::Keys { local, .. } if relation.kind == rest_schema::RelationKind::BelongsTo => {
                        Ok(local.clone())
                    }
                    Link::Keys { .. } | Link::Join { .. } => {
                        Err("the schema's relation of this name is no belongs_to".to_owned())
                    }
                },
                None => Err("the schema has no relation of this name".to_owned()),
            };
        }
        let mut all = (0u32..).zip(&self.resource.fields);
        match all.find(|(_, field)| field.name == column.name) {
            Some((index, _)) => Ok(vec![FieldId {
                resource: self.id,
                index,
            }]),
            None => Err("the schema has no field of this name".to_owned()),
        }
    }

    fn check(&self, column: &Column, fields: &[FieldId]) -> Result<(), String> {
        self.check_values(&column.kinds, fields, "the field")?;
        let optional = fields.iter().any(|field| self.schema.field(*field).optional);
        if optional && !column.kinds.optional {
            return Err(format!(
                "the field may be null; its type would be Option<{}>",
                column.kinds.rust
            ));
        }
        Ok(())
    }

    fn check_values(&self, held: &Kinds, fields: &[FieldId], what: &str) -> Result<(), String> {
        if held.kinds.len() != fields.len() {
            let (count, held) = (fields.len(), held.kinds.len());
            return Err(format!("{what} has {count} values, and the struct's type {held}"));
        }
        for (kind, field) in held.kinds.iter().zip(fields) {
            let field = self.schema.field(*field);
            if *kind != field.ty.kind() || !fits(held, field) {
                let ty = field.ty.name();
                return Err(format!(
                    "{what} is of type {ty}, which {} doesn't hold",
                    held.rust
                ));
            }
        }
        match (held.words, fields) {
            (Some(words), [field]) => check_words(words, &self.schema.field(*field).ty),
            _ => Ok(()),
        }
    }
}

/// What the kinds of values don't tell apart.
fn fits(held: &Kinds, field: &Field) -> bool {
    match held.rust {
        "i32" => field.ty != FieldType::Bigint,
        "Password" => field.ty == FieldType::Password,
        // A text would be taken for a hash.
        _ if field.ty == FieldType::Password => false,
        _ => held.words.is_none() || matches!(field.ty, FieldType::Enum(_)),
    }
}

fn check_words(words: &[&str], ty: &FieldType) -> Result<(), String> {
    let FieldType::Enum(known) = ty else { return Ok(()) };
    let unheld = known
        .iter()
        .map(String::as_str)
        .find(|word| !words.contains(word));
    let unknown = words
        .iter()
        .copied()
        .find(|word| known.iter().all(|known| known != word));
    match (unheld, unknown) {
        (Some(word), _) => Err(format!(
            "`{word}` is a word of the field, and no variant of the enum"
        )),
        (None, Some(word)) => Err(format!(
            "`{word}` is a variant of the enum, and no word of the field"
        )),
        (None, None) => Ok(()),
    }
}
