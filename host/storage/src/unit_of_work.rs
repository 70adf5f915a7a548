//! A database, and transactions on it.

use async_trait::async_trait;
use portcullis_core::{id::InvocationId, time::Timestamp};
use tokio::sync::broadcast;

use crate::{
    AdmissionRepository, AuditEntry, AuditRepository, AutomationRepository, Completion,
    ConnectionRepository, EgressGrantRepository, Error, EventTicketRepository,
    FullResultRepository, Hint, IdempotencyRepository, InvocationRepository, ModeRepository, Noted,
    OrganizationRepository, PluginRepository, ReviewRepository, SealedRowRepository,
    SessionRepository, TransitionRepository,
};

/// An open database.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Begins a transaction that may write.
    ///
    /// SQLite admits one at a time; the others wait in the order they came, and
    /// whoever has saved may wait for them, since they share a commit. A use case
    /// therefore does nothing slow while it holds one, and never begins a second.
    /// Postgres admits as many as there are connections, so what is read and then
    /// relied on must be locked.
    ///
    /// It may read what others have saved and not yet committed. A use case that
    /// answers with what it read saves first, also when it wrote nothing: that
    /// waits for the commit, and fails with it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database cannot be used, or no connection
    /// became free in time.
    async fn write(&self) -> Result<BoxUnitOfWork, Error>;

    /// Begins a transaction that only reads and sees one state of the database
    /// from its first query on. Writing through it is an [`Error::Database`].
    async fn read(&self) -> Result<BoxUnitOfWork, Error>;

    /// Ends an executing invocation in a transaction of its own, as
    /// [`InvocationRepository::finish`] does within another, and adds the event of
    /// it if it did; what is most frequent is worth a shorter way.
    ///
    /// # Errors
    ///
    /// After an error the invocation may have ended nevertheless.
    async fn finish(
        &self,
        id: InvocationId,
        node: &str,
        completion: &Completion,
        entry: &AuditEntry,
    ) -> Result<bool, Error>;

    /// Asks the database for an answer, to tell whether it can be reached.
    async fn ping(&self) -> Result<(), Error>;

    /// Which database it is: `sqlite` or `postgres`.
    fn kind(&self) -> &'static str;

    /// Whether no other gateway can use the database while this one has it open,
    /// so that whatever is executing at the start was interrupted. True on
    /// SQLite, whose file is locked, and false where it is only read.
    fn is_exclusive(&self) -> bool;

    /// The clock of the database's server, to be compared with our own. `None` on
    /// SQLite, which has no other clock than this machine's.
    async fn time(&self) -> Result<Option<Timestamp>, Error>;

    /// Tells every gateway on this database, also this one, what has changed, in
    /// one statement.
    ///
    /// To be called after the unit of work was saved: before that, the others
    /// would re-read what is not there yet. It is a statement of its own, since on
    /// Postgres transactions that notify commit one after the other, and
    /// admissions must not wait for each other.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when it was not sent, or when an id is too long. The
    /// change is saved nevertheless, and the others find it later.
    async fn hint(&self, hints: &[Hint]) -> Result<(), Error>;

    /// The hints of every gateway on this database, from now on. A receiver that
    /// lags has missed some, as after [`Noted::MissedSome`].
    fn hints(&self) -> broadcast::Receiver<Noted>;

    /// Waits for running transactions and closes every connection. Later calls
    /// are errors.
    async fn close(&self);
}

/// A transaction whose database is not known to the use case.
pub type BoxUnitOfWork = Box<dyn UnitOfWork>;

/// A transaction: repositories that see each other's writes.
///
/// After an error the only thing left to do is to cancel: Postgres refuses every
/// further statement, and SQLite may have ended the transaction.
#[async_trait]
pub trait UnitOfWork: Send {
    /// Organizations and their members.
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_>;

    /// Sessions.
    fn sessions(&mut self) -> Box<dyn SessionRepository + '_>;

    /// Automations.
    fn automations(&mut self) -> Box<dyn AutomationRepository + '_>;

    /// Connections.
    fn connections(&mut self) -> Box<dyn ConnectionRepository + '_>;

    /// Modes of organizations and automations.
    fn modes(&mut self) -> Box<dyn ModeRepository + '_>;

    /// What organizations have reviewed.
    fn reviews(&mut self) -> Box<dyn ReviewRepository + '_>;

    /// Invocations.
    fn invocations(&mut self) -> Box<dyn InvocationRepository + '_>;

    /// What truncated results were before.
    fn full_results(&mut self) -> Box<dyn FullResultRepository + '_>;

    /// Idempotency keys.
    fn idempotency_keys(&mut self) -> Box<dyn IdempotencyRepository + '_>;

    /// Granted origins.
    fn egress_grants(&mut self) -> Box<dyn EgressGrantRepository + '_>;

    /// Plugins and their versions.
    fn plugins(&mut self) -> Box<dyn PluginRepository + '_>;

    /// What admission weighs.
    fn admission(&mut self) -> Box<dyn AdmissionRepository + '_>;

    /// The record of what happened.
    fn audit(&mut self) -> Box<dyn AuditRepository + '_>;

    /// What has become of invocations, and when.
    fn transitions(&mut self) -> Box<dyn TransitionRepository + '_>;

    /// Tickets that open streams of events.
    fn event_tickets(&mut self) -> Box<dyn EventTicketRepository + '_>;

    /// Sealed values, whatever they are.
    fn sealed_rows(&mut self) -> Box<dyn SealedRowRepository + '_>;

    /// Commits. When this returns, what was written survives a crash; when it
    /// fails, nothing was written, unless the error is [`Error::Unconfirmed`].
    async fn save(self: Box<Self>) -> Result<(), Error>;

    /// Rolls back. Dropping does the same.
    async fn cancel(self: Box<Self>) -> Result<(), Error>;
}
