//! Plugins are compiled by the `portcullis` program itself, started as a worker, and
//! what it makes is kept: what both do when something goes wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod cache;
mod command_line;
mod components;
mod confined;
mod limits;
mod workers;

use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_core::plugin::PluginDigest;
use portcullis_runtime::{
    Cache, CacheKey, CompileSettings, Compiled, Compiler, LoadError, Sandbox, SandboxConfig,
};

const PORTCULLIS: &str = env!("CARGO_BIN_EXE_portcullis");

/// More than any of these components takes.
fn settings() -> CompileSettings {
    CompileSettings {
        program: PORTCULLIS.into(),
        memory_bytes: 1 << 30,
        cpu_seconds: 60,
        timeout: Duration::from_mins(2),
        at_a_time: 1,
    }
}

fn sandbox() -> Sandbox {
    let config = SandboxConfig {
        concurrent_calls: 1,
        guest_threads: 1,
        ..SandboxConfig::default()
    };
    Sandbox::new(config).unwrap()
}

/// A compiler that can compile nothing: what it has comes from its cache.
fn without_worker(cache: Cache) -> Compiler {
    let program = PathBuf::from("/nonexistent/worker");
    Compiler::new(
        CompileSettings {
            program,
            ..settings()
        },
        Some(cache),
    )
}

fn cache_in(directory: &Path) -> Cache {
    Cache::new(directory.to_owned(), 1 << 30, CacheKey::new([7; 32]))
}

async fn compile(settings: CompileSettings, component: &[u8]) -> Result<Compiled, LoadError> {
    let compiler = Compiler::new(settings, None);
    compiler.compile(&sandbox(), component.to_vec()).await
}

async fn refusal(settings: CompileSettings, component: &[u8]) -> LoadError {
    compile(settings, component).await.unwrap_err()
}

fn digest(component: &[u8]) -> PluginDigest {
    PluginDigest::of(component)
}
