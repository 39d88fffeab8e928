//! A service under test: on a temporary database, asked without a socket.
//!
//! ```
//! # use rest_runtime::{Service, schema};
//! use serde_json::json;
//!
//! # let text = "service: notes\nresources: { Note: { fields: { text: string }, access: { read: public } } }";
//! # let schema = schema::read_one("rest.yaml", text).expect("a schema").schema;
//! # tokio::runtime::Runtime::new().expect("threads").block_on(async {
//! let api = Service::builder(schema).test().await.expect("a service");
//! let id = api.insert("Note", json!({ "text": "milk" })).await;
//! let answer = api.anonymous().get(format!("/api/notes/{id}")).await;
//! assert_eq!((answer.status, &answer.body["text"]), (200, &json!("milk")));
//! # });
//! ```
//!
//! The database is a file of SQLite; with the variable `REST_TEST_DATABASE`, the URL of a PostgreSQL's, it is a schema there,
//! and the same tests are asked of that.
//!
//! What goes wrong here is a fault of the test: its functions panic, and tell every fault.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use rest_schema::ResourceId;
use serde::Serialize;
use serde_json::Value;
use tower::ServiceExt;

use crate::caller::Caller;
use crate::cell::Cell;
use crate::location::Location;
use crate::model::Model;
use crate::open::{at_start, reached};
use crate::operate::NewToken;
use crate::problem::{Fault, Place};
use crate::request::body;
use crate::service::{Error, Service};
use crate::storage::postgres::address::{Address, causes};
use crate::token::Secret;

/// The variable that names a database of PostgreSQL in which tests have their tables, each service in a schema of its own.
const ELSEWHERE: &str = "REST_TEST_DATABASE";

/// A service under test. Its database ends with it and its clients.
#[derive(Debug, Clone)]
pub struct Api {
    // The service first: its files are closed before they are removed.
    service: Service,
    router: Router,
    directory: Arc<Directory>,
    /// Where its tables are, if not there.
    _namespace: Option<Arc<Namespace>>,
}

impl Api {
    pub(crate) fn open(service: impl FnOnce(&Location) -> Result<Service, Error>) -> Result<Self, Error> {
        let directory = Directory::new()
            .map_err(|error| Error::told(format!("a temporary directory can't be made: {error}")))?;
        let namespace = match std::env::var(ELSEWHERE) {
            Ok(url) if !url.is_empty() => Some(Namespace::new(&url)?),
            _ => None,
        };
        let location = match &namespace {
            Some(namespace) => namespace.location.clone(),
            None => Location::File(directory.0.join("data.db")),
        };
        let service = service(&location)?;
        Ok(Self {
            router: service.router(),
            service,
            directory: Arc::new(directory),
            _namespace: namespace.map(Arc::new),
        })
    }

    /// The service, for what a program does with it.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The same service, asked through the router of a program that it is mounted in.
    #[must_use]
    pub fn through(self, router: Router) -> Self {
        Self { router, ..self }
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        &self.directory.0
    }

    /// Somebody without credentials.
    pub fn anonymous(&self) -> Client {
        Client {
            router: self.router.clone(),
            key: Value::Null,
            account: Vec::new(),
            headers: HeaderMap::new(),
            api: self.clone(),
        }
    }

