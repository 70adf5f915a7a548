//! Who is calling.
//!
//! Three kinds of caller, told apart by their bearer credential alone. A token
//! says who somebody claims to be; what they may do (a role, a session's state)
//! is read from storage at each request, so that it can be taken away.

mod tokens;

use portcullis_core::id::{OrganizationId, SessionId, UserId};
use portcullis_core::time::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::config::AuthConfig;
use tokens::TokenKeys;
pub use tokens::{MintedToken, TokenKind};

/// Who is calling, as proved by the bearer credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Holds the key from the configuration.
    Operator,
    /// A person of an organization. Whether they are a member, and with which
    /// role, is not in the token.
    User {
        /// The organization the token is for.
        organization: OrganizationId,
        /// The person.
        user: UserId,
    },
    /// An agent, bound to one session.
    Sandbox {
        /// Its session.
        session: SessionId,
    },
}

/// Why a bearer credential proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Neither the operator's key nor a token of ours.
    #[error("the bearer credential is not valid")]
    Invalid,
    /// A token of ours whose time is over.
    #[error("the token has expired")]
    Expired,
}

/// Checks and mints credentials.
pub struct Authenticator {
    operator_key_hash: [u8; 32],
    tokens: TokenKeys,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

impl Authenticator {
    /// Derives the keys.
    pub fn new(config: &AuthConfig) -> Self {
        Self {
            operator_key_hash: Sha256::digest(config.operator_key.expose()).into(),
            tokens: TokenKeys::new(config),
        }
    }

    /// Tells who holds a bearer credential.
    pub fn authenticate(&self, bearer: &str, now: Timestamp) -> Result<Caller, AuthError> {
        // Hashes have one length, so the comparison tells nothing of the key's.
        let hash: [u8; 32] = Sha256::digest(bearer).into();
        if bool::from(hash.ct_eq(&self.operator_key_hash)) {
            return Ok(Caller::Operator);
        }
        self.tokens.verify(bearer, now)
    }

    /// Mints a token.
    pub fn mint(&self, kind: &TokenKind, now: Timestamp) -> MintedToken {
        self.tokens.mint(kind, now)
    }
}
