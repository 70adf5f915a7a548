//! The sandbox and the Linear plugin, made once for all tests that want the
//! defaults: compiling a component takes longer than most tests.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use portcullis::sources::PluginLoader;
use portcullis_runtime::egress::{EgressLimits, SystemResolver};
use portcullis_runtime::{Plugin, Sandbox, SandboxConfig};
use tokio::runtime::Runtime;

/// The runtime that carries the sandboxes' requests. A sandbox keeps the runtime
/// that made it, and that of a single test ends with the test.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        // Fails only when a provider is installed already, and then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

/// The bytes of the Linear component.
pub fn linear_component() -> Vec<u8> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/plugins/linear.wasm");
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo xtask plugins` first, or everything with `cargo xtask test`",
            path.display()
        )
    })
}

/// A sandbox with these settings, and Linear in it.
pub fn sandbox_and_linear(config: SandboxConfig) -> (Sandbox, Plugin) {
    static DEFAULT: OnceLock<(Sandbox, Plugin)> = OnceLock::new();
    if config == small() {
        return DEFAULT.get_or_init(|| make(small())).clone();
    }
    make(config)
}

/// Enough places for the tests that run at the same time.
pub(crate) fn small() -> SandboxConfig {
    SandboxConfig {
        concurrent_calls: 64,
        guest_threads: 2,
        ..SandboxConfig::default()
    }
}

fn make(config: SandboxConfig) -> (Sandbox, Plugin) {
    // A thread of its own: one that runs a test's runtime may not block on
    // another one.
    std::thread::spawn(move || {
        runtime().block_on(async {
            let sandbox = Sandbox::new(config).expect("a sandbox");
            let loader = PluginLoader {
                sandbox: sandbox.clone(),
                limits: EgressLimits::default(),
                resolver: Arc::new(SystemResolver),
            };
            let plugin = loader
                .load(linear_component())
                .await
                .expect("the Linear plugin");
            (sandbox, plugin)
        })
    })
    .join()
    .expect("the sandbox's thread")
}
