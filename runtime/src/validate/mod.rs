//! What a body says, against what the schema says: values, or every fault at once, each with its pointer.
//!
//! Pure. It is compiled once, at start ([`Validators::new`]), and refuses with 422 alone: what is wrong whatever the
//! database holds. What depends on the row that is changed is a second pure step, [`Update::against`], which the write
//! takes once it has read that row.

mod along;
mod create;
mod document;
mod field;
mod given;
mod json_patch;
mod load;
mod node;
mod patch;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod update;

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use rest_schema::{
    DefaultValue, Field, FieldId, FieldRole, FieldType, KeyKind, Link, RelationId, Resource, ResourceId,
    Schema, Value,
};

use crate::problem::{Fault, words};
use crate::request::body::{Json, Pointer};
use field::{FieldRules, Wrong};

pub(crate) use along::Making;
pub use create::{Along, New};
pub use document::Body;
pub(crate) use field::sought;
pub use given::Content;
pub use update::{Changes, Replacement, Unfit, Update};

/// The most faults that one answer lists.
const MOST_FAULTS: usize = 1_000;

/// Unknown members whose nearest spelling is looked for; strangers choose how many there are.
const MOST_NEAREST: usize = 20;

/// Who writes and when, as far as values depend on it.
pub struct Writer<'a> {
    /// The moment of the request.
    pub now: Timestamp,
    /// The key of the caller's account; `None`: anonymous.
    pub me: Option<&'a [Value]>,
    /// Whether a field (by its place) is closed to the caller whatever the row, by its `writable` rule.
    pub closed: &'a dyn Fn(u32) -> bool,
    /// Whether it is the program itself, which may set whatever is stored.
    pub is_trusted: bool,
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A field's pattern can't be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPattern {
    /// The resource's name.
    pub resource: String,
    /// The field's name.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the pattern of {}.{} can't be used: {}",
            self.resource, self.field, self.message
        )
    }
}

impl std::error::Error for BadPattern {}

/// What is checked of the bodies of every resource.
#[derive(Debug)]
pub struct Validators(Vec<Validator>);

impl Validators {
    /// Compiles what the schema says.
    pub fn new(schema: &Schema) -> Result<Self, BadPattern> {
        let of = |(id, resource)| Validator::new(schema, id, resource);
        schema.resources().map(of).collect::<Result<_, _>>().map(Self)
    }

    /// What is checked of a resource's bodies.
    pub fn resource(&self, id: ResourceId) -> &Validator {
        &self.0[id.0 as usize]
    }
}

/// What is checked of one resource's bodies.
#[derive(Debug)]
pub struct Validator {
    /// By the field's place.
    members: Vec<Member>,
    /// Members that a body may name, by their name on the wire.
    places: HashMap<String, usize>,
    /// What a client that names a relation should have named.
    relations: HashMap<String, Option<String>>,
    /// The relations whose items may be made along, by their name.
    nested: Vec<(String, RelationId)>,
    /// The places of the key's fields.
    key: Vec<usize>,
    /// Whether PUT may create.
    key_by_client: bool,
}

/// A field as bodies see it.
#[derive(Debug)]
struct Member {
    name: String,
    rules: FieldRules,
    nature: Nature,
    optional: bool,
    filling: Filling,
    writeonly: bool,
    /// Whether a column stands behind it.
    stored: bool,
    /// Who may write it depends on the caller or the row.
    is_ruled: bool,
    /// Who may read it depends on the caller or the row.
    has_readers: bool,
}

/// When a body may set a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// On create and on update.
    Writable,
    /// On create.
    Immutable,
    /// Part of the key that the client chooses: on create.
    Key,
    /// Never; a generated key and a computed field too.
    Readonly,
    /// Never, and it has no name for clients.
    Private,
}

/// What a field is on create where the body does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Filling {
    Literal(Value),
    Now,
    Uuid,
    /// A field of the caller's key, by its place there.
    Me(usize),
    /// Decided in the write: an expression, the database's default, a key that is counted up.
    Later,
    None,
}

