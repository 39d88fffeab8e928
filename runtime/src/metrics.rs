//! What a service counts of itself, as Prometheus reads it.
//!
//! Requests are counted where they are answered, and what a database does where it does it; how long queues are is
//! looked at when somebody asks. Labels hold no key, no parameter and no name of a caller, so their number is bounded by
//! the schema.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use rest_schema::{ResourceId, Schema};

use crate::request::methods::RESTORE;

/// The media type of the text: OpenMetrics 1.0.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of durations, in seconds: from what an item takes to what is cut off.
const SECONDS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// Upper bounds of the number of writes in a transaction, up to the most there are.
const WRITES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// All that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Histogram, fn() -> Histogram>,
    in_progress: Gauge,
    routes: Vec<Arc<str>>,
    resources: usize,
}

/// The address that a request was for, as the schema has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// None that there is.
    Unknown,
    /// One of the program's own.
    Own,
    Health,
    /// What this is about.
    Metrics,
    Me,
    Tokens,
    Token,
    /// A document about the service.
    About,
    Collection(ResourceId),
    Item(ResourceId),
    /// What brings an item back.
    Restore(ResourceId),
    /// What a relation leads to, by its place among all relations; and its pairs.
    Related(u32, bool),
}

/// Routes that every service has.
const OWN: usize = 8;

impl Route {
    /// Its place among the names, of a service with so many resources.
    fn place(self, resources: usize) -> usize {
        match self {
            Self::Unknown => 0,
            Self::Own => 1,
            Self::Health => 2,
            Self::Metrics => 3,
            Self::Me => 4,
            Self::Tokens => 5,
            Self::Token => 6,
            Self::About => 7,
            Self::Collection(id) => OWN + 3 * id.0 as usize,
            Self::Item(id) => OWN + 1 + 3 * id.0 as usize,
            Self::Restore(id) => OWN + 2 + 3 * id.0 as usize,
            Self::Related(place, of_pair) => OWN + 3 * resources + 2 * place as usize + usize::from(of_pair),
        }
    }
}

/// What databases count, each for itself.
#[derive(Debug, Clone)]
pub(crate) struct Databases {
    batch: Family<Database, Histogram, fn() -> Histogram>,
    moved: Family<Database, Counter>,
    reads: Family<Database, Gauge>,
    writes: Family<Database, Gauge>,
    retries: Family<Database, Counter>,
    connections: Family<Connections, Gauge>,
    served: Family<Database, Counter>,
    behind: Family<Database, Gauge<f64, AtomicU64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Database {
    database: String,
}

impl Database {
    fn of(name: &str) -> Self {
        Self {
            database: name.to_owned(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    database: String,
    state: &'static str,
}

/// What one of them counts.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    /// Writes in each transaction.
    pub(crate) batch: Histogram,
    /// Reads that were begun on a thread of requests and had to be moved.
    pub(crate) moved: Counter,
    /// Reads that wait.
    pub(crate) reads: Gauge,
    /// Writes that wait.
    pub(crate) writes: Gauge,
}

/// The connections to a server of PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionMeters {
    /// Those that requests share.
    pub(crate) shared: Gauge,
    /// Those of transactions under way.
    pub(crate) used: Gauge,
    /// Those that wait for a transaction.
    pub(crate) idle: Gauge,
}

/// What the server of PostgreSQL that writes counts.
#[derive(Debug, Clone)]
pub(crate) struct WriteMeters {
    /// Writes that wait for a connection.
    pub(crate) waiting: Gauge,
    /// Transactions run again.
    pub(crate) retries: Counter,
}

/// What a replica counts.
#[derive(Debug, Clone)]
pub(crate) struct ReplicaMeters {
    /// Reads that it served.
    pub(crate) served: Counter,
    /// Seconds for which it isn't known to have everything.
    pub(crate) behind: Gauge<f64, AtomicU64>,
}

impl Default for Databases {
    fn default() -> Self {
        Self {
            batch: Family::new_with_constructor(|| Histogram::new(WRITES)),
            moved: Family::default(),
            reads: Family::default(),
            writes: Family::default(),
            retries: Family::default(),
            connections: Family::default(),
            served: Family::default(),
            behind: Family::default(),
        }
    }
}

impl Databases {
    /// For the database of SQLite of this name.
    pub(crate) fn of(&self, database: &str) -> Meters {
        let of = Database::of(database);
        Meters {
            batch: self.batch.get_or_create_owned(&of),
            moved: self.moved.get_or_create_owned(&of),
            reads: self.reads.get_or_create_owned(&of),
            writes: self.writes.get_or_create_owned(&of),
        }
    }

