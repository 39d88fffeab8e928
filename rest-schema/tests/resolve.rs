//! What the words of a schema come to.
#![cfg(feature = "yaml")]
#![allow(missing_docs, clippy::unwrap_used)]

use rest_schema::keys::{Level, Shape};
use rest_schema::{
    DefaultValue, Field, FieldType, IndexExpr, KeyKind, Link, OnDelete, Relation, RelationKind, Resource,
    Schema, Value, read, read_one,
};

fn schema(text: &str) -> Schema {
    match read_one("rest.yaml", text) {
        Ok(loaded) => loaded.schema,
        Err(report) => panic!("{text}\n{}", report.lines()),
    }
}

/// A service of these resources, each with `access: { read: public }` unless it says more.
fn service(resources: &str) -> Schema {
    schema(&format!("service: s\nresources:\n{resources}"))
}

fn codes(text: &str) -> Vec<&'static str> {
    let report = match read_one("rest.yaml", text) {
        Ok(loaded) => loaded.report,
        Err(report) => report,
    };
    report.diagnostics.iter().map(|one| one.code).collect()
}

fn resource<'a>(schema: &'a Schema, name: &str) -> &'a Resource {
    schema.resources.iter().find(|one| one.name == name).unwrap()
}

fn field<'a>(schema: &'a Schema, path: &str) -> &'a Field {
    let (owner, name) = path.split_once('.').unwrap();
    let fields = &resource(schema, owner).fields;
    fields.iter().find(|field| field.name == name).unwrap()
}

fn relation<'a>(schema: &'a Schema, path: &str) -> &'a Relation {
    let (owner, name) = path.split_once('.').unwrap();
    resource(schema, owner).relation_by_name(name).unwrap().1
}

fn names(resource: &Resource) -> Vec<&str> {
    resource.fields.iter().map(|field| field.name.as_str()).collect()
}

fn microblog() -> Schema {
    schema(include_str!("microblog.yaml"))
}

#[test]
fn fields_stand_key_first_then_foreign_keys_then_the_others() {
    let schema = microblog();
    assert_eq!(
        names(resource(&schema, "Post")),
        ["id", "author_id", "title", "status", "price", "created_at"]
    );
    assert_eq!(field(&schema, "Post.author_id").column, "user_id");
    assert_eq!(field(&schema, "Post.author_id").ty, FieldType::Bigint);
    assert_eq!(resource(&schema, "User").table, "user");
    assert_eq!(resource(&schema, "User").collection, "users");
}

#[test]
fn a_relation_is_seen_from_both_sides() {
    let schema = microblog();
    let author = relation(&schema, "Post.author");
    let posts = relation(&schema, "User.posts");
    assert_eq!(
        (author.kind, author.on_delete),
        (RelationKind::BelongsTo, OnDelete::Cascade)
    );
    assert_eq!((posts.kind, posts.declared), (RelationKind::HasMany, false));
    assert_eq!(schema.relation(author.inverse.unwrap()), posts);
    assert_eq!(schema.relation(posts.inverse.unwrap()), author);
    let (
        Link::Keys { local, remote },
        Link::Keys {
            local: back,
            remote: forth,
        },
    ) = (&author.link, &posts.link)
    else {
        panic!("links over keys");
    };
    assert_eq!((local, remote), (forth, back));
}

#[test]
fn a_self_referential_relation_has_two_ends() {
    let schema = microblog();
    let (following, followers) = (
        relation(&schema, "User.following"),
        relation(&schema, "User.followers"),
    );
    assert_eq!(schema.relation(following.inverse.unwrap()), followers);
    let columns = |relation: &Relation| match &relation.link {
        Link::Join { table, local, remote } => {
            (table.clone(), local[0].column.clone(), remote[0].column.clone())
        }
        Link::Keys { .. } => panic!("a table of pairs"),
    };
    let own = |a: &str, b: &str| ("followers".to_owned(), a.to_owned(), b.to_owned());
    assert_eq!(columns(following), own("follower_id", "followed_id"));
    assert_eq!(columns(followers), own("followed_id", "follower_id"));
    let tags = relation(&schema, "Post.tags");
    assert_eq!(
        columns(tags),
        ("post_tags".to_owned(), "post_id".to_owned(), "tag_id".to_owned())
    );
}

