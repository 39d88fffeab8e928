//! What a program is told about its surroundings: by its command line, by variables, by a file.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::{Failure, location_of, serve};
use crate::builder::Builder;

/// Where a service listens where nobody says.
pub(super) const LISTEN: &str = "127.0.0.1:8000";

/// The options of a program that serves. An option goes before a variable, a variable before the file, that before what the
/// program says, and that before the default.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// The database: a file of SQLite, sqlite:FILE, or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, value_name = "URL", env = "REST_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// A server that follows the database's, and answers reads; may be given more than once, or several with spaces between
    #[arg(
        long = "replica",
        value_name = "URL",
        env = "REST_REPLICAS",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    replicas: Vec<String>,
    /// SQL that makes the database where there is no file yet
    #[arg(long, value_name = "SQL")]
    create_from: Option<PathBuf>,
    /// Where to listen; 127.0.0.1:8000 by default
    #[arg(long, value_name = "ADDRESS", env = "REST_LISTEN")]
    listen: Option<String>,
    /// Where `/metrics` and `/health` are answered for operators; nowhere by default
    #[arg(long, value_name = "ADDRESS", env = "REST_ADMIN_LISTEN")]
    admin_listen: Option<String>,
    /// A proxy whose `Forwarded` or `X-Forwarded-…` is believed: an address, a network as 10.0.0.0/8, `loopback` or `private`;
    /// may be given more than once, or several with spaces between
    #[arg(
        long = "trusted-proxy",
        value_name = "NETWORK",
        env = "REST_TRUSTED_PROXIES",
        value_delimiter = ' '
    )]
    trusted_proxies: Vec<String>,
    /// The SECRET_KEY of the Flask app whose sessions are understood (`sessions: { flask: … }`); read from this variable or
    /// from the file alone, since others can see a command line
    #[arg(skip = std::env::var("REST_FLASK_SECRET_KEY").ok())]
    flask_secret_key: Option<String>,
    /// The keys by which another issuer signs its tokens (`jwt: …`), a JWK Set: an https address, or a file
    #[arg(long, value_name = "URL", env = "REST_JWKS")]
    jwks: Option<String>,
    /// Who makes those tokens, where it isn't who the schema says
    #[arg(long, value_name = "ISSUER", env = "REST_JWT_ISSUER")]
    jwt_issuer: Option<String>,
    /// For whom they are made, where it isn't for whom the schema says; may be given more than once, or several with spaces
    /// between
    #[arg(
        long,
        value_name = "AUDIENCE",
        env = "REST_JWT_AUDIENCE",
        value_delimiter = ' '
    )]
    jwt_audience: Vec<String>,
    /// A YAML file of these options: database, replicas, create_from, listen, admin_listen, trusted_proxies,
    /// flask_secret_keys, jwks, jwt_issuer, jwt_audience
    #[arg(long, value_name = "FILE", env = "REST_CONFIG")]
    config: Option<PathBuf>,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    database: Option<String>,
    replicas: Vec<String>,
    create_from: Option<PathBuf>,
    listen: Option<String>,
    admin_listen: Option<String>,
    trusted_proxies: Vec<String>,
    flask_secret_keys: Vec<String>,
    jwks: Option<String>,
    jwt_issuer: Option<String>,
    jwt_audience: Vec<String>,
}

/// The options, with what the file adds to them.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The database's URL, where one is named.
    pub database: Option<String>,
    /// The URLs of the replicas.
    pub replicas: Vec<String>,
    /// SQL that makes the database.
    pub create_from: Option<PathBuf>,
    /// Where to listen.
    pub listen: String,
    /// Where operators are answered.
    pub admin_listen: Option<String>,
    /// Proxies whose word is taken.
    pub trusted_proxies: Vec<String>,
    /// The `SECRET_KEY`s of a Flask app.
    pub flask_secret_keys: Vec<String>,
    /// Where another issuer's keys are.
    pub jwks: Option<String>,
    /// Who makes its tokens.
    pub jwt_issuer: Option<String>,
    /// For whom they are made.
    pub jwt_audience: Vec<String>,
}

impl Options {
    /// Reads the file, where one is named, for what wasn't said otherwise.
    ///
    /// # Errors
    ///
    /// Where the file can't be read, or has an option that there isn't.
    pub fn settle(self) -> Result<Settled, Failure> {
        let file = self
            .config
            .map_or_else(|| Ok(File::default()), |path| read(&path))?;
        Ok(Settled {
            database: self.database.or(file.database),
            replicas: first_said(self.replicas, file.replicas),
            create_from: self.create_from.or(file.create_from),
            listen: self.listen.or(file.listen).unwrap_or_else(|| LISTEN.to_owned()),
            admin_listen: self.admin_listen.or(file.admin_listen),
            trusted_proxies: first_said(self.trusted_proxies, file.trusted_proxies),
            flask_secret_keys: first_said(
                self.flask_secret_key.into_iter().collect(),
                file.flask_secret_keys,
            ),
            jwks: self.jwks.or(file.jwks),
            jwt_issuer: self.jwt_issuer.or(file.jwt_issuer),
            jwt_audience: first_said(self.jwt_audience, file.jwt_audience),
        })
    }
}

/// The first of two lists that says anything.
fn first_said(list: Vec<String>, other: Vec<String>) -> Vec<String> {
    if list.is_empty() { other } else { list }
}

fn read(path: &PathBuf) -> Result<File, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("{} can't be read: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    if text.trim().is_empty() {
        return Ok(File::default());
    }
    // The message shows the place, and no line of the file: passwords stand there.
    serde_saphyr::from_str(&text).map_err(|error| failed(&error.without_snippet()))
}

impl Settled {
    /// Serves what is built on the database named here, or else on the one that the program names.
    ///
    /// # Errors
    ///
    /// As [`serve`].
    pub fn serve(&self, mut builder: Builder) -> Result<(), Failure> {
        if let Some(url) = &self.database {
            builder = builder.database(location_of(url)?);
        }
        if !self.replicas.is_empty() {
            let all: Result<Vec<_>, _> = self.replicas.iter().map(|url| location_of(url)).collect();
            builder = builder.replicas(all?);
        }
        if !self.trusted_proxies.is_empty() {
            builder = builder.trusted_proxies(&self.trusted_proxies);
        }
        if !self.flask_secret_keys.is_empty() {
            builder = builder.flask_secret_keys(&self.flask_secret_keys);
        }
        if let Some(place) = &self.jwks {
            builder = builder.jwks(place);
        }
        if let Some(issuer) = &self.jwt_issuer {
            builder = builder.jwt_issuer(issuer);
        }
        if !self.jwt_audience.is_empty() {
            builder = builder.jwt_audience(&self.jwt_audience);
        }
        if let Some(sql) = &self.create_from {
            builder = builder.create_from(sql);
        }
        if !builder.has_database() {
            return Err(Failure::new(
                "no database was named; give `--database FILE`, or set REST_DATABASE",
            ));
        }
        serve(builder, &self.listen, self.admin_listen.as_deref())
    }
}
