//! One span a request, in its caller's trace or in a new one: the ids that log lines and exemplars have, and, with the
//! feature `otlp` and a collector that is set, the span that the collector gets. Without them a span is only these two ids.

#[cfg_attr(not(feature = "otlp"), path = "unsupported.rs")]
mod otlp;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode},
};
use http_instrument::TraceContext;

pub use self::otlp::ExportError;
use crate::config::Traces;

/// The header that names the caller's span. Requests have it, responses do not.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Makes spans; the default sends none. Clones share one exporter.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<otlp::Exporter>);

impl Tracer {
    /// Sends spans to where the settings say. Needs a runtime if that is anywhere.
    ///
    /// # Errors
    /// The exporter cannot be built.
    pub fn start(traces: &Traces) -> Result<Self, ExportError> {
        let exporter = match traces {
            Traces::Nowhere => None,
            Traces::Unsupported(variable) => {
                tracing::warn!(
                    variable,
                    "traces are not sent: this program was built without the feature otlp"
                );
                None
            }
            Traces::To(collector) => Some(otlp::Exporter::start(collector)?),
        };
        Ok(Self(exporter))
    }

    /// Begins the span of a request to a route; `""` if there is none.
    pub(crate) fn begin(&self, request: &Request, route: &str) -> (TraceContext, Span) {
        let Some(exporter) = &self.0 else {
            return self.begin_unsent(request);
        };
        let (context, span) = exporter.begin(caller(request.headers()), request, route);
        (context, Span(Some(span)))
    }

    /// Begins a span that no collector gets, as for a probe: it only gives log lines their ids.
    pub(crate) fn begin_unsent(&self, request: &Request) -> (TraceContext, Span) {
        (next_to(caller(request.headers())), Span(None))
    }

    /// Sends what has not been sent, for a few seconds at most. Spans that end later are lost.
    pub async fn stop(&self) {
        if let Some(exporter) = &self.0 {
            exporter.stop().await;
        }
    }
}

/// A span that has begun. It ends when it is answered, or dropped because the client left.
#[derive(Debug)]
pub(crate) struct Span(Option<otlp::Span>);

impl Span {
    /// Ends it with an answer.
    pub(crate) fn answered(self, status: StatusCode) {
        if let Some(span) = self.0 {
            span.answered(status);
        }
    }
}

/// The caller's span, if the caller says anything that can be used.
fn caller(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all(TRACE_PARENT).iter();
    // Two of them contradict each other.
    let parent = parents.next().filter(|_| parents.next().is_none())?;
    TraceContext::parse(parent.as_bytes())
}

/// A span of our own in the caller's trace, or in a new one.
fn next_to(caller: Option<TraceContext>) -> TraceContext {
    let span = fastrand::u64(1..);
    caller.map_or_else(
        || TraceContext::start(fastrand::u128(1..), span),
        |caller| caller.child(span),
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_continues_the_callers_trace_or_starts_one() {
        let parent = HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let trace_of = |headers: &HeaderMap| next_to(caller(headers));
        let mut headers = HeaderMap::new();
        headers.append(TRACE_PARENT, parent.clone());
        let continued = trace_of(&headers);
        assert_eq!(continued.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_ne!(continued.span_id(), "b7ad6b7169203331");
        assert!(continued.is_sampled());
        headers.append(TRACE_PARENT, parent);
        let started = trace_of(&headers);
        assert_ne!(started.trace_id(), continued.trace_id());
        assert_ne!(started.trace_id(), trace_of(&HeaderMap::new()).trace_id());
    }
}
