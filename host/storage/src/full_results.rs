//! What truncated results were before.

use async_trait::async_trait;
use portcullis_core::{
    id::{InvocationId, OrganizationId, SessionId},
    invocation::FullResult,
    time::Timestamp,
};

use crate::{Error, Sealed, error::during};

/// A full result as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResult {
    /// Whose result it is; it belongs to the same transaction as the completion.
    pub invocation_id: InvocationId,
    /// The invocation's organization.
    pub organization_id: OrganizationId,
    /// What is told of it.
    pub about: FullResult,
    /// The redacted JSON.
    pub sealed: Sealed,
}

/// Keeps full results.
#[async_trait]
pub trait FullResultRepository: Send {
    /// Adds the result of an invocation.
    ///
    /// # Errors
    ///
    /// [`Constraint::Id`](crate::Constraint::Id) when it has one already;
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no
    /// such invocation.
    async fn add(&mut self, result: &StoredResult) -> Result<(), Error>;

    /// The result of the session's invocation, unless it expired at `now` or
    /// before.
    async fn find(
        &mut self,
        id: InvocationId,
        session_id: SessionId,
        now: Timestamp,
    ) -> Result<Option<Sealed>, Error>;

    /// Removes those that expired at `now` or before, the oldest first, at most
    /// `limit`; how many.
    async fn remove_expired(&mut self, now: Timestamp, limit: u32) -> Result<u64, Error>;
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! full_result_repository {
    ($name:ident, $database:ty, skip: $skip:literal) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl FullResultRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.full_results.add", level = "debug", skip_all,
                fields(invocation.id = %result.invocation_id)
            )]
            async fn add(&mut self, result: &StoredResult) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO invocation_results (invocation_id, organization_id, bytes,
                         is_whole, expires_at, result_key_id, result_sealed)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(result.invocation_id.to_string())
                .bind(result.organization_id.as_str())
                .bind(i64::try_from(result.about.bytes).unwrap_or(i64::MAX))
                .bind(result.about.is_whole)
                .bind(result.about.expires_at.as_micros())
                .bind(&result.sealed.key_id)
                .bind(result.sealed.bytes.as_slice())
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("full_results.add"))
            }

            #[tracing::instrument(
                name = "storage.full_results.find", level = "debug", skip_all,
                fields(invocation.id = %id, session.id = %session_id)
            )]
            async fn find(
                &mut self,
                id: InvocationId,
                session_id: SessionId,
                now: Timestamp,
            ) -> Result<Option<Sealed>, Error> {
                sqlx::query_as::<$database, (String, Vec<u8>)>(
                    "SELECT r.result_key_id, r.result_sealed
                     FROM invocation_results AS r
                     JOIN action_invocations AS i ON i.id = r.invocation_id
                     WHERE r.invocation_id = $1 AND i.session_id = $2 AND r.expires_at > $3",
                )
                .bind(id.to_string())
                .bind(session_id.to_string())
                .bind(now.as_micros())
                .fetch_optional(&mut *self.connection)
                .await
                .map(|row| row.map(|(key_id, bytes)| Sealed { key_id, bytes }))
                .map_err(during("full_results.find"))
            }

            #[tracing::instrument(
                name = "storage.full_results.remove_expired", level = "debug", skip_all,
                fields(%now)
            )]
            async fn remove_expired(&mut self, now: Timestamp, limit: u32) -> Result<u64, Error> {
                let done = sqlx::query::<$database>(concat!(
                    "DELETE FROM invocation_results WHERE expires_at <= $1
                         AND invocation_id IN (SELECT invocation_id FROM invocation_results
                             WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
                    $skip,
                    ")"
                ))
                .bind(now.as_micros())
                .bind(i64::from(limit))
                .execute(&mut *self.connection)
                .await
                .map_err(during("full_results.remove_expired"))?;
                Ok(done.rows_affected())
            }
        }
    };
}

full_result_repository!(SqliteFullResultRepository, sqlx::Sqlite, skip: "");
full_result_repository!(
    PostgresFullResultRepository,
    sqlx::Postgres,
    skip: " FOR UPDATE SKIP LOCKED"
);
