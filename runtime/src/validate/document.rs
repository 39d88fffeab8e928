//! What bodies may say, for documents: the members of each, from what validation itself goes by.

use rest_schema::{Bounds, Value};

use super::{Filling, Member, Nature, Validator};
use crate::request::body::Json;

/// A body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Of POST.
    Create,
    /// Of PUT.
    Replace,
    /// Of PATCH, as a merge patch.
    Patch,
}

impl Validator {
    /// The members that a body may name, by the place of their field, and whether it has to.
    pub fn members_of(&self, body: Body) -> impl Iterator<Item = (u32, bool)> {
        let by_client = self.key_by_client;
        (0u32..).zip(&self.members).filter_map(move |(place, member)| {
            let is_required = match body {
                Body::Create => member.is_required(),
                Body::Replace => {
                    member.is_required() && (by_client && member.nature != Nature::Key || !member.keeps())
                }
                Body::Patch => false,
            };
            let may_stand = match (body, member.nature) {
                (_, Nature::Readonly | Nature::Private) => false,
                (_, Nature::Writable) | (Body::Create, _) => true,
                // Where PUT may make the row; what is there already has to be repeated as it is.
                (Body::Replace, Nature::Immutable | Nature::Key) => by_client,
                (Body::Patch, Nature::Immutable | Nature::Key) => false,
            };
            may_stand.then_some((place, is_required))
        })
    }

    /// Whether a body says that a field has a value.
    pub fn says(&self, place: u32, json: &Json, value: &Value) -> bool {
        let said = self.members[place as usize].rules.read(json);
        said.is_ok_and(|said| said == *value)
    }

    /// The bounds of a field's length, those included that hold where the schema names none.
    pub fn length(&self, place: u32) -> Option<&Bounds<u64>> {
        self.members[place as usize].rules.length()
    }
}

impl Member {
    /// Whether a row can't be made without it.
    fn is_required(&self) -> bool {
        !self.optional && self.filling == Filling::None
    }
}
