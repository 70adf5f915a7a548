//! Automations: named tasks that sessions run for.

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::{AutomationId, OrganizationId};
use portcullis_storage::Automation;
use serde_json::json;
use uuid::Uuid;

use crate::access::Actor;
use crate::audit::Change;
use crate::error::Error;
use crate::gateway::Gateway;

/// Adds an automation.
pub async fn create(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    name: String,
) -> Result<Automation, Error> {
    let automation = Automation {
        id: AutomationId::new(Uuid::new_v4()),
        organization_id: organization.clone(),
        name,
        created_at: gateway.clock.now(),
    };
    let mut work = gateway.storage.write().await?;
    work.automations().add(&automation).await?;
    let change = Change {
        organization: Some(organization),
        actor,
        at: automation.created_at,
    };
    let subject = AuditSubject::from(&automation.id);
    let details = json!({ "name": automation.name });
    let kind = AuditKind::AutomationCreated;
    change
        .record(gateway, &mut work, kind, subject, details)
        .await?;
    work.save().await?;
    Ok(automation)
}

/// An organization's automations.
pub async fn list(
    gateway: &Gateway,
    organization: &OrganizationId,
) -> Result<Vec<Automation>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.automations().list(organization).await?)
}

/// Refuses an automation that the organization does not have.
pub async fn check_exists(
    gateway: &Gateway,
    organization: &OrganizationId,
    id: AutomationId,
) -> Result<(), Error> {
    let mut work = gateway.storage.read().await?;
    let found = work.automations().find(id, organization).await?;
    found.map(drop).ok_or(Error::NotFound("automation"))
}
