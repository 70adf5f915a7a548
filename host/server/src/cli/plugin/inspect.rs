//! `portcullis plugin inspect`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use portcullis_runtime::egress::{EgressLimits, SystemResolver};
use portcullis_runtime::{Compiler, Limits, Plugin, Sandbox, SandboxConfig};

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::Report;
use super::origin::Origin;
use super::trust::Configured;
use super::{files, sheet};
use crate::config::Config;
use crate::sources::PluginLoader;

/// `plugin inspect`
#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    /// The component; signatures are looked for in it and in FILE.sig.
    file: PathBuf,
    /// List the crates it says it is made of.
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    configured: Configured,
}

impl Inspect {
    /// Loads a component as the gateway does, and describes it.
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let compiler = compiler(console)?;
        let keys = self.configured.keys()?;
        let failure = |reason: String| files::failed(&self.file, reason);
        let config = small();
        let bytes = files::component(&self.file).await?;
        let origin = Origin::of(&self.file, &bytes, &keys);
        let plugin = load(bytes, config, compiler).await.map_err(|reason| {
            failure(reason).hint("`cargo xtask plugins` builds components that a gateway takes")
        })?;
        let report = sheet::sheet(&plugin, plugin.inspection(), &origin);
        Ok(if self.verbose {
            origin.with_crates(report)
        } else {
            report
        })
    }
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

/// Room for the one call at a time that describing takes. As much of it as a gateway
/// could grant: what a plugin asks for is to be seen, also where nobody has granted it.
fn small() -> SandboxConfig {
    let defaults = SandboxConfig::default();
    SandboxConfig {
        concurrent_calls: 1,
        guest_threads: 1,
        limits: Limits {
            memory_bytes: defaults.large.memory_bytes,
            ..Limits::default()
        },
        ..defaults
    }
}
