//! Times, kept with three significant digits.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The longest time that is told apart; longer ones count as this.
const MAX_NANOS: u64 = 600_000_000_000;

/// Many times of one kind.
#[derive(Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, MAX_NANOS, 3);
        Self(histogram.expect("the bounds are constants and fine"))
    }
}

impl Latencies {
    /// Times `calls` calls, after a tenth as many that are not counted.
    pub fn of<T>(calls: u64, mut call: impl FnMut() -> T) -> Self {
        for _ in 0..calls.div_ceil(10) {
            drop(call());
        }
        let mut latencies = Self::default();
        for _ in 0..calls {
            let started = Instant::now();
            let result = call();
            latencies.record(started.elapsed());
            drop(result);
        }
        latencies
    }

    /// Like [`Latencies::of`], for what is asynchronous.
    pub async fn of_async<T>(calls: u64, mut call: impl AsyncFnMut() -> T) -> Self {
        for _ in 0..calls.div_ceil(10) {
            drop(call().await);
        }
        let mut latencies = Self::default();
        for _ in 0..calls {
            let started = Instant::now();
            let result = call().await;
            latencies.record(started.elapsed());
            drop(result);
        }
        latencies
    }

    /// Adds one time.
    pub fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(MAX_NANOS);
        self.0.saturating_record(nanos);
    }

    /// Adds all times of another.
    pub fn merge(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("both were made with the same bounds");
    }

    /// How many times there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that half of them do not exceed.
    pub fn p50(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The time that 99 of 100 do not exceed.
    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }

    fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(quantile))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::default();
        for micros in 1..=100 {
            latencies.record(Duration::from_micros(micros));
        }
        let near = |time: Duration, micros: u128| time.as_nanos().abs_diff(micros * 1_000) < 100;
        assert!(near(latencies.p50(), 50) && near(latencies.p99(), 99));
        assert_eq!(latencies.count(), 100);
    }

    #[test]
    fn what_is_too_long_to_tell_is_still_counted() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::MAX);
        assert_eq!(latencies.count(), 1);
        assert!(latencies.max() > Duration::from_secs(500));
    }
}
