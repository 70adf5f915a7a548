//! What the upstreams of a call thought of its credential.

use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;

/// What is known of a credential after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialVerdict {
    /// No upstream was shown it, or none answered in a way that tells.
    Unknown,
    /// An upstream took it.
    Accepted,
    /// An upstream refused it.
    Refused,
}

/// The answers to requests that carried the credential.
#[derive(Debug, Default)]
pub(super) struct CredentialAnswers {
    accepted: AtomicBool,
    refused: AtomicBool,
    /// Answered with anything at all.
    answered: AtomicBool,
}

impl CredentialAnswers {
    pub(super) fn note(&self, status: StatusCode) {
        self.answered.store(true, Ordering::Relaxed);
        if status == StatusCode::UNAUTHORIZED {
            self.refused.store(true, Ordering::Relaxed);
        } else if status.is_success() {
            self.accepted.store(true, Ordering::Relaxed);
        }
    }

    /// `provider_refused`: the provider reports that the upstream refused the
    /// credential, which some do with a status of success. It is believed only
    /// if an upstream was shown the credential and answered.
    pub(super) fn verdict(&self, provider_refused: bool) -> CredentialVerdict {
        let answered = self.answered.load(Ordering::Relaxed);
        if self.refused.load(Ordering::Relaxed) || (provider_refused && answered) {
            CredentialVerdict::Refused
        } else if self.accepted.load(Ordering::Relaxed) {
            CredentialVerdict::Accepted
        } else {
            CredentialVerdict::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statuses: &[u16], provider_refused: bool, expected: CredentialVerdict) {
        let answers = CredentialAnswers::default();
        for status in statuses {
            answers.note(StatusCode::from_u16(*status).unwrap());
        }
        let verdict = answers.verdict(provider_refused);
        assert_eq!(verdict, expected, "{statuses:?} {provider_refused}");
    }

    #[test]
    fn a_refusal_outweighs_every_other_answer() {
        use CredentialVerdict::{Accepted, Refused, Unknown};
        check(&[], false, Unknown);
        check(&[200], false, Accepted);
        check(&[401], false, Refused);
        check(&[200, 401, 200], false, Refused);
        for status in [302, 403, 404, 429, 500] {
            check(&[status], false, Unknown);
        }
    }

    #[test]
    fn a_provider_is_believed_only_after_an_answer() {
        check(&[], true, CredentialVerdict::Unknown);
        check(&[200], true, CredentialVerdict::Refused);
        check(&[403], true, CredentialVerdict::Refused);
    }
}
