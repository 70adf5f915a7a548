//! The HTTP side: who may ask, and what a method is given.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::{get, post},
};
use bytes::Bytes;
use http::{
    HeaderMap,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    error::SlackError,
    workspace::{Draft, Workspace},
};
use crate::{TimeSource, credential::Credential, json::with};

struct Service {
    credential: Credential,
    workspace: Mutex<Workspace>,
    time: TimeSource,
}

type Answer = Result<Json<Value>, SlackError>;

pub(super) fn router(credential: Credential, time: TimeSource) -> Router {
    let service = Service {
        credential,
        workspace: Mutex::new(Workspace::new()),
        time,
    };
    Router::new()
        .route("/api/chat.postMessage", post(post_message))
        .route("/api/conversations.history", get(list_history))
        .route("/api/conversations.replies", get(list_replies))
        .fallback(async || SlackError::named("unknown_method"))
        .with_state(Arc::new(service))
}

async fn post_message(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    service.authorize(&headers, "chat:write")?;
    let arguments = arguments(&headers, &body)?;
    let draft = Draft {
        channel: text(&arguments, "channel")?.unwrap_or_default(),
        text: text(&arguments, "text")?.unwrap_or_default(),
        thread_ts: text(&arguments, "thread_ts")?,
    };
    let mut workspace = service.workspace();
    let message = workspace.post(&draft, &service.time)?.clone();
    let answer = json!({
        "ok": true,
        "channel": message.channel,
        "ts": message.ts,
        "message": workspace.describe(&message),
    });
    if content_type(&headers).contains("charset=") {
        return Ok(Json(answer));
    }
    let warning = json!({
        "warning": "missing_charset",
        "response_metadata": { "warnings": ["missing_charset"] },
    });
    Ok(Json(with(answer, warning)))
}

/// Where to read.
#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

async fn list_history(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Query(place): Query<Place>,
) -> Answer {
    service.authorize(&headers, "channels:history")?;
    let messages = service.workspace().history(&place.channel)?;
    Ok(Json(
        json!({ "ok": true, "messages": messages, "has_more": false }),
    ))
}

async fn list_replies(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Query(place): Query<Place>,
) -> Answer {
    service.authorize(&headers, "channels:history")?;
    let messages = service.workspace().replies(&place.channel, &place.ts)?;
    Ok(Json(
        json!({ "ok": true, "messages": messages, "has_more": false }),
    ))
}

impl Service {
    fn authorize(&self, headers: &HeaderMap, scope: &str) -> Result<(), SlackError> {
        if !headers.contains_key(AUTHORIZATION) {
            return Err(SlackError::named("not_authed"));
        }
        let authorization = self.credential.judge(headers);
        if authorization.allows(&[scope]) {
            return Ok(());
        }
        match authorization.scopes {
            Some(provided) => Err(SlackError::missing_scope(scope, &provided)),
            None => Err(SlackError::named("invalid_auth")),
        }
    }

    fn workspace(&self) -> MutexGuard<'_, Workspace> {
        self.workspace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The members of a JSON object. Slack takes forms as well; the fake does not.
fn arguments(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, SlackError> {
    if !content_type(headers).starts_with("application/json") {
        return Err(SlackError::named("invalid_post_type"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(SlackError::named("json_not_object")),
        Err(_) => Err(SlackError::named("invalid_json")),
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// An argument that is text, or left out, or null.
fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, SlackError> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(SlackError::must_be_text(name)),
    }
}
