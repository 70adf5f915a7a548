//! `portcullis plugin inspect`.

use std::path::Path;
use std::sync::Arc;

use portcullis_runtime::egress::{EgressLimits, SystemResolver};
use portcullis_runtime::inspect::{Inspection, inspect as read_imports};
use portcullis_runtime::{Plugin, Sandbox, SandboxConfig};

use super::super::failure::Failure;
use super::super::output::Report;
use super::sheet;
use crate::sources::{PluginLoader, read_component};

/// Loads a component as the gateway does, and describes it.
pub(super) async fn inspect(file: &Path) -> Result<Report, Failure> {
    let (plugin, inspection) = load(file).await.map_err(|reason| {
        Failure::other(format!("{}: {reason}", file.display()))
            .hint("`cargo xtask plugins` builds components that a gateway takes")
    })?;
    Ok(sheet::sheet(&plugin, &inspection))
}

async fn load(file: &Path) -> Result<(Plugin, Inspection), String> {
    let config = small();
    let limit = config.component_bytes;
    let bytes = read_component(file.to_owned(), limit).await?;
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
