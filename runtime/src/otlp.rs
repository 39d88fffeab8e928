//! A span for each request, sent to a collector by OTLP over HTTP. Told by OpenTelemetry's own variables: where
//! (`OTEL_EXPORTER_OTLP_ENDPOINT`, or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`; without either nothing is sent), as whose
//! (`OTEL_SERVICE_NAME`, the schema's name otherwise), how many (`OTEL_TRACES_SAMPLER`).

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use uuid::Uuid;

use crate::serve::trace::Trace;

const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];

static SENDING: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();

/// Begins to send, where the environment says to where. The spans are sent by a thread of its own.
pub(crate) fn start(service: &str) {
    if ENDPOINTS.iter().all(|name| std::env::var_os(name).is_none()) {
        return;
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build();
    let exporter = match exporter {
        Ok(exporter) => exporter,
        Err(error) => return tracing::error!("spans can't be sent: {error}"),
    };
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(service.to_owned());
    }
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build();
    let tracer = provider.tracer("rest");
    // A program starts once; a second service in it sends as the first.
    let _ = SENDING.set((provider, tracer));
}

/// Sends what still waits.
pub(crate) fn finish() {
    if let Some((provider, _)) = SENDING.get()
        && let Err(error) = provider.shutdown()
    {
        tracing::warn!("the last spans could not be sent: {error}");
    }
}

/// A request that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) id: Uuid,
    pub(crate) trace: Option<Trace>,
    pub(crate) method: &'a Method,
    pub(crate) route: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) began: Timestamp,
    pub(crate) took: Duration,
}

/// Makes a span of it (OpenTelemetry's semantic conventions for HTTP servers).
pub(crate) fn answered(request: &Answered<'_>) {
    let Some((_, tracer)) = SENDING.get() else {
        return;
    };
    let began = SystemTime::from(request.began);
    let attributes = [
        KeyValue::new("http.request.method", request.method.to_string()),
        KeyValue::new("http.route", request.route.to_owned()),
        KeyValue::new("url.path", request.path.to_owned()),
        KeyValue::new("http.response.status_code", i64::from(request.status.as_u16())),
        KeyValue::new("rest.request.id", request.id.hyphenated().to_string()),
    ];
    let builder = tracer
        .span_builder(format!("{} {}", request.method, request.route))
        .with_kind(SpanKind::Server)
        .with_start_time(began)
        .with_attributes(attributes);
    let mut span = builder.start_with_context(tracer, &above(request.trace));
    if request.status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(began + request.took);
}

fn above(trace: Option<Trace>) -> Context {
    let Some(trace) = trace else {
        return Context::new();
    };
    let above = SpanContext::new(
        TraceId::from(trace.id),
        SpanId::from(trace.parent),
        TraceFlags::new(trace.flags),
        true,
        TraceState::default(),
    );
    Context::new().with_remote_span_context(above)
}
