//! Where a fake takes the time of created and changed things from.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;

/// 2026-11-20T12:00:00Z: later than everything a fake starts with.
const DEFAULT_START_SECONDS: i64 = 1_795_176_000;

/// A source of times, asked once for each thing that is created or changed.
///
/// The default starts at 2026-11-20T12:00:00Z and moves one second per question, so that what a
/// test creates has the same times on every run.
#[derive(Clone)]
pub struct TimeSource(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl TimeSource {
    /// Times given by a function, e.g. a test's own clock.
    pub fn from_fn(next: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    /// The machine's clock.
    pub fn machine() -> Self {
        Self::from_fn(Timestamp::now)
    }

    /// `start`, then one second later at each question.
    pub fn stepping_from(start: Timestamp) -> Self {
        let next_second = AtomicI64::new(start.as_second());
        Self::from_fn(move || {
            let second = next_second.fetch_add(1, Ordering::Relaxed);
            Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
        })
    }

    pub(crate) fn next(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for TimeSource {
    fn default() -> Self {
        let start = Timestamp::from_second(DEFAULT_START_SECONDS);
        Self::stepping_from(start.expect("the default start is a time jiff can represent"))
    }
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TimeSource(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_source_steps_one_second_from_a_fixed_start() {
        let source = TimeSource::default();
        assert_eq!(source.next().to_string(), "2026-11-20T12:00:00Z");
        assert_eq!(source.next().to_string(), "2026-11-20T12:00:01Z");
    }
}
