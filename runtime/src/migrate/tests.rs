//! Tables made and compared, on real databases in memory.

use rest_schema::{Rule, Schema};
use rusqlite::Connection;

use super::{Catalogue, Fit, OwnTables, Ownership, Prepared, Unprepared, create, fit, prepare};
use crate::codec::{Codec, DecimalForm, JsonForm, UuidForm};
use crate::sql::dialect::Dialect;
use crate::sql::search::Kept;

const OWN: OwnTables<'static> = OwnTables {
    statements: &["CREATE TABLE IF NOT EXISTS rest_state (name TEXT PRIMARY KEY NOT NULL) STRICT"],
    mark: "rest_state",
};

/// A schema's resources, given with their indentation.
fn schema(managed: &str, resources: &str) -> Schema {
    let text = format!("service: test\n{managed}resources:\n{resources}");
    match rest_schema::read_one("rest.yaml", &text) {
        Ok(loaded) => loaded.schema,
        Err(report) => panic!("{}", report.lines()),
    }
}

/// These schemas have no rule in a definition.
fn no_rule(rule: &Rule) -> String {
    panic!("{}", rule.source)
}

fn connection(statements: &str) -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    connection.execute_batch(statements).expect("sound SQL");
    connection
}

fn prepared(schema: &Schema, connection: &Connection) -> Result<Prepared, Unprepared> {
    prepare(schema, connection, OWN, &no_rule)
}

fn fitted(resources: &str, statements: &str) -> Fit {
    let catalogue = Catalogue::read(&connection(statements)).expect("a catalogue");
    fit::fit(
        &schema("managed: false\n", resources),
        Dialect::Sqlite,
        &catalogue,
        Ownership::Foreign,
        &no_rule,
    )
}

fn mismatches(resources: &str, statements: &str) -> Vec<String> {
    let found = fitted(resources, statements).mismatches;
    found
        .iter()
        .map(|finding| format!("{}: {}", finding.place, finding.message))
        .collect()
}

