//! The engines, their pools, and what all calls share.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::lane::{Lane, Slots};
use crate::places::SandboxLoad;
use crate::shares::Shares;
use crate::threads::{GuestThreads, Recent};

/// Stack that host functions get beyond the guest's own. Running out of it
/// would abort the process, so it is generous: the deepest host function parses
/// nothing and recurses nowhere.
const HOST_STACK_BYTES: usize = 1 << 20;

/// Memory of a finished call that stays mapped, for the next one to reuse.
/// Measured as the best of 64 KiB to 1 MiB together with the pagemap scan.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;

/// How many core instances, memories and tables a component may have, whether in
/// one core module or in several. Ours have three core instances, one memory and
/// two tables; components made from other languages have a few more: JavaScript
/// with its WASI stubbed has three memories.
const CORE_INSTANCES_PER_COMPONENT: u32 = 20;
const MEMORIES_PER_COMPONENT: u32 = 4;
const TABLES_PER_COMPONENT: u32 = 8;

/// Everything calls share: cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: SandboxConfig,
    /// Where nearly every call runs.
    pub(crate) usual: Arc<Lane>,
    /// Where plugins run that were granted more memory; made when the first one is
    /// loaded.
    large: Mutex<Option<Arc<Lane>>>,
    /// Who has how many places, in both lanes.
    pub(crate) shares: Shares,
    pub(crate) guests: GuestThreads,
    pub(crate) recent: Recent,
    /// Where requests run: the runtime that made the sandbox.
    pub(crate) io: Handle,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("config", &self.shared.config)
            .field("allocator", &self.shared.usual.allocator)
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
        let shares = Shares::new(&config);
        Ok(Self {
            shared: Arc::new(Shared {
                usual: Arc::new(Lane::new(&config, Slots::usual(&config), &shares)?),
                large: Mutex::new(None),
                shares,
                guests: GuestThreads::start(config.guest_threads)?,
                recent: Recent::default(),
                io: Handle::current(),
                config,
            }),
        })
    }

    /// The lane for calls with this much memory. The first that is more than usual
    /// makes the large one, which takes some milliseconds.
    pub(crate) fn lane_for(&self, memory_bytes: usize) -> Result<Arc<Lane>, SandboxError> {
        let shared = &*self.shared;
        if memory_bytes <= shared.config.limits.memory_bytes {
            return Ok(Arc::clone(&shared.usual));
        }
        let mut large = self.large();
        if let Some(lane) = &*large {
            return Ok(Arc::clone(lane));
        }
        let slots = Slots::large(&shared.config);
        let lane = Arc::new(Lane::new(&shared.config, slots, &shared.shares)?);
        tracing::info!(
            concurrentCalls = slots.concurrent_calls,
            memoryBytes = slots.memory_bytes,
            "set up larger places for plugins that were granted more memory"
        );
        *large = Some(Arc::clone(&lane));
        Ok(lane)
    }

    fn large(&self) -> std::sync::MutexGuard<'_, Option<Arc<Lane>>> {
        let large = self.shared.large.lock();
        large.unwrap_or_else(PoisonError::into_inner)
    }

    /// Where instances come from; anything but [`Allocator::Pooling`] deserves
    /// an operator's attention.
    pub fn allocator(&self) -> Allocator {
        self.shared.usual.allocator
    }

    /// How busy it is; places are counted without the larger ones.
    pub fn load(&self) -> SandboxLoad {
        self.shared.usual.places.load()
    }

    /// How busy the larger places are; `None` while no plugin needs them.
    pub fn large_load(&self) -> Option<SandboxLoad> {
        self.large().as_ref().map(|lane| lane.places.load())
    }

    /// Does work whose size a guest has chosen, on the threads of guests that compute.
    /// `None` when it panicked.
    pub async fn work_off<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let done = self.shared.guests.run_slowly(async move { work() });
        done.await.ok()
    }

    /// What the sandbox was set up with.
    pub fn config(&self) -> &SandboxConfig {
        &self.shared.config
    }
}

/// Tries the pooling allocator, and says so loudly when it cannot be had.
pub(crate) fn build_engine(
    config: &SandboxConfig,
    slots: Slots,
) -> Result<(Engine, Allocator), SandboxError> {
    let mut pooling = base_config(config);
    pooling.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config, slots)));
    match Engine::new(&pooling) {
        Ok(engine) => Ok((engine, Allocator::Pooling)),
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                concurrent_calls = slots.concurrent_calls,
                "the pool of instances cannot be set aside; calls will be slower. \
                 Lower {} or raise the limit on address space",
                slots.key
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
        .max_wasm_stack(config.limits.stack_bytes)
        .async_stack_size(config.limits.stack_bytes + HOST_STACK_BYTES)
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        .guard_before_linear_memory(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_backtrace_max_frames(None);
    engine
}

fn pool(config: &SandboxConfig, slots: Slots) -> PoolingAllocationConfig {
    let calls = slots.concurrent_calls;
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
        .max_memory_size(slots.memory_bytes)
        .table_elements(config.limits.table_elements)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(calls);
    pool
}
