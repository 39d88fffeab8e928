//! What holds for a resource: its addresses, its operations, its relations, and what is the same for all its items.

use std::collections::BTreeSet;

use rest_schema::{Caching, FieldId, Operation, Relation, Resource, Schema, SortKey};

use super::{Changes, field};

const OPERATIONS: [(Operation, &str); 5] = [
    (Operation::Read, "reading"),
    (Operation::Create, "creating"),
    (Operation::Update, "changing"),
    (Operation::Delete, "deleting"),
    (Operation::Restore, "restoring"),
];

/// One resource before and after, each in its schema.
pub(super) struct Pair<'a> {
    pub(super) old: &'a Resource,
    pub(super) new: &'a Resource,
    pub(super) schemas: (&'a Schema, &'a Schema),
}

/// All resources that are served, by their addresses.
pub(super) fn compare(old: &Schema, new: &Schema, changes: &mut Changes) {
    for one in old.resources.iter().filter(|one| is_served(one)) {
        let same = |other: &&Resource| other.collection == one.collection && is_served(other);
        if let Some(other) = new.resources.iter().find(same) {
            let pair = Pair {
                old: one,
                new: other,
                schemas: (old, new),
            };
            pair.compare(changes);
            continue;
        }
        let moved = new.resources.iter().find(|other| other.name == one.name);
        let address = format!("{}/{}", new.prefix, one.collection);
        let text = match moved.filter(|other| is_served(other)) {
            Some(other) => format!(
                "it was at {address} and is at {}/{}",
                new.prefix, other.collection
            ),
            None => format!("{address} is gone"),
        };
        changes.breaking(&one.name, text);
    }
    for other in new.resources.iter().filter(|other| is_served(other)) {
        let had =
            |one: &Resource| is_served(one) && (one.collection == other.collection || one.name == other.name);
        if !old.resources.iter().any(had) {
            changes.compatible(&other.name, format!("{}/{} is new", new.prefix, other.collection));
        }
    }
}

/// Whether anybody may do anything with it.
fn is_served(resource: &Resource) -> bool {
    OPERATIONS
        .iter()
        .any(|(operation, _)| resource.access.rule(*operation).is_some())
}

