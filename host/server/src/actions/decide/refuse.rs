//! Denying and withdrawing: what was asked for will not run.

use std::sync::Arc;

use portcullis_core::audit::AuditKind;
use portcullis_core::id::{InvocationId, SessionId};
use portcullis_core::invocation::{DeniedReason, Invocation, InvocationStatus};
use portcullis_storage::{BoxUnitOfWork, Refusal};
use serde_json::json;

use super::{check_role, count, find_waiting, lost, settle};
use crate::access::{Agent, Decider};
use crate::audit;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::metrics::Decision;

/// Denies a pending invocation, perhaps with a reason that the agent is told.
///
/// # Errors
///
/// [`Error::Undecided`] when it does not wait any more.
pub async fn deny(
    gateway: &Arc<Gateway>,
    decider: &Decider,
    id: InvocationId,
    reason: Option<String>,
) -> Result<Invocation, Error> {
    let mut work = gateway.storage.write().await?;
    let refuse = Refuse {
        kind: AuditKind::InvocationDenied,
        session: decider.session.id,
        actor: decider.actor(),
        denied_reason: DeniedReason::Human,
        reason,
    };
    let weighed = async {
        let organization = &decider.session.organization_id;
        work.organizations().share(organization).await?;
        check_role(&mut work, decider).await?;
        refuse.apply(gateway, &mut work, id).await
    }
    .await;
    let denied = settle(work, weighed).await;
    count(gateway, Decision::Deny, denied.as_ref());
    let denied = denied?;
    told(gateway, &denied, &refuse);
    Ok(denied)
}

/// Withdraws an agent's own pending invocation, which nobody can then approve.
///
/// # Errors
///
/// [`Error::Undecided`] when it does not wait any more.
pub async fn cancel(
    gateway: &Arc<Gateway>,
    agent: &Agent,
    id: InvocationId,
) -> Result<Invocation, Error> {
    let mut work = gateway.storage.write().await?;
    let refuse = Refuse {
        kind: AuditKind::InvocationCancelled,
        session: agent.session.id,
        actor: audit::sandbox(agent.session.id),
        denied_reason: DeniedReason::Cancelled,
        reason: None,
    };
    let weighed = refuse.apply(gateway, &mut work, id).await;
    let cancelled = settle(work, weighed).await;
    count(gateway, Decision::Cancel, cancelled.as_ref());
    let cancelled = cancelled?;
    told(gateway, &cancelled, &refuse);
    Ok(cancelled)
}

/// Who refuses, and why.
struct Refuse {
    kind: AuditKind,
    session: SessionId,
    actor: String,
    denied_reason: DeniedReason,
    reason: Option<String>,
}

impl Refuse {
    async fn apply(
        &self,
        gateway: &Gateway,
        work: &mut BoxUnitOfWork,
        id: InvocationId,
    ) -> Result<Invocation, Error> {
        let now = gateway.clock.now();
        let waiting = find_waiting(work, self.session, id, now).await?;
        let invocation = waiting.invocation;
        let refusal = Refusal {
            denied_reason: self.denied_reason.clone(),
            decision_reason: self.reason.clone(),
            at: now,
        };
        if !work.invocations().refuse(id, &refusal).await? {
            return Err(lost(work, self.session, id, now).await);
        }
        let details = audit::transition(
            InvocationStatus::Pending,
            InvocationStatus::Denied,
            [("reason", json!(self.reason))],
        );
        let happened = audit::invocation(
            self.kind,
            &invocation.organization_id,
            id,
            &self.actor,
            details,
            now,
        );
        audit::record(gateway, work, happened).await?;
        Ok(Invocation {
            status: InvocationStatus::Denied,
            denied_reason: Some(refusal.denied_reason),
            decision_reason: refusal.decision_reason,
            completed_at: Some(now),
            ..invocation
        })
    }
}

fn told(gateway: &Arc<Gateway>, refused: &Invocation, refuse: &Refuse) {
    gateway.announce([refused.id]);
    tracing::info!(
        invocationId = %refused.id,
        organizationId = %refused.organization_id,
        actor = refuse.actor,
        "{}",
        refuse.kind
    );
}
