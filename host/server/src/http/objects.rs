//! The JSON of what more than one route answers with.

use portcullis_core::invocation::{DeniedReason, Invocation, InvocationError};
use portcullis_storage::{Connection, Session};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// An invocation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvocationObject {
    id: String,
    session_id: String,
    organization_id: String,
    integration_id: Option<String>,
    integration: String,
    action: String,
    risk_level: &'static str,
    mode: &'static str,
    mode_source: &'static str,
    drifted: bool,
    params: Value,
    status: &'static str,
    error: Option<InvocationErrorObject>,
    result_truncated: bool,
    denied_reason: Option<String>,
    duration_ms: Option<i64>,
    approved_by: Option<String>,
    approved_at: Option<String>,
    completed_at: Option<String>,
    expires_at: Option<String>,
    created_at: String,
}

#[derive(Debug, Serialize)]
struct InvocationErrorObject {
    code: &'static str,
    message: String,
}

impl From<&InvocationError> for InvocationErrorObject {
    fn from(error: &InvocationError) -> Self {
        Self {
            code: error.code.as_str(),
            message: error.message.clone(),
        }
    }
}

impl From<&Invocation> for InvocationObject {
    fn from(invocation: &Invocation) -> Self {
        Self {
            id: invocation.id.to_string(),
            session_id: invocation.session_id.to_string(),
            organization_id: invocation.organization_id.to_string(),
            integration_id: invocation.connection_id.map(|id| id.to_string()),
            integration: invocation.source.to_string(),
            action: invocation.action.to_string(),
            risk_level: invocation.risk.as_str(),
            mode: invocation.mode.as_str(),
            mode_source: invocation.mode_source.as_str(),
            drifted: invocation.drifted,
            params: invocation.params.clone(),
            status: invocation.status.as_str(),
            error: invocation.error.as_ref().map(InvocationErrorObject::from),
            result_truncated: invocation.result_truncated,
            denied_reason: invocation.denied_reason.as_ref().map(DeniedReason::to_text),
            duration_ms: invocation.duration_ms,
            approved_by: invocation.approved_by.as_ref().map(ToString::to_string),
            approved_at: invocation.approved_at.map(|at| at.to_string()),
            completed_at: invocation.completed_at.map(|at| at.to_string()),
            expires_at: invocation.expires_at.map(|at| at.to_string()),
            created_at: invocation.created_at.to_string(),
        }
    }
}

/// A session.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionObject {
    id: String,
    organization_id: String,
    title: Option<String>,
    user_id: Option<String>,
    automation_id: Option<String>,
    connection_ids: Vec<String>,
    created_at: String,
    closed_at: Option<String>,
}

impl From<&Session> for SessionObject {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.to_string(),
            organization_id: session.organization_id.to_string(),
            title: session.title.clone(),
            user_id: session.user_id.as_ref().map(ToString::to_string),
            automation_id: session.automation_id.map(|id| id.to_string()),
            connection_ids: session
                .connection_ids
                .iter()
                .map(ToString::to_string)
                .collect(),
            created_at: session.created_at.to_string(),
            closed_at: session.closed_at.map(|at| at.to_string()),
        }
    }
}

/// A connection, without its credential.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionObject {
    id: String,
    organization_id: String,
    provider: String,
    user_id: Option<String>,
    connection_type: &'static str,
    base_urls: BTreeMap<String, String>,
    status: &'static str,
    version: i64,
    created_at: String,
    updated_at: String,
}

impl From<&Connection> for ConnectionObject {
    fn from(connection: &Connection) -> Self {
        Self {
            id: connection.id.to_string(),
            organization_id: connection.organization_id.to_string(),
            provider: connection.provider.to_string(),
            user_id: connection.user_id.as_ref().map(ToString::to_string),
            connection_type: connection.credential_type.as_str(),
            base_urls: connection
                .base_urls
                .iter()
                .map(|(name, url)| (name.clone(), url.to_string()))
                .collect(),
            status: connection.status.as_str(),
            version: connection.version,
            created_at: connection.created_at.to_string(),
            updated_at: connection.updated_at.to_string(),
        }
    }
}