#[test]
fn change_is_update_and_delete() {
    let schema = microblog();
    let access = &resource(&schema, "Post").access;
    assert_eq!(access.update, access.delete);
    assert!(access.read.is_some() && access.create.is_some());
}

#[test]
fn a_computed_field_has_the_type_of_its_expression() {
    let schema = microblog();
    let count = field(&schema, "User.post_count");
    assert_eq!(count.ty, FieldType::Bigint);
    assert!(!count.optional && !count.filterable && !count.sortable && count.readonly && !count.is_stored());
}

#[test]
fn what_has_an_index_can_be_filtered_and_sorted_by() {
    let schema = microblog();
    for path in [
        "Post.id",
        "Post.author_id",
        "Post.status",
        "Post.created_at",
        "User.email",
        "Tag.name",
    ] {
        assert!(
            field(&schema, path).filterable && field(&schema, path).sortable,
            "{path}"
        );
    }
    for path in [
        "Post.title",
        "Post.price",
        "User.password",
        "User.about_me",
        "User.post_count",
    ] {
        assert!(
            !field(&schema, path).filterable && !field(&schema, path).sortable,
            "{path}"
        );
    }
    let said = service(
        "  A: { fields: { a: { type: string, filterable: true }, b: { type: string, unique: true, sortable: false } }, access: { read: public } }\n",
    );
    assert!(field(&said, "A.a").filterable && !field(&said, "A.a").sortable);
    assert!(field(&said, "A.b").filterable && !field(&said, "A.b").sortable);
}

#[test]
fn keys_are_of_four_kinds() {
    let schema = service(
        "  A: { access: { read: public } }
  B: { key: uuid, access: { read: public } }
  C: { key: code, fields: { code: string }, access: { read: public } }
  D: { key: [a, number], fields: { number: integer }, belongs_to: { a: A }, access: { read: public } }
  E: { key: { type: uuid, name: uid, column: uid_, by_client: true }, access: { read: public } }
  F: { key: { type: integer, by_client: true }, access: { read: public } }
",
    );
    let kinds: Vec<_> = schema
        .resources
        .iter()
        .map(|one| (one.key.kind, one.key.by_client))
        .collect();
    assert_eq!(
        kinds,
        [
            (KeyKind::Autoincrement, false),
            (KeyKind::Uuid, false),
            (KeyKind::Natural, true),
            (KeyKind::Composite, true),
            (KeyKind::Uuid, true),
            (KeyKind::Autoincrement, true),
        ]
    );
    assert_eq!(names(resource(&schema, "D")), ["a_id", "number"]);
    assert_eq!(resource(&schema, "D").key.fields.len(), 2);
    assert_eq!(field(&schema, "E.uid").column, "uid_");
    assert_eq!(field(&schema, "B.id").default, Some(DefaultValue::Uuid));
    assert!(field(&schema, "A.id").readonly && !field(&schema, "E.uid").readonly);
    assert!(field(&schema, "C.code").immutable);
}

#[test]
fn a_relation_to_a_composite_key_makes_a_field_for_each_of_its_parts() {
    let schema = service(
        "  Hall: { access: { read: public } }
  Seat: { key: [hall, row], fields: { row: slug }, belongs_to: { hall: Hall }, access: { read: public } }
  Ticket: { belongs_to: { seat: { to: Seat, columns: [h, r], inverse: tickets, optional: true } }, access: { read: public } }
",
    );
    let ticket = resource(&schema, "Ticket");
    assert_eq!(names(ticket), ["id", "seat_hall_id", "seat_row"]);
    let columns: Vec<_> = ticket.fields.iter().map(|field| field.column.as_str()).collect();
    assert_eq!(columns, ["id", "h", "r"]);
    assert_eq!(ticket.fields[2].ty, FieldType::Slug);
    assert!(ticket.fields[1].optional && ticket.fields[2].optional);
    let Link::Keys { local, remote } = &relation(&schema, "Ticket.seat").link else {
        panic!("keys");
    };
    assert_eq!((local.len(), remote.len()), (2, 2));
}

