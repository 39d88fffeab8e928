//! A small schema that has a field of every type, for the tests of this folder.

use std::sync::LazyLock;

use rest_schema::{FieldId, ResourceId, Schema};

use super::{Path, Query, Selection, query};
use crate::problem::Problem;
use crate::respond::format::Format;

/// What is asked of the posts; `email` of a user does not exist for the caller.
pub(super) fn posts(raw: &str) -> Result<Query, Problem> {
    let visible = |id: FieldId| schema().field(id).name != "email";
    query::collection(schema(), named("Post"), Some(raw), Format::Json, &visible)
}

/// Which posts a write is meant for.
pub(super) fn matching(raw: &str) -> Result<query::Matching, Problem> {
    query::matching(schema(), named("Post"), Some(raw), &|_| true)
}

/// What is asked of one post.
pub(super) fn post(raw: &str) -> Result<Selection, Problem> {
    query::item(schema(), named("Post"), Some(raw), &|_| true)
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

/// The schema, read once.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| match rest_schema::read_one("blog.yaml", BLOG) {
        Ok(loaded) => loaded.schema,
        Err(report) => panic!("{}", report.lines()),
    });
    &SCHEMA
}

fn named(name: &str) -> ResourceId {
    let mut resources = schema().resources();
    resources
        .find(|(_, resource)| resource.name == name)
        .expect("a resource")
        .0
}

const BLOG: &str = "
service: blog
managed: true
limits: { include_depth: 3, includes: 4, filters: 6 }
resources:
  User:
    fields:
      username: { type: string, unique: true }
      email: { type: email, unique: true }
      secret: { type: string, private: true, optional: true, index: true }
    access: { read: public }
  Post:
    fields:
      title: { type: string, index: true, searchable: true }
      status: { type: enum, values: [draft, published], index: true }
      views: { type: integer, index: true }
      rating: { type: float, index: true }
      price: { type: decimal, precision: 8, scale: 2, index: true }
      pinned: { type: boolean, index: true }
      day: { type: date, index: true }
      hour: { type: time, index: true }
      created_at: { type: timestamp, index: true }
      link: { type: uuid, index: true }
      meta: { type: json, filterable: true }
      data: { type: bytes, filterable: true }
      site: { type: url, index: true }
      body: text
    belongs_to: { author: { to: User, inverse: posts } }
    many_to_many: { tags: { to: Tag, inverse: posts } }
    access: { read: public }
  Comment:
    fields: { text: { type: text, filterable: true } }
    belongs_to: { post: { to: Post, inverse: comments }, author: { to: User, inverse: comments } }
    access: { read: public }
  Tag:
    fields: { name: { type: string, unique: true } }
    access: { read: public }
";
