//! The record of one request and its outcome.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::action::{Risk, names};
use crate::canonical::JsonDigest;
use crate::id::{
    ActionId, ConnectionId, InvocationId, OrganizationId, SessionId, SourceId, UserId,
};
use crate::modes::{Mode, ModeSource};
use crate::plugin::PluginDigest;
use crate::time::Timestamp;

names! {
    /// Where an invocation stands.
    ///
    /// `Pending → Executing → Completed | Failed`, `Pending → Denied | Expired`;
    /// what is allowed starts as `Executing`, what is denied as `Denied`.
    InvocationStatus {
        /// Waits for a person.
        Pending = "pending",
        /// A node holds its lease and works on it.
        Executing = "executing",
        /// The action succeeded.
        Completed = "completed",
        /// The action failed, or its outcome is unknown.
        Failed = "failed",
        /// Policy or a person refused it.
        Denied = "denied",
        /// Nobody decided in time, or the session was closed before.
        Expired = "expired",
    }
}

impl InvocationStatus {
    /// True when nothing can change the invocation any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Executing)
    }
}

/// Why an invocation was denied, in the words of the API: `policy`, `human`,
/// `cancelled`, `expired` or `unknown_mode:<value>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeniedReason {
    /// The mode in force is deny.
    Policy,
    /// A person said no.
    Human,
    /// The agent withdrew it.
    Cancelled,
    /// Nobody decided in time.
    Expired,
    /// A stored mode is none of the three; the value as stored.
    UnknownMode(String),
}

impl DeniedReason {
    /// The form in JSON and rows.
    pub fn to_text(&self) -> String {
        match self {
            Self::Policy => "policy".to_owned(),
            Self::Human => "human".to_owned(),
            Self::Cancelled => "cancelled".to_owned(),
            Self::Expired => "expired".to_owned(),
            Self::UnknownMode(value) => format!("unknown_mode:{value}"),
        }
    }

    /// Reads what [`DeniedReason::to_text`] wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "policy" => Some(Self::Policy),
            "human" => Some(Self::Human),
            "cancelled" => Some(Self::Cancelled),
            "expired" => Some(Self::Expired),
            other => other
                .strip_prefix("unknown_mode:")
                .map(|value| Self::UnknownMode(value.to_owned())),
        }
    }
}

names! {
    /// Why an invocation failed; `error.code` of a stored invocation.
    FailureCode {
        /// Provider: the params are not acceptable.
        InvalidParams = "invalid_params",
        /// Provider: the upstream refused the credential.
        Unauthorized = "unauthorized",
        /// Provider: the credential may not do this.
        Forbidden = "forbidden",
        /// Provider: no such thing.
        NotFound = "not_found",
        /// Provider: changed meanwhile, or exists.
        Conflict = "conflict",
        /// Provider: the upstream asks to slow down.
        RateLimited = "rate_limited",
        /// Provider: the upstream failed.
        Upstream = "upstream",
        /// Provider: the upstream did not answer in time.
        Timeout = "timeout",
        /// Provider: a defect of its own, such as a result that is not JSON.
        ProviderInternal = "provider_internal",
        /// Sandbox: the guest trapped, for example panicked.
        Trapped = "trapped",
        /// Sandbox: the guest used up its CPU time.
        CpuExceeded = "cpu_exceeded",
        /// Sandbox: the call took longer than its wall-clock deadline.
        DeadlineExceeded = "deadline_exceeded",
        /// Sandbox: the guest asked for more memory or table space than it may.
        MemoryExceeded = "memory_exceeded",
        /// Sandbox: a value that crossed the boundary was over its limit.
        TooLarge = "too_large",
        /// Sandbox: no free slot.
        Busy = "busy",
        /// Host: the gateway stopped, or lost its database, while the action ran.
        OutcomeUnknown = "outcome_unknown",
        /// Host: the provider reached for what it may not call.
        DeniedEgress = "denied_egress",
        /// Host: no connection for the credential the action asks for.
        ConnectionMissing = "connection_missing",
        /// Host: the source went away between admission and execution.
        SourceUnavailable = "source_unavailable",
        /// Host: a defect of the gateway, told in its log.
        Internal = "internal",
    }
}

