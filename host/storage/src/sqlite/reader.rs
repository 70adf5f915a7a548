//! A database in a file that is only read, also while a gateway has it open.

use async_trait::async_trait;
use portcullis_core::{id::InvocationId, time::Timestamp};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use tokio::sync::broadcast;

use super::{
    BUSY_TIMEOUT, MIGRATIONS, READERS, file, pool, unit_of_work::SqliteUnitOfWork,
    unusable::opening,
};
use crate::{
    AuditEntry, BoxUnitOfWork, Completion, Error, Hint, Noted, Storage,
    applied::{self, APPLIED},
    error::during,
    hints::Hub,
};

/// A database file that this process does not change.
///
/// It takes no lock: that belongs to the gateway, which goes on writing. Each
/// transaction sees the state of the file at its first query.
pub struct SqliteReader {
    connections: SqlitePool,
    hints: Hub,
}

impl SqliteReader {
    /// Opens a file that exists, given plainly or as `sqlite:path`.
    ///
    /// # Errors
    ///
    /// [`Error::Location`] or [`Error::File`] when there is no such file,
    /// [`Error::Unusable`] when it is no database or cannot be read,
    /// [`Error::Newer`] or [`Error::Older`] when the tables are not those of this
    /// version.
    pub async fn open(url_or_path: &str) -> Result<Self, Error> {
        let path = file::find(url_or_path)?;
        // Not SQLite's own mode for reading, in which whoever is alone cannot take
        // the log away when it closes, and leaves two more files behind.
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("query_only", "ON");
        let connections = pool(READERS)
            .connect_with(options)
            .await
            .map_err(opening(&path))?;
        let applied = migrations(&connections).await.map_err(opening(&path))?;
        applied::check(&MIGRATIONS, &applied)?;
        Ok(Self {
            connections,
            hints: Hub::new(),
        })
    }
}

/// None where there is not even the table that names them.
async fn migrations(connections: &SqlitePool) -> Result<Vec<i64>, sqlx::Error> {
    let kept: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(connections)
            .await?;
    if kept == 0 {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(APPLIED).fetch_all(connections).await
}

fn refused(operation: &'static str) -> Error {
    Error::Database {
        operation,
        source: "the database was opened only to read".into(),
    }
}

#[async_trait]
impl Storage for SqliteReader {
    async fn write(&self) -> Result<BoxUnitOfWork, Error> {
        Err(refused("write"))
    }

    #[tracing::instrument(name = "storage.read", level = "debug", skip_all)]
    async fn read(&self) -> Result<BoxUnitOfWork, Error> {
        let begun = self.connections.begin_with("BEGIN DEFERRED").await;
        let transaction = begun.map_err(during("read"))?;
        Ok(Box::new(SqliteUnitOfWork::Read(transaction)))
    }

    async fn finish(
        &self,
        _id: InvocationId,
        _node: &str,
        _completion: &Completion,
        _entry: &AuditEntry,
    ) -> Result<bool, Error> {
        Err(refused("finish"))
    }

    #[tracing::instrument(name = "storage.ping", level = "debug", skip_all)]
    async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1 FROM organizations LIMIT 1")
            .fetch_optional(&self.connections)
            .await
            .map(drop)
            .map_err(during("ping"))
    }

    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        Ok(None)
    }

    async fn hint(&self, _hints: &[Hint]) -> Result<(), Error> {
        Err(refused("hint"))
    }

    fn hints(&self) -> broadcast::Receiver<Noted> {
        self.hints.subscribe()
    }

    #[tracing::instrument(name = "storage.close", level = "debug", skip_all)]
    async fn close(&self) {
        self.connections.close().await;
    }
}
