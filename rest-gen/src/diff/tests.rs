use rest_schema::{Schema, read_one};

use super::*;

/// The blog to which each change is made.
const BLOG: &str = "
service: blog
managed: true
prefix: /api
page: { limit: 20, max: 100 }
limits: { body: 1MiB, bulk: 100, include_depth: 3, includes: 8, filters: 10, requests: 100, window: 1m }
tokens: { lifetime: 1h, max_lifetime: 30d }
cors: { origins: ['https://a.example', 'https://b.example'], credentials: true }
resources:
  User:
    fields:
      name: { type: string, unique: true }
      email: { type: email, unique: true }
      password: password
    access: { read: authenticated, create: public, change: id = me.id }
  Post:
    sort: -score
    unique: [[author, title]]
    check: { scored: score >= 0 }
    soft_delete: deleted_at
    fields:
      title: { type: string, length: 1..100, pattern: '^[A-Z]', searchable: true }
      body: { type: text, default: '', filterable: true, sortable: true }
      status: { type: enum, values: [draft, published], default: draft }
      score: { type: integer, range: 0..100, index: true }
      price: { type: decimal, precision: 8, scale: 2, default: '1.00' }
      hint: { type: string, optional: true, readable: author_id = me.id }
      note: { type: string, default: x, immutable: true }
    belongs_to:
      author: { to: User, inverse: { name: posts, limit: 5 }, default: me }
    many_to_many:
      tags: { to: Tag, inverse: posts }
    access:
      read: status = 'published' or author_id = me.id
      create: authenticated
      update: author_id = me.id
      delete: author_id = me.id
      restore: author_id = me.id
  Tag:
    key: slug
    fields: { slug: slug }
    access: { read: public, create: authenticated, delete: authenticated }
accounts: { resource: User, identify_by: [name, email], password: password }
";

fn schema(yaml: &str) -> Schema {
    match read_one("rest.yaml", yaml) {
        Ok(read) => read.schema,
        Err(report) => panic!("{report}\n{yaml}"),
    }
}

/// What a change means, each part as `weight place: message`.
fn told(old: &Schema, new: &Schema) -> Vec<String> {
    let tell = |change: Change| format!("{} {}: {}", change.weight.word(), change.place, change.message);
    compare(old, new).into_iter().map(tell).collect()
}

