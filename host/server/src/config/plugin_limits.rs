//! Section `[plugins.limits.<id>]`: what an operator gives a single plugin.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_core::id::{SourceId, is_provider_id};
use portcullis_runtime::OwnLimits;
use serde::{Deserialize, Serialize};

use super::egress::BODY_BYTES;
use super::{ConfigError, MAX_CALLS, MAX_COUNT, MAX_MILLIS, SandboxSection, invalid};

const KEY: &str = "plugins.limits";

/// The limits of one plugin's calls, instead of those of `[sandbox]` and `[egress]`.
/// What is not there is as usual.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each is named as the one that it takes the place of"
)]
pub struct PluginLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_plugin: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_time_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_requests: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_body_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_body_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_wire_bytes: Option<usize>,
}

impl PluginLimits {
    /// Each that is there: its name, what it is, the least and the most it may be, and
    /// the key that says so.
    fn ranges(&self, sandbox: &SandboxSection) -> [(&'static str, Option<u64>, Range); 9] {
        let bytes = |count: Option<usize>| count.map(|count| count as u64);
        let millis = Range::to(MAX_MILLIS);
        let body = Range::to(*BODY_BYTES.end() as u64);
        let memory = Range {
            most: sandbox.large.memory_bytes as u64,
            set_by: Some("sandbox.large.memory_bytes"),
            ..Range::to(0)
        };
        let result = Range {
            most: sandbox.host_call_bytes as u64,
            set_by: Some("sandbox.host_call_bytes"),
            ..Range::to(0)
        };
        let requests = Range {
            least: 0,
            ..Range::to(u64::from(MAX_COUNT))
        };
        let calls = Range::to(u64::from(MAX_CALLS));
        [
            (
                "calls_per_plugin",
                self.calls_per_plugin.map(u64::from),
                calls,
            ),
            ("memory_bytes", bytes(self.memory_bytes), memory),
            ("cpu_time_ms", self.cpu_time_ms, millis),
            ("deadline_ms", self.deadline_ms, millis),
            ("result_bytes", bytes(self.result_bytes), result),
            ("http_requests", self.http_requests.map(u64::from), requests),
            (
                "max_request_body_bytes",
                bytes(self.max_request_body_bytes),
                body,
            ),
            (
                "max_response_body_bytes",
                bytes(self.max_response_body_bytes),
                body,
            ),
            (
                "max_response_wire_bytes",
                bytes(self.max_response_wire_bytes),
                body,
            ),
        ]
    }

    fn own(&self) -> OwnLimits {
        OwnLimits {
            calls_per_plugin: self.calls_per_plugin,
            memory_bytes: self.memory_bytes,
            cpu_time: self.cpu_time_ms.map(Duration::from_millis),
            deadline: self.deadline_ms.map(Duration::from_millis),
            result_bytes: self.result_bytes,
            http_requests: self.http_requests,
            max_request_body_bytes: self.max_request_body_bytes,
            max_response_body_bytes: self.max_response_body_bytes,
            max_response_wire_bytes: self.max_response_wire_bytes,
        }
    }
}

/// What a limit may be.
#[derive(Debug, Clone, Copy)]
struct Range {
    least: u64,
    most: u64,
    /// The key that is the most.
    set_by: Option<&'static str>,
}

impl Range {
    const fn to(most: u64) -> Self {
        Self {
            least: 1,
            most,
            set_by: None,
        }
    }

