//! Bodies that change a row: PUT, which says all of it, and PATCH, which says what differs.

use rest_schema::{FieldType, Value};

use super::field::Wrong;
use super::json_patch::JsonPatch;
use super::{Faults, Filling, Member, Nature, New, Validator, Writer, patch};
use crate::password::Plain;
use crate::problem::{Fault, words};
use crate::request::body::Json;

/// What PUT asks for: depending on whether the row is there, one or the other. The faults of each wait until that is
/// known, because a row that isn't there, or isn't the caller's, is refused before the body is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// Where the row is there.
    pub update: Update,
    /// Where it isn't; `None`: PUT makes no rows here.
    pub create: Option<Result<New, Vec<Fault>>>,
}

/// A change as asked for, before the row is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    set: Vec<(u32, Value)>,
    /// What PUT takes back where the caller may read it; what he can't see he can't have sent.
    resets: Vec<(u32, Result<Value, Fault>)>,
    /// Merge patches of JSON documents, with the pointers to them.
    merges: Vec<(u32, Json, String)>,
    /// What of a JSON Patch depends on the row.
    pub(super) patch: JsonPatch,
    /// What the body repeats though it can't change it.
    must_equal: Vec<Repeated>,
    pub(super) passwords: Vec<(u32, Plain)>,
    /// What the program set itself: no rule of the caller's holds for it.
    pub(super) forced: Vec<u32>,
    /// What is wrong whatever the row is; told together with what the row tells.
    pub(super) faults: Vec<Fault>,
}

/// A member that can't be changed and was sent all the same, as a client does that edits what it got.
#[derive(Debug, Clone, PartialEq)]
struct Repeated {
    field: u32,
    value: Value,
    fault: Fault,
}

/// Why a change doesn't go with a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Unfit {
    /// What is wrong whatever the row holds (422).
    Invalid(Vec<Fault>),
    /// What is wrong because of what it holds now (409).
    Conflict(Vec<Fault>),
}

/// The columns that really change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The places of the fields, and their new values.
    pub set: Vec<(u32, Value)>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Sets fields, whatever was asked of them.
    pub fn put(&mut self, set: Vec<(u32, Value)>) {
        self.set
            .retain(|(field, _)| set.iter().all(|(other, _)| other != field));
        self.set.extend(set);
        self.set.sort_by_key(|(field, _)| *field);
    }
}

impl Update {
    /// Takes the passwords out, to be hashed and put back as values; none where the change is refused anyway.
    pub fn take_passwords(&mut self) -> Vec<(u32, Plain)> {
        let passwords = std::mem::take(&mut self.passwords);
        if self.faults.is_empty() {
            passwords
        } else {
            Vec::new()
        }
    }

    /// Sets a field.
    pub fn put(&mut self, field: u32, value: Value) {
        self.set.push((field, value));
    }

    /// What is wrong with it whatever the row is.
    pub fn faults(&self) -> Option<Vec<Fault>> {
        self.is_faulty().then(|| self.faults.clone())
    }

    /// Whether it is refused whatever the row is.
    pub fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The value that a field is set to, where it is.
    pub fn value(&self, field: u32) -> Option<&Value> {
        let set = self.set.iter().rev().find(|(set, _)| *set == field);
        set.map(|(_, value)| value)
    }

    /// The places of the fields that the program set itself.
    pub fn forced(&self) -> &[u32] {
        &self.forced
    }

    /// Takes back what was asked of a field.
    pub(super) fn forget(&mut self, field: u32) {
        self.set.retain(|(set, _)| *set != field);
        self.resets.retain(|(reset, _)| *reset != field);
        self.merges.retain(|(merged, ..)| *merged != field);
        self.patch.forget(field);
        self.must_equal.retain(|repeated| repeated.field != field);
        self.passwords.retain(|(set, _)| *set != field);
    }

    /// The places of the fields that it sets, whatever the row is.
    pub fn sets(&self) -> impl Iterator<Item = u32> {
        let set = self.set.iter().map(|(field, _)| *field);
        set.chain(self.resets.iter().map(|(field, _)| *field))
    }

    /// The places of the fields that [`Update::against`] looks at in the row only to compare them: computed ones may be
    /// among them.
    pub fn compared(&self) -> impl Iterator<Item = u32> {
        let repeated = self.must_equal.iter().map(|repeated| repeated.field);
        repeated.chain(self.patch.fields())
    }

