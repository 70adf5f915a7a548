//! Execution: what was admitted runs, and its outcome is persisted.
//!
//! Runs in a task of its own, so a client that hangs up leaves a completed row
//! behind. Nothing is ever repeated.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::action::ActionDefinition;
use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::InvocationId;
use portcullis_core::invocation::{
    BaseUrls, FailureCode, Invocation, InvocationError, InvocationStatus,
};
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use portcullis_core::truncate::{MAX_RESULT_BYTES, is_within, truncate};
use portcullis_runtime::egress::{CallEgress, CredentialVerdict, Origin};
use portcullis_runtime::{Call, CallReport, GuestError, Outbound, Outcome, Plugin};
use portcullis_storage::{
    AuditEntry, BoxUnitOfWork, Completion, CompletionStatus, Connection, ConnectionStatus,
    HintKind, StoredResult,
};
use serde_json::{Value, json};
use tokio::sync::SemaphorePermit;

use super::admission::Admission;
use super::full_result::Kept;
use crate::audit::{self, GATEWAY, Happened};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::metrics::Stage;
use crate::plugins;

/// An admitted invocation and what it needs to run.
pub(super) struct Execution {
    pub(super) admission: Admission,
    pub(super) plugin: Plugin,
    pub(super) action: ActionDefinition,
    pub(super) params: Value,
}

/// Runs an invocation that this gateway has just taken upon itself, and returns it
/// as it was persisted. Its lease is renewed meanwhile, and those who wait for it
/// are told.
pub(super) async fn execute_held(
    gateway: &Arc<Gateway>,
    execution: Execution,
) -> Result<Invocation, Error> {
    let id = execution.admission.invocation.id;
    let _held = gateway.running.hold(id);
    let _telling = TellEnd { gateway, id };
    execute(gateway, execution).await
}

/// Tells those who wait that an execution has ended, however it did.
struct TellEnd<'a> {
    gateway: &'a Gateway,
    id: InvocationId,
}

impl Drop for TellEnd<'_> {
    fn drop(&mut self) {
        // Nobody may be waiting; that is no error.
        let _ = self.gateway.endings.send(self.id);
    }
}

async fn execute(gateway: &Arc<Gateway>, execution: Execution) -> Result<Invocation, Error> {
    let started_at = gateway.clock.now();
    let ran = match run(gateway, &execution).await {
        Ok(ran) => ran,
        Err(error) => {
            tracing::error!(
                invocationId = %execution.admission.invocation.id,
                error = &error as &dyn std::error::Error,
                "an invocation could not be executed"
            );
            let message = "the gateway could not execute this; its log says why";
            Ran::without_guest(FailureCode::Internal, message.to_owned())
        }
    };
    let completed_at = gateway.clock.now();
    let invocation = execution.admission.invocation;
    let _turn = ran.turn;
    let (completion, kept) = completion(ran.ending, started_at, completed_at);
    let ended = Ended {
        full_result: kept.and_then(|kept| kept.ending_at(gateway, &invocation, completed_at)),
        completion,
        credential: ran.credential,
        invocation,
        connection: (execution.admission.connection)
            .ok()
            .map(|open| open.connection),
    };
    persist(gateway, ended).await
}

/// What came of running.
struct Ran<'g> {
    ending: Ending,
    /// What the upstream thought of the credential.
    credential: CredentialVerdict,
    /// Held until a large result is written.
    turn: Option<SemaphorePermit<'g>>,
}

impl Ran<'_> {
    fn without_guest(code: FailureCode, message: String) -> Self {
        Self {
            ending: Ending::failed(code, message),
            credential: CredentialVerdict::Unknown,
            turn: None,
        }
    }
}

/// How an execution ended: redacted and truncated.
enum Ending {
    Completed {
        result: Value,
        truncated: bool,
        /// What it was before, where that is kept.
        kept: Option<Kept>,
    },
    Failed(InvocationError),
}

impl Ending {
    fn failed(code: FailureCode, message: String) -> Self {
        Self::Failed(InvocationError { code, message })
    }
}

