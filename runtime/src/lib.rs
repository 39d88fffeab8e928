//! Serves a checked schema as a REST service.
//!
//! ```text
//! router ─> request/  http → Request             pure   refuses 400 405 406 413 415
//!           caller    credentials → Caller                refuses 401 429
//!           plan/     Request + Caller → Plan    pure   refuses 400 401 403 404; access rules enter here
//!           validate  body → values              pure   refuses 422
//!           sql/      Plan → text + values       pure   never refuses
//!           storage/  runs it; the only I/O             refuses 403 404 409 412 422 503
//!           respond/  rows → bytes
//! ```

mod accounts;
pub(crate) mod attempts;
mod builder;
pub mod caller;
pub mod cell;
pub mod codec;
pub mod db;
pub mod engine;
pub(crate) mod event;
pub mod examine;
pub mod hook;
mod jwt;
pub mod location;
pub(crate) mod metrics;
pub mod migrate;
pub mod model;
mod open;
pub mod openapi;
pub mod operate;
#[cfg(feature = "otlp")]
mod otlp;
pub mod password;
pub mod plan;
pub mod problem;
#[cfg(feature = "program")]
pub mod program;
mod proxy;
mod quota;
#[cfg(test)]
mod reference;
pub mod request;
pub mod respond;
pub mod rows;
pub mod scope;
mod serve;
pub mod server;
pub mod service;
pub mod session;
pub mod show;
mod sign_in;
pub mod sql;
pub mod storage;
pub mod test;
pub mod token;
pub mod typed;
pub mod validate;
mod write;

/// The types that a struct's fields may have, beside those of the standard library.
pub mod types {
    pub use jiff::Timestamp;
    pub use jiff::civil::{Date, Time};
    pub use rust_decimal::Decimal;
    pub use serde_json::Value as Json;
    pub use uuid::Uuid;

    pub use crate::typed::{ManyToMany, Password};
}

pub use axum;
pub use rest_derive::{RestEnum, RestResource, RestService};
pub use rest_schema as schema;
pub use typed::{RestEnum, RestResource, RestService};

pub use builder::Builder;
pub use caller::Caller;
pub use db::Db;
pub use examine::{Examination, diagnose, examine, follows};
pub use hook::{Change, Draft, Hooks, Tx};
pub use location::Location;
pub use problem::Problem;
pub use rest_schema::Report;
pub use server::serve;
pub use service::{Error, Service};

/// The README's program is compiled, as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
