//! Execution: what was admitted runs, and its outcome is persisted.
//!
//! Runs in a task of its own, so a client that hangs up leaves a completed row
//! behind. Nothing is ever repeated.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::id::SourceId;
use portcullis_core::invocation::{FailureCode, Invocation, InvocationError};
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use portcullis_core::truncate::{MAX_RESULT_BYTES, truncate};
use portcullis_runtime::egress::{CallEgress, Credential, Origin};
use portcullis_runtime::{Call, GuestError, Outcome, Plugin};
use portcullis_storage::{Completion, CompletionStatus, Connection};
use serde_json::Value;

use crate::connections::{open_credential, redactor};
use crate::error::Error;
use crate::gateway::Gateway;

/// An admitted invocation and what it needs to run.
pub(super) struct Execution {
    pub(super) invocation: Invocation,
    pub(super) plugin: Plugin,
    pub(super) params: Value,
    pub(super) connection: Option<Connection>,
}

/// Runs an invocation and returns it as it was persisted.
pub(super) async fn execute(gateway: &Gateway, execution: Execution) -> Result<Invocation, Error> {
    let started_at = gateway.clock.now();
    let ending = match run(gateway, &execution).await {
        Ok(ending) => ending,
        Err(error) => {
            tracing::error!(
                invocationId = %execution.invocation.id,
                error = &error as &dyn std::error::Error,
                "an invocation could not be executed"
            );
            Ending::failed(
                FailureCode::Internal,
                "the gateway could not execute this; its log says why".to_owned(),
            )
        }
    };
    let completion = completion(ending, started_at, gateway.clock.now());
    persist(gateway, execution.invocation, completion).await
}

/// How an execution ended: redacted and truncated.
enum Ending {
    Completed { result: Value, truncated: bool },
    Failed(InvocationError),
}

impl Ending {
    fn failed(code: FailureCode, message: String) -> Self {
        Self::Failed(InvocationError { code, message })
    }
}

async fn run(gateway: &Gateway, execution: &Execution) -> Result<Ending, Error> {
    let descriptor = execution.plugin.descriptor();
    if execution.connection.is_none() && descriptor.needs_connection() {
        return Ok(Ending::failed(
            FailureCode::ConnectionMissing,
            connection_missing(&descriptor.id),
        ));
    }
    let credential = match &execution.connection {
        Some(connection) => Some(open_credential(gateway, connection)?),
        None => None,
    };
    let redactor = Arc::new(redactor(credential.as_ref()));
    let egress = call_egress(gateway, execution, credential).await?;
    let clock = Arc::clone(&gateway.clock);
    let report = execution
        .plugin
        .execute(Call {
            action: execution.invocation.action.clone(),
            params: execution.params.to_string(),
            idempotency_key: execution.invocation.id.to_string(),
            outbound: Arc::new(egress),
            clock: Arc::new(move || clock.now()),
            redactor: Arc::clone(&redactor),
        })
        .await;
    tracing::debug!(
        invocationId = %execution.invocation.id,
        cpuMicros = u64::try_from(report.usage.cpu_time.as_micros()).unwrap_or(u64::MAX),
        memoryBytes = report.usage.memory_bytes,
        httpRequests = report.usage.http_requests,
        logLinesDropped = report.usage.log_lines_dropped,
        "the guest has run"
    );
    // A result of some megabytes takes a while to redact and cut; the threads
    // that serve requests have other things to do.
    tokio::task::spawn_blocking(move || ending(report.outcome, &redactor))
        .await
        .map_err(|panic| Error::Internal(panic.to_string()))
}

/// The capabilities of this one call: the plugin's endpoints, the connection's
/// bases and credential, the operator's grants as they are now.
async fn call_egress(
    gateway: &Gateway,
    execution: &Execution,
    credential: Option<Credential>,
) -> Result<CallEgress, Error> {
    let mut work = gateway.storage.read().await?;
    let origins = work.egress_grants().origins().await?;
    drop(work);
    let granted: HashSet<Origin> = origins
        .iter()
        .filter_map(|origin| origin.parse().ok())
        .collect();
    let base_urls = execution
        .connection
        .as_ref()
        .map(|connection| connection.base_urls.clone())
        .unwrap_or_default();
    Ok(CallEgress::new(
        execution.plugin.egress().clone(),
        execution.plugin.descriptor().endpoints.clone().into(),
        base_urls,
        granted,
        credential,
        connection_missing(&execution.plugin.descriptor().id),
    ))
}

