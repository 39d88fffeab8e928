//! The database that a command is given.

use std::path::PathBuf;

use clap::Args;
use rest_runtime::{Builder, Location, Service, program};
use rest_schema::Schema;

use crate::error::Error;
use crate::output;

/// Runs what waits for a service to its end.
pub(crate) fn run_async<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::new(format!("threads can't be started: {error}")))?;
    Ok(runtime.block_on(work))
}

/// Which database, and how it comes to be.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database: a file of SQLite, sqlite:FILE, or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long = "database", value_name = "URL", env = "REST_DATABASE")]
    url: String,
    /// SQL that makes the database where there is no file yet
    #[arg(long, value_name = "SQL")]
    create_from: Option<PathBuf>,
}

impl Database {
    /// The one that a URL names, which is there.
    pub(crate) fn at(url: String) -> Self {
        Self {
            url,
            create_from: None,
        }
    }

    /// A service of a schema on it, not open yet.
    pub(crate) fn builder(&self, schema: Schema) -> Result<Builder, Error> {
        let mut builder = Service::builder(schema).database(location_of(&self.url)?);
        if let Some(sql) = &self.create_from {
            builder = builder.create_from(sql);
        }
        Ok(builder)
    }

    /// Opens a schema on it; `None` where the two don't go together, which was told.
    pub(crate) fn opened(&self, schema: Schema) -> Result<Option<Service>, Error> {
        match self.builder(schema)?.open() {
            Ok(service) => Ok(Some(service)),
            Err(error) if error.is_misfit() => {
                output::error(&Error::new(error.to_string()));
                Ok(None)
            }
            Err(error) => Err(Error::new(error.to_string())),
        }
    }
}

/// The database that a URL names.
pub(crate) fn location_of(url: &str) -> Result<Location, Error> {
    program::location_of(url).map_err(|failure| Error::new(failure.to_string()))
}
