//! A service: a schema on a database, as an axum router.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use rest_schema::{Operation, Report, ResourceId, Schema};

use crate::attempts::Attempts;
use crate::builder::Builder;
use crate::caller::Caller;
use crate::engine::Engine;
use crate::jwt::Verifier;
use crate::metrics::{Databases, Metrics};
use crate::migrate::{self, Unprepared};
use crate::password::{Hasher, Style};
use crate::plan::access::Permit;
use crate::proxy::Proxies;
use crate::quota::Quotas;
use crate::serve::{
    AccountByKey, Cors, Documents, RequestIds, Routes, Uses, administer, handle, own_routes, peer,
};
use crate::session::Cookies;
use crate::storage::Storage;
use crate::typed::{self, Mismatch, RestService};
use crate::write::UnderWay;

/// Why a service can't be opened; for the program that embeds us and for its operator.
pub struct Error(Box<ErrorKind>);

#[derive(Debug)]
enum ErrorKind {
    Told(String),
    Unprepared { database: String, source: Unprepared },
    Driver { doing: String, source: rusqlite::Error },
    Structs(Vec<Mismatch>),
}

impl Error {
    pub(crate) fn told(message: impl Into<String>) -> Self {
        Self(Box::new(ErrorKind::Told(message.into())))
    }

    pub(crate) fn driver(doing: impl Into<String>) -> impl FnOnce(rusqlite::Error) -> Self {
        let doing = doing.into();
        move |source| Self(Box::new(ErrorKind::Driver { doing, source }))
    }

    pub(crate) fn unprepared(database: &str, source: Unprepared) -> Self {
        Self(Box::new(ErrorKind::Unprepared {
            database: database.to_owned(),
            source,
        }))
    }

    pub(crate) fn structs(mismatches: Vec<Mismatch>) -> Self {
        Self(Box::new(ErrorKind::Structs(mismatches)))
    }

    pub(crate) fn refused(doing: &str, refusal: &crate::storage::Refusal) -> Self {
        Self::told(format!("{doing}: {refusal}"))
    }

    /// Whether schema and database, or schema and structs, don't go together: a fault of the input, where all else is
    /// one of the surroundings.
    pub fn is_misfit(&self) -> bool {
        match self.0.as_ref() {
            ErrorKind::Unprepared { source, .. } => !matches!(source, Unprepared::Database(_)),
            ErrorKind::Structs(_) => true,
            ErrorKind::Told(_) | ErrorKind::Driver { .. } => false,
        }
    }

    /// Where the schema doesn't fit the database: every mismatch.
    pub fn mismatches(&self) -> &[migrate::Finding] {
        match self.0.as_ref() {
            ErrorKind::Unprepared {
                source: Unprepared::Mismatches(all),
                ..
            } => all,
            ErrorKind::Told(_)
            | ErrorKind::Unprepared { .. }
            | ErrorKind::Driver { .. }
            | ErrorKind::Structs(_) => &[],
        }
    }
}

/// As people read it: it is what `expect` and `main` show.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_ref() {
            ErrorKind::Told(message) => f.write_str(message),
            ErrorKind::Unprepared { database, source } => write!(f, "{database}: {source}"),
            ErrorKind::Driver { doing, source } => write!(f, "{doing}: {source}"),
            ErrorKind::Structs(mismatches) => {
                f.write_str("the structs don't fit the schema")?;
                mismatches
                    .iter()
                    .try_for_each(|mismatch| write!(f, "\n  {mismatch}"))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.0.as_ref() {
            ErrorKind::Driver { source, .. } => Some(source),
            ErrorKind::Unprepared { source, .. } => Some(source),
            ErrorKind::Told(_) | ErrorKind::Structs(_) => None,
        }
    }
}

/// A service. Clones share it; its threads and files end with the last of them, or with [`Service::shutdown`].
#[derive(Debug, Clone)]
pub struct Service {
    inner: Arc<Inner>,
    advice: Vec<migrate::Finding>,
    /// The program's own, without their state: with it they would hold the service that holds them.
    routes: Router<Service>,
}

/// What requests share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) engine: Arc<Engine>,
    pub(crate) storage: Storage,
    pub(crate) hasher: Hasher,
    pub(crate) password_style: Style,
    pub(crate) attempts: Attempts,
    pub(crate) routes: Routes,
    pub(crate) request_ids: RequestIds,
    pub(crate) account_by_key: Option<AccountByKey>,
    pub(crate) metrics: Metrics,
    pub(crate) documents: Documents,
    pub(crate) under_way: UnderWay,
    /// When tokens were used.
    pub(crate) uses: Uses,
    /// Which pages of other origins may call, where any may.
    pub(crate) cors: Option<Cors>,
    /// How cookies are read, where they are looked at.
    pub(crate) cookies: Option<Cookies>,
    /// Checks the tokens of another issuer, where they are taken.
    pub(crate) jwt: Option<Verifier>,
    /// How many requests each caller has, where that is limited.
    pub(crate) quotas: Option<Quotas>,
    /// Whose word is taken for where a request comes from.
    pub(crate) proxies: Proxies,
    closing: AtomicBool,
}