    /// For the connections to the server of PostgreSQL of this name.
    pub(crate) fn connections(&self, database: &str) -> ConnectionMeters {
        let connections = |state| {
            let database = database.to_owned();
            self.connections
                .get_or_create_owned(&Connections { database, state })
        };
        ConnectionMeters {
            shared: connections("shared"),
            used: connections("used"),
            idle: connections("idle"),
        }
    }

    /// For what the server of this name writes.
    pub(crate) fn of_writes(&self, database: &str) -> WriteMeters {
        let of = Database::of(database);
        WriteMeters {
            waiting: self.writes.get_or_create_owned(&of),
            retries: self.retries.get_or_create_owned(&of),
        }
    }

    /// For the replica of this name.
    pub(crate) fn of_replica(&self, database: &str) -> ReplicaMeters {
        let of = Database::of(database);
        ReplicaMeters {
            served: self.served.get_or_create_owned(&of),
            behind: self.behind.get_or_create_owned(&of),
        }
    }

    fn register(&self, registry: &mut Registry) {
        registry.register(
            "write_batch_size",
            "Writes that were committed together",
            self.batch.clone(),
        );
        registry.register(
            "slow_reads",
            "Reads that were moved to the pool: they took too long, or met a lock",
            self.moved.clone(),
        );
        registry.register("read_queue", "Reads that wait for the pool", self.reads.clone());
        registry.register(
            "write_queue",
            "Writes that wait for the writer, or for a connection",
            self.writes.clone(),
        );
        registry.register(
            "write_retries",
            "Transactions that were run again: they lost against another",
            self.retries.clone(),
        );
        registry.register(
            "database_connections",
            "Connections to PostgreSQL: shared by all requests, used by a transaction, idle in the pool",
            self.connections.clone(),
        );
        registry.register(
            "replica_reads",
            "Reads that a replica served",
            self.served.clone(),
        );
        registry.register_with_unit(
            "replica_behind",
            "Time since a replica was known to have everything",
            Unit::Seconds,
            self.behind.clone(),
        );
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: Name,
    status: u16,
}

/// The name of a route, compared by its place.
#[derive(Debug, Clone)]
struct Name {
    place: usize,
    name: Arc<str>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
    }
}

impl EncodeLabelValue for Name {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&&*self.name, encoder)
    }
}

impl Metrics {
    /// For a schema, with what its databases count.
    pub(crate) fn new(schema: &Schema, databases: &Databases) -> Self {
        let mut registry = Registry::default();
        let service = Info::new(vec![
            ("name", schema.name.clone()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ]);
        registry.register(
            "service",
            "The service, and the version of what serves it",
            service,
        );
        let requests: Family<Labels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's",
            Unit::Seconds,
            requests.clone(),
        );
        let in_progress = Gauge::default();
        registry.register(
            "http_requests_in_progress",
            "Requests that are being answered",
            in_progress.clone(),
        );
        databases.register(&mut registry);
        Self {
            registry,
            requests,
            in_progress,
            routes: names(schema),
            resources: schema.resources.len(),
        }
    }

    /// A request has come.
    pub(crate) fn begun(&self) -> InProgress<'_> {
        self.in_progress.inc();
        InProgress(&self.in_progress)
    }

    /// It has been answered.
    pub(crate) fn answered(&self, method: &Method, route: Route, status: StatusCode, took: Duration) {
        let place = route.place(self.resources);
        let labels = Labels {
            method: word(method),
            route: Name {
                place,
                name: Arc::clone(&self.routes[place]),
            },
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A route as labels and spans name it.
    #[cfg(feature = "otlp")]
    pub(crate) fn name(&self, route: Route) -> &str {
        &self.routes[route.place(self.resources)]
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text doesn't fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// A request under way: also one whose client goes away is at its end some time.
pub(crate) struct InProgress<'a>(&'a Gauge);

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// By place.
fn names(schema: &Schema) -> Vec<Arc<str>> {
    let prefix = &schema.prefix;
    let mut names: Vec<String> = vec![
        "unknown".to_owned(),
        "own".to_owned(),
        "/health".to_owned(),
        "/metrics".to_owned(),
        format!("{prefix}/me"),
        format!("{prefix}/tokens"),
        format!("{prefix}/tokens/{{id}}"),
        "about".to_owned(),
    ];
    for resource in &schema.resources {
        names.push(format!("{prefix}/{}", resource.collection));
        names.push(format!("{prefix}/{}/{{key}}", resource.collection));
        names.push(format!("{prefix}/{}/{{key}}/{RESTORE}", resource.collection));
    }
    for resource in &schema.resources {
        for relation in &resource.relations {
            let related = format!("{prefix}/{}/{{key}}/{}", resource.collection, relation.name);
            names.push(related.clone());
            names.push(related + "/{other}");
        }
    }
    names.into_iter().map(Arc::from).collect()
}

/// Clients may make up methods.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "QUERY" => "QUERY",
        _ => "other",
    }
}