impl Pair<'_> {
    /// Whether an operation was served before, and whether it is now.
    pub(super) fn serves(&self, operation: Operation) -> (bool, bool) {
        let of = |resource: &Resource| resource.access.rule(operation).is_some();
        (of(self.old), of(self.new))
    }

    fn compare(&self, changes: &mut Changes) {
        let place = &self.new.name;
        if self.old.name != self.new.name {
            let text = format!(
                "it was called {}: generated clients name types and operations by it",
                self.old.name
            );
            changes.doubtful(place, text);
        }
        changes.deprecated(place, self.old.deprecated, self.new.deprecated);
        self.operations(changes);
        self.key(changes);
        field::compare(self, changes);
        self.constraints(changes);
        self.orders(changes);
        self.relations(changes);
        self.caching(changes);
    }

    fn operations(&self, changes: &mut Changes) {
        let place = &self.new.name;
        let (one, other) = (self.old.condition.as_ref(), self.new.condition.as_ref());
        changes.rule(place, "its `where`", one, other);
        for (operation, word) in OPERATIONS {
            let (one, other) = (self.old.access.rule(operation), self.new.access.rule(operation));
            match (one, other) {
                (Some(_), None) => changes.breaking(place, format!("{word} it isn't served any more")),
                (None, Some(_)) => changes.compatible(place, format!("{word} it is served")),
                (None, None) => {}
                // Where the condition of all rows alone is another, that has been told.
                (Some(one), Some(other)) if one.source == other.source => {}
                (Some(_), Some(_)) => changes.rule(place, &format!("{word} it"), one, other),
            }
        }
        match (self.old.kept.preconditions, self.new.kept.preconditions) {
            (false, true) => changes.breaking(
                place,
                "a write has to say on which state it is based (`If-Match`)",
            ),
            (true, false) => changes.compatible(place, "a write needn't say on which state it is based"),
            _ => {}
        }
        match (self.old.kept.deleted.is_some(), self.new.kept.deleted.is_some()) {
            (false, true) => changes.doubtful(place, "what is deleted is kept, and its key stays taken"),
            (true, false) => changes.doubtful(place, "what is deleted is gone for good"),
            _ => {}
        }
    }

    fn key(&self, changes: &mut Changes) {
        let place = &self.new.name;
        let key = |schema: &Schema, resource: &Resource| -> Vec<(String, &'static str)> {
            let fields = resource.key.fields.iter().map(|id| schema.field(*id));
            fields
                .map(|field| (field.api_name.clone(), field.ty.name()))
                .collect()
        };
        let (one, other) = (key(self.schemas.0, self.old), key(self.schemas.1, self.new));
        if one != other {
            let shown = |key: &[(String, &str)]| {
                let parts = key.iter().map(|(name, ty)| format!("{name} ({ty})"));
                parts.collect::<Vec<_>>().join(", ")
            };
            let text = format!("its key was {} and is {}", shown(&one), shown(&other));
            changes.breaking(place, text);
        }
        if self.old.key.by_client && !self.new.key.by_client {
            changes.breaking(place, "a client can't choose the key any more");
        }
    }

    /// What refuses a row that was taken before.
    fn constraints(&self, changes: &mut Changes) {
        let place = &self.new.name;
        let uniques = |schema: &Schema, resource: &Resource| -> BTreeSet<String> {
            let all = resource
                .uniques
                .iter()
                .map(|unique| names(schema, &unique.fields));
            all.collect()
        };
        let (one, other) = (
            uniques(self.schemas.0, self.old),
            uniques(self.schemas.1, self.new),
        );
        for fields in other.difference(&one) {
            changes.breaking(place, format!("no two items may have the same {fields}"));
        }
        for fields in one.difference(&other) {
            changes.compatible(place, format!("items may have the same {fields}"));
        }
        for check in &self.new.checks {
            let before = self.old.checks.iter().find(|other| other.name == check.name);
            match before {
                None => changes.breaking(place, format!("an item must satisfy `{}`", check.rule.source)),
                Some(before) if before.rule.expr != check.rule.expr => {
                    let text = format!(
                        "an item had to satisfy `{}` and must satisfy `{}`",
                        before.rule.source, check.rule.source
                    );
                    changes.doubtful(place, text);
                }
                Some(_) => {}
            }
        }
        for check in &self.old.checks {
            if !self.new.checks.iter().any(|other| other.name == check.name) {
                changes.compatible(place, format!("an item needn't satisfy `{}`", check.rule.source));
            }
        }
    }

    /// Who makes and undoes the pairs of a many-to-many, from the side that declares it.
    fn links(&self, (one, other): (&Relation, &Relation), place: &str, changes: &mut Changes) {
        let rule = |resource: &Resource, relation: &Relation| {
            let own = relation.access.as_ref();
            own.or(resource.access.update.as_ref()).cloned()
        };
        let is_pairs = |relation: &Relation| relation.declared && relation.has_bare_pairs();
        if !(is_pairs(one) && is_pairs(other)) || one.access == other.access {
            return;
        }
        match (rule(self.old, one), rule(self.new, other)) {
            (Some(_), None) => changes.breaking(place, "linking isn't served any more"),
            (None, Some(_)) => changes.compatible(place, "linking is served"),
            (one, other) => changes.rule(place, "linking", one.as_ref(), other.as_ref()),
        }
    }

    /// How old an answer may be.
    fn caching(&self, changes: &mut Changes) {
        let of = |schema: &Schema, resource: &Resource| {
            let mut all = schema.resources();
            let id = all.find(|(_, other)| std::ptr::eq(*other, resource));
            id.and_then(|(id, _)| schema.caching_of(id))
        };
        let (one, other) = (of(self.schemas.0, self.old), of(self.schemas.1, self.new));
        if one != other {
            let text = format!(
                "caches answered by themselves {} and may {}",
                seconds(one),
                seconds(other)
            );
            changes.doubtful(&self.new.name, text);
        }
    }

    fn orders(&self, changes: &mut Changes) {
        let place = &self.new.name;
        let searched = |resource: &Resource| resource.fields.iter().any(|field| field.searchable);
        match (searched(self.old), searched(self.new)) {
            (true, false) => changes.breaking(place, "`q` isn't served any more"),
            (false, true) => changes.compatible(place, "`q` is served"),
            _ => {}
        }
        let (one, other) = (
            sort(self.schemas.0, &self.old.sort),
            sort(self.schemas.1, &self.new.sort),
        );
        if one != other {
            changes.doubtful(place, format!("its own order was {one} and is {other}"));
        }
    }

    fn relations(&self, changes: &mut Changes) {
        let seen = |schema: &Schema, resource: &Resource, relation: &Relation| {
            resource.access.read.is_some() && schema.resource(relation.target).access.read.is_some()
        };
        let (old, new) = self.schemas;
        for one in self.old.relations.iter().filter(|one| seen(old, self.old, one)) {
            let place = format!("{}.{}", self.new.name, one.name);
            let after = self.new.relation_by_name(&one.name).map(|(_, relation)| relation);
            match after.filter(|other| seen(new, self.new, other)) {
                None => changes.breaking(&place, "the relation is gone"),
                Some(other) => {
                    let led = (&old.resource(one.target).collection, one.kind.is_to_one());
                    let leads = (&new.resource(other.target).collection, other.kind.is_to_one());
                    let text = |(to, is_one): (&String, bool)| {
                        format!("{} of {to}", if is_one { "one" } else { "many" })
                    };
                    if led != leads {
                        changes.breaking(
                            &place,
                            format!("it led to {} and leads to {}", text(led), text(leads)),
                        );
                    }
                    self.links((one, other), &place, changes);
                    match (one.nested, other.nested) {
                        (true, false) => changes.breaking(&place, "its items aren't made along any more"),
                        (false, true) => changes.compatible(&place, "its items may be made along"),
                        _ => {}
                    }
                    if one.limit != other.limit && !other.kind.is_to_one() {
                        changes.doubtful(&place, "an include of it shows another number of items");
                    }
                }
            }
        }
        for other in self
            .new
            .relations
            .iter()
            .filter(|other| seen(new, self.new, other))
        {
            let before = self.old.relation_by_name(&other.name);
            if !before.is_some_and(|(_, one)| seen(old, self.old, one)) {
                changes.compatible(
                    &format!("{}.{}", self.new.name, other.name),
                    "the relation is new",
                );
            }
        }
    }
}

fn seconds(caching: Option<Caching>) -> String {
    match caching {
        None => "not at all".to_owned(),
        Some(Caching {
            max_age,
            shared_max_age: None,
        }) => format!("for {max_age} seconds"),
        Some(Caching {
            max_age,
            shared_max_age: Some(shared),
        }) => format!("for {max_age} seconds ({shared} where several share one)"),
    }
}

fn names(schema: &Schema, fields: &[FieldId]) -> String {
    let names = fields.iter().map(|field| schema.field(*field).api_name.as_str());
    names.collect::<Vec<_>>().join(" and ")
}

fn sort(schema: &Schema, keys: &[SortKey]) -> String {
    if keys.is_empty() {
        return "by key".to_owned();
    }
    let term = |key: &SortKey| {
        let sign = if key.descending { "-" } else { "" };
        format!("{sign}{}", schema.field(key.field).api_name)
    };
    keys.iter().map(term).collect::<Vec<_>>().join(",")
}
