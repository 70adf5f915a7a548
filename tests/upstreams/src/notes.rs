//! The fake notes: a service that nobody runs, for the examples of the SDKs in other languages.
//!
//! `GET /notes?containing=…` and `POST /notes` with `{"id", "text"}`, both with
//! `Authorization: Bearer <token>`. It starts with two notes and keeps what is posted; an id that
//! it has already is a conflict.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    AuthorizationForm, FakeOptions, FakeUpstream, credential::Credential, upstream::Vendor,
};

/// Starts fake notes.
#[derive(Debug)]
pub struct FakeNotes;

impl FakeNotes {
    /// Binds the port and serves.
    pub async fn start(options: FakeOptions) -> io::Result<FakeUpstream> {
        let credential = Credential::new(options.token, &[AuthorizationForm::Bearer]);
        let vendor = Vendor {
            routes: router(credential.clone()),
            rate_limited: Box::new(rate_limited),
            refused: |error| refusal(StatusCode::UNPROCESSABLE_ENTITY, error),
            credential,
        };
        FakeUpstream::start(options.port, vendor).await
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Note {
    id: String,
    text: String,
}

struct Service {
    credential: Credential,
    /// Newest first.
    notes: Mutex<Vec<Note>>,
}

fn router(credential: Credential) -> Router {
    let note = |id: &str, text: &str| Note {
        id: id.to_owned(),
        text: text.to_owned(),
    };
    let notes = vec![
        note("n2", "Deploys are on Tuesdays — not on Fridays."),
        note("n1", "The coffee machine is fixed."),
    ];
    let service = Service {
        credential,
        notes: Mutex::new(notes),
    };
    Router::new()
        .route("/notes", get(list).post(add))
        .with_state(Arc::new(service))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    containing: String,
}

async fn list(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    if !service.credential.judge(&headers).authorized {
        return unauthorized();
    }
    let word = wanted.containing.to_lowercase();
    let notes = service.notes.lock().unwrap_or_else(PoisonError::into_inner);
    let found = notes
        .iter()
        .filter(|note| note.text.to_lowercase().contains(&word));
    Json(json!({ "notes": found.collect::<Vec<_>>() })).into_response()
}

async fn add(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Json(note): Json<Note>,
) -> Response {
    if !service.credential.judge(&headers).authorized {
        return unauthorized();
    }
    let mut notes = service.notes.lock().unwrap_or_else(PoisonError::into_inner);
    if notes.iter().any(|kept| kept.id == note.id) {
        return refusal(StatusCode::CONFLICT, "there is a note with this id");
    }
    notes.insert(0, note.clone());
    (StatusCode::CREATED, Json(json!({ "note": note }))).into_response()
}

fn unauthorized() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "the token is not known")
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn rate_limited(retry_after: Duration) -> Response {
    let wait = HeaderValue::from(retry_after.as_secs());
    let refusal = refusal(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    ([(RETRY_AFTER, wait)], refusal).into_response()
}
