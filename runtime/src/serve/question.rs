//! QUERY of a collection (RFC 10008): a page, asked for by a body; and the same by POST, for clients without the method.

use axum::body::Body;
use axum::http::{Method, Response};
use rest_schema::{Operation, ResourceId};

use super::{Exchange, answer};
use crate::problem::Problem;
use crate::request::precondition::Preconditions;
use crate::request::{Query, query};

impl Exchange<'_> {
    /// The page that a body asks for.
    pub(super) async fn question(&self, resource: ResourceId, body: Body) -> Result<Response<Body>, Problem> {
        self.open(resource, Operation::Read)?;
        let query = self.asked_by_body(resource, body).await?;
        let cursor_key = &self.service.engine.cursor_key;
        let mut asked = self.asked(self.planner().page(resource, &query, cursor_key)?)?;
        let is_twin = self.parts.method == Method::POST;
        if is_twin {
            // Nobody keeps the answer to a POST, so nobody has it already.
            asked.expected = Preconditions::default();
        }
        let page = self
            .told(resource, &self.address_of(resource), asked, None)
            .await?;
        Ok(if is_twin { answer::untagged(page) } else { page })
    }

    /// What a body asks of a collection.
    pub(super) async fn asked_by_body(&self, resource: ResourceId, body: Body) -> Result<Query, Problem> {
        query::none(self.parts.uri.query())?;
        let body = self.json(body).await?;
        let planner = self.planner();
        let schema = &self.service.engine.model.schema;
        query::body(schema, resource, &body, self.media.format, &|field| {
            planner.is_visible(field)
        })
    }

    /// Whether what is asked for stands in the body.
    pub(super) fn is_asked_by_body(&self) -> bool {
        !matches!(self.parts.method, Method::GET | Method::HEAD)
    }
}
