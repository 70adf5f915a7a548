//! SQLite: one file, one writer, several readers.
//!
//! The file is in WAL mode with `synchronous=FULL`: what was committed survives
//! the loss of power. Writers take turns on the one connection that writes, in
//! the order they came, instead of competing for SQLite's own lock, which is not
//! fair; those that wait for each other share a commit, as [`writer`] explains.
//! Readers never wait for the writer, nor it for them.

mod file;
mod reader;
mod unit_of_work;
mod unusable;
mod writer;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use portcullis_core::{id::InvocationId, time::Timestamp};
use sqlx::{
    Connection as _, SqliteConnection, SqlitePool,
    migrate::Migrator,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::broadcast;

use self::{
    file::DatabaseFile,
    unit_of_work::SqliteUnitOfWork,
    unusable::{opening, preparing},
    writer::{Limits, Writer},
};
use crate::{
    AuditEntry, BoxUnitOfWork, Completion, Error, Hint, Noted, Storage,
    error::during,
    hints::{Hub, payloads},
    invocations::finish_on_sqlite,
};

pub use reader::SqliteReader;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Reads are short; a few connections keep a slow one from holding up the rest.
const READERS: u32 = 4;

/// How long somebody waits for a connection to read with.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long SQLite retries when the file is locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What SQLite reads and writes at once. The default, named since a quota counts
/// in it.
const PAGE_BYTES: u64 = 4096;

/// What can be said about a database beyond its place.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// How long SQLite retries when the file is locked. Only foreign tools, such
    /// as a backup, can lock it.
    pub busy_timeout: Duration,
    /// The size that the file does not outgrow; without one the disk decides.
    /// Beyond it writing fails as it does on a full disk.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: BUSY_TIMEOUT,
            max_bytes: None,
        }
    }
}

/// A database in a file, for one gateway.
pub struct SqliteStorage {
    writer: Writer,
    readers: SqlitePool,
    file: Arc<DatabaseFile>,
    hints: Hub,
}

impl SqliteStorage {
    /// Whether there is a database file at a path, given as to [`open`](Self::open).
    /// For those who work on a database and must not make one by mistake.
    pub fn exists(url_or_path: &str) -> Result<bool, Error> {
        file::exists(url_or_path)
    }

    /// Opens the database at a path, given plainly or as `sqlite:path`, and
    /// brings its tables to this version.
    ///
    /// What is missing is made: the file with mode 0600, since it holds secrets,
    /// and the directories above it with mode 0700. The file `<path>.lock` beside
    /// it is locked until [`Storage::close`]; it stays afterwards, and means
    /// nothing by itself.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] when another gateway has the file open,
    /// [`Error::Location`] or [`Error::File`] when there can be no such file,
    /// [`Error::Unusable`] when it is no database or cannot be written,
    /// [`Error::Newer`] when the tables are those of a newer version.
    pub async fn open(url_or_path: &str) -> Result<Self, Error> {
        Self::open_with(url_or_path, &SqliteOptions::default()).await
    }

