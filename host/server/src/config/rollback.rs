//! Section `[plugins.rollback]`.

use portcullis_core::plugin::TrapRule;
use serde::{Deserialize, Serialize};

use super::{ConfigError, invalid};

/// When a version is taken back whose calls trap.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackConfig {
    /// Calls that have to be seen first. 0: never.
    pub min_calls: u32,
    /// Sessions that have to have seen a trap.
    pub min_sessions: u32,
    /// The percentage of all calls above which a version is taken back.
    pub trapped_percent: u32,
}

/// Calls that are remembered at most.
const MAX_CALLS: u32 = 4_096;

impl RollbackConfig {
    /// The rule; `None` when nothing is ever taken back by itself.
    pub fn rule(&self) -> Option<TrapRule> {
        (self.min_calls > 0).then(|| TrapRule {
            min_calls: self.min_calls as usize,
            max_trapped_percent: self.trapped_percent as usize,
            min_sessions: self.min_sessions as usize,
            ..TrapRule::default()
        })
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let Self {
            min_calls,
            min_sessions,
            trapped_percent,
        } = *self;
        if min_calls > MAX_CALLS {
            let rule = format!("must be at most {MAX_CALLS}; 0 switches it off");
            return Err(invalid("plugins.rollback.min_calls", rule));
        }
        if !(2..=100).contains(&min_sessions) {
            let rule = "must be between 2 and 100: one agent alone must not take a version back";
            return Err(invalid("plugins.rollback.min_sessions", rule));
        }
        if !(50..100).contains(&trapped_percent) {
            let rule =
                "must be between 50, since one session counts with half of the calls, and 99";
            return Err(invalid("plugins.rollback.trapped_percent", rule));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error_of, with_secrets};

    #[test]
    fn what_would_let_one_agent_take_a_version_back_is_refused() {
        for (key, value) in [
            ("plugins.rollback.min_calls", "4097"),
            ("plugins.rollback.min_sessions", "1"),
            ("plugins.rollback.trapped_percent", "49"),
            ("plugins.rollback.trapped_percent", "100"),
        ] {
            let error = error_of(&with_secrets(&[(key, value)]));
            assert!(error.starts_with(key), "{error}");
        }
    }
}
