//! Bytes become a plugin: inspected, compiled, linked, described, validated.

use std::sync::{Arc, Weak};

use portcullis_core::action::ActionDefinition;
use portcullis_core::definition::{DefinitionDigests, DefinitionStamp};
use portcullis_core::id::ActionId;
use portcullis_core::plugin::{PluginDescriptor, PluginDigest, PluginManifest, capabilities};
use portcullis_core::schema::ParamsValidator;

use crate::calls::Calls;
use crate::compile::{Compiled, Compiler};
use crate::config::Limits;
use crate::egress::EgressClient;
use crate::engine::Sandbox;
use crate::error::LoadError;
use crate::inspect::Inspection;
use crate::placing::{Placed, place};

/// A provider that has been loaded: what it says about itself, and how to call
/// it. Cheap to clone; a version in use stays alive until its last call ends.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) inner: Arc<PluginInner>,
}

/// A plugin for as long as somebody else uses it.
#[derive(Clone)]
pub struct WeakPlugin(Weak<PluginInner>);

impl WeakPlugin {
    /// The plugin, unless nobody uses it any more.
    pub fn upgrade(&self) -> Option<Plugin> {
        let inner = self.0.upgrade()?;
        Some(Plugin { inner })
    }
}

pub(crate) struct PluginInner {
    pub(crate) sandbox: Sandbox,
    /// Where its calls run, and with what limits.
    pub(crate) placed: Placed,
    inspection: Inspection,
    digest: PluginDigest,
    egress: EgressClient,
    pub(crate) calls: Calls,
}

/// An action of a plugin, and what is made of its definition once, when the plugin
/// is loaded.
#[derive(Debug, Clone)]
pub struct PluginAction {
    /// What the plugin says about it.
    pub definition: ActionDefinition,
    /// Checks params against its schema.
    pub validator: ParamsValidator,
    /// What identifies the definition.
    pub digests: DefinitionDigests,
}

impl PluginAction {
    /// As much of it as modes depend on.
    pub const fn stamp(&self) -> DefinitionStamp {
        DefinitionStamp {
            digests: self.digests,
            risk: self.definition.risk,
        }
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("id", &self.inner.placed.described.descriptor.id)
            .field("digest", &self.inner.digest)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Loads a component: compiles it, unless that has been done before, and asks
    /// it what it is. Compiling takes about 0.1 s for each 100 KB.
    ///
    /// `egress` makes the plugin's requests and should be its alone, so that
    /// connections are not shared between plugins.
    pub async fn load(
        sandbox: &Sandbox,
        compiler: &Compiler,
        bytes: Vec<u8>,
        egress: EgressClient,
    ) -> Result<Self, LoadError> {
        let machine_code = compiler.compile(sandbox, bytes).await?;
        Self::from_compiled(sandbox, machine_code, egress).await
    }

    /// As [`load`](Self::load), of what is compiled already.
    pub async fn from_compiled(
        sandbox: &Sandbox,
        compiled: Compiled,
        egress: EgressClient,
    ) -> Result<Self, LoadError> {
        // Boxed: the futures of callers would nest too deep for the compiler.
        let placed = Box::pin(place(sandbox, &compiled)).await?;
        let id = &placed.described.descriptor.id;
        let requests = sandbox.config().egress_limits_of(id, egress.limits());
        Ok(Self {
            inner: Arc::new(PluginInner {
                sandbox: sandbox.clone(),
                placed,
                inspection: compiled.inspection().clone(),
                digest: compiled.digest(),
                egress: egress.with_body_limits(requests),
                calls: Calls::default(),
            }),
        })
    }

    /// What it is and where it goes.
    pub fn descriptor(&self) -> &PluginDescriptor {
        &self.inner.placed.described.descriptor
    }

    /// Its actions, in its own order.
    pub fn actions(&self) -> &[PluginAction] {
        &self.inner.placed.described.actions
    }

    /// The action with this id.
    pub fn action(&self, id: &ActionId) -> Option<&PluginAction> {
        let mut actions = self.actions().iter();
        actions.find(|action| action.definition.id == *id)
    }

    /// Markdown for agents.
    pub fn guide(&self) -> &str {
        &self.inner.placed.described.guide
    }

    /// The SHA-256 of its bytes.
    pub fn digest(&self) -> PluginDigest {
        self.inner.digest
    }

    /// How many of its calls run.
    pub fn running_calls(&self) -> usize {
        self.inner.calls.running()
    }

    /// The same without keeping it alive.
    pub fn downgrade(&self) -> WeakPlugin {
        WeakPlugin(Arc::downgrade(&self.inner))
    }

    /// Ends its calls, also those that begin later: with `deadline_exceeded`, since
    /// nobody knows how far they came. For a version that serves no longer.
    pub fn end_calls(&self) {
        self.inner.calls.end();
    }

    /// What it asks for, and is made of.
    pub fn inspection(&self) -> &Inspection {
        &self.inner.inspection
    }

    /// The client of its requests.
    pub fn egress(&self) -> &EgressClient {
        &self.inner.egress
    }

    /// The limits of its calls: the gateway's, and what an operator granted it.
    pub fn limits(&self) -> &Limits {
        &self.inner.placed.limits
    }

    /// What it can do, in phrases that follow "can only": proved from its
    /// imports and the routes it declares.
    pub fn capabilities(&self) -> Vec<String> {
        capabilities(
            self.descriptor(),
            &self.inner.inspection.imports,
            &self.inner.inspection.wasi,
        )
    }

    /// Everything it says about itself and asks for.
    pub fn manifest(&self) -> PluginManifest {
        let definitions = self.actions().iter().map(|action| &action.definition);
        PluginManifest {
            descriptor: self.descriptor().clone(),
            imports: self.inner.inspection.imports.clone(),
            wasi: self.inner.inspection.wasi.clone(),
            actions: definitions.cloned().collect(),
            guide: self.guide().to_owned(),
        }
    }
}
