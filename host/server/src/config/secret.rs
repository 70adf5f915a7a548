//! Secrets in the configuration.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
        serializer.serialize_str(shown(!self.expose().is_empty()))
    }
}

const fn shown(is_set: bool) -> &'static str {
    if is_set { "[set]" } else { "[not set]" }
}

/// Several of them: a list, or text with commas or white space in between, which
/// is what an environment variable or a file can hold.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<Secret>);

impl Serialize for Secrets {
    /// Whether there are any, and nothing else.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(shown(!self.0.is_empty()))
    }
}

impl Secrets {
    /// Takes a text apart.
    pub(super) fn parse(text: &str) -> Self {
        let parts = text.split(|c: char| c == ',' || c.is_whitespace());
        let parts = parts.filter(|part| !part.is_empty());
        Self(parts.map(|part| Secret::new(part.to_owned())).collect())
    }

    pub(super) fn as_slice(&self) -> &[Secret] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretsVisitor)
    }
}

struct SecretsVisitor;

impl<'de> Visitor<'de> for SecretsVisitor {
    type Value = Secrets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts, or one text with commas in between")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secrets, E> {
        Ok(Secrets::parse(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Secrets, A::Error> {
        let mut secrets = Vec::new();
        while let Some(secret) = list.next_element()? {
            secrets.push(secret);
        }
        Ok(Secrets(secrets))
    }
}