impl Inner {
    pub(crate) fn new(
        engine: Arc<Engine>,
        storage: Storage,
        style: Style,
        counts: &Databases,
        proxies: Proxies,
        secrets: &[String],
        jwt: Option<Verifier>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            routes: Routes::new(&engine.model.schema),
            account_by_key: AccountByKey::new(&engine.model, &engine.state),
            cors: engine.model.schema.cors.as_ref().map(Cors::new),
            cookies: Cookies::new(&engine.model.schema, secrets),
            jwt,
            quotas: engine.model.schema.limits.quota.map(Quotas::new),
            metrics: Metrics::new(&engine.model.schema, counts),
            proxies,
            engine,
            storage,
            hasher: Hasher::new(style, cores.div_ceil(2)),
            password_style: style,
            attempts: Attempts::default(),
            request_ids: RequestIds::new(),
            documents: Documents::default(),
            under_way: UnderWay::default(),
            uses: Uses::default(),
            closing: AtomicBool::new(false),
        }
    }

    /// All that is counted, as text.
    pub(crate) fn measured(&self) -> String {
        self.storage.measure();
        self.metrics.text()
    }

    pub(crate) async fn is_ready(&self) -> bool {
        !self.closing.load(Ordering::Relaxed) && self.storage.is_ready().await
    }
}

impl Service {
    /// A service of the structs that `S` lists; a fault of their schema is told with its file and line.
    ///
    /// # Errors
    ///
    /// Every fault there is, and the warnings beside them.
    pub fn build<S: RestService>() -> Result<Builder, Report> {
        typed::load::<S>().map(|loaded| Builder::of::<S>(loaded))
    }

    /// A service of a schema, as YAML gives it.
    pub fn builder(schema: Schema) -> Builder {
        Builder::new(schema)
    }

    pub(crate) fn new(inner: Inner, advice: Vec<migrate::Finding>, routes: Router<Service>) -> Self {
        Self {
            inner: Arc::new(inner),
            advice,
            routes,
        }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// What would make the service faster or safer, above all on a database whose tables aren't ours.
    pub fn advice(&self) -> &[migrate::Finding] {
        &self.advice
    }

    /// The schema that is served.
    pub fn schema(&self) -> &Schema {
        &self.inner.engine.model.schema
    }

    /// Whether an operation may be open to callers who aren't signed in; which rows it is may depend on the row.
    pub fn is_open_to_all(&self, resource: ResourceId, operation: Operation) -> bool {
        let rule = self.inner.engine.model.rules(resource).rule(operation);
        rule.permit(&Caller::anonymous()) != Permit::Never
    }

    /// The service as a router: nest it, layer it. Attempts to sign in and requests of anonymous callers are counted by
    /// address, and trusted proxies known by theirs, where the server tells it: by axum's `ConnectInfo<SocketAddr>`.
    pub fn router(&self) -> Router {
        let inner = Arc::clone(&self.inner);
        let own = own_routes(self, self.routes.clone());
        own.fallback(move |request| {
            let peer = peer(&request);
            handle(Arc::clone(&inner), peer, request)
        })
    }

    /// Whether the program has routes of its own in it.
    pub(crate) fn has_own_routes(&self) -> bool {
        self.routes.has_routes()
    }

    /// What operators and their tools ask: `/metrics` (for Prometheus), `/health/live`, `/health/ready`. It is not part of
    /// [`Service::router`]: serve it where strangers can't reach it.
    pub fn admin_router(&self) -> Router {
        let inner = Arc::clone(&self.inner);
        Router::new().fallback(move |request| administer(Arc::clone(&inner), request))
    }

    /// From now on `/health/ready` answers 503, so that a balancer sends requests elsewhere.
    pub fn begin_shutdown(&self) {
        self.inner.closing.store(true, Ordering::Relaxed);
    }

    /// Does what is queued, then ends all threads and closes all files.
    pub async fn shutdown(self) {
        self.begin_shutdown();
        let inner = self.inner;
        let ended = tokio::task::spawn_blocking(move || inner.storage.close());
        if ended.await.is_err() {
            tracing::error!("the threads of the service did not end well");
        }
    }
}

impl From<Service> for Router {
    fn from(service: Service) -> Router {
        service.router()
    }
}
