//! What people decide, and the record of what happens.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Durations, Metrics};

/// Bounds of the time that a request waits for a person, in seconds: from a glance
/// to a day.
const WAITS: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0,
];

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// A person lets it run.
    Approve,
    /// A person refuses.
    Deny,
    /// The agent withdraws.
    Cancel,
}

impl Decision {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Cancel => "cancel",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    decision: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WaitLabels {
    decision: &'static str,
}

/// The families of decisions and of the record.
#[derive(Debug)]
pub(super) struct Decisions {
    taken: Family<DecisionLabels, Counter>,
    waits: Durations<WaitLabels>,
    expired: Counter,
    linked: Counter,
    chain_failures: Counter,
}

impl Decisions {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let families = Self {
            taken: Family::default(),
            waits: Durations::new_with_constructor(|| Histogram::new(WAITS)),
            expired: Counter::default(),
            linked: Counter::default(),
            chain_failures: Counter::default(),
        };
        registry.register(
            "decisions",
            "Decisions about invocations that waited: `taken`, or the code of the refusal",
            Family::clone(&families.taken),
        );
        registry.register_with_unit(
            "decision_wait",
            "How long invocations waited until they were decided",
            Unit::Seconds,
            Family::clone(&families.waits),
        );
        registry.register(
            "invocations_expired",
            "Invocations that this gateway expired, since nobody had decided",
            families.expired.clone(),
        );
        registry.register(
            "audit_events_linked",
            "Events to which this gateway gave their place in the audit chain",
            families.linked.clone(),
        );
        registry.register(
            "audit_chain_failures",
            "Attempts to extend the audit chain that failed",
            families.chain_failures.clone(),
        );
        families
    }
}

impl Metrics {
    /// A decision was taken about an invocation that had waited so long.
    pub fn decided(&self, decision: Decision, waited: Duration) {
        self.count(decision, "taken");
        let labels = WaitLabels {
            decision: decision.as_str(),
        };
        let waits = self.decisions.waits.get_or_create(&labels);
        waits.observe(waited.as_secs_f64());
    }

    /// A decision had no effect; `code` is the error's name, from a closed set.
    pub fn undecided(&self, decision: Decision, code: &'static str) {
        self.count(decision, code);
    }

    /// Nobody had decided about so many.
    pub fn expired(&self, count: usize) {
        self.decisions.expired.inc_by(whole(count));
    }

    /// So many events have their place in a chain.
    pub fn linked(&self, count: usize) {
        self.decisions.linked.inc_by(whole(count));
    }

    /// Events go on waiting for their places.
    pub fn chain_failed(&self) {
        self.decisions.chain_failures.inc();
    }

    fn count(&self, decision: Decision, outcome: &'static str) {
        let decision = decision.as_str();
        let labels = DecisionLabels { decision, outcome };
        self.decisions.taken.get_or_create(&labels).inc();
    }
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
