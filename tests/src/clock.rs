//! Time, moved by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use portcullis::clock::Clock;
use portcullis_core::time::Timestamp;

/// A clock that stands still until it is moved, and that of a database's server
/// beside it.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    database_ahead: AtomicI64,
}

impl Default for ManualClock {
    /// 2026-11-21T09:00:00Z, also at the database.
    fn default() -> Self {
        Self {
            now: AtomicI64::new(1_795_251_600_000_000),
            database_ahead: AtomicI64::new(0),
        }
    }
}

impl ManualClock {
    /// Moves both forward.
    pub fn advance(&self, duration: Duration) {
        self.now.fetch_add(micros(duration), Ordering::SeqCst);
    }

    /// Sets the database's clock so far ahead of the gateways'.
    pub fn set_database_ahead(&self, ahead: Duration) {
        self.database_ahead.store(micros(ahead), Ordering::SeqCst);
    }

    pub(crate) fn database_now(&self) -> Timestamp {
        let ahead = self.database_ahead.load(Ordering::SeqCst);
        Timestamp::from_micros(self.now.load(Ordering::SeqCst) + ahead)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).expect("a test's patience")
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }
}
