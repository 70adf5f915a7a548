//! Tickets: how a browser proves who it is when it opens a stream.
//!
//! A browser cannot send a header with a WebSocket, and a token in a URL ends up
//! in logs and histories. So it asks for a ticket first, with its token, and sends
//! that in the list of subprotocols: good for one stream of one session, within
//! half a minute, at any gateway.

use std::time::Duration;

use portcullis_core::id::{SessionId, UserId};
use portcullis_core::time::Timestamp;
use portcullis_storage::EventTicket;
use sha2::{Digest as _, Sha256};

use crate::auth::Caller;
use crate::error::Error;
use crate::gateway::Gateway;

/// Long enough to open a stream, and too short to be of use to anybody who finds
/// it.
const LIFE: Duration = Duration::from_secs(30);

/// Nobody guesses this many.
const RANDOM_BYTES: usize = 32;

/// A new ticket, which is told once.
#[derive(Clone)]
pub struct NewTicket {
    /// 64 hex digits.
    pub ticket: String,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Gives a person a ticket for a session's events.
pub async fn give(
    gateway: &Gateway,
    session_id: SessionId,
    user_id: UserId,
) -> Result<NewTicket, Error> {
    let ticket = random()?;
    let expires_at = gateway.clock.now().saturating_add(LIFE);
    let mut work = gateway.storage.write().await?;
    work.event_tickets()
        .add(&EventTicket {
            digest: digest(&ticket),
            session_id,
            user_id,
            expires_at,
        })
        .await?;
    work.save().await?;
    Ok(NewTicket { ticket, expires_at })
}

/// Uses up a ticket for the session; who has shown it. `None` when it is none, or
/// is none any more. Whether its holder may still look into the session is to be
/// weighed as for any caller.
pub async fn take(
    gateway: &Gateway,
    session_id: SessionId,
    ticket: &str,
) -> Result<Option<Caller>, Error> {
    if !has_form(ticket) {
        return Ok(None);
    }
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    let user = work
        .event_tickets()
        .take(&digest(ticket), session_id, now)
        .await?;
    let session = work.sessions().find(session_id).await?;
    work.save().await?;
    Ok(user.zip(session).map(|(user, session)| Caller::User {
        organization: session.organization_id,
        user,
    }))
}

fn random() -> Result<String, Error> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
    Ok(hex::encode(bytes))
}

/// Whether it may be a ticket: what is none is not looked for.
fn has_form(ticket: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    ticket.len() == 2 * RANDOM_BYTES && ticket.bytes().all(is_digit)
}

fn digest(ticket: &str) -> String {
    hex::encode(Sha256::digest(ticket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_has_the_form_of_a_ticket() {
        let ticket = random().unwrap();
        assert!(has_form(&ticket), "{ticket}");
        assert_ne!(ticket, random().unwrap());
        assert!(!has_form(""));
        assert!(!has_form(&"A".repeat(64)));
        assert!(!has_form(&ticket[1..]));
        assert!(!has_form(&"g".repeat(64)));
    }
}
