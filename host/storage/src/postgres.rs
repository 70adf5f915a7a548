//! Postgres: one database, for several gateways at once.
//!
//! Units of work run side by side. What must be counted exactly is guarded by
//! the lock of a row ([`AdmissionRepository::weigh`](crate::AdmissionRepository::weigh)),
//! under which each statement sees everything that was committed before it
//! (`READ COMMITTED`); a transaction that fails to serialize and has to be
//! repeated does not occur. What was committed is as durable as the server's
//! `synchronous_commit` says, which by default means that it survives a crash.
//!
//! Connections keep prepared statements and settings, so a pooler between the
//! gateway and the server must give each of them a session of its own.

mod listener;
mod options;
mod unit_of_work;

use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::{id::InvocationId, time::Timestamp};
use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    pool::{PoolConnectionMetadata, PoolOptions},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use tokio::{sync::broadcast, time::timeout};

use self::{
    listener::{CHANNEL, Listener},
    unit_of_work::PostgresUnitOfWork,
};
use crate::{
    AuditEntry, BoxUnitOfWork, Completion, Error, Hint, Noted, Storage,
    applied::{self, APPLIED},
    error::{during, is_lost_connection, migrating},
    hints::{Hub, payloads},
    invocations::finish_on_postgres,
    location::shown,
};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Enough for those who only read: one after the other, while nobody else is here.
const READERS: u32 = 2;

/// How long a unit of work waits for a connection: for others to give one back,
/// or for the server to take a new one. The caller of a server that is gone is
/// better served by an error.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the attempt may take that tells why the others failed.
const LAST_ATTEMPT: Duration = Duration::from_secs(2);

/// A connection that lay idle for longer is asked whether it still works: a
/// server that restarts, or a firewall that forgets, says nothing. Busy ones
/// need not pay a round trip for that.
const DOUBTED_AFTER: Duration = Duration::from_secs(5);

/// How long a connection has to say that it works. Another is made faster than
/// that, and one that a firewall forgot never says anything.
const PING_PATIENCE: Duration = Duration::from_secs(1);

/// A database on a server, for any number of gateways.
pub struct PostgresStorage {
    pool: PgPool,
    hints: Hub,
    /// None where it is only read.
    listener: Option<Listener>,
}

impl PostgresStorage {
    /// Opens the database at a URL, which must exist, and brings its tables to
    /// this version. Gateways that start at once do that one after the other.
    /// One connection more than `max_connections` listens for [`Hint`]s.
    ///
    /// # Errors
    ///
    /// [`Error::Location`] when the URL cannot be read or the database's encoding
    /// is not UTF-8, [`Error::Database`] when the server cannot be reached or
    /// refuses, [`Error::Newer`] when the tables are those of a newer version.
    pub async fn open(url: &str, max_connections: u32) -> Result<Self, Error> {
        let options = options::parse(url)?;
        migrate(&options, url).await?;
        let options = options::bounded(options);
        let hints = Hub::new();
        let listener = Listener::start(options.clone(), hints.clone())
            .await
            .map_err(during("postgres.listen"))?;
        let pool = pool(max_connections)
            .connect_with(options)
            .await
            .map_err(during("postgres.open"))?;
        Ok(Self {
            pool,
            hints,
            listener: Some(listener),
        })
    }

    /// Opens the database at a URL only to read, and leaves its tables as they are.
    /// A transaction has no end but its own.
    ///
    /// # Errors
    ///
    /// As [`PostgresStorage::open`], and [`Error::Older`] when the tables are those
    /// of an older version.
    pub async fn open_to_read(url: &str) -> Result<Self, Error> {
        let options = options::reading(options::parse(url)?);
        let pool = connect(&options, READERS).await?;
        applied::check(&MIGRATIONS, &migrations(&pool).await?)?;
        Ok(Self {
            pool,
            hints: Hub::new(),
            listener: None,
        })
    }

    /// Whether a URL can be read.
    ///
    /// # Errors
    ///
    /// [`Error::Location`] when it cannot.
    pub fn check(url: &str) -> Result<(), Error> {
        options::parse(url).map(drop)
    }

