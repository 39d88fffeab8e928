//! How a service comes to be: a schema, a database, the program's own code; then it is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use rest_schema::{DefaultValue, FieldType, Loaded, Report, Schema, Value, value};

use crate::codec::Columns;
use crate::engine::Engine;
use crate::hook::{Hooks, Unbound};
use crate::jwt;
use crate::location::Location;
use crate::metrics::Databases;
use crate::migrate::{Finding, Ownership};
use crate::model::Model;
use crate::open;
use crate::password::Style;
use crate::proxy::Proxies;
use crate::service::{self, Error, Service};
use crate::sql::dialect::Dialect;
use crate::test::Api;
use crate::typed::{Bindings, RestResource, RestService, Struct};
use crate::validate::Validators;

/// A service that isn't open yet: [`Service::build`] of structs, [`Service::builder`] of a schema.
pub struct Builder {
    schema: Schema,
    report: Option<Report>,
    database: Option<Location>,
    replicas: Vec<Location>,
    create_from: Option<PathBuf>,
    trusted_proxies: Vec<String>,
    flask_secret_keys: Vec<String>,
    jwt: jwt::Settings,
    structs: Vec<Struct>,
    hooks: Vec<Unbound>,
    routes: Router<Service>,
}

/// Without secrets.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("schema", &self.schema.name)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            schema,
            report: None,
            database: None,
            replicas: Vec::new(),
            create_from: None,
            trusted_proxies: Vec::new(),
            flask_secret_keys: Vec::new(),
            jwt: jwt::Settings::default(),
            structs: Vec::new(),
            hooks: Vec::new(),
            routes: Router::new(),
        }
    }

    pub(crate) fn of<S: RestService>(loaded: Loaded) -> Self {
        let mut builder = Self::new(loaded.schema);
        builder.report = Some(loaded.report);
        S::structs(&mut |of| builder.structs.push(of));
        builder
    }

    /// The schema that will be served.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What was found while the structs were read, where it was no fault.
    pub fn warnings(&self) -> Option<&Report> {
        self.report
            .as_ref()
            .filter(|report| !report.diagnostics.is_empty())
    }

    /// The database: a file of SQLite, which is made when it is missing where the tables are ours, or the URL of a
    /// database of PostgreSQL, `postgres://user:password@host/database`.
    #[must_use]
    pub fn database(mut self, location: impl Into<Location>) -> Self {
        self.database = Some(location.into());
        self
    }

    /// Servers that follow the database's, `postgres://…`: requests that read go to them. One that is more than five seconds
    /// behind isn't read from, and neither is any for a caller who has written in the last ten: he reads what he wrote.
    /// [`crate::Db`] reads from the database itself. Takes the place of those named before.
    #[must_use]
    pub fn replicas(mut self, locations: impl IntoIterator<Item = impl Into<Location>>) -> Self {
        self.replicas = locations.into_iter().map(Into::into).collect();
        self
    }

    #[cfg(feature = "program")]
    pub(crate) fn has_database(&self) -> bool {
        self.database.is_some()
    }

    /// A file of SQL that makes the database where there is none yet.
    #[must_use]
    pub fn create_from(mut self, sql: impl Into<PathBuf>) -> Self {
        self.create_from = Some(sql.into());
        self
    }

    /// Proxies whose word is taken for who asks, by which scheme, and below which prefix (`Forwarded`, `X-Forwarded-For`,
    /// `-Proto`, `-Prefix`): addresses, networks as `10.0.0.0/8`, `loopback`, or `private`. Nobody's by default. They have to
    /// set these headers themselves, or to remove what a client sends. The server has to tell the address of a connection,
    /// as [`crate::Service::router`] says. Takes the place of those named before.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.trusted_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// The `SECRET_KEY` of the Flask app whose sessions are understood (`sessions: { flask: … }`), and its
    /// `SECRET_KEY_FALLBACKS`. Without one nobody is known by its cookie. Takes the place of those given before.
    #[must_use]
    pub fn flask_secret_keys(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.flask_secret_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Where the keys are by which another issuer signs its tokens (`jwt:`), a JWK Set: an https address, or a file. In the
    /// place of what the schema says.
    #[must_use]
    pub fn jwks(mut self, place: impl Into<String>) -> Self {
        self.jwt.keys = Some(place.into());
        self
    }

    /// Who makes those tokens, in the place of what the schema says.
    #[must_use]
    pub fn jwt_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.jwt.issuer = Some(issuer.into());
        self
    }

    /// For whom they are made, in the place of what the schema says.
    #[must_use]
    pub fn jwt_audience(mut self, audience: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.jwt.audience = audience.into_iter().map(Into::into).collect();
        self
    }

    /// Holds a struct against the schema when the service is opened. Those of [`Service::build`] are held already, and
    /// others when they are first used.
    #[must_use]
    pub fn resource<R: RestResource>(mut self) -> Self {
        self.structs.push(Struct::of::<R>());
        self
    }

    /// Runs code when rows of a resource are written: by HTTP, by [`crate::Db`], by other hooks.
    #[must_use]
    pub fn hooks<R: RestResource>(mut self, hooks: impl Hooks<R>) -> Self {
        self.hooks.push(Unbound::new::<R, _>(hooks));
        self
    }

    /// Adds the program's own routes. They come before the service's: [`crate::Caller`] tells who asks, and a
    /// [`crate::Problem`] is answered as the service answers its own.
    #[must_use]
    pub fn routes(mut self, routes: Router<Service>) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// Opens the service: makes the tables where they are ours, checks that they fit where they aren't, and that the
    /// structs fit the schema.
    ///
    /// # Errors
    ///
    /// Where the database can't be had, or the three don't go together: every mismatch.
    pub fn open(self) -> Result<Service, Error> {
        let Some(database) = self.database.clone() else {
            return Err(Error::told(
                "no database was named; give the builder one: `.database(\"data.db\")`",
            ));
        };
        if let Some(sql) = &self.create_from {
            let Some(file) = database.file() else {
                return Err(Error::told("a database is made from SQL only where it is a file"));
            };
            if !file.exists() {
                let text = std::fs::read_to_string(sql)
                    .map_err(|error| Error::told(format!("{} can't be read: {error}", sql.display())))?;
                open::create_from(file, &text)?;
            }
        }
        self.open_at(&database, None)
    }

    /// Opens the service on a temporary database of our own making, for tests; it is gone with what this gives. It is a file,
    /// or a schema of the PostgreSQL that `REST_TEST_DATABASE` names.
    ///
    /// # Errors
    ///
    /// As [`Builder::open`].
    #[expect(
        clippy::unused_async,
        reason = "a test database may be elsewhere than in a file"
    )]
    pub async fn test(mut self) -> Result<Api, Error> {
        self.replicas.clear();
        self.schema.managed = Some(true);
        self.schema.journal = None;
        stand_in_for_the_database(&mut self.schema);
        Api::open(|database| self.open_at(database, Some(Style::Quick)))
    }

    fn open_at(self, database: &Location, style: Option<Style>) -> Result<Service, Error> {
        let schema = self.schema;
        let proxies = Proxies::parse(&self.trusted_proxies).map_err(Error::told)?;
        // Before a file is made: what doesn't fit here never will.
        let structs = self
            .structs
            .iter()
            .chain(self.hooks.iter().map(|hooks| &hooks.of));
        bound(&schema, structs)?;
        let app = schema.flask();
        let is_deaf = app.is_some() && self.flask_secret_keys.is_empty();
        let mut advice = Vec::new();
        let jwt = jwt::verifier(&schema, &self.jwt, &mut advice)?;
        let counts = Databases::default();
        let validators = Validators::new(&schema).map_err(|error| Error::told(error.to_string()))?;
        let opened = open::open(schema, database, &self.replicas, &counts)?;
        let usual = match opened.ownership {
            Ownership::Ours => Style::Argon2id,
            Ownership::Foreign => Style::Werkzeug,
        };
        let mut engine = Engine::new(opened.model, validators, opened.keys, opened.state);
        for hooks in self.hooks {
            engine.add_hooks(hooks).map_err(Error::structs)?;
        }
        let style = style.unwrap_or(usual);
        let inner = service::Inner::new(
            Arc::new(engine),
            opened.storage,
            style,
            &counts,
            proxies,
            &self.flask_secret_keys,
            jwt,
        );
        advice.splice(0..0, opened.advice);
        if is_deaf {
            let message = "the app's SECRET_KEY isn't known, so nobody is signed in by its cookie";
            let help = "set REST_FLASK_SECRET_KEY, or give the builder `.flask_secret_keys(…)`";
            advice.push(Finding::new("sessions.flask", message).help(help));
        }
        Ok(Service::new(inner, advice, self.routes))
    }
}