impl Validator {
    fn new(schema: &Schema, id: ResourceId, resource: &Resource) -> Result<Self, BadPattern> {
        let key: Vec<usize> = resource
            .key
            .fields
            .iter()
            .map(|field| field.index as usize)
            .collect();
        let mut members = Vec::with_capacity(resource.fields.len());
        for (place, (index, field)) in (0u32..).zip(&resource.fields).enumerate() {
            let is_key = key.contains(&place);
            let rules = FieldRules::new(field, is_key).map_err(|message| BadPattern {
                resource: resource.name.clone(),
                field: field.name.clone(),
                message,
            })?;
            members.push(Member {
                name: field.api_name.clone(),
                rules,
                nature: nature(field, is_key, resource),
                optional: field.optional,
                filling: filling(schema, resource, FieldId { resource: id, index }, is_key),
                writeonly: field.writeonly,
                stored: field.is_stored(),
                is_ruled: field.writable.is_some(),
                has_readers: field.readable.is_some(),
            });
        }
        let named = members
            .iter()
            .enumerate()
            .filter(|(_, member)| member.nature != Nature::Private);
        Ok(Self {
            places: named
                .map(|(place, member)| (member.name.clone(), place))
                .collect(),
            relations: relations(schema, id, resource),
            nested: (0u32..)
                .zip(&resource.relations)
                .filter(|(_, relation)| relation.nested)
                .map(|(index, relation)| (relation.name.clone(), RelationId { resource: id, index }))
                .collect(),
            members,
            key,
            key_by_client: resource.key.by_client,
        })
    }

    /// The relation of a name whose items may be made along.
    pub fn nested(&self, name: &str) -> Option<RelationId> {
        let found = self.nested.iter().find(|(own, _)| own == name);
        found.map(|(_, relation)| *relation)
    }

    /// The body's members by field, and what it names that is none.
    /// `makes`: whether it makes an item, and so may hold what is made along with it.
    fn sort<'a>(&self, body: &'a Json, prefix: &'a str, makes: bool) -> (Sorted<'a>, Faults<'a>) {
        let mut faults = Faults::new(prefix);
        let mut sorted = vec![None; self.members.len()];
        let Json::Object(members) = body else {
            let detail = format!("must be an object, not {}", body.kind());
            faults.add(Fault::pointer(prefix, words::WRONG_TYPE, detail));
            return (sorted, faults);
        };
        for (name, value) in members {
            match self.places.get(name) {
                Some(&place) => sorted[place] = Some(value),
                None if makes && self.nested(name).is_some() => {}
                None => faults.add_unknown(self, name, makes),
            }
        }
        (sorted, faults)
    }
}

/// The values of a body by the place of their field.
type Sorted<'a> = Vec<Option<&'a Json>>;

/// Faults found so far in one object.
struct Faults<'a> {
    prefix: &'a str,
    found: Vec<Fault>,
    unknown: usize,
}

impl<'a> Faults<'a> {
    fn new(prefix: &'a str) -> Self {
        Self {
            prefix,
            found: Vec::new(),
            unknown: 0,
        }
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}{}", self.prefix, Pointer::root().member(name))
    }

    fn add(&mut self, fault: Fault) {
        if self.found.len() < MOST_FAULTS {
            self.found.push(fault);
        }
    }

    fn add_wrong(&mut self, name: &str, wrong: Wrong) {
        self.add(wrong.at(self.pointer(name)));
    }

    /// A member that is none; `makes` as for [`Validator::sort`].
    fn add_unknown(&mut self, validator: &Validator, name: &str, makes: bool) {
        if self.found.len() >= MOST_FAULTS {
            return;
        }
        let detail = match validator.relations.get(name) {
            Some(Some(member)) => format!("is a relation; the member that says which is {member}"),
            Some(None) if validator.nested(name).is_some() => {
                "is a relation; only POST makes its items along".to_owned()
            }
            Some(None) => "is a relation, and no member of a body".to_owned(),
            None => "is no member that is known here".to_owned(),
        };
        let mut fault = Fault::pointer(self.pointer(name), words::UNKNOWN_FIELD, detail);
        if let Some(Some(member)) = validator.relations.get(name) {
            fault.nearest = Some(member.clone());
        } else if self.unknown < MOST_NEAREST {
            let along = validator.nested.iter().filter(|_| makes);
            let along = along.map(|(name, _)| name.as_str());
            fault = fault.near(name, validator.settable().chain(along));
        }
        self.unknown += 1;
        self.add(fault);
    }

    /// The value, where nothing was found.
    fn or<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.found.is_empty() {
            Ok(value)
        } else {
            Err(self.found)
        }
    }
}

