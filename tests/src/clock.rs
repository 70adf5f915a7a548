//! Time, moved by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use portcullis::clock::Clock;
use portcullis_core::time::Timestamp;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    /// 2026-11-21T09:00:00Z.
    fn default() -> Self {
        Self(AtomicI64::new(1_795_251_600_000_000))
    }
}

impl ManualClock {
    /// Moves it forward.
    pub fn advance(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).expect("a test's patience");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
