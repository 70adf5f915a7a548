//! What metrics and traces learn of a request for an action.

use std::sync::Arc;
use std::time::Instant;

use portcullis_core::id::{ActionId, SessionId, SourceId};
use portcullis_core::invocation::{DeniedReason, Invocation, InvocationStatus};
use portcullis_storage::Error as StorageError;
use tracing::Span;
use tracing::field::Empty;

use crate::error::Error;
use crate::gateway::Gateway;
use crate::metrics::Outcome;
use crate::sources::Sources;

/// A request for an action under way.
pub(super) struct Observed {
    gateway: Arc<Gateway>,
    source: String,
    action: String,
    began: Instant,
    span: Span,
}

impl Observed {
    /// Begins with what the client wrote, and keeps only names of what is
    /// loaded: others would let an agent make series.
    pub(super) fn begin(
        gateway: &Arc<Gateway>,
        session_id: SessionId,
        source: &str,
        action: &str,
    ) -> Self {
        let (source, action) = loaded(&gateway.sources, source, action);
        Self {
            gateway: Arc::clone(gateway),
            began: Instant::now(),
            span: tracing::debug_span!(
                "invoke",
                sessionId = %session_id,
                sourceId = source,
                actionId = action,
                invocationId = Empty,
                organizationId = Empty,
                mode = Empty,
                status = Empty,
                errorCode = Empty,
            ),
            source,
            action,
        }
    }

    /// The span of all that happens for the request.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// There is no invocation.
    pub(super) fn refused(&self, error: &Error) {
        self.without_invocation(Outcome::Refused, code(error));
    }

    /// An earlier request with the same key is answered again.
    pub(super) fn repeated(&self) {
        self.without_invocation(Outcome::Repeated, "");
    }

    /// It ran, and its outcome could not be written.
    pub(super) fn unrecorded(&self, error: &Error) {
        self.without_invocation(Outcome::Unrecorded, code(error));
    }

    /// The invocation as it is answered.
    pub(super) fn ended(&self, invocation: &Invocation) {
        let (outcome, code) = match invocation.status {
            InvocationStatus::Completed => (Outcome::Completed, ""),
            InvocationStatus::Pending => (Outcome::Pending, ""),
            InvocationStatus::Denied | InvocationStatus::Expired => {
                (Outcome::Denied, denied(invocation.denied_reason.as_ref()))
            }
            // One that is executing still is answered as such to nobody.
            InvocationStatus::Failed | InvocationStatus::Executing => {
                let error = invocation.error.as_ref();
                (Outcome::Failed, error.map_or("", |e| e.code.as_str()))
            }
        };
        self.count(outcome, code);
        let metrics = &self.gateway.metrics;
        metrics.took(&self.source, &self.action, self.began.elapsed());
        self.describe(invocation);
    }

    fn describe(&self, invocation: &Invocation) {
        if self.span.is_disabled() {
            return;
        }
        let id = tracing::field::display(invocation.id);
        self.span.record("invocationId", id);
        self.span
            .record("organizationId", invocation.organization_id.as_str());
        self.span.record("mode", invocation.mode.as_str());
        self.span.record("status", invocation.status.as_str());
        if let Some(error) = &invocation.error {
            self.span.record("errorCode", error.code.as_str());
        }
    }

    fn without_invocation(&self, outcome: Outcome, code: &'static str) {
        self.count(outcome, code);
        self.span.record("errorCode", code);
    }

    fn count(&self, outcome: Outcome, code: &'static str) {
        let metrics = &self.gateway.metrics;
        metrics.ended(&self.source, &self.action, outcome, code);
    }
}

/// The source and the action, each empty if there is none of that name.
fn loaded(sources: &Sources, source: &str, action: &str) -> (String, String) {
    let Ok(source) = source.parse::<SourceId>() else {
        return Default::default();
    };
    let Some(plugin) = sources.plugin(&source) else {
        return Default::default();
    };
    let action = action.parse::<ActionId>().ok();
    let known = action.filter(|action| plugin.action(action).is_some());
    let action = known.map(|action| action.as_str().to_owned());
    (source.as_str().to_owned(), action.unwrap_or_default())
}

fn denied(reason: Option<&DeniedReason>) -> &'static str {
    match reason {
        Some(DeniedReason::Policy) => "policy",
        Some(DeniedReason::Human) => "human",
        Some(DeniedReason::Cancelled) => "cancelled",
        Some(DeniedReason::Expired) => "expired",
        // The value itself is somebody's words.
        Some(DeniedReason::UnknownMode(_)) => "unknown_mode",
        None => "",
    }
}

/// The error's name, as answers have it.
pub(super) fn code(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "not_found",
        Error::UnknownSource(_) => "unknown_source",
        Error::UnknownAction { .. } => "unknown_action",
        Error::InvalidParams(_) => "invalid_params",
        Error::InvalidField { .. } => "invalid_request",
        Error::Forbidden(_) => "forbidden",
        Error::Exists(_) => "already_exists",
        Error::SessionClosed => "session_closed",
        Error::Undecided { why, .. } => why.as_str(),
        Error::NoResult(_) => "no_result",
        Error::ResultExpired(_) => "result_expired",
        Error::Astray(_) => "nothing_there",
        Error::IdempotencyKeyReused => "idempotency_key_reused",
        Error::DefinitionChanged(_) => "definition_changed",
        Error::RateLimited { .. } => "rate_limited",
        Error::TooManyPending { .. } => "too_many_pending",
        Error::TooManyStreams(_) => "too_many_streams",
        Error::Plugin(_) => "plugin",
        Error::Busy => "busy",
        Error::ShuttingDown => "shutting_down",
        Error::Storage(StorageError::Unavailable { .. }) => "unavailable",
        Error::Unrecorded(_) | Error::Storage(StorageError::Unconfirmed { .. }) => {
            "outcome_unknown"
        }
        Error::Storage(_) => "storage",
        Error::Vault(_) | Error::Internal(_) => "internal",
    }
}