    /// What really changes in a row: by the place of each field its value as it is, computed ones that are
    /// [`compared`](Self::compared) included. `shown` says which fields the caller may read in this row: of the others
    /// he is not told whether he guessed right.
    ///
    /// # Errors
    ///
    /// Every fault; of a JSON Patch the first thing that the row doesn't have.
    pub fn against(
        &self,
        validator: &Validator,
        old: &[Value],
        shown: &dyn Fn(u32) -> bool,
    ) -> Result<Changes, Unfit> {
        let is_same = |field: u32, value: &Value| old.get(field as usize).is_some_and(|old| same(old, value));
        let mut faults = Faults::new("");
        faults.found.clone_from(&self.faults);
        for repeated in &self.must_equal {
            if !(shown(repeated.field) && is_same(repeated.field, &repeated.value)) {
                faults.add(repeated.fault.clone());
            }
        }
        let mut set = self.set.clone();
        for (field, value) in self.resets.iter().filter(|(field, _)| shown(*field)) {
            match value {
                Ok(value) => set.push((*field, value.clone())),
                Err(fault) => faults.add(fault.clone()),
            }
        }
        for (field, patch, pointer) in &self.merges {
            match merged(old.get(*field as usize), patch) {
                Ok(value) => set.push((*field, value)),
                Err(wrong) => faults.add(wrong.at(pointer.clone())),
            }
        }
        let mut set = faults.or(set).map_err(Unfit::Invalid)?;
        if !self.patch.is_empty() {
            set.extend(validator.patched(&self.patch, old, shown)?);
        }
        set.retain(|(field, value)| !is_same(*field, value));
        set.sort_by_key(|(field, _)| *field);
        Ok(Changes { set })
    }
}

/// A stored document with a patch applied, checked like any other that is to be stored.
fn merged(old: Option<&Value>, patch: &Json) -> Result<Value, Wrong> {
    let document = match old {
        Some(Value::Json(document)) => document.as_str(),
        _ => "null",
    };
    let text = patch::merged(document, patch);
    FieldType::Json
        .parse_text(&text)
        .map_err(|fault| Wrong::new(fault.code.word(), fault.message))
}

/// Whether two values of one field are the same; documents that differ only in the order of members are.
fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Json(old), Value::Json(new)) if old != new => {
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            read(old).is_some_and(|old| read(new).is_some_and(|new| old == new))
        }
        // SQLAlchemy keeps None as the document `null`; a client can't tell the two, so neither is a change.
        (Value::Json(old), Value::Null) => old == "null",
        (old, new) => old == new,
    }
}

impl Validator {
    /// A body of PATCH, as a merge patch: what it doesn't name stays.
    pub fn merge(&self, body: &Json, writer: &Writer<'_>) -> Update {
        let (sorted, mut faults) = self.sort(body, "", false);
        let mut update = Update::default();
        for (place, json) in sorted.into_iter().enumerate() {
            let Some(json) = json else { continue };
            let member = &self.members[place];
            let index = u32::try_from(place).unwrap_or(u32::MAX);
            match (&member.rules.ty, json) {
                (FieldType::Json, Json::Object(_)) if member.changes(index, writer) => {
                    update
                        .merges
                        .push((index, json.clone(), faults.pointer(&member.name)));
                }
                _ => member.change(index, json, writer, &mut update, &mut faults),
            }
        }
        update.faults = faults.found;
        update
    }

    /// A body of PUT to the item with this key.
    pub fn replace(&self, body: &Json, key: &[Value], writer: &Writer<'_>) -> Replacement {
        Replacement {
            update: self.replace_row(body, writer),
            create: self.key_by_client.then(|| self.create_at(body, key, writer)),
        }
    }

    fn replace_row(&self, body: &Json, writer: &Writer<'_>) -> Update {
        let (sorted, mut faults) = self.sort(body, "", false);
        let mut update = Update::default();
        if !matches!(body, Json::Object(_)) {
            update.faults = faults.found;
            return update;
        }
        for (place, json) in sorted.into_iter().enumerate() {
            let member = &self.members[place];
            let index = u32::try_from(place).unwrap_or(u32::MAX);
            match json {
                Some(json) => member.change(index, json, writer, &mut update, &mut faults),
                None if member.keeps() => {}
                None => member.reset(index, writer, &mut update, &mut faults),
            }
        }
        update.faults = faults.found;
        update
    }

