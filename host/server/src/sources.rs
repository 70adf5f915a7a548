//! What lists and executes actions.
//!
//! Today every source is a plugin; MCP connectors and databases join here, so
//! that nothing behind this file needs to know the difference. Which version of a
//! plugin serves changes while calls are under way: whoever takes a plugin from here
//! keeps that version until it is done. Who decides about it is in [`crate::plugins`].

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use portcullis_core::id::SourceId;
use portcullis_core::plugin::PluginDigest;
use portcullis_runtime::egress::{EgressClient, EgressLimits, Resolve};
use portcullis_runtime::{Compiler, LoadError, Plugin, Sandbox};

/// The sources of the gateway.
#[derive(Debug, Default)]
pub struct Sources(RwLock<Served>);

#[derive(Debug, Default)]
struct Served {
    /// By id; one that was withdrawn leaves its generation behind.
    plugins: BTreeMap<SourceId, Slot>,
    failed: BTreeMap<String, FailedPlugin>,
}

#[derive(Debug)]
struct Slot {
    generation: u64,
    plugin: Option<Plugin>,
}

/// What is no usable plugin, though it was to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPlugin {
    /// The id of the plugin, or the file's name without `.wasm`.
    pub name: String,
    /// Of its bytes; `None` when they could not be read.
    pub digest: Option<PluginDigest>,
    /// What is wrong with it.
    pub reason: String,
}

impl Sources {
    /// The plugin that is this source.
    pub fn plugin(&self, id: &SourceId) -> Option<Plugin> {
        self.read(|served| served.plugins.get(id)?.plugin.clone())
    }

    /// Every plugin, by id.
    pub fn plugins(&self) -> Vec<Plugin> {
        self.read(|served| {
            let slots = served.plugins.values();
            slots.filter_map(|slot| slot.plugin.clone()).collect()
        })
    }

    /// The generation of what this gateway serves as a plugin; `None` when it never
    /// served any.
    pub fn generation(&self, id: &SourceId) -> Option<u64> {
        self.read(|served| Some(served.plugins.get(id)?.generation))
    }

    /// Serves this version from now on, and returns the one that served before.
    ///
    /// News that is older than what is known changes nothing, and gives the plugin
    /// back that was to be served.
    pub fn serve(&self, plugin: Plugin, generation: u64) -> Option<Plugin> {
        let id = plugin.descriptor().id.clone();
        self.put(&id, Some(plugin), generation)
    }

    /// Serves nothing under this id from now on, and returns what served before.
    pub fn withdraw(&self, id: &SourceId, generation: u64) -> Option<Plugin> {
        self.put(id, None, generation)
    }

    fn put(&self, id: &SourceId, plugin: Option<Plugin>, generation: u64) -> Option<Plugin> {
        let mut served = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match served.plugins.get(id) {
            Some(slot) if slot.generation >= generation => plugin,
            _ => {
                let slot = Slot { generation, plugin };
                let before = served.plugins.insert(id.clone(), slot);
                before.and_then(|slot| slot.plugin)
            }
        }
    }

    /// What could not be loaded, by name.
    pub fn failed(&self) -> Vec<FailedPlugin> {
        self.read(|served| served.failed.values().cloned().collect())
    }

    /// Notes what could not be loaded, in place of what is known by its name.
    pub fn report(&self, failed: FailedPlugin) {
        let mut served = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if served.failed.get(&failed.name) == Some(&failed) {
            return;
        }
        tracing::error!(
            plugin = failed.name,
            reason = failed.reason,
            "plugin cannot be loaded; the others are served, and what served before serves on"
        );
        served.failed.insert(failed.name.clone(), failed);
    }

    /// Forgets what could not be loaded under this name.
    pub fn clear_failed(&self, name: &str) {
        let mut served = self.0.write().unwrap_or_else(PoisonError::into_inner);
        served.failed.remove(name);
    }

    fn read<T>(&self, look: impl FnOnce(&Served) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What plugins are loaded with.
#[derive(Clone)]
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
    /// Loads a component that was compiled before, if what was compiled is kept.
    ///
    /// `None` is no error: loading the component yields the same, or says why not.
    pub async fn load_kept(&self, digest: PluginDigest) -> Option<Plugin> {
        let compiled = self.compiler.cached(&self.sandbox, digest).await?;
        let egress = self.egress().ok()?;
        let loaded = Plugin::from_compiled(&self.sandbox, compiled, egress).await;
        loaded.ok()
    }

    /// Loads one component, with an HTTP client of its own.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
        Plugin::load(&self.sandbox, &self.compiler, bytes, self.egress()?).await
    }

    fn egress(&self) -> Result<EgressClient, LoadError> {
        EgressClient::new(self.limits.clone(), Arc::clone(&self.resolver))
            .map_err(|error| LoadError::Client(error.to_string()))
    }
}
