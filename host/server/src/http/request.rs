//! Every request has an id, which its answer, its errors and its log lines
//! carry.

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use tracing::field::Empty;
use uuid::Uuid;

use crate::telemetry::adopt_parent;

const HEADER: &str = "x-request-id";

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request that is being served; empty outside of one.
pub(super) fn current_request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Gives a request its id and a span, and logs how it was answered.
///
/// The id is always ours: one from outside could repeat another's, or be made to
/// mislead whoever reads the log.
pub(super) async fn with_request_id(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!(
        "request",
        requestId = id,
        method = %request.method(),
        route,
        status = Empty
    );
    adopt_parent(&span, request.headers());
    let answered = span.clone();
    let header = HeaderValue::from_str(&id);
    let answering = async {
        let mut response = next.run(request).await;
        if let Ok(header) = header {
            response.headers_mut().insert(HEADER, header);
        }
        let status = response.status().as_u16();
        // Signed, since traces have no unsigned numbers.
        answered.record("status", i64::from(status));
        tracing::debug!(status, "answered");
        response
    };
    REQUEST_ID.scope(id, answering.instrument(span)).await
}
