//! Telling people what becomes of invocations, while it happens.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `hub` | who listens, and what waits for each of them |
//! | `pump` | reading what has happened, and handing it to the hub |
//! | `tickets` | how a browser proves who it is |
//!
//! What is told are rows: each transition of an invocation is recorded together
//! with the change, and the pump of each gateway reads from there. Hints only say
//! when to look, and it looks every few seconds without one.
//!
//! **At least once.** A transition reaches everybody who listened when it was
//! saved, also at another gateway, and may reach them twice. A message carries the
//! whole invocation as it stands when it is read, so twice does no harm. The
//! messages about one invocation come in the order of their times.
//!
//! A stream begins [`BEFORE`] the moment it is opened: whoever opens it and then
//! lists what there is misses nothing, although gateways' clocks differ.

mod hub;
mod pump;
pub mod tickets;

use std::time::Duration;

use portcullis_core::audit::AuditKind;
use portcullis_core::invocation::{Invocation, InvocationStatus};
use portcullis_core::time::Timestamp;
use portcullis_storage::{Session, Transition};

use crate::clock::MAX_SKEW;
use crate::error::Error;
use crate::gateway::Gateway;
pub use hub::{Events, Heard, Subscription};
pub use pump::pump_until;

/// How long before a stream is opened the events are that it may tell: what
/// another gateway, whose clock is late, records just afterwards.
pub const BEFORE: Duration = MAX_SKEW;

/// Something to tell those who watch a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it means for them.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// The invocation as it stands when it is told; without its result.
    pub invocation: Invocation,
}

/// What a transition means for those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It waits for a person.
    ApprovalRequest,
    /// It waits no more: approved, and executing; denied; withdrawn by the agent; or
    /// expired. All but the first are its end.
    ApprovalResult,
    /// It ended without waiting for a person at last: it ran, well or not, or was
    /// denied by policy.
    Completed,
}

impl EventKind {
    /// All of them, in the order of an invocation's life.
    pub const ALL: [Self; 3] = [Self::ApprovalRequest, Self::ApprovalResult, Self::Completed];

    /// What to tell of a transition. Nothing of the start of what runs at once,
    /// whose end follows within seconds.
    fn of(transition: &Transition) -> Option<Self> {
        match transition.kind {
            AuditKind::InvocationRequested => Self::of_request(&transition.invocation),
            AuditKind::InvocationApproved
            | AuditKind::InvocationDenied
            | AuditKind::InvocationCancelled
            | AuditKind::InvocationExpired => Some(Self::ApprovalResult),
            AuditKind::InvocationCompleted
            | AuditKind::InvocationFailed
            | AuditKind::InvocationEndedLate => Some(Self::Completed),
            _ => None,
        }
    }

    /// By what never changes of an invocation, which may have ended meanwhile: only
    /// one that waited for a person ever had an end of waiting.
    fn of_request(invocation: &Invocation) -> Option<Self> {
        if invocation.expires_at.is_some() {
            return Some(Self::ApprovalRequest);
        }
        (invocation.status == InvocationStatus::Denied).then_some(Self::Completed)
    }
}

/// Listens to what becomes of a session's invocations.
///
/// # Errors
///
/// [`Error::ShuttingDown`], and [`Error::TooManyStreams`] when the gateway or the
/// session has as many listeners as it may.
pub fn listen(gateway: &Gateway, session: &Session) -> Result<Subscription, Error> {
    if gateway.executions.is_closed() {
        return Err(Error::ShuttingDown);
    }
    let since = gateway.clock.now().saturating_sub(BEFORE);
    gateway.events.subscribe(session.id, since)
}
