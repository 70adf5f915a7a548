//! The credentials a fake accepts, and how a request carried one.
//!
//! The values stay in here: the rest of the crate asks questions about them.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use http::{HeaderMap, header::AUTHORIZATION};
use serde::Serialize;

const BEARER: &str = "Bearer ";

/// What replaces a credential wherever it appears in a recorded request.
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

/// The tokens a fake accepts and the forms in which it accepts them. Clones share them.
#[derive(Clone)]
pub(crate) struct Credential {
    tokens: Arc<RwLock<Vec<Token>>>,
    accepted: &'static [AuthorizationForm],
}

/// A token that was given to somebody.
struct Token {
    /// `None` for the one the fake was started with.
    account: Option<String>,
    text: String,
    /// What it may be used for, in the vendor's words; `None` for everything.
    scopes: Option<Vec<String>>,
    revoked: bool,
}

/// What a request's headers say about its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) authorized: bool,
    pub(crate) form: Option<AuthorizationForm>,
    /// Whose token it was, if it was accepted and not the first.
    pub(crate) account: Option<String>,
    /// What the token may be used for, if it was accepted and not for everything.
    pub(crate) scopes: Option<Vec<String>>,
}

impl Authorization {
    /// Whether it was accepted, and for one of these scopes.
    pub(crate) fn allows(&self, any_of: &[&str]) -> bool {
        let held = |scope: &&str| match &self.scopes {
            Some(scopes) => scopes.iter().any(|held| held == scope),
            None => true,
        };
        self.authorized && any_of.iter().any(held)
    }
}

impl Credential {
    pub(crate) fn new(token: impl Into<String>, accepted: &'static [AuthorizationForm]) -> Self {
        let first = Token {
            account: None,
            text: token.into(),
            scopes: None,
            revoked: false,
        };
        Self {
            tokens: Arc::new(RwLock::new(vec![first])),
            accepted,
        }
    }

    /// Accepts a token of another account as well, for these scopes or for everything.
    pub(crate) fn accept(&self, account: &str, token: &str, scopes: Option<&[&str]>) {
        let owned = |scopes: &[&str]| scopes.iter().copied().map(str::to_owned).collect();
        self.tokens_mut().push(Token {
            account: Some(account.to_owned()),
            text: token.to_owned(),
            scopes: scopes.map(owned),
            revoked: false,
        });
    }

    /// Accepts a token no longer. It is still never recorded.
    pub(crate) fn revoke(&self, token: &str) {
        for known in self.tokens_mut().iter_mut() {
            known.revoked |= known.text == token;
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
                account: None,
                scopes: None,
            };
        };
        let value = value.to_str().unwrap_or_default();
        let (form, token) = match value.strip_prefix(BEARER) {
            Some(token) => (AuthorizationForm::Bearer, token),
            None => (AuthorizationForm::Raw, value),
        };
        let tokens = self.tokens();
        let found = tokens
            .iter()
            .find(|known| known.is(token))
            .filter(|_| self.accepted.contains(&form));
        Authorization {
            authorized: found.is_some(),
            form: Some(form),
            account: found.and_then(|known| known.account.clone()),
            scopes: found.and_then(|known| known.scopes.clone()),
        }
    }

    /// The text with every occurrence of a token replaced by [`PLACEHOLDER`].
    pub(crate) fn scrub(&self, text: &str) -> String {
        let tokens = self.tokens();
        let known = tokens.iter().filter(|known| !known.text.is_empty());
        known.fold(text.to_owned(), |text, known| {
            text.replace(&known.text, PLACEHOLDER)
        })
    }

    fn tokens(&self) -> RwLockReadGuard<'_, Vec<Token>> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens_mut(&self) -> RwLockWriteGuard<'_, Vec<Token>> {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    /// An empty token matches nothing, so that a forgotten setting does not accept everybody.
    fn is(&self, token: &str) -> bool {
        !self.revoked && !self.text.is_empty() && self.text == token
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
            account: None,
            scopes: None,
        };
        let bearer = Authorization {
            authorized: true,
            form: Some(AuthorizationForm::Bearer),
            account: None,
            scopes: None,
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
            account: None,
            scopes: None,
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
    fn accounts_are_told_apart_until_their_tokens_are_revoked() {
        let credential = Credential::new("key", BOTH);
        credential.accept("ann", "anns", None);
        let judge = |token: &'static str| {
            let value = HeaderValue::from_static(token);
            credential.judge(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
        };
        assert_eq!(judge("anns").account.as_deref(), Some("ann"));
        assert_eq!(judge("key").account, None);
        credential.revoke("anns");
        assert!(!judge("anns").authorized);
        assert_eq!(judge("anns").account, None);
        assert!(judge("key").authorized);
        assert_eq!(credential.scrub("anns key"), "[credential] [credential]");
    }

    #[test]
    fn a_token_is_good_for_its_scopes_and_one_without_for_all() {
        let credential = Credential::new("key", BOTH);
        credential.accept("ann", "anns", Some(&["read"]));
        let allows = |token: &'static str, any_of: &[&str]| {
            let value = HeaderValue::from_static(token);
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
            credential.judge(&headers).allows(any_of)
        };
        assert!(allows("anns", &["write", "read"]));
        assert!(!allows("anns", &["write"]));
        assert!(allows("key", &["write"]));
        assert!(!allows("other", &["read"]));
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
