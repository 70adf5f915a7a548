//! `/{sessionId}/events`: what becomes of a session's invocations, over a
//! WebSocket, and the tickets with which browsers open one.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `watcher` | who may open a stream, and may still have it open |
//! | `origin` | from which pages |
//! | `stream` | the conversation |

mod origin;
mod stream;
mod watcher;

use std::sync::Arc;

use axum::Json;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::callers::PersonInSession;
use super::error::{ApiError, Code, code};
use super::names;
use super::objects::InvocationObject;
use super::openapi::{Fails, TicketProtocol};
use crate::events::{self, Event, EventKind, tickets};
use crate::gateway::Gateway;
pub(super) use watcher::Watcher;

/// Clients have nothing to say. What is longer than this is not even read.
const MAX_MESSAGE_BYTES: usize = 4 << 10;

/// What a stream tells.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventObject {
    #[serde(rename = "type")]
    #[schema(value_type = names::EventType)]
    kind: &'static str,
    /// The invocation as it stands when it is told, which may be later than the
    /// event.
    invocation: InvocationObject,
    /// When it happened.
    #[schema(format = "date-time")]
    at: String,
}

impl From<&Event> for EventObject {
    fn from(event: &Event) -> Self {
        Self {
            kind: type_of(event.kind),
            invocation: InvocationObject::from(&event.invocation),
            at: event.at.to_string(),
        }
    }
}

/// The name of a kind.
pub(super) const fn type_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ApprovalRequest => "action_approval_request",
        EventKind::ApprovalResult => "action_approval_result",
        EventKind::Completed => "action_completed",
    }
}

/// A request that asks for a WebSocket.
pub(super) struct Upgrade(WebSocketUpgrade);

impl FromRequestParts<Arc<Gateway>> for Upgrade {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let upgrade = WebSocketUpgrade::from_request_parts(parts, gateway).await;
        upgrade
            .map(Self)
            .map_err(|rejection: WebSocketUpgradeRejection| {
                ApiError::new(Code::UpgradeRequired, rejection.body_text())
            })
    }
}

/// Tells what becomes of the session's invocations, as it happens.
///
/// A WebSocket. Each text frame is one event; clients say nothing but what the
/// protocol does by itself, such as answering pings. Open it first and then list the
/// invocations, and nothing is missed: a stream begins a few seconds before it was
/// opened. An event comes at least once, so it may come again, also with another
/// gateway of the same service; it has the whole invocation, so that does no harm.
/// The events of one invocation come in the order in which they happened.
///
/// The close code says why a stream ended: 1001 when the gateway stops, 1003 and
/// 1009 when the client sent something, 1008 when the caller may no longer listen or
/// did not answer pings, 1013 when the client did not read fast enough. After 1001
/// and 1013 connect again and list the invocations.
///
/// A request with `Origin`, as browsers send it, must come from a page of the
/// gateway's own origin, or from one of `server.allowed_origins`.
#[utoipa::path(
    get,
    path = "/{session_id}/events",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(Watcher, TicketProtocol),
    responses(
        (
            status = 101,
            description = "From here on it is a WebSocket, whose every text frame is one of these.",
            body = EventObject
        ),
        Fails<(Watcher, Upgrade, code::TooManyStreams, code::ShuttingDown)>,
    )
)]
pub(super) async fn stream_events(
    State(gateway): State<Arc<Gateway>>,
    watcher: Watcher,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, ApiError> {
    // Before the answer, so that the client misses nothing after it.
    let subscription = events::listen(&gateway, &watcher.session)?;
    Ok(upgrade
        .protocols(watcher.protocol.clone())
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| stream::run(gateway, watcher, subscription, socket)))
}

/// A ticket, which is told once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventTicket)]
pub(super) struct TicketObject {
    /// For the subprotocol `portcullis.ticket.<ticket>`.
    ticket: String,
    /// 30 seconds from now.
    #[schema(format = "date-time")]
    expires_at: String,
}

/// Gives a ticket that opens the session's stream of events once.
///
/// For browsers, which cannot send `Authorization` with a WebSocket. A stream that a
/// ticket opened ends after as long as a user token lives at most.
#[utoipa::path(
    post,
    path = "/{session_id}/events/ticket",
    tag = "agents",
    security(("userToken" = [])),
    params(PersonInSession),
    responses(
        (status = 200, description = "The ticket.", body = TicketObject),
        Fails<PersonInSession>,
    )
)]
pub(super) async fn create_ticket(
    State(gateway): State<Arc<Gateway>>,
    PersonInSession { session, user }: PersonInSession,
) -> Result<Json<TicketObject>, ApiError> {
    let given = tickets::give(&gateway, session.id, user).await?;
    Ok(Json(TicketObject {
        ticket: given.ticket,
        expires_at: given.expires_at.to_string(),
    }))
}
