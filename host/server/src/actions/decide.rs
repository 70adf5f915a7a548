//! Decisions about what waits: a person approves or denies it, or the agent
//! withdraws it.
//!
//! Each is one conditional update, so of any number of deciders one wins, and the
//! others are told what stands. What a decision rests on is read in its own
//! transaction, under locks that keep it true until the commit: the decider's
//! role and the organization's modes and connections by the organization's lock,
//! the session by its own. Whoever changes any of these comes before or after, and
//! never in between.

mod approve;
mod refuse;

use std::time::Duration;

use portcullis_core::id::{InvocationId, SessionId};
use portcullis_core::invocation::{Invocation, InvocationStatus};
use portcullis_core::time::Timestamp;
use portcullis_storage::{BoxUnitOfWork, Role, WaitingInvocation};

pub use approve::{Approve, Reach, approve};
pub use refuse::{cancel, deny};

use super::observed::code;
use crate::access::Decider;
use crate::error::{Error, Undecided};
use crate::gateway::Gateway;
use crate::metrics::Decision;

/// The decider's role at this moment, which may have changed since the request
/// arrived. The organization is to be locked or shared.
async fn check_role(work: &mut BoxUnitOfWork, decider: &Decider) -> Result<(), Error> {
    let organization = &decider.session.organization_id;
    let role = work
        .organizations()
        .find_role(organization, &decider.user)
        .await?;
    match role {
        Some(Role::Owner | Role::Admin) => Ok(()),
        Some(Role::Member) => Err(Error::Forbidden(Decider::NEEDED_ROLE)),
        None => Err(Error::NotFound("session")),
    }
}

/// The invocation, if it still waits.
async fn find_waiting(
    work: &mut BoxUnitOfWork,
    session: SessionId,
    id: InvocationId,
    now: Timestamp,
) -> Result<WaitingInvocation, Error> {
    let found = work.invocations().find_waiting(id, session).await?;
    let found = found.ok_or(Error::NotFound("invocation"))?;
    let invocation = check_waits(found.invocation, now)?;
    Ok(WaitingInvocation {
        invocation,
        ..found
    })
}

/// Why a conditional update about an invocation that waited a statement ago has
/// changed nothing: somebody decided in between.
async fn lost(
    work: &mut BoxUnitOfWork,
    session: SessionId,
    id: InvocationId,
    now: Timestamp,
) -> Error {
    let standing = match work.invocations().find(id, session).await {
        Ok(Some(standing)) => standing,
        Ok(None) => return Error::NotFound("invocation"),
        Err(error) => return error.into(),
    };
    match check_waits(standing, now) {
        Ok(standing) => undecided(standing, Undecided::AlreadyDecided),
        Err(why) => why,
    }
}

/// Tells why an invocation that does not wait cannot be decided about.
fn check_waits(invocation: Invocation, now: Timestamp) -> Result<Invocation, Error> {
    let standing = invocation.as_of(now);
    let why = match standing.status {
        InvocationStatus::Pending => return Ok(standing),
        InvocationStatus::Expired if was_closed_on(&standing) => Undecided::SessionClosed,
        InvocationStatus::Expired => Undecided::Expired,
        InvocationStatus::Executing
        | InvocationStatus::Completed
        | InvocationStatus::Failed
        | InvocationStatus::Denied => Undecided::AlreadyDecided,
    };
    Err(undecided(standing, why))
}

/// Only the end of its session ends what waits before its own time.
fn was_closed_on(expired: &Invocation) -> bool {
    expired.completed_at < expired.expires_at
}

fn undecided(invocation: Invocation, why: Undecided) -> Error {
    Error::Undecided {
        invocation: Box::new(invocation),
        why,
    }
}

/// Counts what came of a decision.
fn count(gateway: &Gateway, decision: Decision, decided: Result<&Invocation, &Error>) {
    match decided {
        Ok(invocation) => {
            let asked_at = invocation.created_at;
            let decided_at = invocation.approved_at.or(invocation.completed_at);
            let waited = decided_at.map_or(Duration::ZERO, |at| at.since(asked_at));
            gateway.metrics.decided(decision, waited);
        }
        Err(error) => gateway.metrics.undecided(decision, code(error)),
    }
}

/// Ends a unit of work in which a decision was weighed. Also a refusal waits for
/// the commit of what it rests on, which others may have saved a moment ago.
async fn settle<T>(work: BoxUnitOfWork, weighed: Result<T, Error>) -> Result<T, Error> {
    match weighed {
        Err(failed @ Error::Storage(_)) => Err(failed),
        weighed => {
            work.save().await?;
            weighed
        }
    }
}
