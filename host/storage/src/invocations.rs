//! Invocations: the record of every request and its outcome.

mod repository;
mod row;

use async_trait::async_trait;
use portcullis_core::{
    id::{InvocationId, OrganizationId, SessionId, UserId},
    invocation::{DeniedReason, Invocation, InvocationError, InvocationStatus},
    time::Timestamp,
};
use serde_json::Value;

use crate::{AuditEntry, Error, Sealed};

pub(crate) use repository::{
    PostgresInvocationRepository, SqliteInvocationRepository, finish_on_postgres, finish_on_sqlite,
};
pub(crate) use row::{InvocationRow, SELECT};

/// An invocation as it is admitted, with what only the gateway sees.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInvocation {
    /// The record. One that is pending must say when it expires.
    pub invocation: Invocation,
    /// The digest of the exact params, which an approval is bound to.
    pub params_digest: String,
    /// The version of the connection that would be used, which an approval is bound
    /// to as well.
    pub connection_version: Option<i64>,
    /// The params to execute. Only what is pending or executing may have them;
    /// they are wiped when it ends.
    pub sealed_params: Option<Sealed>,
    /// The node that executes it. Must be given when the invocation is executing.
    pub node: Option<String>,
    /// Until when that node vouches for it. Must be given when the invocation is
    /// executing.
    pub lease_expires_at: Option<Timestamp>,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// Well or not.
    pub status: CompletionStatus,
    /// Redacted and truncated. Only when completed.
    pub result: Option<Value>,
    /// True when `result` is not the whole result.
    pub result_truncated: bool,
    /// Only when failed.
    pub error: Option<InvocationError>,
    /// From the start of execution to its end, in milliseconds.
    pub duration_ms: i64,
    /// When it ended.
    pub completed_at: Timestamp,
}

/// The two ways an execution ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompletionStatus {
    /// The action succeeded.
    Completed,
    /// The action failed.
    Failed,
}

impl From<CompletionStatus> for InvocationStatus {
    fn from(status: CompletionStatus) -> Self {
        match status {
            CompletionStatus::Completed => Self::Completed,
            CompletionStatus::Failed => Self::Failed,
        }
    }
}

/// Which executing invocations nobody works on any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interrupted {
    /// All of them. True at the start of a gateway that has its database for
    /// itself, as every gateway on SQLite does, and never afterwards.
    AllExecuting,
    /// Those whose lease has expired.
    LeaseExpired,
}

/// An invocation and what a decision about it is bound to.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingInvocation {
    /// The record.
    pub invocation: Invocation,
    /// The digest of the exact params.
    pub params_digest: String,
    /// The exact params; `None` once it has ended.
    pub sealed_params: Option<Sealed>,
    /// The version of its connection, if it has one.
    pub connection_version: Option<i64>,
}

/// What makes a pending invocation an executing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The person.
    pub approved_by: UserId,
    /// When; what expires at this moment or earlier is not approved any more.
    pub approved_at: Timestamp,
    /// The node that executes it.
    pub node: String,
    /// Until when that node vouches for it.
    pub lease_expires_at: Timestamp,
}

/// What makes a pending invocation a denied one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who refused.
    pub denied_reason: DeniedReason,
    /// Why, in that person's words.
    pub decision_reason: Option<String>,
    /// When; what expires at this moment or earlier is not refused any more.
    pub at: Timestamp,
}

/// An invocation that a statement about many has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedInvocation {
    /// Its id.
    pub id: InvocationId,
    /// Its organization.
    pub organization_id: OrganizationId,
}

/// Which invocations to list, and which part of the list. One that names neither
/// a session nor an organization lists everybody's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvocationFilter {
    /// Only this session's.
    pub session_id: Option<SessionId>,
    /// Only this organization's.
    pub organization_id: Option<OrganizationId>,
    /// Only those with this status.
    pub status: Option<InvocationStatus>,
    /// The moment at which they have it: what nobody decided in time is expired,
    /// whether or not somebody has tidied its row. `None`: as the rows say.
    pub as_of: Option<Timestamp>,
    /// At most so many.
    pub limit: u32,
    /// After leaving out so many.
    pub offset: u32,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The part that was asked for.
    pub items: Vec<T>,
    /// The length of the whole list.
    pub total: u64,
}

/// An invocation with the title of its session.
#[derive(Debug, Clone, PartialEq)]
pub struct TitledInvocation {
    /// The record.
    pub invocation: Invocation,
    /// The session's title, if it has one.
    pub session_title: Option<String>,
}

/// Keeps invocations.
#[async_trait]
pub trait InvocationRepository: Send {
    /// Adds an invocation and the event of its request, in one round trip.
    ///
    /// # Errors
    ///
    /// [`Constraint::Id`](crate::Constraint::Id) when the id is taken;
    /// [`Constraint::Reference`](crate::Constraint::Reference) when the
    /// organization has no such session; [`Error::Database`] when a field
    /// contradicts the status, as the fields' docs say.
    async fn add(&mut self, new: &NewInvocation, entry: &AuditEntry) -> Result<(), Error>;

    /// The session's invocation with this id.
    async fn find(
        &mut self,
        id: InvocationId,
        session_id: SessionId,
    ) -> Result<Option<Invocation>, Error>;

    /// The session's invocation with this id, with what a decision needs.
    async fn find_waiting(
        &mut self,
        id: InvocationId,
        session_id: SessionId,
    ) -> Result<Option<WaitingInvocation>, Error>;

    /// The invocations that pass the filter: newest first, those of the same
    /// moment by id.
    async fn list(&mut self, filter: &InvocationFilter) -> Result<Page<Invocation>, Error>;

    /// Like [`list`](Self::list), with the sessions' titles.
    async fn list_with_titles(
        &mut self,
        filter: &InvocationFilter,
    ) -> Result<Page<TitledInvocation>, Error>;

    /// When the first of the session's was admitted of those that were admitted
    /// after `since`.
    async fn oldest_since(
        &mut self,
        session_id: SessionId,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, Error>;

    /// Extends the leases of those of these that this node still executes; how
    /// many.
    async fn renew_leases(
        &mut self,
        ids: &[InvocationId],
        node: &str,
        lease_expires_at: Timestamp,
    ) -> Result<u64, Error>;

    /// Begins the execution of a pending invocation. False when it no longer waits:
    /// somebody has decided, or it has expired.
    async fn approve(&mut self, id: InvocationId, approval: &Approval) -> Result<bool, Error>;

    /// Ends a pending invocation, and wipes the sealed params. False as at
    /// [`approve`](Self::approve).
    async fn refuse(&mut self, id: InvocationId, refusal: &Refusal) -> Result<bool, Error>;

    /// Ends what this node executes, and wipes the sealed params. False when it
    /// no longer does: somebody declared it interrupted, or it has ended.
    async fn finish(
        &mut self,
        id: InvocationId,
        node: &str,
        completion: &Completion,
    ) -> Result<bool, Error>;

    /// Fails what nobody executes any more, at most `limit`, and wipes the sealed
    /// params.
    async fn fail_interrupted(
        &mut self,
        now: Timestamp,
        error: &InvocationError,
        scope: Interrupted,
        limit: u32,
    ) -> Result<Vec<ChangedInvocation>, Error>;

    /// Expires what nobody decided in time, at most `limit`, and wipes the sealed
    /// params.
    async fn expire_pending(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ChangedInvocation>, Error>;

    /// Expires all that waits in a session, and wipes the sealed params.
    async fn expire_session(
        &mut self,
        session_id: SessionId,
        now: Timestamp,
    ) -> Result<Vec<ChangedInvocation>, Error>;
}
