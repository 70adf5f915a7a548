//! Egress grants: origins the operator opens although the rules of egress close
//! them, because they are private or speak plain HTTP.

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::EgressGrantId;
use portcullis_runtime::egress::Origin;
use portcullis_storage::{BoxUnitOfWork, EgressGrant, HintKind};
use serde_json::json;
use uuid::Uuid;

use crate::access::Actor;
use crate::audit::Change;
use crate::error::Error;
use crate::gateway::Gateway;

/// Grants an origin; true when it was not granted before.
pub async fn create(
    gateway: &Gateway,
    actor: &Actor,
    origin: &str,
) -> Result<(EgressGrant, bool), Error> {
    let origin: Origin = origin.parse().map_err(|error| Error::InvalidField {
        path: "/origin".to_owned(),
        rule: "format",
        message: format!("{error}; for example http://127.0.0.1:9101"),
    })?;
    let grant = EgressGrant {
        id: EgressGrantId::new(Uuid::new_v4()),
        origin: origin.to_string(),
        created_at: gateway.clock.now(),
        created_by: actor.as_str().to_owned(),
    };
    let mut work = gateway.storage.write().await?;
    if work.egress_grants().add(&grant).await? {
        record(
            gateway,
            &mut work,
            actor,
            AuditKind::EgressGrantCreated,
            &grant,
        )
        .await?;
        work.save().await?;
        gateway.hint(HintKind::EgressGrants, "").await;
        tracing::warn!(origin = grant.origin, "egress granted");
        return Ok((grant, true));
    }
    let earlier = work.egress_grants().find_by_origin(&grant.origin).await?;
    // Its commit may still be under way, and could fail.
    work.save().await?;
    Ok((earlier.ok_or(Error::NotFound("egress grant"))?, false))
}

/// What is granted.
pub async fn list(gateway: &Gateway) -> Result<Vec<EgressGrant>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.egress_grants().list().await?)
}

/// Takes a grant back; calls that start from now on are refused.
pub async fn remove(gateway: &Gateway, actor: &Actor, id: EgressGrantId) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    let granted = work.egress_grants().list().await?;
    let grant = granted.into_iter().find(|grant| grant.id == id);
    let is_removed = work.egress_grants().remove(id).await?;
    let Some(grant) = grant.filter(|_| is_removed) else {
        return Err(Error::NotFound("egress grant"));
    };
    record(
        gateway,
        &mut work,
        actor,
        AuditKind::EgressGrantRemoved,
        &grant,
    )
    .await?;
    work.save().await?;
    gateway.hint(HintKind::EgressGrants, "").await;
    tracing::info!(egressGrantId = %id, "egress grant removed");
    Ok(())
}

async fn record(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    actor: &Actor,
    kind: AuditKind,
    grant: &EgressGrant,
) -> Result<(), Error> {
    let change = Change {
        organization: None,
        actor,
        at: gateway.clock.now(),
    };
    let details = json!({ "origin": grant.origin });
    let subject = AuditSubject::from(&grant.id);
    change.record(gateway, work, kind, subject, details).await
}
