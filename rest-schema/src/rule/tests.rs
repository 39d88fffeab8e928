//! Rules over one draft schema: what they mean, and what they may not say.

use std::collections::HashMap;

use proptest::prelude::*;

use super::ast::Node;
use super::*;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::schema::*;
use crate::source::{Excerpt, FileId, Span};
use crate::types::FieldType;

/// The draft: resources in order, with parsed rules beside it.
struct Draft {
    schema: Schema,
    named: HashMap<(ResourceId, String), Node>,
    access: HashMap<(ResourceId, &'static str), Node>,
    has_accounts: bool,
}

impl Rules for Draft {
    fn named(&self, resource: ResourceId, name: &str) -> Option<&Node> {
        self.named.get(&(resource, name.to_owned()))
    }

    fn names(&self, resource: ResourceId) -> Vec<&str> {
        let own = self.named.keys().filter(|(of, _)| *of == resource);
        own.map(|(_, name)| name.as_str()).collect()
    }

    fn scopes(&self) -> &[String] {
        &self.schema.tokens.scopes
    }

    fn access(&self, resource: ResourceId, operation: Operation) -> Option<&Node> {
        let word = match operation {
            Operation::Read => "read",
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
            Operation::Restore => "restore",
        };
        self.access.get(&(resource, word))
    }

    fn accounts(&self) -> Option<ResourceId> {
        self.has_accounts.then_some(USER)
    }

