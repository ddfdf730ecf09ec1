//! One span a request, in its caller's trace or in a new one: the ids that log lines and exemplars have, and, with the
//! feature `otlp` and a collector that is set, the span that the collector gets. Without them a span is only these two ids.

#[cfg_attr(not(feature = "otlp"), path = "unsupported.rs")]
mod otlp;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
};
use http_instrument::{TraceContext, TraceState};

pub use self::otlp::ExportError;
use crate::config::Traces;

/// The header that names the caller's span. Requests have it, responses do not.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header in which tracing systems note what they need. Requests have it, responses do not.
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

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
    pub(crate) fn begin(&self, request: &Request, route: &str) -> Span {
        let Some(exporter) = &self.0 else {
            return self.begin_unsent(request);
        };
        let caller = caller(request.headers());
        let (context, span) = exporter.begin(caller.as_ref(), request, route);
        Span {
            context,
            state: caller.and_then(|caller| caller.state),
            exported: Some(span),
        }
    }

    /// Begins a span that no collector gets, as for a probe: it only gives log lines their ids.
    pub(crate) fn begin_unsent(&self, request: &Request) -> Span {
        let caller = caller(request.headers());
        Span {
            context: next_to(caller.as_ref()),
            state: caller.and_then(|caller| caller.state),
            exported: None,
        }
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
pub(crate) struct Span {
    context: TraceContext,
    state: Option<TraceState>,
    exported: Option<otlp::Span>,
}

impl Span {
    /// Its place in the trace.
    pub(crate) fn context(&self) -> TraceContext {
        self.context
    }

    /// Puts its place in the trace into the request's extensions, where handlers find what calls to other services need.
    pub(crate) fn accompany(&self, request: &mut Request) {
        let extensions = request.extensions_mut();
        extensions.insert(self.context);
        if let Some(state) = &self.state {
            extensions.insert(state.clone());
        }
    }

    /// Ends it with an answer.
    pub(crate) fn answered(self, status: StatusCode) {
        if let Some(span) = self.exported {
            span.answered(status);
        }
    }
}

/// The span of the caller.
#[derive(Debug)]
struct Caller {
    context: TraceContext,
    state: Option<TraceState>,
}

/// The caller's span, if the caller says anything that can be used.
fn caller(headers: &HeaderMap) -> Option<Caller> {
    let mut parents = headers.get_all(TRACE_PARENT).iter();
    // Two of them contradict each other.
    let parent = parents.next().filter(|_| parents.next().is_none())?;
    Some(Caller {
        context: TraceContext::parse(parent.as_bytes())?,
        state: TraceState::parse(headers.get_all(TRACE_STATE).iter().map(HeaderValue::as_bytes)),
    })
}

/// A span of our own in the caller's trace, or in a new one.
fn next_to(caller: Option<&Caller>) -> TraceContext {
    let span = fastrand::u64(1..);
    caller.map_or_else(
        || TraceContext::start(fastrand::u128(1..), span),
        |caller| caller.context.child(span),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_continues_the_callers_trace_or_starts_one() {
        let parent = HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let trace_of = |headers: &HeaderMap| next_to(caller(headers).as_ref());
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

    #[test]
    fn the_state_of_a_trace_is_kept_with_its_parent_and_dropped_without_one() {
        let mut headers = HeaderMap::new();
        headers.append(TRACE_STATE, HeaderValue::from_static("a=1"));
        headers.append(TRACE_STATE, HeaderValue::from_static("b=2"));
        assert!(caller(&headers).is_none());
        headers.insert(
            TRACE_PARENT,
            HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        );
        assert_eq!(caller(&headers).unwrap().state.unwrap().to_string(), "a=1,b=2");
        headers.append(TRACE_STATE, HeaderValue::from_static("C=3"));
        assert!(caller(&headers).unwrap().state.is_none());
    }
}
