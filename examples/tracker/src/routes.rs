//! Routes of your own, beside those of the resources.

use axum::Router;
use axum::routing::get;
use rest_runtime::Service;

/// All of them. A handler may ask for `State<Service>` and for the `Caller`, and answer with a `Problem`.
pub fn routes() -> Router<Service> {
    Router::new().route("/about", get(about))
}

async fn about() -> &'static str {
    "The resources of this service are at /api/\n"
}
