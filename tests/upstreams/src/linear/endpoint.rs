//! The HTTP side: who may ask, which status an answer has, which headers come with it.

use std::{sync::Arc, time::Duration};

use async_graphql::{Request, Response as GraphqlResponse, ServerError, Value};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use super::{
    error::LinearError,
    quota::{self, Quota},
    schema::{self, LinearSchema, SharedWorkspace},
    seed,
};
use crate::{TimeSource, credential::Credential};

/// The name under which async-graphql's `Analyzer` leaves its findings in a response.
const ANALYZER: &str = "analyzer";

struct Service {
    credential: Credential,
    schema: LinearSchema,
    quota: Quota,
}

pub(super) fn router(credential: Credential, time: TimeSource, clock: TimeSource) -> Router {
    let workspace = SharedWorkspace::new(seed::workspace().into());
    let schema = schema::build(workspace, time);
    let service = Service {
        credential,
        schema,
        quota: Quota::new(clock),
    };
    Router::new()
        .route("/graphql", post(execute))
        .with_state(Arc::new(service))
}

/// Linear's answer to too many requests: 400, not 429.
pub(super) fn rate_limited(clock: &TimeSource, retry_after: Duration) -> Response {
    let headers = quota::exhausted(clock, retry_after);
    (
        StatusCode::BAD_REQUEST,
        headers,
        Json(LinearError::rate_limited().to_body()),
    )
        .into_response()
}

/// An error of this code, as a resolver's: with status 200.
pub(super) fn refused(error: &str) -> Response {
    Json(LinearError::of_code(error).to_body()).into_response()
}

async fn execute(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    if !service.credential.judge(&headers).authorized {
        return service.refuse(StatusCode::UNAUTHORIZED, &LinearError::unauthenticated());
    }
    let request = match parse(&headers, &body) {
        Ok(request) => request,
        Err(error) => return service.refuse(StatusCode::BAD_REQUEST, &error),
    };
    let response = service.schema.execute(request).await;
    service.answer(response)
}

fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Request, LinearError> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("application/json")) {
        let message = "A GraphQL request needs the content type application/json.";
        return Err(LinearError::bad_request("BAD_REQUEST", message));
    }
    serde_json::from_slice(body).map_err(|error| {
        LinearError::bad_request("BAD_REQUEST", format!("Not a GraphQL request: {error}"))
    })
}

impl Service {
    fn refuse(&self, status: StatusCode, error: &LinearError) -> Response {
        (status, self.quota.spend(0), Json(error.to_body())).into_response()
    }

    fn answer(&self, mut response: GraphqlResponse) -> Response {
        let complexity = take_complexity(&mut response);
        let status = if complete_errors(&mut response.errors) {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        };
        (status, self.quota.spend(complexity), Json(response)).into_response()
    }
}

/// Errors that come from no resolver of ours are about the document or its variables. They get
/// Linear's extensions here; true if there were any.
fn complete_errors(errors: &mut [ServerError]) -> bool {
    let has_code = |error: &ServerError| {
        error
            .extensions
            .as_ref()
            .is_some_and(|extensions| extensions.get("code").is_some())
    };
    let mut found = false;
    for error in errors.iter_mut().filter(|error| !has_code(error)) {
        let linear = LinearError::bad_request("GRAPHQL_VALIDATION_FAILED", error.message.clone());
        linear.fill(error.extensions.get_or_insert_default());
        found = true;
    }
    found
}

/// One point per field; Linear weighs differently, and no client may depend on how.
fn take_complexity(response: &mut GraphqlResponse) -> u64 {
    let Some(Value::Object(findings)) = response.extensions.remove(ANALYZER) else {
        return 0;
    };
    match findings.get("complexity") {
        Some(Value::Number(points)) => points.as_u64().unwrap_or_default(),
        _ => 0,
    }
}
