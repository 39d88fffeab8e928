//! What plans look like as SQL. Read the snapshots as code: every rule and every index range is visible there.

use std::sync::Arc;

use rest_schema::{FieldId, ResourceId};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::codec::Columns;
use crate::engine::Engine;
use crate::model::Model;
use crate::plan::access::Account;
use crate::plan::read::Planner;
use crate::request::page::{CursorKey, Position};
use crate::request::query;
use crate::sql::dialect::Dialect;
use crate::sql::select::{Layout, read};
use crate::storage::read::StateKey;
use crate::storage::state;
use crate::validate::Validators;

const BLOG: &str = "
service: blog
resources:
  User:
    fields:
      name: { type: string, unique: true }
      email: { type: email, readable: id = me.id, filterable: true }
      admin: { type: boolean, default: false, readonly: true }
      posts_shown: { computed: count(posts) }
      password: password
    access: { read: public, update: id = me.id }
  Post:
    sort: -rank
    fields:
      title: { type: string, filterable: true }
      rank: { type: integer, optional: true, sortable: true }
      price: { type: decimal, precision: 8, scale: 2, optional: true, filterable: true }
      shown: { type: boolean, default: false }
    belongs_to:
      author: { to: User, inverse: posts, default: me, readonly: true }
    many_to_many:
      tags: { to: Tag, inverse: posts }
    access: { read: shown or author_id = me.id, update: author_id = me.id or me.admin }
  Tag:
    fields: { name: { type: string, unique: true } }
    access: { read: public }
accounts: { resource: User, identify_by: [name], password: password }
";

fn engine_on(dialect: Dialect) -> Engine {
    let schema = rest_schema::read_one("blog.yaml", BLOG)
        .map_err(|report| report.lines())
        .expect("a schema")
        .schema;
    let columns = Columns::ours(&schema, dialect);
    let validators = Validators::new(&schema).expect("patterns");
    let state = state::Statements::new("", false);
    let keys = crate::open::Keys {
        cursor: CursorKey::new([7; 32]),
        state: StateKey([7; 16]),
        csrf: crate::session::CsrfKey([0; 32]),
    };
    Engine::new(Model::new(schema, columns), validators, keys, state)
}

fn resource(engine: &Engine, name: &str) -> ResourceId {
    let found = engine
        .model
        .schema
        .resources()
        .find(|(_, resource)| resource.name == name);
    found.expect("a resource").0
}

/// Susan has the key 7 and is no administrator.
fn susan(engine: &Engine, admin: bool) -> Caller {
    let user = resource(engine, "User");
    let cells = engine.model.me_fields.iter().map(|field: &FieldId| {
        let is_admin = engine.model.field(*field).name == "admin";
        Cell::Integer(if is_admin { i64::from(admin) } else { 7 })
    });
    let account = Account {
        resource: user,
        fields: Arc::clone(&engine.model.me_fields),
        cells: cells.collect(),
    };
    Caller {
        account: Some(Arc::new(account)),
        ..Caller::anonymous()
    }
}

fn written(engine: &Engine, caller: &Caller, of: &str, raw: &str) -> String {
    let planner = Planner {
        model: &engine.model,
        caller,
    };
    let visible = |field| planner.is_visible(field);
    let query = query::collection(
        &engine.model.schema,
        resource(engine, of),
        Some(raw),
        crate::respond::format::Format::Json,
        &visible,
    )
    .expect("a query");
    let plan = planner
        .page(resource(engine, of), &query, &engine.cursor_key)
        .expect("a plan");
    let read = read(&engine.model, &plan.shape);
    let mut lines: Vec<String> = read.segments.iter().map(|segment| segment.text.clone()).collect();
    lines.extend(read.count.iter().map(|count| count.text.clone()));
    includes(&read.layout, &mut lines);
    lines.join("\n\n")
}

fn includes(layout: &Layout, lines: &mut Vec<String>) {
    for include in &layout.includes {
        lines.push(include.statement.text.clone());
        includes(&include.layout, lines);
    }
}

/// Holds what is written on both databases to a snapshot.
fn held(name: &str, text: impl Fn(&Engine) -> String) {
    for (dialect, of) in [(Dialect::Sqlite, ""), (Dialect::Postgres, "_on_postgres")] {
        insta::assert_snapshot!(format!("{name}{of}"), text(&engine_on(dialect)));
    }
}

#[test]
fn a_page_by_a_nullable_field_is_two_ranges() {
    held("page", |engine| {
        written(engine, &Caller::anonymous(), "Post", "count=exact")
    });
}

#[test]
fn a_cursor_is_a_chain_of_ranges() {
    held("cursor", |engine| {
        let caller = susan(engine, false);
        let planner = Planner {
            model: &engine.model,
            caller: &caller,
        };
        let post = resource(engine, "Post");
        let query = query::collection(
            &engine.model.schema,
            post,
            Some("sort=rank"),
            crate::respond::format::Format::Json,
            &|_| true,
        )
        .expect("a query");
        let binding = planner
            .page(post, &query, &engine.cursor_key)
            .expect("a plan")
            .binding;
        let position = Position {
            values: vec![Cell::Integer(3), Cell::Integer(9)],
            backward: true,
        };
        let cursor = position.seal(&engine.cursor_key, binding);
        written(engine, &caller, "Post", &format!("sort=rank&cursor={cursor}"))
    });
}

#[test]
fn rules_stand_in_filters_sorts_and_includes() {
    let raw = "include=posts.tags&posts.title=x&email[ne]=a@b.c&sort=-name";
    held("rules", |engine| {
        written(engine, &susan(engine, false), "User", raw)
    });
}

#[test]
fn every_operator_of_text() {
    let raw = "title[contains]=a&title[startswith]=b&title[endswith]=c&title[icontains]=d&title[in]=e,f&price[gte]=1.5";
    held("text", |engine| {
        written(engine, &Caller::anonymous(), "Post", raw)
    });
}

#[test]
fn what_the_caller_decides_is_decided_before() {
    use crate::plan::access::Permit;
    let engine = engine_on(Dialect::Sqlite);
    let rules = engine.model.rules(resource(&engine, "Post"));
    let update = &rules.update;
    assert_eq!(update.permit(&Caller::anonymous()), Permit::Never);
    assert_eq!(update.permit(&susan(&engine, true)), Permit::Always);
    assert!(matches!(update.permit(&susan(&engine, false)), Permit::When(_)));
}
