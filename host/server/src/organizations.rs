//! Organizations and their members.

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::{OrganizationId, UserId};
use portcullis_core::modes::TextChanges;
use portcullis_storage::{ApprovalTimes, HintKind, Member, Organization, Role};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::audit::Change;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::{modes, reviews};

/// Adds an organization.
pub async fn create(
    gateway: &Gateway,
    actor: &Actor,
    id: OrganizationId,
    name: String,
) -> Result<Organization, Error> {
    let organization = Organization {
        id,
        name,
        approval_times: ApprovalTimes::default(),
        text_changes: TextChanges::Flag,
        created_at: gateway.clock.now(),
    };
    let mut work = gateway.storage.write().await?;
    if !work.organizations().add(&organization).await? {
        return Err(Error::Exists("organization"));
    }
    let change = Change {
        organization: Some(&organization.id),
        actor,
        at: organization.created_at,
    };
    let subject = AuditSubject::from(&organization.id);
    let details = json!({ "name": organization.name });
    let kind = AuditKind::OrganizationCreated;
    change
        .record(gateway, &mut work, kind, subject, details)
        .await?;
    reviews::begin_open(gateway, &mut work, &organization).await?;
    work.save().await?;
    tracing::info!(organizationId = %organization.id, "organization added");
    Ok(organization)
}

/// All organizations.
pub async fn list(gateway: &Gateway) -> Result<Vec<Organization>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.organizations().list().await?)
}

/// Refuses an organization that does not exist.
pub async fn check_exists(gateway: &Gateway, id: &OrganizationId) -> Result<(), Error> {
    let mut work = gateway.storage.read().await?;
    let found = work.organizations().find(id).await?;
    found.map(drop).ok_or(Error::NotFound("organization"))
}

/// Adds a member or changes a member's role; in force from the next request on.
pub async fn put_member(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    user: &UserId,
    role: Role,
) -> Result<Member, Error> {
    let mut work = gateway.storage.write().await?;
    // Locked, so that nobody becomes an owner between this look and the change.
    work.organizations().lock(organization).await?;
    let before = work.organizations().find_role(organization, user).await?;
    if before == Some(Role::Owner) || role == Role::Owner {
        actor.check_may_appoint_owners()?;
    }
    let at = gateway.clock.now();
    work.organizations()
        .put_member(organization, user, role, at)
        .await?;
    let change = Change {
        organization: Some(organization),
        actor,
        at,
    };
    let details = json!({ "before": before.map(Role::as_str), "after": role.as_str() });
    let kind = AuditKind::MemberSet;
    change
        .record(gateway, &mut work, kind, AuditSubject::from(user), details)
        .await?;
    let members = work.organizations().list_members(organization).await?;
    let member = members.into_iter().find(|member| member.user_id == *user);
    let member = member.ok_or(Error::NotFound("member"))?;
    work.save().await?;
    tracing::info!(
        organizationId = %organization,
        userId = %user,
        role = role.as_str(),
        actor = actor.as_str(),
        "member set"
    );
    Ok(member)
}

/// Removes a member.
pub async fn remove_member(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    user: &UserId,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    work.organizations().lock(organization).await?;
    let role = work.organizations().find_role(organization, user).await?;
    if role == Some(Role::Owner) {
        actor.check_may_appoint_owners()?;
    }
    if !work
        .organizations()
        .remove_member(organization, user)
        .await?
    {
        return Err(Error::NotFound("member"));
    }
    let change = Change {
        organization: Some(organization),
        actor,
        at: gateway.clock.now(),
    };
    let details = json!({ "before": role.map(Role::as_str), "after": null });
    let kind = AuditKind::MemberRemoved;
    change
        .record(gateway, &mut work, kind, AuditSubject::from(user), details)
        .await?;
    work.save().await?;
    tracing::info!(
        organizationId = %organization,
        userId = %user,
        actor = actor.as_str(),
        "member removed"
    );
    Ok(())
}

/// An organization's members.
pub async fn members(
    gateway: &Gateway,
    organization: &OrganizationId,
) -> Result<Vec<Member>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.organizations().list_members(organization).await?)
}

/// How long an organization's requests wait for a person, where it says so.
pub async fn approval_times(
    gateway: &Gateway,
    organization: &OrganizationId,
) -> Result<ApprovalTimes, Error> {
    let mut work = gateway.storage.read().await?;
    let found = work.organizations().find(organization).await?;
    let found = found.ok_or(Error::NotFound("organization"))?;
    Ok(found.approval_times)
}

/// Says how long an organization's requests wait for a person; those that wait
/// already keep their end.
pub async fn set_approval_times(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    times: ApprovalTimes,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    work.organizations().lock(organization).await?;
    let before = work.organizations().find(organization).await?;
    let before = before.ok_or(Error::NotFound("organization"))?;
    work.organizations()
        .set_approval_times(organization, times)
        .await?;
    let change = Change {
        organization: Some(organization),
        actor,
        at: gateway.clock.now(),
    };
    let details = json!({ "before": shown(before.approval_times), "after": shown(times) });
    let (kind, subject) = (
        AuditKind::ApprovalTimesSet,
        AuditSubject::from(organization),
    );
    change
        .record(gateway, &mut work, kind, subject, details)
        .await?;
    Ok(work.save().await?)
}

/// What an organization makes of actions that are called as ever and read
/// differently.
pub async fn text_changes(
    gateway: &Gateway,
    organization: &OrganizationId,
) -> Result<TextChanges, Error> {
    let mut work = gateway.storage.read().await?;
    modes::text_changes(&mut work, organization).await
}

/// Says what an organization makes of actions that read differently; in force from
/// the next request on.
pub async fn set_text_changes(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    text_changes: TextChanges,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    // Deciders rely on it; none sees this one half.
    work.organizations().lock(organization).await?;
    let before = modes::text_changes(&mut work, organization).await?;
    work.organizations()
        .set_text_changes(organization, text_changes)
        .await?;
    let change = Change {
        organization: Some(organization),
        actor,
        at: gateway.clock.now(),
    };
    let details = json!({ "before": before.as_str(), "after": text_changes.as_str() });
    let kind = AuditKind::TextChangesSet;
    let subject = AuditSubject::from(organization);
    change
        .record(gateway, &mut work, kind, subject, details)
        .await?;
    work.save().await?;
    gateway.hint(HintKind::Reviews, organization.as_str()).await;
    Ok(())
}

fn shown(times: ApprovalTimes) -> Value {
    json!({
        "interactiveSeconds": times.interactive_seconds,
        "automationSeconds": times.automation_seconds,
    })
}
