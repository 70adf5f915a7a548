//! The database of a gateway, for commands that work on it without one.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use portcullis_storage::{Error, Storage};

use super::failure::Failure;
use crate::config::Config;
use crate::vault::Vault;

/// Enough for one that moves rows and one that listens.
const CONNECTIONS: u32 = 2;

/// Which database, and with which keys.
#[derive(Debug, Args)]
pub(super) struct Database {
    /// TOML file; `portcullis config print --defaults` shows every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Database [default: sqlite:portcullis.db].
    #[arg(long, value_name = "URL")]
    storage: Option<String>,
}

impl Database {
    /// Opens a database that exists. A mistyped name must not make a new one, in
    /// which there would be nothing to do.
    pub(super) async fn open(&self) -> Result<(Arc<dyn Storage>, Vault), Failure> {
        let config = self.config()?;
        let (url, vault) = (&config.storage.url, vault(&config)?);
        check_exists(url)?;
        let storage = portcullis_storage::open(url, CONNECTIONS).await;
        Ok((opened(url, storage)?, vault))
    }

    /// Opens a database that exists, and leaves it as it is; a gateway may have it
    /// open meanwhile.
    pub(super) async fn open_to_read(&self) -> Result<(Arc<dyn Storage>, Vault), Failure> {
        let config = self.config()?;
        let (url, vault) = (&config.storage.url, vault(&config)?);
        check_exists(url)?;
        let storage = portcullis_storage::open_to_read(url).await;
        Ok((opened(url, storage)?, vault))
    }

    fn config(&self) -> Result<Config, Failure> {
        let storage = self.storage.iter().cloned();
        let overrides: Vec<_> = storage.map(|url| ("storage.url", url)).collect();
        Ok(Config::load(self.config.as_deref(), &overrides)?)
    }
}

fn vault(config: &Config) -> Result<Vault, Failure> {
    Ok(Vault::new(&config.master_keys()?))
}

fn check_exists(url: &str) -> anyhow::Result<()> {
    if !portcullis_storage::exists(url)? {
        bail!(
            "storage.url = {:?}: there is no such database; \
             name the gateway's with --config or --storage",
            portcullis_storage::shown(url)
        );
    }
    Ok(())
}

fn opened(url: &str, storage: Result<Arc<dyn Storage>, Error>) -> anyhow::Result<Arc<dyn Storage>> {
    let shown = portcullis_storage::shown(url);
    (storage.map_err(stop_first)).with_context(|| format!("storage.url = {shown:?}"))
}

/// Says what to do when the gateway runs.
fn stop_first(error: Error) -> anyhow::Error {
    match error {
        Error::InUse { path } => anyhow::anyhow!(
            "{} is in use by a gateway, and SQLite's file belongs to one process at a time; \
             stop the gateway, then run this again",
            path.display()
        ),
        other => other.into(),
    }
}