    fn is_computed(&self, field: FieldId) -> bool {
        self.schema.field(field).name.ends_with("_count")
    }
}

const USER: ResourceId = ResourceId(0);
const PROJECT: ResourceId = ResourceId(1);
const TASK: ResourceId = ResourceId(2);
const MEMBERSHIP: ResourceId = ResourceId(3);

fn field(name: &str, ty: FieldType) -> Field {
    Field {
        name: name.trim_end_matches('?').to_owned(),
        api_name: name.to_owned(),
        column: name.to_owned(),
        ty,
        role: FieldRole::Plain,
        optional: name.ends_with('?'),
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
        filterable: false,
        sortable: false,
        searchable: false,
        readable: None,
        writable: None,
        computed: None,
        description: None,
        example: None,
        deprecated: None,
        was: None,
    }
}

fn resource(id: ResourceId, name: &str, mut fields: Vec<Field>) -> Resource {
    fields.insert(0, field("id", FieldType::Bigint));
    Resource {
        name: name.to_owned(),
        collection: name.to_lowercase(),
        table: name.to_lowercase(),
        description: None,
        key: Key {
            fields: vec![FieldId {
                resource: id,
                index: 0,
            }],
            kind: KeyKind::Autoincrement,
            by_client: false,
        },
        fields,
        relations: Vec::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        condition: None,
        rules: Vec::new(),
        sort: Vec::new(),
        access: Access::default(),
        kept: Kept::default(),
        caching: None,
        deprecated: None,
    }
}

fn relation(
    schema: &mut Schema,
    from: ResourceId,
    name: &str,
    kind: RelationKind,
    to: ResourceId,
    key: &str,
) {
    let index = schema.resource(from).relations.len();
    let id = RelationId {
        resource: from,
        index: u32::try_from(index).unwrap_or(0),
    };
    let holder = if kind == RelationKind::BelongsTo { from } else { to };
    let fields = &mut schema.resources[holder.0 as usize].fields;
    let at = fields.iter().position(|field| field.name == key).unwrap_or(0);
    if kind == RelationKind::BelongsTo {
        fields[at].role = FieldRole::ForeignKey(id);
    }
    let key = FieldId {
        resource: holder,
        index: u32::try_from(at).unwrap_or(0),
    };
    let own = |resource| FieldId { resource, index: 0 };
    let (local, remote) = match kind {
        RelationKind::BelongsTo => (key, own(to)),
        _ => (own(from), key),
    };
    schema.resources[from.0 as usize].relations.push(Relation {
        through: None,
        name: name.to_owned(),
        kind,
        target: to,
        inverse: None,
        declared: kind == RelationKind::BelongsTo,
        link: Link::Keys {
            local: vec![local],
            remote: vec![remote],
        },
        access: None,
        nested: false,
        on_delete: OnDelete::Restrict,
        limit: None,
        sort: Vec::new(),
        description: None,
    });
}

fn resources() -> Vec<Resource> {
    let words = |words: [&str; 2]| FieldType::Enum(words.map(str::to_owned).to_vec());
    let user = vec![
        field("username", FieldType::String),
        field("email", FieldType::Email),
        field("password", FieldType::Password),
        field("is_admin", FieldType::Boolean),
        field("team_id?", FieldType::Bigint),
    ];
    let project = vec![
        field("owner_id", FieldType::Bigint),
        field("parent_id?", FieldType::Bigint),
        field("name", FieldType::String),
        field("note?", FieldType::Text),
        field("status", words(["draft", "published"])),
        field(
            "price",
            FieldType::Decimal {
                precision: 8,
                scale: 2,
            },
        ),
        field("rate", FieldType::Float),
        field("quantity", FieldType::Integer),
        field("due?", FieldType::Date),
        field("at?", FieldType::Time),
        field("created_at", FieldType::Timestamp),
        field("token", FieldType::Uuid),
        field("data?", FieldType::Json),
        field("public", FieldType::Boolean),
        field("task_count", FieldType::Bigint),
    ];
    let task = vec![
        field("project_id", FieldType::Bigint),
        field("title", FieldType::String),
        field(
            "hours",
            FieldType::Decimal {
                precision: 6,
                scale: 1,
            },
        ),
    ];
    let membership = vec![
        field("project_id", FieldType::Bigint),
        field("user_id", FieldType::Bigint),
        field("role", words(["reader", "writer"])),
    ];
    vec![
        resource(USER, "User", user),
        resource(PROJECT, "Project", project),
        resource(TASK, "Task", task),
        resource(MEMBERSHIP, "Membership", membership),
    ]
}

fn schema() -> Schema {
    use RelationKind::{BelongsTo, HasMany, HasOne, ManyToMany};
    let mut schema = Schema {
        name: "test".to_owned(),
        version: "1.0.0".to_owned(),
        description: None,
        prefix: "/api".to_owned(),
        managed: Some(true),
        journal: None,
        resources: resources(),
        accounts: None,
        tokens: Tokens {
            lifetime: 3600,
            max_lifetime: 7200,
            scopes: vec!["publish".to_owned()],
        },
        sessions: None,
        jwt: None,
        page: PageSizes { limit: 20, max: 100 },
        limits: Limits {
            body: 1 << 20,
            bulk: 1000,
            include_depth: 3,
            includes: 10,
            filters: 20,
            quota: None,
            statement_timeout: 30,
        },
        cors: None,
        caching: None,
    };
    for (from, name, kind, to, key) in [
        (PROJECT, "owner", BelongsTo, USER, "owner_id"),
        (PROJECT, "parent", BelongsTo, PROJECT, "parent_id"),
        (PROJECT, "tasks", HasMany, TASK, "project_id"),
        (PROJECT, "memberships", HasMany, MEMBERSHIP, "project_id"),
        (PROJECT, "members", ManyToMany, USER, "id"),
        (PROJECT, "first_task", HasOne, TASK, "project_id"),
        (TASK, "project", BelongsTo, PROJECT, "project_id"),
        (MEMBERSHIP, "project", BelongsTo, PROJECT, "project_id"),
        (MEMBERSHIP, "user", BelongsTo, USER, "user_id"),
        (USER, "memberships", HasMany, MEMBERSHIP, "user_id"),
        (USER, "boss", BelongsTo, USER, "team_id"),
    ] {
        relation(&mut schema, from, name, kind, to, key);
    }
    schema
}

fn excerpt(text: &str) -> Excerpt {
    Excerpt {
        text: text.to_owned(),
        span: Span::new(FileId(0), 0, text.len()),
        verbatim: Some(0),
    }
}

fn parsed(text: &str) -> Result<Node, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::new();
    let node = parse(&excerpt(text), &mut diagnostics);
    let list = diagnostics.finish();
    node.ok_or(list)
}

