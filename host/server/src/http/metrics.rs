//! `/metrics`, and the counting of requests.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;

use super::callers::Operator;
use super::error::ApiError;
use super::openapi::Fails;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::metrics::CONTENT_TYPE;

/// What stands for the route of a request that has none.
const UNMATCHED: &str = "unmatched";

/// Shows what the gateway counts and times, for Prometheus.
///
/// For the operator, since it tells who uses what and how much.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operator",
    security(("operatorKey" = [])),
    responses(
        (status = 200, description = "OpenMetrics.", body = String, content_type = "application/openmetrics-text"),
        Fails<Operator>,
    )
)]
pub(super) async fn get_metrics(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    let text = gateway
        .metrics
        .render(&gateway)
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}

/// Counts and times a request. Its path is never looked at: whoever could make
/// up a route could make up series.
pub(super) async fn measured(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let status = response.status().as_u16();
    gateway
        .metrics
        .answered(&method, route, status, began.elapsed());
    response
}
