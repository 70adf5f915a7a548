//! Machine code that may be run.

use std::sync::Arc;

use portcullis_core::plugin::PluginDigest;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine_key::EngineKey;
use super::frame::CompiledHead;
use crate::error::LoadError;
use crate::inspect::Inspection;

/// What became of a component. Cheap to clone.
///
/// **Invariant:** the artifact is what `Engine::precompile_component` returned, in
/// this process, in a worker that this process started, or in an earlier one that
/// put its code of authentication under it.
/// There are two ways to make one, [`fresh`](Self::fresh) and
/// [`trusted`](Self::trusted), and their callers are few enough to be read.
#[derive(Clone)]
pub struct Compiled {
    inner: Arc<Parts>,
}

struct Parts {
    head: CompiledHead,
    artifact: Vec<u8>,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled")
            .field("digest", &self.digest())
            .field("engine", &self.engine_key())
            .field("artifact_bytes", &self.artifact().len())
            .finish_non_exhaustive()
    }
}

impl Compiled {
    /// What this engine has just compiled.
    pub(super) fn fresh(
        engine: &Engine,
        component: &[u8],
        inspection: Inspection,
        artifact: Vec<u8>,
    ) -> Self {
        let head = CompiledHead {
            engine: EngineKey::of(engine),
            component: PluginDigest::of(component).to_string(),
            artifact_bytes: artifact.len() as u64,
            inspection,
        };
        Self::trusted(head, artifact).expect("it was made of a digest and a length that fit")
    }

    /// What another process says it compiled; the caller knows that process.
    ///
    /// `None` when the head is not about this artifact.
    pub(crate) fn trusted(head: CompiledHead, artifact: Vec<u8>) -> Option<Self> {
        let is_about_it = head.artifact_bytes == artifact.len() as u64 && head.digest().is_some();
        is_about_it.then(|| Self {
            inner: Arc::new(Parts { head, artifact }),
        })
    }

    /// The SHA-256 of the component.
    pub fn digest(&self) -> PluginDigest {
        let digest = self.inner.head.digest();
        digest.expect("checked when it was made")
    }

    /// What the component asks for.
    pub fn inspection(&self) -> &Inspection {
        &self.inner.head.inspection
    }

    /// For which engine it is.
    pub fn engine_key(&self) -> EngineKey {
        self.inner.head.engine
    }

    pub(crate) fn head(&self) -> &CompiledHead {
        &self.inner.head
    }

    pub(crate) fn artifact(&self) -> &[u8] {
        &self.inner.artifact
    }

    /// Refuses what a worker made of something else, or for somebody else.
    pub(super) fn require(&self, digest: PluginDigest, engine: EngineKey) -> Result<(), LoadError> {
        if self.digest() != digest {
            let reason = "it answered about another component";
            return Err(LoadError::CompilerUnusable(reason.to_owned()));
        }
        if self.engine_key() != engine {
            let reason = "it compiles for another engine or CPU than this gateway's";
            return Err(LoadError::CompilerUnusable(reason.to_owned()));
        }
        Ok(())
    }

    /// The component, in an engine.
    ///
    /// Fails where an instance would not fit the engine's pool; takes time for
    /// each byte, so it belongs on a thread that may block.
    #[expect(
        unsafe_code,
        reason = "the one place where machine code from outside becomes runnable"
    )]
    pub(crate) fn component(&self, engine: &Engine) -> Result<Component, LoadError> {
        if self.engine_key() != EngineKey::of(engine) {
            let reason = "it was compiled for another engine".to_owned();
            return Err(LoadError::Compile(reason));
        }
        // SAFETY: `deserialize` trusts the bytes to be what `precompile_component`
        // or `serialize` of a compatible engine returned; others could hold any
        // machine code. That they are is the invariant of this type, whose fields
        // are private and whose bytes never change: they are in this process's
        // memory, not a file that is mapped and could be written meanwhile. That
        // the engine is compatible was compared a line above.
        let component = unsafe { Component::deserialize(engine, self.artifact()) };
        component.map_err(|error| LoadError::Compile(format!("{error:#}")))
    }
}
