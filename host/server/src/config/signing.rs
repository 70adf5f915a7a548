//! Whose plugins are taken: two keys of section `[plugins]`.

use std::collections::BTreeMap;

use portcullis_core::signature::{Requirement, TrustedKeys};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, invalid};

/// Which plugins need the signature of a trusted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequireSigned {
    /// What comes over the API.
    Uploads,
    /// The watched directory's as well.
    All,
    /// None.
    None,
}

impl From<RequireSigned> for Requirement {
    fn from(required: RequireSigned) -> Self {
        match required {
            RequireSigned::Uploads => Self::Uploads,
            RequireSigned::All => Self::All,
            RequireSigned::None => Self::None,
        }
    }
}

/// Public keys as the configuration spells them, by name.
pub type KeyTexts = BTreeMap<String, String>;

impl Config {
    /// The keys whose signatures count.
    pub fn trusted_keys(&self) -> Result<TrustedKeys, ConfigError> {
        let texts = &self.plugins.trusted_keys;
        let texts = texts
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        TrustedKeys::parse(texts)
            .map_err(|error| invalid("plugins.trusted_keys", error.to_string()))
    }
}
