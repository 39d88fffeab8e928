//! A program's own routes in a service, and a service in a program's own router.
#![allow(missing_docs)]

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, Path, State};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http_body_util::BodyExt;
use rest_runtime::problem::{Code, Problem};
use rest_runtime::types::Password;
use rest_runtime::{Caller, Db, RestResource, RestService, Service, axum, test};
use serde_json::{Value, json};
use tower::ServiceExt;

#[derive(Debug, RestResource)]
#[rest(access(read = public, create = public, update = "id = me.id"))]
struct User {
    id: i64,
    #[rest(length = 1..=20, unique)]
    name: String,
    #[rest(length = 3..=40)]
    password: Password,
}

#[derive(Debug, RestResource)]
#[rest(access(read = public, create = authenticated, change = "owner_id = me.id"))]
struct Note {
    id: i64,
    text: String,
    #[rest(belongs_to = User, inverse = notes, default = me, readonly)]
    owner_id: i64,
}

#[derive(RestService)]
#[rest(name = "notes", accounts(resource = User, identify_by(name), password = password))]
#[allow(dead_code)]
struct Notes {
    users: User,
    notes: Note,
}

/// Notes of the caller, in capitals.
async fn shout(caller: Caller, db: Db) -> Result<String, Problem> {
    let Some(me) = db.me::<User>(&caller).await? else {
        return Err(Problem::new(Code::Unauthenticated));
    };
    let hers = db.as_caller(&caller);
    let notes = hers.list::<Note>().filter(Note::OWNER_ID.eq(me.id)).all().await?;
    let texts: Vec<String> = notes.iter().map(|note| note.text.to_uppercase()).collect();
    Ok(format!("{}: {}", me.name, texts.join(" ")))
}

async fn copy(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<(StatusCode, String), Problem> {
    let db = service.db();
    let hers = db.as_caller(&caller);
    let note = hers.get::<Note>(id).await?.ok_or(Code::NotFound)?;
    let copy = hers.insert([Note::TEXT.set(note.text)]).await?;
    Ok((StatusCode::CREATED, copy.id.to_string()))
}

async fn broken() -> Result<(), Problem> {
    panic!("a handler that panics")
}

fn routes() -> Router<Service> {
    Router::new()
        .route("/api/shout", get(shout))
        .route("/notes/{id}/copy", get(copy).post(copy))
        .nest("/more", Router::new().route("/broken", get(broken)))
}

async fn api() -> test::Api {
    let builder = Service::build::<Notes>().expect("a schema").routes(routes());
    builder.test().await.expect("a service")
}

#[tokio::test]
async fn handlers_know_who_asks_and_answer_as_the_service_does() {
    let api = api().await;
    let susan = api.account(json!({"name": "susan"})).await;
    assert_eq!(
        susan.post("/api/notes", json!({"text": "milk"})).await.status,
        201
    );
    assert_eq!(susan.post("/notes/1/copy", json!({})).await.body, "2");
    let answer = susan.get("/api/shout").await;
    assert_eq!((answer.status, &answer.body), (200, &json!("susan: MILK MILK")));
    assert!(!answer.header("x-request-id").is_empty());

    let nobody = api.anonymous();
    let answer = nobody.get("/api/shout").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"notes\"");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.body["type"], "/api/problems/unauthenticated");
    let id = format!("urn:uuid:{}", answer.header("x-request-id"));
    assert_eq!(answer.body["instance"], id.as_str());
    let answer = nobody
        .header("authorization", "Bearer nonsense")
        .get("/api/shout")
        .await;
    assert_eq!(answer.body["code"], "bad-token");
    assert_eq!(nobody.post("/notes/1/copy", json!({})).await.status, 401);
    assert_eq!(
        susan.post("/notes/9/copy", json!({})).await.body["code"],
        "not-found"
    );
    let answer = nobody.get("/more/broken").await;
    assert_eq!((answer.status, &answer.body["code"]), (500, &json!("internal")));
    let answer = nobody.delete("/notes/1/copy").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD,POST"));
    assert_eq!(answer.body["code"], "method-not-allowed");
    assert_eq!(nobody.get("/nowhere").await.body["code"], "not-found");
    assert_eq!(
        nobody.get("/api/notes").await.status,
        200,
        "the service is there too"
    );
}

/// A program that was there before.
#[derive(Clone)]
struct App {
    greeting: &'static str,
    notes: Service,
}

impl FromRef<App> for Service {
    fn from_ref(app: &App) -> Self {
        app.notes.clone()
    }
}

async fn hello(State(app): State<App>, caller: Caller, db: Db) -> Result<String, Problem> {
    let me = db.me::<User>(&caller).await?.ok_or(Code::Unauthenticated)?;
    Ok(format!("{}, {}", app.greeting, me.name))
}

async fn mark(request: Request<Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert("x-app", HeaderValue::from_static("mine"));
    response
}

struct Outside(Router);

