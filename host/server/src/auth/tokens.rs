//! Sandbox and user tokens: JWTs, HS256, one derived key for each kind.
//!
//! The algorithm is pinned and the keys differ, so neither `alg` in a token's
//! header nor a claim in it can turn one kind into the other.

use std::time::Duration;

use hkdf::Hkdf;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use portcullis_core::id::{OrganizationId, SessionId, UserId};
use portcullis_core::time::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{AuthError, Caller};
use crate::config::AuthConfig;

/// Longer text is no token of ours, and not worth decoding.
const MAX_TOKEN_BYTES: usize = 4 << 10;

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// An agent in one session.
    Sandbox(SessionId),
    /// A person of an organization.
    User(OrganizationId, UserId),
}

/// A new token.
#[derive(Debug, Clone)]
pub struct MintedToken {
    /// The bearer credential.
    pub token: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

pub(super) struct TokenKeys {
    sandbox: KeyPair,
    user: KeyPair,
}

struct KeyPair {
    encoding: EncodingKey,
    decoding: DecodingKey,
    audience: &'static str,
    life: Duration,
}

/// Times are whole seconds since the epoch, as RFC 7519 has them.
#[derive(Serialize, Deserialize)]
struct SandboxClaims {
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
}

#[derive(Serialize, Deserialize)]
struct UserClaims {
    aud: String,
    sub: String,
    org: String,
    iat: i64,
    exp: i64,
}

impl TokenKeys {
    pub(super) fn new(config: &AuthConfig) -> Self {
        let secret = config.token_secret.expose();
        Self {
            sandbox: KeyPair::derive(
                secret,
                "portcullis/sandbox",
                Duration::from_secs(config.sandbox_token_seconds),
            ),
            user: KeyPair::derive(
                secret,
                "portcullis/user",
                Duration::from_secs(config.user_token_seconds),
            ),
        }
    }

    pub(super) fn mint(&self, kind: &TokenKind, now: Timestamp) -> MintedToken {
        let pair = match kind {
            TokenKind::Sandbox(_) => &self.sandbox,
            TokenKind::User(..) => &self.user,
        };
        let expires_at = now.saturating_add(pair.life);
        let (aud, iat, exp) = (
            pair.audience.to_owned(),
            now.as_seconds(),
            expires_at.as_seconds(),
        );
        let token = match kind {
            TokenKind::Sandbox(session) => pair.sign(&SandboxClaims {
                aud,
                sub: session.to_string(),
                iat,
                exp,
            }),
            TokenKind::User(organization, user) => pair.sign(&UserClaims {
                aud,
                sub: user.to_string(),
                org: organization.to_string(),
                iat,
                exp,
            }),
        };
        MintedToken {
            token,
            expires_at: Timestamp::from_micros(exp.saturating_mul(1_000_000)),
        }
    }

    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid);
        }
        if let Some(claims) = self.sandbox.read::<SandboxClaims>(token) {
            check_time(claims.exp, now)?;
            let session = claims.sub.parse().map_err(|_| AuthError::Invalid)?;
            return Ok(Caller::Sandbox { session });
        }
        let claims = self
            .user
            .read::<UserClaims>(token)
            .ok_or(AuthError::Invalid)?;
        check_time(claims.exp, now)?;
        Ok(Caller::User {
            organization: claims.org.parse().map_err(|_| AuthError::Invalid)?,
            user: claims.sub.parse().map_err(|_| AuthError::Invalid)?,
        })
    }
}

impl KeyPair {
    fn derive(secret: &str, audience: &'static str, life: Duration) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, secret.as_bytes())
            .expand(audience.as_bytes(), key.as_mut_slice())
            .expect("a key is far shorter than HKDF's limit");
        Self {
            encoding: EncodingKey::from_secret(key.as_slice()),
            decoding: DecodingKey::from_secret(key.as_slice()),
            audience,
            life,
        }
    }

    fn sign(&self, claims: &impl Serialize) -> String {
        encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
            .expect("claims are plain strings and numbers, and the key fits the algorithm")
    }

    /// The claims of a token that this key signed. Its time is checked by the
    /// caller, who has the clock.
    fn read<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[self.audience]);
        validation.set_required_spec_claims(&["aud", "sub", "exp"]);
        validation.validate_exp = false;
        decode(token, &self.decoding, &validation)
            .ok()
            .map(|data| data.claims)
    }
}

fn check_time(expires_at_seconds: i64, now: Timestamp) -> Result<(), AuthError> {
    if now.as_seconds() < expires_at_seconds {
        Ok(())
    } else {
        Err(AuthError::Expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn keys(secret: &str) -> TokenKeys {
        TokenKeys::new(&AuthConfig {
            operator_key: Secret::new(String::new()),
            token_secret: Secret::new(secret.to_owned()),
            sandbox_token_seconds: 100,
            user_token_seconds: 10,
        })
    }

    fn session() -> SessionId {
        "6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11".parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_token_tells_who_holds_it_until_it_expires() {
        let keys = keys("secret");
        let minted = keys.mint(&TokenKind::Sandbox(session()), at(1_000));
        assert_eq!(minted.expires_at, at(1_100));
        let caller = Caller::Sandbox { session: session() };
        assert_eq!(keys.verify(&minted.token, at(1_099)), Ok(caller));
        assert_eq!(
            keys.verify(&minted.token, at(1_100)),
            Err(AuthError::Expired)
        );
    }

    #[test]
    fn a_token_of_another_gateway_is_invalid() {
        let minted = keys("other").mint(&TokenKind::Sandbox(session()), at(0));
        assert_eq!(
            keys("secret").verify(&minted.token, at(0)),
            Err(AuthError::Invalid)
        );
    }

    #[test]
    fn another_algorithm_is_invalid_even_with_the_right_key() {
        let keys = keys("secret");
        let claims = SandboxClaims {
            aud: "portcullis/sandbox".to_owned(),
            sub: session().to_string(),
            iat: 0,
            exp: i64::MAX,
        };
        let forged = encode(
            &Header::new(Algorithm::HS512),
            &claims,
            &keys.sandbox.encoding,
        )
        .unwrap();
        assert_eq!(keys.verify(&forged, at(0)), Err(AuthError::Invalid));
    }

    #[test]
    fn a_users_claims_under_the_sandbox_key_are_invalid() {
        let keys = keys("secret");
        let forged = keys.sandbox.sign(&UserClaims {
            aud: "portcullis/user".to_owned(),
            sub: "mallory".to_owned(),
            org: "acme".to_owned(),
            iat: 0,
            exp: i64::MAX,
        });
        assert_eq!(keys.verify(&forged, at(0)), Err(AuthError::Invalid));
    }

    #[test]
    fn an_unsigned_token_is_invalid() {
        // {"alg":"none","typ":"JWT"} . {"aud":"portcullis/sandbox","sub":…,"exp":…} .
        let token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\
            eyJhdWQiOiJwb3J0Y3VsbGlzL3NhbmRib3giLCJzdWIiOiI2ZjJjMWU5YS0zYTFkLTRjNTctOWE1My0wZDNjMGI4ZjdlMTEiLCJleHAiOjk5OTk5OTk5OTl9.";
        assert_eq!(keys("secret").verify(token, at(0)), Err(AuthError::Invalid));
        assert_eq!(keys("secret").verify("", at(0)), Err(AuthError::Invalid));
        assert_eq!(
            keys("secret").verify(&"a".repeat(10_000), at(0)),
            Err(AuthError::Invalid)
        );
    }
}
