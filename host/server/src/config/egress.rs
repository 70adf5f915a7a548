//! Section `[egress]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use portcullis_runtime::egress::EgressLimits;
use serde::{Deserialize, Serialize};

use super::{ConfigError, invalid};

/// `http.wit` promises providers paths of 2 KiB, queries of 16 KiB, and 32 headers of
/// 8 KiB, so there is never less. Path and query together stay below the 64 KiB that
/// our HTTP client can express.
const PATH_BYTES: RangeInclusive<usize> = 2 << 10..=8 << 10;
const QUERY_BYTES: RangeInclusive<usize> = 16 << 10..=48 << 10;
const HEADERS: RangeInclusive<usize> = 32..=256;
const HEADER_BYTES: RangeInclusive<usize> = 8 << 10..=64 << 10;

/// Beyond these the client's own limits come first.
const RESPONSE_HEADERS: RangeInclusive<usize> = 1..=1_000;
const RESPONSE_HEADER_BYTES: RangeInclusive<usize> = 1..=256 << 10;

pub(super) const BODY_BYTES: RangeInclusive<usize> = 1..=1 << 30;

const CONNECT_TIMEOUT_MS: RangeInclusive<u64> = 1..=600_000;

/// See [`EgressLimits`].
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "documented where they are used, and in the file"
)]
pub struct EgressSection {
    pub max_path_bytes: usize,
    pub max_query_bytes: usize,
    pub max_headers: usize,
    pub max_header_bytes: usize,
    pub max_request_body_bytes: usize,
    pub max_response_body_bytes: usize,
    pub max_response_wire_bytes: usize,
    pub max_response_headers: usize,
    pub max_response_header_bytes: usize,
    pub connect_timeout_ms: u64,
}

impl EgressSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for (key, value, range) in [
            ("egress.max_path_bytes", self.max_path_bytes, PATH_BYTES),
            ("egress.max_query_bytes", self.max_query_bytes, QUERY_BYTES),
            ("egress.max_headers", self.max_headers, HEADERS),
            (
                "egress.max_header_bytes",
                self.max_header_bytes,
                HEADER_BYTES,
            ),
            (
                "egress.max_request_body_bytes",
                self.max_request_body_bytes,
                BODY_BYTES,
            ),
            (
                "egress.max_response_body_bytes",
                self.max_response_body_bytes,
                BODY_BYTES,
            ),
            (
                "egress.max_response_wire_bytes",
                self.max_response_wire_bytes,
                BODY_BYTES,
            ),
            (
                "egress.max_response_headers",
                self.max_response_headers,
                RESPONSE_HEADERS,
            ),
            (
                "egress.max_response_header_bytes",
                self.max_response_header_bytes,
                RESPONSE_HEADER_BYTES,
            ),
        ] {
            check(key, &value, &range)?;
        }
        check(
            "egress.connect_timeout_ms",
            &self.connect_timeout_ms,
            &CONNECT_TIMEOUT_MS,
        )
    }

    pub(super) fn limits(&self) -> EgressLimits {
        EgressLimits {
            max_path_bytes: self.max_path_bytes,
            max_query_bytes: self.max_query_bytes,
            max_headers: self.max_headers,
            max_header_bytes: self.max_header_bytes,
            max_request_body_bytes: self.max_request_body_bytes,
            max_response_body_bytes: self.max_response_body_bytes,
            max_response_wire_bytes: self.max_response_wire_bytes,
            max_response_headers: self.max_response_headers,
            max_response_header_bytes: self.max_response_header_bytes,
            connect_timeout: Duration::from_millis(self.connect_timeout_ms),
        }
    }
}

fn check<T: PartialOrd + std::fmt::Display>(
    key: &'static str,
    value: &T,
    range: &RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if range.contains(value) {
        return Ok(());
    }
    let (min, max) = (range.start(), range.end());
    Err(invalid(key, format!("must be between {min} and {max}")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error_of, with_secrets};
    use super::*;
    use crate::config::Config;

    #[test]
    fn each_limit_has_a_range_and_reaches_the_client() {
        for (name, below, least, most, beyond) in [
            ("max_path_bytes", 2_047, 2_048, 8_192, 8_193),
            ("max_query_bytes", 16_383, 16_384, 49_152, 49_153),
            ("max_headers", 31, 32, 256, 257),
            ("max_header_bytes", 8_191, 8_192, 65_536, 65_537),
            ("max_request_body_bytes", 0, 1, 1 << 30, (1 << 30) + 1),
            ("max_response_body_bytes", 0, 1, 1 << 30, (1 << 30) + 1),
            ("max_response_wire_bytes", 0, 1, 1 << 30, (1 << 30) + 1),
            ("max_response_headers", 0, 1, 1_000, 1_001),
            ("max_response_header_bytes", 0, 1, 262_144, 262_145),
            ("connect_timeout_ms", 0, 1, 600_000, 600_001),
        ] {
            let key: &'static str = Box::leak(format!("egress.{name}").into_boxed_str());
            for value in [below, beyond] {
                let error = error_of(&with_secrets(&[(key, &value.to_string())]));
                let rule = format!("{key}: must be between {least} and {most}");
                assert_eq!(error, rule, "{value}");
            }
            for value in [least, most] {
                let overrides = with_secrets(&[(key, &value.to_string())]);
                let limits = Config::load(None, &overrides).unwrap().egress();
                let told = match name.strip_suffix("_ms") {
                    Some(name) => format!("{name}: {:?} }}", Duration::from_millis(value)),
                    None => format!("{name}: {value},"),
                };
                let shown = format!("{limits:?}");
                assert!(shown.contains(&told), "{told} {shown}");
            }
        }
    }
}
