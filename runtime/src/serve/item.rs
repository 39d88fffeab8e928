//! One item: read, replaced, changed, deleted.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use rest_schema::{Operation, ResourceId, Value};

use super::Exchange;
use super::answer;
use super::collection::only;
use super::reading::Asked;
use crate::cell::Cell;
use crate::problem::{Code, Problem};
use crate::request::body::Json;
use crate::request::precondition::Preconditions;
use crate::request::{Selection, body, query};
use crate::respond::format::Format;
use crate::respond::json::address;
use crate::storage::job::Written;
use crate::storage::rows::Output;
use crate::storage::steps::Action;
use crate::validate::Update;

impl Exchange<'_> {
    /// GET of an item.
    pub(super) async fn read(&self, resource: ResourceId, segment: &str) -> Result<Response<Body>, Problem> {
        let asked = self.item_asked(resource, segment)?;
        let output = self.fetch(&asked).await?;
        self.item_told(&asked, output)
    }

    /// What a GET of an item asks.
    pub(super) fn item_asked(&self, resource: ResourceId, segment: &str) -> Result<Asked, Problem> {
        self.open(resource, Operation::Read)?;
        let selection = self.selection(resource)?;
        let key = self.key(resource, segment)?;
        self.asked(self.planner().item(resource, key.1, &selection)?)
    }

    /// The answer to it.
    pub(super) fn item_told(&self, asked: &Asked, output: Output) -> Result<Response<Body>, Problem> {
        if output.rows.is_empty() {
            return Err(Problem::new(Code::NotFound));
        }
        let layout = &asked.compiled.read.layout;
        let (state, modified) = (output.state, output.modified);
        let is_plain = self.media.format == Format::Json && layout.includes.is_empty();
        let bytes = if is_plain {
            output.rows.bytes
        } else {
            let mut bytes = Vec::with_capacity(output.rows.size() + 512);
            self.splicer().item(layout, &output.rows, &mut bytes);
            bytes
        };
        let mut response = answer::item(StatusCode::OK, bytes, state, asked.privacy);
        answer::as_media(&mut response, self.media);
        answer::modified(&mut response, modified, self.now);
        answer::if_wanted(response, &self.parts.headers, &asked.expected)
    }

    /// GET of the caller's own account.
    pub(super) async fn me(&self) -> Result<Response<Body>, Problem> {
        let Some(account) = &self.caller.account else {
            return Err(Problem::new(Code::Unauthenticated));
        };
        self.open(account.resource, Operation::Read)?;
        let selection = self.selection(account.resource)?;
        let fields = &self.service.engine.model.resource(account.resource).key.fields;
        let key = fields.iter().map(|field| account.cell(*field).clone()).collect();
        let asked = self.asked(self.planner().item(account.resource, key, &selection)?)?;
        let output = self.fetch(&asked).await?;
        let shown = self.item_told(&asked, output)?;
        // The address is the same for everybody, so nothing on the way may keep the answer.
        let mut shown = answer::not_stored(shown);
        if let Some(came) = &self.caller.session {
            let token = self.service.engine.csrf_key.token(came);
            answer::with_csrf_token(&mut shown, &token)?;
        }
        Ok(shown)
    }

    pub(super) fn selection(&self, resource: ResourceId) -> Result<Selection, Problem> {
        let planner = self.planner();
        let schema = &self.service.engine.model.schema;
        query::item(schema, resource, self.parts.uri.query(), &|field| {
            planner.is_visible(field)
        })
    }

    /// PUT: the whole item.
    pub(super) async fn replace(
        &self,
        resource: ResourceId,
        segment: &str,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        self.open_to_put(resource)?;
        query::none(self.parts.uri.query())?;
        let body = self.json(body).await?;
        let expected = self.expected(resource)?;
        let (values, key) = self.key(resource, segment)?;
        let validator = self.service.engine.validators.resource(resource);
        let replacement = self.as_writer(resource, |writer| validator.replace(&body, &values, writer));
        let (update, create) = (
            Box::new(replacement.update),
            replacement.create.map(|new| new.map(Box::new)),
        );
        let written = self
            .write(
                resource,
                Action::Update {
                    key,
                    update,
                    create,
                    expected,
                },
            )
            .await?;
        self.changed(resource, written)
    }

    /// PUT is open where it may change an item or, the key being the client's to choose, make one.
    fn open_to_put(&self, resource: ResourceId) -> Result<(), Problem> {
        let by_client = self.service.engine.model.resource(resource).key.by_client;
        let update = self.open(resource, Operation::Update);
        if by_client && update.is_err() && self.open(resource, Operation::Create).is_ok() {
            return Ok(());
        }
        update
    }

    /// PATCH: a merge patch, or a JSON Patch.
    pub(super) async fn patch(
        &self,
        resource: ResourceId,
        segment: &str,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        self.open(resource, Operation::Update)?;
        query::none(self.parts.uri.query())?;
        let body = self.json_once(body).await?;
        let expected = self.expected(resource)?;
        let (_, key) = self.key(resource, segment)?;
        let update = self.change_asked(resource, &body);
        let written = self
            .write(
                resource,
                Action::Update {
                    key,
                    update: Box::new(update),
                    create: None,
                    expected,
                },
            )
            .await?;
        self.changed(resource, written)
    }

    /// What the caller expects of what he writes.
    pub(super) fn expected(&self, resource: ResourceId) -> Result<Preconditions, Problem> {
        let kept = &self.service.engine.model.resource(resource).kept;
        let expected = Preconditions::parse(&self.parts.headers)?;
        Ok(expected.required(kept.preconditions))
    }

    /// What the body of a PATCH asks for.
    pub(super) fn change_asked(&self, resource: ResourceId, body: &Json) -> Update {
        let validator = self.service.engine.validators.resource(resource);
        let is_json_patch = body::is_json_patch(&self.parts.headers);
        self.as_writer(resource, |writer| {
            if is_json_patch {
                validator.patch(body, writer)
            } else {
                validator.merge(body, writer)
            }
        })
    }

    /// DELETE.
    pub(super) async fn delete(
        &self,
        resource: ResourceId,
        segment: &str,
    ) -> Result<Response<Body>, Problem> {
        self.open(resource, Operation::Delete)?;
        query::none(self.parts.uri.query())?;
        let expected = self.expected(resource)?;
        let (_, key) = self.key(resource, segment)?;
        self.write(resource, Action::Delete { key, expected }).await?;
        Ok(answer::nothing(StatusCode::NO_CONTENT))
    }

    /// POST to what brings an item back.
    pub(super) async fn restore(
        &self,
        resource: ResourceId,
        segment: &str,
    ) -> Result<Response<Body>, Problem> {
        self.open(resource, Operation::Restore)?;
        query::none(self.parts.uri.query())?;
        let expected = self.expected(resource)?;
        let (_, key) = self.key(resource, segment)?;
        let written = self.write(resource, Action::Restore { key, expected }).await?;
        self.changed(resource, written)
    }

    /// The answer to PUT, PATCH and restoring: the item, or nothing where its writer may no longer read it.
    fn changed(&self, resource: ResourceId, written: Vec<Written>) -> Result<Response<Body>, Problem> {
        if written.first().is_some_and(|one| one.created) {
            return self.made(resource, written);
        }
        let one = only(written)?;
        // RFC 9110, 9.3.4: no validator in an answer to PUT whose content was not kept as it was sent.
        let is_put = self.parts.method == Method::PUT;
        let shown = one
            .item
            .map(|output| (output.rows.bytes, output.state.filter(|_| !is_put)));
        let statuses = (StatusCode::OK, StatusCode::NO_CONTENT);
        let address = (!is_put).then(|| address(&self.service.engine, self.prefix, resource, &one.key));
        Ok(answer::written(
            statuses,
            shown,
            address.as_deref(),
            self.preferences(),
        ))
    }

    /// The key of a path segment, as values and in stored form; 404 where it can't be one.
    pub(super) fn key(
        &self,
        resource: ResourceId,
        segment: &str,
    ) -> Result<(Vec<Value>, Vec<Cell>), Problem> {
        let model = &self.service.engine.model;
        let fields = &model.resource(resource).key.fields;
        let parts: Vec<&str> = if fields.len() == 1 {
            vec![segment]
        } else {
            segment.split(',').collect()
        };
        let none = || Problem::new(Code::NotFound);
        if parts.len() != fields.len() {
            return Err(none());
        }
        let (mut values, mut cells) = (Vec::new(), Vec::new());
        for (field, part) in fields.iter().zip(parts) {
            let text = percent_decode_str(part).decode_utf8().map_err(|_| none())?;
            let value = model.field(*field).ty.parse_text(&text).map_err(|_| none())?;
            cells.push(model.codec(*field).encode(&value));
            values.push(value);
        }
        Ok((values, cells))
    }
}
