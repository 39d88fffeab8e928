//! A small schema that has a field of every type, for the tests of this folder.

use rest_schema::{
    Access, Field, FieldId, FieldRole, FieldType, JoinColumn, Key, KeyKind, Limits, Link, OnDelete,
    PageSizes, Relation, RelationId, RelationKind, Resource, ResourceId, Schema, Tokens,
};

use super::{Path, Query, Selection, query};
use crate::problem::Problem;

const USER: u32 = 0;
const POST: u32 = 1;
const COMMENT: u32 = 2;
const TAG: u32 = 3;

/// What is asked of the posts; `email` of a user does not exist for the caller.
pub(super) fn posts(raw: &str) -> Result<Query, Problem> {
    let schema = schema();
    let hidden = schema
        .resource(ResourceId(USER))
        .field_by_api_name("email")
        .map(|(index, _)| index);
    let visible = |id: FieldId| id.resource != ResourceId(USER) || Some(id.index) != hidden;
    query::collection(&schema, ResourceId(POST), Some(raw), &visible)
}

/// What is asked of one post.
pub(super) fn post(raw: &str) -> Result<Selection, Problem> {
    query::item(&schema(), ResourceId(POST), Some(raw), &|_| true)
}

/// A refusal as `code place: detail → nearest`, a line per fault.
pub(super) fn refused<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
    let problem = result.expect_err("a refusal");
    let lines = problem.all_faults().iter().map(|fault| {
        let nearest = fault
            .nearest
            .as_ref()
            .map(|near| format!(" → {near}"))
            .unwrap_or_default();
        let crate::problem::Place::Parameter(name) = &fault.place else {
            panic!("{:?}", fault.place)
        };
        format!("{} {name}: {}{nearest}", fault.code, fault.detail)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A path as it was written.
pub(super) fn written(path: &Path) -> String {
    let schema = schema();
    let steps = path.steps.iter().map(|&step| schema.relation(step).name.clone());
    let field = schema.field(path.field).api_name.clone();
    steps.chain([field]).collect::<Vec<_>>().join(".")
}

/// A selection as `id title author(username)`; `*` for all fields.
pub(super) fn shown(selection: &Selection) -> String {
    let schema = schema();
    let fields = match &selection.fields {
        None => vec!["*".to_owned()],
        Some(fields) => fields
            .iter()
            .map(|&id| schema.field(id).api_name.clone())
            .collect(),
    };
    let includes = selection.includes.iter().map(|include| {
        let name = &schema.relation(include.relation).name;
        format!("{name}({})", shown(&include.selection))
    });
    fields.into_iter().chain(includes).collect::<Vec<_>>().join(" ")
}

pub(super) fn schema() -> Schema {
    Schema {
        name: "blog".into(),
        description: None,
        prefix: "/api".into(),
        managed: Some(true),
        journal: None,
        resources: vec![users(), all_posts(), comments(), tags()],
        accounts: None,
        tokens: Tokens {
            lifetime: 3600,
            max_lifetime: 3600,
        },
        page: PageSizes { limit: 20, max: 100 },
        limits: Limits {
            body: 1 << 20,
            bulk: 1000,
            include_depth: 3,
            includes: 4,
            filters: 6,
        },
    }
}

fn users() -> Resource {
    let fields = vec![
        field("id", FieldType::Bigint),
        field("username", FieldType::String),
        field("email", FieldType::Email),
        private("secret"),
    ];
    let relations = vec![
        has_many("posts", POST, USER, 1),
        has_many("comments", COMMENT, USER, 2),
    ];
    resource("User", USER, fields, relations)
}

fn all_posts() -> Resource {
    let words = ["draft", "published"].map(String::from).to_vec();
    let types = [
        ("title", FieldType::String),
        ("status", FieldType::Enum(words)),
        ("views", FieldType::Integer),
        ("rating", FieldType::Float),
        (
            "price",
            FieldType::Decimal {
                precision: 8,
                scale: 2,
            },
        ),
        ("pinned", FieldType::Boolean),
        ("day", FieldType::Date),
        ("hour", FieldType::Time),
        ("created_at", FieldType::Timestamp),
        ("link", FieldType::Uuid),
        ("meta", FieldType::Json),
        ("data", FieldType::Bytes),
        ("site", FieldType::Url),
    ];
    let mut fields = vec![field("id", FieldType::Bigint), foreign_key("author_id", POST, 0)];
    fields.extend(types.into_iter().map(|(name, ty)| field(name, ty)));
    fields.push(Field {
        filterable: false,
        sortable: false,
        ..field("body", FieldType::Text)
    });
    let join = Relation {
        kind: RelationKind::ManyToMany,
        ..has_many("tags", TAG, POST, 0)
    };
    let link = Link::Join {
        table: "post_tags".into(),
        local: vec![join_column(POST)],
        remote: vec![join_column(TAG)],
    };
    let relations = vec![
        belongs_to("author", POST, 1, USER),
        has_many("comments", COMMENT, POST, 1),
        Relation { link, ..join },
    ];
    resource("Post", POST, fields, relations)
}

fn comments() -> Resource {
    let fields = vec![
        field("id", FieldType::Bigint),
        foreign_key("post_id", COMMENT, 0),
        foreign_key("author_id", COMMENT, 1),
        field("text", FieldType::Text),
    ];
    let relations = vec![
        belongs_to("post", COMMENT, 1, POST),
        belongs_to("author", COMMENT, 2, USER),
    ];
    resource("Comment", COMMENT, fields, relations)
}

fn tags() -> Resource {
    resource(
        "Tag",
        TAG,
        vec![field("id", FieldType::Bigint), field("name", FieldType::String)],
        Vec::new(),
    )
}

fn id(resource: u32, index: u32) -> FieldId {
    FieldId {
        resource: ResourceId(resource),
        index,
    }
}

fn join_column(resource: u32) -> JoinColumn {
    JoinColumn {
        column: "id".into(),
        field: id(resource, 0),
    }
}

fn resource(name: &str, place: u32, fields: Vec<Field>, relations: Vec<Relation>) -> Resource {
    Resource {
        name: name.into(),
        collection: name.to_lowercase(),
        table: name.to_lowercase(),
        description: None,
        key: Key {
            fields: vec![id(place, 0)],
            kind: KeyKind::Autoincrement,
            by_client: false,
        },
        fields,
        relations,
        uniques: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        rules: Vec::new(),
        sort: Vec::new(),
        access: Access::default(),
        deprecated: false,
    }
}

fn field(name: &str, ty: FieldType) -> Field {
    Field {
        name: name.into(),
        api_name: name.into(),
        column: name.into(),
        ty,
        role: FieldRole::Plain,
        optional: true,
        default: None,
        length: None,
        range: None,
        pattern: None,
        unique: false,
        immutable: false,
        readonly: false,
        writeonly: false,
        private: false,
        index: false,
        filterable: true,
        sortable: true,
        readable: None,
        writable: None,
        computed: None,
        description: None,
        example: None,
        deprecated: false,
        was: None,
    }
}

fn private(name: &str) -> Field {
    Field {
        private: true,
        ..field(name, FieldType::String)
    }
}

fn foreign_key(name: &str, resource: u32, relation: u32) -> Field {
    let relation = RelationId {
        resource: ResourceId(resource),
        index: relation,
    };
    Field {
        role: FieldRole::ForeignKey(relation),
        ..field(name, FieldType::Bigint)
    }
}

fn belongs_to(name: &str, resource: u32, key: u32, target: u32) -> Relation {
    relation(
        name,
        RelationKind::BelongsTo,
        target,
        vec![id(resource, key)],
        vec![id(target, 0)],
    )
}

fn has_many(name: &str, target: u32, resource: u32, key: u32) -> Relation {
    relation(
        name,
        RelationKind::HasMany,
        target,
        vec![id(resource, 0)],
        vec![id(target, key)],
    )
}

fn relation(
    name: &str,
    kind: RelationKind,
    target: u32,
    local: Vec<FieldId>,
    remote: Vec<FieldId>,
) -> Relation {
    Relation {
        name: name.into(),
        kind,
        target: ResourceId(target),
        inverse: None,
        declared: true,
        link: Link::Keys { local, remote },
        on_delete: OnDelete::Restrict,
        limit: None,
        sort: Vec::new(),
        description: None,
    }
}
