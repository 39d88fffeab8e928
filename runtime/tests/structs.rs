//! Structs that are a service: their schema is that of the same service in YAML, and their values are those of rows.
#![allow(missing_docs, clippy::unwrap_used)]

use rest_runtime::schema::{Value, read_one};
use rest_runtime::typed::{Column, Taker, load};
use rest_runtime::types::{Date, Decimal, Json, ManyToMany, Password, Time, Timestamp, Uuid};
use rest_runtime::{RestEnum, RestResource, RestService};

/// Who writes.
///
/// Accounts sign in by `username`.
#[derive(RestResource)]
#[rest(sort = username, access(read = public, create = public))]
#[rest(access(update = "id = me.id", delete = "me.is_admin"))]
pub struct User {
    pub id: i64,
    /// The name at sign-in.
    #[rest(length = 1..=64, pattern = r"^[A-Za-z0-9_.]+$", unique, example = "susan")]
    pub username: String,
    #[rest(type = email, length = ..=120, unique, readable = "id = me.id")]
    pub email: String,
    #[rest(column = "password_hash", length = 8..=200)]
    pub password: Password,
    #[rest(type = text, length = ..=140)]
    pub about_me: Option<String>,
    #[rest(range = "1900-01-01..")]
    pub birthday: Option<Date>,
    #[rest(example = { "theme": "dark", "sizes": [1, 2.50, null, true] })]
    pub settings: Option<Json>,
    #[rest(default = false, readonly)]
    pub is_admin: bool,
    /// How many of the posts the caller may read.
    #[rest(computed = "count(posts)")]
    pub post_count: i64,
    #[rest(table = "followers", from_column = "follower_id", to_column = "followed_id", inverse = followers)]
    pub following: ManyToMany<User>,
}

#[derive(RestEnum, Debug, Clone, Copy, PartialEq)]
pub enum Status {
    Draft,
    InReview,
    #[rest(name = "out-there")]
    Published,
}

/// A text with a title.
#[derive(RestResource)]
#[rest(sort = -created_at, index(author, -created_at), index(on("lower(title)"), where = "status = 'out-there'"))]
#[rest(
    unique(title, author),
    check(named(rule = "title != ''", message = "a post has a title"))
)]
#[rest(rules(mine = "author_id = me.id"))]
#[rest(access(read = "status = 'out-there' or mine", create = authenticated, change = "mine or me.is_admin"))]
pub struct Post {
    id: Uuid,
    #[rest(length = 1..=120, filterable)]
    title: String,
    #[rest(default = InReview, index)]
    status: Status,
    #[rest(precision = 8, scale = 2, range = 0.01..=9999.99, filterable)]
    price: Option<Decimal>,
    #[rest(default = now, readonly, index)]
    created_at: Timestamp,
    #[rest(range = -5..)]
    r#type: i32,
    #[rest(default = 0.5)]
    weight: f64,
    at: Option<Time>,
    #[rest(private, length = ..=64)]
    digest: Option<Vec<u8>>,
    #[rest(belongs_to = User, column = "user_id", inverse(name = posts, sort = -created_at, limit = 50))]
    #[rest(default = me, readonly, on_delete = cascade)]
    author_id: i64,
    /// What this one answers.
    #[rest(belongs_to = Self, inverse = answers)]
    parent_id: Option<Uuid>,
    #[rest(inverse = posts)]
    tags: ManyToMany<Tag>,
}

#[derive(RestResource)]
#[rest(name = "Label", table = "tag", collection = "tags", key = code)]
#[rest(access(read = public, create = authenticated))]
struct Tag {
    #[rest(length = 1..=40)]
    code: String,
    #[rest(name = "text")]
    title: String,
}

#[derive(RestResource)]
#[rest(key(post, line), access(read = public, create = authenticated))]
struct Line {
    #[rest(belongs_to = Post)]
    post_id: Uuid,
    line: i32,
    #[rest(belongs_to = Line, columns("next_post", "next_line"))]
    next: Option<(Uuid, i32)>,
}

/// A small blog.
#[derive(RestService)]
#[rest(
    name = "microblog",
    prefix = "/v1",
    managed = true,
    tokens(lifetime = "2h"),
    page(limit = 10, max = 50)
)]
#[rest(accounts(resource = User, identify_by(username, email), password = password, admin = "me.is_admin"))]
#[rest(limits(body = "64KiB", bulk = 10))]
struct Blog {
    users: User,
    posts: Post,
    tags: Tag,
    lines: Line,
}

