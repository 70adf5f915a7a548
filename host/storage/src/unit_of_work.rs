//! A database, and transactions on it.

use async_trait::async_trait;

use crate::{
    AutomationRepository, ConnectionRepository, EgressGrantRepository, Error,
    IdempotencyRepository, InvocationRepository, ModeRepository, OrganizationRepository,
    SessionRepository,
};

/// An open database.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Begins a transaction that may write.
    ///
    /// SQLite admits one at a time; the others wait in the order they came, and
    /// whoever has saved may wait for them, since they share a commit. A use case
    /// therefore does nothing slow while it holds one, and never begins a second.
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

    /// Asks the database for an answer, to tell whether it can be reached.
    async fn ping(&self) -> Result<(), Error>;

    /// Waits for running transactions and closes every connection. Later calls
    /// are errors.
    async fn close(&self);
}

/// A transaction whose database is not known to the use case.
pub type BoxUnitOfWork = Box<dyn UnitOfWork>;

/// A transaction: repositories that see each other's writes, and nobody else's.
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

    /// Invocations.
    fn invocations(&mut self) -> Box<dyn InvocationRepository + '_>;

    /// Idempotency keys.
    fn idempotency_keys(&mut self) -> Box<dyn IdempotencyRepository + '_>;

    /// Granted origins.
    fn egress_grants(&mut self) -> Box<dyn EgressGrantRepository + '_>;

    /// Commits. When this returns, what was written survives a crash; when it
    /// fails, nothing was written, unless the error is [`Error::Unconfirmed`].
    async fn save(self: Box<Self>) -> Result<(), Error>;

    /// Rolls back. Dropping does the same.
    async fn cancel(self: Box<Self>) -> Result<(), Error>;
}
