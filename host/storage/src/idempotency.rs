//! Idempotency keys.

use async_trait::async_trait;
use portcullis_core::{
    id::{InvocationId, SessionId},
    time::Timestamp,
};

use crate::{Error, error::during, read::Table};

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The invocation of the first request.
    pub invocation_id: InvocationId,
    /// The digest of the first request's body, to tell a repetition from a key
    /// that is used for something else.
    pub body_digest: String,
    /// When the key was first used.
    pub created_at: Timestamp,
}

/// Keeps idempotency keys.
#[async_trait]
pub trait IdempotencyRepository: Send {
    /// What the session used this key for.
    async fn find(
        &mut self,
        session_id: SessionId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, Error>;

    /// Adds a key for an invocation that has been added before.
    ///
    /// # Errors
    ///
    /// [`Constraint::IdempotencyKey`](crate::Constraint::IdempotencyKey) when the
    /// session has used the key,
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no
    /// such session or invocation.
    async fn add(
        &mut self,
        session_id: SessionId,
        key: &str,
        body_digest: &str,
        invocation_id: InvocationId,
        created_at: Timestamp,
    ) -> Result<(), Error>;

    /// Frees one key if it was first used before `time`; whether it was.
    async fn remove_if_older_than(
        &mut self,
        session_id: SessionId,
        key: &str,
        time: Timestamp,
    ) -> Result<bool, Error>;

    /// Forgets the keys of all sessions that were first used before `time`; how
    /// many. Not for an admission, which on Postgres would wait for those of
    /// other sessions that remove the same keys.
    async fn remove_older_than(&mut self, time: Timestamp) -> Result<u64, Error>;
}

const IDEMPOTENCY_KEYS: Table = Table("idempotency_keys");

#[derive(sqlx::FromRow)]
struct IdempotencyRow {
    invocation_id: String,
    body_digest: String,
    created_at: i64,
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = Error;

    fn try_from(row: IdempotencyRow) -> Result<Self, Error> {
        Ok(Self {
            invocation_id: IDEMPOTENCY_KEYS.parse("invocation_id", &row.invocation_id)?,
            body_digest: row.body_digest,
            created_at: IDEMPOTENCY_KEYS.time("created_at", row.created_at)?,
        })
    }
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! idempotency_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl IdempotencyRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.idempotency_keys.find", level = "debug", skip_all,
                fields(session.id = %session_id)
            )]
            async fn find(
                &mut self,
                session_id: SessionId,
                key: &str,
            ) -> Result<Option<IdempotencyRecord>, Error> {
                sqlx::query_as::<$database, IdempotencyRow>(
                    "SELECT invocation_id, body_digest, created_at FROM idempotency_keys
                     WHERE session_id = $1 AND idempotency_key = $2",
                )
                .bind(session_id.to_string())
                .bind(key)
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("idempotency_keys.find"))?
                .map(IdempotencyRecord::try_from)
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.idempotency_keys.add", level = "debug", skip_all,
                fields(session.id = %session_id, invocation.id = %invocation_id)
            )]
            async fn add(
                &mut self,
                session_id: SessionId,
                key: &str,
                body_digest: &str,
                invocation_id: InvocationId,
                created_at: Timestamp,
            ) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO idempotency_keys
                         (session_id, idempotency_key, body_digest, invocation_id, created_at)
                     VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(session_id.to_string())
                .bind(key)
                .bind(body_digest)
                .bind(invocation_id.to_string())
                .bind(created_at.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("idempotency_keys.add"))?;
                Ok(())
            }

            #[tracing::instrument(
                name = "storage.idempotency_keys.remove_if_older_than",
                level = "debug", skip_all,
                fields(session.id = %session_id, %time)
            )]
            async fn remove_if_older_than(
                &mut self,
                session_id: SessionId,
                key: &str,
                time: Timestamp,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "DELETE FROM idempotency_keys
                     WHERE session_id = $1 AND idempotency_key = $2 AND created_at < $3",
                )
                .bind(session_id.to_string())
                .bind(key)
                .bind(time.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("idempotency_keys.remove_if_older_than"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.idempotency_keys.remove_older_than", level = "debug", skip_all,
                fields(%time)
            )]
            async fn remove_older_than(&mut self, time: Timestamp) -> Result<u64, Error> {
                let done = sqlx::query::<$database>(
                    "DELETE FROM idempotency_keys WHERE created_at < $1",
                )
                .bind(time.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("idempotency_keys.remove_older_than"))?;
                Ok(done.rows_affected())
            }
        }
    };
}

idempotency_repository!(SqliteIdempotencyRepository, sqlx::Sqlite);
idempotency_repository!(PostgresIdempotencyRepository, sqlx::Postgres);
