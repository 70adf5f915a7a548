//! When a request is sent again: the one place that decides it.
//!
//! Only requests that read come here with more than one attempt; a write may have happened whatever
//! its answer says. And only answers count: an upstream that answers 429 or 503 asks to come back,
//! while nobody knows why a connection broke, and the agent is the one to decide about that.

use std::time::Duration;

use super::Response;
use crate::context::Context;

/// As often a read is sent, the first time included.
pub(super) const ATTEMPTS: usize = 3;

/// What is waited at least before the second and the third attempt, also where the upstream names
/// less: a reset that is past, or cut to whole seconds, asks for no wait at all. Long enough for a
/// burst to pass, short enough for an agent that waits.
const PAUSES: [Duration; ATTEMPTS - 1] = [Duration::from_millis(250), Duration::from_secs(1)];

/// An answer that asks to come back later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy {
    /// `None`: the upstream named no time.
    pub(crate) wait: Option<Duration>,
}

impl Busy {
    /// What the status alone says: 429, and 503 with or without a time.
    pub(crate) fn by_status(response: &Response) -> Option<Self> {
        matches!(response.status(), 429 | 503).then(|| Self::told_by(response))
    }

    /// An answer that is known to ask for patience.
    pub(crate) fn told_by(response: &Response) -> Self {
        Self {
            wait: response.asked_wait(),
        }
    }

    /// What the upstream asks for, but not less than we wait anyway.
    fn pause(self, least: Duration) -> Duration {
        self.wait.unwrap_or_default().max(least)
    }
}

/// Attempts something until it is not busy, the attempts are used up, or the call has no time for
/// the wait. Answers the last outcome.
pub(super) fn repeat<T>(
    ctx: &Context,
    attempts: usize,
    attempt: impl Fn() -> T,
    busy: impl Fn(&T) -> Option<Busy>,
) -> T {
    for pause in PAUSES.into_iter().take(attempts.saturating_sub(1)) {
        let outcome = attempt();
        let waited = busy(&outcome).is_some_and(|busy| ctx.wait(busy.pause(pause)));
        if !waited {
            return outcome;
        }
    }
    attempt()
}

#[cfg(test)]
mod tests;
