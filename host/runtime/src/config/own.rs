//! What single plugins get instead of what every call gets.

use std::time::Duration;

use super::Limits;
use crate::egress::EgressLimits;

/// What an operator gave one plugin: more than usual, or less. `None`: the usual.
///
/// Absent is what one plugin cannot have for itself, since an engine has it for
/// all (stack, tables), since the gateway pays for it (bytes of a host call, log),
/// or since no upstream would take it (paths, headers).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnLimits {
    /// Calls of it that run at the same time.
    pub calls_per_plugin: Option<u32>,
    /// Bytes of linear memory, up to those of the larger places.
    pub memory_bytes: Option<usize>,
    /// CPU time of a call.
    pub cpu_time: Option<Duration>,
    /// Wall-clock time of a call.
    pub deadline: Option<Duration>,
    /// Bytes of a result.
    pub result_bytes: Option<usize>,
    /// Outbound requests of a call.
    pub http_requests: Option<u32>,
    /// Bytes of a request's body.
    pub max_request_body_bytes: Option<usize>,
    /// Bytes of a response's body as the guest gets it.
    pub max_response_body_bytes: Option<usize>,
    /// Bytes of a response's body as they are received.
    pub max_response_wire_bytes: Option<usize>,
}

impl OwnLimits {
    /// The limits of the plugin's calls.
    pub(crate) fn of_calls(&self, usual: &Limits) -> Limits {
        Limits {
            memory_bytes: self.memory_bytes.unwrap_or(usual.memory_bytes),
            cpu_time: self.cpu_time.unwrap_or(usual.cpu_time),
            deadline: self.deadline.unwrap_or(usual.deadline),
            result_bytes: self.result_bytes.unwrap_or(usual.result_bytes),
            http_requests: self.http_requests.unwrap_or(usual.http_requests),
            ..usual.clone()
        }
    }

    /// The limits of its requests.
    pub(crate) fn of_requests(&self, usual: &EgressLimits) -> EgressLimits {
        let request_body = self.max_request_body_bytes;
        let response_body = self.max_response_body_bytes;
        let response_wire = self.max_response_wire_bytes;
        EgressLimits {
            max_request_body_bytes: request_body.unwrap_or(usual.max_request_body_bytes),
            max_response_body_bytes: response_body.unwrap_or(usual.max_response_body_bytes),
            max_response_wire_bytes: response_wire.unwrap_or(usual.max_response_wire_bytes),
            ..usual.clone()
        }
    }
}