    /// Does what may be done twice, on a connection that works: those that lay
    /// idle may have died with the server, which is noticed only in use. However
    /// many of them did, a server that is back serves at once.
    async fn on_a_live_connection<T, E, F>(
        &self,
        is_lost: impl Fn(&E) -> bool,
        act: impl Fn() -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        for _ in 0..self.pool.num_idle() {
            match act().await {
                Err(error) if is_lost(&error) => {}
                done => return done,
            }
        }
        act().await
    }

    async fn begin(
        &self,
        statement: &'static str,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.on_a_live_connection(is_lost_connection, || self.pool.begin_with(statement))
            .await
    }

    async fn try_finish(
        &self,
        id: InvocationId,
        node: &str,
        completion: &Completion,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        let mut connection = self.pool.acquire().await.map_err(during("finish"))?;
        finish_on_postgres(&mut connection, id, node, completion, entry).await
    }
}

#[async_trait]
impl Storage for PostgresStorage {
    #[tracing::instrument(name = "storage.write", level = "debug", skip_all)]
    async fn write(&self) -> Result<BoxUnitOfWork, Error> {
        // Named, since an administrator may have chosen another default, under
        // which waiting for a lock ends in an error instead of a fresh view.
        self.begin("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await
            .map(PostgresUnitOfWork::boxed)
            .map_err(during("write"))
    }

    #[tracing::instrument(name = "storage.read", level = "debug", skip_all)]
    async fn read(&self) -> Result<BoxUnitOfWork, Error> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
            .map(PostgresUnitOfWork::boxed)
            .map_err(during("read"))
    }

    /// A statement by itself is a transaction: no round trips to begin and commit.
    #[tracing::instrument(name = "storage.finish", level = "debug", skip_all)]
    async fn finish(
        &self,
        id: InvocationId,
        node: &str,
        completion: &Completion,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        // A conditional update may be sent twice.
        let finish = || self.try_finish(id, node, completion, entry);
        self.on_a_live_connection(is_lost, finish).await
    }

    #[tracing::instrument(name = "storage.ping", level = "debug", skip_all)]
    async fn ping(&self) -> Result<(), Error> {
        // Names a table, so that a database that was replaced by an empty one
        // is noticed.
        let ping = || sqlx::query("SELECT 1 FROM organizations LIMIT 1").fetch_optional(&self.pool);
        self.on_a_live_connection(is_lost_connection, ping)
            .await
            .map(drop)
            .map_err(during("ping"))
    }

    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    #[tracing::instrument(name = "storage.time", level = "debug", skip_all)]
    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        let ask = || {
            sqlx::query_scalar("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT")
                .fetch_one(&self.pool)
        };
        self.on_a_live_connection(is_lost_connection, ask)
            .await
            .map(|micros| Some(Timestamp::from_micros(micros)))
            .map_err(during("time"))
    }

    #[tracing::instrument(name = "storage.hint", level = "debug", skip_all, fields(?hints))]
    async fn hint(&self, hints: &[Hint]) -> Result<(), Error> {
        let payloads = payloads(hints)?;
        let notify = || {
            sqlx::query("SELECT pg_notify($1, payload) FROM unnest($2) AS payload")
                .bind(CHANNEL)
                .bind(payloads.as_slice())
                .execute(&self.pool)
        };
        self.on_a_live_connection(is_lost_connection, notify)
            .await
            .map(drop)
            .map_err(during("hint"))
    }

    fn hints(&self) -> broadcast::Receiver<Noted> {
        self.hints.subscribe()
    }

    #[tracing::instrument(name = "storage.close", level = "debug", skip_all)]
    async fn close(&self) {
        if let Some(listener) = &self.listener {
            listener.stop().await;
        }
        self.pool.close().await;
    }
}

/// Brings the tables to this version, on a connection without limits: waiting for
/// another gateway that migrates, or changing a large table, may take its time.
async fn migrate(options: &PgConnectOptions, url: &str) -> Result<(), Error> {
    // The server would tell at every start that a table of the driver exists.
    let options = options
        .clone()
        .options([("client_min_messages", "warning")]);
    let pool = connect(&options, 1).await?;
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(&pool)
        .await
        .map_err(during("postgres.open"))?;
    if encoding != "UTF8" {
        return Err(Error::Location {
            location: shown(url).into_owned(),
            reason: "the database's encoding is not UTF8; \
                 create one with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`",
        });
    }
    MIGRATIONS.run(&pool).await.map_err(migrating)?;
    pool.close().await;
    Ok(())
}