fn draft() -> Draft {
    let mut draft = Draft {
        schema: schema(),
        named: HashMap::new(),
        access: HashMap::new(),
        has_accounts: true,
    };
    for (resource, name, text) in [
        (
            PROJECT,
            "member",
            "owner_id = me.id or exists(memberships where user_id = me.id)",
        ),
        (PROJECT, "unnoted", "note is null"),
        (PROJECT, "kept", "owner_id = old.owner_id"),
        (PROJECT, "loop_a", "loop_b"),
        (PROJECT, "loop_b", "status = 'draft' and not loop_a"),
        (TASK, "shared", "exists(project.memberships where project.member)"),
    ] {
        if let Ok(node) = parsed(text) {
            draft.named.insert((resource, name.to_owned()), node);
        }
    }
    for (resource, operation, text) in [
        (PROJECT, "read", "public or member"),
        (PROJECT, "update", "owner_id = me.id and old.status = 'draft'"),
        (TASK, "read", "can read project"),
        (MEMBERSHIP, "read", "can read user"),
        (USER, "read", "exists(memberships where can read project)"),
    ] {
        if let Ok(node) = parsed(text) {
            draft.access.insert((resource, operation), node);
        }
    }
    draft
}

fn checked(of: ResourceId, place: Place<'_>, text: &str) -> Result<Checked, Vec<Diagnostic>> {
    let node = parsed(text)?;
    let draft = draft();
    let mut diagnostics = Diagnostics::new();
    let checked = check(&draft.schema, &draft, of, place, &node, &mut diagnostics);
    let list = diagnostics.finish();
    assert_eq!(checked.is_none(), !list.is_empty(), "{text}: {list:?}");
    checked.ok_or(list)
}

/// The meaning, printed; or the faults as `code@part`.
fn meaning(of: ResourceId, place: Place<'_>, text: &str) -> String {
    match checked(of, place, text) {
        Ok(checked) => print(&schema(), &checked.expr),
        Err(list) => faults(text, &list),
    }
}

fn faults(text: &str, list: &[Diagnostic]) -> String {
    let one = |one: &Diagnostic| {
        let part = text
            .get(one.span.start as usize..one.span.end as usize)
            .unwrap_or("?");
        format!("{}@{part}", one.code)
    };
    list.iter().map(one).collect::<Vec<_>>().join(" ")
}

const READ: Place<'_> = Place::Access(Operation::Read);
const UPDATE: Place<'_> = Place::Access(Operation::Update);

fn read(text: &str) -> String {
    meaning(PROJECT, READ, text)
}

#[test]
fn operators_bind_as_in_sql() {
    for text in [
        "status = 'draft' or true and not this.public",
        "(status = 'draft' or name = 'x') and quantity > 1",
        "not (quantity = 1 or quantity = 2)",
        "quantity + 1 * 2 - 3 > -4",
        "(quantity + 1) * 2 > quantity - (1 - 2)",
        "name || 'a' || note != 'it''s'",
        "quantity in (1, 2) and name not in ('a', name)",
        "name like 'a%' and note not like '\\_%' and note is not null",
        "lower(coalesce(note, name)) = 'x' and length(name) > 3",
        "me.boss.is_admin and price >= 12.50 and rate < 1.5 and due = '2026-01-31' and created_at < now",
        "exists(memberships where user_id = me.id and exists(project.tasks where title = this.name))",
        "owner.username = 'susan' and parent.owner.is_admin",
        "authenticated",
    ] {
        assert_eq!(read(text), text);
    }
}