    /// Makes an account, past all rules, and signs it in. Without a password it gets one that nobody knows.
    ///
    /// # Panics
    ///
    /// Where the service has no accounts, or the account can't be made: with every fault.
    pub async fn account(&self, mut account: Value) -> Client {
        let schema = self.service.schema();
        let accounts = schema.accounts.as_ref();
        let accounts = accounts.expect("the service has no accounts: its schema doesn't say `accounts`");
        let password = schema.field(accounts.password);
        if let Value::Object(members) = &mut account
            && !members.contains_key(&password.name)
            && !members.contains_key(&password.api_name)
        {
            let longest = password.length.as_ref().and_then(|length| length.max);
            let unknown = Secret::generate().map_or_else(String::new, |secret| secret.reveal().to_owned());
            let short = unknown
                .chars()
                .take(longest.map_or(usize::MAX, |most| most as usize));
            members.insert(password.api_name.clone(), short.collect::<String>().into());
        }
        let name = schema.resource(accounts.resource).name.clone();
        let key = self.inserted(&name, &account).await;
        let told = key_told(&self.service.inner().engine.model, accounts.resource, &key);
        let account = Client {
            key: told,
            account: key,
            ..self.anonymous()
        };
        account.with_token(NewToken::default(), Timestamp::now()).await
    }

    /// Makes a row, past all rules: fields that no client may set can be given too, and a many-to-many as a list of
    /// keys. Members are called as on the wire or as in the schema. Gives the row's key, an array where it is composite.
    ///
    /// # Panics
    ///
    /// Where the row can't be made: with every fault.
    pub async fn insert(&self, resource: &str, row: Value) -> Value {
        let key = self.inserted(resource, &row).await;
        let model = &self.service.inner().engine.model;
        let mut all = model.schema.resources();
        let found = all.find(|(_, of)| of.name == resource);
        found.map_or(Value::Null, |(id, _)| key_told(model, id, &key))
    }

    async fn inserted(&self, resource: &str, row: &Value) -> Vec<Cell> {
        let mut row = row.clone();
        let lists = self.lists_of(resource, &mut row);
        let key = self.loaded(resource, &row).await;
        let model = &self.service.inner().engine.model;
        let found = model.schema.resources().find(|(_, of)| of.name == resource);
        if let Some((id, _)) = found {
            let own = key_told(model, id, &key);
            for (relation, others) in lists {
                // The key may be the database's to say, so the pairs come second.
                for other in others {
                    self.loaded(&relation, &serde_json::json!([own, other])).await;
                }
            }
        }
        key
    }

    /// The many-to-many relations that a row lists, taken out of it.
    fn lists_of(&self, resource: &str, row: &mut Value) -> Vec<(String, Vec<Value>)> {
        let schema = self.service.schema();
        let found = schema.resources.iter().find(|of| of.name == resource);
        let (Some(of), Value::Object(members)) = (found, row) else {
            return Vec::new();
        };
        let relations = of.relations.iter();
        let pairs = relations.filter(|relation| relation.has_bare_pairs());
        pairs
            .filter_map(|relation| match members.remove(&relation.name) {
                Some(Value::Array(others)) => Some((format!("{resource}.{}", relation.name), others)),
                Some(other) => {
                    // Told as what it is: no list.
                    members.insert(relation.name.clone(), other);
                    None
                }
                None => None,
            })
            .collect()
    }

    async fn loaded(&self, name: &str, row: &Value) -> Vec<Cell> {
        let text = serde_json::json!({ name: [row] }).to_string();
        let file = body::parse(text.as_bytes());
        let file = file.unwrap_or_else(|problem| panic!("{name} {row} can't be read: {problem}"));
        let lots = self.service.rows(&file);
        let lots = lots.unwrap_or_else(|faults| panic!("{name} {row} can't be made:{}", told(&faults)));
        let keys = self.service.load_keyed(lots).await;
        let keys = keys.unwrap_or_else(|refused| panic!("{name} {row} can't be made: {refused}"));
        keys.into_iter().next().unwrap_or_default()
    }
}

fn told(faults: &[Fault]) -> String {
    let line = |fault: &Fault| {
        let (Place::Pointer(place) | Place::Parameter(place) | Place::Header(place)) = &fault.place;
        let near = fault.nearest.as_ref();
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("\n  {place}: {}{near}", fault.detail)
    };
    faults.iter().map(line).collect()
}

