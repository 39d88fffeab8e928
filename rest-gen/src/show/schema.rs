//! A schema as meant: names bound, defaults decided, rules written out.

use rest_schema::rule::print;
use rest_schema::{
    Access, Bounds, DefaultValue, Deprecation, Field, FieldId, FieldRole, FieldType, Index, IndexExpr,
    KeyKind, Link, OnDelete, Origins, Relation, RelationKind, Resource, Rule, Schema, SortKey,
};
use serde_json::{Map, Value};

use super::object;

/// The whole of it.
pub(crate) fn schema(schema: &Schema) -> Value {
    let show = Show { schema };
    let resources = schema
        .resources
        .iter()
        .map(|resource| (resource.name.clone(), show.resource(resource)));
    object([
        ("service", text(&schema.name)),
        ("prefix", text(&schema.prefix)),
        ("managed", schema.managed.map_or(text("not said"), Value::Bool)),
        ("journal", schema.journal.map_or(Value::Null, |_| text("wal"))),
        ("accounts", show.accounts()),
        ("tokens", show.tokens()),
        ("page", show.page()),
        ("limits", show.limits()),
        ("cors", show.cors()),
        ("sessions", show.sessions()),
        ("jwt", show.jwt()),
        ("resources", Value::Object(resources.collect())),
    ])
}

fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

fn optional(value: Option<&String>) -> Value {
    value.map_or(Value::Null, text)
}

fn deprecated(deprecated: Option<Deprecation>) -> Value {
    let day = |day: Option<jiff::civil::Date>| day.map_or(Value::Null, |day| text(day.to_string()));
    match deprecated {
        None => Value::Bool(false),
        Some(Deprecation {
            since: None,
            sunset: None,
        }) => Value::Bool(true),
        Some(Deprecation { since, sunset }) => object([("since", day(since)), ("sunset", day(sunset))]),
    }
}

struct Show<'a> {
    schema: &'a Schema,
}

