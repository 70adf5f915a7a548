//! The half of a key that signs.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::{PublicKey, Signature, SignedDigest};

/// An Ed25519 private key. It is never shown, and wiped when it is dropped.
pub struct PrivateKey {
    signing: SigningKey,
    public: PublicKey,
}

/// Why a text is no private key. It does not repeat the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not an Ed25519 private key in PKCS#8 PEM without a passphrase; \
     `portcullis plugin keygen` makes one"
)]
pub struct UnreadableKey;

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public.id())
    }
}

impl PrivateKey {
    /// The key of 32 random bytes.
    pub fn from_random(bytes: &[u8; 32]) -> Result<Self, UnreadableKey> {
        Self::new(SigningKey::from_bytes(bytes))
    }

    /// Reads PKCS#8 PEM, with or without the public key in it.
    pub fn from_pem(text: &str) -> Result<Self, UnreadableKey> {
        let signing = SigningKey::from_pkcs8_pem(text.trim()).map_err(|_| UnreadableKey)?;
        Self::new(signing)
    }

    fn new(signing: SigningKey) -> Result<Self, UnreadableKey> {
        let public = PublicKey::new(&signing.verifying_key()).ok_or(UnreadableKey)?;
        Ok(Self { signing, public })
    }

    /// PKCS#8 PEM in its first version, which other tools read, too.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, UnreadableKey> {
        let pair = KeypairBytes {
            secret_key: self.signing.to_bytes(),
            public_key: None,
        };
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        pem.map_err(|_| UnreadableKey)
    }

    /// The other half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Vouches for a component. The same key makes the same signature each time.
    pub fn sign(&self, digest: SignedDigest) -> Signature {
        let signature = self.signing.sign(digest.message().as_bytes());
        Signature {
            key: self.public,
            bytes: signature.to_bytes(),
        }
    }
}