    fn refusal(&self, id: &str, name: &str) -> ConfigError {
        let (least, most) = (self.least, self.most);
        let rule = match self.set_by {
            Some(key) => {
                format!("{id}.{name} must be between {least} and {key}, which is {most}")
            }
            None => format!("{id}.{name} must be between {least} and {most}"),
        };
        invalid(KEY, rule)
    }
}

/// Ids are ids, and nothing is given that there is no room for.
pub(super) fn validate(
    limits: &BTreeMap<String, PluginLimits>,
    sandbox: &SandboxSection,
) -> Result<(), ConfigError> {
    for (id, limits) in limits {
        if !is_provider_id(id) {
            let rule = format!("`{id}` is no provider's id, which matches [a-z][a-z0-9-]{{0,31}}");
            return Err(invalid(KEY, rule));
        }
        for (name, value, range) in limits.ranges(sandbox) {
            if value.is_some_and(|value| !(range.least..=range.most).contains(&value)) {
                return Err(range.refusal(id, name));
            }
        }
    }
    Ok(())
}

/// By plugin. What is no id was refused by [`validate`].
pub(super) fn own_limits(limits: &BTreeMap<String, PluginLimits>) -> BTreeMap<SourceId, OwnLimits> {
    limits
        .iter()
        .filter_map(|(id, limits)| Some((id.parse().ok()?, limits.own())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error_of, with_secrets};
    use super::*;
    use crate::config::Config;

    fn key(name: &str) -> &'static str {
        Box::leak(format!("plugins.limits.notes-py.{name}").into_boxed_str())
    }

    /// The limits of calls and of requests with this one for the plugin, as text.
    fn shown(id: &str, name: &str, value: u64) -> String {
        let overrides = with_secrets(&[(key(name), &value.to_string())]);
        let config = Config::load(None, &overrides).unwrap();
        let (sandbox, id) = (config.sandbox(), id.parse().unwrap());
        let requests = sandbox.egress_limits_of(&id, &config.egress());
        format!("{:?} {requests:?}", sandbox.limits_of(&id))
    }

    #[test]
    fn each_limit_has_a_range_and_is_for_one_plugin() {
        let usual = shown("other", "memory_bytes", 1);
        for (name, least, most, told) in [
            (
                "memory_bytes",
                1,
                512 << 20,
                "sandbox.large.memory_bytes, which is 536870912",
            ),
            ("cpu_time_ms", 1, 600_000, "600000"),
            ("deadline_ms", 1, 600_000, "600000"),
            (
                "result_bytes",
                1,
                6 << 20,
                "sandbox.host_call_bytes, which is 6291456",
            ),
            ("http_requests", 0, 10_000, "10000"),
            ("max_request_body_bytes", 1, 1 << 30, "1073741824"),
            ("max_response_body_bytes", 1, 1 << 30, "1073741824"),
            ("max_response_wire_bytes", 1, 1 << 30, "1073741824"),
        ] {
            for value in [least, most] {
                let set = match name.strip_suffix("_ms") {
                    Some(name) => format!("{name}: {:?},", Duration::from_millis(value)),
                    None => format!("{name}: {value},"),
                };
                let own = shown("notes-py", name, value);
                assert!(own.contains(&set), "{set} {own}");
                assert_eq!(shown("other", name, value), usual);
            }
            let rule =
                format!("plugins.limits: notes-py.{name} must be between {least} and {told}");
            let mut wrong = vec![most + 1];
            wrong.extend(u64::checked_sub(least, 1));
            for value in wrong {
                let error = error_of(&with_secrets(&[(key(name), &value.to_string())]));
                assert_eq!(error, rule, "{value}");
            }
        }
    }

    #[test]
    fn what_an_engine_has_for_all_cannot_be_given_to_one() {
        for name in ["stack_bytes", "table_elements", "memory", "max_path_bytes"] {
            let error = error_of(&with_secrets(&[(key(name), "1")]));
            assert!(
                error.contains(&format!("unknown field `{name}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn limits_are_for_ids() {
        for id in ["Notes", "a/b", "db:1"] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let text = format!("[plugins.limits.\"{id}\"]\nmemory_bytes = 1");
            std::fs::write(file.path(), text).unwrap();
            let error = Config::load(Some(file.path()), &with_secrets(&[])).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("is no provider's id"), "{error}");
        }
    }
}
