//! SQLite: one file, one writer, several readers.
//!
//! The file is in WAL mode with `synchronous=FULL`: what was committed survives
//! the loss of power. Writers queue for the one connection that writes, in the
//! order they came, instead of competing for SQLite's own lock, which is not
//! fair. Readers never wait for the writer, nor it for them.

mod file;
mod unit_of_work;

use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::time::Timestamp;
use sqlx::{
    Connection as _, SqliteConnection, SqlitePool,
    migrate::Migrator,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use tokio::sync::broadcast;

use self::{file::DatabaseFile, unit_of_work::SqliteUnitOfWork};
use crate::{BoxUnitOfWork, Error, Hint, Noted, Storage, error::during, hints::Hub};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Reads are short; a few connections keep a slow one from holding up the rest.
const READERS: u32 = 4;

/// How long SQLite retries when the file is locked. Only foreign tools, such as
/// a backup, can lock it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a unit of work waits for a connection. Longer queues mean that the
/// disk does not keep up, and the caller is better served by an error.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// A database in a file, for one gateway.
pub struct SqliteStorage {
    writer: SqlitePool,
    readers: SqlitePool,
    file: DatabaseFile,
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
    /// [`Error::Migrate`] when the tables are those of a newer version.
    pub async fn open(url_or_path: &str) -> Result<Self, Error> {
        let file = DatabaseFile::open(url_or_path)?;
        let options = connect_options(&file);
        let writer = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(during("sqlite.open"))?;
        MIGRATIONS
            .run(&writer)
            .await
            .map_err(|source| Error::Migrate {
                source: source.into(),
            })?;
        let readers = pool(READERS)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(during("sqlite.open"))?;
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
        // IMMEDIATE, since a transaction that begins by reading could not
        // become a writer once another has written.
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map(SqliteUnitOfWork::boxed)
            .map_err(during("write"))
    }

    #[tracing::instrument(name = "storage.read", level = "debug", skip_all)]
    async fn read(&self) -> Result<BoxUnitOfWork, Error> {
        self.readers
            .begin_with("BEGIN DEFERRED")
            .await
            .map(SqliteUnitOfWork::boxed)
            .map_err(during("read"))
    }

    #[tracing::instrument(name = "storage.ping", level = "debug", skip_all)]
    async fn ping(&self) -> Result<(), Error> {
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

    #[tracing::instrument(name = "storage.hint", level = "debug", skip_all, fields(?hint))]
    async fn hint(&self, hint: &Hint) -> Result<(), Error> {
        // Nobody else can be told; the rule about ids is that of every database.
        hint.to_payload()?;
        self.hints.tell(Noted::Changed(hint.clone()));
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

fn connect_options(file: &DatabaseFile) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file.path())
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
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
        for pool in [&storage.writer, &storage.readers] {
            let mut connection = pool.acquire().await.unwrap();
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
    async fn a_transaction_that_the_database_ended_does_not_block_later_writers() {
        let (storage, _directory) = open().await;
        let mut transaction = storage.writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("ROLLBACK")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap_err();
        storage.write().await.unwrap().save().await.unwrap();
    }
}
