//! The one credential a fake accepts, and how a request carried it.
//!
//! The value stays in here: the rest of the crate asks questions about it.

use http::{HeaderMap, header::AUTHORIZATION};
use serde::Serialize;

const BEARER: &str = "Bearer ";

/// What replaces the credential wherever it appears in a recorded request.
pub(crate) const PLACEHOLDER: &str = "[credential]";

/// How an `Authorization` header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationForm {
    /// The value alone: `Authorization: <token>`.
    Raw,
    /// `Authorization: Bearer <token>`.
    Bearer,
}

/// The token a fake accepts and the forms in which it accepts it.
#[derive(Clone)]
pub(crate) struct Credential {
    token: String,
    accepted: &'static [AuthorizationForm],
}

/// What a request's headers say about its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) authorized: bool,
    pub(crate) form: Option<AuthorizationForm>,
}

impl Credential {
    pub(crate) fn new(token: impl Into<String>, accepted: &'static [AuthorizationForm]) -> Self {
        Self {
            token: token.into(),
            accepted,
        }
    }

    /// Judges the `Authorization` header. A request that carries it twice is not authorized: a
    /// proxy that appends a second one is a mistake worth seeing.
    pub(crate) fn judge(&self, headers: &HeaderMap) -> Authorization {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Authorization {
                authorized: false,
                form: None,
            };
        };
        let value = value.to_str().unwrap_or_default();
        let (form, token) = match value.strip_prefix(BEARER) {
            Some(token) => (AuthorizationForm::Bearer, token),
            None => (AuthorizationForm::Raw, value),
        };
        let authorized = self.is_token(token) && self.accepted.contains(&form);
        Authorization {
            authorized,
            form: Some(form),
        }
    }

    /// The text with every occurrence of the token replaced by [`PLACEHOLDER`].
    pub(crate) fn scrub(&self, text: &str) -> String {
        if self.token.is_empty() {
            return text.to_owned();
        }
        text.replace(&self.token, PLACEHOLDER)
    }

    /// An empty token matches nothing, so that a forgotten setting does not accept everybody.
    fn is_token(&self, token: &str) -> bool {
        !self.token.is_empty() && self.token == token
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const BOTH: &[AuthorizationForm] = &[AuthorizationForm::Raw, AuthorizationForm::Bearer];

    fn judge(token: &str, accepted: &'static [AuthorizationForm], sent: &[&str]) -> Authorization {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        Credential::new(token, accepted).judge(&headers)
    }

    #[test]
    fn both_forms_are_told_apart() {
        let raw = Authorization {
            authorized: true,
            form: Some(AuthorizationForm::Raw),
        };
        let bearer = Authorization {
            authorized: true,
            form: Some(AuthorizationForm::Bearer),
        };
        assert_eq!(judge("key", BOTH, &["key"]), raw);
        assert_eq!(judge("key", BOTH, &["Bearer key"]), bearer);
    }

    #[test]
    fn a_form_that_is_not_accepted_does_not_authorize() {
        let bearer_only = &[AuthorizationForm::Bearer];
        let raw = Authorization {
            authorized: false,
            form: Some(AuthorizationForm::Raw),
        };
        assert_eq!(judge("key", bearer_only, &["key"]), raw);
    }

    #[test]
    fn missing_wrong_doubled_and_empty_credentials_do_not_authorize() {
        for (token, sent) in [
            ("key", &[][..]),
            ("key", &["other"]),
            ("key", &["key", "key"]),
            ("", &[""]),
            ("", &["Bearer "]),
        ] {
            assert!(!judge(token, BOTH, sent).authorized, "{token:?} {sent:?}");
        }
    }

    #[test]
    fn scrubbing_replaces_every_occurrence_and_leaves_text_alone_without_a_token() {
        assert_eq!(
            Credential::new("key", BOTH).scrub("a key, key"),
            "a [credential], [credential]"
        );
        assert_eq!(Credential::new("", BOTH).scrub("abc"), "abc");
    }
}
