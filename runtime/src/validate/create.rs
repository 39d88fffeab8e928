//! Bodies that make a row.

use rest_schema::{RelationId, ResourceId, Schema, Value};

use super::field::Wrong;
use super::{Faults, Filling, Member, Nature, Validator, Writer};
use crate::password::Plain;
use crate::problem::{Fault, words};
use crate::request::body::Json;

/// A row as it is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct New {
    /// By the field's place. `None`: decided in the write (an expression, the database's default, a counted key, a
    /// password that is still to be hashed) or not stored at all.
    pub values: Vec<Option<Value>>,
    /// The places of the fields that the body gave: their `writable` rules are to hold on the new row.
    pub given: Vec<u32>,
    pub(super) passwords: Vec<(u32, Plain)>,
    /// What is made along with it, once it has a key.
    pub along: Vec<Along>,
}

/// Items that are made along with the one they belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Along {
    /// How that one leads to them.
    pub relation: RelationId,
    /// The items, without the key that they are to hold.
    pub rows: Vec<New>,
}

impl New {
    /// How many items are made: it, and all along with it.
    pub fn count(&self) -> usize {
        let along = self.along.iter().flat_map(|along| &along.rows);
        1 + along.map(Self::count).sum::<usize>()
    }

    /// The resources of what is made along with it, however deep.
    pub fn resources_along(&self, schema: &Schema) -> Vec<ResourceId> {
        let of = |along: &Along| {
            let rows = along.rows.iter();
            let deeper = rows.flat_map(|row| row.resources_along(schema));
            let mut all: Vec<ResourceId> = deeper.collect();
            all.push(schema.relation(along.relation).target);
            all
        };
        self.along.iter().flat_map(of).collect()
    }

    /// Takes the passwords out, to be hashed and put back as values.
    pub fn take_passwords(&mut self) -> Vec<(u32, Plain)> {
        std::mem::take(&mut self.passwords)
    }

    /// Sets a field.
    pub fn put(&mut self, field: u32, value: Value) {
        self.values[field as usize] = Some(value);
    }
}

impl Validator {
    /// A body of POST, without what is made along with it. `prefix` is the pointer to it: `""`, or `/3` for the fourth of
    /// several; `known` are the places of the fields that what is around it says.
    pub fn create(
        &self,
        body: &Json,
        prefix: &str,
        known: &[u32],
        writer: &Writer<'_>,
    ) -> Result<New, Vec<Fault>> {
        let (sorted, mut faults) = self.sort(body, prefix, true);
        if !matches!(body, Json::Object(_)) {
            return Err(faults.found);
        }
        let mut new = self.empty();
        for (place, (member, json)) in self.members.iter().zip(sorted).enumerate() {
            let is_known = known.iter().any(|known| *known as usize == place);
            match json {
                Some(_) if is_known => {
                    let detail = "is the key of the item around it; leave it out";
                    faults.add_wrong(&member.name, Wrong::new(words::IMMUTABLE, detail));
                }
                None if is_known => {}
                Some(json) => self.give(place, json, writer, &mut new, &mut faults),
                None => member.fill(place, writer, &mut new, &mut faults),
            }
        }
        faults.or(new)
    }

    pub(super) fn empty(&self) -> New {
        New {
            values: vec![None; self.members.len()],
            given: Vec::new(),
            passwords: Vec::new(),
            along: Vec::new(),
        }
    }

    /// Takes what the body gives.
    pub(super) fn give(
        &self,
        place: usize,
        json: &Json,
        writer: &Writer<'_>,
        new: &mut New,
        faults: &mut Faults<'_>,
    ) {
        let member = &self.members[place];
        let index = u32::try_from(place).unwrap_or(u32::MAX);
        if !member.may_be_given(index, writer) {
            faults.add_wrong(&member.name, Wrong::new(words::READONLY, "may not be given"));
            return;
        }
        match member.rules.check(json) {
            Ok(value) => new.take(index, member, value),
            Err(wrong) => faults.add_wrong(&member.name, wrong),
        }
    }
}

impl New {
    fn take(&mut self, index: u32, member: &Member, value: Value) {
        self.given.push(index);
        match value {
            Value::Text(text) if member.is_password() => self.passwords.push((index, Plain::new(text))),
            value => self.values[index as usize] = Some(value),
        }
    }
}

impl Member {
    /// What the field is where the body says nothing.
    pub(super) fn fill(&self, place: usize, writer: &Writer<'_>, new: &mut New, faults: &mut Faults<'_>) {
        let value = self.filling.value(&self.rules.ty, writer);
        if value.is_some() || self.filling == Filling::Later {
            new.values[place] = value;
        } else if self.optional {
            new.values[place] = Some(Value::Null);
        } else if matches!(self.filling, Filling::Me(_)) {
            faults.add_wrong(
                &self.name,
                Wrong::new(
                    words::REQUIRED,
                    "is the caller's account, and nobody is signed in",
                ),
            );
        } else if writer.is_trusted || !matches!(self.nature, Nature::Readonly | Nature::Private) {
            faults.add_wrong(&self.name, Wrong::new(words::REQUIRED, "is missing"));
        }
    }

    pub(super) fn is_closed(&self, index: u32, writer: &Writer<'_>) -> bool {
        self.is_ruled && (writer.closed)(index)
    }

    pub(super) fn is_password(&self) -> bool {
        self.rules.ty == rest_schema::FieldType::Password
    }
}
