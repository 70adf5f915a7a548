//! `portcullis plugin inspect`.

use std::path::Path;
use std::sync::Arc;

use portcullis_runtime::egress::{EgressLimits, SystemResolver};
use portcullis_runtime::inspect::{Inspection, inspect as read_imports};
use portcullis_runtime::{Plugin, Sandbox, SandboxConfig};

use super::super::failure::Failure;
use super::super::output::Report;
use super::sheet;
use crate::plugins::read_component;
use crate::sources::PluginLoader;

/// Loads a component as the gateway does, and describes it.
pub(super) async fn inspect(file: &Path) -> Result<Report, Failure> {
    let failure = |reason: String| Failure::other(format!("{}: {reason}", file.display()));
    let config = small();
    let bytes = read_component(file.to_owned(), config.component_bytes).await;
    let (plugin, inspection) = load(bytes.map_err(failure)?, config)
        .await
        .map_err(|reason| {
            failure(reason).hint("`cargo xtask plugins` builds components that a gateway takes")
        })?;
    Ok(sheet::sheet(&plugin, &inspection))
}

async fn load(bytes: Vec<u8>, config: SandboxConfig) -> Result<(Plugin, Inspection), String> {
    let limit = config.component_bytes;
    let inspection = read_imports(&bytes, limit).map_err(|error| error.to_string())?;
    let loader = PluginLoader {
        sandbox: Sandbox::new(config).map_err(|error| error.to_string())?,
        limits: EgressLimits::default(),
        resolver: Arc::new(SystemResolver),
    };
    let plugin = loader.load(bytes).await;
    Ok((plugin.map_err(|error| error.to_string())?, inspection))
}

/// Room for the one call at a time that describing takes.
fn small() -> SandboxConfig {
    SandboxConfig {
        concurrent_calls: 1,
        guest_threads: 1,
        ..SandboxConfig::default()
    }
}
