//! The JSON of what more than one route answers with.

use portcullis_core::invocation::{DeniedReason, Invocation, InvocationError};
use portcullis_storage::{Connection, Session};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::names;

/// The record of one request for an action, and of what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invocation)]
pub(super) struct InvocationObject {
    /// A UUID of version 4, which providers hand to services that take an id
    /// from outside: what an action created may have this very id.
    #[schema(format = "uuid")]
    id: String,
    /// The session that asked.
    #[schema(format = "uuid")]
    session_id: String,
    /// The session's organization.
    organization_id: String,
    /// The connection used; null when none was.
    #[schema(required, format = "uuid")]
    integration_id: Option<String>,
    /// The source.
    #[schema(example = "linear")]
    integration: String,
    /// The action within the source.
    #[schema(example = "create_issue")]
    action: String,
    #[schema(value_type = names::RiskLevel)]
    risk_level: &'static str,
    #[schema(value_type = names::Mode)]
    mode: &'static str,
    #[schema(value_type = names::ModeSource)]
    mode_source: &'static str,
    /// True when the action's definition was not the one that somebody had decided
    /// about.
    drifted: bool,
    /// Identifies the definition that was admitted, as in the catalog; null of what
    /// an earlier version of the gateway admitted.
    #[schema(required, value_type = Option<names::DefinitionDigest>)]
    definition_digest: Option<String>,
    /// What was asked for, redacted and truncated for display.
    #[schema(value_type = Object)]
    params: Value,
    #[schema(value_type = names::InvocationStatus)]
    status: &'static str,
    /// Why it failed; null unless it has.
    #[schema(required)]
    error: Option<InvocationErrorObject>,
    /// True when the result is not the whole result.
    result_truncated: bool,
    /// Null unless it was denied or has expired.
    #[schema(required, value_type = Option<names::DeniedReason>)]
    denied_reason: Option<String>,
    /// Why it was denied, in the words of the person who did; null unless somebody
    /// said why.
    #[schema(required)]
    decision_reason: Option<String>,
    /// From the start of its execution to the end; null unless it ran.
    #[schema(required, minimum = 0)]
    duration_ms: Option<i64>,
    /// The user who approved it.
    #[schema(required)]
    approved_by: Option<String>,
    /// When that was.
    #[schema(required, format = "date-time")]
    approved_at: Option<String>,
    /// When it became final.
    #[schema(required, format = "date-time")]
    completed_at: Option<String>,
    /// When it stops waiting for a person; null when it does not wait for one.
    #[schema(required, format = "date-time")]
    expires_at: Option<String>,
    /// When it was admitted.
    #[schema(format = "date-time")]
    created_at: String,
}

/// What is kept of a result that was truncated.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FullResult)]
pub(super) struct FullResultObject {
    /// Where it can be read page by page, as this session's agent or as a member.
    #[schema(example = "/7d0c…/actions/invocations/81ee…/result")]
    href: String,
    /// Its size as compact JSON.
    #[schema(minimum = 0)]
    bytes: u64,
    /// False when even this is not all that the action answered.
    complete: bool,
    /// From when on it is not kept.
    #[schema(format = "date-time")]
    expires_at: String,
}

impl FullResultObject {
    /// Of this invocation; `None` when nothing beyond its result is kept.
    pub(super) fn of(invocation: &Invocation) -> Option<Self> {
        let full = invocation.full_result?;
        let (session, id) = (invocation.session_id, invocation.id);
        Some(Self {
            href: format!("/{session}/actions/invocations/{id}/result"),
            bytes: full.bytes,
            complete: full.is_whole,
            expires_at: full.expires_at.to_string(),
        })
    }
}

/// Why an invocation failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvocationError)]
struct InvocationErrorObject {
    #[schema(value_type = names::FailureCode)]
    code: &'static str,
    /// For the agent; redacted and bounded.
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
            definition_digest: invocation.definition_digest.map(|it| it.to_string()),
            params: invocation.params.clone(),
            status: invocation.status.as_str(),
            error: invocation.error.as_ref().map(InvocationErrorObject::from),
            result_truncated: invocation.result_truncated,
            denied_reason: invocation.denied_reason.as_ref().map(DeniedReason::to_text),
            decision_reason: invocation.decision_reason.clone(),
            duration_ms: invocation.duration_ms,
            approved_by: invocation.approved_by.as_ref().map(ToString::to_string),
            approved_at: invocation.approved_at.map(|at| at.to_string()),
            completed_at: invocation.completed_at.map(|at| at.to_string()),
            expires_at: invocation.expires_at.map(|at| at.to_string()),
            created_at: invocation.created_at.to_string(),
        }
    }
}

/// One agent's work, and the connections it may use.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(super) struct SessionObject {
    #[schema(format = "uuid")]
    id: String,
    organization_id: String,
    /// For people.
    #[schema(required)]
    title: Option<String>,
    /// The user it works for, whose own connections it may use.
    #[schema(required)]
    user_id: Option<String>,
    /// The automation it runs for, whose modes come first.
    #[schema(required, format = "uuid")]
    automation_id: Option<String>,
    /// What the agent may use; empty means nothing.
    connection_ids: Vec<String>,
    #[schema(format = "date-time")]
    created_at: String,
    /// Null while it is open.
    #[schema(required, format = "date-time")]
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

/// The credential of an organization or a user for one provider, without the
/// credential itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Connection)]
pub(super) struct ConnectionObject {
    #[schema(format = "uuid")]
    id: String,
    organization_id: String,
    #[schema(example = "linear")]
    provider: String,
    /// The user it belongs to; null when it is the organization's.
    #[schema(required)]
    user_id: Option<String>,
    #[schema(value_type = names::ConnectionType)]
    connection_type: &'static str,
    /// What replaces the base URLs of the provider's endpoints, by endpoint.
    base_urls: BTreeMap<String, String>,
    #[schema(value_type = names::ConnectionStatus)]
    status: &'static str,
    /// Starts at 1 and grows with each rotation.
    #[schema(minimum = 1)]
    version: i64,
    #[schema(format = "date-time")]
    created_at: String,
    #[schema(format = "date-time")]
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