#[test]
fn literals_take_the_type_of_the_other_side() {
    for (text, wanted) in [
        ("price = 1", "price = 1.00"),
        ("price = '1.5'", "price = 1.50"),
        ("1 < price", "1.00 < price"),
        ("rate = 1", "rate = 1.0"),
        ("price in (1, -2.5)", "price in (1.00, -2.50)"),
        (
            "created_at = '2026-01-31T01:00:00+01:00'",
            "created_at = '2026-01-31T00:00:00Z'",
        ),
        (
            "token = '0197F4A1-6C3B-7D52-9A3E-5B1F0C2D4E6F'",
            "token = '0197f4a1-6c3b-7d52-9a3e-5b1f0c2d4e6f'",
        ),
        ("owner.email = ''", "owner.email = ''"),
        ("price * 1.195 > 3", "price * 1.195 > 3.00000"),
        ("at > '13:30'", "at > '13:30:00'"),
    ] {
        assert_eq!(read(text), wanted);
    }
    for (text, wanted) in [
        ("price = 1.005", "rule-literal@1.005"),
        ("quantity = 3000000000", "rule-literal@3000000000"),
        ("quantity = 1.5", "rule-literal@1.5"),
        ("quantity = '1'", "rule-type@'1'"),
        ("name = 1", "rule-type@1"),
        ("due = '2026-02-30'", "rule-literal@'2026-02-30'"),
        ("created_at > '2026-01-31'", "rule-literal@'2026-01-31'"),
        ("due > 2026", "rule-type@2026"),
        ("this.public = 'true'", "rule-type@'true'"),
        ("status in ('draft', 'publishd')", "rule-literal@'publishd'"),
    ] {
        let found = read(text);
        assert!(wanted.contains(&found) && !found.is_empty(), "{text}: {found}");
    }
}

#[test]
fn a_wrong_word_of_an_enum_names_the_nearest() {
    let nearest = checked(PROJECT, READ, "status = 'publishd'").map_err(|list| list[0].nearest.clone());
    assert_eq!(nearest.err().flatten().as_deref(), Some("published"));
    let nearest = checked(
        PROJECT,
        READ,
        "ownr.username = 'a' or nam = 'b' or can reed parent",
    );
    let nearest: Vec<Option<String>> = nearest
        .err()
        .into_iter()
        .flatten()
        .map(|one| one.nearest)
        .collect();
    let word = |word: &str| Some(word.to_owned());
    assert_eq!(nearest, [word("owner"), word("name"), word("read")]);
}

#[test]
fn types_that_do_not_go_together_are_told_all_at_once() {
    for (text, wanted) in [
        ("name", "rule-type@name"),
        (
            "name and quantity = 'x' or due",
            "rule-type@name rule-type@'x' rule-type@due",
        ),
        ("name = quantity", "rule-type@name = quantity"),
        ("due < now", "rule-type@due < now"),
        ("price = rate", "rule-type@price = rate"),
        ("price = quantity", "rule-type@price = quantity"),
        ("data = data", "rule-type@data = data"),
        ("this.public < true", "rule-type@this.public < true"),
        ("owner.password = 'x'", "rule-type@password"),
        ("owner.password is null", "owner.password is null"),
        ("data is not null", "data is not null"),
        (
            "note = null or null != note",
            "rule-null@note = null rule-null@null != note",
        ),
        ("note in ('a', null)", "rule-null@null"),
        ("null is null", "rule-null@null"),
        ("quantity like 'a'", "rule-type@quantity"),
        ("name like note", "rule-type@note"),
        ("name like 'a\\'", "rule-literal@'a\\'"),
        ("price / 2 > 1", "rule-type@price / 2"),
        ("price + rate > 1", "rule-type@price + rate"),
        ("name + 1 = 2", "rule-type@1"),
        ("-name = 2", "rule-type@-name"),
        ("lower(1) = 'a'", "rule-type@1"),
        ("lower(name, name) = 'a'", "rule-type@lower(name, name)"),
        ("coalesce(name) = 'a'", "rule-type@coalesce(name)"),
        ("coalesce(name, 1) = 'a'", "rule-type@1"),
        ("quantity in status", "rule-type@quantity"),
    ] {
        assert_eq!(read(text), wanted, "{text}");
    }
}

