//! Linear's quota headers.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, header::RETRY_AFTER};

use crate::TimeSource;

/// Requests an hour, as for an API key. Nothing is refused when they are used up; that is the
/// fault's job.
const REQUESTS_LIMIT: u64 = 1500;

/// Points of complexity an hour.
const COMPLEXITY_LIMIT: u64 = 250_000;

const WINDOW: Duration = Duration::from_hours(1);

const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-requests-limit"),
    HeaderName::from_static("x-ratelimit-requests-remaining"),
    HeaderName::from_static("x-ratelimit-requests-reset"),
];

const COMPLEXITY: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-complexity-limit"),
    HeaderName::from_static("x-ratelimit-complexity-remaining"),
    HeaderName::from_static("x-ratelimit-complexity-reset"),
];

const QUERY_COMPLEXITY: HeaderName = HeaderName::from_static("x-complexity");

/// Counts what was used.
#[derive(Debug)]
pub(crate) struct Quota {
    clock: TimeSource,
    requests: AtomicU64,
    complexity: AtomicU64,
}

impl Quota {
    pub(crate) fn new(clock: TimeSource) -> Self {
        Self {
            clock,
            requests: AtomicU64::default(),
            complexity: AtomicU64::default(),
        }
    }

    /// Counts a request and returns its headers.
    pub(crate) fn spend(&self, complexity: u64) -> HeaderMap {
        let requests = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let points = self.complexity.fetch_add(complexity, Ordering::Relaxed) + complexity;
        let reset = reset_after(&self.clock, WINDOW);
        let mut headers = HeaderMap::new();
        insert(
            &mut headers,
            REQUESTS,
            [
                REQUESTS_LIMIT,
                REQUESTS_LIMIT.saturating_sub(requests),
                reset,
            ],
        );
        insert(
            &mut headers,
            COMPLEXITY,
            [
                COMPLEXITY_LIMIT,
                COMPLEXITY_LIMIT.saturating_sub(points),
                reset,
            ],
        );
        headers.insert(QUERY_COMPLEXITY, HeaderValue::from(complexity));
        headers
    }
}

/// The headers of a refusal for too many requests.
pub(crate) fn exhausted(clock: &TimeSource, retry_after: Duration) -> HeaderMap {
    let mut headers = HeaderMap::new();
    insert(
        &mut headers,
        REQUESTS,
        [REQUESTS_LIMIT, 0, reset_after(clock, retry_after)],
    );
    headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
    headers
}

fn insert(headers: &mut HeaderMap, names: [HeaderName; 3], values: [u64; 3]) {
    headers.extend(names.into_iter().zip(values.map(HeaderValue::from)));
}

/// Milliseconds since 1970.
fn reset_after(clock: &TimeSource, wait: Duration) -> u64 {
    let now = u64::try_from(clock.next().as_millisecond()).unwrap_or_default();
    now.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}
