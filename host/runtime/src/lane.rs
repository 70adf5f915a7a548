//! An engine with its pool, its places and what is linked in it.
//!
//! There is one for the usual calls, and one for those that need more memory,
//! since a memory cannot outgrow its place in a pool. Both engines compile alike,
//! so what was compiled for one is read by the other.

use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, EngineWeak};

use crate::bindings::ActionSource;
use crate::config::SandboxConfig;
use crate::engine::{Allocator, build_engine};
use crate::error::SandboxError;
use crate::inspect::Inspection;
use crate::places::Places;
use crate::shares::Shares;
use crate::state::CallState;
use crate::wasi;

/// How many places a pool has, and how large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots {
    pub(crate) concurrent_calls: u32,
    pub(crate) memory_bytes: usize,
    /// The key that says how many.
    pub(crate) key: &'static str,
}

impl Slots {
    pub(crate) fn usual(config: &SandboxConfig) -> Self {
        Self {
            concurrent_calls: config.concurrent_calls,
            memory_bytes: config.limits.memory_bytes,
            key: "sandbox.concurrent_calls",
        }
    }

    pub(crate) fn large(config: &SandboxConfig) -> Self {
        Self {
            concurrent_calls: config.large.concurrent_calls,
            memory_bytes: config.large.memory_bytes,
            key: "sandbox.large.concurrent_calls",
        }
    }
}

/// See the module.
pub(crate) struct Lane {
    pub(crate) engine: Engine,
    pub(crate) allocator: Allocator,
    pub(crate) places: Places,
    /// The key that says how many places.
    pub(crate) key: &'static str,
    /// The contract and nothing else.
    contract: Linker<CallState>,
    /// The contract, and WASI with nothing behind it.
    with_wasi: Linker<CallState>,
}

impl Lane {
    /// Sets up an engine and starts its clock.
    pub(crate) fn new(
        config: &SandboxConfig,
        slots: Slots,
        shares: &Shares,
    ) -> Result<Self, SandboxError> {
        let (engine, allocator) = build_engine(config, slots)?;
        let refused = |error: wasmtime::Error| SandboxError::Linker(format!("{error:#}"));
        let mut contract = Linker::new(&engine);
        ActionSource::add_to_linker::<_, HasSelf<CallState>>(&mut contract, |state| state)
            .map_err(refused)?;
        let mut with_wasi = contract.clone();
        wasi::link(&mut with_wasi).map_err(refused)?;
        start_ticker(engine.weak(), config.epoch_tick)?;
        Ok(Self {
            engine,
            allocator,
            places: shares.places(slots.concurrent_calls),
            key: slots.key,
            contract,
            with_wasi,
        })
    }

    /// What this component is linked to: no WASI unless it imports some.
    pub(crate) fn linker(&self, inspection: &Inspection) -> &Linker<CallState> {
        if inspection.uses_wasi() {
            &self.with_wasi
        } else {
            &self.contract
        }
    }
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

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use super::*;

    #[tokio::test]
    async fn what_is_compiled_for_one_is_read_by_the_other() {
        let config = SandboxConfig::default();
        let key = |slots| {
            let mut hasher = DefaultHasher::new();
            let lane = Lane::new(&config, slots, &Shares::new(&config)).unwrap();
            assert_eq!(lane.allocator, Allocator::Pooling);
            lane.engine
                .precompile_compatibility_hash()
                .hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(key(Slots::usual(&config)), key(Slots::large(&config)));
    }
}
