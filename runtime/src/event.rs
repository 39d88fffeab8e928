//! What is logged: one event a request, and what goes wrong.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use tracing::field::display;
use uuid::Uuid;

use crate::problem::Problem;
use crate::serve::trace::Trace;

/// A request has been answered. The query string isn't told: it may hold what is private. A trace is told where there is
/// one.
pub(crate) fn answered(
    id: Uuid,
    trace: Option<Trace>,
    method: &Method,
    path: &str,
    status: StatusCode,
    took: Duration,
) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let trace_id = trace.map(display);
    tracing::info!(target: "rest::access", %id, trace_id, %method, path, status = status.as_u16(), micros, "answered");
}

/// A request was answered with a problem that is ours, not the client's.
pub(crate) fn failed(id: Uuid, trace: Option<Trace>, problem: &Problem) {
    let cause = problem.cause().unwrap_or_default();
    let trace_id = trace.map(display);
    tracing::error!(target: "rest::problem", %id, trace_id, code = problem.code().word(), cause, "{}", problem.told());
}

/// A stream was cut, since what was to follow couldn't be read.
pub(crate) fn cut(resource: &str, refusal: &crate::storage::Refusal) {
    tracing::error!(target: "rest::problem", resource, "a stream was cut: {refusal}");
}
