//! Who vouches for a plugin: Ed25519 keys, signatures, and what they have to do
//! with each other.
//!
//! A signature is for a component without its signature sections, so that it can
//! be put into what it signs and others can sign the same. It carries the public
//! key it was made with: whether it fits can be told of every signature, and
//! whether its key is trusted is another question.

mod key;
mod private_key;
mod requirement;
mod signed_by;
#[cfg(test)]
mod tests;
mod trusted;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::id::InvalidId;

pub use key::{KeyId, PublicKey};
pub use private_key::{PrivateKey, UnreadableKey};
pub use requirement::{Arrival, Requirement};
pub use signed_by::{Invalid, SignedBy, Signer, Unsigned, Verdict, judge, verify};
pub use trusted::{MAX_TRUSTED_KEYS, TrustedKeys, UnusableKeys};

/// The custom section, at the outermost level of a component, that holds the text
/// of one [`Signature`].
pub const SECTION: &str = "portcullis:signature";

/// Signatures that are looked at for one component, in it and beside it. More
/// vouch for nothing more, and each costs a verification.
pub const MAX_SIGNATURES: usize = 16;

/// What a signature begins with: nothing that is signed for another purpose with
/// the same key can pass for a plugin, or the other way round.
const DOMAIN: &str = "portcullis plugin v1\n";

/// The SHA-256 of a component without its signature sections: what is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignedDigest([u8; 32]);

impl SignedDigest {
    /// Hashes what is left of a component, in its order.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    fn message(self) -> String {
        format!("{DOMAIN}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for SignedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Bytes of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// A signature and the key it was made with, shown as the key's text, a colon and
/// 64 bytes of base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    key: PublicKey,
    bytes: [u8; SIGNATURE_BYTES],
}

impl Signature {
    /// Characters of its text, which are always as many.
    pub const TEXT_CHARS: usize = PublicKey::TEXT_CHARS + 1 + 88;

    /// The key it says it was made with.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether that key made it, for this component. Strict: what other
    /// implementations might read in another way is no signature.
    pub fn fits(&self, digest: SignedDigest) -> bool {
        self.key.made(&self.bytes, digest.message().as_bytes())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, STANDARD.encode(self.bytes))
    }
}

impl FromStr for Signature {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId {
            kind: "signature",
            rule: "`ed25519:`, a public key, `:` and a signature, both in base64, as \
                   `portcullis plugin sign` writes it",
        };
        if text.len() != Self::TEXT_CHARS {
            return Err(invalid);
        }
        let (key, signature) = text.rsplit_once(':').ok_or(invalid.clone())?;
        let bytes = STANDARD.decode(signature).map_err(|_| invalid.clone())?;
        Ok(Self {
            key: key.parse().map_err(|_| invalid.clone())?,
            bytes: bytes.try_into().map_err(|_| invalid)?,
        })
    }
}

/// Several signatures as texts: the lines of a `.sig` file, or the values of a
/// header that may be repeated and joined with commas.
pub fn parse_list<'a>(
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Signature>, UnusableSignatures> {
    let mut signatures = Vec::new();
    let parts = texts
        .into_iter()
        .flat_map(|text| text.split([',', '\n']))
        .map(str::trim)
        .filter(|part| !part.is_empty());
    for part in parts {
        if signatures.len() == MAX_SIGNATURES {
            return Err(UnusableSignatures::TooMany);
        }
        signatures.push(part.parse()?);
    }
    Ok(signatures)
}

/// Why texts are no list of signatures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSignatures {
    /// One of them is none.
    #[error(transparent)]
    Malformed(#[from] InvalidId),
    /// Nobody needs as many.
    #[error("there are more than {MAX_SIGNATURES} signatures; leave out some")]
    TooMany,
}
