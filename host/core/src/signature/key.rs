//! The half of a key that everybody may know.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

use super::SIGNATURE_BYTES;
use crate::id::InvalidId;

const ALGORITHM: &str = "ed25519:";

/// What people call a key: the first 16 hex digits of the SHA-256 of the public
/// key. For reading only; keys are compared whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An Ed25519 public key, shown as `ed25519:` and 32 bytes of base64; never one of
/// the few with which signatures fit what nobody signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Characters of its text, which are always as many.
    pub const TEXT_CHARS: usize = ALGORITHM.len() + 44;

    pub(super) fn new(key: &VerifyingKey) -> Option<Self> {
        (!key.is_weak()).then_some(Self(key.to_bytes()))
    }

    /// What people call it.
    pub fn id(&self) -> KeyId {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(Sha256::digest(self.0)) {
            *to = from;
        }
        KeyId(id)
    }

    pub(super) fn made(&self, signature: &[u8; SIGNATURE_BYTES], message: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        let key = VerifyingKey::from_bytes(&self.0);
        key.is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId {
            kind: "public key",
            rule: "`ed25519:` and 32 bytes of base64, as `portcullis plugin keygen` prints it",
        };
        let encoded = text.strip_prefix(ALGORITHM).ok_or(invalid.clone())?;
        let bytes = STANDARD.decode(encoded).map_err(|_| invalid.clone())?;
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| invalid.clone())?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| invalid.clone())?;
        // A point may have a second spelling, and a key has one text.
        let is_canonical = key.to_edwards().compress().0 == bytes;
        Self::new(&key).filter(|_| is_canonical).ok_or(invalid)
    }
}
