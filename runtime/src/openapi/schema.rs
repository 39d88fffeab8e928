//! Resources as JSON Schemas: an item, a part of one, a page of them, and the bodies that make and change one.

use rest_schema::{FieldId, Relation, RelationId, Resource, ResourceId};
use serde_json::{Value, json};

use super::field::{self, LONGEST_QUERY, Object, Use};
use super::{Document, object, parameter};
use crate::plan::level::THROUGH;
use crate::request::methods;
use crate::request::query::PARAMETERS;
use crate::validate::Body;

/// The schemas of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An item as it is shown where a request doesn't say.
    Whole,
    /// The members that `fields` names.
    Part,
    /// A page of a collection.
    Page,
    /// An item as HAL.
    Hal,
    /// A page as HAL.
    HalPage,
    /// What is worked out of a collection.
    Groups,
    /// What an array of bodies made.
    Made,
    /// A body.
    Body(Body),
    /// What QUERY asks.
    Query,
    /// Its filter.
    Filter,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Whole,
        Self::Part,
        Self::Page,
        Self::Hal,
        Self::HalPage,
        Self::Groups,
        Self::Made,
        Self::Body(Body::Create),
        Self::Body(Body::Replace),
        Self::Body(Body::Patch),
        Self::Query,
        Self::Filter,
    ];

    fn suffix(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Part => "Part",
            Self::Page => "Page",
            Self::Hal => "Hal",
            Self::HalPage => "HalPage",
            Self::Groups => "Groups",
            Self::Made => "Made",
            Self::Body(Body::Create) => "Create",
            Self::Body(Body::Replace) => "Replace",
            Self::Body(Body::Patch) => "Patch",
            Self::Query => "Query",
            Self::Filter => "Filter",
        }
    }
}