#[test]
fn one_row_at_most_leads_to_a_target_where_its_key_is_unique() {
    let ways = [
        "belongs_to: { user: { to: User, unique: true, inverse: other } }",
        "unique: [[user]], belongs_to: { user: { to: User, inverse: other } }",
        "key: user, belongs_to: { user: { to: User, inverse: other } }",
    ];
    for way in ways {
        let schema = service(&format!(
            "  User: {{ access: {{ read: public }} }}\n  Profile: {{ {way}, access: {{ read: public }} }}\n"
        ));
        assert_eq!(
            relation(&schema, "User.other").kind,
            RelationKind::HasOne,
            "{way}"
        );
    }
}

#[test]
fn uniques_and_indexes_of_one_field_come_first_in_the_order_of_fields() {
    let schema = service(
        "  A:
    fields: { a: string, b: { type: string, unique: true }, c: { type: string, index: true }, d: string }
    unique: [[d, a], [a]]
    index: [[d, -c], { on: [lower(d)], unique: true }, [d], { on: [a], where: d is not null }]
    access: { read: public }
",
    );
    let a = resource(&schema, "A");
    let name = |id: &rest_schema::FieldId| schema.field(*id).name.clone();
    let uniques: Vec<Vec<String>> = a
        .uniques
        .iter()
        .map(|one| one.fields.iter().map(name).collect())
        .collect();
    assert_eq!(uniques, [vec!["a"], vec!["b"], vec!["d", "a"]]);
    let indexes: Vec<Vec<String>> = a
        .indexes
        .iter()
        .map(|index| {
            let terms = index.terms.iter().map(|term| match &term.expr {
                IndexExpr::Field(field) => name(field),
                IndexExpr::Expression(rule) => rule.source.clone(),
            });
            terms.collect()
        })
        .collect();
    assert_eq!(
        indexes,
        [vec!["c"], vec!["d"], vec!["d", "c"], vec!["lower(d)"], vec!["a"]]
    );
    assert!(a.indexes[4].condition.is_some() && a.indexes[3].unique);
    assert!(field(&schema, "A.a").unique);
}

