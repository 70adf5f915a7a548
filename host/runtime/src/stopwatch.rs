//! Wall-clock time spent on one kind of thing.

use std::time::{Duration, Instant};

/// Adds up intervals. One that is under way counts as well, since a call may end
/// in the middle of it.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    finished: Duration,
    started_at: Option<Instant>,
}

impl Stopwatch {
    pub(crate) fn start(&mut self) {
        self.started_at = Some(Instant::now());
    }

    pub(crate) fn stop(&mut self) {
        self.finished = self.total();
        self.started_at = None;
    }

    pub(crate) fn total(&self) -> Duration {
        let under_way = self.started_at.map(|started_at| started_at.elapsed());
        self.finished + under_way.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_under_way_counts_and_a_finished_one_stands() {
        let mut watch = Stopwatch::default();
        assert_eq!(watch.total(), Duration::ZERO);
        watch.start();
        while watch.total().is_zero() {}
        watch.stop();
        let finished = watch.total();
        assert!(!finished.is_zero());
        assert_eq!(watch.total(), finished);
        watch.start();
        assert!(watch.total() >= finished);
    }
}
