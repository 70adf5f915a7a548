//! Sessions: one agent's work, with the connections it may use.

use std::collections::HashSet;
use std::sync::Arc;

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::{AutomationId, ConnectionId, OrganizationId, SessionId, UserId};
use portcullis_storage::{BoxUnitOfWork, HintKind, Session};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::Actor;
use crate::audit::{self, Change};
use crate::error::Error;
use crate::gateway::Gateway;

/// More connections than there are providers is a mistake.
const MAX_CONNECTIONS: usize = 64;

/// A session to be opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// For people.
    pub title: Option<String>,
    /// What the agent may use; empty means nothing.
    pub connection_ids: Vec<ConnectionId>,
    /// The person it works for.
    pub user_id: Option<UserId>,
    /// The automation it runs for.
    pub automation_id: Option<AutomationId>,
}

/// Opens a session.
pub async fn create(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    new: NewSession,
) -> Result<Session, Error> {
    let session = Session {
        id: SessionId::new(Uuid::new_v4()),
        organization_id: organization.clone(),
        user_id: new.user_id,
        automation_id: new.automation_id,
        title: new.title,
        connection_ids: new.connection_ids,
        created_at: gateway.clock.now(),
        closed_at: None,
    };
    let mut work = gateway.storage.write().await?;
    check_connections(&mut work, &session).await?;
    check_automation(&mut work, &session).await?;
    work.sessions().add(&session).await?;
    let details = json!({
        "user": session.user_id.as_ref().map(UserId::as_str),
        "automation": session.automation_id.map(|id| id.to_string()),
        "connections": session.connection_ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    record(
        gateway,
        &mut work,
        actor,
        &session,
        AuditKind::SessionCreated,
        details,
    )
    .await?;
    work.save().await?;
    tracing::info!(sessionId = %session.id, organizationId = %organization, "session opened");
    Ok(session)
}

/// An organization's sessions, newest first.
pub async fn list(gateway: &Gateway, organization: &OrganizationId) -> Result<Vec<Session>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.sessions().list(organization).await?)
}

/// Closes a session for good, and ends what waits in it; closing it twice is a
/// conflict.
pub async fn close(
    gateway: &Arc<Gateway>,
    actor: &Actor,
    organization: &OrganizationId,
    id: SessionId,
) -> Result<Session, Error> {
    let mut work = gateway.storage.write().await?;
    let now = gateway.clock.now();
    let closed = work.sessions().close(id, organization, now).await?;
    let session = work.sessions().find(id).await?;
    let session = session
        .filter(|session| session.organization_id == *organization)
        .ok_or(Error::NotFound("session"))?;
    let mut expired = Vec::new();
    if closed {
        expired = work.invocations().expire_session(id, now).await?;
        let actor_name = actor.as_str();
        audit::record_ended(
            gateway,
            &mut work,
            &expired,
            audit::EXPIRED,
            actor_name,
            now,
        )
        .await?;
        let details = json!({ "expired": expired.len() });
        record(
            gateway,
            &mut work,
            actor,
            &session,
            AuditKind::SessionClosed,
            details,
        )
        .await?;
    }
    // Also where nothing is changed: what was read may not be committed yet.
    work.save().await?;
    if !closed {
        return Err(Error::SessionClosed);
    }
    gateway.hint(HintKind::Sessions, &id.to_string()).await;
    gateway.announce(expired.iter().map(|invocation| invocation.id));
    tracing::info!(sessionId = %id, organizationId = %organization, "session closed");
    Ok(session)
}

async fn record(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    actor: &Actor,
    session: &Session,
    kind: AuditKind,
    details: Value,
) -> Result<(), Error> {
    let change = Change {
        organization: Some(&session.organization_id),
        actor,
        at: session.closed_at.unwrap_or(session.created_at),
    };
    let subject = AuditSubject::from(&session.id);
    change.record(gateway, work, kind, subject, details).await
}

/// An open session, for a token.
pub async fn find_open(gateway: &Gateway, id: SessionId) -> Result<Session, Error> {
    let mut work = gateway.storage.read().await?;
    let session = work.sessions().find(id).await?;
    let session = session.ok_or(Error::NotFound("session"))?;
    if session.closed_at.is_some() {
        return Err(Error::SessionClosed);
    }
    Ok(session)
}

/// Every connection must be the organization's, and its user's if it has one.
async fn check_connections(work: &mut BoxUnitOfWork, session: &Session) -> Result<(), Error> {
    let refuse = |path: String, rule, message: &str| Error::InvalidField {
        path,
        rule,
        message: message.to_owned(),
    };
    let ids = &session.connection_ids;
    if ids.len() > MAX_CONNECTIONS {
        return Err(refuse(
            "/connectionIds".to_owned(),
            "maxItems",
            "a session may use at most 64 connections",
        ));
    }
    let found = work
        .connections()
        .find_many(ids, &session.organization_id)
        .await?;
    let mut seen = HashSet::new();
    for (index, id) in ids.iter().enumerate() {
        let path = format!("/connectionIds/{index}");
        if !seen.insert(id) {
            return Err(refuse(path, "uniqueItems", "the connection is named twice"));
        }
        let Some(connection) = found.iter().find(|connection| connection.id == *id) else {
            return Err(refuse(
                path,
                "known",
                "the organization has no such connection",
            ));
        };
        if connection.user_id.is_some() && connection.user_id != session.user_id {
            return Err(refuse(
                path,
                "owner",
                "the connection belongs to a user; only sessions with that `userId` may use it",
            ));
        }
    }
    Ok(())
}

async fn check_automation(work: &mut BoxUnitOfWork, session: &Session) -> Result<(), Error> {
    let Some(id) = session.automation_id else {
        return Ok(());
    };
    let found = work
        .automations()
        .find(id, &session.organization_id)
        .await?;
    found.map(drop).ok_or_else(|| Error::InvalidField {
        path: "/automationId".to_owned(),
        rule: "known",
        message: "the organization has no such automation".to_owned(),
    })
}