impl Show<'_> {
    fn accounts(&self) -> Value {
        let Some(accounts) = &self.schema.accounts else {
            return Value::Null;
        };
        object([
            ("resource", text(&self.schema.resource(accounts.resource).name)),
            ("identify_by", self.fields(&accounts.identify_by)),
            ("password", text(&self.schema.field(accounts.password).name)),
            ("admin", self.rule(accounts.admin.as_ref())),
            ("active", self.rule(accounts.active.as_ref())),
        ])
    }

    fn tokens(&self) -> Value {
        let tokens = &self.schema.tokens;
        object([
            ("lifetime_seconds", Value::from(tokens.lifetime)),
            ("max_lifetime_seconds", Value::from(tokens.max_lifetime)),
            ("scopes", Value::from(tokens.scopes.clone())),
        ])
    }

    fn sessions(&self) -> Value {
        let Some(sessions) = &self.schema.sessions else {
            return Value::Null;
        };
        let flask = sessions.flask.as_ref().map_or(Value::Null, |flask| {
            object([
                ("cookie", text(&flask.cookie)),
                ("lifetime_seconds", Value::from(flask.lifetime)),
                ("user", self.user(flask.user)),
                ("remember", optional(flask.remember.as_ref())),
            ])
        });
        object([
            ("idle_seconds", Value::from(sessions.idle)),
            ("lifetime_seconds", Value::from(sessions.lifetime)),
            ("flask", flask),
        ])
    }

    fn user(&self, user: Option<FieldId>) -> Value {
        user.map_or(Value::Null, |id| text(&self.schema.field(id).name))
    }

    fn jwt(&self) -> Value {
        let Some(jwt) = &self.schema.jwt else {
            return Value::Null;
        };
        let algorithms = jwt.algorithms.iter().map(|algorithm| text(algorithm.name()));
        let claims = jwt.claims.iter().map(|claimed| {
            let (claim, has) = (text(&claimed.claim), optional(claimed.has.as_ref()));
            let field = self.schema.field(claimed.field).name.clone();
            (field, object([("claim", claim), ("has", has)]))
        });
        object([
            ("issuer", text(&jwt.issuer)),
            ("audience", Value::from(jwt.audience.clone())),
            ("keys", optional(jwt.keys.as_ref())),
            ("algorithms", algorithms.collect()),
            ("subject", text(&jwt.subject)),
            ("user", self.user(jwt.user)),
            ("claims", Value::Object(claims.collect())),
            ("scopes", optional(jwt.scopes.as_ref())),
        ])
    }

    fn page(&self) -> Value {
        let page = &self.schema.page;
        object([("limit", Value::from(page.limit)), ("max", Value::from(page.max))])
    }

    fn limits(&self) -> Value {
        let limits = &self.schema.limits;
        object([
            ("body_bytes", Value::from(limits.body)),
            ("bulk", Value::from(limits.bulk)),
            ("include_depth", Value::from(limits.include_depth)),
            ("includes", Value::from(limits.includes)),
            ("filters", Value::from(limits.filters)),
            (
                "requests",
                limits
                    .quota
                    .map_or(Value::Null, |quota| Value::from(quota.requests)),
            ),
            (
                "window_seconds",
                limits
                    .quota
                    .map_or(Value::Null, |quota| Value::from(quota.window)),
            ),
        ])
    }

    fn cors(&self) -> Value {
        let Some(cors) = &self.schema.cors else {
            return Value::Null;
        };
        let origins = match &cors.origins {
            Origins::Any => text("*"),
            Origins::Listed(listed) => listed.iter().map(text).collect(),
        };
        object([
            ("origins", origins),
            ("credentials", Value::Bool(cors.credentials)),
            ("max_age_seconds", Value::from(cors.max_age)),
        ])
    }

    fn fields(&self, fields: &[FieldId]) -> Value {
        fields
            .iter()
            .map(|id| text(&self.schema.field(*id).name))
            .collect()
    }

    fn rule(&self, rule: Option<&Rule>) -> Value {
        rule.map_or(Value::Null, |rule| text(print(self.schema, &rule.expr)))
    }

    fn resource(&self, resource: &Resource) -> Value {
        let checks = resource
            .checks
            .iter()
            .map(|check| (check.name.clone(), self.rule(Some(&check.rule))));
        object([
            ("collection", text(&resource.collection)),
            ("table", text(&resource.table)),
            ("description", optional(resource.description.as_ref())),
            ("key", self.key(resource)),
            ("sort", self.sort(&resource.sort)),
            (
                "fields",
                named(&resource.fields, |field| (&field.name, self.field(field))),
            ),
            (
                "relations",
                named(&resource.relations, |relation| {
                    (&relation.name, self.relation(relation))
                }),
            ),
            (
                "unique",
                resource
                    .uniques
                    .iter()
                    .map(|unique| self.fields(&unique.fields))
                    .collect(),
            ),
            (
                "index",
                resource.indexes.iter().map(|index| self.index(index)).collect(),
            ),
            ("check", Value::Object(checks.collect())),
            ("where", self.rule(resource.condition.as_ref())),
            ("access", self.access(&resource.access)),
            ("deprecated", deprecated(resource.deprecated)),
        ])
    }

    fn key(&self, resource: &Resource) -> Value {
        let kind = match resource.key.kind {
            KeyKind::Autoincrement => "autoincrement",
            KeyKind::Uuid => "uuid",
            KeyKind::Natural => "natural",
            KeyKind::Composite => "composite",
        };
        object([
            ("fields", self.fields(&resource.key.fields)),
            ("kind", text(kind)),
            ("by_client", Value::Bool(resource.key.by_client)),
        ])
    }

    fn sort(&self, keys: &[SortKey]) -> Value {
        let key = |key: &SortKey| signed(key.descending, &self.schema.field(key.field).name);
        keys.iter().map(key).collect()
    }

    fn index(&self, index: &Index) -> Value {
        let terms = index.terms.iter().map(|term| match &term.expr {
            IndexExpr::Field(id) => signed(term.descending, &self.schema.field(*id).name),
            IndexExpr::Expression(rule) => signed(term.descending, &print(self.schema, &rule.expr)),
        });
        object([
            ("on", terms.collect()),
            ("unique", Value::Bool(index.unique)),
            ("where", self.rule(index.condition.as_ref())),
        ])
    }

    fn access(&self, access: &Access) -> Value {
        object([
            ("read", self.rule(access.read.as_ref())),
            ("create", self.rule(access.create.as_ref())),
            ("update", self.rule(access.update.as_ref())),
            ("delete", self.rule(access.delete.as_ref())),
            ("restore", self.rule(access.restore.as_ref())),
        ])
    }

    fn field(&self, field: &Field) -> Value {
        let role = match field.role {
            FieldRole::Key => text("key"),
            FieldRole::ForeignKey(relation) => {
                text(format!("key of {}", self.schema.relation(relation).name))
            }
            FieldRole::Keys(relation) => text(format!("keys of {}", self.schema.relation(relation).name)),
            FieldRole::Plain => Value::Null,
        };
        let flags = [
            (field.optional, "optional"),
            (field.unique, "unique"),
            (field.immutable, "immutable"),
            (field.readonly, "readonly"),
            (field.writeonly, "writeonly"),
            (field.private, "private"),
            (field.index, "index"),
            (field.filterable, "filterable"),
            (field.searchable, "searchable"),
            (field.sortable, "sortable"),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).map(|(_, word)| text(*word));
        object([
            ("type", text(type_text(&field.ty))),
            ("role", role),
            (
                "column",
                if field.is_stored() {
                    text(&field.column)
                } else {
                    Value::Null
                },
            ),
            (
                "api_name",
                if field.api_name == field.name {
                    Value::Null
                } else {
                    text(&field.api_name)
                },
            ),
            ("is", flags.collect()),
            ("default", self.default(field.default.as_ref())),
            ("length", bounds(field.length.as_ref(), u64::to_string)),
            ("range", bounds(field.range.as_ref(), rest_schema::Value::to_wire)),
            ("pattern", optional(field.pattern.as_ref())),
            ("computed", self.rule(field.computed.as_ref())),
            ("readable", self.rule(field.readable.as_ref())),
            ("writable", self.rule(field.writable.as_ref())),
            ("was", optional(field.was.as_ref())),
            ("deprecated", deprecated(field.deprecated)),
            ("description", optional(field.description.as_ref())),
        ])
    }

    fn default(&self, default: Option<&DefaultValue>) -> Value {
        match default {
            None => Value::Null,
            Some(DefaultValue::Literal(value)) => text(value.to_wire()),
            Some(DefaultValue::Now) => text("the moment of the write"),
            Some(DefaultValue::Uuid) => text("a new UUID"),
            Some(DefaultValue::Me) => text("the caller's account"),
            Some(DefaultValue::Expression(rule)) => self.rule(Some(rule)),
            Some(DefaultValue::Database) => text("the database's own"),
        }
    }

    fn relation(&self, relation: &Relation) -> Value {
        let kind = match relation.kind {
            RelationKind::BelongsTo => "belongs_to",
            RelationKind::HasOne => "has_one",
            RelationKind::HasMany => "has_many",
            RelationKind::ManyToMany => "many_to_many",
        };
        let on_delete = match (relation.kind, relation.on_delete) {
            (RelationKind::BelongsTo, OnDelete::Cascade) => text("cascade"),
            (RelationKind::BelongsTo, OnDelete::SetNull) => text("set_null"),
            (RelationKind::BelongsTo, OnDelete::Restrict) => text("restrict"),
            _ => Value::Null,
        };
        let inverse = relation.inverse.map(|id| &self.schema.relation(id).name);
        let through = relation
            .through
            .map(|through| &self.schema.resource(through.resource()).name);
        object([
            ("kind", text(kind)),
            ("to", text(&self.schema.resource(relation.target).name)),
            ("inverse", optional(inverse)),
            ("by", self.link(&relation.link)),
            ("through", optional(through)),
            ("on_delete", on_delete),
            ("nested", Value::Bool(relation.nested)),
            ("access", self.rule(relation.access.as_ref())),
            ("limit", relation.limit.map_or(Value::Null, Value::from)),
            ("sort", self.sort(&relation.sort)),
        ])
    }

    fn link(&self, link: &Link) -> Value {
        let pairs: Vec<String> = match link {
            Link::Keys { local, remote } => local
                .iter()
                .zip(remote)
                .map(|(one, other)| format!("{} = {}", self.qualified(*one), self.qualified(*other)))
                .collect(),
            Link::Join { table, local, remote } => local
                .iter()
                .chain(remote)
                .map(|join| format!("{table}.{} = {}", join.column, self.qualified(join.field)))
                .collect(),
        };
        text(pairs.join(" and "))
    }

    fn qualified(&self, id: FieldId) -> String {
        format!(
            "{}.{}",
            self.schema.resource(id.resource).name,
            self.schema.field(id).name
        )
    }
}

fn named<'a, T>(list: &'a [T], entry: impl Fn(&'a T) -> (&'a String, Value)) -> Value {
    let entries = list.iter().map(|one| {
        let (name, value) = entry(one);
        (name.clone(), value)
    });
    Value::Object(entries.collect::<Map<String, Value>>())
}

fn signed(descending: bool, name: &str) -> Value {
    text(if descending {
        format!("-{name}")
    } else {
        name.to_owned()
    })
}

fn bounds<T>(bounds: Option<&Bounds<T>>, write: impl Fn(&T) -> String) -> Value {
    let end = |end: Option<&T>| end.map_or_else(String::new, &write);
    bounds.map_or(Value::Null, |bounds| {
        text(format!(
            "{}..{}",
            end(bounds.min.as_ref()),
            end(bounds.max.as_ref())
        ))
    })
}

fn type_text(ty: &FieldType) -> String {
    match ty {
        FieldType::Decimal { precision, scale } => format!("decimal({precision}, {scale})"),
        FieldType::Enum(values) => format!("enum of {}", values.join(", ")),
        other => other.name().to_owned(),
    }
}