    /// As [`SqliteStorage::open`], with options.
    pub async fn open_with(url_or_path: &str, options: &SqliteOptions) -> Result<Self, Error> {
        let file = Arc::new(DatabaseFile::open(url_or_path)?);
        let options = connect_options(&file, options);
        let single = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(opening(file.path()))?;
        MIGRATIONS
            .run(&single)
            .await
            .map_err(preparing(file.path()))?;
        let connection = single.acquire().await.map_err(opening(file.path()))?;
        let mut connection = connection.detach();
        // What is only read until the first request should not fail then.
        sqlx::raw_sql("BEGIN IMMEDIATE; ROLLBACK")
            .execute(&mut connection)
            .await
            .map_err(opening(file.path()))?;
        let readers = pool(READERS)
            .connect_with(options.clone().pragma("query_only", "ON"))
            .await
            .map_err(opening(file.path()))?;
        let writer = Writer::new(connection, options, Arc::clone(&file), Limits::default());
        Ok(Self {
            writer,
            readers,
            file,
            hints: Hub::new(),
        })
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    #[tracing::instrument(name = "storage.write", level = "debug", skip_all)]
    async fn write(&self) -> Result<BoxUnitOfWork, Error> {
        let turn = self.writer.turn().await?;
        Ok(Box::new(SqliteUnitOfWork::Write(turn)))
    }

    #[tracing::instrument(name = "storage.read", level = "debug", skip_all)]
    async fn read(&self) -> Result<BoxUnitOfWork, Error> {
        let begun = self.readers.begin_with("BEGIN DEFERRED").await;
        let transaction = begun.map_err(during("read"))?;
        Ok(Box::new(SqliteUnitOfWork::Read(transaction)))
    }

    #[tracing::instrument(name = "storage.finish", level = "debug", skip_all)]
    async fn finish(
        &self,
        id: InvocationId,
        node: &str,
        completion: &Completion,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        let mut turn = self.writer.single().await?;
        let is_finished = finish_on_sqlite(&mut turn, id, node, completion, entry).await?;
        turn.save().await?;
        Ok(is_finished)
    }

    #[tracing::instrument(name = "storage.ping", level = "debug", skip_all)]
    async fn ping(&self) -> Result<(), Error> {
        let in_place = self.file.check_in_place();
        in_place.map_err(|error| during("ping")(error.into()))?;
        // Names a table, so that SQLite has to look at the file.
        sqlx::query("SELECT 1 FROM organizations LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map(drop)
            .map_err(during("ping"))
    }

    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        Ok(None)
    }

    #[tracing::instrument(name = "storage.hint", level = "debug", skip_all, fields(?hints))]
    async fn hint(&self, hints: &[Hint]) -> Result<(), Error> {
        // Nobody else can be told; the rule about ids is that of every database.
        payloads(hints)?;
        for hint in hints {
            self.hints.tell(Noted::Changed(hint.clone()));
        }
        Ok(())
    }

    fn hints(&self) -> broadcast::Receiver<Noted> {
        self.hints.subscribe()
    }

    #[tracing::instrument(name = "storage.close", level = "debug", skip_all)]
    async fn close(&self) {
        // The writer goes last: the connection that closes last moves the log
        // into the file, and one that only reads could not.
        self.readers.close().await;
        self.writer.close().await;
        self.file.unlock();
    }
}

fn connect_options(file: &DatabaseFile, options: &SqliteOptions) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new()
        .filename(file.path())
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout);
    match options.max_bytes {
        Some(bytes) => connect.pragma("max_page_count", (bytes / PAGE_BYTES).to_string()),
        None => connect,
    }
}

fn pool(connections: u32) -> PoolOptions<sqlx::Sqlite> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        // A file cannot hang up, so there is nothing to test.
        .test_before_acquire(false)
        .before_acquire(|connection, _| {
            let usable = is_usable(connection);
            Box::pin(async move { Ok(usable) })
        })
}

/// False when the connection still counts itself in a transaction.
///
/// SQLite ends a transaction by itself when it fails badly, for example on a full
/// disk. The driver does not notice, takes the next `BEGIN` for a nested one, and
/// would refuse it for ever; so such a connection is replaced.
fn is_usable(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open() -> (SqliteStorage, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let storage = SqliteStorage::open(path.to_str().unwrap()).await.unwrap();
        (storage, directory)
    }

    #[tokio::test]
    async fn every_connection_is_durable_and_checks_references() {
        let (storage, _directory) = open().await;
        let mut turn = storage.writer.turn().await.unwrap();
        let mut reader = storage.readers.acquire().await.unwrap();
        for connection in [&mut *turn, &mut *reader] {
            for (pragma, expected) in [
                ("PRAGMA journal_mode", "wal"),
                ("PRAGMA synchronous", "2"),
                ("PRAGMA foreign_keys", "1"),
            ] {
                let row: sqlx::sqlite::SqliteRow = sqlx::query(pragma)
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
                let value = sqlx::Row::try_get_unchecked::<String, _>(&row, 0).unwrap();
                assert_eq!(value, expected, "{pragma}");
            }
        }
    }

    #[tokio::test]
    async fn a_transaction_that_the_database_ended_does_not_block_later_readers() {
        let (storage, _directory) = open().await;
        for _ in 0..READERS {
            let mut transaction = storage.readers.begin_with("BEGIN DEFERRED").await.unwrap();
            sqlx::query("ROLLBACK")
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap_err();
        }
        storage.read().await.unwrap().save().await.unwrap();
    }
}
