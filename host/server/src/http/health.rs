//! `/healthz` and `/readyz`, for load balancers: no credential needed, nothing
//! told that would need one.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use portcullis_runtime::Allocator;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::error::{Code, ErrorObject, OUTAGE_RETRY};
use crate::clock::{MAX_SKEW, skew};
use crate::gateway::Gateway;

/// The process serves.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// The gateway can do its work.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    #[schema(example = "ready")]
    status: &'static str,
    checks: Checks,
}

/// What was looked at.
#[derive(Serialize, ToSchema)]
pub(super) struct Checks {
    #[schema(example = "ok")]
    storage: &'static str,
    /// It is that of the database, where it has one.
    #[schema(example = "ok")]
    clock: &'static str,
    /// `degraded` when calls are slower than they should be.
    #[schema(example = "ok")]
    sandbox: &'static str,
}

/// The gateway cannot do its work.
#[derive(Serialize, ToSchema)]
pub(super) struct Unreadiness {
    #[schema(example = "unavailable")]
    status: &'static str,
    checks: FailedChecks,
    error: ErrorObject,
}

/// What failed, and what was found before.
#[derive(Serialize, ToSchema)]
pub(super) struct FailedChecks {
    #[schema(example = "failed")]
    storage: &'static str,
    /// Whether the clock is that of the database, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    clock: Option<&'static str>,
}

/// Says that the process serves.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    security(()),
    responses((status = 200, description = "It does.", body = Health))
)]
pub(super) async fn get_health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Says whether the gateway can do its work.
///
/// `degraded` in `checks` says that calls are slower than they should be; the log
/// says why.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    security(()),
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (
            status = 503,
            description = "- `unavailable`: the database does not answer, or the clocks differ.",
            body = Unreadiness,
            headers(("Retry-After" = u64, description = "Whole seconds to wait, at least 1.")),
            examples(("unavailable" = (value = json!({
                "status": "unavailable",
                "checks": {"storage": "failed"},
                "error": {
                    "code": "unavailable",
                    "message": "the database does not answer; try again soon",
                    "requestId": "5f3c0b1e-8c1d-4a52-9a3e-0d8a4c1f7b26",
                },
            }))))
        ),
    )
)]
pub(super) async fn get_readiness(State(gateway): State<Arc<Gateway>>) -> Response {
    if let Err(failure) = check_storage(&gateway).await {
        return failure.into_response();
    }
    let sandbox = match gateway.sandbox.allocator() {
        Allocator::Pooling => "ok",
        Allocator::OnDemand => "degraded",
    };
    let checks = Checks {
        storage: "ok",
        clock: "ok",
        sandbox,
    };
    Json(Readiness {
        status: "ready",
        checks,
    })
    .into_response()
}

async fn check_storage(gateway: &Gateway) -> Result<(), Failure> {
    let asked = async {
        gateway.storage.ping().await?;
        skew(&*gateway.clock, &*gateway.storage).await
    };
    let Ok(answered) = timeout(STORAGE_PATIENCE, asked).await else {
        tracing::error!("storage does not answer in time");
        return Err(Failure::Storage);
    };
    let skew = answered.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "storage does not answer"
        );
        Failure::Storage
    })?;
    if skew > MAX_SKEW {
        tracing::error!(
            skewSeconds = skew.as_secs(),
            "this gateway's clock is off its database's"
        );
        return Err(Failure::Clock);
    }
    Ok(())
}

/// How long the database has to answer.
const STORAGE_PATIENCE: Duration = Duration::from_secs(5);

/// Why the gateway is not ready.
enum Failure {
    Storage,
    Clock,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (checks, message) = match self {
            Self::Storage => (
                FailedChecks {
                    storage: "failed",
                    clock: None,
                },
                "the database does not answer; try again soon",
            ),
            Self::Clock => (
                FailedChecks {
                    storage: "ok",
                    clock: Some("failed"),
                },
                "this gateway's clock is more than 5 s off its database's; synchronize it",
            ),
        };
        let body = Unreadiness {
            status: "unavailable",
            checks,
            error: ErrorObject::new(Code::Unavailable.into(), message, Vec::new()),
        };
        let retry_after = [(header::RETRY_AFTER, OUTAGE_RETRY.as_secs().to_string())];
        (Code::Unavailable.status(), retry_after, Json(body)).into_response()
    }
}
