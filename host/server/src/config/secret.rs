//! Secrets in the configuration.

use std::fmt;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::SecretsConfig;

/// Text that is never shown.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text, for the moment it is needed.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for Secret {
    /// Whether there is one, and nothing else.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.expose().is_empty() {
            "[not set]"
        } else {
            "[set]"
        })
    }
}

/// 32 bytes from which the keys that encrypt at rest are derived.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the key from wherever the section says; the error is a rule, fit
    /// to follow the key's name.
    pub(super) fn read(section: &SecretsConfig) -> Result<Self, String> {
        let file = &section.master_key_file;
        let text = match (section.master_key.expose(), file.as_os_str().is_empty()) {
            ("", true) => {
                return Err("is required: 32 bytes as base64 or hex, for example from \
                     `openssl rand -base64 32`, here or in the file that \
                     secrets.master_key_file names"
                    .to_owned());
            }
            (key, true) => Zeroizing::new(key.to_owned()),
            ("", false) => Zeroizing::new(
                fs::read_to_string(file)
                    .map_err(|error| format!("cannot be read from {}: {error}", file.display()))?,
            ),
            (_, false) => {
                return Err("and secrets.master_key_file must not both be set".to_owned());
            }
        };
        Self::parse(text.trim()).ok_or_else(|| "must be 32 bytes, base64 or hex".to_owned())
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(if text.len() == 64 {
            hex::decode(text).ok()?
        } else {
            STANDARD.decode(text).ok()?
        });
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
        Some(Self(Zeroizing::new(key)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([REDACTED])")
    }
}
