//! Rows as a file gives them, checked and made ready for [`Service::load`].

use rest_schema::{FieldId, RelationId, ResourceId, Value};

use crate::operate::Rows;
use crate::problem::{Fault, words};
use crate::request::body::{Json, Pointer};
use crate::service::Service;

impl Service {
    /// Reads what a file says: an object of lists, `Post` for rows of a resource and `Post.tags` for pairs of a
    /// many-to-many. A row may list the keys of such a relation itself where it says its own key.
    ///
    /// # Errors
    ///
    /// Every fault, with a pointer into the file.
    pub fn rows(&self, file: &Json) -> Result<Vec<Rows>, Vec<Fault>> {
        let mut reader = Reader {
            service: self,
            faults: Vec::new(),
            pairs: Vec::new(),
        };
        let Json::Object(lists) = file else {
            return Err(vec![wrong(
                &Pointer::root(),
                format!("must be a mapping of resources, not {}", file.kind()),
            )]);
        };
        let mut lots: Vec<Rows> = lists
            .iter()
            .filter_map(|(name, list)| reader.list(name, list))
            .collect();
        // Pairs come after all rows, so that no order of the file is wrong.
        lots.sort_by_key(|lot| matches!(lot, Rows::Pairs { .. }));
        lots.extend(reader.pairs);
        if reader.faults.is_empty() {
            Ok(lots)
        } else {
            Err(reader.faults)
        }
    }
}

struct Reader<'a> {
    service: &'a Service,
    faults: Vec<Fault>,
    /// Those that rows list.
    pairs: Vec<Rows>,
}

type Key = Vec<Value>;