/// Each change, what it means, and what the way back means.
const TABLE: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "max_lifetime: 30d }",
        "max_lifetime: 30d, scopes: [publish] }",
        &["compatible the service: a token may be made for the scope `publish`"],
        &["breaking the service: a token can't be made for the scope `publish` any more"],
    ),
    (
        "password: password }\n",
        "password: password, active: me.name != 'gone' }\n",
        &["breaking the service: which accounts are active was for everybody and is `me.name != 'gone'`"],
        &["compatible the service: which accounts are active was `me.name != 'gone'` and is for everybody"],
    ),
    (
        "    sort: -score\n",
        "    sort: -score\n    where: score > 0\n",
        &["breaking Post: its `where` was for everybody and is `score > 0`"],
        &["compatible Post: its `where` was `score > 0` and is for everybody"],
    ),
    (
        "prefix: /api",
        "prefix: /v2",
        &["breaking the service: every address began with /api and begins with /v2"],
        &["breaking the service: every address began with /v2 and begins with /api"],
    ),
    (
        "max: 100",
        "max: 50",
        &["breaking the service: the greatest `limit` was 100 and is 50"],
        &["compatible the service: the greatest `limit` was 50 and is 100"],
    ),
    (
        "limit: 20,",
        "limit: 10,",
        &["to look at the service: a page had 20 items by itself and has 10"],
        &["to look at the service: a page had 10 items by itself and has 20"],
    ),
    (
        "bulk: 100",
        "bulk: 10",
        &["breaking the service: the most items in one body was 100 and is 10"],
        &["compatible the service: the most items in one body was 10 and is 100"],
    ),
    (
        "body: 1MiB",
        "body: 1KiB",
        &["breaking the service: the greatest body, in bytes, was 1048576 and is 1024"],
        &["compatible the service: the greatest body, in bytes, was 1024 and is 1048576"],
    ),
    (
        "filters: 10",
        "filters: 2",
        &["breaking the service: the most filters was 10 and is 2"],
        &["compatible the service: the most filters was 2 and is 10"],
    ),
    (
        ", requests: 100, window: 1m",
        "",
        &["compatible the service: a caller has any number of requests"],
        &["to look at the service: a caller has 100 requests in 60 seconds, and had any number"],
    ),
    (
        "max_lifetime: 30d",
        "max_lifetime: 1d",
        &["breaking the service: the longest lifetime of a token, in seconds, was 2592000 and is 86400"],
        &["compatible the service: the longest lifetime of a token, in seconds, was 86400 and is 2592000"],
    ),
    (
        "identify_by: [name, email]",
        "identify_by: [name]",
        &["breaking the service: an account is no longer named by its `email` at sign-in"],
        &["compatible the service: an account may be named by its `email` at sign-in"],
    ),
    (
        ", 'https://b.example'",
        "",
        &["breaking the service: pages of https://b.example may not call any more"],
        &[],
    ),
    (
        "  Tag:\n    key: slug",
        "  Tag:\n    collection: labels\n    key: slug",
        &[
            "breaking Post.tags: it led to many of tags and leads to many of labels",
            "breaking Tag: it was at /api/tags and is at /api/labels",
        ],
        &[
            "breaking Post.tags: it led to many of labels and leads to many of tags",
            "breaking Tag: it was at /api/labels and is at /api/tags",
        ],
    ),
    (
        "tags: { to: Tag, inverse: posts }",
        "tags: { to: Tag, inverse: posts, writable: true }",
        &["compatible Post.tag_slugs: it is new"],
        &["breaking Post.tag_slugs: it is gone"],
    ),
    (
        "tags: { to: Tag, inverse: posts }",
        "tags: { to: Tag, inverse: posts, access: public }",
        &["compatible Post.tags: linking was `author_id = me.id` and is `public`"],
        &["breaking Post.tags: linking was `public` and is `author_id = me.id`"],
    ),
    (
        "inverse: { name: posts, limit: 5 }",
        "inverse: { name: posts, limit: 5, nested: true }",
        &["compatible User.posts: its items may be made along"],
        &["breaking User.posts: its items aren't made along any more"],
    ),
    (
        "    key: slug\n",
        "    key: slug\n    caching: { max_age: 1m, shared_max_age: 1h }\n",
        &[
            "to look at Tag: caches answered by themselves not at all and may for 60 seconds (3600 where several share one)",
        ],
        &[
            "to look at Tag: caches answered by themselves for 60 seconds (3600 where several share one) and may not at all",
        ],
    ),
    (
        "access: { read: public, create: authenticated, delete: authenticated }",
        "access: { read: public, create: authenticated }",
        &["breaking Tag: deleting it isn't served any more"],
        &["compatible Tag: deleting it is served"],
    ),
    (
        "access: { read: public, create: authenticated, delete",
        "access: { read: authenticated, create: authenticated, delete",
        &["breaking Tag: reading it was `public` and is `authenticated`"],
        &["compatible Tag: reading it was `authenticated` and is `public`"],
    ),
    (
        "update: author_id = me.id\n",
        "update: author_id = me.id and status = 'draft'\n",
        &[
            "to look at Post: changing it was `author_id = me.id` and is `author_id = me.id and status = 'draft'`",
        ],
        &[
            "to look at Post: changing it was `author_id = me.id and status = 'draft'` and is `author_id = me.id`",
        ],
    ),
    (
        "    soft_delete: deleted_at\n",
        "    soft_delete: deleted_at\n    preconditions: required\n",
        &["breaking Post: a write has to say on which state it is based (`If-Match`)"],
        &["compatible Post: a write needn't say on which state it is based"],
    ),
    (
        "sort: -score",
        "sort: score",
        &["to look at Post: its own order was -score and is score"],
        &["to look at Post: its own order was score and is -score"],
    ),
    (
        "    unique: [[author, title]]\n",
        "",
        &["compatible Post: items may have the same author_id and title"],
        &["breaking Post: no two items may have the same author_id and title"],
    ),
    (
        "    check: { scored: score >= 0 }\n",
        "",
        &["compatible Post: an item needn't satisfy `score >= 0`"],
        &["breaking Post: an item must satisfy `score >= 0`"],
    ),
    (
        "score >= 0",
        "score >= 1",
        &["to look at Post: an item had to satisfy `score >= 0` and must satisfy `score >= 1`"],
        &["to look at Post: an item had to satisfy `score >= 1` and must satisfy `score >= 0`"],
    ),
    (
        "length: 1..100",
        "length: 1..50",
        &["breaking Post.title: its length is held within narrower bounds"],
        &["compatible Post.title: its length is held within wider bounds"],
    ),
    (
        "range: 0..100",
        "range: 0..1000",
        &["compatible Post.score: its value is held within wider bounds"],
        &["breaking Post.score: its value is held within narrower bounds"],
    ),
    (
        "range: 0..100, ",
        "",
        &["compatible Post.score: its value is held within wider bounds"],
        &["breaking Post.score: its value is held within narrower bounds"],
    ),
    (
        ", pattern: '^[A-Z]'",
        "",
        &["compatible Post.title: it needn't match a pattern"],
        &["breaking Post.title: it must match ^[A-Z]"],
    ),
    (
        "values: [draft, published]",
        "values: [draft, published, hidden]",
        &["to look at Post.status: `hidden` is a new value of it"],
        &["breaking Post.status: `hidden` is no value of it any more"],
    ),
    (
        "type: integer, range",
        "type: bigint, range",
        &["to look at Post.score: it was of type integer and is of type bigint"],
        &["breaking Post.score: it was of type bigint and is of type integer"],
    ),
    (
        "precision: 8, scale: 2",
        "precision: 9, scale: 2",
        &["compatible Post.price: the number of its digits was 8 and is 9"],
        &["breaking Post.price: the number of its digits was 9 and is 8"],
    ),
    (
        "email: { type: email, unique: true }",
        "email: { type: string, unique: true }",
        &["to look at User.email: it was of type email and is of type string"],
        &["breaking User.email: it was of type string and is of type email"],
    ),
    (
        "body: { type: text, default: '', filterable: true, sortable: true }",
        "body: { type: text, default: '' }",
        &[
            "breaking Post.body: items can't be filtered by it any more",
            "breaking Post.body: items can't be sorted by it any more",
        ],
        &[
            "compatible Post.body: items can be filtered by it",
            "compatible Post.body: items can be sorted by it",
        ],
    ),
    (
        "      note: { type: string, default: x, immutable: true }\n",
        "",
        &["breaking Post.note: it is gone"],
        &["compatible Post.note: it is new"],
    ),
    (
        "      score: { type: integer, range: 0..100, index: true }\n",
        "      score: { type: integer, range: 0..100, index: true }\n      more: string\n",
        &["breaking Post.more: it is new, and a create has to say it"],
        &["breaking Post.more: it is gone"],
    ),
    (
        "note: { type: string, default: x, immutable: true }",
        "note: { type: string, default: x }",
        &["compatible Post.note: it can be changed"],
        &["breaking Post.note: it can't be changed any more"],
    ),
    (
        "note: { type: string, default: x, immutable: true }",
        "note: { type: string, default: y, immutable: true }",
        &["to look at Post.note: what it is where a create doesn't say has changed"],
        &["to look at Post.note: what it is where a create doesn't say has changed"],
    ),
    (
        "note: { type: string, default: x, immutable: true }",
        "note: { type: string, default: x, readonly: true, immutable: true }",
        &["breaking Post.note: it can't be set any more"],
        &["compatible Post.note: it can be set"],
    ),
    (
        "hint: { type: string, optional: true,",
        "hint: { type: string, default: '',",
        &["breaking Post.hint: null isn't taken any more"],
        &["breaking Post.hint: it may be null in answers"],
    ),
    (
        ", readable: author_id = me.id }",
        " }",
        &["compatible Post.hint: who may read it was `author_id = me.id` and is for everybody"],
        &["breaking Post.hint: who may read it was for everybody and is `author_id = me.id`"],
    ),
    (
        "hint: { type: string, optional: true, readable: author_id = me.id }",
        "hint: { type: string, optional: true, private: true }",
        &["breaking Post.hint: it is gone"],
        &["compatible Post.hint: it is new"],
    ),
    (
        "    many_to_many:\n      tags: { to: Tag, inverse: posts }\n",
        "",
        &[
            "breaking Post.tags: the relation is gone",
            "breaking Tag.posts: the relation is gone",
        ],
        &[
            "compatible Post.tags: the relation is new",
            "compatible Tag.posts: the relation is new",
        ],
    ),
    (
        "name: posts, limit: 5",
        "name: posts, limit: 6",
        &["to look at User.posts: an include of it shows another number of items"],
        &["to look at User.posts: an include of it shows another number of items"],
    ),
    // What no client sees.
    ("managed: true", "managed: false", &[], &[]),
    (
        "  Post:\n",
        "  Post:\n    table: articles\n    index: [[title, score]]\n",
        &[],
        &[],
    ),
    (
        "note: { type: string,",
        "note: { type: string, column: remark,",
        &[],
        &[],
    ),
];

