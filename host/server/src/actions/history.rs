//! What was invoked.

use portcullis_core::id::{InvocationId, OrganizationId, SessionId};
use portcullis_core::invocation::Invocation;
use portcullis_storage::{InvocationFilter, Page, TitledInvocation};

use crate::error::Error;
use crate::gateway::Gateway;

/// One invocation of a session, with its result.
pub async fn find(
    gateway: &Gateway,
    session: SessionId,
    id: InvocationId,
) -> Result<Invocation, Error> {
    let mut work = gateway.storage.read().await?;
    let invocation = work.invocations().find(id, session).await?;
    invocation
        .map(|invocation| invocation.as_of(gateway.clock.now()))
        .ok_or(Error::NotFound("invocation"))
}

/// A part of a session's invocations, newest first.
pub async fn of_session(
    gateway: &Gateway,
    session: SessionId,
    filter: InvocationFilter,
) -> Result<Page<Invocation>, Error> {
    let now = gateway.clock.now();
    let filter = InvocationFilter {
        session_id: Some(session),
        as_of: Some(now),
        ..filter
    };
    let mut work = gateway.storage.read().await?;
    let page = work.invocations().list(&filter).await?;
    Ok(Page {
        items: page.items.into_iter().map(|item| item.as_of(now)).collect(),
        total: page.total,
    })
}

/// A part of an organization's invocations, newest first, with the titles of
/// their sessions.
pub async fn of_organization(
    gateway: &Gateway,
    organization: &OrganizationId,
    filter: InvocationFilter,
) -> Result<Page<TitledInvocation>, Error> {
    let now = gateway.clock.now();
    let filter = InvocationFilter {
        organization_id: Some(organization.clone()),
        as_of: Some(now),
        ..filter
    };
    let mut work = gateway.storage.read().await?;
    let page = work.invocations().list_with_titles(&filter).await?;
    let as_of_now = |item: TitledInvocation| TitledInvocation {
        invocation: item.invocation.as_of(now),
        ..item
    };
    Ok(Page {
        items: page.items.into_iter().map(as_of_now).collect(),
        total: page.total,
    })
}
