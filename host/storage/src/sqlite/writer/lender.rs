//! The connection, and what is done to the transaction on it.

use std::{error::Error as StdError, sync::Arc};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex, oneshot};

use super::{Saved, Turn, Waiter};
use crate::{Error, error::leaves_doubt, sqlite::file::DatabaseFile};

/// Lends the connection.
pub(super) struct Lender {
    connection: Arc<Mutex<SqliteConnection>>,
    options: SqliteConnectOptions,
    file: Arc<DatabaseFile>,
    /// False after a failure: what state the connection is in is then a guess, so
    /// it is replaced.
    is_usable: bool,
}

impl Lender {
    pub(super) fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        file: Arc<DatabaseFile>,
    ) -> Self {
        Self {
            connection: Arc::new(Mutex::new(connection)),
            options,
            file,
            is_usable: true,
        }
    }

    /// Makes sure of the file and of the connection.
    pub(super) async fn make_ready(&mut self) -> Result<(), Failure> {
        self.file.check_in_place().map_err(Failure::nothing)?;
        if !self.is_usable {
            let connected = SqliteConnection::connect_with(&self.options).await;
            *self.connection.lock().await = connected.map_err(Failure::nothing)?;
            self.is_usable = true;
        }
        Ok(())
    }

    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        self.make_ready().await?;
        // IMMEDIATE, since a transaction that begins by reading could not become
        // a writer once another has written.
        let begun = self.execute("BEGIN IMMEDIATE; SAVEPOINT turn").await;
        self.is_usable = begun.is_ok();
        begun.map_err(Failure::nothing)
    }

    /// Lends the connection; answers whether what was done with it is to be kept.
    pub(super) async fn lend(&self, waiter: Waiter) -> Option<Saved> {
        let (end, ended) = oneshot::channel();
        let connection = Arc::clone(&self.connection).lock_owned().await;
        // A turn that nobody takes is dropped, and so it ends.
        let _ = waiter.turn.send(Ok(Turn { connection, end }));
        ended.await.ok()
    }

    /// Lends the connection for a statement outside of a transaction.
    pub(super) async fn lend_once(&mut self, waiter: Waiter) {
        if let Some(saved) = self.lend(waiter).await {
            // Whoever does not listen any more has been dropped.
            let _ = saved.send(Ok(()));
            return;
        }
        // The statement may have failed, in whichever way.
        self.is_usable = false;
        // Lets go of the database's lock, if it began a transaction.
        let _ = self.execute("ROLLBACK").await;
    }

    pub(super) async fn take(&mut self, step: Step) -> Result<(), Failure> {
        let Err(error) = self.execute(step.sql()).await else {
            return Ok(());
        };
        self.is_usable = false;
        // Lets go of the database's lock, if the connection still holds it.
        let _ = self.execute("ROLLBACK").await;
        Err(if step.commits() && leaves_doubt(&error) {
            Failure::Unconfirmed(Arc::new(error))
        } else {
            Failure::nothing(error)
        })
    }

    async fn execute(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        let mut connection = self.connection.lock().await;
        sqlx::raw_sql(sql).execute(&mut *connection).await?;
        Ok(())
    }

    pub(super) async fn close(self) {
        let Some(connection) = Arc::into_inner(self.connection) else {
            return;
        };
        if let Err(error) = connection.into_inner().close().await {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
    }
}

/// What happens to the transaction after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It was saved; the next turn begins.
    HandOn,
    /// It was cancelled; the next turn begins.
    HandOnWithout,
    /// It was saved, as the last one.
    Commit,
    /// It was cancelled, as the last one, and others were saved.
    CommitWithout,
    /// It was cancelled, and nothing was saved.
    Forget,
}

impl Step {
    pub(super) fn after(has_saved: bool, goes_on: bool, nothing_saved: bool) -> Self {
        match (has_saved, goes_on) {
            (true, true) => Self::HandOn,
            (false, true) => Self::HandOnWithout,
            (true, false) => Self::Commit,
            (false, false) if nothing_saved => Self::Forget,
            (false, false) => Self::CommitWithout,
        }
    }

    /// One request to the connection's thread each. When SQLite has ended the
    /// transaction by itself, as it does on a full disk, each of them fails: a
    /// bare `SAVEPOINT` would begin another, and the loss go unseen.
    const fn sql(self) -> &'static str {
        match self {
            Self::HandOn => "RELEASE turn; SAVEPOINT turn",
            // The savepoint stays, and is the next one's.
            Self::HandOnWithout => "ROLLBACK TO turn",
            Self::Commit => "COMMIT",
            Self::CommitWithout => "ROLLBACK TO turn; COMMIT",
            Self::Forget => "ROLLBACK",
        }
    }

    const fn commits(self) -> bool {
        matches!(self, Self::Commit | Self::CommitWithout)
    }
}

/// Why a group failed. All of it hears the same, so it can be told repeatedly.
pub(super) enum Failure {
    /// Nothing was written. Whoever tries again gets another transaction.
    Nothing(Arc<dyn StdError + Send + Sync>),
    /// The commit was not confirmed.
    Unconfirmed(Arc<dyn StdError + Send + Sync>),
}

impl Failure {
    fn nothing(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Nothing(Arc::new(error))
    }

    pub(super) fn error(&self, operation: &'static str) -> Error {
        match self {
            Self::Nothing(source) => Error::Unavailable {
                operation,
                source: Arc::clone(source).into(),
            },
            Self::Unconfirmed(source) => Error::Unconfirmed {
                source: Arc::clone(source).into(),
            },
        }
    }
}