#[test]
fn names_mean_fields_rules_and_paths() {
    for (text, wanted) in [
        ("nam = 'a'", "unknown-name@nam"),
        ("owner = me.id", "unknown-name@owner"),
        ("me = owner_id", "unknown-name@me"),
        ("owner_id.x = 1", "unknown-name@owner_id"),
        ("tasks.title = 'x'", "to-many-path@tasks"),
        ("exists(owner where is_admin)", "to-one-path@owner"),
        ("exists(nothing)", "unknown-name@nothing"),
        ("task_count > 1", "computed-in-rule@task_count"),
        ("can delete parent", "unknown-name@can delete parent"),
        ("can see parent", "unknown-name@see"),
        ("frobnicate(name) = 'x'", "unknown-name@frobnicate"),
        ("scope(x)", "unknown-name@x"),
        ("old.name = name", "rule-place@old"),
        ("count(tasks) > 1", "rule-place@count(tasks)"),
        ("slug(name) = 'x'", "rule-place@slug"),
        ("me.team.id = 1", "unknown-name@team"),
    ] {
        let found = read(text);
        assert!(wanted.contains(&found) && !found.is_empty(), "{text}: {found}");
    }
    assert_eq!(meaning(PROJECT, UPDATE, "old.name = name"), "old.name = name");
    for of_another_row in [
        "exists(me.memberships where project_id = this.id)",
        "exists(old.memberships where user_id = me.id)",
    ] {
        assert_eq!(meaning(PROJECT, UPDATE, of_another_row), of_another_row);
    }
    assert_eq!(
        meaning(PROJECT, UPDATE, "kept and old.owner.is_admin"),
        "owner_id = old.owner_id and old.owner.is_admin"
    );
}

#[test]
fn rules_are_written_out_where_they_are_used() {
    let member = "owner_id = me.id or exists(memberships where user_id = me.id)";
    assert_eq!(read("member"), member);
    assert_eq!(
        meaning(TASK, READ, "project.member"),
        "project.owner_id = me.id or exists(project.memberships where user_id = me.id)"
    );
    assert_eq!(read("me in members"), "exists(members where id = me.id)");
    assert_eq!(
        meaning(TASK, READ, "me not in project.members"),
        "not exists(project.members where id = me.id)"
    );
    assert_eq!(read("me in tasks"), "rule-type@me in tasks");
    assert_eq!(
        meaning(TASK, READ, "can read project"),
        "true or (project.owner_id = me.id or exists(project.memberships where user_id = me.id))"
    );
}

#[test]
fn the_old_of_a_related_row_is_the_row_itself() {
    let meant = "project.owner_id = me.id and project.status = 'draft'";
    assert_eq!(meaning(TASK, READ, "can update project"), meant);
    assert_eq!(read("kept"), "rule-place@kept");
}

#[test]
fn a_rule_about_a_row_that_may_be_missing_wants_it_to_be_there() {
    assert_eq!(
        read("parent.unnoted"),
        "parent.id is not null and parent.note is null"
    );
    assert_eq!(meaning(TASK, READ, "project.unnoted"), "project.note is null");
}