/// None where there is not even the table that names them.
async fn migrations(pool: &PgPool) -> Result<Vec<i64>, Error> {
    let kept: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(pool)
        .await
        .map_err(during("postgres.open"))?;
    if !kept {
        return Ok(Vec::new());
    }
    let applied = sqlx::query_scalar(APPLIED).fetch_all(pool).await;
    applied.map_err(during("postgres.open"))
}

async fn connect(options: &PgConnectOptions, connections: u32) -> Result<PgPool, Error> {
    let pool = match pool(connections).connect_with(options.clone()).await {
        Err(sqlx::Error::PoolTimedOut) => Err(why_unreachable(options).await),
        connected => connected,
    };
    pool.map_err(during("postgres.open"))
}

/// Why no connection came about. The pool tries again while nobody listens, since
/// a server that starts is there in a moment, and in the end tells that time ran out.
async fn why_unreachable(options: &PgConnectOptions) -> sqlx::Error {
    let attempt = PgConnection::connect_with(options);
    match timeout(LAST_ATTEMPT, attempt).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}

fn pool(connections: u32) -> PoolOptions<sqlx::Postgres> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| Box::pin(is_usable(connection, metadata)))
}

async fn is_usable(
    connection: &mut PgConnection,
    metadata: PoolConnectionMetadata,
) -> Result<bool, sqlx::Error> {
    if metadata.idle_for < DOUBTED_AFTER {
        return Ok(true);
    }
    match timeout(PING_PATIENCE, connection.ping()).await {
        Ok(answered) => answered.map(|()| true),
        Err(_silence) => Ok(false),
    }
}

/// As [`is_lost_connection`], of an error that is ours already.
fn is_lost(error: &Error) -> bool {
    let Error::Unavailable { source, .. } = error else {
        return false;
    };
    source
        .downcast_ref::<sqlx::Error>()
        .is_some_and(is_lost_connection)
}

#[cfg(test)]
mod tests {
    use portcullis_test_postgres::TestDatabase;

    use super::*;

    #[tokio::test]
    async fn that_nobody_listens_is_told() {
        let options = options::parse("postgres://app@127.0.0.1:1/gate").unwrap();
        let error = why_unreachable(&options).await;
        assert!(matches!(error, sqlx::Error::Io(_)), "{error}");
    }

    #[tokio::test]
    async fn every_connection_gives_up_in_time() {
        let Some(database) = TestDatabase::create().await.unwrap() else {
            return;
        };
        let storage = PostgresStorage::open(database.url(), 2).await.unwrap();
        let mut limits = Vec::new();
        for name in [
            "idle_in_transaction_session_timeout",
            "lock_timeout",
            "statement_timeout",
        ] {
            let limit: i64 =
                sqlx::query_scalar("SELECT setting::bigint FROM pg_settings WHERE name = $1")
                    .bind(name)
                    .fetch_one(&storage.pool)
                    .await
                    .unwrap();
            assert!(limit > 0, "{name}");
            limits.push(limit);
        }
        // Whoever waits for a dead gateway's lock waits until it is released.
        assert!(limits.is_sorted(), "{limits:?}");
        storage.close().await;
    }

    /// Fills the pool with connections that lie idle, and ends them.
    async fn let_idle_connections_die(storage: &PostgresStorage, database: &TestDatabase) {
        let mut held = Vec::new();
        for _ in 0..storage.pool.options().get_max_connections() {
            held.push(storage.read().await.unwrap());
        }
        let count = held.len();
        drop(held);
        while storage.pool.num_idle() < count {
            tokio::task::yield_now().await;
        }
        database.end_connections().await.unwrap();
    }

    #[tokio::test]
    async fn connections_that_died_idle_cost_nobody_an_attempt() {
        let Some(database) = TestDatabase::create().await.unwrap() else {
            return;
        };
        let storage = PostgresStorage::open(database.url(), 4).await.unwrap();
        let_idle_connections_die(&storage, &database).await;
        storage.ping().await.unwrap();
        let_idle_connections_die(&storage, &database).await;
        storage.time().await.unwrap();
        let_idle_connections_die(&storage, &database).await;
        storage.read().await.unwrap().cancel().await.unwrap();
        let_idle_connections_die(&storage, &database).await;
        storage.write().await.unwrap().save().await.unwrap();
        storage.close().await;
    }
}
