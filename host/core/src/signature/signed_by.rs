//! What the signatures of a component amount to.

use super::{KeyId, PublicKey, Requirement, Signature, SignedDigest, TrustedKeys};

/// One signature, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Who signed it.
    pub signer: Signer,
    /// Whether that key made the signature for this component.
    pub valid: bool,
}

/// A key that signed something, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The whole key.
    pub key: PublicKey,
    /// Its name among the trusted keys; `None` when it is not one of them.
    pub name: Option<String>,
}

impl Signer {
    /// What people call the key.
    pub fn key_id(&self) -> KeyId {
        self.key.id()
    }
}

impl std::fmt::Display for Signer {
    /// `ci (key 0123456789abcdef)`, or the key alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (key {})", self.key_id()),
            None => write!(f, "key {}", self.key_id()),
        }
    }
}

/// Who signed a component: every signature fits. Nobody, if it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedBy {
    signers: Vec<Signer>,
}

/// A signature that does not fit: worse than none, since something has been
/// changed or mixed up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signature by {0} does not fit this plugin: it was changed after it was signed, or the \
     signature is another file's. Get both again from whoever signed it, or sign it anew with \
     `portcullis plugin sign`"
)]
pub struct Invalid(pub Signer);

/// No trusted key vouches for a plugin that needs one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// It has no signature.
    #[error(
        "the plugin is not signed, and plugins.require_signed asks for it: sign it with \
         `portcullis plugin sign FILE --key KEY`, by a key that plugins.trusted_keys names"
    )]
    Nobody,
    /// It has some, by keys nobody named.
    #[error(
        "the plugin is signed, but by no trusted key ({}): if you trust its owner, name the \
         public key in plugins.trusted_keys, or else sign it with `portcullis plugin sign FILE \
         --key KEY`", listed(.0)
    )]
    Unknown(Vec<KeyId>),
}

fn listed(keys: &[KeyId]) -> String {
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    keys.join(", ")
}

/// Looks at each signature once, also at those that do not fit.
pub fn judge(
    digest: SignedDigest,
    signatures: &[Signature],
    trusted: &TrustedKeys,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (index, signature) in signatures.iter().enumerate() {
        if signatures.iter().take(index).any(|seen| seen == signature) {
            continue;
        }
        verdicts.push(Verdict {
            signer: Signer {
                key: *signature.key(),
                name: trusted.name_of(signature.key()).map(str::to_owned),
            },
            valid: signature.fits(digest),
        });
    }
    verdicts
}

/// Who signed it. One signature that does not fit is an error, whatever the others
/// are worth and whether its key is trusted or not.
pub fn verify(
    digest: SignedDigest,
    signatures: &[Signature],
    trusted: &TrustedKeys,
) -> Result<SignedBy, Invalid> {
    let mut signed_by = SignedBy::default();
    for verdict in judge(digest, signatures, trusted) {
        if !verdict.valid {
            return Err(Invalid(verdict.signer));
        }
        if !signed_by.signers.contains(&verdict.signer) {
            signed_by.signers.push(verdict.signer);
        }
    }
    Ok(signed_by)
}

impl SignedBy {
    /// Everybody who signed it, trusted or not, each once.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// The names of the trusted keys among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.signers
            .iter()
            .filter_map(|signer| signer.name.as_deref())
    }

    /// Whether a trusted key vouches for it.
    pub fn is_trusted(&self) -> bool {
        self.names().next().is_some()
    }

    /// Whether that is enough for a plugin that came this way.
    pub fn satisfies(
        &self,
        requirement: Requirement,
        arrival: super::Arrival,
    ) -> Result<(), Unsigned> {
        if self.is_trusted() || !requirement.covers(arrival) {
            return Ok(());
        }
        if self.signers.is_empty() {
            return Err(Unsigned::Nobody);
        }
        let keys = self.signers.iter().map(Signer::key_id).collect();
        Err(Unsigned::Unknown(keys))
    }
}
