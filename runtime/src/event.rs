//! What is logged: one event a request, and what goes wrong.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use uuid::Uuid;

use crate::problem::Problem;

/// A request has been answered. The query string isn't told: it may hold what is private.
pub fn answered(id: Uuid, method: &Method, path: &str, status: StatusCode, took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(target: "rest::access", %id, %method, path, status = status.as_u16(), micros, "answered");
}

/// A request was answered with a problem that is ours, not the client's.
pub fn failed(id: Uuid, problem: &Problem) {
    let cause = problem.cause().unwrap_or_default();
    tracing::error!(target: "rest::problem", %id, code = problem.code().word(), cause, "{}", problem.told());
}