async fn run<'g>(gateway: &'g Arc<Gateway>, execution: &Execution) -> Result<Ran<'g>, Error> {
    let descriptor = execution.plugin.descriptor();
    let redactor = match &execution.admission.connection {
        Ok(open) => Arc::clone(&open.opened.redactor),
        Err(missing) if descriptor.needs_connection(execution.action.credential) => {
            let message = missing.message(&descriptor.id);
            return Ok(Ran::without_guest(FailureCode::ConnectionMissing, message));
        }
        Err(_) => Arc::new(Redactor::keys_only()),
    };
    let egress = Arc::new(call_egress(gateway, execution));
    let clock = Arc::clone(&gateway.clock);
    let report = execution
        .plugin
        .execute(Call {
            organization: execution.admission.invocation.organization_id.clone(),
            action: execution.action.id.clone(),
            params: execution.params.to_string(),
            idempotency_key: execution.admission.invocation.id.to_string(),
            outbound: Arc::clone(&egress) as Arc<dyn Outbound>,
            clock: Arc::new(move || clock.now()),
            redactor: Arc::clone(&redactor),
        })
        .await;
    gateway.metrics.ran(descriptor.id.as_str(), &report.usage);
    let session = execution.admission.invocation.session_id;
    plugins::observe(gateway, &execution.plugin, session, &report.outcome);
    tracing::debug!(
        invocationId = %execution.admission.invocation.id,
        cpuMicros = u64::try_from(report.usage.cpu_time.as_micros()).unwrap_or(u64::MAX),
        memoryBytes = report.usage.memory_bytes,
        httpRequests = report.usage.http_requests,
        logLinesDropped = report.usage.log_lines_dropped,
        "the guest has run"
    );
    let turn = if report.result_bytes > INLINE_RESULT_BYTES {
        gateway.large_results.acquire().await.ok()
    } else {
        None
    };
    Ok(Ran {
        credential: egress.credential_verdict(refuses_credential(&report.outcome)),
        ending: ending(gateway, &execution.admission.invocation, report, redactor).await?,
        turn,
    })
}

/// Whether the provider says that the upstream refused the credential. Not every
/// upstream says so with a 401.
fn refuses_credential(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(error) if error.code == FailureCode::Unauthorized)
}

/// The capabilities of this one call: the plugin's endpoints, the connection's
/// bases and credential, the operator's grants as they were at its admission.
fn call_egress(gateway: &Gateway, execution: &Execution) -> CallEgress {
    let descriptor = execution.plugin.descriptor();
    let granted: HashSet<Origin> = execution
        .admission
        .granted_origins
        .iter()
        .filter_map(|origin| origin.parse().ok())
        .collect();
    let (base_urls, credential, missing) = match &execution.admission.connection {
        Ok(open) => {
            let base_urls = open.connection.base_urls.clone();
            (
                base_urls,
                Some(open.opened.credential.clone()),
                String::new(),
            )
        }
        Err(missing) => (BaseUrls::new(), None, missing.message(&descriptor.id)),
    };
    CallEgress::new(
        execution.plugin.egress().clone(),
        descriptor.endpoints.clone().into(),
        base_urls,
        granted,
        credential,
        missing,
    )
    .observed_by(gateway.metrics.egress_of(descriptor.id.as_str()))
}

/// A result of this many bytes is redacted, cut and sealed within a millisecond; a
/// larger one by a thread that serves no requests, and in turns with all others.
const INLINE_RESULT_BYTES: usize = 64 << 10;

async fn ending(
    gateway: &Arc<Gateway>,
    invocation: &Invocation,
    report: CallReport,
    redactor: Arc<Redactor>,
) -> Result<Ending, Error> {
    if report.result_bytes <= INLINE_RESULT_BYTES {
        return Ok(ending_of(gateway, invocation, report.outcome, &redactor));
    }
    let sandbox = gateway.sandbox.clone();
    let (gateway, invocation) = (Arc::clone(gateway), invocation.clone());
    let end = move || ending_of(&gateway, &invocation, report.outcome, &redactor);
    let ended = sandbox.work_off(end).await;
    ended.ok_or_else(|| Error::Internal("a result could not be redacted".to_owned()))
}

