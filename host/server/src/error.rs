//! Why a use case refuses.
//!
//! Use cases speak in these; `http/error.rs` alone turns them into statuses and
//! codes. What an action itself does wrong is not here: it is the outcome of an
//! invocation.

use std::time::Duration;

use portcullis_core::id::{ActionId, ActionKey, SourceId};
use portcullis_core::schema::Violation;
use portcullis_core::suggest::nearest;

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

/// Suggests the nearest id, and otherwise lists a few.
fn did_you_mean(known: &[ActionId], asked: &str) -> String {
    let names = known.iter().map(ActionId::as_str);
    if let Some(id) = nearest(asked, names) {
        return format!("; did you mean `{id}`?");
    }
    let ids: Vec<&str> = known.iter().take(20).map(ActionId::as_str).collect();
    format!("; it has {}", ids.join(", "))
}
