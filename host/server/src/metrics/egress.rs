//! Requests of plugins.

use portcullis_runtime::egress::{EgressObserver, Exchange, ExchangeResult};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{SourceLabels, status_class};
use super::{Durations, durations};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExchangeLabels {
    source: String,
    endpoint: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DenialLabels {
    source: String,
    reason: &'static str,
}

/// The families of requests; a clone is the same.
#[derive(Debug, Clone)]
pub(super) struct EgressFamilies {
    requests: Family<ExchangeLabels, Counter>,
    denials: Family<DenialLabels, Counter>,
    seconds: Durations<SourceLabels>,
}

impl EgressFamilies {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let families = Self {
            requests: Family::default(),
            denials: Family::default(),
            seconds: Durations::new_with_constructor(durations),
        };
        registry.register(
            "egress_requests",
            "Requests of plugins by declared endpoint and result: a class of statuses, `denied`, \
             the kind of failure, or `abandoned` when the call ended first",
            Family::clone(&families.requests),
        );
        registry.register(
            "egress_denials",
            "Requests of plugins that the gateway refused to send, by the rule they break",
            Family::clone(&families.denials),
        );
        registry.register_with_unit(
            "egress_request",
            "From a plugin's request to the end of the response",
            Unit::Seconds,
            Family::clone(&families.seconds),
        );
        families
    }
}

/// Counts the requests of one plugin's call.
#[derive(Debug)]
pub(super) struct ObservedEgress {
    source: String,
    families: EgressFamilies,
}

impl ObservedEgress {
    pub(super) fn new(source: &str, families: EgressFamilies) -> Self {
        Self {
            source: source.to_owned(),
            families,
        }
    }
}

impl EgressObserver for ObservedEgress {
    fn ended(&self, exchange: &Exchange<'_>) {
        let families = &self.families;
        families
            .requests
            .get_or_create(&ExchangeLabels {
                source: self.source.clone(),
                // A name that the plugin does not declare is the guest's word.
                endpoint: exchange.endpoint.unwrap_or_default().to_owned(),
                result: result(exchange.result),
            })
            .inc();
        if let ExchangeResult::Denied(reason) = exchange.result {
            let labels = DenialLabels {
                source: self.source.clone(),
                reason: reason.as_str(),
            };
            families.denials.get_or_create(&labels).inc();
        } else {
            families
                .seconds
                .get_or_create(&SourceLabels::of(&self.source))
                .observe(exchange.took.as_secs_f64());
        }
    }
}

fn result(result: ExchangeResult) -> &'static str {
    match result {
        ExchangeResult::Answered(status) => status_class(status),
        ExchangeResult::Denied(_) => "denied",
        ExchangeResult::Failed(kind) => kind.as_str(),
        ExchangeResult::Abandoned => "abandoned",
    }
}
