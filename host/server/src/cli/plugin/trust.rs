//! Whose signatures count for a command.

use std::path::{Path, PathBuf};

use clap::Args;
use portcullis_core::signature::{PublicKey, TrustedKeys};

use super::super::failure::Failure;
use super::files;
use crate::config::Config;

/// The keys of a gateway's configuration.
#[derive(Debug, Default, Args)]
pub(super) struct Configured {
    /// The gateway's configuration, whose trusted keys tell who signed what.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Configured {
    /// The keys it names. The rest of the configuration need not be complete.
    pub(super) fn keys(&self) -> Result<TrustedKeys, Failure> {
        let config = Config::read(self.config.as_deref(), &[])?;
        Ok(config.trusted_keys()?)
    }
}

/// Adds a key from the command line: its text, or a file that holds it.
pub(super) fn add(keys: &mut TrustedKeys, given: &str, number: usize) -> Result<(), Failure> {
    let key = public_key(given)?;
    if keys.name_of(&key).is_some() {
        return Ok(());
    }
    let name = if number == 0 {
        "given".to_owned()
    } else {
        format!("given-{}", number + 1)
    };
    let added = keys.add(&name, key);
    added.map_err(|error| Failure::usage(format!("--key: {error}")))
}

fn public_key(given: &str) -> Result<PublicKey, Failure> {
    let path = Path::new(given);
    if given.starts_with("ed25519:") {
        let key = given.parse();
        return key.map_err(|error| Failure::usage(format!("--key: {error}")));
    }
    let text = files::text(path)?;
    let key = text.trim().parse();
    key.map_err(|error| files::failed(path, error))
}
