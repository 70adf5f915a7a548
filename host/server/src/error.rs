//! Why a use case refuses.
//!
//! Use cases speak in these; `http/error.rs` alone turns them into statuses and
//! codes. What an action itself does wrong is not here: it is the outcome of an
//! invocation.

use std::time::Duration;

use portcullis_core::id::{ActionId, ActionKey, SourceId};
use portcullis_core::invocation::{Invocation, InvocationStatus};
use portcullis_core::pointer::Astray;
use portcullis_core::schema::Violation;
use portcullis_core::suggest::nearest;

use crate::plugins::PluginError;
use crate::vault::VaultError;

/// Why a use case refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or the caller must not learn whether it does.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// No source has this id.
    #[error("there is no source `{0}`; GET …/actions/available lists what there is")]
    UnknownSource(String),
    /// The source has no action with this id.
    #[error("{source_id} has no action `{action}`{}", did_you_mean(.known, .action))]
    UnknownAction {
        /// The source.
        source_id: SourceId,
        /// What was asked for.
        action: String,
        /// What there is.
        known: Vec<ActionId>,
    },
    /// Params break the action's schema.
    #[error("the params do not satisfy the action's schema")]
    InvalidParams(Vec<Violation>),
    /// Another field of the request breaks a rule.
    #[error("{message}")]
    InvalidField {
        /// JSON Pointer into the request.
        path: String,
        /// The rule's short name.
        rule: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// The caller is known and may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It exists already.
    #[error("this {0} exists already")]
    Exists(&'static str),
    /// The session takes no more invocations.
    #[error("the session is closed; open a new one")]
    SessionClosed,
    /// A decision about an invocation has no effect.
    #[error("{why}; it is {}", invocation.status)]
    Undecided {
        /// As it stands.
        invocation: Box<Invocation>,
        /// Why.
        why: Undecided,
    },
    /// The invocation has no result.
    #[error("{}", no_result(.0.status))]
    NoResult(Box<Invocation>),
    /// Only the truncated result is left.
    #[error(
        "the full result is not kept, or not any more; GET …/actions/invocations/{} still shows \
         the truncated one, and a narrower request may fit", .0.id
    )]
    ResultExpired(Box<Invocation>),
    /// A pointer into a result leads nowhere.
    #[error("{0}")]
    Astray(#[from] Astray),
    /// The key stands for another request.
    #[error("this Idempotency-Key was used with another body; use a new key for a new request")]
    IdempotencyKeyReused,
    /// What somebody decided about is not what the action is now.
    #[error("{0} is not what was shown any more; look at it again before you decide")]
    DefinitionChanged(ActionKey),
    /// Too many invocations within a minute.
    #[error("the session has reached its {limit} invocations in 60 seconds")]
    RateLimited {
        /// The limit.
        limit: u64,
        /// When the oldest of them leaves the window.
        retry_after: Duration,
    },
    /// Too many invocations wait for a person.
    #[error("{limit} invocations of the session wait for approval already; wait for a decision")]
    TooManyPending {
        /// The limit.
        limit: u64,
        /// When asking again makes sense.
        retry_after: Duration,
    },
    /// Nobody else can listen; who has too many listeners.
    #[error("{0} has as many streams of events as it may have; close one, or try again later")]
    TooManyStreams(&'static str),
    /// The registry of plugins refuses.
    #[error(transparent)]
    Plugin(PluginError),
    /// Nothing is free to look at a plugin.
    #[error("the gateway is busy; try again in a moment")]
    Busy,
    /// The gateway ends; another may take the request.
    #[error("the gateway is shutting down; try again in a moment")]
    ShuttingDown,
    /// An action has run, and its outcome could not be written.
    #[error("the action has run, but its outcome could not be recorded; look before you repeat it")]
    Unrecorded(#[source] portcullis_storage::Error),
    /// The database failed.
    #[error("storage failed")]
    Storage(#[from] portcullis_storage::Error),
    /// A secret does not open or close.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
    /// A defect of ours.
    #[error("{0}")]
    Internal(String),
}

/// Why a decision about an invocation has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// Somebody else was first.
    #[error("somebody has decided about this invocation already, or its agent has withdrawn it")]
    AlreadyDecided,
    /// Its time is over.
    #[error("nobody decided about this invocation in time")]
    Expired,
    /// The action is not what it was, or what the decider saw.
    #[error(
        "the action is not what it was when this was asked for, or not what you saw; deny this, \
         and let the agent ask again"
    )]
    DefinitionChanged,
    /// Another credential would be used.
    #[error(
        "the connection was rotated, replaced or removed since this was asked for; deny this, and \
         let the agent ask again"
    )]
    ConnectionChanged,
    /// The mode is deny by now.
    #[error("the action's mode has been set to deny since this was asked for")]
    DeniedMeanwhile,
    /// The session has ended.
    #[error("the session was closed, which ended what waited in it")]
    SessionClosed,
}

impl Undecided {
    /// The name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyDecided => "already_decided",
            Self::Expired => "expired",
            Self::DefinitionChanged => "definition_changed",
            Self::ConnectionChanged => "connection_changed",
            Self::DeniedMeanwhile => "denied_meanwhile",
            Self::SessionClosed => "session_closed",
        }
    }
}

/// What there is instead of a result.
fn no_result(status: InvocationStatus) -> &'static str {
    match status {
        InvocationStatus::Pending => "there is no result yet: the invocation waits for a person",
        InvocationStatus::Executing => "there is no result yet: the action is still running",
        InvocationStatus::Failed => "there is no result: the action failed, as `error` says",
        InvocationStatus::Denied => "there is no result: the invocation was denied",
        InvocationStatus::Expired => "there is no result: nobody decided in time",
        InvocationStatus::Completed => "there is no result",
    }
}

/// Suggests the nearest id, and otherwise lists a few.
fn did_you_mean(known: &[ActionId], asked: &str) -> String {
    let names = known.iter().map(ActionId::as_str);
    if let Some(id) = nearest(asked, names) {
        return format!("; did you mean `{id}`?");
    }
    let ids: Vec<&str> = known.iter().take(20).map(ActionId::as_str).collect();
    format!("; it has {}", ids.join(", "))
}
