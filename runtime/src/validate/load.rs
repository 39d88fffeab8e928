//! Rows that an operator loads: whatever is stored may be set, and is checked as in a body.

use jiff::Timestamp;
use rest_schema::Value;

use super::{Faults, Validator, Writer};
use crate::problem::{Fault, words};
use crate::request::body::Json;

impl Validator {
    /// The values that a row gives, by the place of their field; `prefix` is the pointer to it.
    pub fn row(&self, body: &Json, prefix: &str) -> Result<Vec<(u32, Value)>, Vec<Fault>> {
        let Json::Object(given) = body else {
            let detail = format!("must be a mapping of fields, not {}", body.kind());
            return Err(vec![Fault::pointer(prefix, words::WRONG_TYPE, detail)]);
        };
        let mut faults = Faults::new(prefix);
        let mut values = Vec::with_capacity(given.len());
        for (name, json) in given {
            let place = self
                .members
                .iter()
                .position(|member| member.stored && member.name == *name);
            match place.map(|place| (place, self.members[place].rules.check(json))) {
                Some((place, Ok(value))) => values.push((u32::try_from(place).unwrap_or(u32::MAX), value)),
                Some((_, Err(wrong))) => faults.add_wrong(name, wrong),
                None => faults.add_unknown(self, name, false),
            }
        }
        self.missing(given, &mut faults);
        faults.or(values)
    }

    /// Tells what nobody decides: neither the row nor a default.
    fn missing(&self, given: &[(String, Json)], faults: &mut Faults<'_>) {
        let nobody = Writer {
            now: Timestamp::UNIX_EPOCH,
            me: None,
            closed: &|_| false,
            is_trusted: true,
        };
        let mut rest = self.empty();
        for (place, member) in self.members.iter().enumerate() {
            if !given.iter().any(|(name, _)| *name == member.name) {
                member.fill(place, &nobody, &mut rest, faults);
            }
        }
    }

    /// A value of one field, by its place.
    pub fn value(&self, field: u32, json: &Json, pointer: &str) -> Result<Value, Fault> {
        let rules = &self.members[field as usize].rules;
        rules.check(json).map_err(|wrong| wrong.at(pointer.to_owned()))
    }
}
