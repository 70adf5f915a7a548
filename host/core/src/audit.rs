//! The record of what happened: its events, and how they are bound to each other.
//!
//! An event is written with the change that it records, and later takes its place
//! in the chain of its organization. Each has a keyed code of its own, so that
//! nobody without the key can write or change one; each place in a chain has
//! another over all before it, so that none can be taken out or moved; and the
//! length of a chain is signed, so that its end cannot be cut off. What is hashed
//! stands here; whoever holds the key is a concern of the host.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use crate::action::names;
use crate::id::{ActionKey, AutomationId, ConnectionId, EgressGrantId, InvocationId};
use crate::id::{OrganizationId, SessionId, SourceId, UserId};
use crate::time::Timestamp;

names! {
    /// What happened.
    AuditKind {
        /// The gateway began to keep a record.
        AuditBegun = "audit.begun",
        /// The operator added an organization.
        OrganizationCreated = "organization.created",
        /// How long an organization's requests wait was set.
        ApprovalTimesSet = "organization.approval_times_set",
        /// What the organization makes of actions that read differently was set.
        TextChangesSet = "organization.text_changes_set",
        /// A member joined, or has another role.
        MemberSet = "member.set",
        /// A member left.
        MemberRemoved = "member.removed",
        /// A connection was made.
        ConnectionCreated = "connection.created",
        /// Its credential was replaced.
        ConnectionRotated = "connection.rotated",
        /// It is gone.
        ConnectionRemoved = "connection.removed",
        /// The upstream refuses its credential, or takes it again.
        ConnectionStatusChanged = "connection.status_changed",
        /// An automation was added.
        AutomationCreated = "automation.created",
        /// A session was opened.
        SessionCreated = "session.created",
        /// A session was closed.
        SessionClosed = "session.closed",
        /// The mode of an action was set.
        ModeSet = "mode.set",
        /// The mode of an action was left to the next step of the cascade.
        ModeRemoved = "mode.removed",
        /// Definitions of a source's actions were taken for reviewed: when the
        /// organization first used the source, or because somebody confirmed them.
        SourceReviewed = "source.reviewed",
        /// The operator granted an origin.
        EgressGrantCreated = "egress_grant.created",
        /// The operator took a grant back.
        EgressGrantRemoved = "egress_grant.removed",
        /// A gateway served a plugin it did not serve before, or another version; from
        /// before there was a registry of plugins.
        PluginLoaded = "plugin.loaded",
        /// A version of a plugin waits for the operator.
        PluginStaged = "plugin.staged",
        /// A version of a plugin serves: it was approved, or needed no approval.
        PluginActivated = "plugin.activated",
        /// The operator refused a version that waited.
        PluginRejected = "plugin.rejected",
        /// An earlier version of a plugin serves again, because the operator said so or
        /// because calls of the later one trapped.
        PluginRolledBack = "plugin.rolled_back",
        /// The operator removed a plugin.
        PluginRemoved = "plugin.removed",
        /// An agent asked for an action; it runs, waits, or is denied.
        InvocationRequested = "invocation.requested",
        /// A person approved, and it runs.
        InvocationApproved = "invocation.approved",
        /// A person refused.
        InvocationDenied = "invocation.denied",
        /// The agent withdrew.
        InvocationCancelled = "invocation.cancelled",
        /// Nobody decided in time, or the session was closed.
        InvocationExpired = "invocation.expired",
        /// It succeeded.
        InvocationCompleted = "invocation.completed",
        /// It failed, or its outcome is unknown.
        InvocationFailed = "invocation.failed",
        /// It ended after it had been given up for lost; what stood stands.
        InvocationEndedLate = "invocation.ended_late",
    }
}

/// Whose record an event belongs to; each has a chain of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditChain {
    /// What belongs to no organization.
    Gateway,
    /// An organization's.
    Organization(OrganizationId),
}

impl AuditChain {
    /// The form in rows: empty for the gateway's own.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Gateway => "",
            Self::Organization(id) => id.as_str(),
        }
    }

    /// Reads what [`AuditChain::as_str`] gave; `None` when it is no id.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Gateway);
        }
        text.parse().ok().map(Self::Organization)
    }
}

impl fmt::Display for AuditChain {
    /// For people: `organization acme`, `the gateway`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway => f.write_str("the gateway"),
            Self::Organization(id) => write!(f, "organization {id}"),
        }
    }
}

/// What an event is about: `<kind of thing>:<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditSubject(String);

impl AuditSubject {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a row says, whatever it says.
    pub fn from_row(text: String) -> Self {
        Self(text)
    }

    /// The invocation it is about, if it is about one.
    pub fn invocation(&self) -> Option<InvocationId> {
        self.0.strip_prefix("invocation:")?.parse().ok()
    }

    /// An action of a source, whose mode was set.
    pub fn action(key: &ActionKey) -> Self {
        Self(format!("action:{key}"))
    }