#[test]
fn a_circle_is_told_by_its_names() {
    let list = checked(PROJECT, Place::Named("loop_a"), "loop_b")
        .err()
        .unwrap_or_default();
    let messages: Vec<&str> = list.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the rule uses itself: Project.loop_a → Project.loop_b → Project.loop_a"]
    );
    // The same circle, entered at its other end, was told already.
    let node = parsed("status = 'draft' and not loop_a").ok();
    let draft = draft();
    let mut diagnostics = Diagnostics::new();
    let found = node.and_then(|node| {
        check(
            &draft.schema,
            &draft,
            PROJECT,
            Place::Named("loop_b"),
            &node,
            &mut diagnostics,
        )
    });
    assert_eq!((found, diagnostics.finish()), (None, Vec::new()));
}

#[test]
fn exists_stands_two_levels_deep_at_most_with_the_rules_it_uses() {
    assert_eq!(
        meaning(
            TASK,
            READ,
            "exists(project.memberships where exists(user.memberships where role = 'writer'))"
        ),
        "exists(project.memberships where exists(user.memberships where role = 'writer'))"
    );
    let deep = "exists(project.memberships where exists(user.memberships where project.member))";
    assert!(meaning(TASK, READ, deep).starts_with("rule-too-large@"));
}

#[test]
fn every_place_has_its_own_words() {
    let condition = |text| meaning(PROJECT, Place::Condition, text);
    assert_eq!(
        condition("quantity >= 0 and lower(name) = name"),
        "quantity >= 0 and lower(name) = name"
    );
    assert_eq!(condition("owner.username = 'a'"), "rule-place@owner");
    assert_eq!(condition("created_at < now"), "rule-place@now");
    assert_eq!(condition("owner_id = me.id"), "rule-place@me");
    assert_eq!(
        condition("authenticated or public"),
        "rule-place@authenticated rule-place@public"
    );
    assert_eq!(condition("exists(tasks)"), "rule-place@exists(tasks)");
    assert_eq!(condition("member"), "rule-place@member rule-place@member");
    assert_eq!(meaning(PROJECT, Place::Index, "lower(name)"), "lower(name)");
    let admin = |text| meaning(USER, Place::Admin, text);
    assert_eq!(admin("me.is_admin"), "me.is_admin");
    assert_eq!(admin("is_admin"), "rule-place@is_admin");
    assert_eq!(admin("now > now"), "rule-place@now rule-place@now");
    assert_eq!(admin("scope(publish)"), "rule-place@scope(publish)");
    let active = |text| meaning(USER, Place::Active, text);
    assert_eq!(active("me.is_admin or now is null"), "me.is_admin or now is null");
    assert_eq!(active("is_admin"), "rule-place@is_admin");
    assert_eq!(active("scope(publish)"), "rule-place@scope(publish)");
    assert_eq!(
        read("scope(publish) and name != ''"),
        "scope(publish) and name != ''"
    );
    for wrong in [
        "scope('publish')",
        "scope(publish, publish)",
        "scope(owner.publish)",
    ] {
        assert_eq!(read(wrong), format!("rule-type@{wrong}"));
    }
    let slug = |text| meaning(PROJECT, Place::Default(&FieldType::Slug), text);
    assert_eq!(slug("slug(name)"), "slug(name)");
    assert_eq!(slug("name"), "rule-type@name");
    let price = FieldType::Decimal {
        precision: 8,
        scale: 2,
    };
    assert_eq!(
        meaning(PROJECT, Place::Default(&price), "parent.price"),
        "parent.price"
    );
    assert_eq!(
        meaning(PROJECT, Place::Default(&price), "first_task.hours"),
        "rule-place@first_task"
    );
    assert_eq!(meaning(TASK, Place::Default(&price), "hours"), "rule-type@hours");
}

