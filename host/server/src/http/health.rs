//! `/healthz` and `/readyz`, for load balancers: no credential needed, nothing
//! told that would need one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use portcullis_runtime::Allocator;
use serde_json::{Value, json};

use super::error::OUTAGE_RETRY;
use crate::gateway::Gateway;

/// `GET /healthz`: the process serves.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /readyz`: the gateway can do its work. `degraded` says that calls are
/// slower than they should be; the log says why.
pub(super) async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response {
    if let Err(error) = gateway.storage.ping().await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "storage does not answer"
        );
        let body = json!({
            "status": "unavailable",
            "checks": {"storage": "failed"},
            "error": {
                "code": "unavailable",
                "message": "the database does not answer; try again soon",
                "requestId": super::request::current_request_id(),
            },
        });
        let retry_after = [(header::RETRY_AFTER, OUTAGE_RETRY.as_secs().to_string())];
        return (StatusCode::SERVICE_UNAVAILABLE, retry_after, Json(body)).into_response();
    }
    let sandbox = match gateway.allocator {
        Allocator::Pooling => "ok",
        Allocator::OnDemand => "degraded",
    };
    let checks = json!({"storage": "ok", "sandbox": sandbox});
    Json(json!({"status": "ready", "checks": checks})).into_response()
}
