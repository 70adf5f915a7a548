//! What lists and executes actions.
//!
//! Today every source is a plugin; MCP connectors and databases join here, so
//! that nothing behind this file needs to know the difference.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::SourceId;
use portcullis_core::plugin::PluginDigest;
use portcullis_runtime::egress::{EgressClient, EgressLimits, Resolve};
use portcullis_runtime::{Compiler, LoadError, Plugin, Sandbox};
use serde_json::{Value, json};

use crate::audit::{self, GATEWAY, Happened};
use crate::error::Error;
use crate::gateway::Gateway;

/// The sources of the gateway.
#[derive(Debug, Default)]
pub struct Sources {
    plugins: BTreeMap<SourceId, Plugin>,
    failed: Vec<FailedPlugin>,
}

/// A file that is no usable plugin.
#[derive(Debug, Clone)]
pub struct FailedPlugin {
    /// The file's name without `.wasm`.
    pub name: String,
    /// Of its bytes; `None` when they could not be read.
    pub digest: Option<PluginDigest>,
    /// What is wrong with it.
    pub reason: String,
}

impl Sources {
    /// The plugin that is this source.
    pub fn plugin(&self, id: &SourceId) -> Option<&Plugin> {
        self.plugins.get(id)
    }

    /// Every plugin, by id.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.values()
    }

    /// Files that could not be loaded.
    pub fn failed(&self) -> &[FailedPlugin] {
        &self.failed
    }

    /// Adds a plugin; one whose id is taken is reported instead.
    pub fn add(&mut self, name: &str, plugin: Plugin) {
        let id = plugin.descriptor().id.clone();
        if self.plugins.contains_key(&id) {
            self.report(FailedPlugin {
                name: name.to_owned(),
                digest: Some(plugin.digest()),
                reason: format!("another file provides `{id}` already"),
            });
            return;
        }
        tracing::info!(
            sourceId = %id,
            version = plugin.descriptor().version,
            digest = %plugin.digest(),
            "plugin loaded; it can only: {}",
            plugin.capabilities().join("; ")
        );
        self.plugins.insert(id, plugin);
    }

    fn report(&mut self, failed: FailedPlugin) {
        tracing::error!(
            plugin = failed.name,
            reason = failed.reason,
            "plugin cannot be loaded; the others are served without it"
        );
        self.failed.push(failed);
    }
}

/// Records which plugins are served, where that is not what was served before.
pub async fn record_loaded(gateway: &Gateway) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    for plugin in gateway.sources.plugins() {
        let subject = AuditSubject::from(&plugin.descriptor().id);
        let kind = AuditKind::PluginLoaded;
        let latest = work.audit().latest(subject.as_str(), kind.as_str()).await?;
        let latest = latest.and_then(|event| serde_json::from_str::<Value>(&event.details).ok());
        let before = latest.and_then(|details| details.get("after").cloned());
        let after = json!({
            "version": plugin.descriptor().version,
            "digest": plugin.digest().to_string(),
        });
        if before.as_ref() == Some(&after) {
            continue;
        }
        let happened = Happened {
            organization: None,
            kind,
            actor: GATEWAY,
            subject,
            details: json!({ "before": before, "after": after }),
            at: gateway.clock.now(),
        };
        audit::record(gateway, &mut work, happened).await?;
    }
    Ok(work.save().await?)
}

/// What plugins are loaded with.
pub struct PluginLoader {
    /// Where they run.
    pub sandbox: Sandbox,
    /// Makes them of components.
    pub compiler: Compiler,
    /// What their requests may use.
    pub limits: EgressLimits,
    /// Finds the addresses of their upstreams.
    pub resolver: Arc<dyn Resolve>,
}

impl PluginLoader {
    /// Loads every `*.wasm` of a directory, in the order of their names.
    ///
    /// Fails only when the directory cannot be read; a file that cannot be
    /// loaded is reported and does not stop the others.
    pub async fn load_directory(&self, directory: &Path) -> std::io::Result<Sources> {
        let mut sources = Sources::default();
        for path in component_files(directory)? {
            let name = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            let limit = self.sandbox.config().component_bytes;
            let bytes = match read_component(path.clone(), limit).await {
                Ok(bytes) => bytes,
                Err(reason) => {
                    let reason = format!("{}: {reason}", path.display());
                    sources.report(FailedPlugin {
                        name,
                        digest: None,
                        reason,
                    });
                    continue;
                }
            };
            let digest = PluginDigest::of(&bytes);
            match self.load(bytes).await {
                Ok(plugin) => sources.add(&name, plugin),
                Err(error) => sources.report(FailedPlugin {
                    name,
                    digest: Some(digest),
                    reason: error.to_string(),
                }),
            }
        }
        Ok(sources)
    }

    /// Loads one component, with an HTTP client of its own.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
        let egress = EgressClient::new(self.limits.clone(), Arc::clone(&self.resolver))
            .map_err(|error| LoadError::Client(error.to_string()))?;
        Plugin::load(&self.sandbox, &self.compiler, bytes, egress).await
    }
}

/// Reads a file of at most `limit` bytes, without trusting that it is a file.
pub(crate) async fn read_component(path: PathBuf, limit: usize) -> Result<Vec<u8>, String> {
    let reading = tokio::task::spawn_blocking(move || {
        let metadata = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err("is not a file".to_owned());
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| error.to_string())?;
        if bytes.len() > limit {
            return Err(format!(
                "has more than {limit} bytes (sandbox.component_bytes)"
            ));
        }
        Ok(bytes)
    });
    reading.await.unwrap_or_else(|panic| Err(panic.to_string()))
}

fn component_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new("wasm")))
        .collect();
    files.sort();
    Ok(files)
}
