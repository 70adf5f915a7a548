//! The trace that a request to the gateway belongs to.

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The one header that is read; `tracestate` would be a stranger's words in our
/// traces.
const TRACEPARENT: &str = "traceparent";

/// Makes the span a child of the one that the request names, if it names one.
///
/// A client can thereby put our spans into its trace, and nothing else: whether
/// they are kept is our sampling's decision. Must be called before the span is
/// entered.
pub fn adopt_parent(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() || !headers.contains_key(TRACEPARENT) {
        return;
    }
    let context = TraceContextPropagator::new().extract(&OneHeader(headers));
    // Fails when no traces are recorded, which is as good.
    let _ = span.set_parent(context);
}

struct OneHeader<'a>(&'a HeaderMap);

impl Extractor for OneHeader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        if key != TRACEPARENT {
            return None;
        }
        let mut values = self.0.get_all(key).iter();
        let value = values.next()?;
        // Of two parents neither is one.
        values.next().is_none().then(|| value.to_str().ok())?
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use opentelemetry::trace::TraceContextExt as _;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn extracted(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let context = TraceContextPropagator::new().extract(&OneHeader(&headers));
        let span = context.span();
        let found = span.span_context();
        if found.is_valid() {
            assert!(found.is_remote());
            assert_eq!(found.trace_state().header(), "");
        }
        found.is_valid()
    }

    #[test]
    fn one_well_formed_parent_is_taken_without_its_state() {
        for (headers, taken) in [
            (vec![], false),
            (vec![("traceparent", PARENT)], true),
            (vec![("traceparent", PARENT), ("tracestate", "a=b")], true),
            (
                vec![("traceparent", PARENT), ("traceparent", PARENT)],
                false,
            ),
            (vec![("traceparent", "00-0-0-01")], false),
            (vec![("traceparent", "Bearer x")], false),
        ] {
            assert_eq!(extracted(&headers), taken, "{headers:?}");
        }
    }
}
