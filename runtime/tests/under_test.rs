//! The test Api: what it makes past all rules, and what its clients then see.

use axum::http::{Method, Request};
use rest_runtime::{Service, test};
use serde_json::{Value, json};

const BLOG: &str = "
service: blog
managed: false
resources:
  User:
    fields:
      username: { type: string, length: 1..20, unique: true }
      password: { type: password, length: 3..40 }
      is_admin: { type: boolean, default: false, private: true }
    access: { read: public, create: public, update: id = me.id }
  Post:
    fields:
      title: { type: string, length: 1..100 }
      views: { type: integer, readonly: true, default: database }
    belongs_to:
      author: { to: User, inverse: posts, default: me, readonly: true }
    many_to_many:
      tags: { to: Tag, inverse: posts }
    access:
      read: public
      create: authenticated
      change: author_id = me.id or me.is_admin
  Tag:
    key: name
    fields:
      name: { type: slug }
    access: { read: public, create: public, change: public }
  Line:
    key: [post, place]
    fields:
      place: { type: integer }
    belongs_to:
      post: { to: Post, inverse: lines }
    access: { read: public, create: public, change: public }
accounts: { resource: User, identify_by: [username], password: password, admin: me.is_admin }
";

async fn api() -> test::Api {
    let schema = rest_runtime::schema::read_one("rest.yaml", BLOG)
        .expect("a schema")
        .schema;
    Service::builder(schema).test().await.expect("a service")
}

#[tokio::test]
async fn accounts_are_signed_in_and_rows_are_made_past_all_rules() {
    let api = api().await;
    let susan = api.account(json!({"username": "susan"})).await;
    let admin = api
        .account(json!({"username": "admin", "is_admin": true, "password": "secret"}))
        .await;
    assert_eq!((susan.key(), admin.key()), (&json!(1), &json!(2)));
    api.insert("Tag", json!({"name": "rust"})).await;
    let post = json!({"title": "Hello", "author_id": susan.key(), "views": 7, "id": 9, "tags": ["rust"]});
    let post = api.insert("Post", post).await;
    assert_eq!(post, json!(9));
    let line = api.insert("Line", json!({"post_id": post, "place": 3})).await;
    assert_eq!(line, json!([9, 3]));

    let answer = api.anonymous().get("/api/posts/9?include=tags").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["views"], 7);
    assert_eq!(answer.body["tags"]["items"][0]["name"], "rust");
    let answer = api.anonymous().patch("/api/posts/9", json!({"title": "x"})).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (401, Some("unauthenticated"))
    );
    for (client, title) in [(&susan, "mine"), (&admin, "any")] {
        let answer = client.patch("/api/posts/9", json!({"title": title})).await;
        assert_eq!((answer.status, &answer.body["title"]), (200, &json!(title)));
    }
    let made = susan.post("/api/posts", json!({"title": "Second"})).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/posts/10"));
    assert_eq!(made.body["author_id"], *susan.key());
    assert_eq!(susan.delete("/api/posts/10").await.status, 204);
}

#[tokio::test]
async fn what_an_account_was_given_as_its_password_signs_it_in() {
    let api = api().await;
    api.account(json!({"username": "susan", "password": "secret"}))
        .await;
    let credentials = json!({"identifier": "susan", "password": "secret"});
    let answer = api.anonymous().post("/api/tokens", &credentials).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let token = format!("Bearer {}", answer.body["token"].as_str().expect("a token"));
    let again = api.anonymous().header("authorization", &token);
    assert_eq!(again.get("/api/me").await.body["username"], "susan");
}

#[tokio::test]
async fn any_request_can_be_sent() {
    let api = api().await;
    let request = Request::builder().method(Method::OPTIONS).uri("/api/posts");
    let answer = api
        .anonymous()
        .send(request.body("".into()).expect("a request"))
        .await;
    assert_eq!((answer.status, &answer.body), (204, &Value::Null));
    assert_eq!(
        answer.header("allow"),
        "GET, HEAD, POST, PATCH, DELETE, QUERY, OPTIONS"
    );
}

#[tokio::test]
async fn the_database_is_gone_at_the_end() {
    let directory = {
        let api = api().await;
        let client = api.anonymous();
        let directory = api.directory().to_owned();
        drop(api);
        assert!(directory.exists(), "a client keeps it");
        assert_eq!(client.get("/api/posts").await.status, 200);
        directory
    };
    assert!(!directory.exists());
}

#[tokio::test]
#[should_panic(expected = "did you mean `title`?")]
async fn a_row_that_cannot_be_made_is_a_fault_of_the_test() {
    api()
        .await
        .insert("Post", json!({"titel": "x", "author_id": 1}))
        .await;
}
