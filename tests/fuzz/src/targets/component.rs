//! Bytes that are installed as a plugin: read before anything is compiled.

use portcullis_core::signature::{PrivateKey, SignedDigest, TrustedKeys};
use portcullis_runtime::inspect::{InspectError, inspect};
use portcullis_runtime::{provenance, signature};

/// More than any input has.
const MAX_BYTES: usize = 16 << 20;

pub(super) fn check(bytes: &[u8]) {
    let inspected = inspect(bytes, MAX_BYTES);
    assert_eq!(inspect(bytes, MAX_BYTES), inspected, "another answer");
    if let Some(less) = bytes.len().checked_sub(1) {
        let refused = inspect(bytes, less);
        assert!(matches!(refused, Err(InspectError::TooLarge { .. })));
    }
    match &inspected {
        Ok(inspection) => {
            assert_eq!(inspection.size, bytes.len());
            assert!(inspection.exports.contains("provider"));
            for import in &inspection.imports {
                assert!(
                    ["clock", "http", "log", "types"].contains(&import.as_str()),
                    "{import}"
                );
            }
            for import in &inspection.wasi {
                assert!(import.starts_with("wasi:"), "{import}");
            }
        }
        Err(error) => {
            let told = error.to_string();
            assert!(
                told.len() < 2_000 && !told.contains(char::is_control),
                "{told:?}"
            );
        }
    }
    let _ = provenance::read(bytes);
    check_signatures(bytes, inspected.is_ok());
}

/// A signature fits the component it was made for, and no other.
fn check_signatures(bytes: &[u8], is_component: bool) {
    let Ok(signed) = signature::read(bytes) else {
        return;
    };
    let key = PrivateKey::from_random(&[7; 32]).unwrap();
    let with_one = signature::embed(bytes.to_vec(), &key.sign(signed.digest));
    let Ok(read) = signature::read(&with_one) else {
        return;
    };
    assert_eq!(read.digest, signed.digest);
    assert_eq!(read.signatures.len(), signed.signatures.len() + 1);
    if is_component && signed.signatures.is_empty() {
        assert!(inspect(&with_one, MAX_BYTES).is_ok());
        let trusted = TrustedKeys::default();
        assert!(signature::check(&with_one, &[], &trusted).is_ok());
        let other = key.sign(SignedDigest::of([b"other".as_slice()]));
        assert!(signature::check(bytes, &[other], &trusted).is_err());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TARGETS, corpus};

    /// Otherwise half of the above would not be reached.
    #[test]
    fn the_corpus_has_components_that_pass() {
        let target = TARGETS.iter().find(|target| target.name == "component");
        let corpus = corpus::of(target.unwrap());
        let passing = corpus
            .iter()
            .filter(|seed| inspect(&seed.bytes, MAX_BYTES).is_ok());
        assert!(passing.count() >= 2);
    }
}
