//! PATCH and DELETE of all items of a collection that match, all or none.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use rest_schema::{Operation, ResourceId};

use super::Exchange;
use super::answer;
use super::collection::items;
use crate::cell::Cell;
use crate::plan::read::{From, ReadPlan};
use crate::problem::{Fault, Problem, words};
use crate::request::prefer::{Preferences, Return};
use crate::request::{Condition, query};
use crate::storage::job::Written;
use crate::storage::steps::{Action, Change, Several};

/// What was found to be written.
pub(super) struct Found {
    pub(super) keys: Vec<Vec<Cell>>,
    plan: ReadPlan,
}

impl Exchange<'_> {
    /// PATCH of a collection, or of what a relation leads to.
    pub(super) async fn patch_matching(
        &self,
        resource: ResourceId,
        from: Option<From>,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        let matching = self.matching_asked(resource, Operation::Update)?;
        let body = self.json_once(body).await?;
        self.expected(resource)?.hold_for_collection()?;
        let update = Box::new(self.change_asked(resource, &body));
        let written = if let Some(given) = self.given_before() {
            self.repeated(resource, given).await?
        } else {
            let found = self.matching_found(resource, matching, from).await?;
            if let Some(faults) = update.faults() {
                return Err(Problem::invalid(faults));
            }
            let change = || Change::Update(update.clone());
            self.write_found(resource, found, change).await?
        };
        let preferences = self.preferences();
        if preferences.returned == Some(Return::Representation) {
            return Ok(items(StatusCode::OK, &written, preferences));
        }
        Ok(self.affected(written.len()))
    }

    /// DELETE of a collection, or of what a relation leads to.
    pub(super) async fn delete_matching(
        &self,
        resource: ResourceId,
        from: Option<From>,
    ) -> Result<Response<Body>, Problem> {
        let matching = self.matching_asked(resource, Operation::Delete)?;
        self.expected(resource)?.hold_for_collection()?;
        let found = self.matching_found(resource, matching, from).await?;
        let written = self.write_found(resource, found, || Change::Delete).await?;
        Ok(self.affected(written.len()))
    }

    fn matching_asked(&self, resource: ResourceId, operation: Operation) -> Result<query::Matching, Problem> {
        self.open(resource, Operation::Read)?;
        self.open(resource, operation)?;
        let planner = self.planner();
        let schema = &self.service.engine.model.schema;
        query::matching(schema, resource, self.parts.uri.query(), &|field| {
            planner.is_visible(field)
        })
    }

    /// Finds what is meant, of what the caller may read: before the transaction, so that nobody waits for a long search.
    async fn matching_found(
        &self,
        resource: ResourceId,
        asked: query::Matching,
        from: Option<From>,
    ) -> Result<Found, Problem> {
        let most = asked.most;
        let one_more = most.saturating_add(1);
        let found = self
            .keys_found(resource, asked.filters, one_more, from.as_ref())
            .await?;
        if found.keys.len() > most as usize {
            let name = query::MAX_AFFECTED.name;
            let detail = format!("more than {most} items match; nothing was done");
            return Err(Problem::conflict(vec![
                Fault::parameter(name, words::TOO_MANY, detail).limit(most),
            ]));
        }
        if let Some(from) = from.filter(|_| found.keys.is_empty()) {
            self.is_there(&from).await?;
        }
        Ok(found)
    }

    /// The keys of the first for which conditions hold, of what the caller may read.
    pub(super) async fn keys_found(
        &self,
        resource: ResourceId,
        filters: Vec<Condition>,
        limit: u32,
        from: Option<&From>,
    ) -> Result<Found, Problem> {
        let engine = &self.service.engine;
        let plan = self
            .planner()
            .matching(resource, filters, limit, from, &engine.cursor_key)?;
        let compiled = engine.compiled(&plan.shape);
        let storage = &self.service.storage;
        let found = storage
            .find(engine, &compiled, &plan, &self.caller, self.now)
            .await
            .map_err(|refusal| self.problem(refusal))?;
        let fields = &engine.model.resource(resource).key.fields;
        let key = |row: Vec<rest_schema::Value>| {
            let cells = fields.iter().zip(&row);
            cells
                .map(|(field, value)| engine.model.codec(*field).encode(value))
                .collect()
        };
        Ok(Found {
            keys: found.rows.into_iter().map(key).collect(),
            plan,
        })
    }

    async fn write_found(
        &self,
        resource: ResourceId,
        found: Found,
        change: impl Fn() -> Change,
    ) -> Result<Vec<Written>, Problem> {
        if found.keys.is_empty() && self.repeat.once().is_none() {
            return Ok(Vec::new());
        }
        let several = Several {
            rows: found.keys.into_iter().map(|key| (key, change())).collect(),
            condition: found.plan.shape.condition.clone(),
            params: found.plan.params,
        };
        self.write(resource, Action::Several(several)).await
    }

    fn affected(&self, count: usize) -> Response<Body> {
        let body = format!("{{\"affected\":{count}}}").into_bytes();
        let mut response = answer::document(StatusCode::OK, body);
        let preferences = Preferences {
            returned: None,
            ..self.preferences()
        };
        answer::applied(&mut response, preferences);
        response
    }
}
