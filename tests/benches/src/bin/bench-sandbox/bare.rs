//! wasmtime by itself, set up as the sandbox sets it up: what no host can go
//! below.
//!
//! The settings are those of `host/runtime/src/engine.rs`, repeated: the sandbox
//! shows nobody its engine. Limits, clocks and imports are left out.

use portcullis_benches::latency::Latencies;
use portcullis_runtime::SandboxConfig;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};

/// The interface and function of the empty call.
const INTERFACE: &str = "portcullis:provider/actions@0.1.0";
const FUNCTION: &str = "guide";

/// Never reached: nothing advances the epoch.
const NO_DEADLINE: u64 = 1 << 40;

const KEEP_RESIDENT_BYTES: usize = 256 << 10;
const HOST_STACK_BYTES: usize = 1 << 20;

/// A component that is ready to be instantiated.
pub(crate) struct Bare {
    engine: Engine,
    pre: InstancePre<()>,
    function: ComponentExportIndex,
    runtime: tokio::runtime::Runtime,
}

impl Bare {
    /// Compiles the component. Whatever it imports traps.
    pub(crate) fn new(component: &[u8]) -> wasmtime::Result<Self> {
        let engine = Engine::new(&config())?;
        let component = Component::from_binary(&engine, component)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        let function = component
            .get_export_index(None, INTERFACE)
            .and_then(|interface| component.get_export_index(Some(&interface), FUNCTION))
            .ok_or_else(|| wasmtime::Error::msg("the component has no guide"))?;
        Ok(Self {
            pre: linker.instantiate_pre(&component)?,
            function,
            engine,
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
        })
    }

    /// A store and an instance, made and dropped.
    pub(crate) fn instantiation(&self, calls: u64) -> wasmtime::Result<Latencies> {
        self.time(calls, async || {
            let mut store = self.store();
            self.pre.instantiate_async(&mut store).await?;
            Ok(())
        })
    }

    /// The same with a call that returns a constant text.
    pub(crate) fn empty(&self, calls: u64) -> wasmtime::Result<Latencies> {
        self.time(calls, async || {
            let mut store = self.store();
            let instance = self.pre.instantiate_async(&mut store).await?;
            let guide = instance.get_typed_func::<(), (String,)>(&mut store, &self.function)?;
            guide.call_async(&mut store, ()).await?;
            Ok(())
        })
    }

    /// Bytes become code.
    pub(crate) fn compilation(&self, bytes: &[u8], times: u64) -> wasmtime::Result<Latencies> {
        Component::from_binary(&self.engine, bytes)?;
        Ok(Latencies::of(times, || {
            Component::from_binary(&self.engine, bytes).expect("it compiled a moment ago")
        }))
    }

    /// Code that was compiled before is mapped from a file.
    pub(crate) fn loading(&self, times: u64) -> wasmtime::Result<Latencies> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("component.cwasm");
        std::fs::write(&path, self.pre.component().serialize()?)?;
        Ok(Latencies::of(times, || {
            #[expect(
                unsafe_code,
                reason = "the file was made by us, and nobody else has it"
            )]
            // SAFETY: it holds what `serialize` made, and stays as it is while it is mapped.
            let loaded = unsafe { Component::deserialize_file(&self.engine, &path) };
            loaded.expect("it was written a moment ago")
        }))
    }

    fn store(&self) -> Store<()> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(NO_DEADLINE);
        store
    }

    fn time(
        &self,
        calls: u64,
        call: impl AsyncFn() -> wasmtime::Result<()>,
    ) -> wasmtime::Result<Latencies> {
        self.runtime.block_on(call())?;
        let times = Latencies::of_async(calls, async || {
            call().await.expect("it worked a moment ago");
        });
        Ok(self.runtime.block_on(times))
    }
}

fn config() -> Config {
    let sandbox = SandboxConfig::default();
    let mut pool = PoolingAllocationConfig::new();
    pool.max_memory_size(sandbox.limits.memory_bytes)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .max_wasm_stack(sandbox.limits.stack_bytes)
        .async_stack_size(sandbox.limits.stack_bytes + HOST_STACK_BYTES)
        .async_stack_zeroing(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