    /// A source, as an organization sees it.
    pub fn source(id: &SourceId) -> Self {
        Self(format!("source:{id}"))
    }

    /// The record itself.
    pub fn audit() -> Self {
        Self("audit:1".to_owned())
    }
}

macro_rules! subjects {
    ($($type:ty => $name:literal,)+) => {
        $(impl From<&$type> for AuditSubject {
            fn from(id: &$type) -> Self {
                Self(format!(concat!($name, ":{}"), id))
            }
        })+
    };
}

subjects! {
    OrganizationId => "organization",
    UserId => "member",
    ConnectionId => "connection",
    AutomationId => "automation",
    SessionId => "session",
    EgressGrantId => "egress_grant",
    SourceId => "plugin",
    InvocationId => "invocation",
}

impl fmt::Display for AuditSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Version 4. Part of what the code covers, so that no event can be doubled.
    pub id: Uuid,
    /// Whose record it belongs to.
    pub chain: AuditChain,
    /// What happened.
    pub kind: AuditKind,
    /// Who did it: `operator`, `user:<id>`, `sandbox:<session>` or `gateway`.
    pub actor: String,
    /// What it was done to.
    pub subject: AuditSubject,
    /// An object; by convention `before` and `after`, and digests of what was seen.
    /// Never a secret: what comes from params or results stays out.
    pub details: Value,
    /// When.
    pub at: Timestamp,
}

/// What the code of an event covers.
pub fn event_bytes(event: &EventText<'_>) -> Vec<u8> {
    parts(
        "portcullis audit event 1",
        &[
            event.id.as_bytes(),
            event.chain.as_bytes(),
            event.kind.as_bytes(),
            event.actor.as_bytes(),
            event.subject.as_bytes(),
            event.details.as_bytes(),
            &event.at.to_be_bytes(),
        ],
    )
}

/// An event as its row spells it. The code covers the spelling, so that a row can
/// be verified that no version of the gateway could read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `AuditEvent`")]
pub struct EventText<'a> {
    pub id: &'a str,
    pub chain: &'a str,
    pub kind: &'a str,
    pub actor: &'a str,
    pub subject: &'a str,
    pub details: &'a str,
    /// Microseconds.
    pub at: i64,
}

/// What the code of a place in a chain covers: the place, the event's code, and
/// through the code of the place before it all that came before.
pub fn link_bytes(chain: &str, position: i64, before: &[u8], event_mac: &[u8]) -> Vec<u8> {
    parts(
        "portcullis audit link 1",
        &[chain.as_bytes(), &position.to_be_bytes(), before, event_mac],
    )
}

/// What the seal of a checkpoint covers.
pub fn checkpoint_bytes(chain: &str, position: i64, mac: &[u8], at: i64) -> Vec<u8> {
    parts(
        "portcullis audit checkpoint 1",
        &[
            chain.as_bytes(),
            &position.to_be_bytes(),
            mac,
            &at.to_be_bytes(),
        ],
    )
}

/// Each part with its length, so that no two lists look alike.
fn parts(purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: EventText<'static> = EventText {
        id: "1",
        chain: "acme",
        kind: "mode.set",
        actor: "operator",
        subject: "action:linear:create_issue",
        details: "{}",
        at: 7,
    };

    #[test]
    fn every_part_of_an_event_counts() {
        let others = [
            EventText { id: "2", ..EVENT },
            EventText { chain: "", ..EVENT },
            EventText {
                kind: "mode.se",
                ..EVENT
            },
            EventText { actor: "", ..EVENT },
            EventText {
                subject: "action",
                ..EVENT
            },
            EventText {
                details: "{ }",
                ..EVENT
            },
            EventText { at: 8, ..EVENT },
        ];
        for other in others {
            assert_ne!(event_bytes(&other), event_bytes(&EVENT), "{other:?}");
        }
    }

    #[test]
    fn what_moves_from_one_part_into_the_next_counts() {
        let moved = EventText {
            kind: "mode.setoperator",
            actor: "",
            ..EVENT
        };
        assert_ne!(event_bytes(&moved), event_bytes(&EVENT));
        assert_ne!(
            link_bytes("a", 1, b"bc", b"d"),
            link_bytes("a", 1, b"b", b"cd")
        );
    }

    #[test]
    fn a_chain_reads_back_as_it_was_written() {
        for chain in [
            AuditChain::Gateway,
            AuditChain::Organization("acme".parse().unwrap()),
        ] {
            assert_eq!(AuditChain::from_text(chain.as_str()), Some(chain));
        }
    }

    #[test]
    fn a_subject_knows_its_invocation() {
        let id = InvocationId::new(Uuid::from_u128(7));
        assert_eq!(AuditSubject::from(&id).invocation(), Some(id));
        let session = SessionId::new(Uuid::from_u128(7));
        assert_eq!(AuditSubject::from(&session).invocation(), None);
    }
}
