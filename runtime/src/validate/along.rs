//! Bodies of POST: one object or several, each with what is made along with it.

use jiff::Timestamp;
use rest_schema::{Operation, RelationId, ResourceId};

use super::{Along, New};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::problem::{Code, Fault, Problem, words};
use crate::request::body::{Json, Pointer};
use crate::request::methods;

/// Who makes them, and when.
pub(crate) struct Making<'a> {
    /// The service.
    pub(crate) engine: &'a Engine,
    /// Who makes them.
    pub(crate) caller: &'a Caller,
    /// The moment of the request.
    pub(crate) now: Timestamp,
}

/// Where in a body an object stands.
struct Place<'a> {
    /// The pointer to it.
    pointer: &'a str,
    /// The places of the fields that what is around it says.
    known: &'a [u32],
    /// How many relations lead to it.
    depth: u32,
}

impl Making<'_> {
    /// The rows that a body makes.
    ///
    /// # Errors
    ///
    /// 401 or 403 where making what stands within is closed to the caller; 422 with every fault.
    pub(crate) fn rows(&self, resource: ResourceId, body: &Json) -> Result<Vec<New>, Problem> {
        let limit = self.engine.model.schema.limits.bulk;
        let many = match body {
            Json::Array(items) => Some(items),
            _ => None,
        };
        if many.is_some_and(|items| items.is_empty() || items.len() > limit as usize) {
            let is_empty = many.is_some_and(Vec::is_empty);
            let word = if is_empty {
                words::TOO_SHORT
            } else {
                words::TOO_LONG
            };
            return Err(refused(
                word,
                format!("an array holds between 1 and {limit} objects"),
                limit,
            ));
        }
        let items = many.map_or_else(|| std::slice::from_ref(body), Vec::as_slice);
        let mut count = 0;
        for item in items {
            count += self.open(resource, item, 0)?;
        }
        if count > limit as usize {
            return Err(refused(
                words::TOO_LONG,
                format!("a body makes at most {limit} items, with all that stand within them"),
                limit,
            ));
        }
        let (mut rows, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let pointer = match many {
                Some(_) => Pointer::root().index(index).to_string(),
                None => String::new(),
            };
            let place = Place {
                pointer: &pointer,
                known: &[],
                depth: 0,
            };
            match self.row(resource, item, &place) {
                Ok(row) => rows.push(row),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            Ok(rows)
        } else {
            Err(Problem::invalid(faults))
        }
    }

    /// Refuses what is closed to the caller; else how many items the body makes.
    fn open(&self, resource: ResourceId, body: &Json, depth: u32) -> Result<usize, Problem> {
        let mut count = 1;
        for (relation, _, json) in self.within(resource, body) {
            let target = self.engine.model.relation(relation).target;
            self.engine.open(target, Operation::Create, self.caller)?;
            if depth < self.engine.model.schema.limits.include_depth {
                for item in items_of(json) {
                    count += self.open(target, item, depth + 1)?;
                }
            }
        }
        Ok(count)
    }

    /// The members of a body that hold what is made along.
    fn within<'b>(
        &self,
        resource: ResourceId,
        body: &'b Json,
    ) -> impl Iterator<Item = (RelationId, &'b str, &'b Json)> {
        let validator = self.engine.validators.resource(resource);
        let members = match body {
            Json::Object(members) => members.as_slice(),
            _ => &[],
        };
        let of = |(name, json): &'b (String, Json)| Some((validator.nested(name)?, name.as_str(), json));
        members.iter().filter_map(of)
    }

    fn row(&self, resource: ResourceId, body: &Json, place: &Place<'_>) -> Result<New, Vec<Fault>> {
        let engine = self.engine;
        let validator = engine.validators.resource(resource);
        let made = engine.as_writer(resource, self.caller, self.now, |writer| {
            validator.create(body, place.pointer, place.known, writer)
        });
        let mut faults = Vec::new();
        let mut along = Vec::new();
        for (relation, name, json) in self.within(resource, body) {
            let pointer = format!("{}{}", place.pointer, Pointer::root().member(name));
            match self.along(relation, json, &pointer, place.depth + 1) {
                Ok(rows) => along.push(Along { relation, rows }),
                Err(found) => faults.extend(found),
            }
        }
        match made {
            Ok(row) if faults.is_empty() => Ok(New { along, ..row }),
            Ok(_) => Err(faults),
            Err(own) => Err(own.into_iter().chain(faults).collect()),
        }
    }

    /// What is made along by a relation.
    fn along(
        &self,
        relation: RelationId,
        json: &Json,
        pointer: &str,
        depth: u32,
    ) -> Result<Vec<New>, Vec<Fault>> {
        let schema = &self.engine.model.schema;
        let way = schema.relation(relation);
        let right = match json {
            Json::Array(_) => !way.kind.is_to_one(),
            Json::Object(_) | Json::Null => way.kind.is_to_one(),
            _ => false,
        };
        if !right {
            let what = if way.kind.is_to_one() {
                "an object"
            } else {
                "an array of objects"
            };
            let detail = format!("must be {what}, not {}", json.kind());
            return Err(vec![Fault::pointer(pointer, words::WRONG_TYPE, detail)]);
        }
        let deepest = schema.limits.include_depth;
        if depth > deepest {
            let detail = format!("items are made along at most {deepest} relations deep");
            return Err(vec![
                Fault::pointer(pointer, words::TOO_LONG, detail).limit(deepest),
            ]);
        }
        let back = methods::back(schema, relation);
        let known: Vec<u32> = back.iter().map(|(_, field)| field.index).collect();
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        for (index, item) in items_of(json).iter().enumerate() {
            let pointer = match json {
                Json::Array(_) => format!("{pointer}/{index}"),
                _ => pointer.to_owned(),
            };
            let place = Place {
                pointer: &pointer,
                known: &known,
                depth,
            };
            match self.row(way.target, item, &place) {
                Ok(row) => rows.push(row),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(rows) } else { Err(faults) }
    }
}

fn items_of(json: &Json) -> &[Json] {
    match json {
        Json::Array(items) => items,
        Json::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn refused(word: &'static str, detail: String, limit: u32) -> Problem {
    let fault = Fault::pointer(String::new(), word, detail.clone()).limit(limit);
    Problem::new(Code::Invalid).detail(detail).fault(fault)
}
