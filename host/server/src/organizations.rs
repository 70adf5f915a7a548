//! Organizations and their members.

use portcullis_core::id::{OrganizationId, UserId};
use portcullis_storage::{Member, Organization, Role};

use crate::access::Actor;
use crate::error::Error;
use crate::gateway::Gateway;

/// Adds an organization.
pub async fn create(
    gateway: &Gateway,
    id: OrganizationId,
    name: String,
) -> Result<Organization, Error> {
    let organization = Organization {
        id,
        name,
        created_at: gateway.clock.now(),
    };
    let mut work = gateway.storage.write().await?;
    if !work.organizations().add(&organization).await? {
        return Err(Error::Exists("organization"));
    }
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
    work.organizations()
        .put_member(organization, user, role, gateway.clock.now())
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
