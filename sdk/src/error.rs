//! Why an action could not do what was asked: the error every action returns.

use std::{fmt, time::Duration};

pub use crate::bindings::portcullis::provider::types::ErrorCode;

/// Bytes of a message that survive the way to the agent; the contract's limit.
const MAX_MESSAGE_BYTES: usize = 4 * 1024;

/// What to know about a write that failed on the way back.
const UNKNOWN_OUTCOME: &str =
    "It may have happened all the same: look before you ask for it again.";

/// The result of everything a provider does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A provider's error: a code to decide by, a message to read, and advice on repeating the call.
///
/// **Shape**: the code is one of a closed set, so that agents and the host never search a message.
/// The message is one or two sentences for an agent: what happened, and what to do next. It is cut
/// at 4 KiB.
///
/// **Retrying**: [`is_retryable`](Error::is_retryable) says that the same call may succeed later
/// *and* that repeating it is harmless. Errors start out as not retryable, except for rate limits.
///
/// ```
/// use portcullis_sdk::{Error, ErrorCode};
///
/// let error = Error::invalid_params("Give at least one field to change.");
/// assert_eq!(error.code(), ErrorCode::InvalidParams);
/// assert!(!error.is_retryable());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    message: String,
    retryable: bool,
    retry_after: Option<Duration>,
}

impl Error {
    /// An error with any code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: cut(message.into()),
            retryable: code == ErrorCode::RateLimited,
            retry_after: None,
        }
    }

    /// The params are well formed but not acceptable.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParams, message)
    }

    /// The upstream refused the credential. The host marks the connection.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unauthorized, message)
    }

    /// The credential is good but may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    /// The thing named does not exist, or is invisible to the credential.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// The thing changed meanwhile, or exists already.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }

    /// The upstream asks to slow down. Retryable; add [`retry_after`](Error::retry_after) where it
    /// names a time.
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::RateLimited, message)
    }

    /// The upstream failed, or answered something that makes no sense.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Upstream, message)
    }

    /// The upstream did not answer in time; whether it acted is unknown.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Timeout, message)
    }

    /// A defect of the provider itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// Says whether the same call may succeed later and repeating it is harmless.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// Says how long to wait before a retry. Does not make the error retryable by itself.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// [`retry_after`](Error::retry_after) in milliseconds.
    #[must_use]
    pub fn retry_after_ms(self, milliseconds: u64) -> Self {
        self.retry_after(Duration::from_millis(milliseconds))
    }

    /// Adds to the message that what failed may have happened: nobody else tells an agent so.
    #[must_use]
    pub(crate) fn of_unknown_outcome(self) -> Self {
        let full_stop = if self.message.ends_with('.') { "" } else { "." };
        let message = format!("{}{full_stop} {UNKNOWN_OUTCOME}", self.message);
        Self { message, ..self }
    }

    /// What kind of failure this is.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence for the agent.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same call may succeed later and repeating it is harmless.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// How long to wait before a retry. `None`: the upstream named no time.
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Cuts between characters, so that what is left is still text.
fn cut(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rate_limits_start_out_as_retryable() {
        assert!(Error::rate_limited("Slow down.").is_retryable());
        assert!(!Error::upstream("It broke.").is_retryable());
        assert!(!Error::timeout("It took too long.").is_retryable());
    }

    #[test]
    fn waits_are_kept_in_milliseconds() {
        let error = Error::rate_limited("Slow down.").retry_after_ms(1_500);

        assert_eq!(error.wait(), Some(Duration::from_millis(1_500)));
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let error = Error::internal("é".repeat(MAX_MESSAGE_BYTES));

        assert_eq!(error.message().len(), MAX_MESSAGE_BYTES);
        assert!(
            Error::internal(format!("x{}", "é".repeat(4_000)))
                .message()
                .len()
                < MAX_MESSAGE_BYTES
        );
    }
}