impl Document<'_> {
    /// The name of a resource's schema; that of another resource is never taken.
    pub(super) fn name(&self, resource: ResourceId, kind: Kind) -> String {
        let mut name = format!("{}{}", self.model.resource(resource).name, kind.suffix());
        while kind != Kind::Whole && self.model.schema.resources.iter().any(|other| other.name == name) {
            name.push('_');
        }
        name
    }

    /// The name of a schema of the service's own; that of a resource's is never taken.
    pub(super) fn own(&self, name: &str) -> String {
        let named = |name: &str| {
            let mut resources = self.model.schema.resources();
            resources.find(|(_, resource)| resource.name == name)
        };
        // Asked for by nearly every operation, so only the resources are looked at that could have such a name.
        let is_taken = |name: &str| {
            let bare = name.trim_end_matches('_');
            let of_kind = |kind: &Kind| {
                let found = bare.strip_suffix(kind.suffix()).and_then(named);
                found.is_some_and(|(id, _)| self.name(id, *kind) == name)
            };
            named(name).is_some() || Kind::ALL.iter().any(of_kind)
        };
        let mut own = name.to_owned();
        while is_taken(&own) {
            own.push('_');
        }
        own
    }

    /// A reference to a schema of the service's own.
    pub(super) fn own_reference(&self, name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.own(name)) })
    }

    /// A reference to a resource's schema.
    pub(super) fn reference(&self, resource: ResourceId, kind: Kind) -> Value {
        json!({ "$ref": format!("{}{}", self.schemas, self.name(resource, kind)) })
    }

    /// An item, whole or in part.
    pub(super) fn any_of_item(&self, resource: ResourceId) -> Value {
        json!({ "anyOf": [self.reference(resource, Kind::Whole), self.reference(resource, Kind::Part)] })
    }

    /// A schema of a resource; `None` where nothing of the service has such a value.
    pub(super) fn schema_of(&self, id: ResourceId, kind: Kind) -> Option<Value> {
        let resource = self.model.resource(id);
        let access = &resource.access;
        let is_read = access.read.is_some();
        let schema = match kind {
            Kind::Whole => self.item(id, true),
            Kind::Query if is_read => self.question_schema(id),
            Kind::Filter if is_read => self.filter(id),
            Kind::Part if is_read => self.item(id, false),
            Kind::Page if is_read => self.page(id),
            Kind::Hal if is_read => self.hal_item(id),
            Kind::HalPage if is_read => self.hal_page(id),
            Kind::Groups if is_read => self.aggregated(id),
            Kind::Made if access.create.is_some() => {
                let bulk = self.model.schema.limits.bulk;
                let items =
                    json!({ "type": "array", "items": self.reference(id, Kind::Whole), "maxItems": bulk });
                object([("items", items)], &["items"])
            }
            Kind::Body(body) if self.takes(resource, body) => self.body(id, body, &[]),
            Kind::Part
            | Kind::Page
            | Kind::Hal
            | Kind::HalPage
            | Kind::Groups
            | Kind::Made
            | Kind::Body(_)
            | Kind::Query
            | Kind::Filter => return None,
        };
        Some(described(resource, kind, schema))
    }

    fn takes(&self, resource: &Resource, body: Body) -> bool {
        let access = &resource.access;
        match body {
            Body::Create => access.create.is_some(),
            Body::Replace => access.update.is_some() || resource.key.by_client && access.create.is_some(),
            Body::Patch => access.update.is_some(),
        }
    }

    pub(super) fn item(&self, id: ResourceId, is_whole: bool) -> Value {
        let usage = Use::Shown {
            limits: self.model.schema.managed != Some(false),
        };
        let mut properties = Object::new();
        let mut required = Vec::new();
        let validator = self.validators.resource(id);
        for (field_id, field) in self.model.fields(id).filter(|(_, field)| field.is_shown()) {
            let length = validator.length(field_id.index);
            let schema = field::schema(field, length, usage, self.model.schema.limits.body);
            properties.insert(field.api_name.clone(), Value::Object(schema));
            if is_whole && field.readable.is_none() {
                required.push(field.api_name.as_str());
            }
        }
        for relation in self.relations(id) {
            properties.insert(relation.name.clone(), self.included(relation));
        }
        if let Some(pair) = self.pair(id, Kind::Whole) {
            properties.insert(THROUGH.to_owned(), pair);
        }
        object(properties, &required)
    }

    /// The pair within an item, where it is listed by a relation whose pairs are items.
    pub(super) fn pair(&self, id: ResourceId, kind: Kind) -> Option<Value> {
        let schema = &self.model.schema;
        let ways = schema.resources().flat_map(|(resource, from)| {
            let of = move |index| RelationId { resource, index };
            (0u32..).map(of).zip(&from.relations)
        });
        let leads = ways.filter(|(_, relation)| relation.target == id);
        let served = leads.filter(|(way, _)| !methods::of_related(schema, *way).is_empty());
        let mut kinds: Vec<Value> = Vec::new();
        for through in served.filter_map(|(_, relation)| relation.through) {
            let one = self.reference(through.resource(), kind);
            if !kinds.contains(&one) {
                kinds.push(one);
            }
        }
        let what = "The pair, where the item is listed by a relation whose pairs are items.";
        (!kinds.is_empty()).then(|| json!({ "description": what, "anyOf": kinds }))
    }

    /// A relation within an item, where `include` or `fields` asks for it.
    fn included(&self, relation: &Relation) -> Value {
        let whole = self.reference(relation.target, Kind::Whole);
        let part = self.reference(relation.target, Kind::Part);
        if relation.kind.is_to_one() {
            json!({ "anyOf": [whole, part, { "type": "null" }] })
        } else {
            self.reference(relation.target, Kind::Page)
        }
    }

    /// The relations that a request may include.
    pub(super) fn relations(&self, id: ResourceId) -> impl Iterator<Item = &Relation> {
        crate::request::relations(&self.model.schema, id)
    }

    pub(super) fn page(&self, id: ResourceId) -> Value {
        let limits = self
            .model
            .schema
            .resources
            .iter()
            .flat_map(|resource| &resource.relations);
        let most = limits
            .filter_map(|relation| relation.limit)
            .fold(self.model.schema.page.max, u32::max);
        let items = json!({ "type": "array", "items": self.any_of_item(id), "maxItems": most });
        let nullable = |description: &str| json!({ "type": ["string", "null"], "maxLength": LONGEST_QUERY, "description": description });
        let page = object(
            [
                (
                    "limit",
                    json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": i32::MAX, "description": "the most items on a page" }),
                ),
                ("next", nullable("the cursor of the next page")),
                ("prev", nullable("the cursor of the page before")),
                (
                    "total",
                    json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX, "description": "the items on all pages, where `count=exact` asks for it" }),
                ),
            ],
            &["limit", "next", "prev"],
        );
        let address = |description: &str| {
            json!({
                "type": ["string", "null"],
                "format": "uri-reference",
                "maxLength": 4 * LONGEST_QUERY,
                "description": description,
            })
        };
        let links = object(
            [
                (
                    "self",
                    address("this page; null where the relation can't be asked for by itself"),
                ),
                ("next", address("the next page")),
                ("prev", address("the page before")),
            ],
            &["self", "next", "prev"],
        );
        object(
            [("items", items), ("page", page), ("links", links)],
            &["items", "page", "links"],
        )
    }

    /// The name of the schema of what is made along by a relation.
    pub(super) fn name_along(&self, id: RelationId) -> String {
        self.own(&format!("{}Create", self.noun(id)))
    }

    /// The relations whose items are made along with those they belong to.
    pub(super) fn all_along(&self) -> impl Iterator<Item = RelationId> {
        let resources = self.model.schema.resources();
        resources.flat_map(|(resource, _)| self.along_of(resource))
    }

    /// Those of one resource.
    fn along_of(&self, resource: ResourceId) -> impl Iterator<Item = RelationId> {
        let relations = (0u32..).zip(&self.model.resource(resource).relations);
        let nested = relations.filter(|(_, relation)| relation.nested);
        nested.map(move |(index, _)| RelationId { resource, index })
    }

    /// The resources of what may be made along with a resource's items, however deep.
    pub(super) fn resources_along(&self, id: ResourceId) -> Vec<ResourceId> {
        let mut found = vec![id];
        let mut at = 0;
        while let Some(resource) = found.get(at).copied() {
            let targets = self
                .along_of(resource)
                .map(|relation| self.model.relation(relation).target);
            let new: Vec<ResourceId> = targets.filter(|target| !found.contains(target)).collect();
            found.extend(new);
            at += 1;
        }
        found.split_off(1)
    }

    /// What is made along by a relation: a body without what the item around it says.
    pub(super) fn along(&self, id: RelationId) -> Value {
        let schema = &self.model.schema;
        let back = methods::back(schema, id);
        let mut body = self.body(schema.relation(id).target, Body::Create, &[]);
        for (_, field) in back {
            let name = &schema.field(field).api_name;
            if let Some(properties) = body["properties"].as_object_mut() {
                properties.remove(name);
            }
            if let Some(required) = body["required"].as_array_mut() {
                required.retain(|other| other != name);
            }
        }
        if body["required"].as_array().is_some_and(Vec::is_empty)
            && let Some(body) = body.as_object_mut()
        {
            body.remove("required");
        }
        body
    }

    /// The members of a body that hold what is made along.
    fn members_along(&self, id: ResourceId) -> Object {
        let bulk = self.model.schema.limits.bulk;
        let members = self.along_of(id).map(|relation| {
            let way = self.model.relation(relation);
            let one = json!({ "$ref": format!("{}{}", self.schemas, self.name_along(relation)) });
            let schema = if way.kind.is_to_one() {
                json!({ "anyOf": [one, { "type": "null" }] })
            } else {
                json!({ "type": "array", "items": one, "maxItems": bulk })
            };
            (way.name.clone(), schema)
        });
        members.collect()
    }

    /// A body; `known` fields need not stand in it.
    pub(super) fn body(&self, id: ResourceId, body: Body, known: &[FieldId]) -> Value {
        let validator = self.validators.resource(id);
        let mut properties = Object::new();
        let mut required = Vec::new();
        for (place, is_required) in validator.members_of(body) {
            let field = &self.model.resource(id).fields[place as usize];
            let length = validator.length(place);
            let mut schema = field::schema(field, length, Use::Given, self.model.schema.limits.body);
            if field.writeonly {
                schema.insert("writeOnly".to_owned(), json!(true));
            }
            properties.insert(field.api_name.clone(), Value::Object(schema));
            let is_known = known.iter().any(|field| field.index == place);
            if is_required && !is_known {
                required.push(field.api_name.as_str());
            }
        }
        if body == Body::Create {
            properties.extend(self.members_along(id));
        }
        object(properties, &required)
    }
}

