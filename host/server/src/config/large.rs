//! Section `[sandbox.large]`.

use portcullis_runtime::LargeSlots;
use serde::{Deserialize, Serialize};

use super::{ConfigError, invalid};

const MAX_CALLS: u32 = 1_000;

/// All that memories with addresses of 32 bits can have.
const MAX_MEMORY_BYTES: usize = 4 << 30;

/// See [`LargeSlots`].
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "documented where they are used, and in the file"
)]
pub struct LargeSection {
    pub concurrent_calls: u32,
    pub memory_bytes: usize,
}

impl LargeSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let must_be = |key, max: usize| Err(invalid(key, format!("must be between 1 and {max}")));
        if !(1..=MAX_CALLS).contains(&self.concurrent_calls) {
            return must_be("sandbox.large.concurrent_calls", MAX_CALLS as usize);
        }
        if !(1..=MAX_MEMORY_BYTES).contains(&self.memory_bytes) {
            return must_be("sandbox.large.memory_bytes", MAX_MEMORY_BYTES);
        }
        Ok(())
    }

    pub(super) fn slots(&self) -> LargeSlots {
        LargeSlots {
            concurrent_calls: self.concurrent_calls,
            memory_bytes: self.memory_bytes,
        }
    }
}