impl Validator {
    /// The names that a body may set at some time, in the order of the schema.
    fn settable(&self) -> impl Iterator<Item = &str> {
        let is_settable = |member: &&Member| !matches!(member.nature, Nature::Readonly | Nature::Private);
        self.members
            .iter()
            .filter(is_settable)
            .map(|member| member.name.as_str())
    }
}

fn nature(field: &Field, is_key: bool, resource: &Resource) -> Nature {
    if field.private {
        Nature::Private
    } else if !field.is_accepted() || is_key && !resource.key.by_client {
        Nature::Readonly
    } else if is_key {
        Nature::Key
    } else if field.immutable {
        Nature::Immutable
    } else {
        Nature::Writable
    }
}

fn filling(schema: &Schema, resource: &Resource, id: FieldId, is_key: bool) -> Filling {
    let field = schema.field(id);
    match &field.default {
        _ if field.computed.is_some() => Filling::Later,
        Some(DefaultValue::Literal(value)) => Filling::Literal(value.clone()),
        Some(DefaultValue::Now) => Filling::Now,
        Some(DefaultValue::Uuid) => Filling::Uuid,
        Some(DefaultValue::Me) => Filling::Me(place_in_account_key(schema, resource, id, field)),
        Some(DefaultValue::Expression(_) | DefaultValue::Database) => Filling::Later,
        None => match resource.key.kind {
            KeyKind::Uuid if is_key => Filling::Uuid,
            KeyKind::Autoincrement if is_key => Filling::Later,
            _ => Filling::None,
        },
    }
}

/// Which field of the account's key a foreign-key field holds.
fn place_in_account_key(schema: &Schema, resource: &Resource, id: FieldId, field: &Field) -> usize {
    let FieldRole::ForeignKey(relation) = field.role else {
        return 0;
    };
    let Link::Keys { local, remote } = &resource.relations[relation.index as usize].link else {
        return 0;
    };
    let target = local
        .iter()
        .position(|of| *of == id)
        .and_then(|place| remote.get(place));
    target
        .and_then(|target| {
            schema
                .resource(target.resource)
                .key
                .fields
                .iter()
                .position(|key| key == target)
        })
        .unwrap_or(0)
}

/// For each relation, the member that sets it: the foreign key's or that of the keys, where clients may name one.
fn relations(schema: &Schema, id: ResourceId, resource: &Resource) -> HashMap<String, Option<String>> {
    let member = |link: &Link| match link {
        Link::Keys { local, .. } => local
            .iter()
            .map(|id| schema.field(*id))
            .find(|field| matches!(field.role, FieldRole::ForeignKey(_)) && field.is_accepted())
            .map(|field| field.api_name.clone()),
        Link::Join { .. } => None,
    };
    let keys = |index| {
        let relation = RelationId { resource: id, index };
        let keys = resource.keys_field(relation);
        keys.map(|(_, field)| field.api_name.clone())
    };
    let of = |(index, relation): (u32, &rest_schema::Relation)| {
        (
            relation.name.clone(),
            member(&relation.link).or_else(|| keys(index)),
        )
    };
    (0u32..).zip(&resource.relations).map(of).collect()
}

impl Filling {
    /// The value, where it is known before the write.
    fn value(&self, ty: &FieldType, writer: &Writer<'_>) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Now => Some(moment(ty, writer.now)),
            Self::Uuid => Some(Value::Uuid(uuid::Uuid::now_v7())),
            Self::Me(place) => writer.me.and_then(|key| key.get(*place)).cloned(),
            Self::Later | Self::None => None,
        }
    }
}

/// The moment as a date, a time or itself, to the microsecond that is kept.
fn moment(ty: &FieldType, now: Timestamp) -> Value {
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    let civil = jiff::tz::Offset::UTC.to_datetime(now);
    match ty {
        FieldType::Date => Value::Date(civil.date()),
        FieldType::Time => Value::Time(civil.time()),
        _ => Value::Timestamp(now),
    }
}