const YAML: &str = r"
service: microblog
description: A small blog.
prefix: /v1
managed: true
tokens: { lifetime: 2h }
page: { limit: 10, max: 50 }
limits: { body: 64KiB, bulk: 10 }
accounts: { resource: User, identify_by: [username, email], password: password, admin: me.is_admin }
resources:
  User:
    description: |-
      Who writes.

      Accounts sign in by `username`.
    sort: username
    fields:
      username: { type: string, length: 1..64, pattern: '^[A-Za-z0-9_.]+$', unique: true, example: susan, description: The name at sign-in. }
      email: { type: email, length: ..120, unique: true, readable: id = me.id }
      password: { type: password, column: password_hash, length: 8..200 }
      about_me: { type: text, length: ..140, optional: true }
      birthday: { type: date, range: 1900-01-01.., optional: true }
      settings: { type: json, optional: true, example: { theme: dark, sizes: [1, 2.50, null, true] } }
      is_admin: { type: boolean, default: false, readonly: true }
      post_count: { computed: count(posts), description: How many of the posts the caller may read. }
    many_to_many:
      following: { to: User, table: followers, from_column: follower_id, to_column: followed_id, inverse: followers }
    access: { read: public, create: public, update: id = me.id, delete: me.is_admin }
  Post:
    description: A text with a title.
    sort: -created_at
    key: uuid
    index: [[author, -created_at], { on: ['lower(title)'], where: status = 'out-there' }]
    unique: [[title, author]]
    check: { named: { rule: title != '', message: a post has a title } }
    rules: { mine: author_id = me.id }
    fields:
      title: { type: string, length: 1..120, filterable: true }
      status: { type: enum, values: [draft, in_review, out-there], default: in_review, index: true }
      price: { type: decimal, precision: 8, scale: 2, range: 0.01..9999.99, optional: true, filterable: true }
      created_at: { type: timestamp, default: now, readonly: true, index: true }
      type: { type: integer, range: -5.. }
      weight: { type: float, default: 0.5 }
      at: { type: time, optional: true }
      digest: { type: bytes, private: true, length: ..64, optional: true }
    belongs_to:
      author: { to: User, column: user_id, inverse: { name: posts, sort: -created_at, limit: 50 }, default: me, readonly: true, on_delete: cascade }
      parent: { to: Post, inverse: answers, optional: true, description: What this one answers. }
    many_to_many:
      tags: { to: Label, inverse: posts }
    access: { read: status = 'out-there' or mine, create: authenticated, change: mine or me.is_admin }
  Label:
    table: tag
    collection: tags
    key: code
    fields:
      code: { type: string, length: 1..40 }
      text: { type: string }
    access: { read: public, create: authenticated }
  Line:
    key: [post, line]
    fields:
      line: integer
    belongs_to:
      post: Post
      next: { to: Line, columns: [next_post, next_line], optional: true }
    access: { read: public, create: authenticated }
";

#[test]
fn structs_say_what_the_same_schema_says_in_yaml() {
    let (structs, yaml) = (load::<Blog>().unwrap(), read_one("rest.yaml", YAML).unwrap());
    assert_eq!(structs.schema, yaml.schema);
    assert_eq!(structs.report.to_string(), yaml.report.to_string());
}

#[test]
fn files_say_what_their_structs_say() {
    let files = [(
        "runtime/tests/structs.rs".to_owned(),
        include_str!("structs.rs").to_owned(),
    )];
    let files = rest_runtime::schema::rust::read_files(&files).unwrap();
    assert_eq!(files.schema, load::<Blog>().unwrap().schema);
}

fn post() -> Post {
    Post {
        id: Uuid::from_u128(7),
        title: "Hello".to_owned(),
        status: Status::Published,
        price: Some(Decimal::new(1250, 2)),
        created_at: Timestamp::UNIX_EPOCH,
        r#type: -3,
        weight: 0.25,
        at: None,
        digest: Some(vec![1, 2]),
        author_id: 5,
        parent_id: None,
        tags: ManyToMany::default(),
    }
}

#[test]
fn an_item_is_made_of_the_values_it_gave() {
    let mut values = Vec::new();
    post().put(&mut values);
    assert_eq!(values.len(), Post::COLUMNS.len());
    assert_eq!(values[2], Value::Text("out-there".to_owned()));
    let taken = Post::take(&mut Taker::new(values.clone())).unwrap();
    let mut again = Vec::new();
    taken.put(&mut again);
    assert_eq!(values, again);
    assert_eq!(taken.key(), Uuid::from_u128(7));
    assert_eq!((taken.status, taken.r#type), (Status::Published, -3));
    assert!(Post::take(&mut Taker::new(Vec::new())).is_err());
}

#[test]
fn a_key_of_several_fields_is_a_tuple() {
    let line = Line {
        post_id: Uuid::from_u128(1),
        line: 2,
        next: Some((Uuid::from_u128(1), 3)),
    };
    assert_eq!(line.key(), (Uuid::from_u128(1), 2));
    let mut values = Vec::new();
    line.put(&mut values);
    assert_eq!(values.len(), 4);
    assert_eq!(Line::take(&mut Taker::new(values)).unwrap().next, line.next);
}

#[test]
fn columns_are_those_of_the_schema() {
    let name = |column: &Column| (column.name, column.is_relation, column.kinds.optional);
    let columns: Vec<_> = Post::COLUMNS.iter().map(name).collect();
    assert_eq!(columns[0], ("id", false, false));
    assert_eq!(columns[5], ("type", false, false));
    assert_eq!(&columns[9..], [("author", true, false), ("parent", true, true)]);
    assert_eq!(
        (Post::TITLE.place(), Post::TYPE.place(), Post::PARENT_ID.place()),
        (1, 5, 10)
    );
    assert_eq!(Tag::COLUMNS[1].name, "text");
    assert_eq!(<Tag as RestResource>::NAME, "Label");
    assert_eq!(Post::COLUMNS[2].kinds.words, Some(Status::WORDS));
    assert_eq!(Status::at(1), Some(Status::InReview));
}