/// What went wrong, as stored and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationError {
    /// Decides the HTTP status.
    pub code: FailureCode,
    /// For the agent; redacted and bounded.
    pub message: String,
}

/// What is told of a result that was truncated and is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullResult {
    /// What is kept, as compact JSON.
    pub bytes: u64,
    /// False when even that is not all that the action answered.
    pub is_whole: bool,
    /// From when on it is not kept.
    pub expires_at: Timestamp,
}

/// The persisted record of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Version 4.
    pub id: InvocationId,
    /// The session that asked.
    pub session_id: SessionId,
    /// The session's organization.
    pub organization_id: OrganizationId,
    /// The connection used; `None` when none was needed or found.
    pub connection_id: Option<ConnectionId>,
    /// The source.
    pub source: SourceId,
    /// The action within it.
    pub action: ActionId,
    /// The risk in force when it was admitted.
    pub risk: Risk,
    /// What the cascade decided.
    pub mode: Mode,
    /// Where in the cascade it was decided.
    pub mode_source: ModeSource,
    /// True when the definition was not the one that somebody decided about.
    pub drifted: bool,
    /// Redacted, for display.
    pub params: Value,
    /// The contract digest of the definition that was admitted; `None` of what an
    /// earlier version admitted.
    pub definition_digest: Option<JsonDigest>,
    /// The digest of the plugin version that was admitted.
    pub plugin_digest: Option<PluginDigest>,
    /// Where it stands.
    pub status: InvocationStatus,
    /// Redacted and truncated; `Some` only when completed.
    pub result: Option<Value>,
    /// True when `result` is not the whole result.
    pub result_truncated: bool,
    /// What is kept of the whole result; `None` when it was not truncated, or is
    /// not kept any more.
    pub full_result: Option<FullResult>,
    /// `Some` only when failed.
    pub error: Option<InvocationError>,
    /// `Some` only when denied or expired.
    pub denied_reason: Option<DeniedReason>,
    /// Why a person refused it, in that person's words.
    pub decision_reason: Option<String>,
    /// From the start of execution to its end, in milliseconds.
    pub duration_ms: Option<i64>,
    /// The person who approved.
    pub approved_by: Option<UserId>,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// When it became final.
    pub completed_at: Option<Timestamp>,
    /// When a pending invocation stops waiting.
    pub expires_at: Option<Timestamp>,
    /// When it was admitted.
    pub created_at: Timestamp,
}

impl Invocation {
    /// The invocation as it stands at a moment: one that nobody decided in time
    /// is expired, and a full result is gone after its time, whether or not
    /// somebody has tidied the rows.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        self.full_result.take_if(|full| full.expires_at <= now);
        let waits = self.status == InvocationStatus::Pending;
        match self.expires_at {
            Some(expires_at) if waits && expires_at <= now => Self {
                status: InvocationStatus::Expired,
                denied_reason: Some(DeniedReason::Expired),
                completed_at: Some(expires_at),
                ..self
            },
            _ => self,
        }
    }
}

/// Base URLs of a connection that replace an endpoint's own, by endpoint name.
pub type BaseUrls = BTreeMap<String, url::Url>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pending_and_executing_can_change() {
        for status in InvocationStatus::ALL {
            let open = matches!(status.as_str(), "pending" | "executing");
            assert_eq!(status.is_final(), !open, "{status}");
        }
    }

    #[test]
    fn every_denied_reason_survives_a_round_trip() {
        for reason in [
            DeniedReason::Policy,
            DeniedReason::Human,
            DeniedReason::Cancelled,
            DeniedReason::Expired,
            DeniedReason::UnknownMode("allways".to_owned()),
        ] {
            assert_eq!(DeniedReason::from_text(&reason.to_text()), Some(reason));
        }
        assert_eq!(DeniedReason::from_text("because"), None);
    }
}