fn connection_missing(source: &SourceId) -> String {
    format!(
        "this session has no {source} connection that the action may use; \
         connect {source} and open a session with the connection's id"
    )
}

fn ending(outcome: Outcome, redactor: &Redactor) -> Ending {
    match outcome {
        Outcome::Completed(value) => {
            let cut = truncate(redactor.redact_value(value), MAX_RESULT_BYTES);
            Ending::Completed {
                result: cut.value,
                truncated: cut.truncated,
            }
        }
        Outcome::Failed(error) => {
            let code = error.code;
            Ending::failed(code, redactor.redact_text(&guest_message(error)))
        }
        Outcome::Stopped { code, message } => Ending::failed(code, redactor.redact_text(&message)),
    }
}

/// The provider's words, and when to come back if it said so.
fn guest_message(error: GuestError) -> String {
    match error.retry_after_ms {
        Some(millis) if error.retryable => {
            let seconds = Duration::from_millis(millis).as_secs_f64().ceil();
            format!("{} (retry after {seconds} s)", error.message)
        }
        _ => error.message,
    }
}

fn completion(ending: Ending, started_at: Timestamp, completed_at: Timestamp) -> Completion {
    let duration = completed_at.since(started_at).as_millis();
    let duration_ms = i64::try_from(duration).unwrap_or(i64::MAX);
    match ending {
        Ending::Completed { result, truncated } => Completion {
            status: CompletionStatus::Completed,
            result: Some(result),
            result_truncated: truncated,
            error: None,
            duration_ms,
            completed_at,
        },
        Ending::Failed(error) => Completion {
            status: CompletionStatus::Failed,
            result: None,
            result_truncated: false,
            error: Some(error),
            duration_ms,
            completed_at,
        },
    }
}

/// Pauses between the attempts to write an outcome. The upstream may have acted,
/// so an outcome is worth some patience; the lease outlasts all of them.
const PERSIST_PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Writes the outcome. An attempt that failed is repeated, which is harmless:
/// the update is conditional.
async fn persist(
    gateway: &Gateway,
    invocation: Invocation,
    completion: Completion,
) -> Result<Invocation, Error> {
    for pause in PERSIST_PAUSES {
        match try_persist(gateway, &invocation, &completion).await {
            Err(Error::Storage(error)) => {
                tracing::warn!(
                    invocationId = %invocation.id,
                    error = &error as &dyn std::error::Error,
                    "the outcome could not be written; trying again"
                );
                tokio::time::sleep(pause).await;
            }
            written => return written,
        }
    }
    match try_persist(gateway, &invocation, &completion).await {
        // Not an outage to the caller: repeating the request would repeat the action.
        Err(Error::Storage(error)) => Err(Error::Unrecorded(error)),
        written => written,
    }
}

/// Writes the outcome with one conditional update. When the row has ended
/// meanwhile, because this node was given up for lost, that ending stands.
async fn try_persist(
    gateway: &Gateway,
    invocation: &Invocation,
    completion: &Completion,
) -> Result<Invocation, Error> {
    let mut work = gateway.storage.write().await?;
    let written = work
        .invocations()
        .finish(invocation.id, &gateway.node, completion)
        .await?;
    let stored = work
        .invocations()
        .find(invocation.id, invocation.session_id)
        .await?;
    work.save().await?;
    let stored = stored.ok_or(Error::NotFound("invocation"))?;
    // After an attempt whose commit succeeded unseen the row is final already,
    // with what this node wrote.
    if !written && stored.completed_at != Some(completion.completed_at) {
        tracing::warn!(
            invocationId = %invocation.id,
            status = %stored.status,
            "the outcome came too late; what was recorded meanwhile stands"
        );
    }
    Ok(stored)
}
