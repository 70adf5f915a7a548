//! Components become machine code: outside the server, and once.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `worker` | the parent's side of the process that compiles |
//! | [`compile_worker`](crate::compile_worker) | the child's side |
//! | `frame` | the form in which the two talk, and in which files are kept |
//! | `compiled` | machine code that may be run, and the one place that says so |
//! | `engine_key` | for which engine it is |

mod compiled;
mod engine_key;
pub(crate) mod frame;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::plugin::PluginDigest;
use wasmtime::Engine;

pub use compiled::Compiled;
pub use engine_key::EngineKey;

use crate::cache::{Cache, CacheReport};
use crate::engine::Sandbox;
use crate::error::LoadError;
use crate::inspect::inspect;
use worker::Workers;

/// How the processes that compile are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileSettings {
    /// The gateway's own program: what it compiles must be for this very engine.
    pub program: PathBuf,
    /// Bytes of address space of a process.
    pub memory_bytes: u64,
    /// CPU time of a process.
    pub cpu_seconds: u64,
    /// Wall-clock time of a process.
    pub timeout: Duration,
    /// Processes at a time; more wait their turn.
    pub at_a_time: usize,
}

/// Turns components into machine code, or finds what was made of them before.
/// Cheap to clone; clones share their processes and their cache.
#[derive(Debug, Clone)]
pub struct Compiler {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    place: Place,
    cache: Option<Cache>,
}

#[derive(Debug)]
enum Place {
    Here,
    Workers(Workers),
}

impl Compiler {
    /// Compiles in this process, with nothing kept and nothing bounded: for tests
    /// and benchmarks, whose components are their own.
    pub fn in_process() -> Self {
        Self::at(Place::Here, None)
    }

    /// Compiles in processes of its own, and keeps what they make.
    pub fn new(settings: CompileSettings, cache: Option<Cache>) -> Self {
        Self::at(Place::Workers(Workers::new(settings)), cache)
    }

    fn at(place: Place, cache: Option<Cache>) -> Self {
        Self {
            inner: Arc::new(Inner { place, cache }),
        }
    }

    /// What became of a component earlier, when that is kept and can be trusted.
    ///
    /// Needs the digest and not the bytes. `None` is no error: compiling yields
    /// the same.
    pub async fn cached(&self, sandbox: &Sandbox, digest: PluginDigest) -> Option<Compiled> {
        let cache = self.inner.cache.clone()?;
        let engine = EngineKey::of(&sandbox.shared.usual.engine);
        let found = tokio::task::spawn_blocking(move || cache.find(digest, engine)).await;
        let compiled = found.ok().flatten()?;
        // The limit may be another one than when it was compiled.
        (compiled.inspection().size <= sandbox.config().component_bytes).then_some(compiled)
    }

    /// Inspects and compiles a component, unless that has been done before.
    pub async fn compile(&self, sandbox: &Sandbox, bytes: Vec<u8>) -> Result<Compiled, LoadError> {
        let bytes: Arc<[u8]> = bytes.into();
        let digest = digest(Arc::clone(&bytes)).await?;
        if let Some(compiled) = self.cached(sandbox, digest).await {
            return Ok(compiled);
        }
        let limit = sandbox.config().component_bytes;
        let compiled = match &self.inner.place {
            Place::Here => compile_in_process(sandbox, bytes).await?,
            Place::Workers(workers) => {
                let engine = EngineKey::of(&sandbox.shared.usual.engine);
                let compiled = workers.compile(bytes, limit).await?;
                compiled.require(digest, engine)?;
                compiled
            }
        };
        self.keep(compiled.clone()).await;
        Ok(compiled)
    }

    /// What the cache has done, when there is one.
    pub fn cache_report(&self) -> Option<CacheReport> {
        self.inner.cache.as_ref().map(Cache::report)
    }

    async fn keep(&self, compiled: Compiled) {
        let Some(cache) = self.inner.cache.clone() else {
            return;
        };
        // A panic there costs the next start its time, and nothing else.
        let _ = tokio::task::spawn_blocking(move || cache.keep(&compiled)).await;
    }
}

async fn digest(bytes: Arc<[u8]>) -> Result<PluginDigest, LoadError> {
    tokio::task::spawn_blocking(move || PluginDigest::of(&bytes))
        .await
        .map_err(|panic| LoadError::Compile(panic.to_string()))
}

async fn compile_in_process(sandbox: &Sandbox, bytes: Arc<[u8]>) -> Result<Compiled, LoadError> {
    let sandbox = sandbox.clone();
    let compiling = tokio::task::spawn_blocking(move || {
        let shared = &sandbox.shared;
        compile_here(&shared.usual.engine, &bytes, shared.config.component_bytes)
    });
    compiling
        .await
        .unwrap_or_else(|panic| Err(LoadError::Compile(panic.to_string())))
}

/// Inspects and compiles on this thread.
pub(crate) fn compile_here(
    engine: &Engine,
    bytes: &[u8],
    max_bytes: usize,
) -> Result<Compiled, LoadError> {
    let inspection = inspect(bytes, max_bytes)?;
    let artifact = engine
        .precompile_component(bytes)
        .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    Ok(Compiled::fresh(engine, bytes, inspection, artifact))
}
