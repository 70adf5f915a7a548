//! The routes by which a test or a person outside the process steers a fake.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    fault::{self, FaultBoard},
    journal::{Journal, RecordedRequest},
};

pub(super) fn router(journal: Arc<Journal>, faults: Arc<FaultBoard>) -> Router {
    let requests = Router::new()
        .route("/__requests", get(list_requests))
        .with_state(journal);
    let fault = Router::new()
        .route("/__fault", get(show_fault).post(set_fault))
        .with_state(faults);
    requests.merge(fault)
}

async fn list_requests(State(journal): State<Arc<Journal>>) -> Json<Vec<RecordedRequest>> {
    Json(journal.snapshot())
}

async fn show_fault(State(faults): State<Arc<FaultBoard>>) -> Json<Value> {
    Json(json!({ "fault": faults.active() }))
}

/// Reads the bytes whatever the content type says: these routes are also called by hand.
async fn set_fault(State(faults): State<Arc<FaultBoard>>, body: Bytes) -> Response {
    match fault::parse(&body) {
        Ok(active) => {
            faults.set(active);
            show_fault(State(faults)).await.into_response()
        }
        Err(error) => {
            let error = json!({ "code": "invalid_fault", "message": error.to_string() });
            (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
        }
    }
}