const SHOP: &str = "
  Customer:
    fields:
      email: { type: email, unique: true }
      active: { type: boolean, default: true }
      joined: { type: timestamp, default: now, index: true }
      notes: { type: json, optional: true }
    access: { read: public }
  Order:
    sort: -placed
    fields:
      number: { type: string, unique: true }
      placed: { type: timestamp, index: true }
      total: { type: decimal, precision: 10, scale: 2 }
      state: { type: enum, values: [open, \"isn't\"] }
      photo: { type: bytes, optional: true }
    belongs_to:
      customer: { to: Customer, inverse: orders, on_delete: cascade }
    access: { read: public }
  Product:
    key: uuid
    fields:
      weight: float
      size: integer
    many_to_many:
      orders: { to: Order, table: order_product, inverse: products }
    access: { read: public }
  Line:
    key: [order, product]
    belongs_to:
      order: { to: Order, inverse: lines }
      product: { to: Product, inverse: lines, on_delete: restrict }
    fields:
      day: date
      at: { type: time, optional: true }
    access: { read: public }
";

#[test]
fn tables_are_made_in_our_stored_forms() {
    let statements = create::statements(&schema("managed: true\n", SHOP), Dialect::Sqlite, &no_rule);
    insta::assert_snapshot!("shop_tables", statements.join(";\n\n") + ";");
}

#[test]
fn what_was_made_fits_and_is_made_once() {
    let schema = schema("", SHOP);
    let connection = connection("");
    let first = prepared(&schema, &connection).expect("made");
    assert!(first.is_new && first.ownership == Ownership::Ours);
    assert_eq!(first.advice, []);
    let second = prepared(&schema, &connection).expect("fits");
    assert!(!second.is_new);
    assert_eq!(second.columns, first.columns);
}

#[test]
fn a_table_of_ours_keeps_out_what_does_not_fit() {
    let connection = connection("PRAGMA foreign_keys = ON");
    prepared(&schema("", SHOP), &connection).expect("made");
    let insert = |sql: &str| connection.execute_batch(sql);
    let customer = "INSERT INTO customer (email, active, joined, notes) VALUES";
    assert!(
        insert(&format!(
            "{customer} ('a@b', 1, '2026-01-01 00:00:00.000000', '{{}}')"
        ))
        .is_ok()
    );
    assert!(
        insert(&format!("{customer} ('a@b', 1, 'x', NULL)")).is_err(),
        "unique"
    );
    assert!(
        insert(&format!("{customer} ('c@d', 2, 'x', NULL)")).is_err(),
        "boolean"
    );
    assert!(
        insert(&format!("{customer} ('c@d', 1, 'x', '{{')")).is_err(),
        "json"
    );
    let order = "INSERT INTO \"order\" (number, placed, total, state, customer_id) VALUES";
    assert!(insert(&format!("{order} ('1', 'x', 1250, 'isn''t', 1)")).is_ok());
    assert!(
        insert(&format!("{order} ('2', 'x', 1250, 'shut', 1)")).is_err(),
        "enum"
    );
    assert!(
        insert(&format!("{order} ('2', 'x', 'x', 'open', 1)")).is_err(),
        "strict"
    );
    assert!(
        insert(&format!("{order} ('2', 'x', 1250, 'open', 9)")).is_err(),
        "foreign key"
    );
    assert!(insert("DELETE FROM customer").is_ok(), "cascades");
    let left: i64 = connection
        .query_row("SELECT count(*) FROM \"order\"", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(left, 0);
}

#[test]
fn orders_and_relations_are_served_by_the_indexes_that_are_made() {
    let connection = connection("");
    prepared(&schema("", SHOP), &connection).expect("made");
    for query in [
        "SELECT * FROM \"order\" ORDER BY placed DESC, id DESC LIMIT 20",
        "SELECT * FROM \"order\" ORDER BY placed, id LIMIT 20",
        "SELECT * FROM \"order\" WHERE customer_id = 1 ORDER BY placed DESC, id DESC LIMIT 20",
        "SELECT * FROM customer ORDER BY joined, id LIMIT 20",
        "SELECT * FROM line WHERE order_id = 1 ORDER BY order_id, product_id LIMIT 20",
        "SELECT * FROM line WHERE product_id = 'x' ORDER BY order_id, product_id LIMIT 20",
        "SELECT product_id FROM order_product WHERE order_id = 1",
        "SELECT order_id FROM order_product WHERE product_id = 'x'",
    ] {
        let mut plan = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {query}"))
            .expect("a plan");
        let plan: Vec<String> = plan
            .query_map([], |row| row.get(3))
            .and_then(Iterator::collect)
            .expect("a plan");
        assert!(
            plan.iter()
                .all(|step| step.contains("INDEX") || step.contains("PRIMARY KEY")),
            "{query}: {plan:?}"
        );
    }
}

#[test]
fn a_database_that_holds_other_tables_is_asked_about() {
    let other = "CREATE TABLE thing (id INTEGER PRIMARY KEY)";
    assert!(matches!(
        prepared(&schema("", SHOP), &connection(other)),
        Err(Unprepared::Whose)
    ));
    let beside = prepared(&schema("managed: true\n", SHOP), &connection(other));
    assert!(beside.is_ok_and(|prepared| prepared.is_new));
    let taken = prepared(
        &schema("managed: true\n", SHOP),
        &connection("CREATE TABLE Customer (id INTEGER PRIMARY KEY)"),
    );
    assert!(matches!(taken, Err(Unprepared::NotOurs(tables)) if tables == ["customer"]));
    let ours = connection("");
    prepared(&schema("", SHOP), &ours).expect("made");
    assert!(matches!(
        prepared(&schema("managed: false\n", SHOP), &ours),
        Err(Unprepared::NotForeign)
    ));
}

#[test]
fn a_changed_schema_does_not_fit_what_the_former_made() {
    let connection = connection("");
    prepared(&schema("", SHOP), &connection).expect("made");
    let fits = |changed: &str| match prepared(&schema("", changed), &connection) {
        Ok(_) => Vec::new(),
        Err(Unprepared::Mismatches(found)) => found
            .iter()
            .map(|one| format!("{}: {}", one.place, one.message))
            .collect(),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(
        fits(&SHOP.replace("weight: float", "weight: float\n      colour: string")),
        ["Product.colour: product has no column colour"]
    );
    assert_eq!(
        fits(&SHOP.replace("size: integer", "size: string")),
        ["Product.size: product.size is declared INTEGER, which can't hold string"]
    );
    assert_eq!(
        fits(&SHOP.replace("[open,", "[open, paid,")),
        ["Order: order was made by another schema: its checks or the words of its enums differ"]
    );
    assert_eq!(
        fits(&SHOP.replace("cascade", "set_null, optional: true")).len(),
        2
    );
}

#[test]
fn nothing_is_made_where_one_statement_fails() {
    let connection = connection("CREATE VIEW ix_line_product_id_order_id AS SELECT 1");
    let failed = prepared(&schema("managed: true\n", SHOP), &connection);
    assert!(matches!(failed, Err(Unprepared::Database(_))), "{failed:?}");
    let tables: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
            [],
            |row| row.get(0),
        )
        .expect("a count");
    assert_eq!(tables, 0);
    assert!(connection.is_autocommit());
}

const BLOG: &str = "
  User:
    fields:
      username: { type: string, unique: true }
      token: uuid
      tag: { type: uuid, optional: true }
      price: { type: decimal, precision: 8, scale: 2 }
      settings: { type: json, optional: true }
    access: { read: public, create: public }
  Post:
    sort: -created_at
    fields:
      body: text
      created_at: timestamp
    belongs_to:
      author: { to: User, column: user_id, inverse: posts, on_delete: cascade }
    many_to_many:
      likers: { to: User, table: likes, from_column: post_id, to_column: user_id, inverse: likes }
    access: { read: public, create: public }
";

const BLOG_TABLES: &str = "
  CREATE TABLE user (id INTEGER NOT NULL, username VARCHAR(64) NOT NULL, token CHAR(32) NOT NULL, tag VARCHAR(36),
    price NUMERIC(8, 2) NOT NULL, settings JSON, extra TEXT, PRIMARY KEY (id), UNIQUE (username));
  CREATE TABLE post (id INTEGER NOT NULL, body TEXT NOT NULL, created_at DATETIME NOT NULL, user_id INTEGER NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE CASCADE);
  CREATE TABLE likes (post_id INTEGER NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (post_id, user_id));
";

#[test]
fn a_foreign_database_that_fits_is_served_in_its_forms() {
    let connection = connection(BLOG_TABLES);
    let prepared = prepared(&schema("managed: false\n", BLOG), &connection).expect("fits");
    assert!(prepared.ownership == Ownership::Foreign && !prepared.is_new);
    let user = &prepared.columns.codecs[0];
    assert_eq!(user[2], Codec::Uuid(UuidForm::Simple));
    assert_eq!(user[3], Codec::Uuid(UuidForm::Hyphenated));
    assert_eq!(
        user[4],
        Codec::Decimal {
            precision: 8,
            scale: 2,
            form: DecimalForm::Number
        }
    );
    assert_eq!(user[5], Codec::Json(JsonForm::Python));
    let tables: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
            [],
            |row| row.get(0),
        )
        .expect("a count");
    assert_eq!(tables, 3, "nothing is added");
}

#[test]
fn what_would_be_better_is_advised_with_its_statement() {
    let fit = fitted(BLOG, BLOG_TABLES);
    assert_eq!(fit.mismatches, []);
    let advice: Vec<String> = fit.advice.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("advice", advice.join("\n\n"));
    let statements: String = fit
        .advice
        .iter()
        .filter_map(|one| one.statement.clone())
        .map(|one| one + ";")
        .collect();
    let better = fitted(BLOG, &format!("{BLOG_TABLES}{statements}"));
    assert!(
        better.advice.iter().all(|one| one.statement.is_none()),
        "{:?}",
        better.advice
    );
}

#[test]
fn every_mismatch_is_listed_at_once() {
    let tables = "
      CREATE TABLE user (id BIGINT NOT NULL, usrname VARCHAR(64), token INTEGER NOT NULL, tag VARCHAR(36) NOT NULL,
        price VARCHAR(9), settings JSON, must TEXT NOT NULL, PRIMARY KEY (id));
      CREATE TABLE posts (id INTEGER PRIMARY KEY);
    ";
    assert_eq!(
        mismatches(BLOG, tables),
        [
            "User.username: user has no column username; the nearest is usrname",
            "User.token: user.token is declared INTEGER, which can't hold uuid",
            "User.tag: user.tag is NOT NULL, and the field is optional",
            "User.price: user.price may be NULL, and the field is not optional",
            "User: user.id isn't INTEGER PRIMARY KEY, so nothing counts it up",
            "User: user.must is NOT NULL without a DEFAULT, and no field is kept there: nothing could be created",
            "Post: there is no table post; the nearest is posts",
        ]
    );
}

#[test]
fn keys_uniques_and_relations_are_compared() {
    let change = |from: &str, to: &str| {
        assert!(BLOG_TABLES.contains(from), "{from}");
        mismatches(BLOG, &BLOG_TABLES.replace(from, to))
    };
    assert_eq!(
        change(
            "username VARCHAR(64) NOT NULL",
            "username VARCHAR(64) UNIQUE NOT NULL"
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        change(", UNIQUE (username)", ""),
        ["User.username: user has no UNIQUE on (username)"]
    );
    assert_eq!(
        change(" ON DELETE CASCADE", ""),
        ["Post.author: the database says ON DELETE NO ACTION, the schema on_delete: cascade"]
    );
    assert_eq!(
        change(
            ", FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE CASCADE",
            ""
        ),
        ["Post.author: post has no foreign key on (user_id), so nothing does what `on_delete: cascade` says"]
    );
    assert_eq!(
        change("REFERENCES user (id)", "REFERENCES likes (post_id)"),
        ["Post.author: (user_id) of post points at likes"]
    );
    assert_eq!(
        change("REFERENCES user (id)", "REFERENCES user"),
        Vec::<String>::new()
    );
    assert_eq!(
        change(
            "likes (post_id INTEGER NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (post_id",
            "likes (post INTEGER NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (post"
        ),
        ["Post.likers: likes has no column post_id"]
    );
    assert_eq!(
        change("CREATE TABLE likes", "CREATE TABLE like_"),
        ["Post.likers: there is no table likes; the nearest is like_"]
    );
    assert_eq!(
        change("PRIMARY KEY (id), FOREIGN", "FOREIGN"),
        ["Post: post has neither a primary key nor a UNIQUE on (id)"]
    );
}

#[test]
fn names_are_quoted_wherever_they_stand() {
    let hostile = "
  Group:
    table: 'gro\"up'
    unique: [[order, select]]
    sort: -select
    fields:
      order: { type: enum, values: [\"a'b\"], column: 'or\"der' }
      select: { type: string, index: true }
    access: { read: public }
";
    let connection = connection("");
    let prepared = prepared(&schema("", hostile), &connection).expect("made");
    assert!(prepared.is_new);
    assert!(
        connection
            .execute_batch("INSERT INTO \"gro\"\"up\" (\"or\"\"der\", \"select\") VALUES ('a''b', 'x')")
            .is_ok()
    );
}

#[test]
fn a_decimal_that_no_integer_keeps_is_refused_where_the_tables_are_ours() {
    let long = "
  Account:
    fields:
      balance: { type: decimal, precision: 19, scale: 2 }
    access: { read: public }
";
    let connection = connection("");
    let refused = prepared(&schema("", long), &connection);
    let Err(Unprepared::Mismatches(found)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(found[0].place, "Account.balance");
    assert_eq!(Catalogue::read(&connection).expect("a catalogue").tables, []);
    let foreign = "CREATE TABLE account (id INTEGER PRIMARY KEY, balance NUMERIC(19, 2) NOT NULL)";
    let fit = fitted(long, foreign);
    assert_eq!(fit.mismatches, []);
    assert!(
        fit.advice
            .iter()
            .any(|advice| advice.message.contains("15 digits of 19"))
    );
}

#[test]
fn the_microblog_fits_the_database_that_flask_made() {
    let file = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../examples/microblog")
            .join(name);
        std::fs::read_to_string(path).expect("a file of the example")
    };
    let loaded = rest_schema::read_one("rest.yaml", &file("rest.yaml")).expect("a sound schema");
    let connection = connection(&format!("PRAGMA foreign_keys = OFF;{}", file("microblog.sql")));
    let prepared = prepared(&loaded.schema, &connection).expect("fits");
    assert_eq!(prepared.ownership, Ownership::Foreign);
    assert!(
        prepared
            .advice
            .iter()
            .all(|advice| advice.place != "User.password")
    );
}

const RULES: &str = "
  Stay:
    index: [{ on: [room], unique: true, where: state = 'held' }, { on: [lower(room)] }]
    check:
      in_order: ends >= starts
      fair: { rule: price * 2 <= 100.50 and (note is null or note like 'a%'), message: too dear }
      early: starts < 2030-01-01
      odd: flag or room in ('red', 'it''s')
    fields:
      room: string
      state: { type: enum, values: [held, free] }
      starts: date
      ends: { type: date, optional: true }
      price: { type: decimal, precision: 8, scale: 2 }
      note: { type: string, optional: true }
      flag: boolean
    access: { read: public }
";

#[test]
fn checks_and_indexes_mean_what_their_rules_say() {
    let schema = schema("", &RULES.replace("starts < 2030-01-01", "starts < '2030-01-01'"));
    let connection = connection("");
    let model = crate::model::Model::new(
        schema.clone(),
        crate::codec::Columns::ours(&schema, Dialect::Sqlite),
    );
    let expression = |rule: &Rule| crate::sql::condition::definition(&model, rule);
    let made = prepare(&schema, &connection, OWN, &expression).expect("made");
    assert!(made.is_new);
    assert!(
        !prepare(&schema, &connection, OWN, &expression)
            .expect("fits")
            .is_new
    );
    let insert = |row: &str| {
        let columns = "room, state, starts, ends, price, note, flag";
        connection.execute_batch(&format!("INSERT INTO stay ({columns}) VALUES ({row})"))
    };
    let broken = |row: &str, name: &str| {
        let message = insert(row).expect_err(row).to_string();
        assert!(message.contains(name), "{row}: {message}");
    };
    assert!(insert("'red', 'held', '2026-01-01', NULL, 5025, NULL, 0").is_ok());
    assert!(insert("'red', 'free', '2026-01-01', '2026-01-01', 0, 'ab', 1").is_ok());
    assert!(insert("'it''s', 'held', '2026-01-01', NULL, 0, NULL, 0").is_ok());
    broken(
        "'red', 'free', '2026-01-02', '2026-01-01', 0, NULL, 1",
        "in_order",
    );
    broken("'red', 'free', '2026-01-01', NULL, 5026, NULL, 1", "fair");
    broken("'red', 'free', '2026-01-01', NULL, 0, 'Ab', 1", "fair");
    broken("'red', 'free', '2030-01-01', NULL, 0, NULL, 1", "early");
    broken("'blue', 'free', '2026-01-01', NULL, 0, NULL, 0", "odd");
    broken("'red', 'held', '2026-01-01', NULL, 0, NULL, 1", "UNIQUE");
}

#[test]
fn a_key_of_bytes_is_not_served() {
    let tags = "
  Tag:
    key: uuid
    fields: { name: string }
    access: { read: public }
";
    let table = "CREATE TABLE tag (id BINARY(16) NOT NULL PRIMARY KEY, name VARCHAR(9) NOT NULL)";
    let found = mismatches(tags, table);
    assert_eq!(found, ["Tag.id: tag.id keeps a key as bytes, which isn't served"]);
}

#[test]
fn stored_values_that_do_not_fit_are_found_by_field_and_key() {
    let connection = connection(BLOG_TABLES);
    let schema = schema("managed: false\n", BLOG);
    let codecs = prepared(&schema, &connection).expect("fits").columns.codecs;
    let user = "INSERT INTO user (id, username, token, price, settings) VALUES";
    let token = "0197f4a16c3b7d529a3e5b1f0c2d4e6f";
    let insert = |id: u32, token: &str, price: &str, settings: &str| {
        let row = format!("{user} ({id}, 'u{id}', '{token}', {price}, {settings})");
        connection.execute_batch(&row).expect("SQLite takes what it gets");
    };
    insert(1, token, "12.5", "'{}'");
    assert_eq!(super::scan(&schema, &codecs, &connection).expect("read"), []);
    insert(2, "secret-token", "12", "NULL");
    for id in 3..8 {
        insert(id, token, "'dear'", "'{'");
    }
    let found = super::scan(&schema, &codecs, &connection).expect("read");
    let told: Vec<String> = found
        .iter()
        .map(|one| format!("{}: {}", one.place, one.message))
        .collect();
    assert_eq!(
        told,
        [
            "User.token: 1 row holds what is not a UUID: 2",
            "User.price: 5 rows hold what is not a decimal of the field's precision: 3, 4, 5, …",
            "User.settings: 5 rows hold what is not a JSON document: 3, 4, 5, …",
        ]
    );
    assert!(!format!("{found:?}").contains("secret-token"));
}

/// Notes with these fields, and this key.
fn notes(managed: &str, key: &str, fields: &str) -> Schema {
    let resources = format!(
        "  Note:\n    {key}\n    fields: {{ {fields} }}\n    access: {{ read: public, create: public }}\n"
    );
    schema(managed, &resources)
}

/// How many rows a search finds by what is kept.
fn found(schema: &Schema, connection: &Connection, text: &str) -> i64 {
    let (id, _) = schema.resources().next().expect("a resource");
    let kept = Kept::of(schema, Dialect::Sqlite, id).expect("a search");
    let (query, _) = kept.found(&kept.fields());
    let count = format!("SELECT count(*) FROM ({query} ?1)");
    connection
        .query_row(&count, [text], |row| row.get(0))
        .expect("an answer")
}

fn searches(connection: &Connection) -> usize {
    Catalogue::read(connection).expect("a catalogue").searches.len()
}

#[test]
fn what_is_kept_for_searches_follows_the_schema() {
    for key in ["key: { type: integer }", "key: uuid"] {
        let of = |fields: &str| notes("managed: true\n", key, fields);
        let connection = connection("");
        let plain = of("title: string, body: text");
        prepared(&plain, &connection).expect("tables");
        assert_eq!(searches(&connection), 0);
        let insert = |id: &str, title: &str, body: &str| {
            let insert = format!("INSERT INTO note (id, title, body) VALUES ({id}, '{title}', '{body}')");
            connection.execute_batch(&insert).expect("a row");
        };
        insert("'1'", "old rust", "one");
        let titles = of("title: { type: string, searchable: true }, body: text");
        prepared(&titles, &connection).expect("what it needs besides");
        assert_eq!(found(&titles, &connection, "rust"), 1);
        assert_eq!(found(&titles, &connection, "one"), 0);
        let both = of("title: { type: string, searchable: true }, body: { type: text, searchable: true }");
        prepared(&both, &connection).expect("what it needs now");
        assert_eq!(found(&both, &connection, "rust one"), 1);
        let kept = searches(&connection);
        prepared(&both, &connection).expect("nothing to do");
        assert_eq!(searches(&connection), kept);
        // A trigger that somebody's tool has lost is made again, with all that was written meanwhile.
        let (id, _) = both.resources().next().expect("a resource");
        let own = Kept::of(&both, Dialect::Sqlite, id).expect("a search").name();
        connection
            .execute_batch(&format!("DROP TRIGGER {own}_insert"))
            .expect("it is gone");
        insert("'2'", "new rust", "two");
        assert_eq!(found(&both, &connection, "rust"), 1);
        prepared(&both, &connection).expect("what is missing");
        assert_eq!(found(&both, &connection, "rust"), 2);
        prepared(&plain, &connection).expect("nothing is searched");
        assert_eq!(searches(&connection), 0);
    }
}

#[test]
fn what_is_kept_for_searches_follows_every_row() {
    for key in ["key: { type: integer }", "key: uuid", "key: title"] {
        let schema = notes(
            "managed: true\n",
            key,
            "title: { type: string, searchable: true }",
        );
        let connection = connection("");
        prepared(&schema, &connection).expect("tables");
        let id = if key == "key: title" { "" } else { "id, " };
        let value = if id.is_empty() { "" } else { "'7', " };
        connection
            .execute_batch(&format!(
                "INSERT INTO note ({id}title) VALUES ({value}'rust'), ({}'sql')",
                value.replace('7', "8")
            ))
            .expect("rows");
        assert_eq!(
            (
                found(&schema, &connection, "rust"),
                found(&schema, &connection, "sql")
            ),
            (1, 1),
            "{key}"
        );
        connection
            .execute_batch("DELETE FROM note WHERE title = 'sql'; UPDATE note SET title = 'iron'; VACUUM")
            .expect("changes");
        assert_eq!(
            (
                found(&schema, &connection, "rust"),
                found(&schema, &connection, "iron")
            ),
            (0, 1),
            "{key}"
        );
        connection.execute_batch("DELETE FROM note").expect("no rows");
        assert_eq!(found(&schema, &connection, "iron"), 0, "{key}");
    }
}

#[test]
fn what_a_search_needs_is_told_to_the_owner_of_foreign_tables() {
    let schema = notes(
        "managed: false\n",
        "key: { type: integer }",
        "title: { type: string, searchable: true }",
    );
    let connection = connection(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, title VARCHAR(80) NOT NULL); INSERT INTO note VALUES (1, 'rust')",
    );
    let Err(Unprepared::Mismatches(mismatches)) = prepared(&schema, &connection) else {
        panic!("it would find nothing");
    };
    assert_eq!(mismatches.len(), 1);
    assert_eq!(
        mismatches[0].message,
        "nothing is kept by which a search could find rows of note"
    );
    let statement = mismatches[0].statement.as_deref().expect("what makes it");
    connection.execute_batch(statement).expect("sound SQL");
    prepared(&schema, &connection).expect("it fits");
    assert_eq!(found(&schema, &connection, "rust"), 1);
}