impl Reader<'_> {
    fn list(&mut self, name: &str, list: &Json) -> Option<Rows> {
        let at = Pointer::root().member(name);
        let Json::Array(items) = list else {
            self.faults
                .push(wrong(&at, format!("must be a list of rows, not {}", list.kind())));
            return None;
        };
        let (resource_name, relation) = match name.split_once('.') {
            Some((resource, relation)) => (resource, Some(relation)),
            None => (name, None),
        };
        let schema = self.service.schema();
        let Some((resource, found)) = schema
            .resources()
            .find(|(_, resource)| resource.name == resource_name)
        else {
            let names = schema.resources.iter().map(|resource| resource.name.as_str());
            let fault = Fault::pointer(
                at.as_str(),
                words::UNKNOWN_FIELD,
                format!("no resource is called `{resource_name}`"),
            );
            self.faults.push(fault.near(resource_name, names));
            return None;
        };
        let Some(relation) = relation else {
            return Some(self.rows_of(resource, items, &at));
        };
        match self.many_to_many(resource, relation) {
            Some(relation) => Some(self.pairs_of(relation, items, &at)),
            None => {
                let detail = format!("{} has no many-to-many relation `{relation}`", found.name);
                self.faults
                    .push(Fault::pointer(at.as_str(), words::UNKNOWN_FIELD, detail));
                None
            }
        }
    }

    fn many_to_many(&self, resource: ResourceId, name: &str) -> Option<RelationId> {
        let (index, relation) = self.service.schema().resource(resource).relation_by_name(name)?;
        relation
            .has_bare_pairs()
            .then_some(RelationId { resource, index })
    }

    fn rows_of(&mut self, resource: ResourceId, items: &[Json], at: &Pointer) -> Rows {
        let rows = items.iter().enumerate();
        let rows = rows
            .filter_map(|(place, item)| self.row(resource, item, &at.index(place)))
            .collect();
        Rows::Of { resource, rows }
    }

    fn row(&mut self, resource: ResourceId, item: &Json, at: &Pointer) -> Option<Vec<(u32, Value)>> {
        let mut own = item.clone();
        let mut lists = Vec::new();
        if let Json::Object(members) = &mut own {
            self.as_on_the_wire(resource, members);
            members.retain(|(name, value)| match self.many_to_many(resource, name) {
                Some(relation) => {
                    lists.push((relation, at.member(name), value.clone()));
                    false
                }
                None => true,
            });
        }
        let validator = self.service.inner().engine.validators.resource(resource);
        match validator.row(&own, at.as_str()) {
            Ok(values) => {
                lists
                    .into_iter()
                    .for_each(|(relation, at, list)| self.listed(relation, &values, &list, &at));
                Some(values)
            }
            Err(found) => {
                self.faults.extend(found);
                None
            }
        }
    }

    /// A file may call a field as the schema does.
    fn as_on_the_wire(&self, resource: ResourceId, members: &mut [(String, Json)]) {
        let fields = &self.service.schema().resource(resource).fields;
        for (name, _) in members {
            let known = fields.iter().any(|field| field.api_name == *name);
            if let Some(field) = fields.iter().find(|field| !known && field.name == *name) {
                name.clone_from(&field.api_name);
            }
        }
    }

    /// Keys that a row lists beside its fields.
    fn listed(&mut self, relation: RelationId, row: &[(u32, Value)], list: &Json, at: &Pointer) {
        let Json::Array(keys) = list else {
            self.faults
                .push(wrong(at, format!("must be a list of keys, not {}", list.kind())));
            return;
        };
        let fields = &self.service.schema().resource(relation.resource).key.fields;
        let own = fields.iter().map(|field| {
            let part = row.iter().find(|(index, _)| *index == field.index);
            part.map(|(_, value)| value.clone())
        });
        let Some(own) = own.collect::<Option<Key>>() else {
            self.faults
                .push(wrong(at, "can be listed only where the row gives its own key"));
            return;
        };
        let target = self.service.schema().relation(relation).target;
        let keys = keys.iter().enumerate();
        let pairs =
            keys.filter_map(|(place, key)| Some((own.clone(), self.key(target, key, &at.index(place))?)));
        let pairs = pairs.collect();
        self.pairs.push(Rows::Pairs { relation, pairs });
    }

    fn pairs_of(&mut self, relation: RelationId, items: &[Json], at: &Pointer) -> Rows {
        let items = items.iter().enumerate();
        let pairs = items
            .filter_map(|(place, item)| self.pair(relation, item, &at.index(place)))
            .collect();
        Rows::Pairs { relation, pairs }
    }

    fn pair(&mut self, relation: RelationId, item: &Json, at: &Pointer) -> Option<(Key, Key)> {
        let Json::Array(both) = item else {
            self.faults
                .push(wrong(at, "must be the keys of both sides, `[1, 2]`"));
            return None;
        };
        let [local, remote] = both.as_slice() else {
            self.faults
                .push(wrong(at, "must be the keys of both sides, `[1, 2]`"));
            return None;
        };
        let target = self.service.schema().relation(relation).target;
        let local = self.key(relation.resource, local, &at.index(0));
        let remote = self.key(target, remote, &at.index(1));
        Some((local?, remote?))
    }

    /// The key of an item: a value, or a list of them where it is composite.
    fn key(&mut self, resource: ResourceId, value: &Json, at: &Pointer) -> Option<Key> {
        let fields = self.service.schema().resource(resource).key.fields.clone();
        match (fields.as_slice(), value) {
            ([field], value) => self.part(*field, value, at).map(|part| vec![part]),
            (fields, Json::Array(parts)) if parts.len() == fields.len() => {
                let parts = fields.iter().zip(parts).enumerate();
                parts
                    .map(|(place, (field, part))| self.part(*field, part, &at.index(place)))
                    .collect()
            }
            (fields, _) => {
                self.faults.push(wrong(
                    at,
                    format!("must be a list of the key's {} values", fields.len()),
                ));
                None
            }
        }
    }

    fn part(&mut self, field: FieldId, value: &Json, at: &Pointer) -> Option<Value> {
        let validator = self.service.inner().engine.validators.resource(field.resource);
        match validator.value(field.index, value, at.as_str()) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }
}

fn wrong(at: &Pointer, detail: impl Into<String>) -> Fault {
    Fault::pointer(at.as_str(), words::WRONG_TYPE, detail)
}
