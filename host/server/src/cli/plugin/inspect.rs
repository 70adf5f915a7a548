//! `portcullis plugin inspect`.

use std::path::Path;
use std::sync::Arc;

use portcullis_runtime::egress::{EgressLimits, SystemResolver};
use portcullis_runtime::{Compiler, Plugin, Sandbox, SandboxConfig};

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::Report;
use super::sheet;
use crate::config::Config;
use crate::sources::{PluginLoader, read_component};

/// Loads a component as the gateway does, and describes it.
pub(super) async fn inspect(file: &Path, console: &Console) -> Result<Report, Failure> {
    let failure = |reason: String| Failure::other(format!("{}: {reason}", file.display()));
    let compiler = compiler(console)?;
    let config = small();
    let bytes = read_component(file.to_owned(), config.component_bytes).await;
    let plugin = load(bytes.map_err(failure)?, config, compiler)
        .await
        .map_err(|reason| {
            failure(reason).hint("`cargo xtask plugins` builds components that a gateway takes")
        })?;
    Ok(sheet::sheet(&plugin, plugin.inspection()))
}

/// A process of its own for the file, as in a gateway; nothing is kept.
fn compiler(console: &Console) -> Result<Compiler, Failure> {
    let mut settings = Config::read(None, &[])?.plugins.compiling();
    if !console.compile_worker.as_os_str().is_empty() {
        settings.program.clone_from(&console.compile_worker);
    }
    Ok(Compiler::new(settings, None))
}

async fn load(bytes: Vec<u8>, config: SandboxConfig, compiler: Compiler) -> Result<Plugin, String> {
    let loader = PluginLoader {
        sandbox: Sandbox::new(config).map_err(|error| error.to_string())?,
        compiler,
        limits: EgressLimits::default(),
        resolver: Arc::new(SystemResolver),
    };
    let plugin = loader.load(bytes).await;
    plugin.map_err(|error| error.to_string())
}

/// Room for the one call at a time that describing takes.
fn small() -> SandboxConfig {
    SandboxConfig {
        concurrent_calls: 1,
        guest_threads: 1,
        ..SandboxConfig::default()
    }
}
