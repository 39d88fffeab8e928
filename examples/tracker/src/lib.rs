//! The service `tracker`: its resources are in [`models`], its own routes in [`routes`].

pub mod models;
pub mod routes;

use rest_runtime::{Builder, Report, Service};

/// The service, ready to be opened on a database: by `main`, and by every test.
///
/// # Errors
///
/// Where the structs don't make a sound schema: every fault.
pub fn service() -> Result<Builder, Report> {
    Ok(Service::build::<models::Tracker>()?.routes(routes::routes()))
}
