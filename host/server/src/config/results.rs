//! Section `[results]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use portcullis_core::truncate::MAX_RESULT_BYTES;
use serde::{Deserialize, Serialize};

use super::{ConfigError, invalid};

/// Less than what is answered anyway would be nothing more; a row of the database
/// should not become much larger.
const MAX_BYTES: RangeInclusive<usize> = MAX_RESULT_BYTES..=64 << 20;

/// A year.
const MAX_KEEP_HOURS: u64 = 366 * 24;

/// What is kept of results that are too large for an answer.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResultsConfig {
    /// As compact JSON; what is larger is shortened to it.
    pub max_bytes: usize,
    /// 0: nothing is kept.
    pub keep_hours: u64,
}

impl ResultsConfig {
    /// How long they are kept; `None` when they are not.
    pub fn keep(&self) -> Option<Duration> {
        (self.keep_hours > 0).then(|| Duration::from_secs(self.keep_hours * 60 * 60))
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !MAX_BYTES.contains(&self.max_bytes) {
            let (min, max) = (MAX_BYTES.start(), MAX_BYTES.end());
            let rule = format!("must be between {min} and {max}");
            return Err(invalid("results.max_bytes", rule));
        }
        if self.keep_hours > MAX_KEEP_HOURS {
            let rule = format!("must be between 0 and {MAX_KEEP_HOURS}");
            return Err(invalid("results.keep_hours", rule));
        }
        Ok(())
    }
}
