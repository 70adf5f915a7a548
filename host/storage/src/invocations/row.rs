//! Rows of `action_invocations`, and the columns that hold JSON.

use portcullis_core::{
    action::Risk,
    invocation::{
        DeniedReason, FailureCode, FullResult, Invocation, InvocationError, InvocationStatus,
    },
    modes::{Mode, ModeSource},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::{ChangedInvocation, TitledInvocation, WaitingInvocation};
use crate::{Error, Sealed, read::Table};

const INVOCATIONS: Table = Table("action_invocations");

/// A `SELECT` of an [`InvocationRow`] up to its conditions.
pub(crate) const SELECT: &str = "\
    SELECT i.id, i.session_id, i.organization_id, i.integration_id, i.integration, i.action, \
    i.risk_level, i.mode, i.mode_source, i.drifted, i.params, \
    i.definition_digest, i.plugin_digest, i.status, i.result, \
    i.result_truncated, i.error, i.denied_reason, i.duration_ms, i.approved_by, \
    i.approved_at, i.completed_at, i.expires_at, i.created_at, i.decision_reason, \
    i.params_digest, i.params_sealed, i.params_key_id, i.connection_version, \
    s.title AS session_title, \
    f.bytes AS full_bytes, f.is_whole AS full_is_whole, f.expires_at AS full_expires_at \
    FROM action_invocations AS i JOIN sessions AS s ON s.id = i.session_id \
    LEFT JOIN invocation_results AS f ON f.invocation_id = i.id";

/// The same for the number of such rows.
pub(super) const COUNT: &str = "SELECT COUNT(*) FROM action_invocations AS i";

#[derive(sqlx::FromRow)]
pub(crate) struct InvocationRow {
    id: String,
    session_id: String,
    organization_id: String,
    integration_id: Option<String>,
    integration: String,
    action: String,
    risk_level: String,
    mode: String,
    mode_source: String,
    drifted: bool,
    params: String,
    definition_digest: Option<String>,
    plugin_digest: Option<String>,
    status: String,
    result: Option<String>,
    result_truncated: bool,
    error: Option<String>,
    denied_reason: Option<String>,
    duration_ms: Option<i64>,
    approved_by: Option<String>,
    approved_at: Option<i64>,
    completed_at: Option<i64>,
    expires_at: Option<i64>,
    created_at: i64,
    decision_reason: Option<String>,
    params_digest: String,
    params_sealed: Option<Vec<u8>>,
    params_key_id: Option<String>,
    connection_version: Option<i64>,
    session_title: Option<String>,
    full_bytes: Option<i64>,
    full_is_whole: Option<bool>,
    full_expires_at: Option<i64>,
}

impl TryFrom<InvocationRow> for Invocation {
    type Error = Error;

    fn try_from(row: InvocationRow) -> Result<Self, Error> {
        let table = INVOCATIONS;
        Ok(Self {
            id: table.parse("id", &row.id)?,
            session_id: table.parse("session_id", &row.session_id)?,
            organization_id: table.parse("organization_id", &row.organization_id)?,
            connection_id: table.parse_optional("integration_id", row.integration_id.as_deref())?,
            source: table.parse("integration", &row.integration)?,
            action: table.parse("action", &row.action)?,
            risk: table.name("risk_level", &row.risk_level, Risk::from_name)?,
            mode: table.name("mode", &row.mode, Mode::from_name)?,
            mode_source: table.name("mode_source", &row.mode_source, ModeSource::from_name)?,
            drifted: row.drifted,
            params: table.json("params", &row.params)?,
            definition_digest: table
                .parse_optional("definition_digest", row.definition_digest.as_deref())?,
            plugin_digest: table.parse_optional("plugin_digest", row.plugin_digest.as_deref())?,
            status: table.name("status", &row.status, InvocationStatus::from_name)?,
            result: (row.result.as_deref())
                .map(|text| table.json("result", text))
                .transpose()?,
            result_truncated: row.result_truncated,
            full_result: full_result(row.full_bytes, row.full_is_whole, row.full_expires_at)?,
            error: row.error.as_deref().map(error_from_text).transpose()?,
            denied_reason: (row.denied_reason.as_deref())
                .map(|text| table.name("denied_reason", text, DeniedReason::from_text))
                .transpose()?,
            duration_ms: row.duration_ms,
            decision_reason: row.decision_reason,
            approved_by: table.parse_optional("approved_by", row.approved_by.as_deref())?,
            approved_at: table.time_optional("approved_at", row.approved_at)?,
            completed_at: table.time_optional("completed_at", row.completed_at)?,
            expires_at: table.time_optional("expires_at", row.expires_at)?,
            created_at: table.time("created_at", row.created_at)?,
        })
    }
}

fn full_result(
    bytes: Option<i64>,
    is_whole: Option<bool>,
    expires_at: Option<i64>,
) -> Result<Option<FullResult>, Error> {
    let (Some(bytes), Some(is_whole), Some(expires_at)) = (bytes, is_whole, expires_at) else {
        return Ok(None);
    };
    Ok(Some(FullResult {
        bytes: bytes.unsigned_abs(),
        is_whole,
        expires_at: Table("invocation_results").time("expires_at", expires_at)?,
    }))
}

impl TryFrom<InvocationRow> for TitledInvocation {
    type Error = Error;

    fn try_from(mut row: InvocationRow) -> Result<Self, Error> {
        Ok(Self {
            session_title: row.session_title.take(),
            invocation: row.try_into()?,
        })
    }
}

impl TryFrom<InvocationRow> for WaitingInvocation {
    type Error = Error;

    fn try_from(mut row: InvocationRow) -> Result<Self, Error> {
        let sealed = row.params_sealed.take().zip(row.params_key_id.take());
        Ok(Self {
            params_digest: std::mem::take(&mut row.params_digest),
            sealed_params: sealed.map(|(bytes, key_id)| Sealed { key_id, bytes }),
            connection_version: row.connection_version,
            invocation: row.try_into()?,
        })
    }
}

/// What a statement about many returns of each.
pub(super) const CHANGED: &str = " RETURNING id, organization_id";

#[derive(sqlx::FromRow)]
pub(super) struct ChangedRow {
    id: String,
    organization_id: String,
}

impl TryFrom<ChangedRow> for ChangedInvocation {
    type Error = Error;

    fn try_from(row: ChangedRow) -> Result<Self, Error> {
        Ok(Self {
            id: INVOCATIONS.parse("id", &row.id)?,
            organization_id: INVOCATIONS.parse("organization_id", &row.organization_id)?,
        })
    }
}

/// `{"code":…,"message":…}`. JSON rather than two columns also because the
/// message may hold NUL, which Postgres refuses in text.
pub(super) fn error_to_text(error: &InvocationError) -> String {
    json!({ "code": error.code.as_str(), "message": error.message }).to_string()
}

fn error_from_text(text: &str) -> Result<InvocationError, Error> {
    let value = INVOCATIONS.json("error", text)?;
    let member = |name| value.get(name).and_then(Value::as_str);
    let code = member("code").and_then(FailureCode::from_name);
    match (code, member("message")) {
        (Some(code), Some(message)) => Ok(InvocationError {
            code,
            message: message.to_owned(),
        }),
        _ => Err(INVOCATIONS.corrupt("error", "not an object of a known code and a message")),
    }
}

/// Reads a time that was selected on its own.
pub(super) fn created_at(micros: i64) -> Result<Timestamp, Error> {
    INVOCATIONS.time("created_at", micros)
}