fn ending_of(
    gateway: &Gateway,
    invocation: &Invocation,
    outcome: Outcome,
    redactor: &Redactor,
) -> Ending {
    match outcome {
        Outcome::Completed(value) => {
            let whole = redactor.redact_value(value);
            let is_whole = is_within(&whole, MAX_RESULT_BYTES);
            let kept = (!is_whole).then(|| Kept::of(gateway, invocation, &whole));
            Ending::Completed {
                result: truncate(whole, MAX_RESULT_BYTES).value,
                truncated: !is_whole,
                kept: kept.flatten(),
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

fn completion(
    ending: Ending,
    started_at: Timestamp,
    completed_at: Timestamp,
) -> (Completion, Option<Kept>) {
    let duration = completed_at.since(started_at).as_millis();
    let duration_ms = i64::try_from(duration).unwrap_or(i64::MAX);
    match ending {
        Ending::Completed {
            result,
            truncated,
            kept,
        } => {
            let completion = Completion {
                status: CompletionStatus::Completed,
                result: Some(result),
                result_truncated: truncated,
                error: None,
                duration_ms,
                completed_at,
            };
            (completion, kept)
        }
        Ending::Failed(error) => {
            let completion = Completion {
                status: CompletionStatus::Failed,
                result: None,
                result_truncated: false,
                error: Some(error),
                duration_ms,
                completed_at,
            };
            (completion, None)
        }
    }
}

/// Pauses between the attempts to write an outcome. The upstream may have acted,
/// so an outcome is worth some patience; the lease is renewed meanwhile, as soon
/// as the database can be reached.
const PERSIST_PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// An execution that has ended and is not written yet.
struct Ended {
    invocation: Invocation,
    connection: Option<Connection>,
    completion: Completion,
    /// What its truncated result was before.
    full_result: Option<StoredResult>,
    credential: CredentialVerdict,
}

/// Writes the outcome. An attempt that failed is repeated, which is harmless:
/// the updates are conditional. The last goes without the full result, for which
/// alone there may be no room.
#[tracing::instrument(name = "persist", level = "debug", skip_all)]
async fn persist(gateway: &Arc<Gateway>, mut ended: Ended) -> Result<Invocation, Error> {
    let source = ended.invocation.source.clone();
    let _timed = gateway.metrics.time(source.as_str(), Stage::Persistence);
    for pause in PERSIST_PAUSES {
        match try_persist(gateway, &ended).await {
            Err(Error::Storage(error)) => {
                tracing::warn!(
                    invocationId = %ended.invocation.id,
                    error = &error as &dyn std::error::Error,
                    "the outcome could not be written; trying again"
                );
                tokio::time::sleep(pause).await;
            }
            written => return written,
        }
    }
    ended.full_result = None;
    match try_persist(gateway, &ended).await {
        // Not an outage to the caller: repeating the request would repeat the action.
        Err(Error::Storage(error)) => Err(Error::Unrecorded(error)),
        written => written,
    }
}

/// Writes the outcome with one conditional update, and what belongs to it. When the row has ended
/// meanwhile, because this node was given up for lost, that ending stands.
async fn try_persist(gateway: &Arc<Gateway>, ended: &Ended) -> Result<Invocation, Error> {
    let (invocation, completion) = (&ended.invocation, &ended.completion);
    let news = ended.news_of_credential();
    let turn = gateway.writers.turn(&invocation.organization_id).await;
    let is_written = if news.is_none() && ended.full_result.is_none() {
        let entry = ended.entry(gateway);
        gateway
            .storage
            .finish(invocation.id, &gateway.node, completion, &entry)
            .await?
    } else {
        finish_with_more(gateway, ended, news).await?
    };
    drop(turn);
    if is_written {
        gateway.announce([invocation.id]);
        return Ok(finished(ended));
    }
    let mut work = gateway.storage.read().await?;
    let standing = work
        .invocations()
        .find(invocation.id, invocation.session_id)
        .await?;
    let standing = standing.ok_or(Error::NotFound("invocation"))?;
    // After an attempt whose commit succeeded unseen the row is final already,
    // with what this node wrote.
    if standing.completed_at != Some(completion.completed_at) {
        record_late(gateway, ended, &standing).await?;
        tracing::warn!(
            invocationId = %invocation.id,
            status = %standing.status,
            "the outcome came too late; what was recorded meanwhile stands"
        );
    }
    Ok(standing)
}

/// Writes the outcome and, with it, the full result and what the call has shown of
/// the credential.
async fn finish_with_more(
    gateway: &Gateway,
    ended: &Ended,
    news: Option<(&Connection, ConnectionStatus)>,
) -> Result<bool, Error> {
    let (invocation, completion) = (&ended.invocation, &ended.completion);
    let mut work = gateway.storage.write().await?;
    let is_written = work
        .invocations()
        .finish(invocation.id, &gateway.node, completion)
        .await?;
    if is_written {
        work.audit().add(&ended.entry(gateway)).await?;
        if let Some(full_result) = &ended.full_result {
            work.full_results().add(full_result).await?;
        }
    }
    let noted = match news {
        Some(news) => note_news(gateway, &mut work, news, completion.completed_at).await?,
        None => None,
    };
    work.save().await?;
    if let Some(status) = noted {
        tell_noted(gateway, invocation, status).await;
    }
    Ok(is_written)
}

/// Notes what a call has shown of a credential; the status, if it is news.
async fn note_news(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    (connection, status): (&Connection, ConnectionStatus),
    at: Timestamp,
) -> Result<Option<ConnectionStatus>, Error> {
    let is_noted = note_credential(work, connection, status, at).await?;
    if is_noted {
        record_status(gateway, work, connection, status, at).await?;
    }
    Ok(is_noted.then_some(status))
}

/// Tells of a status that has been saved.
async fn tell_noted(gateway: &Gateway, invocation: &Invocation, status: ConnectionStatus) {
    let organization = invocation.organization_id.as_str();
    gateway.hint(HintKind::Connections, organization).await;
    if status == ConnectionStatus::NeedsReauth {
        gateway
            .metrics
            .marked_needs_reauth(invocation.source.as_str());
    }
}

/// The invocation as its row stands after this end.
fn finished(ended: &Ended) -> Invocation {
    let (invocation, completion) = (&ended.invocation, &ended.completion);
    Invocation {
        full_result: ended.full_result.as_ref().map(|full| full.about),
        status: completion.status.into(),
        result: completion.result.clone(),
        result_truncated: completion.result_truncated,
        error: completion.error.clone(),
        duration_ms: Some(completion.duration_ms),
        completed_at: Some(completion.completed_at),
        ..invocation.clone()
    }
}

impl Ended {
    /// The event of this end.
    fn entry(&self, gateway: &Gateway) -> AuditEntry {
        let status = InvocationStatus::from(self.completion.status);
        let kind = match self.completion.status {
            CompletionStatus::Completed => AuditKind::InvocationCompleted,
            CompletionStatus::Failed => AuditKind::InvocationFailed,
        };
        let error = self.completion.error.as_ref();
        let error = ("error", json!(error.map(|error| error.code.as_str())));
        let details = audit::transition(InvocationStatus::Executing, status, [error]);
        audit::entry(gateway, self.happened(kind, details))
    }

    fn happened(&self, kind: AuditKind, details: Value) -> Happened<'_> {
        let Invocation {
            id,
            organization_id,
            ..
        } = &self.invocation;
        let at = self.completion.completed_at;
        audit::invocation(kind, organization_id, *id, GATEWAY, details, at)
    }

    /// The connection whose credential was refused, or had been and works again,
    /// and its new status.
    fn news_of_credential(&self) -> Option<(&Connection, ConnectionStatus)> {
        let connection = self.connection.as_ref()?;
        let status = match self.credential {
            CredentialVerdict::Refused => ConnectionStatus::NeedsReauth,
            CredentialVerdict::Accepted => ConnectionStatus::Active,
            CredentialVerdict::Unknown => return None,
        };
        // That it works as it did is nothing new. A refusal is always told: the
        // connection may have been found to work since this call was admitted.
        let is_news = status == ConnectionStatus::NeedsReauth || status != connection.status;
        is_news.then_some((connection, status))
    }
}

/// Records an outcome that came too late: what the upstream did is known after all.
async fn record_late(gateway: &Gateway, ended: &Ended, standing: &Invocation) -> Result<(), Error> {
    let late = InvocationStatus::from(ended.completion.status);
    let outcome = ("outcome", json!(late.as_str()));
    let details = audit::transition(standing.status, standing.status, [outcome]);
    let mut work = gateway.storage.write().await?;
    let happened = ended.happened(AuditKind::InvocationEndedLate, details);
    audit::record(gateway, &mut work, happened).await?;
    Ok(work.save().await?)
}

async fn record_status(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    connection: &Connection,
    status: ConnectionStatus,
    at: Timestamp,
) -> Result<(), Error> {
    let happened = Happened {
        organization: Some(&connection.organization_id),
        kind: AuditKind::ConnectionStatusChanged,
        actor: GATEWAY,
        subject: AuditSubject::from(&connection.id),
        details: json!({ "version": connection.version, "after": status.as_str() }),
        at,
    };
    audit::record(gateway, work, happened).await
}

/// Marks a connection; false when that is no news any more. What a call has shown
/// says nothing about a credential that has been rotated meanwhile.
async fn note_credential(
    work: &mut BoxUnitOfWork,
    connection: &Connection,
    status: ConnectionStatus,
    now: Timestamp,
) -> Result<bool, Error> {
    let is_noted = work
        .connections()
        .set_status(
            connection.id,
            &connection.organization_id,
            connection.version,
            status,
            now,
        )
        .await?;
    if is_noted {
        tracing::warn!(
            connectionId = %connection.id,
            organizationId = %connection.organization_id,
            sourceId = %connection.provider,
            status = status.as_str(),
            "what is known of a connection's credential has changed"
        );
    }
    Ok(is_noted)
}
