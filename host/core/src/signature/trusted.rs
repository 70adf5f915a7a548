//! The keys whose signatures count.

use std::collections::BTreeMap;

use super::PublicKey;
use crate::id::InvalidId;

/// Keys that can be trusted at the same time: one for each who signs, and a few
/// that are being replaced.
pub const MAX_TRUSTED_KEYS: usize = 64;

/// Characters of a key's name.
const MAX_NAME_CHARS: usize = 64;

/// Public keys by the names their owners are known by; no key has two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedKeys(BTreeMap<String, PublicKey>);

/// Why names and texts are no trusted keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKeys {
    /// The text is no key.
    #[error("`{name}`: {reason}")]
    Malformed {
        /// Whose key it would be.
        name: String,
        /// The rule.
        reason: InvalidId,
    },
    /// The name does not fit into a list or a log.
    #[error(
        "{name:?} is no name of a key: it has 1 to {MAX_NAME_CHARS} letters, digits, `-`, `_` \
         or `.`"
    )]
    Name {
        /// As much of it as fits.
        name: String,
    },
    /// One key under two names.
    #[error("`{first}` and `{second}` are the same key; name it once")]
    Twice {
        /// A name.
        first: String,
        /// Another.
        second: String,
    },
    /// More than anybody can keep an eye on.
    #[error("there are more than {MAX_TRUSTED_KEYS} keys; remove some that sign nothing any more")]
    TooMany,
}

impl TrustedKeys {
    /// Reads texts such as `ed25519:…`, each under its name.
    pub fn parse<'a>(
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, UnusableKeys> {
        let mut keys = Self::default();
        for (name, text) in texts {
            let key = text
                .trim()
                .parse()
                .map_err(|reason| UnusableKeys::Malformed {
                    name: shown(name),
                    reason,
                })?;
            keys.add(name, key)?;
        }
        Ok(keys)
    }

    /// Trusts one more key.
    pub fn add(&mut self, name: &str, key: PublicKey) -> Result<(), UnusableKeys> {
        if !is_name(name) {
            return Err(UnusableKeys::Name { name: shown(name) });
        }
        if let Some(first) = self.name_of(&key) {
            return Err(UnusableKeys::Twice {
                first: first.to_owned(),
                second: name.to_owned(),
            });
        }
        if self.0.len() == MAX_TRUSTED_KEYS {
            return Err(UnusableKeys::TooMany);
        }
        self.0.insert(name.to_owned(), key);
        Ok(())
    }

    /// By what name this key is trusted; `None` when it is not.
    pub fn name_of(&self, key: &PublicKey) -> Option<&str> {
        let found = self.0.iter().find(|(_, trusted)| *trusted == key);
        found.map(|(name, _)| name.as_str())
    }

    /// Names and keys, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PublicKey)> {
        self.0.iter().map(|(name, key)| (name.as_str(), key))
    }

    /// Whether nobody's signature counts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= MAX_NAME_CHARS && name.chars().all(fits)
}

fn shown(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}
