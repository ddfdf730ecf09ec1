//! Spans by OpenTelemetry's conventions for HTTP servers, sent in batches by a thread of the SDK. They have the method,
//! the route and the path, and never the query, headers or bodies, which may hold secrets.

mod client;
mod report;
mod sampling;
mod tally;

use std::{path::PathBuf, time::Duration};

use axum::{
    extract::Request,
    http::{StatusCode, Version},
};
use http_instrument::{TraceContext, TraceState as CallerState, method_label};
use opentelemetry::{
    Context, InstrumentationScope, KeyValue,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
        TraceState, Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{SdkTracer, SdkTracerProvider},
};

use self::{client::OnRuntime, report::Reporting, sampling::BoundedByCaller};
use super::Caller;
use crate::config::Collector;

/// The service's name if `OTEL_SERVICE_NAME` does not set one.
const SERVICE: &str = "monitored-app";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The time to send the last batches when the service stops. Batches that a slow collector has not taken by then are
/// lost.
const STOP_PATIENCE: Duration = Duration::from_secs(3);
/// The longest path in a span, bytes; longer ones are cut. The queue is bounded by the number of spans, so each span
/// must be bounded for the memory to be.
const MAX_PATH: usize = 1_024;

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The authorities to trust cannot be read.
    #[error("cannot read the certificates in {}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// TLS cannot be set up, for example because there is no certificate authority to trust.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The SDK refuses the settings.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

#[derive(Debug, Clone)]
pub(super) struct Exporter {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Exporter {
    /// Starts the SDK's thread. The SDK reads the variables for sampling, batches and headers here.
    pub(super) fn start(collector: &Collector) -> Result<Self, ExportError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(OnRuntime::new(collector)?)
            .with_endpoint(collector.endpoint.to_string())
            .with_timeout(collector.timeout)
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(collector.service_name.clone()))
            .with_batch_exporter(Reporting::new(exporter));
        let provider = match collector.caller_sampler {
            Some(settings) => provider.with_sampler(BoundedByCaller::new(settings)),
            None => provider,
        }
        .build();
        let scope = InstrumentationScope::builder(SERVICE).with_version(VERSION).build();
        let tracer = provider.tracer_with_scope(scope);
        // Not the whole URL: its path may be a secret.
        tracing::info!(collector = collector.endpoint.host(), "traces are sent");
        Ok(Self { provider, tracer })
    }

    pub(super) fn begin(&self, caller: Option<&Caller>, request: &Request, route: &str) -> (TraceContext, Span) {
        let parent = match caller {
            Some(caller) => Context::new().with_remote_span_context(remote(caller)),
            None => Context::new(),
        };
        let builder = SpanBuilder::from_name("HTTP").with_kind(SpanKind::Server);
        let mut span = self.tracer.build_with_context(builder, &parent);
        // Name and attributes can be added after sampling: no sampler that a variable can choose reads them.
        if span.is_recording() {
            describe(&mut span, request, route);
        }
        (own(span.span_context()), Span(span))
    }

    pub(super) async fn stop(&self) {
        let provider = self.provider.clone();
        // This blocks until all spans are sent. The SDK logs its errors.
        let stopping = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(STOP_PATIENCE));
        let _ = stopping.await;
    }
}

/// The span of a request. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Span(opentelemetry_sdk::trace::Span);

impl Span {
    pub(super) fn answered(mut self, status: StatusCode) {
        let Self(span) = &mut self;
        if !span.is_recording() {
            return;
        }
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            span.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
            span.set_status(Status::error(""));
        }
    }
}

/// Sets the span's name and attributes, see
/// [the conventions](https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span).
fn describe(span: &mut opentelemetry_sdk::trace::Span, request: &Request, route: &str) {
    let method = method_label(request.method());
    let shown = if method == "_OTHER" { "HTTP" } else { method };
    let path = request.uri().path();
    let (path, _) = path.split_at(path.floor_char_boundary(MAX_PATH));
    span.set_attributes([
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.path", path.to_owned()),
        // Always http, because this service does not speak TLS itself.
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("network.protocol.version", protocol(request.version())),
    ]);
    if route.is_empty() {
        span.update_name(shown);
    } else {
        span.update_name(format!("{shown} {route}"));
        span.set_attribute(KeyValue::new("http.route", route.to_owned()));
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

fn remote(caller: &Caller) -> SpanContext {
    let (trace, span) = caller.context.ids();
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(span),
        TraceFlags::default().with_sampled(caller.context.is_sampled()),
        true,
        caller.state.as_ref().map_or(TraceState::NONE, exported),
    )
}

/// The entries that the span has. The SDK refuses a system of 14 characters, which the recommendation allows; such an entry is
/// left out of the span.
fn exported(state: &CallerState) -> TraceState {
    let each = |member| TraceState::from_key_value([member]).is_ok();
    TraceState::from_key_value(state.members().filter(|member| each(*member))).unwrap_or_default()
}

fn own(span: &SpanContext) -> TraceContext {
    TraceContext::start(
        u128::from_be_bytes(span.trace_id().to_bytes()),
        u64::from_be_bytes(span.span_id().to_bytes()),
    )
    .with_sampled(span.is_sampled())
}

/// The attributes of the service that sends the spans. `OTEL_RESOURCE_ATTRIBUTES` wins over the defaults here, and
/// `OTEL_SERVICE_NAME` over both. (In the SDK's own order `OTEL_RESOURCE_ATTRIBUTES` would win.)
fn resource(service_name: Option<String>) -> Resource {
    let known = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", SERVICE),
            KeyValue::new("service.version", VERSION),
        ])
        .with_detectors(&[
            Box::new(TelemetryResourceDetector),
            Box::new(EnvResourceDetector::new()),
        ]);
    match service_name {
        Some(name) => known.with_service_name(name).build(),
        None => known.build(),
    }
}
