//! `wasi:clocks`: the time of the call.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::time::Timestamp;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use crate::state::Capabilities;

/// What clocks count in: the contract's clock has microseconds.
const RESOLUTION: Duration = Duration::from_micros(1);

/// The wall clock of a call says what `clock.now` says. How much time has passed
/// is taken from the machine, as is how long a guest waits.
pub(super) fn of_a_call(builder: &mut WasiCtxBuilder, capabilities: &Capabilities) {
    builder.wall_clock(CallClock(Arc::clone(&capabilities.clock)));
}

/// A time that never passes. `clock.now` traps instead; but language runtimes
/// read their clocks as they start, and would not start at all.
pub(super) fn frozen(builder: &mut WasiCtxBuilder) {
    builder.wall_clock(Frozen).monotonic_clock(Frozen);
}

struct CallClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl HostWallClock for CallClock {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from((self.0)().as_micros()).unwrap_or(0))
    }
}

struct Frozen;

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        0
    }
}
