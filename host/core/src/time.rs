//! Points in time, in whole microseconds.

use std::{fmt, str::FromStr, time::Duration};

/// Microseconds since 1970-01-01T00:00:00Z.
///
/// Every time in the system has this precision, which both databases keep, so a
/// value read back equals the value written. Shown as RFC 3339 in UTC with six
/// fractional digits: `2026-11-21T09:30:00.000000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last moment that jiff can show: it leaves room at the end of the year
    /// 9999 for every offset.
    const MAX_MICROS: i64 = 253_402_207_199_999_999;

    /// Wraps microseconds since the epoch, clamped to 1970-01-01 and 9999-12-30.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < 0 {
            Self(0)
        } else if micros > Self::MAX_MICROS {
            Self(Self::MAX_MICROS)
        } else {
            Self(micros)
        }
    }

    /// Microseconds since the epoch; never negative.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0 / 1_000_000
    }

    /// This moment plus a duration, at the latest 9999-12-30.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// This moment minus a duration, at the earliest the epoch.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp =
            jiff::Timestamp::from_microsecond(self.0).expect("clamped to what jiff can show");
        write!(f, "{timestamp:.6}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    /// Reads RFC 3339 with any offset, rounding down to microseconds.
    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let timestamp: jiff::Timestamp = text.parse()?;
        Ok(Self::from_micros(timestamp.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_with_six_digits_in_utc() {
        let timestamp: Timestamp = "2026-11-21T09:30:00.5+01:00".parse().unwrap();
        assert_eq!(timestamp.to_string(), "2026-11-21T08:30:00.500000Z");
        assert_eq!(
            timestamp.to_string().parse::<Timestamp>().unwrap(),
            timestamp
        );
    }

    #[test]
    fn arithmetic_stays_in_range() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.saturating_add(Duration::from_secs(1)), end);
        assert_eq!(end.to_string(), "9999-12-30T21:59:59.999999Z");
        let start = Timestamp::from_micros(i64::MIN);
        assert_eq!(start.saturating_sub(Duration::MAX), start);
        assert_eq!(start.since(end), Duration::ZERO);
    }
}