impl Document<'_> {
    /// The body of QUERY: the parameters of the collection, and a filter of its own.
    fn question_schema(&self, id: ResourceId) -> Value {
        let mut properties = Object::new();
        properties.insert("filter".to_owned(), self.reference(id, Kind::Filter));
        for (_, parameter) in self.parameters(id, false) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if PARAMETERS.iter().any(|row| row.name == name) {
                properties.insert(name.to_owned(), parameter["schema"].clone());
            }
        }
        object(properties, &[])
    }

    fn filter(&self, id: ResourceId) -> Value {
        let own = self.reference(id, Kind::Filter);
        let room = usize::try_from(self.model.schema.limits.body).unwrap_or(usize::MAX);
        let list = json!({ "type": "array", "items": own, "minItems": 1, "maxItems": room });
        let relations = || {
            let of = |relation: &Relation| {
                (
                    relation.name.clone(),
                    self.reference(relation.target, Kind::Filter),
                )
            };
            self.relations(id).map(of)
        };
        let mut properties = Object::new();
        let fields = self.model.resource(id).fields.iter();
        for field in fields.filter(|field| field.is_shown() && field.filterable) {
            properties.insert(field.api_name.clone(), parameter::tests(field, room));
        }
        properties.extend(relations());
        properties.insert("any".to_owned(), list.clone());
        properties.insert("all".to_owned(), list);
        properties.insert("not".to_owned(), own);
        properties.insert("none".to_owned(), object(relations(), &[]));
        object(properties, &[])
    }
}

