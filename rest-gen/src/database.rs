//! The database that a command is given.

use std::path::PathBuf;

use clap::Args;
use rest_runtime::Service;
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
    /// The SQLite database: a file, or sqlite:FILE
    #[arg(long = "database", value_name = "URL", env = "DATABASE_URL")]
    url: String,
    /// SQL that makes the database where there is no file yet
    #[arg(long, value_name = "SQL")]
    create_from: Option<PathBuf>,
}

impl Database {
    /// Opens a schema on it. The inner error: the two don't go together.
    pub(crate) fn open(&self, schema: Schema) -> Result<Result<Service, Error>, Error> {
        let path = self.path()?;
        let mut builder = Service::builder(schema).database(path);
        if let Some(sql) = &self.create_from {
            builder = builder.create_from(sql);
        }
        match builder.open() {
            Ok(service) => Ok(Ok(service)),
            Err(error) if error.is_misfit() => Ok(Err(Error::new(error.to_string()))),
            Err(error) => Err(Error::new(error.to_string())),
        }
    }

    /// The same, a misfit told; `None` then.
    pub(crate) fn opened(&self, schema: Schema) -> Result<Option<Service>, Error> {
        match self.open(schema)? {
            Ok(service) => Ok(Some(service)),
            Err(misfit) => {
                output::error(&misfit);
                Ok(None)
            }
        }
    }

    fn path(&self) -> Result<PathBuf, Error> {
        path_of(&self.url)
    }
}

/// The file that a database's URL names.
pub(crate) fn path_of(url: &str) -> Result<PathBuf, Error> {
    let path = match url.split_once(':') {
        Some(("sqlite" | "file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        Some((scheme, rest)) if rest.starts_with("//") => {
            let message = format!("`{scheme}` databases aren't served yet; give a file of SQLite");
            return Err(Error::new(message));
        }
        _ => url,
    };
    if path.is_empty() {
        return Err(Error::new(format!("`{url}` names no file")));
    }
    Ok(PathBuf::from(path))
}
