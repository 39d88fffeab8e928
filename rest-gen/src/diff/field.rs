//! What holds for a member of an item: in answers, in bodies, in parameters.

use std::cmp::Ordering;

use rest_schema::types::Kind;
use rest_schema::{Bounds, Field, FieldType, Operation};

use super::Changes;
use super::resource::Pair;

/// All members, by their names on the wire.
pub(super) fn compare(pair: &Pair<'_>, changes: &mut Changes) {
    let is_seen = |field: &&Field| field.is_shown() || field.is_accepted();
    for old in pair.old.fields.iter().filter(is_seen) {
        let place = format!("{}.{}", pair.new.name, old.api_name);
        let after = pair.new.field_by_api_name(&old.api_name).map(|(_, field)| field);
        match after.filter(is_seen) {
            None => changes.breaking(&place, "it is gone"),
            Some(new) => {
                let member = Member {
                    old,
                    new,
                    place: &place,
                };
                member.compare(pair, changes);
            }
        }
    }
    for new in pair.new.fields.iter().filter(is_seen) {
        let before = pair.old.field_by_api_name(&new.api_name);
        if before.is_some_and(|(_, old)| is_seen(&old)) {
            continue;
        }
        let place = format!("{}.{}", pair.new.name, new.api_name);
        if is_required(new) && pair.serves(Operation::Create) == (true, true) {
            changes.breaking(&place, "it is new, and a create has to say it");
        } else {
            changes.compatible(&place, "it is new");
        }
    }
}

/// Whether a create has to say it.
fn is_required(field: &Field) -> bool {
    field.is_accepted() && !field.optional && field.default.is_none()
}

/// One member before and after.
struct Member<'a> {
    old: &'a Field,
    new: &'a Field,
    place: &'a str,
}

