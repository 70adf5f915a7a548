//! How long an upstream asks to wait.

use std::time::{Duration, UNIX_EPOCH};

use super::Response;
use crate::clock::Timestamp;

/// Longest wait that is believed. What asks for more is a defect of the upstream, and nobody would
/// wait.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// Reads from an answer how long the upstream asks to wait. `None`: it does not say.
pub type AskedWait = fn(&Response) -> Option<Duration>;

/// The unit of a header that names a moment since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Response {
    /// What the `Retry-After` header says, in seconds or as an HTTP date; at most 24 hours.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        let wait = match value.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => self.received_at().until(http_date(value)?),
        };
        Some(wait.min(MAX_WAIT))
    }

    /// The time until the moment that a header such as `x-ratelimit-reset` names; at most 24 hours.
    pub fn until_reset(&self, header: &str, unit: EpochUnit) -> Option<Duration> {
        let value = self.header(header)?.trim().parse().ok()?;
        let reset = match unit {
            EpochUnit::Seconds => Timestamp::from_secs(value),
            EpochUnit::Milliseconds => Timestamp::from_millis(value),
        };
        Some(self.received_at().until(reset).min(MAX_WAIT))
    }
}

fn http_date(value: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(value).ok()?;
    Some(Timestamp::from_secs(
        date.duration_since(UNIX_EPOCH).ok()?.as_secs(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{host::wire, http::request::Terms};

    /// 2026-11-21T00:00:00Z
    const NOW: Timestamp = Timestamp::from_secs(1_795_219_200);

    fn response(name: &str, value: &str) -> Response {
        let headers = vec![(name.to_owned(), value.to_owned())];
        Response::new(
            wire::Response {
                status: 429,
                headers,
                body: Vec::new(),
            },
            "Linear",
            NOW,
            Terms::of(true),
        )
    }

    fn retry_after(value: &str) -> Option<Duration> {
        response("retry-after", value).retry_after()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("30"), Some(Duration::from_secs(30)));
        assert_eq!(
            retry_after("Sat, 21 Nov 2026 00:01:30 GMT"),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            retry_after("Fri, 20 Nov 2026 00:00:00 GMT"),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn retry_after_that_makes_no_sense_is_none() {
        for value in ["", "soon", "-5", "1.5"] {
            assert_eq!(retry_after(value), None, "{value:?}");
        }
    }

    #[test]
    fn waits_are_at_most_a_day() {
        assert_eq!(retry_after("18446744073709551615"), Some(MAX_WAIT));
    }

    #[test]
    fn resets_are_moments_in_seconds_or_milliseconds() {
        let millis = response("x-ratelimit-requests-reset", "1795219212500");
        let seconds = response("x-sentry-rate-limit-reset", "1795219210");

        let wait = millis.until_reset("X-RateLimit-Requests-Reset", EpochUnit::Milliseconds);
        assert_eq!(wait, Some(Duration::from_millis(12_500)));
        let wait = seconds.until_reset("x-sentry-rate-limit-reset", EpochUnit::Seconds);
        assert_eq!(wait, Some(Duration::from_secs(10)));
        assert_eq!(
            seconds.until_reset("x-ratelimit-reset", EpochUnit::Seconds),
            None
        );
    }
}