fn key_told(model: &Model, resource: ResourceId, key: &[Cell]) -> Value {
    let fields = &model.resource(resource).key.fields;
    let part = |(field, cell): (&rest_schema::FieldId, &Cell)| {
        let mut text = Vec::new();
        let written = model.codec(*field).write_json(cell.as_ref(), &mut text);
        written
            .ok()
            .and_then(|()| serde_json::from_slice(&text).ok())
            .unwrap_or(Value::Null)
    };
    let mut parts: Vec<Value> = fields.iter().zip(key).map(part).collect();
    if parts.len() == 1 {
        parts.pop().unwrap_or(Value::Null)
    } else {
        Value::Array(parts)
    }
}

/// Somebody who asks the service.
#[derive(Debug, Clone)]
pub struct Client {
    router: Router,
    key: Value,
    /// The key of the account, as it is kept; empty for nobody.
    account: Vec<Cell>,
    headers: HeaderMap,
    api: Api,
}

impl Client {
    /// The key of the account that is signed in; null for nobody.
    pub fn key(&self) -> &Value {
        &self.key
    }

    /// The same account with a token that may do no more than these words say, as `posts:read`.
    ///
    /// # Panics
    ///
    /// Where it is nobody, or the service doesn't have one of the words.
    pub async fn scoped(&self, scopes: &[&str]) -> Self {
        let known = &self.api.service.inner().engine.model.scopes;
        for scope in scopes {
            assert!(
                known.has(scope),
                "there is no scope `{scope}`; there are {}",
                known.all().join(", ")
            );
        }
        let wanted = NewToken {
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..NewToken::default()
        };
        self.with_token(wanted, Timestamp::now()).await
    }

    /// The same account with a token whose time is over.
    ///
    /// # Panics
    ///
    /// Where it is nobody.
    pub async fn expired(&self) -> Self {
        let wanted = NewToken {
            lifetime: Some(1),
            ..NewToken::default()
        };
        self.with_token(wanted, Timestamp::now() - SignedDuration::from_mins(1))
            .await
    }

    /// The same account in a browser that is signed in by a session's cookie, without the session's token.
    ///
    /// # Panics
    ///
    /// Where it is nobody, or the schema doesn't say `sessions`.
    pub async fn browser(&self) -> Self {
        let session = self.api.service.session_of(self.account.clone()).await;
        let session = session.unwrap_or_else(|refused| panic!("the account can't sign in: {refused}"));
        let cookie = session.set_cookie();
        let mut other = self.clone();
        other.headers.remove(AUTHORIZATION);
        other.header("cookie", cookie.split(';').next().unwrap_or_default())
    }

    async fn with_token(&self, wanted: NewToken, at: Timestamp) -> Self {
        let token = self.api.service.token_of(self.account.clone(), wanted, at).await;
        let token = token.unwrap_or_else(|refused| panic!("the account can't sign in: {refused}"));
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Who the service takes this client for: for [`crate::Db::as_caller`].
    ///
    /// # Panics
    ///
    /// Where its credentials aren't valid.
    pub async fn caller(&self) -> Caller {
        let mut parts = self.request(Method::GET, "/", Body::empty()).into_parts().0;
        parts.headers.clone_from(&self.headers);
        let caller = self.api.service.caller_of(&parts).await;
        caller.unwrap_or_else(|problem| panic!("the client's credentials are refused: {problem}"))
    }

    /// The same client, sending this header with each request.
    ///
    /// # Panics
    ///
    /// Where it is no header.
    #[must_use]
    pub fn header(&self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap_or_else(|_| panic!("`{name}` is no name of a header"));
        let value =
            HeaderValue::try_from(value).unwrap_or_else(|_| panic!("`{value}` is no value of a header"));
        let mut other = self.clone();
        other.headers.insert(name, value);
        other
    }

    /// GET.
    pub async fn get(&self, path: impl AsRef<str>) -> Answer {
        self.send(self.request(Method::GET, path.as_ref(), Body::empty()))
            .await
    }

    /// DELETE.
    pub async fn delete(&self, path: impl AsRef<str>) -> Answer {
        self.send(self.request(Method::DELETE, path.as_ref(), Body::empty()))
            .await
    }

    /// POST of JSON.
    pub async fn post(&self, path: impl AsRef<str>, body: impl Serialize) -> Answer {
        self.send(self.json(Method::POST, path.as_ref(), &body)).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: impl AsRef<str>, body: impl Serialize) -> Answer {
        self.send(self.json(Method::PUT, path.as_ref(), &body)).await
    }

    /// PUT without a body, which links a pair of a many-to-many.
    pub async fn link(&self, path: impl AsRef<str>) -> Answer {
        self.send(self.request(Method::PUT, path.as_ref(), Body::empty()))
            .await
    }

    /// PATCH of JSON, a merge patch.
    pub async fn patch(&self, path: impl AsRef<str>, body: impl Serialize) -> Answer {
        self.send(self.json(Method::PATCH, path.as_ref(), &body)).await
    }

    /// Any request; the client's headers are added where it doesn't have them.
    ///
    /// # Panics
    ///
    /// Where the answer's body breaks off.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the answer breaks off").to_bytes();
        Answer {
            status: parts.status.as_u16(),
            body: read(&parts.headers, &bytes),
            headers: parts.headers,
        }
    }

