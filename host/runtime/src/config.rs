//! What a guest may use. Every limit has a unit, a reason, and a defined
//! outcome at its edge.

mod own;

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_core::id::SourceId;

pub use own::OwnLimits;

use crate::egress::EgressLimits;

/// The limits of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, summed over all memories of the component.
    /// Default 64 MiB: a reply of 8 MiB, parsed and rebuilt, takes about five
    /// times its size. At the edge growth is refused; what the guest then does
    /// is reported as `memory_exceeded`.
    pub memory_bytes: usize,
    /// Elements, summed over all tables. Default 20,000: a large component has
    /// a few thousand functions. At the edge: `memory_exceeded`.
    pub table_elements: usize,
    /// Bytes of the guest's stack. Default 512 KiB: every call that runs may fill one,
    /// so that all together take 32 MiB. At the edge: `trapped`.
    pub stack_bytes: usize,
    /// CPU time of the guest, without the time it waits for HTTP or for time to
    /// pass. Default 2 s: usual calls take well under 10 ms. At the edge: `cpu_exceeded`.
    pub cpu_time: Duration,
    /// Wall-clock time of the whole call. Default 30 s, the patience of an
    /// agent. At the edge: `deadline_exceeded`.
    pub deadline: Duration,
    /// Bytes a guest may hand to the host in one host call, or return from an
    /// export. Default 6 MiB: the largest result plus room for its envelope. At
    /// the edge: `too_large`.
    pub host_call_bytes: usize,
    /// Bytes of a result. Default 4 MiB. At the edge: `too_large`.
    pub result_bytes: usize,
    /// Outbound requests. Default 32: enough to page, too few to scan. At the
    /// edge the guest gets `too-many-requests`.
    pub http_requests: u32,
    /// Log lines kept; more are dropped and counted. Default 64.
    pub log_lines: u32,
    /// Bytes of one log line; the rest is cut. Default 4 KiB.
    pub log_line_bytes: usize,
    /// Component-model handles at the same time. Default 256: the contract has none,
    /// so these are of WASI or the guest's own. At the edge: `trapped`.
    pub handles: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            stack_bytes: 512 << 10,
            cpu_time: Duration::from_secs(2),
            deadline: Duration::from_secs(30),
            host_call_bytes: 6 << 20,
            result_bytes: 4 << 20,
            http_requests: 32,
            log_lines: 64,
            log_line_bytes: 4 << 10,
            handles: 256,
        }
    }
}

/// How the sandbox as a whole is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxConfig {
    /// Calls that run at the same time, over all plugins. Default 64. It sizes
    /// the pool of instances: address space, not memory, is set aside.
    pub concurrent_calls: u32,
    /// Calls of one plugin that run at the same time. Default 48: however slow its
    /// upstream, the others have places left. At the edge a call waits, then it is
    /// `busy`.
    pub calls_per_plugin: u32,
    /// Calls of one organization that run at the same time. Default 32: fewer than of
    /// a plugin, so that no organization takes a plugin from the others. At the edge
    /// as above.
    pub calls_per_organization: u32,
    /// How long a call waits for a free place before it is `busy`. Default 1 s.
    pub queue_timeout: Duration,
    /// Calls that may wait for a place at all: of each organization, of each plugin,
    /// and of those that need only any place. Default 128, twice as many as run: who
    /// comes later would wait in vain more often than not. At the edge: `busy`, at
    /// once.
    pub queue_length: u32,
    /// Threads that run guests and nothing else, so that a guest that computes
    /// never delays the gateway's own work; and as many of lower priority for guests
    /// that compute for long. Default: one for each core.
    pub guest_threads: usize,
    /// How often a running guest is looked at. Default 10 ms: a guest's CPU
    /// limit is exceeded by at most about one tick.
    pub epoch_tick: Duration,
    /// Bytes of a component. Default 32 MiB: the largest we know, a Python
    /// guest, has 18.4 MB. At the edge: the plugin is refused.
    pub component_bytes: usize,
    /// The limits of every call.
    pub limits: Limits,
    /// Where calls run that need more memory than that.
    pub large: LargeSlots,
    /// What an operator gave single plugins instead of `limits`. Empty by default:
    /// what a plugin asks for is granted by nobody but an operator.
    pub own_limits: BTreeMap<SourceId, OwnLimits>,
}

/// A second, smaller pool of larger places: a memory cannot outgrow its place in a
/// pool, and large places for every call would take their address space from all.
/// Nothing of it is set aside before a plugin needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargeSlots {
    /// Calls that run at the same time, beside the usual ones. Default 4: at the
    /// default size all of them together take 2 GiB.
    pub concurrent_calls: u32,
    /// Bytes of linear memory of a call: the most that can be granted. Default
    /// 512 MiB.
    pub memory_bytes: usize,
}

impl Default for LargeSlots {
    fn default() -> Self {
        Self {
            concurrent_calls: 4,
            memory_bytes: 512 << 20,
        }
    }
}

impl SandboxConfig {
    /// The limits of this provider's calls.
    pub fn limits_of(&self, provider: &SourceId) -> Limits {
        match self.own_limits.get(provider) {
            Some(own) => own.of_calls(&self.limits),
            None => self.limits.clone(),
        }
    }

    /// How many calls of this provider run at the same time.
    pub(crate) fn calls_of(&self, provider: &SourceId) -> u32 {
        let own = self.own_limits.get(provider);
        own.and_then(|own| own.calls_per_plugin)
            .unwrap_or(self.calls_per_plugin)
    }

    /// The limits of this provider's requests, given those of every request.
    pub fn egress_limits_of(&self, provider: &SourceId, usual: &EgressLimits) -> EgressLimits {
        match self.own_limits.get(provider) {
            Some(own) => own.of_requests(usual),
            None => usual.clone(),
        }
    }

    /// The memory that an operator granted this provider.
    pub(crate) fn granted_memory(&self, provider: &SourceId) -> Option<usize> {
        self.own_limits.get(provider)?.memory_bytes
    }

    /// The longest that any call may take, whoever makes it.
    pub fn longest_deadline(&self) -> Duration {
        let own = self.own_limits.values().filter_map(|own| own.deadline);
        own.max().unwrap_or_default().max(self.limits.deadline)
    }

    /// The most memory that any call may have, whoever makes it.
    pub(crate) fn most_memory_bytes(&self) -> usize {
        let granted = self.own_limits.values().filter_map(|own| own.memory_bytes);
        granted.max().unwrap_or(0).max(self.limits.memory_bytes)
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            concurrent_calls: 64,
            calls_per_plugin: 48,
            calls_per_organization: 32,
            queue_timeout: Duration::from_secs(1),
            queue_length: 128,
            guest_threads: std::thread::available_parallelism().map_or(2, usize::from),
            epoch_tick: Duration::from_millis(10),
            component_bytes: 32 << 20,
            limits: Limits::default(),
            large: LargeSlots::default(),
            own_limits: BTreeMap::new(),
        }
    }
}
