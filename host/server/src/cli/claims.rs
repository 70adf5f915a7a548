//! What a token says about its holder.
//!
//! Read without being verified, to save typing: which session or organization
//! to ask about. Whether it is true is the gateway's to decide.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Whom a token is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claims {
    /// An agent in this session.
    Sandbox(String),
    /// A person of this organization.
    User(String),
}

#[derive(Deserialize)]
struct Payload {
    aud: String,
    sub: String,
    org: Option<String>,
}

impl Claims {
    /// Reads a token; `None` for anything that is none of ours.
    pub(super) fn read(token: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let payload: Payload = serde_json::from_slice(&payload).ok()?;
        match (payload.aud.as_str(), payload.org) {
            ("portcullis/sandbox", _) => Some(Self::Sandbox(payload.sub)),
            ("portcullis/user", Some(org)) => Some(Self::User(org)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::time::Timestamp;

    use super::*;
    use crate::auth::{Authenticator, TokenKind};
    use crate::config::{AuthConfig, Secret};

    #[test]
    fn the_gateways_own_tokens_are_read() {
        let authenticator = Authenticator::new(&AuthConfig {
            operator_key: Secret::new("o".repeat(32)),
            token_secret: Secret::new("t".repeat(32)),
            sandbox_token_seconds: 10,
            user_token_seconds: 10,
        });
        let session = "6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11";
        for (kind, claims) in [
            (
                TokenKind::Sandbox(session.parse().unwrap()),
                Claims::Sandbox(session.to_owned()),
            ),
            (
                TokenKind::User("acme".parse().unwrap(), "ada".parse().unwrap()),
                Claims::User("acme".to_owned()),
            ),
        ] {
            let minted = authenticator.mint(&kind, Timestamp::from_micros(0));
            assert_eq!(Claims::read(&minted.token), Some(claims));
        }
    }

    #[test]
    fn anything_else_says_nothing() {
        for token in ["", "operator-key", "a.b.c", "a.e30.c", "..", "a.!!.c"] {
            assert_eq!(Claims::read(token), None, "{token}");
        }
    }
}
