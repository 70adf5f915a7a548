//! Encrypted values, as rows keep them.

use std::fmt;

/// A value sealed with authenticated encryption before it came to storage, which
/// neither seals nor opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key it was sealed with, so that keys can be rotated.
    pub key_id: String,
    /// Nonce, ciphertext and tag, in the sealer's layout.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    /// Shows the key and the length: even sealed bytes stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("key_id", &self.key_id)
            .field("bytes", &format_args!("<{} bytes>", self.bytes.len()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_bytes() {
        let sealed = Sealed {
            key_id: "k1".to_owned(),
            bytes: vec![171, 205],
        };
        assert_eq!(
            format!("{sealed:?}"),
            r#"Sealed { key_id: "k1", bytes: <2 bytes> }"#
        );
    }
}
