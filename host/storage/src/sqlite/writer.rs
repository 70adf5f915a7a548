//! The one connection that writes, and the turns in which it is lent.
//!
//! A commit waits until the disk has taken it, and that is most of what a small
//! write costs. So writers that wait for each other share one (group commit):
//!
//! 1. Writers take turns, in the order they came. Each turn is a savepoint of the
//!    same database transaction, so it sees what was saved before it, and what it
//!    cancels takes nothing else along.
//! 2. A save ends the turn. While others wait the transaction stays open and the
//!    next turn begins; nobody has been told yet that anything was written.
//! 3. Who saves last, because nobody waits or because the group has reached its
//!    bounds, lets the transaction be committed. Only then do the saves of the
//!    group return, all with the same answer.
//!
//! What a turn reads may thus be saved and not yet committed. It becomes certain
//! when the turn itself is saved, even if it wrote nothing.
//!
//! A writer that is alone is a group of its own, and commits at once. If it has a
//! single statement to make, that is a transaction by itself, which saves the
//! steps to begin and to commit one.
//!
//! A task of its own opens, hands over and commits. Callers only hold and return,
//! so a caller that is dropped, in whichever moment, leaves nothing half-done and
//! strands nobody.

mod group;
mod lender;
mod queue;

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use sqlx::{SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use self::{group::Groups, lender::Lender, queue::Queue};
use super::file::DatabaseFile;
use crate::Error;

/// How patient writers are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How long somebody waits for a turn. Longer queues mean that the disk does
    /// not keep up, and the caller is better served by an error.
    patience: Duration,
    /// How many saves share a commit at most: what one failed commit takes along.
    saves: usize,
    /// How old the first save of a group may become while others join it. Somebody
    /// waits for it; this is about what the commit itself takes on a good disk.
    age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            saves: 64,
            age: Duration::from_millis(2),
        }
    }
}

/// What the task is asked.
enum Request {
    Turn(Waiter),
    Close,
}

/// Somebody who waits for a turn.
struct Waiter {
    /// Where the turn is delivered, or the reason why there is none.
    turn: oneshot::Sender<Result<Turn, Error>>,
    /// Whether one statement is all that will be made.
    is_single: bool,
}

/// Where somebody waits who has saved.
type Saved = oneshot::Sender<Result<(), Error>>;

/// Lends the connection that writes.
pub(super) struct Writer {
    requests: mpsc::UnboundedSender<Request>,
    task: Mutex<Option<JoinHandle<()>>>,
    patience: Duration,
}

impl Writer {
    /// Lends this connection, and after a failure others that `options` open.
    pub(super) fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        file: Arc<DatabaseFile>,
        limits: Limits,
    ) -> Self {
        let (requests, queue) = mpsc::unbounded_channel();
        let groups = Groups {
            queue: Queue::new(queue),
            lender: Lender::new(connection, options, file),
            limits,
        };
        Self {
            requests,
            task: Mutex::new(Some(tokio::spawn(groups.run()))),
            patience: limits.patience,
        }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<Turn, Error> {
        self.wait(false).await
    }

    /// Waits for a turn in which one statement is made. Its error may come from
    /// the commit.
    pub(super) async fn single(&self) -> Result<Turn, Error> {
        self.wait(true).await
    }

    async fn wait(&self, is_single: bool) -> Result<Turn, Error> {
        let (sender, turn) = oneshot::channel();
        let waiter = Waiter {
            turn: sender,
            is_single,
        };
        let asked = self.requests.send(Request::Turn(waiter));
        asked.map_err(|_| unavailable("the storage is closed"))?;
        match timeout(self.patience, turn).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable("the storage is closed")),
            Err(_) => Err(unavailable("other writers take too long")),
        }
    }

    /// Lets everybody finish who is writing or waiting to, then closes the
    /// connection.
    pub(super) async fn close(&self) {
        // Held until the end, so that a second call waits as well.
        let mut task = self.task.lock().await;
        if let Some(task) = task.take() {
            // Without a task there is nobody to hear it, and nothing to do.
            let _ = self.requests.send(Request::Close);
            if let Err(error) = task.await {
                tracing::error!(%error, "the task that writes has failed");
            }
        }
    }
}

fn unavailable(reason: &'static str) -> Error {
    Error::Unavailable {
        operation: "write",
        source: reason.into(),
    }
}

/// The connection, for as long as one unit of work takes. Dropping it cancels,
/// unless it is a single statement that was alone, which is committed by then.
pub(super) struct Turn {
    // Fields are dropped in this order: the connection is back before the task
    // hears that it may take it.
    connection: OwnedMutexGuard<SqliteConnection>,
    end: oneshot::Sender<Saved>,
}

impl Turn {
    /// Ends the turn and waits for the commit of its group.
    pub(super) async fn save(self) -> Result<(), Error> {
        let Self { connection, end } = self;
        let (saved, answer) = oneshot::channel();
        drop(connection);
        // If the task is gone, so is the other end of `answer`.
        let _ = end.send(saved);
        answer.await.unwrap_or_else(|_| {
            Err(Error::Unconfirmed {
                source: "the task that writes has ended".into(),
            })
        })
    }
}

impl Deref for Turn {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Turn {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

#[cfg(test)]
mod tests;