impl Member<'_> {
    fn compare(&self, pair: &Pair<'_>, changes: &mut Changes) {
        let (old, new, place) = (self.old, self.new, self.place);
        let (was_read, is_read) = pair.serves(Operation::Read);
        let is_shown = was_read && is_read && new.is_shown();
        match (old.is_shown(), new.is_shown()) {
            (true, false) if was_read => changes.breaking(place, "it isn't shown any more"),
            (false, true) if is_read => changes.compatible(place, "it is shown"),
            _ => {}
        }
        changes.deprecated(place, old.deprecated, new.deprecated);
        self.types(is_shown, changes);
        self.bodies(pair, is_shown, changes);
        self.limits(changes);
        if is_shown {
            self.parameters(changes);
            changes.rule(
                place,
                "who may read it",
                old.readable.as_ref(),
                new.readable.as_ref(),
            );
        }
        if new.is_accepted() {
            changes.rule(
                place,
                "who may set it",
                old.writable.as_ref(),
                new.writable.as_ref(),
            );
        }
        if old.default != new.default && old.default.is_some() && new.default.is_some() {
            changes.doubtful(place, "what it is where a create doesn't say has changed");
        }
    }

    fn types(&self, is_shown: bool, changes: &mut Changes) {
        let place = self.place;
        let text = format!(
            "it was of type {} and is of type {}",
            self.old.ty.name(),
            self.new.ty.name()
        );
        match (&self.old.ty, &self.new.ty) {
            (FieldType::Enum(one), FieldType::Enum(other)) => {
                for word in one.iter().filter(|word| !other.contains(word)) {
                    changes.breaking(place, format!("`{word}` is no value of it any more"));
                }
                for word in other.iter().filter(|word| !one.contains(word)) {
                    let text = format!("`{word}` is a new value of it");
                    if is_shown {
                        changes.doubtful(place, text);
                    } else {
                        changes.compatible(place, text);
                    }
                }
            }
            (
                FieldType::Decimal { precision, scale },
                FieldType::Decimal {
                    precision: other,
                    scale: digits,
                },
            ) => {
                if scale != digits {
                    let text = format!("it had {scale} digits after the point and has {digits}");
                    changes.breaking(place, text);
                }
                changes.limit(place, "the number of its digits", *precision, *other);
            }
            (one, other) if one == other => {}
            // What is shown may be larger than a client expects.
            (FieldType::Integer, FieldType::Bigint) => changes.doubtful(place, text),
            (FieldType::String, FieldType::Text) | (FieldType::Text, FieldType::String) => {}
            (one, FieldType::String | FieldType::Text)
                if one.kind() == Kind::Text && *one != FieldType::Password =>
            {
                changes.doubtful(place, text);
            }
            _ => changes.breaking(place, text),
        }
    }

    /// What a body may and has to say.
    fn bodies(&self, pair: &Pair<'_>, is_shown: bool, changes: &mut Changes) {
        let (old, new, place) = (self.old, self.new, self.place);
        let written = [Operation::Create, Operation::Update]
            .into_iter()
            .any(|operation| pair.serves(operation) == (true, true));
        match (old.is_accepted(), new.is_accepted()) {
            (true, false) if written => changes.breaking(place, "it can't be set any more"),
            (false, true) => changes.compatible(place, "it can be set"),
            _ => {}
        }
        if !old.immutable && new.immutable && pair.serves(Operation::Update) == (true, true) {
            changes.breaking(place, "it can't be changed any more");
        } else if old.immutable && !new.immutable {
            changes.compatible(place, "it can be changed");
        }
        if !is_required(old) && is_required(new) && pair.serves(Operation::Create) == (true, true) {
            changes.breaking(place, "a create has to say it");
        } else if is_required(old) && !is_required(new) {
            changes.compatible(place, "a create needn't say it");
        }
        match (old.optional, new.optional) {
            (false, true) if is_shown => changes.breaking(place, "it may be null in answers"),
            (true, false) if written && new.is_accepted() => {
                changes.breaking(place, "null isn't taken any more");
            }
            _ => {}
        }
    }

    fn limits(&self, changes: &mut Changes) {
        let (old, new, place) = (self.old, self.new, self.place);
        if !(old.is_accepted() && new.is_accepted()) {
            return;
        }
        let (one, other) = (old.length.as_ref(), new.length.as_ref());
        bounds(place, "its length", one, other, |a, b| a < b, changes);
        let (one, other) = (old.range.as_ref(), new.range.as_ref());
        bounds(
            place,
            "its value",
            one,
            other,
            |a, b| a.compare(b).is_none_or(Ordering::is_lt),
            changes,
        );
        match (&old.pattern, &new.pattern) {
            (one, other) if one == other => {}
            (_, None) => changes.compatible(place, "it needn't match a pattern"),
            (None, Some(pattern)) => changes.breaking(place, format!("it must match {pattern}")),
            (Some(one), Some(other)) => {
                changes.doubtful(place, format!("it had to match {one} and must match {other}"));
            }
        }
    }

    fn parameters(&self, changes: &mut Changes) {
        for (what, before, after) in [
            ("filtered", self.old.filterable, self.new.filterable),
            ("sorted", self.old.sortable, self.new.sortable),
        ] {
            match (before, after) {
                (true, false) => {
                    changes.breaking(self.place, format!("items can't be {what} by it any more"));
                }
                (false, true) => changes.compatible(self.place, format!("items can be {what} by it")),
                _ => {}
            }
        }
        if self.old.searchable && !self.new.searchable {
            changes.doubtful(self.place, "`q` doesn't look into it any more");
        }
    }
}

fn bounds<T: PartialEq>(
    place: &str,
    what: &str,
    old: Option<&Bounds<T>>,
    new: Option<&Bounds<T>>,
    is_less: impl Fn(&T, &T) -> bool,
    changes: &mut Changes,
) {
    let least = (
        old.and_then(|bounds| bounds.min.as_ref()),
        new.and_then(|bounds| bounds.min.as_ref()),
    );
    let greatest = (
        old.and_then(|bounds| bounds.max.as_ref()),
        new.and_then(|bounds| bounds.max.as_ref()),
    );
    let is_raised = match least {
        (Some(one), Some(other)) => is_less(one, other),
        (one, other) => one.is_none() && other.is_some(),
    };
    let is_lowered = match greatest {
        (Some(one), Some(other)) => is_less(other, one),
        (one, other) => one.is_none() && other.is_some(),
    };
    if is_raised || is_lowered {
        changes.breaking(place, format!("{what} is held within narrower bounds"));
    } else if least.0 != least.1 || greatest.0 != greatest.1 {
        changes.compatible(place, format!("{what} is held within wider bounds"));
    }
}
