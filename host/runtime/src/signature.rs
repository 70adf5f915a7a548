//! The signatures in a component, and whether they and others fit it.
//!
//! A signature in a component is a custom section at its outermost level, named
//! [`SECTION`]. What is signed is everything but these sections.

#[cfg(test)]
mod tests;

use portcullis_core::id::InvalidId;
use portcullis_core::signature::{
    self, Invalid, MAX_SIGNATURES, SECTION, Signature, SignedBy, SignedDigest, TrustedKeys, Verdict,
};

use crate::sections::{self, NoSections};

/// Why it cannot be told who signed a component, or why nobody should believe it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The bytes are no component.
    #[error(transparent)]
    NotAComponent(#[from] NoSections),
    /// A section has the name of a signature and holds something else.
    #[error(
        "a `{SECTION}` section holds no signature: {0}. Take it out, or get the plugin again from \
         whoever signed it"
    )]
    Malformed(InvalidId),
    /// Nobody needs as many.
    #[error("the plugin has more than {MAX_SIGNATURES} signatures; leave out some")]
    TooMany,
    /// One does not fit.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// What of a component is signed, and the signatures in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What signatures are for.
    pub digest: SignedDigest,
    /// At most [`MAX_SIGNATURES`]; not verified yet.
    pub signatures: Vec<Signature>,
}

/// Reads what of a component is signed, and by whom it says it is. Hashes all of
/// it: a millisecond for each few megabytes.
pub fn read(bytes: &[u8]) -> Result<Signed, SignatureError> {
    let mut signatures = Vec::new();
    let mut parts = Vec::new();
    let mut begin = 0;
    for section in sections::custom(bytes)? {
        if section.name != SECTION {
            continue;
        }
        if signatures.len() == MAX_SIGNATURES {
            return Err(SignatureError::TooMany);
        }
        signatures.push(parse(section.data)?);
        parts.extend(bytes.get(begin..section.range.start));
        begin = section.range.end;
    }
    parts.extend(bytes.get(begin..));
    Ok(Signed {
        digest: SignedDigest::of(parts),
        signatures,
    })
}

fn parse(data: &[u8]) -> Result<Signature, SignatureError> {
    let text = std::str::from_utf8(data).unwrap_or_default();
    text.parse().map_err(SignatureError::Malformed)
}

/// Who signed a component, in it and beside it. A signature that does not fit is
/// an error, also of a key that nobody trusts; a component without any is signed
/// by nobody, which is for [`SignedBy::satisfies`] to judge.
pub fn check(
    bytes: &[u8],
    detached: &[Signature],
    trusted: &TrustedKeys,
) -> Result<SignedBy, SignatureError> {
    let signed = with(read(bytes)?, detached)?;
    let verified = signature::verify(signed.digest, &signed.signatures, trusted);
    Ok(verified?)
}

/// As [`check`], for whoever wants to see each signature, also those that do not
/// fit.
pub fn judge(
    bytes: &[u8],
    detached: &[Signature],
    trusted: &TrustedKeys,
) -> Result<Vec<Verdict>, SignatureError> {
    let signed = with(read(bytes)?, detached)?;
    Ok(signature::judge(signed.digest, &signed.signatures, trusted))
}

fn with(mut signed: Signed, detached: &[Signature]) -> Result<Signed, SignatureError> {
    signed.signatures.extend_from_slice(detached);
    if signed.signatures.len() > MAX_SIGNATURES {
        return Err(SignatureError::TooMany);
    }
    Ok(signed)
}

/// The component with one more signature in it, which vouches for the same as
/// those that are there already.
pub fn embed(mut bytes: Vec<u8>, signature: &Signature) -> Vec<u8> {
    sections::append(&mut bytes, SECTION, signature.to_string().as_bytes());
    bytes
}
