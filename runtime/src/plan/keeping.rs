//! What caches may keep of an answer: told by the resources that take part in it.

use rest_schema::{Caching, Field, Resource, ResourceId, Schema};

use crate::plan::access::speaks_of_me;

/// What caches may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// It depends on who asks.
    Personal,
    /// It is the same for everybody, and may be kept for so long; `None`: not without asking.
    Shared(Option<Caching>),
}

impl Keeping {
    /// What may be kept of what is shown of a resource.
    pub fn of(schema: &Schema, id: ResourceId) -> Self {
        if is_personal(schema, schema.resource(id)) {
            Self::Personal
        } else {
            Self::Shared(schema.caching_of(id))
        }
    }

    /// What may be kept of an answer in which both take part.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Shared(one), Self::Shared(other)) => {
                Self::Shared(one.zip(other).map(|(one, other)| one.and(other)))
            }
            _ => Self::Personal,
        }
    }
}

fn is_personal(schema: &Schema, resource: &Resource) -> bool {
    let of_fields = resource
        .fields
        .iter()
        .flat_map(|field| [&field.readable, &field.computed]);
    let leads_to = resource.fields.iter().filter_map(Field::keys_of);
    let of_targets = leads_to.map(|relation| {
        let target = schema.relation(relation).target;
        &schema.resource(target).access.read
    });
    let of_fields = of_fields.chain(of_targets);
    let mut rules = of_fields.chain([&resource.access.read]).flatten();
    rules.any(|rule| speaks_of_me(schema, &rule.expr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_as_long_as_all_that_is_in_it_may_be() {
        let shared = |max_age, shared_max_age| {
            Keeping::Shared(Some(Caching {
                max_age,
                shared_max_age,
            }))
        };
        let none = Keeping::Shared(None);
        assert_eq!(shared(60, None).and(shared(10, None)), shared(10, None));
        assert_eq!(shared(60, None).and(shared(10, Some(90))), shared(10, Some(60)));
        assert_eq!(shared(60, Some(5)).and(shared(60, None)), shared(60, Some(5)));
        assert_eq!(shared(60, None).and(none), none);
        assert_eq!(none.and(Keeping::Personal), Keeping::Personal);
        assert_eq!(Keeping::Personal.and(shared(60, None)), Keeping::Personal);
    }
}