#[test]
fn every_change_has_its_weight() {
    let (blog, mut wrong) = (schema(BLOG), Vec::new());
    for (from, to, there, back) in TABLE {
        assert_eq!(BLOG.matches(from).count(), 1, "{from}");
        let changed = schema(&BLOG.replace(from, to));
        // An origin that is added is nobody's loss, and not told.
        for (sign, found, expected) in [
            ('→', told(&blog, &changed), there),
            ('←', told(&changed, &blog), back),
        ] {
            if found != *expected {
                wrong.push(format!("{from:?} {sign} {to:?}:\n  {}", found.join("\n  ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_the_same_has_not_changed() {
    assert_eq!(compare(&schema(BLOG), &schema(BLOG)), []);
}

#[test]
fn whole_resources_and_settings_come_and_go() {
    let bare = schema(
        "service: blog\nresources:\n  Tag:\n    key: slug\n    fields: { slug: slug }\n    access: { read: public }\n",
    );
    let gone = told(&schema(BLOG), &bare);
    for expected in [
        "breaking the service: nobody can sign in any more",
        "breaking the service: pages of other origins may not call any more",
        "breaking User: /api/users is gone",
        "breaking Post: /api/posts is gone",
        "breaking Tag: creating it isn't served any more",
        "breaking Tag.posts: the relation is gone",
    ] {
        assert!(
            gone.iter().any(|change| change == expected),
            "{expected}\n{}",
            gone.join("\n")
        );
    }
    let came = told(&bare, &schema(BLOG));
    for expected in [
        "compatible the service: accounts can sign in",
        "compatible the service: pages of other origins may call",
        "compatible User: /api/users is new",
        "compatible Post: /api/posts is new",
        "compatible Tag: creating it is served",
    ] {
        assert!(
            came.iter().any(|change| change == expected),
            "{expected}\n{}",
            came.join("\n")
        );
    }
}
