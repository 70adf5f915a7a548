//! The one engine, its epoch ticker, and the threads that run guests.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use crate::bindings::ActionSource;
use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::places::{Places, SandboxLoad};
use crate::state::CallState;

/// Stack that host functions get beyond the guest's own. Running out of it
/// would abort the process, so it is generous: the deepest host function parses
/// nothing and recurses nowhere.
const HOST_STACK_BYTES: usize = 1 << 20;

/// Memory of a finished call that stays mapped, for the next one to reuse.
/// Measured as the best of 64 KiB to 1 MiB together with the pagemap scan.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;

/// How many core instances, memories and tables a component may have, whether in
/// one core module or in several. Ours have three core instances, one memory and
/// two tables; components made from other languages have a few more.
const CORE_INSTANCES_PER_COMPONENT: u32 = 20;
const MEMORIES_PER_COMPONENT: u32 = 2;
const TABLES_PER_COMPONENT: u32 = 8;

/// Everything calls share: cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<CallState>,
    pub(crate) config: SandboxConfig,
    pub(crate) allocator: Allocator,
    pub(crate) places: Places,
    pub(crate) guests: GuestThreads,
    /// Where requests run: the runtime that made the sandbox.
    pub(crate) io: Handle,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("config", &self.shared.config)
            .field("allocator", &self.shared.allocator)
            .finish_non_exhaustive()
    }
}

/// Where instances come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    /// From a pool set aside at start: a call costs microseconds.
    Pooling,
    /// Mapped for each call, because the pool could not be set aside: slower by
    /// a factor of two or more, otherwise the same.
    OnDemand,
}

impl Sandbox {
    /// Sets up the engine and starts the guests' threads.
    ///
    /// Must be called within a tokio runtime, which from then on also runs the
    /// guests' requests.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let (engine, allocator) = build_engine(&config)?;
        let mut linker = Linker::new(&engine);
        ActionSource::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)
            .map_err(|error| SandboxError::Linker(format!("{error:#}")))?;
        start_ticker(engine.weak(), config.epoch_tick)?;
        Ok(Self {
            shared: Arc::new(Shared {
                linker,
                allocator,
                places: Places::new(config.concurrent_calls),
                guests: GuestThreads::start(config.guest_threads)?,
                io: Handle::current(),
                engine,
                config,
            }),
        })
    }

    /// Where instances come from; anything but [`Allocator::Pooling`] deserves
    /// an operator's attention.
    pub fn allocator(&self) -> Allocator {
        self.shared.allocator
    }

    /// How busy it is.
    pub fn load(&self) -> SandboxLoad {
        self.shared.places.load()
    }

    /// What the sandbox was set up with.
    pub fn config(&self) -> &SandboxConfig {
        &self.shared.config
    }
}

/// Tries the pooling allocator, and says so loudly when it cannot be had.
fn build_engine(config: &SandboxConfig) -> Result<(Engine, Allocator), SandboxError> {
    let mut pooling = base_config(config);
    pooling.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
    match Engine::new(&pooling) {
        Ok(engine) => Ok((engine, Allocator::Pooling)),
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                concurrent_calls = config.concurrent_calls,
                "the pool of instances cannot be set aside; calls will be slower. \
                 Lower sandbox.concurrent_calls or raise the limit on address space"
            );
            let engine = Engine::new(&base_config(config))
                .map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
            Ok((engine, Allocator::OnDemand))
        }
    }
}

/// What all engines have in common, those that only compile among them: whatever
/// changes machine code stands here.
pub(crate) fn base_config(config: &SandboxConfig) -> Config {
    let mut engine = Config::new();
    engine
        .wasm_component_model(true)
        .epoch_interruption(true)
        .consume_fuel(false)
        .concurrency_support(false)
        .max_wasm_stack(config.stack_bytes)
        .async_stack_size(config.stack_bytes + HOST_STACK_BYTES)
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        .guard_before_linear_memory(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_backtrace_max_frames(None);
    engine
}

fn pool(config: &SandboxConfig) -> PoolingAllocationConfig {
    let calls = config.concurrent_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(calls.saturating_mul(MEMORIES_PER_COMPONENT))
        .total_tables(calls.saturating_mul(TABLES_PER_COMPONENT))
        .total_stacks(calls)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_memories_per_module(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .max_memory_size(config.limits.memory_bytes)
        .table_elements(config.limits.table_elements)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(calls);
    pool
}

/// Advances the engine's epoch until the engine is gone. A thread and not a
/// task: a tick must come also when every tokio worker is busy.
fn start_ticker(engine: EngineWeak, tick: Duration) -> Result<(), SandboxError> {
    std::thread::Builder::new()
        .name("epoch-ticker".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(tick);
            }
        })
        .map(drop)
        .map_err(SandboxError::Threads)
}

/// A tokio runtime of its own for guests.
pub(crate) struct GuestThreads(Option<tokio::runtime::Runtime>);

impl GuestThreads {
    fn start(threads: usize) -> Result<Self, SandboxError> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("guest")
            .enable_time()
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(SandboxError::Threads)
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.0
            .as_ref()
            .expect("taken only while it is dropped")
            .handle()
    }
}

impl Drop for GuestThreads {
    fn drop(&mut self) {
        // Dropping a runtime inside another one's task would block and panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
