//! Sentry's quota headers.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::TimeSource;

/// Requests to one endpoint in a window. Nothing is refused when they are used up; that is the
/// fault's job.
const LIMIT: u64 = 40;

const CONCURRENT_LIMIT: u64 = 25;

const WINDOW: Duration = Duration::from_secs(1);

const NAMES: [HeaderName; 5] = [
    HeaderName::from_static("x-sentry-rate-limit-limit"),
    HeaderName::from_static("x-sentry-rate-limit-remaining"),
    HeaderName::from_static("x-sentry-rate-limit-reset"),
    HeaderName::from_static("x-sentry-rate-limit-concurrentlimit"),
    HeaderName::from_static("x-sentry-rate-limit-concurrentremaining"),
];

/// Adds the headers of a request that came alone to its answer.
pub(crate) fn tell(clock: &TimeSource, mut answer: Response) -> Response {
    answer
        .headers_mut()
        .extend(headers(clock, LIMIT - 1, WINDOW));
    answer
}

/// The headers of a refusal for too many requests.
pub(crate) fn exhausted(clock: &TimeSource, retry_after: Duration) -> HeaderMap {
    headers(clock, 0, retry_after)
}

/// The reset is in seconds since 1970.
fn headers(clock: &TimeSource, remaining: u64, window: Duration) -> HeaderMap {
    let now = u64::try_from(clock.next().as_second()).unwrap_or_default();
    let reset = now.saturating_add(window.as_secs());
    let values = [
        LIMIT,
        remaining,
        reset,
        CONCURRENT_LIMIT,
        CONCURRENT_LIMIT - 1,
    ];
    NAMES
        .into_iter()
        .zip(values.map(HeaderValue::from))
        .collect()
}