impl Outside {
    async fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (Response<()>, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let response = self
            .0
            .clone()
            .oneshot(request.body(body).expect("a request"))
            .await;
        let (parts, body) = response.expect("an answer").into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (
            Response::from_parts(parts, ()),
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }
}

fn header<'r>(response: &'r Response<()>, name: &str) -> &'r str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().expect("ASCII"))
}

#[tokio::test]
async fn a_service_is_mounted_anywhere() {
    let api = api().await;
    api.account(json!({"name": "susan", "password": "secret"})).await;
    let app = App {
        greeting: "hello",
        notes: api.service().clone(),
    };
    let router = Router::new()
        .route("/hello", get(hello))
        .with_state(app)
        .nest("/v2/inner", api.service().router())
        .layer(from_fn(mark));
    let outside = Outside(router);
    let credentials = json!({"identifier": "susan", "password": "secret"});
    let (response, token) = outside
        .ask("POST", "/v2/inner/api/tokens", None, Some(credentials))
        .await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "x-app")),
        (201, "mine"),
        "{token}"
    );
    assert_eq!(header(&response, "location"), "/v2/inner/api/tokens/2");
    let token = token["token"].as_str();

    for text in ["one", "two"] {
        let (response, _) = outside
            .ask("POST", "/v2/inner/api/notes", token, Some(json!({"text": text})))
            .await;
        let at = if text == "one" {
            "/v2/inner/api/notes/1"
        } else {
            "/v2/inner/api/notes/2"
        };
        assert_eq!(
            (
                header(&response, "location"),
                header(&response, "content-location")
            ),
            (at, at)
        );
    }
    let (response, page) = outside
        .ask("GET", "/v2/inner/api/notes?limit=1", None, None)
        .await;
    assert_eq!(page["links"]["self"], "/v2/inner/api/notes?limit=1");
    let next = page["links"]["next"].as_str().expect("a next page");
    assert!(header(&response, "link").contains("</v2/inner/api/notes?limit=1>; rel=\"self\""));
    let (_, second) = outside.ask("GET", next, None, None).await;
    assert_eq!(second["items"][0]["text"], "two");
    let (_, users) = outside
        .ask("GET", "/v2/inner/api/users?include=notes", token, None)
        .await;
    let own = users["items"][0]["notes"]["links"]["self"]
        .as_str()
        .expect("a link");
    let (_, notes) = outside.ask("GET", own, None, None).await;
    assert_eq!(notes["items"].as_array().map(Vec::len), Some(2), "{own}: {notes}");
    let (response, problem) = outside.ask("GET", "/v2/inner/api/nothing", None, None).await;
    assert_eq!(response.status(), 404);
    assert_eq!(problem["type"], "/v2/inner/api/problems/not-found");
    let (response, _) = outside.ask("GET", "/v2/inner/api/notes/", None, None).await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "location")),
        (308, "/v2/inner/api/notes")
    );
    let (response, problem) = outside.ask("GET", "/v2/inner/api/shout", None, None).await;
    assert_eq!(problem["type"], "/v2/inner/api/problems/unauthenticated");
    assert_eq!(header(&response, "www-authenticate"), "Bearer realm=\"notes\"");

    let (response, greeting) = outside.ask("GET", "/hello", token, None).await;
    assert_eq!(
        (response.status().as_u16(), greeting),
        (200, json!("hello, susan"))
    );
    let (response, problem) = outside.ask("GET", "/hello", None, None).await;
    assert_eq!(
        (response.status().as_u16(), &problem["type"]),
        (401, &json!("about:blank"))
    );
    assert_eq!(problem["code"], "unauthenticated");
    let (response, _) = outside.ask("GET", "/elsewhere", None, None).await;
    assert_eq!(response.status(), 404, "the program's own");
}

#[derive(RestService)]
#[rest(name = "notes", accounts(resource = User, identify_by(name), password = password))]
#[rest(cors(origins = "https://app.example.com"), limits(requests = 2))]
#[allow(dead_code)]
struct Open {
    users: User,
    notes: Note,
}

#[tokio::test]
async fn they_are_open_to_other_origins_and_counted_as_the_service_is() {
    let builder = Service::build::<Open>().expect("a schema").routes(routes());
    let api = builder.test().await.expect("a service");
    let page = api.anonymous().header("origin", "https://app.example.com");
    let preflight = Request::builder()
        .method("OPTIONS")
        .uri("/notes/1/copy")
        .header("access-control-request-method", "POST")
        .body(Body::empty());
    let answer = page.send(preflight.expect("a request")).await;
    let methods = answer.header("access-control-allow-methods");
    assert_eq!((answer.status, methods), (204, "POST"));
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    assert_eq!(answer.header("ratelimit"), "", "it isn't known who asks");

    for (status, left) in [
        (401, "\"default\";r=1;t=60"),
        (401, "\"default\";r=0;t=60"),
        (429, "\"default\";r=0;t=60"),
    ] {
        let answer = page.get("/api/shout").await;
        assert_eq!((answer.status, answer.header("ratelimit")), (status, left));
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin, "https://app.example.com");
    }
    let answer = page.get("/api/notes").await;
    assert_eq!(answer.status, 429, "the service counts them together");
}
