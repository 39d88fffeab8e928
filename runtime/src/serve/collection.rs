//! A collection: its pages, and what is made in it.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use rest_schema::{Operation, ResourceId};

use super::Exchange;
use super::answer::{self, Privacy};
use super::reading::Asked;
use crate::plan::keeping::Keeping;
use crate::plan::read::{From, Planner, ReadPlan};
use crate::problem::{Code, Fault, Problem};
use crate::request::body::Json;
use crate::request::page::Position;
use crate::request::prefer::{Preferences, Return};
use crate::request::{Query, query};
use crate::respond::json::{Links, Splicer, address};
use crate::respond::link;
use crate::sql::select::Read;
use crate::storage::job::Written;
use crate::storage::rows::Output;
use crate::storage::steps::Action;
use crate::validate::{Making, Writer};
use crate::write::{Asking, Wrote};

impl Exchange<'_> {
    pub(super) fn planner(&self) -> Planner<'_> {
        Planner {
            model: &self.service.engine.model,
            caller: &self.caller,
        }
    }

    pub(super) fn privacy(&self, plan: &ReadPlan) -> Privacy {
        match plan.keeping {
            Keeping::Shared(caching) if self.caller.account.is_none() => Privacy::Public(caching),
            _ => Privacy::Private,
        }
    }

    /// GET of a collection.
    pub(super) async fn list(&self, resource: ResourceId) -> Result<Response<Body>, Problem> {
        let asked = self.page_asked(resource)?;
        self.told(resource, &self.address_of(resource), asked, None).await
    }

    /// The address of a collection.
    pub(super) fn address_of(&self, resource: ResourceId) -> String {
        let collection = &self.service.engine.model.resource(resource).collection;
        format!("{}/{collection}", self.prefix)
    }

    /// What a GET of a collection asks.
    pub(super) fn page_asked(&self, resource: ResourceId) -> Result<Asked, Problem> {
        self.open(resource, Operation::Read)?;
        let query = self.query_of(resource)?;
        let cursor_key = &self.service.engine.cursor_key;
        self.asked(self.planner().page(resource, &query, cursor_key)?)
    }

    /// The query string, as a question to a collection.
    pub(super) fn query_of(&self, resource: ResourceId) -> Result<Query, Problem> {
        let planner = self.planner();
        let schema = &self.service.engine.model.schema;
        query::collection(
            schema,
            resource,
            self.parts.uri.query(),
            self.media.format,
            &|field| planner.is_visible(field),
        )
    }

    /// The answer to it, at an address.
    pub(super) fn page_told(
        &self,
        address: &str,
        asked: &Asked,
        output: &Output,
    ) -> Result<Response<Body>, Problem> {
        let read = &asked.compiled.read;
        let links = self.links(address, read, &asked.plan, output);
        let mut bytes = Vec::with_capacity(output.rows.size() + 1024);
        self.splicer().page(read, &asked.plan, output, &links, &mut bytes);
        let mut page = answer::page(bytes, &links, self.prefix, asked.privacy);
        answer::as_media(&mut page, self.media);
        answer::if_wanted(page, &self.parts.headers, &asked.expected)
    }

    /// What writes rows for this caller.
    pub(super) fn splicer(&self) -> Splicer<'_> {
        Splicer {
            engine: &self.service.engine,
            caller: &self.caller,
            format: self.media.format,
            prefix: self.prefix,
        }
    }

    /// Answers what is asked of a collection at an address, in the form that is asked for; `from`: what a relation leads to
    /// from there.
    pub(super) async fn told(
        &self,
        resource: ResourceId,
        address: &str,
        asked: Asked,
        from: Option<&From>,
    ) -> Result<Response<Body>, Problem> {
        let output = self.fetch(&asked).await?;
        let is_group = asked.compiled.read.groups.is_some();
        if let Some(from) = from.filter(|_| output.rows.is_empty() || is_group) {
            // Nothing may be led to by nobody, too; and none is a number.
            self.is_there(from).await?;
        }
        if is_group {
            return self.groups_told(&asked, &output);
        }
        if self.media.format.is_stream() {
            self.streamed(resource, address, asked, output)
        } else {
            self.page_told(address, &asked, &output)
        }
    }

    /// What was worked out of the items, by groups.
    fn groups_told(&self, asked: &Asked, output: &Output) -> Result<Response<Body>, Problem> {
        if output.more {
            let most = asked.plan.limit;
            let detail = format!("there are more than {most} groups; filter, or group by less");
            let fault = Fault::parameter("group", Code::LimitExceeded, detail.clone()).limit(most);
            return Err(Problem::new(Code::LimitExceeded).detail(detail).fault(fault));
        }
        let rows = &output.rows;
        let all = (0..rows.len()).map(|row| &rows.bytes[rows.range(row)]);
        let told = answer::groups(items_of(all), asked.privacy);
        answer::if_wanted(told, &self.parts.headers, &asked.expected)
    }

    /// Where the page is, and its neighbours. A page read backward was read from its end.
    fn links(&self, address: &str, read: &Read, plan: &ReadPlan, output: &Output) -> Links {
        use crate::plan::read::{Select, Start};
        let raw = self.parts.uri.query();
        let seal = |values: &Option<Vec<crate::cell::Cell>>, backward: bool| {
            let position = Position {
                values: values.clone()?,
                backward,
            };
            let cursor = position.seal(&self.service.engine.cursor_key, plan.binding);
            // The next page of a QUERY is the same body with this cursor.
            let address = (!self.is_asked_by_body()).then(|| {
                let query = query::with_cursor(raw, &cursor);
                link::itself(address, Some(&query))
            });
            Some((cursor, address))
        };
        let from_first = match &plan.shape.select {
            Select::Page {
                start: Start::First, ..
            }
            | Select::Item { .. }
            | Select::Groups(_) => true,
            Select::Page {
                start: Start::Offset(place),
                ..
            } => plan.params[usize::from(*place)] == crate::cell::Cell::Integer(0),
            Select::Page {
                start: Start::At { .. },
                ..
            } => false,
        };
        let more = |values| {
            if output.more {
                seal(values, read.backward)
            } else {
                None
            }
        };
        let (next, prev) = if read.backward {
            (seal(&output.first, false), more(&output.last))
        } else {
            (
                more(&output.last),
                if from_first {
                    None
                } else {
                    seal(&output.first, true)
                },
            )
        };
        Links {
            own: link::itself(address, raw),
            next,
            prev,
        }
    }

    /// POST to a collection: one object, or an array of them.
    pub(super) async fn create(&self, resource: ResourceId, body: Body) -> Result<Response<Body>, Problem> {
        self.open(resource, Operation::Create)?;
        query::none(self.parts.uri.query())?;
        let body = self.json_once(body).await?;
        self.create_of(resource, &body).await
    }

    /// Makes what a body says.
    pub(super) async fn create_of(
        &self,
        resource: ResourceId,
        body: &Json,
    ) -> Result<Response<Body>, Problem> {
        let many = matches!(body, Json::Array(_));
        let making = Making {
            engine: &self.service.engine,
            caller: &self.caller,
            now: self.now,
        };
        let rows = making.rows(resource, body)?;
        let written = self.write(resource, Action::Create { rows, many }).await?;
        if many {
            Ok(items(StatusCode::CREATED, &written, self.preferences()))
        } else {
            self.made(resource, written)
        }
    }

    /// Validates as the caller, at the moment of the request.
    pub(super) fn as_writer<T>(&self, resource: ResourceId, validate: impl FnOnce(&Writer<'_>) -> T) -> T {
        let engine = &self.service.engine;
        engine.as_writer(resource, &self.caller, self.now, validate)
    }

    pub(super) async fn write(&self, resource: ResourceId, action: Action) -> Result<Vec<Written>, Problem> {
        if let Some(given) = self.given_before() {
            return self.repeated(resource, given).await;
        }
        let asked = Asking {
            resource,
            caller: self.caller.clone(),
            now: self.now,
            wanted: None,
        };
        match self.service.write_once(asked, action, self.repeat.once()).await? {
            Wrote::Now(items) => Ok(items),
            Wrote::Before(given) => self.repeated(resource, given).await,
        }
    }

    /// 201 with the item as its maker may see it; without where he may not.
    pub(super) fn made(
        &self,
        resource: ResourceId,
        written: Vec<Written>,
    ) -> Result<Response<Body>, Problem> {
        let engine = &self.service.engine;
        let one = only(written)?;
        let address = address(engine, self.prefix, resource, &one.key);
        // RFC 9110, 9.3.4: no validator in an answer to PUT whose content was not kept as it was sent.
        let is_put = self.parts.method == Method::PUT;
        let shown = one
            .item
            .map(|output| (output.rows.bytes, output.state.filter(|_| !is_put)));
        let statuses = (StatusCode::CREATED, StatusCode::CREATED);
        let response = answer::written(statuses, shown, Some(&address), self.preferences());
        Ok(answer::with_location(response, &address))
    }

    /// What the client would like.
    pub(super) fn preferences(&self) -> Preferences {
        Preferences::parse(&self.parts.headers)
    }
}

/// What a write of one item gave.
pub(super) fn only(mut written: Vec<Written>) -> Result<Written, Problem> {
    written
        .pop()
        .ok_or_else(|| Problem::internal("a write gave no item"))
}

/// The items in the order in which they were written, without those that their writer may not read.
pub(super) fn items(status: StatusCode, written: &[Written], preferences: Preferences) -> Response<Body> {
    if preferences.returned == Some(Return::Minimal) {
        let mut response = answer::nothing(status);
        answer::applied(&mut response, preferences);
        return response;
    }
    let readable = written.iter().filter_map(|one| one.item.as_ref());
    let bytes = items_of(readable.map(|output| output.rows.bytes.as_slice()));
    let mut response = answer::document(status, bytes);
    answer::applied(&mut response, preferences);
    response
}

fn items_of<'a>(all: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = b"{\"items\":[".to_vec();
    for (place, one) in all.enumerate() {
        if place > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(one);
    }
    bytes.extend_from_slice(b"]}");
    bytes
}
