//! A service as a library: opened on a file, asked through its router.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use rest_runtime::Service;
use serde_json::{Value, json};
use tower::ServiceExt;

const NOTES: &str = "
service: notes
managed: true
resources:
  User:
    fields:
      name: { type: string, length: 1..20, unique: true }
      password: { type: password, length: 3..100 }
    access: { read: public, create: public, update: id = me.id }
  Note:
    sort: -id
    fields:
      text: { type: string, length: 1..100 }
      done: { type: boolean, default: false, filterable: true }
    belongs_to:
      owner: { to: User, inverse: notes, default: me, readonly: true }
    access:
      read: done or owner_id = me.id
      create: authenticated
      change: owner_id = me.id
accounts: { resource: User, identify_by: [name], password: password }
";

struct Client {
    service: Service,
    token: Option<String>,
    _directory: tempfile::TempDir,
}

fn schema(text: &str) -> rest_schema::Schema {
    rest_schema::read_one("rest.yaml", text)
        .map_err(|report| report.lines())
        .expect("a schema")
        .schema
}

impl Client {
    fn open(text: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let builder = Service::builder(schema(text)).database(directory.path().join("data.db"));
        let service = builder.open().expect("a service");
        Self {
            service,
            token: None,
            _directory: directory,
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let request = request.body(body).expect("a request");
        let response = self.service.router().oneshot(request).await.expect("an answer");
        let status = response.status();
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        let value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        };
        (status, value)
    }

    async fn sign_up(&mut self, name: &str) -> Value {
        self.token = None;
        let (status, made) = self
            .ask(
                "POST",
                "/api/users",
                Some(json!({"name": name, "password": "secret"})),
            )
            .await;
        assert_eq!(status, 201, "{made}");
        let (status, token) = self
            .ask(
                "POST",
                "/api/tokens",
                Some(json!({"identifier": name, "password": "secret"})),
            )
            .await;
        assert_eq!(status, 201, "{token}");
        self.token = token["token"].as_str().map(str::to_owned);
        made
    }
}

#[tokio::test]
async fn what_is_written_is_read_by_those_who_may() {
    let mut client = Client::open(NOTES);
    let susan = client.sign_up("susan").await;
    assert_eq!(susan, json!({"id": 1, "name": "susan"}));
    let (status, note) = client
        .ask("POST", "/api/notes", Some(json!({"text": "milk"})))
        .await;
    assert_eq!(
        (status.as_u16(), &note),
        (
            201,
            &json!({"id": 1, "text": "milk", "done": false, "owner_id": 1})
        ),
        "{note}"
    );
    let (status, list) = client.ask("GET", "/api/notes?include=owner", None).await;
    assert_eq!(status, 200, "{list}");
    assert_eq!(list["items"][0]["owner"]["name"], "susan");
    let (status, users) = client
        .ask("GET", "/api/users?include=notes&notes.done=false", None)
        .await;
    assert_eq!(status, 200, "{users}");
    assert_eq!(users["items"][0]["notes"]["items"][0]["text"], "milk");
    client.token = None;
    let (status, list) = client.ask("GET", "/api/notes", None).await;
    assert_eq!((status.as_u16(), &list["items"]), (200, &json!([])), "{list}");
    let (status, _) = client.ask("GET", "/api/notes/1", None).await;
    assert_eq!(status, 404);
    let (status, _) = client
        .ask("PATCH", "/api/notes/1", Some(json!({"done": true})))
        .await;
    assert_eq!(status, 401);
    client.sign_up("david").await;
    let (status, _) = client
        .ask("PATCH", "/api/notes/1", Some(json!({"done": true})))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_change_is_judged_before_and_after() {
    let mut client = Client::open(NOTES);
    client.sign_up("susan").await;
    client
        .ask("POST", "/api/notes", Some(json!({"text": "milk"})))
        .await;
    let (status, note) = client
        .ask("PATCH", "/api/notes/1", Some(json!({"done": true})))
        .await;
    assert_eq!((status.as_u16(), &note["done"]), (200, &json!(true)), "{note}");
    let (status, problem) = client
        .ask("PATCH", "/api/notes/1", Some(json!({"text": "", "owner_id": 7})))
        .await;
    assert_eq!(
        (status.as_u16(), problem["errors"].as_array().map(Vec::len)),
        (422, Some(2)),
        "{problem}"
    );
    client.sign_up("david").await;
    let (status, _) = client
        .ask("PATCH", "/api/notes/1", Some(json!({"text": "mine"})))
        .await;
    assert_eq!(status, 403);
    let (status, _) = client.ask("DELETE", "/api/notes/1", None).await;
    assert_eq!(status, 403);
}