#[test]
fn defaults_are_literals_words_and_expressions() {
    let schema = service(
        "  Maker: { fields: { name: string }, access: { read: public } }
  Thing:
    fields:
      word: { type: string, default: now }
      quoted: { type: string, default: 'database' }
      plain: { type: string, optional: true, default: database }
      lower: { type: slug, default: slug(word) }
      made_by: { type: string, default: maker.name }
      dotted: { type: string, default: a.b }
      at: { type: timestamp, default: now }
      on: { type: date, default: 2024-02-29 }
      uid: { type: uuid, default: uuid }
      size: { type: integer, default: 3 }
      twice: { type: bigint, default: size * 2 }
      same: { type: integer, default: size }
      share: { type: float, default: 0.5 }
      price: { type: decimal, precision: 6, scale: 2, default: 12.5 }
      flag: { type: boolean, default: true }
      extra: { type: json, default: { a: [1, null, x] } }
      data: { type: bytes, default: aGk= }
    belongs_to: { maker: Maker }
    access: { read: public }
",
    );
    let default = |name: &str| field(&schema, &format!("Thing.{name}")).default.clone().unwrap();
    let text = |text: &str| DefaultValue::Literal(Value::Text(text.to_owned()));
    assert_eq!(default("word"), text("now"));
    assert_eq!(default("quoted"), text("database"));
    assert_eq!(default("dotted"), text("a.b"));
    assert_eq!(default("plain"), DefaultValue::Database);
    assert_eq!(
        (default("at"), default("uid")),
        (DefaultValue::Now, DefaultValue::Uuid)
    );
    for name in ["lower", "made_by", "twice", "same"] {
        assert!(matches!(default(name), DefaultValue::Expression(_)), "{name}");
    }
    for (name, wire) in [
        ("on", "2024-02-29"),
        ("size", "3"),
        ("share", "0.5"),
        ("price", "12.50"),
        ("flag", "true"),
        ("extra", r#"{"a":[1,null,"x"]}"#),
        ("data", "aGk="),
    ] {
        let DefaultValue::Literal(value) = default(name) else {
            panic!("{name} is a literal");
        };
        assert_eq!(value.to_wire(), wire, "{name}");
    }
}

#[test]
fn a_mixin_adds_and_the_resource_wins() {
    let schema = schema(
        "service: s
mixins:
  base: { fields: { a: string, b: string }, access: { read: public, change: authenticated } }
  left: { mixins: [base], fields: { c: string }, sort: c, unique: [[c]] }
  right: { mixins: [base], fields: { d: string } }
resources:
  User: { fields: { email: { type: email, unique: true }, password: password }, access: { read: public } }
  A:
    mixins: [left, right]
    fields: { d: integer, e: string }
    unique: [[d]]
    access: { delete: public }
accounts: { resource: User, identify_by: [email], password: password }
",
    );
    let a = resource(&schema, "A");
    assert_eq!(names(a), ["id", "d", "e", "c", "a", "b"]);
    assert_eq!(field(&schema, "A.d").ty, FieldType::Integer);
    assert_eq!((a.sort.len(), a.uniques.len()), (1, 2));
    let source = |rule: &Option<rest_schema::Rule>| rule.as_ref().map(|rule| rule.source.clone());
    assert_eq!(source(&a.access.delete).as_deref(), Some("public"));
    assert_eq!(source(&a.access.update).as_deref(), Some("authenticated"));
    assert_eq!(source(&a.access.read).as_deref(), Some("public"));
}

#[test]
fn settings_have_their_own_values_where_nothing_is_said() {
    let plain = service("  A: { access: { read: public } }\n");
    assert_eq!((plain.prefix.as_str(), plain.managed), ("/api", None));
    assert_eq!(
        (plain.tokens.lifetime, plain.tokens.max_lifetime),
        (3_600, 90 * 86_400)
    );
    assert_eq!(
        (plain.page.limit, plain.page.max, plain.limits.body),
        (20, 100, 1 << 20)
    );
    let said = schema(
        "service: s
prefix: /
managed: true
storage: { journal: wal }
tokens: { lifetime: 15m, max_lifetime: 2d }
page: { limit: 5, max: 10 }
limits: { body: 64KiB, bulk: 7, include_depth: 2, includes: 3, filters: 4, requests: 5 }
cors: { origins: 'https://app.example.com' }
resources: { A: { access: { read: public } } }
",
    );
    assert_eq!(
        (said.prefix.as_str(), said.managed, said.journal.is_some()),
        ("", Some(true), true)
    );
    assert_eq!((said.tokens.lifetime, said.tokens.max_lifetime), (900, 172_800));
    assert_eq!(
        (said.limits.body, said.limits.bulk, said.limits.filters),
        (65_536, 7, 4)
    );
    let quota = rest_schema::Quota {
        requests: 5,
        window: 60,
    };
    assert_eq!((plain.limits.quota, said.limits.quota), (None, Some(quota)));
    let cors = rest_schema::Cors {
        origins: rest_schema::Origins::Listed(vec!["https://app.example.com".to_owned()]),
        credentials: false,
        max_age: 600,
    };
    assert_eq!((plain.cors, said.cors), (None, Some(cors)));
}

#[test]
fn included_files_are_part_of_the_schema() {
    let top =
        "service: s\ninclude: [parts/*.yaml, more.yaml]\nresources: { A: { access: { read: public } } }\n";
    let mut asked = Vec::new();
    let loaded = read("rest.yaml", top, &mut |glob| {
        asked.push(glob.to_owned());
        Ok(match glob {
            "parts/*.yaml" => vec![(
                "parts/b.yaml".to_owned(),
                "resources: { B: { mixins: [m], access: { read: public } } }".to_owned(),
            )],
            _ => vec![(
                "more.yaml".to_owned(),
                "mixins: { m: { fields: { x: string } } }".to_owned(),
            )],
        })
    });
    let schema = loaded.map_err(|report| report.lines()).unwrap().schema;
    assert_eq!(asked, ["parts/*.yaml", "more.yaml"]);
    assert_eq!(names(resource(&schema, "B")), ["id", "x"]);
}

#[test]
fn a_fault_in_an_included_file_names_that_file() {
    let top = "service: s\ninclude: b.yaml\nresources: { A: { access: { read: public } } }\n";
    for (text, code, place) in [
        (
            "resources: { A: { access: { read: public } } }",
            "duplicate-key",
            "b.yaml:1:14",
        ),
        ("service: t", "unknown-key", "b.yaml:1:1"),
        ("resources:\n  B: { feilds: {} }", "unknown-key", "b.yaml:2:8"),
        ("resources: [", "yaml", "b.yaml:1:12"),
    ] {
        let report = read("rest.yaml", top, &mut |_| {
            Ok(vec![("b.yaml".to_owned(), text.to_owned())])
        })
        .unwrap_err();
        let lines = report.lines();
        assert!(
            lines.contains(&format!("{place}: error[{code}]")),
            "{text}: {lines}"
        );
    }
    let report = read("rest.yaml", top, &mut |_| Err("permission denied".to_owned())).unwrap_err();
    assert!(
        report
            .lines()
            .contains("`b.yaml` can't be read: permission denied")
    );
}

#[test]
fn a_large_text_is_refused_before_it_is_read() {
    let text = format!("service: s\ndescription: '{}'\n", "x".repeat(50 << 20));
    let before = std::time::Instant::now();
    assert_eq!(codes(&text), ["too-large"]);
    assert!(before.elapsed().as_secs() < 2);
}

#[test]
fn nesting_and_aliases_have_an_end() {
    for deep in ["[".repeat(100_000), "{a: ".repeat(5_000), "- ".repeat(5_000)] {
        let text = format!("service: s\nresources: {deep}");
        assert!(!codes(&text).is_empty());
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let repeated = vec![format!("*a{}", level - 1); 8].join(", ");
        bomb += &format!("a{level}: &a{level} [{repeated}]\n");
    }
    assert_eq!(codes(&bomb), ["too-large"]);
}

/// A schema with one key more at a level, in a place that is fine but for that key.
fn with_key(level: Level, key: &str) -> Option<String> {
    let more = format!("{key}: x");
    let a =
        |inner: &str| format!("service: s\nresources: {{ A: {{ {inner}, access: {{ read: public }} }} }}\n");
    Some(match level {
        Level::Service => format!("{}{more}\n", a("fields: { t: string }")),
        Level::Resource => a(&more),
        Level::Field => a(&format!("fields: {{ t: {{ type: string, {more} }} }}")),
        Level::BelongsTo => a(&format!("belongs_to: {{ b: {{ to: A, {more} }} }}")),
        Level::ManyToMany => a(&format!("many_to_many: {{ b: {{ to: A, from_column: x, to_column: y, {more} }} }}")),
        Level::Inverse => a(&format!("belongs_to: {{ b: {{ to: A, inverse: {{ name: bs, {more} }} }} }}")),
        Level::Access => format!("service: s\nresources: {{ A: {{ access: {{ read: public, {more} }} }} }}\n"),
        Level::Accounts => format!(
            "service: s\nresources: {{ A: {{ fields: {{ n: {{ type: string, unique: true }}, p: password }}, access: {{ read: public }} }} }}
accounts: {{ resource: A, identify_by: [n], password: p, {more} }}\n"
        ),
        Level::Sessions | Level::Flask => return None,
        Level::Tokens => format!("{}tokens: {{ {more} }}\n", a("fields: { t: string }")),
        _ => return None,
    })
}

#[test]
fn every_word_that_is_not_served_is_refused_as_such_and_as_nothing_else() {
    for level in Level::ALL {
        for row in level.rows().iter().filter(|row| row.shape == Shape::Later) {
            let text = with_key(*level, row.key).unwrap_or_else(|| panic!("no place for {level:?}"));
            assert_eq!(codes(&text), ["not-yet"], "{text}");
        }
        if let Some(text) = with_key(*level, "zebra") {
            assert_eq!(codes(&text), ["unknown-key"], "{text}");
        }
    }
}

#[test]
fn a_fault_in_one_place_blames_no_other() {
    let text = "service: s
resources:
  A:
    fields: { size: intger, title: string }
    belongs_to: { owner: Nobody }
    rules: { mine: owner_id = 3 }
    sort: -size
    unique: [[owner, title]]
    access: { read: size > 3 and mine, create: owner.name = 'x', delete: titel = 'x' }
";
    assert_eq!(codes(text), ["unknown-type", "unknown-resource", "unknown-name"]);
}