    /// The row that PUT makes: the key is the address's, and what the body says of it must agree.
    fn create_at(&self, body: &Json, key: &[Value], writer: &Writer<'_>) -> Result<New, Vec<Fault>> {
        let (sorted, mut faults) = self.sort(body, "", false);
        if !matches!(body, Json::Object(_)) {
            return Err(faults.found);
        }
        let mut new = self.empty();
        for (place, json) in sorted.into_iter().enumerate() {
            let member = &self.members[place];
            let of_address = self
                .key
                .iter()
                .position(|at| *at == place)
                .and_then(|at| key.get(at));
            match (of_address, json) {
                (Some(value), json) => member.take_key(place, value, json, &mut new, &mut faults),
                (None, Some(json)) => self.give(place, json, writer, &mut new, &mut faults),
                (None, None) => member.fill(place, writer, &mut new, &mut faults),
            }
        }
        faults.or(new)
    }
}

impl Member {
    /// Whether a body may change the field of a row that is there.
    pub(super) fn changes(&self, index: u32, writer: &Writer<'_>) -> bool {
        if writer.is_trusted {
            return self.stored;
        }
        self.nature == Nature::Writable && !self.is_closed(index, writer)
    }

    /// Whether PUT leaves the field as it is where the body doesn't name it: what the client may not have been able to
    /// see or to set, and what is decided once, at create.
    pub(super) fn keeps(&self) -> bool {
        self.nature != Nature::Writable
            || self.writeonly
            || self.is_password()
            || self.is_ruled
            || self.filling == Filling::Later
    }

    pub(super) fn change(
        &self,
        index: u32,
        json: &Json,
        writer: &Writer<'_>,
        update: &mut Update,
        faults: &mut Faults<'_>,
    ) {
        if !self.changes(index, writer) {
            let fault = self.unchangeable().at(faults.pointer(&self.name));
            match self.rules.read(json) {
                Ok(value) if !self.is_hidden() => update.must_equal.push(Repeated {
                    field: index,
                    value,
                    fault,
                }),
                _ => faults.add(fault),
            }
            return;
        }
        match self.rules.check(json) {
            Ok(Value::Text(text)) if self.is_password() => update.passwords.push((index, Plain::new(text))),
            Ok(value) => update.set.push((index, value)),
            Err(wrong) => faults.add_wrong(&self.name, wrong),
        }
    }

    fn reset(&self, index: u32, writer: &Writer<'_>, update: &mut Update, faults: &mut Faults<'_>) {
        let value = match self.filling.value(&self.rules.ty, writer) {
            Some(value) => Ok(value),
            None if self.optional => Ok(Value::Null),
            None => Err(Wrong::new(words::REQUIRED, "is missing").at(faults.pointer(&self.name))),
        };
        match value {
            value if self.has_readers => update.resets.push((index, value)),
            Ok(value) => update.set.push((index, value)),
            Err(fault) => faults.add(fault),
        }
    }

    fn take_key(
        &self,
        place: usize,
        value: &Value,
        json: Option<&Json>,
        new: &mut New,
        faults: &mut Faults<'_>,
    ) {
        let is_other = |json: &Json| self.rules.read(json).map_or(true, |given| given != *value);
        if json.is_some_and(is_other) {
            let wrong = Wrong::new(words::IMMUTABLE, "must be the key in the address, or be left out");
            faults.add_wrong(&self.name, wrong);
        } else if let Err(wrong) = self.rules.check_rules(value) {
            faults.add_wrong(&self.name, wrong);
        }
        new.values[place] = Some(value.clone());
        new.given.push(u32::try_from(place).unwrap_or(u32::MAX));
    }

    /// Whether GET never shows it, so that a client can't be repeating what it got.
    pub(super) fn is_hidden(&self) -> bool {
        self.writeonly || self.is_password()
    }

    pub(super) fn unchangeable(&self) -> Wrong {
        match self.nature {
            Nature::Immutable | Nature::Key => {
                Wrong::new(words::IMMUTABLE, "can't be changed once it is set")
            }
            Nature::Writable | Nature::Readonly | Nature::Private => {
                Wrong::new(words::READONLY, "can't be changed by this caller")
            }
        }
    }
}