#[test]
fn computed_fields_have_types() {
    let computed =
        |text| checked(PROJECT, Place::Computed, text).map(|checked| (checked.ty, checked.nullable));
    let decimal = |scale| FieldType::Decimal { precision: 18, scale };
    for (text, ty, nullable) in [
        ("count(tasks)", FieldType::Bigint, false),
        ("exists(tasks)", FieldType::Boolean, false),
        ("sum(tasks.hours)", decimal(1), true),
        ("coalesce(sum(tasks.hours), 0)", decimal(1), false),
        ("avg(tasks.hours)", FieldType::Float, true),
        ("max(tasks.title)", FieldType::String, true),
        ("price * quantity", decimal(2), false),
        ("price * price", decimal(4), false),
        ("quantity / 2", FieldType::Bigint, true),
        ("name || ' ' || note", FieldType::Text, true),
        ("quantity > 3", FieldType::Boolean, false),
        ("quantity > count(tasks)", FieldType::Boolean, false),
    ] {
        assert_eq!(computed(text), Ok((ty, nullable)), "{text}");
    }
    for (text, wanted) in [
        ("sum(tasks)", "rule-type@sum(tasks)"),
        ("sum(tasks.title)", "rule-type@sum(tasks.title)"),
        ("count(tasks.title)", "rule-type@count(tasks.title)"),
        ("count(owner)", "to-one-path@owner"),
        (
            "exists(tasks where title = 'x')",
            "rule-place@exists(tasks where title = 'x')",
        ),
        ("owner.username", "rule-place@owner"),
        ("sum(tasks.hour)", "unknown-name@hour"),
    ] {
        assert_eq!(meaning(PROJECT, Place::Computed, text), wanted);
    }
}

#[test]
fn without_accounts_there_is_no_me() {
    let mut draft = draft();
    draft.has_accounts = false;
    let mut diagnostics = Diagnostics::new();
    let node = parsed("owner_id = me.id").ok();
    let found = node.and_then(|node| check(&draft.schema, &draft, PROJECT, READ, &node, &mut diagnostics));
    let codes: Vec<&str> = diagnostics.finish().iter().map(|one| one.code).collect();
    assert_eq!((found, codes), (None, vec!["rule-place"]));
}

#[test]
fn broken_rules_say_what_was_expected() {
    for (text, wanted) in [
        ("", "the rule is empty"),
        ("a =", "expected a value, found the end of the rule"),
        (
            "a = 1 b",
            "expected an operator or the end of the rule, found `b`",
        ),
        ("a = b = c", "expected `and`, `or` or the end of the rule"),
        ("(a = 1", "expected `)`, found the end of the rule"),
        ("a is 1", "expected `null`, found `1`"),
        ("a in ()", "expected a value, found `)`"),
        ("exists(a b)", "expected `where` or `)`, found `b`"),
        ("a.1", "expected a name, found `1`"),
        ("and", "expected a value, found `and`"),
        (
            "a AND b",
            "expected an operator or the end of the rule, found `AND`",
        ),
    ] {
        let message = parsed(text).map_err(|list| list[0].message.clone());
        assert_eq!(message.err().as_deref(), Some(wanted), "{text}");
    }
    let nearest = parsed("a AND b").map_err(|list| list[0].nearest.clone());
    assert_eq!(nearest.err().flatten().as_deref(), Some("and"));
}

#[test]
fn hostile_rules_are_refused_before_the_stack_is_full() {
    let n = 5_000;
    let rules = [
        format!("{}a{}", "(".repeat(n), ")".repeat(n)),
        format!("{}a", "not ".repeat(n / 2)),
        format!("a = {}1", "-".repeat(n)),
        format!("a = {}1", "1 + ".repeat(n / 2)),
        format!("a = {}1", "1 * 1 + ".repeat(n / 4)),
        format!("{}a{}", "exists(b where ".repeat(n / 10), ")".repeat(n / 10)),
        format!("{}a{}", "lower(".repeat(n / 4), ")".repeat(n / 4)),
        "a or ".repeat(100_000) + "a",
    ];
    for rule in rules {
        let codes = parsed(&rule).map_err(|list| list[0].code);
        assert_eq!(codes.err(), Some("rule-too-large"), "{}", &rule[..30]);
    }
}

