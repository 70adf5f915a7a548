//! How the failure of an invocation is answered, and what its codes mean.

use axum::http::StatusCode;
use portcullis_core::invocation::FailureCode;

/// The status of an answer whose invocation failed.
pub(in crate::http) const fn status(code: FailureCode) -> StatusCode {
    match code {
        FailureCode::DeadlineExceeded | FailureCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
        FailureCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// What happened, in a sentence.
pub(in crate::http) const fn meaning(code: FailureCode) -> &'static str {
    match code {
        FailureCode::InvalidParams => "The provider does not accept the params.",
        FailureCode::Unauthorized => "The service refused the connection's credential.",
        FailureCode::Forbidden => "The connection's credential may not do this.",
        FailureCode::NotFound => "The service knows no such thing.",
        FailureCode::Conflict => "It exists already, or was changed meanwhile.",
        FailureCode::RateLimited => "The service asks to slow down.",
        FailureCode::Upstream => "The service failed.",
        FailureCode::Timeout => "The service did not answer in time.",
        FailureCode::ProviderInternal => "The provider has a defect.",
        FailureCode::Trapped => "The provider crashed.",
        FailureCode::CpuExceeded => "The provider used up its CPU time.",
        FailureCode::DeadlineExceeded => {
            "The call passed its deadline; the service may have acted."
        }
        FailureCode::MemoryExceeded => "The provider asked for more memory than it may have.",
        FailureCode::TooLarge => "The provider handed over more than it may.",
        FailureCode::Busy => "Too many calls run at the moment; this one did not start.",
        FailureCode::OutcomeUnknown => {
            "The gateway stopped or lost its database while the action ran; the service may have \
             acted."
        }
        FailureCode::DeniedEgress => "The provider tried to call what it may not.",
        FailureCode::ConnectionMissing => "The session has no connection the action may use.",
        FailureCode::SourceUnavailable => "The source went away before the action ran.",
        FailureCode::Internal => "The gateway could not execute it.",
    }
}

/// What to do, in a sentence.
pub(in crate::http) const fn remedy(code: FailureCode) -> &'static str {
    match code {
        FailureCode::InvalidParams | FailureCode::NotFound | FailureCode::Conflict => {
            "Read the message, look at what there is, and send other params."
        }
        FailureCode::Unauthorized | FailureCode::Forbidden | FailureCode::ConnectionMissing => {
            "Have an admin connect the provider anew."
        }
        FailureCode::RateLimited | FailureCode::Busy => "Wait a little and invoke it again.",
        FailureCode::Upstream => {
            "Wait a little and invoke it again; look first whether a write has happened."
        }
        FailureCode::Timeout | FailureCode::DeadlineExceeded | FailureCode::OutcomeUnknown => {
            "Look whether it happened before it is invoked again."
        }
        FailureCode::ProviderInternal
        | FailureCode::Trapped
        | FailureCode::CpuExceeded
        | FailureCode::MemoryExceeded
        | FailureCode::TooLarge => "Ask for less; if that does not help, tell the operator.",
        FailureCode::DeniedEgress | FailureCode::SourceUnavailable | FailureCode::Internal => {
            "Tell the operator; the gateway's log has the reason."
        }
    }
}
