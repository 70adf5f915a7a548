//! Everything a version of a plugin says about itself and asks for.
//!
//! The manifest of every version is kept, so that a version can be compared with
//! one whose bytes are not at hand, and need not be run for it.

mod document;
#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeSet;

use super::{AskedLimits, PluginDescriptor};
use crate::action::ActionDefinition;
use crate::id::SourceId;

/// The bytes of a manifest's text: what a row holds at most. The largest of the
/// bundled plugins has 40 KB, and 256 actions with schemas of 16 KB still fit.
pub const MAX_MANIFEST_BYTES: usize = 8 << 20;

/// What people and agents are told about a version, and all it can ask of the
/// host. Two versions with equal manifests differ in their code alone.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginManifest {
    /// The answer of `provider.describe`.
    pub descriptor: PluginDescriptor,
    /// Interfaces of the contract that are imported, such as `http`.
    pub imports: BTreeSet<String>,
    /// Interfaces of WASI that are imported, such as `wasi:cli/environment@0.2.6`.
    pub wasi: BTreeSet<String>,
    /// The answer of `actions.list`, in the plugin's order.
    pub actions: Vec<ActionDefinition>,
    /// The answer of `actions.guide`: markdown that agents read.
    pub guide: String,
}

/// A manifest that cannot be kept, or was not kept by us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidManifest {
    /// Larger than a row takes.
    #[error(
        "what the plugin says about itself takes {bytes} bytes; \
         the limit is {MAX_MANIFEST_BYTES}: shorten its schemas, texts or examples"
    )]
    TooLarge {
        /// What it takes.
        bytes: usize,
    },
    /// Written by another version of the gateway.
    #[error("the manifest has format {found}; this gateway reads format {FORMAT}")]
    Format {
        /// What it has.
        found: u64,
    },
    /// No manifest.
    #[error("the manifest cannot be read: {0}")]
    Unreadable(String),
}

/// The format of the text.
const FORMAT: u64 = 1;

impl PluginManifest {
    /// What a plugin says that does not exist: beside it, everything is new.
    pub fn nothing(id: &SourceId) -> Self {
        Self {
            descriptor: PluginDescriptor {
                id: id.clone(),
                name: String::new(),
                description: String::new(),
                icon: None,
                version: String::new(),
                connections: Vec::new(),
                endpoints: Vec::new(),
                asks: AskedLimits::default(),
            },
            imports: BTreeSet::new(),
            wasi: BTreeSet::new(),
            actions: Vec::new(),
            guide: String::new(),
        }
    }

    /// The manifest as text that [`from_json`](Self::from_json) reads.
    ///
    /// Fails with [`InvalidManifest::TooLarge`] alone.
    pub fn to_json(&self) -> Result<String, InvalidManifest> {
        let text = document::write(self);
        within_limit(text.len())?;
        Ok(text)
    }

    /// Reads what [`to_json`](Self::to_json) wrote, and nothing else: a name that
    /// is not known, or one that is missing, is an error, since a comparison must
    /// not overlook what it does not know.
    pub fn from_json(text: &str) -> Result<Self, InvalidManifest> {
        within_limit(text.len())?;
        document::read(text)
    }
}

const fn within_limit(bytes: usize) -> Result<(), InvalidManifest> {
    if bytes > MAX_MANIFEST_BYTES {
        return Err(InvalidManifest::TooLarge { bytes });
    }
    Ok(())
}
