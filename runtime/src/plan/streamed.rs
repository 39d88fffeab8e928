//! Plans of streams: a list in parts, one behind the other.

use std::sync::Arc;

use rest_schema::{Link, ResourceId, SortKey};

use crate::cell::Cell;
use crate::plan::read::{From, Planner, ReadPlan, Select, Start, start_at};
use crate::problem::{Code, Problem};
use crate::request::SortTerm;
use crate::request::page::Position;

impl ReadPlan {
    /// The same rows from behind one of them on, whose values of the order's terms these are.
    pub(crate) fn behind(mut self, values: Vec<Cell>) -> Self {
        let shape = Arc::make_mut(&mut self.shape);
        let Select::Page { start, count, .. } = &mut shape.select else {
            return self;
        };
        // Where a page begins is the last of the parameters.
        match start {
            Start::First => {}
            Start::At { values, .. } | Start::Offset(values) => self.params.truncate(usize::from(*values)),
        }
        let position = Position {
            values,
            backward: false,
        };
        *start = start_at(position, &mut self.params);
        *count = false;
        self
    }
}

impl Planner<'_> {
    /// A stream goes forward, in an order that costs no sorting of all rows for each of its parts.
    pub(super) fn check_streamed(
        &self,
        resource: ResourceId,
        from: Option<&From>,
        asked: &[SortTerm],
        position: Option<&Position>,
    ) -> Result<(), Problem> {
        if position.is_some_and(|position| position.backward) {
            let detail = "the cursor leads back, and a stream goes forward; leave it out, or take `page.next` of a page";
            return Err(not_streamable("cursor", detail.to_owned()));
        }
        let schema = &self.model.schema;
        let own = |sort: &[SortTerm]| -> Option<Vec<SortKey>> {
            let key = |term: &SortTerm| {
                term.path.steps.is_empty().then_some(SortKey {
                    field: term.path.field,
                    descending: term.descending,
                })
            };
            sort.iter().map(key).collect()
        };
        let sort = if asked.is_empty() {
            Some(schema.resource(resource).sort.clone())
        } else {
            own(asked)
        };
        let first = match from.map(|from| &self.model.relation(from.relation).link) {
            Some(Link::Keys { remote, .. }) => remote.as_slice(),
            Some(Link::Join { .. }) | None => &[],
        };
        let is_served = |sort: &[SortKey]| {
            sort.is_empty() || schema.serves(resource, &[], sort) || schema.serves(resource, first, sort)
        };
        if sort.is_some_and(|sort| is_served(&sort)) {
            return Ok(());
        }
        let by_key = schema.resource(resource).key.fields.iter();
        let by_key: Vec<&str> = by_key
            .map(|field| schema.field(*field).api_name.as_str())
            .collect();
        let detail = format!(
            "no index serves this order, so each part of a stream would sort all rows; sort={} is served, or ask for pages",
            by_key.join(",")
        );
        Err(not_streamable("sort", detail))
    }
}

fn not_streamable(parameter: &str, detail: String) -> Problem {
    Problem::new(Code::NotStreamable).parameter(parameter, Code::NotStreamable, detail)
}