#[test]
fn rules_that_use_each_other_twice_are_bounded() {
    let mut draft = draft();
    for level in 0..30 {
        let text = match level {
            0 => "quantity = 1".to_owned(),
            _ => format!("r{} or not r{}", level - 1, level - 1),
        };
        if let Ok(node) = parsed(&text) {
            draft.named.insert((PROJECT, format!("r{level}")), node);
        }
    }
    let mut diagnostics = Diagnostics::new();
    let node = parsed("r29").ok();
    let found = node.and_then(|node| check(&draft.schema, &draft, PROJECT, READ, &node, &mut diagnostics));
    let codes: Vec<&str> = diagnostics.finish().iter().map(|one| one.code).collect();
    assert_eq!((found, codes), (None, vec!["rule-too-large"]));
}

#[test]
fn rules_that_use_each_other_in_a_long_row_are_bounded() {
    let mut draft = draft();
    for level in 0..500 {
        let text = match level {
            0 => "quantity = 1".to_owned(),
            _ => format!("not r{}", level - 1),
        };
        if let Ok(node) = parsed(&text) {
            draft.named.insert((PROJECT, format!("r{level}")), node);
        }
    }
    for (name, wanted) in [("r40", None), ("r499", Some("rule-too-large"))] {
        let mut diagnostics = Diagnostics::new();
        let node = parsed(name).ok();
        let found =
            node.and_then(|node| check(&draft.schema, &draft, PROJECT, READ, &node, &mut diagnostics));
        let code = diagnostics.finish().first().map(|one| one.code);
        assert_eq!((found.is_some(), code), (wanted.is_none(), wanted), "{name}");
    }
}

/// Texts that are rules over a project, most of the time.
fn rule_text() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("quantity"),
        Just("-1"),
        Just("quantity * 2"),
        Just("length(name)"),
        Just("coalesce(parent_id, 3)"),
        Just("owner.id"),
        Just("me.id"),
        Just("parent.quantity - 1"),
        Just("-quantity"),
        Just("(1 + 2) * 3"),
    ];
    let test = (
        value.clone(),
        prop_oneof![Just("="), Just("<"), Just("!=")],
        value.clone(),
    )
        .prop_map(|(left, sign, right)| format!("{left} {sign} {right}"));
    let other = prop_oneof![
        Just("name like 'it''s%'".to_owned()),
        Just("note is not null".to_owned()),
        Just("status in ('draft')".to_owned()),
        Just("member".to_owned()),
        Just("parent.unnoted".to_owned()),
        Just("this.public".to_owned()),
        Just("price = 1.5".to_owned()),
        Just("due < '2026-01-31'".to_owned()),
        Just("authenticated".to_owned()),
    ];
    let leaf = prop_oneof![test, other];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or {b}")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            inner.clone().prop_map(|a| format!(
                "exists(memberships where user_id = me.id and project.owner_id = this.owner_id or not ({a}))"
            )),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_means_the_same(text in rule_text()) {
        if let Ok(first) = checked(PROJECT, READ, &text) {
            let printed = print(&schema(), &first.expr);
            let again = checked(PROJECT, READ, &printed).map(|again| again.expr);
            prop_assert_eq!(again, Ok(first.expr), "{}", printed);
        }
    }

    #[test]
    fn any_text_is_a_rule_or_a_fault(text in any::<String>()) {
        let _ = checked(PROJECT, READ, &text);
    }

    #[test]
    fn any_words_are_a_rule_or_a_fault(words in prop::collection::vec(
        prop::sample::select(vec!["and", "or", "not", "(", ")", "=", "in", "is", "null", "exists(", "where", "memberships",
            "owner", ".", "id", "me", "old", "can", "read", "parent", "'x'", "1", "-", "like", ",", "now", "member", "this"]), 0..12,
    )) {
        let text = words.join(" ");
        let _ = checked(PROJECT, UPDATE, &text);
    }
}
