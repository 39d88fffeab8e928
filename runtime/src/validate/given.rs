//! Values that a program gives, by the place of their field: checked as a body is.
//!
//! Past all rules a program may also set what no client may: read-only and private fields, and passwords that are
//! hashed already. What isn't of a field's type, or outside its limits, is refused all the same.

use rest_schema::Value;

use super::field::Wrong;
use super::{Faults, Member, Nature, New, Update, Validator, Writer};
use crate::password::Plain;
use crate::problem::{Fault, words};
use crate::request::body::Json;

/// What a field is given.
#[derive(Debug, Clone)]
pub enum Content {
    /// As a body would say it.
    Json(Json),
    /// A password's hash.
    Hash(String),
}

impl Validator {
    /// A row of what is given, the rest by its defaults.
    pub fn create_of(&self, given: &[(u32, Content)], writer: &Writer<'_>) -> Result<New, Vec<Fault>> {
        let mut faults = Faults::new("");
        let mut new = self.empty();
        for (place, member) in self.members.iter().enumerate() {
            match content(given, place) {
                Some(Content::Json(json)) => self.give(place, json, writer, &mut new, &mut faults),
                Some(Content::Hash(hash)) => self.give_hash(place, hash, writer, &mut new, &mut faults),
                None => member.fill(place, writer, &mut new, &mut faults),
            }
        }
        faults.or(new)
    }

    /// A change to what is given; the rest stays.
    pub fn change_of(&self, given: &[(u32, Content)], writer: &Writer<'_>) -> Update {
        let mut faults = Faults::new("");
        let mut update = Update::default();
        for (place, member) in self.members.iter().enumerate() {
            let index = u32::try_from(place).unwrap_or(u32::MAX);
            let Some(content) = content(given, place) else {
                continue;
            };
            let is_key = self.key.contains(&place);
            match content {
                _ if writer.is_trusted && is_key => faults.add_wrong(&member.name, fixed()),
                Content::Json(json) => member.change(index, json, writer, &mut update, &mut faults),
                Content::Hash(hash) if member.is_password() && member.changes(index, writer) => {
                    update.put(index, Value::Text(hash.clone()));
                }
                Content::Hash(_) => faults.add_wrong(&member.name, closed()),
            }
        }
        update.faults = faults.found;
        update
    }

    fn give_hash(
        &self,
        place: usize,
        hash: &str,
        writer: &Writer<'_>,
        new: &mut New,
        faults: &mut Faults<'_>,
    ) {
        let member = &self.members[place];
        let index = u32::try_from(place).unwrap_or(u32::MAX);
        if member.is_password() && member.may_be_given(index, writer) {
            new.put(index, Value::Text(hash.to_owned()));
            new.given.push(index);
        } else {
            faults.add_wrong(&member.name, closed());
        }
    }

    /// A value that the program sets in a row to be made, past all rules.
    pub fn set_in_new(&self, field: u32, content: &Content, new: &mut New) -> Result<(), Fault> {
        let value = self.checked(field, content)?;
        new.given.retain(|given| *given != field);
        new.passwords.retain(|(given, _)| *given != field);
        match value {
            Checked::Value(value) => new.put(field, value),
            Checked::Plain(plain) => new.passwords.push((field, plain)),
        }
        Ok(())
    }

    /// A value that the program sets in a change, past all rules.
    pub fn set_in_update(&self, field: u32, content: &Content, update: &mut Update) -> Result<(), Fault> {
        if self.key.contains(&(field as usize)) {
            let name = &self.members[field as usize].name;
            return Err(fixed().at(Faults::new("").pointer(name)));
        }
        let value = self.checked(field, content)?;
        update.forget(field);
        update.forced.push(field);
        match value {
            Checked::Value(value) => update.put(field, value),
            Checked::Plain(plain) => update.passwords.push((field, plain)),
        }
        Ok(())
    }

    fn checked(&self, field: u32, content: &Content) -> Result<Checked, Fault> {
        let member = &self.members[field as usize];
        let at = |wrong: Wrong| wrong.at(Faults::new("").pointer(&member.name));
        if !member.stored {
            return Err(at(closed()));
        }
        match content {
            Content::Hash(hash) => Ok(Checked::Value(Value::Text(hash.clone()))),
            Content::Json(json) => match member.rules.check(json).map_err(at)? {
                Value::Text(text) if member.is_password() => Ok(Checked::Plain(Plain::new(text))),
                value => Ok(Checked::Value(value)),
            },
        }
    }
}

enum Checked {
    Value(Value),
    Plain(Plain),
}

fn content(given: &[(u32, Content)], place: usize) -> Option<&Content> {
    let mut given = given.iter().rev();
    given
        .find(|(field, _)| *field as usize == place)
        .map(|(_, content)| content)
}

fn fixed() -> Wrong {
    Wrong::new(words::IMMUTABLE, "is the key, and can't be changed")
}

fn closed() -> Wrong {
    Wrong::new(words::READONLY, "may not be given")
}

impl Member {
    /// Whether a row that is made may have it given.
    pub(super) fn may_be_given(&self, index: u32, writer: &Writer<'_>) -> bool {
        if writer.is_trusted {
            return self.stored;
        }
        !matches!(self.nature, Nature::Readonly | Nature::Private) && !self.is_closed(index, writer)
    }
}
