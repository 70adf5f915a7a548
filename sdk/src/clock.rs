//! Time as the host tells it.

use std::{fmt, ops::Add, time::Duration};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
///
/// The host's clock is the only source of time a provider has, and it is not monotonic: of two
/// readings the later may be the smaller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// A moment from microseconds since the epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// A moment from milliseconds since the epoch; the largest possible one when that does not fit.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// A moment from seconds since the epoch; the largest possible one when that does not fit.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// Whole seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The time from here to `later`; zero when it is not later.
    pub const fn until(self, later: Self) -> Duration {
        Duration::from_micros(later.0.saturating_sub(self.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// The moment that much later; the largest possible one when that does not fit.
    fn add(self, time: Duration) -> Self {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Timestamp({}µs)", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_downwards() {
        let moment = Timestamp::from_micros(1_700_000_000_123_456);

        assert_eq!(moment.as_millis(), 1_700_000_000_123);
        assert_eq!(moment.as_secs(), 1_700_000_000);
    }

    #[test]
    fn the_past_is_no_time_away() {
        let now = Timestamp::from_secs(100);

        assert_eq!(
            now.until(Timestamp::from_millis(100_250)),
            Duration::from_millis(250)
        );
        assert_eq!(now.until(Timestamp::from_secs(99)), Duration::ZERO);
    }

    #[test]
    fn moments_beyond_the_end_of_time_saturate() {
        assert_eq!(
            Timestamp::from_secs(u64::MAX),
            Timestamp::from_micros(u64::MAX)
        );
        assert_eq!(
            Timestamp::from_secs(1) + Duration::MAX,
            Timestamp::from_micros(u64::MAX)
        );
    }
}
