//! Section `[plugins.limits.<id>]`: what an operator grants a single plugin.

use std::collections::BTreeMap;

use portcullis_core::id::{SourceId, is_provider_id};
use serde::{Deserialize, Serialize};

use super::{ConfigError, invalid};

const KEY: &str = "plugins.limits";

/// The limits of one plugin's calls, instead of those of `[sandbox]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PluginLimits {
    /// Bytes of linear memory of a call.
    pub memory_bytes: usize,
}

/// Ids are ids, and nothing is granted that there is no place for.
pub(super) fn validate(
    limits: &BTreeMap<String, PluginLimits>,
    most_bytes: usize,
) -> Result<(), ConfigError> {
    for (id, limits) in limits {
        if !is_provider_id(id) {
            let rule = format!("`{id}` is no provider's id, which matches [a-z][a-z0-9-]{{0,31}}");
            return Err(invalid(KEY, rule));
        }
        if !(1..=most_bytes).contains(&limits.memory_bytes) {
            let rule = format!(
                "{id}.memory_bytes must be between 1 and sandbox.large.memory_bytes, which is \
                 {most_bytes}"
            );
            return Err(invalid(KEY, rule));
        }
    }
    Ok(())
}

/// Bytes of memory by plugin. What is no id was refused by [`validate`].
pub(super) fn granted_memory(limits: &BTreeMap<String, PluginLimits>) -> BTreeMap<SourceId, usize> {
    limits
        .iter()
        .filter_map(|(id, limits)| Some((id.parse().ok()?, limits.memory_bytes)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 100;

    fn error_of(id: &str, memory_bytes: usize) -> Option<String> {
        let limits = [(id.to_owned(), PluginLimits { memory_bytes })].into();
        validate(&limits, MOST).err().map(|error| error.to_string())
    }

    #[test]
    fn a_grant_is_for_an_id_and_within_the_larger_places() {
        for bytes in [1, MOST] {
            assert_eq!(error_of("notes-py", bytes), None);
        }
        for bytes in [0, MOST + 1] {
            let error = error_of("notes-py", bytes).unwrap();
            assert!(
                error.starts_with("plugins.limits: notes-py.memory_bytes"),
                "{error}"
            );
            assert!(error.contains("sandbox.large.memory_bytes"), "{error}");
        }
        for id in ["", "Notes", "a/b", "a.b", "db:1"] {
            let error = error_of(id, 1).unwrap();
            assert!(error.contains("is no provider's id"), "{error}");
        }
    }

    #[test]
    fn grants_reach_the_sandbox() {
        let limits = [("notes-py".to_owned(), PluginLimits { memory_bytes: 7 })].into();
        let id: SourceId = "notes-py".parse().unwrap();
        assert_eq!(granted_memory(&limits), [(id, 7)].into());
    }
}
