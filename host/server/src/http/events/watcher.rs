//! Who may open a stream, and may still have it open.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use portcullis_core::id::SessionId;
use portcullis_core::time::Timestamp;
use portcullis_storage::Session;

use super::super::callers::path_id;
use super::super::error::{ApiError, Code};
use super::super::extract::{Authenticated, bearer};
use super::origin;
use crate::access;
use crate::auth::{AuthError, Caller};
use crate::config::Secret;
use crate::events::tickets;
use crate::gateway::Gateway;

/// What a ticket is sent behind. Headers end up in logs too, which is why a ticket
/// is good once.
const TICKET_PREFIX: &str = "portcullis.ticket.";

/// Somebody who may listen to the session in the path, from a page that may.
pub(in crate::http) struct Watcher {
    /// The session, as it was when the stream was opened.
    pub(super) session: Session,
    /// The subprotocol to select: the one that was a ticket.
    pub(super) protocol: Option<String>,
    proof: Proof,
}

/// How they have proved who they are.
enum Proof {
    /// The credential, which is weighed again and may expire.
    Bearer(Secret),
    /// A ticket, used up. It came from a user token that has not lived longer than
    /// any does.
    Ticket { caller: Caller, until: Timestamp },
}

impl FromRequestParts<Arc<Gateway>> for Watcher {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        origin::check(&parts.headers, &gateway.config.server.allowed_origins)?;
        let offered = offered_tickets(&parts.headers);
        let (proof, session_id) = match offered.as_slice() {
            [] => by_token(parts, gateway).await?,
            [ticket] if !parts.headers.contains_key(header::AUTHORIZATION) => {
                by_ticket(parts, gateway, ticket).await?
            }
            _ => return Err(no_ticket()),
        };
        let caller = proof.caller(gateway)?;
        Ok(Self {
            session: access::session(gateway, &caller, session_id).await?,
            protocol: offered
                .into_iter()
                .next()
                .map(|ticket| format!("{TICKET_PREFIX}{ticket}")),
            proof,
        })
    }
}

async fn by_token(
    parts: &mut Parts,
    gateway: &Arc<Gateway>,
) -> Result<(Proof, SessionId), ApiError> {
    Authenticated::from_request_parts(parts, gateway).await?;
    let token = bearer(&parts.headers).unwrap_or_default().to_owned();
    let session_id = path_id(parts, "session_id", "session").await?;
    Ok((Proof::Bearer(Secret::new(token)), session_id))
}

/// Whatever is wrong with a ticket, the answer is the same: it tells nothing about
/// sessions and about other people's tickets.
async fn by_ticket(
    parts: &mut Parts,
    gateway: &Gateway,
    ticket: &str,
) -> Result<(Proof, SessionId), ApiError> {
    let session_id = path_id(parts, "session_id", "session").await;
    let session_id = session_id.map_err(|_| no_ticket())?;
    let caller = tickets::take(gateway, session_id, ticket).await?;
    let caller = caller.ok_or_else(no_ticket)?;
    let life = Duration::from_secs(gateway.config.auth.user_token_seconds);
    let until = gateway.clock.now().saturating_add(life);
    Ok((Proof::Ticket { caller, until }, session_id))
}

fn no_ticket() -> ApiError {
    ApiError::new(
        Code::Unauthorized,
        "send `Authorization: Bearer` with a token, or one ticket that is new and was not used \
         before",
    )
}

/// The tickets among the offered subprotocols.
fn offered_tickets(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|protocol| protocol.trim().strip_prefix(TICKET_PREFIX))
        .map(str::to_owned)
        .collect()
}

impl Proof {
    fn caller(&self, gateway: &Gateway) -> Result<Caller, AuthError> {
        let now = gateway.clock.now();
        match self {
            Self::Bearer(token) => gateway.authenticator.authenticate(token.expose(), now),
            Self::Ticket { caller, until } if now < *until => Ok(caller.clone()),
            Self::Ticket { .. } => Err(AuthError::Expired),
        }
    }
}

impl Watcher {
    /// Whether they may still listen: roles change, and tokens end.
    pub(super) async fn check(&self, gateway: &Gateway) -> Result<(), ApiError> {
        let caller = self.proof.caller(gateway)?;
        access::session(gateway, &caller, self.session.id).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_found_among_all_protocols() {
        let mut headers = HeaderMap::new();
        for value in [
            "chat, portcullis.ticket.aa",
            "portcullis.ticketbb",
            "portcullis.ticket.cc,x",
        ] {
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, value.parse().unwrap());
        }
        assert_eq!(offered_tickets(&headers), ["aa", "cc"]);
    }
}
