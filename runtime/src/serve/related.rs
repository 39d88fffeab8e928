//! What a relation leads to from one item: the related item, or a collection of its own with all that a collection can do.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use rest_schema::{FieldId, Operation, RelationId, ResourceId, Through, Value};

use super::{Exchange, answer};
use crate::cell::Cell;
use crate::plan::access::Deed;
use crate::plan::read::From;
use crate::problem::{Code, Fault, Problem, words};
use crate::request::body::{self, Json, Pointer};
use crate::request::{Condition, Selection, methods, names_relation, query};
use crate::respond::json::related;
use crate::storage::steps::{Action, Pair, Paired, Put};

impl Exchange<'_> {
    /// GET of what a relation leads to; POST to it.
    pub(super) async fn related(
        &self,
        relation: RelationId,
        segment: &str,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        let way = self.service.engine.model.relation(relation);
        self.exists_for_caller(relation)?;
        if self.parts.method == Method::POST {
            return self.create_related(relation, segment, body).await;
        }
        self.open(relation.resource, Operation::Read)?;
        if self.parts.method == Method::PATCH {
            let from = self.start(relation, segment)?;
            return self.patch_matching(way.target, Some(from), body).await;
        }
        if self.parts.method == Method::DELETE {
            let from = self.start(relation, segment)?;
            return self.delete_matching(way.target, Some(from)).await;
        }
        self.open(way.target, Operation::Read)?;
        if way.kind.is_to_one() {
            let selection = self.selection(way.target)?;
            let from = self.start(relation, segment)?;
            let asked = self.asked(self.planner().related_item(&from, &selection)?)?;
            let output = self.fetch(&asked).await?;
            return self.item_told(&asked, output);
        }
        let query = if self.is_asked_by_body() {
            self.asked_by_body(way.target, body).await?
        } else {
            self.query_of(way.target)?
        };
        let from = self.start(relation, segment)?;
        let cursor_key = &self.service.engine.cursor_key;
        let asked = self.asked(self.planner().related(&from, &query, cursor_key)?)?;
        let address = related(&self.service.engine, self.prefix, relation, &from.key);
        self.told(way.target, &address, asked, Some(&from)).await
    }

    /// PUT and DELETE of a pair.
    pub(super) async fn pair(
        &self,
        relation: RelationId,
        segment: &str,
        other: &str,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        self.check_length()?;
        let schema = &self.service.engine.model.schema;
        if let Some(through) = schema.relation(relation).through {
            return self.pair_through(relation, through, [segment, other], body).await;
        }
        let target = schema.relation(relation).target;
        let declared = schema.declared(relation);
        self.exists_for_caller(relation)?;
        self.open(relation.resource, Operation::Read)?;
        self.open(target, Operation::Read)?;
        self.open(declared.resource, Deed::Link(declared))?;
        query::none(self.parts.uri.query())?;
        let linked = self.parts.method == Method::PUT;
        if linked && !self.bytes(body).await?.is_empty() {
            let detail = "a pair has no members; send no body";
            let fault = Fault::pointer(String::new(), words::NOT_SERVED, detail);
            return Err(Problem::invalid(vec![fault]));
        }
        let expected = self.expected(relation.resource)?;
        let (_, key) = self.key(relation.resource, segment)?;
        let (_, other) = self.key(target, other)?;
        let pair = Pair {
            relation,
            key,
            other,
            linked,
        };
        self.write(declared.resource, Action::Link { pair, expected })
            .await?;
        Ok(answer::nothing(StatusCode::NO_CONTENT))
    }

    /// The same where the pair is an item of a resource: PUT makes it or replaces it, DELETE deletes it.
    async fn pair_through(
        &self,
        relation: RelationId,
        through: Through,
        [segment, other]: [&str; 2],
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        let (pairs, engine) = (through.resource(), &self.service.engine);
        let target = engine.model.relation(relation).target;
        self.exists_for_caller(relation)?;
        for read in [relation.resource, target, pairs] {
            self.open(read, Operation::Read)?;
        }
        let is_put = self.parts.method == Method::PUT;
        if !is_put {
            self.open(pairs, Operation::Delete)?;
        } else if self.open(pairs, Operation::Create).is_err() {
            self.open(pairs, Operation::Update)?;
        }
        query::none(self.parts.uri.query())?;
        let mut body = match self.bytes(body).await? {
            bytes if bytes.is_empty() => Json::Object(Vec::new()),
            bytes if is_put => {
                self.check_body_headers()?;
                body::parse(&bytes)?
            }
            _ => Json::Object(Vec::new()),
        };
        let expected = self.expected(relation.resource)?;
        let (values, key) = self.key(relation.resource, segment)?;
        let (others, other) = self.key(target, other)?;
        let fields = engine.model.fields_of_pair(through).into_iter();
        let known: Vec<(FieldId, &Value)> = fields.zip(values.iter().chain(&others)).collect();
        // Only the program's own code is told of it before the write's steps find it themselves.
        let of_row = if engine.hooks.of(pairs).is_empty() {
            Vec::new()
        } else {
            let filter = |(field, value): &(FieldId, &Value)| Condition::equals(*field, (*value).clone());
            let filters = known.iter().map(filter).collect();
            let mut found = self.keys_found(pairs, filters, 1, None).await?;
            found.keys.pop().unwrap_or_default()
        };
        let put = if is_put {
            self.say(pairs, &known, &mut body)?;
            let validator = engine.validators.resource(pairs);
            let (update, create) = self.as_writer(pairs, |writer| {
                let update = validator.replace(&body, &[], writer).update;
                (update, validator.create(&body, "", &[], writer))
            });
            Some(Put {
                update: Box::new(update),
                create: create.map(Box::new),
            })
        } else {
            None
        };
        let paired = Paired {
            pair: Pair {
                relation,
                key,
                other,
                linked: is_put,
            },
            expected,
            key: of_row,
            put,
        };
        self.write(pairs, Action::Paired(Box::new(paired))).await?;
        Ok(answer::nothing(StatusCode::NO_CONTENT))
    }

    fn start(&self, relation: RelationId, segment: &str) -> Result<From, Problem> {
        let (_, key) = self.key(relation.resource, segment)?;
        Ok(From { relation, key })
    }

    /// 404 where the relation, or what it hangs on, doesn't exist for this caller.
    fn exists_for_caller(&self, relation: RelationId) -> Result<(), Problem> {
        let planner = self.planner();
        let schema = &self.service.engine.model.schema;
        if names_relation(schema, relation, &|field| planner.is_visible(field)) {
            Ok(())
        } else {
            Err(Problem::new(Code::NotFound))
        }
    }

    /// 404 where the item from which a relation starts isn't there for this caller.
    pub(super) async fn is_there(&self, from: &From) -> Result<(), Problem> {
        if self.may_read(from.relation.resource, &from.key).await? {
            Ok(())
        } else {
            Err(Problem::new(Code::NotFound))
        }
    }

    /// Whether an item is there for this caller.
    pub(super) async fn may_read(&self, resource: ResourceId, key: &[Cell]) -> Result<bool, Problem> {
        let plan = self
            .planner()
            .item(resource, key.to_vec(), &Selection::nothing())?;
        let output = self.fetch(&self.asked(plan)?).await?;
        Ok(!output.rows.is_empty())
    }

    /// POST: what is made points to the item of the address.
    async fn create_related(
        &self,
        relation: RelationId,
        segment: &str,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        self.open(relation.resource, Operation::Read)?;
        let target = self.service.engine.model.relation(relation).target;
        self.open(target, Operation::Create)?;
        query::none(self.parts.uri.query())?;
        let mut body = self.json_once(body).await?;
        let (values, key) = self.key(relation.resource, segment)?;
        self.is_there(&From { relation, key }).await?;
        self.point(relation, &values, &mut body)?;
        self.create_of(target, &body).await
    }

    /// Puts the key of the address into what is to be made; what is said of it already has to agree.
    fn point(&self, relation: RelationId, key: &[Value], body: &mut Json) -> Result<(), Problem> {
        let schema = &self.service.engine.model.schema;
        let known = methods::pointing(schema, relation);
        let known: Vec<(FieldId, &Value)> = known
            .into_iter()
            .map(|(place, field)| (field, &key[place]))
            .collect();
        self.say(schema.relation(relation).target, &known, body)
    }

    /// Puts into bodies what the address says.
    fn say(&self, resource: ResourceId, known: &[(FieldId, &Value)], body: &mut Json) -> Result<(), Problem> {
        let model = &self.service.engine.model;
        let validator = self.service.engine.validators.resource(resource);
        let mut faults = Vec::new();
        let mut one = |json: &mut Json, at: &Pointer| {
            let Json::Object(members) = json else { return };
            for (field, value) in known {
                let name = &model.field(*field).api_name;
                let own = Json::of_value(value);
                match members.iter().find(|(given, _)| given == name) {
                    None => members.push((name.clone(), own)),
                    Some((_, given)) if validator.says(field.index, given, value) => {}
                    Some(_) => {
                        let detail = "must be the key in the address, or be left out";
                        faults.push(Fault::pointer(at.member(name), words::IMMUTABLE, detail));
                    }
                }
            }
        };
        match body {
            Json::Array(items) => {
                for (place, item) in items.iter_mut().enumerate() {
                    one(item, &Pointer::root().index(place));
                }
            }
            other => one(other, &Pointer::root()),
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(faults))
        }
    }
}