/// Holds every struct against the schema.
fn bound<'a>(schema: &Schema, structs: impl Iterator<Item = &'a Struct>) -> Result<(), Error> {
    let model = Model::new(schema.clone(), Columns::ours(schema, Dialect::Sqlite));
    let bindings = Bindings::default();
    let of = |one: &Struct| bindings.get(&model, one).err().unwrap_or_default();
    let mut mismatches: Vec<_> = structs.flat_map(of).collect();
    mismatches.dedup();
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(Error::structs(mismatches))
    }
}

/// A database of our own making has no defaults of its own: what they would give is empty, or now.
fn stand_in_for_the_database(schema: &mut Schema) {
    let fields = schema
        .resources
        .iter_mut()
        .flat_map(|resource| &mut resource.fields);
    for field in fields.filter(|field| field.default == Some(DefaultValue::Database)) {
        field.default = match &field.ty {
            FieldType::Date | FieldType::Time | FieldType::Timestamp => Some(DefaultValue::Now),
            FieldType::Uuid => Some(DefaultValue::Uuid),
            ty => empty(ty).map(DefaultValue::Literal),
        };
    }
}

fn empty(ty: &FieldType) -> Option<Value> {
    Some(match ty {
        FieldType::String
        | FieldType::Text
        | FieldType::Email
        | FieldType::Url
        | FieldType::Slug
        | FieldType::Password => Value::Text(String::new()),
        FieldType::Enum(words) => Value::Text(words.first().cloned().unwrap_or_default()),
        FieldType::Integer | FieldType::Bigint => Value::Integer(0),
        FieldType::Float => Value::Float(value::Float::new(0.0)?),
        FieldType::Decimal { scale, .. } => Value::Decimal(value::Decimal {
            units: 0,
            scale: *scale,
        }),
        FieldType::Boolean => Value::Boolean(false),
        FieldType::Json => Value::Json("null".to_owned()),
        FieldType::Bytes => Value::Bytes(Vec::new()),
        FieldType::Keys(_) => Value::of_keys(Vec::new()),
        FieldType::Date | FieldType::Time | FieldType::Timestamp | FieldType::Uuid => return None,
    })
}