    fn request(&self, method: Method, path: &str, body: Body) -> Request<Body> {
        let request = Request::builder().method(method).uri(path).body(body);
        request.unwrap_or_else(|error| panic!("`{path}` is no address: {error}"))
    }

    fn json(&self, method: Method, path: &str, body: &impl Serialize) -> Request<Body> {
        let body = serde_json::to_vec(body).expect("a body that JSON can hold");
        let mut request = self.request(method, path, Body::from(body));
        let json = HeaderValue::from_static("application/json");
        if !self.headers.contains_key(CONTENT_TYPE) {
            request.headers_mut().insert(CONTENT_TYPE, json);
        }
        request
    }
}

fn read(headers: &HeaderMap, bytes: &[u8]) -> Value {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = media.is_some_and(|media| media.contains("json"));
    let text = || String::from_utf8_lossy(bytes).into_owned().into();
    match bytes {
        [] => Value::Null,
        bytes if is_json => serde_json::from_slice(bytes).unwrap_or_else(|_| text()),
        _ => text(),
    }
}

/// What came back.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: JSON, null where there is none, a string where it is something else.
    pub body: Value,
}

impl Answer {
    /// A header as text; empty where it isn't there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

/// A directory of our own, removed with what is in it.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("rest-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Where it can't be removed it stays among the temporary files.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A schema of a database of PostgreSQL, as SQL has schemas.
#[derive(Debug)]
struct Namespace {
    address: Address,
    name: String,
    /// The database, with what has all tables be there.
    location: Location,
}

impl Namespace {
    fn new(url: &str) -> Result<Self, Error> {
        let address: Address = url.parse().map_err(Error::told)?;
        let name = format!("rest_test_{}", uuid::Uuid::new_v4().simple());
        let more = if url.contains('?') { '&' } else { '?' };
        let namespace = Self {
            address,
            location: Location::Postgres(format!("{url}{more}options=-csearch_path%3D{name}")),
            name,
        };
        namespace.run(&format!("CREATE SCHEMA {}", namespace.name))?;
        Ok(namespace)
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        at_start(async {
            let link = reached(&self.address).await?;
            let done = link.client().batch_execute(sql).await;
            done.map_err(|error| Error::told(format!("{sql}: {}", causes(&error))))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The thread on which a transaction of the service would end may be this one, so it isn't waited for.
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation \
             WHERE relnamespace = '{0}'::regnamespace AND pid <> pg_backend_pid(); DROP SCHEMA {0} CASCADE",
            self.name
        );
        // Where it can't be removed it stays, with a name that says what it was.
        drop(self.run(&sql));
    }
}
