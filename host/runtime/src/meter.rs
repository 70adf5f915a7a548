//! A guest's CPU time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Counts the CPU time of the thread that runs a guest, between
/// [`CpuMeter::resume`] and [`CpuMeter::pause`].
///
/// CPU time rather than wall-clock time: on a busy machine a guest must not pay
/// for the time others had the core. A guest may move between threads while it
/// is paused and only then, so both readings of an interval come from one
/// thread. The fields are atomic only because the future that resumes the meter
/// after a yield cannot reach the store.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    used_nanos: AtomicU64,
    resumed_at_nanos: AtomicU64,
}

/// Stands in `resumed_at_nanos` while the guest waits.
const PAUSED: u64 = u64::MAX;

impl Default for CpuMeter {
    fn default() -> Self {
        Self {
            used_nanos: AtomicU64::new(0),
            resumed_at_nanos: AtomicU64::new(PAUSED),
        }
    }
}

impl CpuMeter {
    /// The guest runs from now on, on this thread.
    pub(crate) fn resume(&self) {
        self.resumed_at_nanos
            .store(thread_cpu_nanos(), Ordering::Relaxed);
    }

    /// The guest waits from now on. Nothing happens if it waits already, as
    /// when the deadline passes during a request.
    pub(crate) fn pause(&self) {
        let resumed_at = self.resumed_at_nanos.swap(PAUSED, Ordering::Relaxed);
        if resumed_at != PAUSED {
            let ran = thread_cpu_nanos().saturating_sub(resumed_at);
            self.used_nanos.fetch_add(ran, Ordering::Relaxed);
        }
    }

    /// The CPU time of all finished intervals.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.used_nanos.load(Ordering::Relaxed))
    }
}

fn thread_cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds * 1_000_000_000 + nanos
}