/// The schema of a JSON Patch (RFC 6902).
pub(super) fn json_patch() -> Value {
    let pointer = || json!({ "type": "string", "maxLength": LONGEST_QUERY, "description": "a member of the item, `/title`, or a place in its document (RFC 6901)" });
    let of = |words: &[&str], more: &str, schema: Value| {
        let op = json!({ "type": "string", "enum": words });
        let mut names = vec!["op", "path"];
        let mut members = vec![("op", op), ("path", pointer())];
        if !more.is_empty() {
            names.push(more);
            members.push((more, schema));
        }
        let mut operation = object(members, &names);
        // RFC 6902, 4: other members are passed over.
        if let Value::Object(operation) = &mut operation {
            operation.remove("additionalProperties");
        }
        operation
    };
    let operations = [
        of(&["add", "replace", "test"], "value", json!({})),
        of(&["remove"], "", json!({})),
        of(&["move", "copy"], "from", pointer()),
    ];
    json!({ "type": "array", "items": { "oneOf": operations }, "maxItems": 1_000, "description": "A JSON Patch (RFC 6902)." })
}

fn described(resource: &Resource, kind: Kind, mut schema: Value) -> Value {
    let own = resource.description.as_deref();
    let description = match kind {
        Kind::Whole => own.map(str::to_owned),
        Kind::Part => Some(format!("The members of a {} that `fields` names.", resource.name)),
        Kind::Page => Some("A page of a collection.".to_owned()),
        Kind::Hal => Some(format!(
            "A {} as HAL, whole or the members that `fields` names.",
            resource.name
        )),
        Kind::HalPage => Some("A page of a collection as HAL.".to_owned()),
        Kind::Groups => Some("What `aggregate` asks of a collection, for each group.".to_owned()),
        Kind::Made => {
            Some("What was made, in the order sent; what its maker may not read is left out.".to_owned())
        }
        Kind::Body(Body::Create) => Some(format!("Makes a {}.", resource.name)),
        Kind::Body(Body::Replace) => Some(format!("All of a {}.", resource.name)),
        Kind::Query => Some(format!("What is asked of a collection of {}.", resource.name)),
        Kind::Filter => Some(format!(
            "Which {} are asked for: all members hold.",
            resource.name
        )),
        Kind::Body(Body::Patch) => Some(format!("A merge patch (RFC 7396) of a {}.", resource.name)),
    };
    if let (Value::Object(schema), Some(description)) = (&mut schema, description) {
        schema.insert("description".to_owned(), json!(description));
    }
    if resource.deprecated.is_some()
        && let Value::Object(schema) = &mut schema
    {
        schema.insert("deprecated".to_owned(), json!(true));
    }
    schema
}
