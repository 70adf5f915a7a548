//! The flags that set keys of the gateway's configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, ConfigError};

/// What the configuration is read from besides the environment.
#[derive(Debug, Args)]
pub(super) struct Settings {
    /// TOML file; `portcullis config print --defaults` shows every key.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Address and port to serve on [default: 127.0.0.1:8480].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Database: `sqlite:PATH` or `postgres://USER@HOST/DATABASE` [default: sqlite:portcullis.db].
    #[arg(long, value_name = "URL")]
    storage: Option<String>,
    /// Directory of plugin components [default: plugins].
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// What to log: a level, or targets with levels [default: info].
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

impl Settings {
    /// The configuration, validated.
    pub(super) fn load(&self) -> Result<Config, ConfigError> {
        Config::load(self.config.as_deref(), &self.overrides())
    }

    /// The configuration as it is, for showing it.
    pub(super) fn read(&self) -> Result<Config, ConfigError> {
        Config::read(self.config.as_deref(), &self.overrides())
    }

    fn overrides(&self) -> Vec<(&'static str, String)> {
        let mut overrides = Vec::new();
        if let Some(listen) = &self.listen {
            overrides.push(("server.listen", listen.to_string()));
        }
        if let Some(url) = &self.storage {
            overrides.push(("storage.url", url.clone()));
        }
        if let Some(directory) = &self.plugins {
            overrides.push(("plugins.directory", directory.display().to_string()));
        }
        if let Some(filter) = &self.log {
            overrides.push(("log.filter", filter.clone()));
        }
        overrides
    }
}
