//! The statements about `action_invocations`.

use async_trait::async_trait;
use portcullis_core::{
    id::{InvocationId, SessionId, UserId},
    invocation::{DeniedReason, Invocation, InvocationError, InvocationStatus},
    time::Timestamp,
};
use serde_json::Value;
use sqlx::{PgConnection, SqliteConnection};

use super::{
    Approval, ChangedInvocation, Completion, Interrupted, InvocationFilter, InvocationRepository,
    NewInvocation, Page, Refusal, TitledInvocation, WaitingInvocation,
    row::{CHANGED, COUNT, ChangedRow, InvocationRow, SELECT, created_at, error_to_text},
};
use crate::{AuditEntry, Error, error::during, read};

/// Ends an execution that this node still has.
macro_rules! finish_statement {
    () => {
        "UPDATE action_invocations
         SET status = $1, result = $2, result_truncated = $3, error = $4,
             duration_ms = $5, completed_at = $6, params_sealed = NULL, params_key_id = NULL
         WHERE id = $7 AND status = 'executing' AND node = $8"
    };
}

/// Binds what the statement takes.
macro_rules! bind_finish {
    ($query:expr, $id:expr, $node:expr, $completion:expr) => {
        $query
            .bind(InvocationStatus::from($completion.status).as_str())
            .bind($completion.result.as_ref().map(Value::to_string))
            .bind($completion.result_truncated)
            .bind($completion.error.as_ref().map(error_to_text))
            .bind($completion.duration_ms)
            .bind($completion.completed_at.as_micros())
            .bind($id.to_string())
            .bind($node)
    };
}

/// Binds an event to the placeholders that follow.
macro_rules! bind_event {
    ($query:expr, $entry:expr) => {
        $query
            .bind($entry.event.id.to_string())
            .bind($entry.event.chain.as_str())
            .bind($entry.event.kind.as_str())
            .bind($entry.event.actor.as_str())
            .bind($entry.event.subject.as_str())
            .bind($entry.details.as_str())
            .bind($entry.event.at.as_micros())
            .bind($entry.mac.as_slice())
    };
}

// `$skip` is what follows a `SELECT` to leave out rows that others have locked;
// `$before_add` and `$after_add` make one statement of a row and its event.
//
// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! invocation_repository {
    (
        $name:ident, $database:ty, skip: $skip:literal,
        add: $before_add:literal $after_add:literal
    ) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        impl $name<'_> {
            /// Adds the filter's conditions to a statement.
            fn matching(
                statement: &str,
                filter: &InvocationFilter,
            ) -> sqlx::QueryBuilder<$database> {
                let mut query = sqlx::QueryBuilder::new(statement);
                query.push(" WHERE TRUE");
                if let Some(id) = filter.session_id {
                    query.push(" AND i.session_id = ").push_bind(id.to_string());
                }
                if let Some(id) = &filter.organization_id {
                    query.push(" AND i.organization_id = ").push_bind(id.as_str());
                }
                match (filter.status, filter.as_of) {
                    (Some(InvocationStatus::Pending), Some(now)) => {
                        query.push(" AND i.status = 'pending' AND i.expires_at > ");
                        query.push_bind(now.as_micros());
                    }
                    (Some(InvocationStatus::Expired), Some(now)) => {
                        query
                            .push(" AND (i.status = 'expired' OR i.status = 'pending' AND i.expires_at <= ")
                            .push_bind(now.as_micros())
                            .push(")");
                    }
                    (Some(status), _) => {
                        query.push(" AND i.status = ").push_bind(status.as_str());
                    }
                    (None, _) => {}
                }
                query
            }

            async fn one<T>(
                &mut self,
                id: InvocationId,
                session_id: SessionId,
            ) -> Result<Option<T>, Error>
            where
                T: TryFrom<InvocationRow, Error = Error>,
            {
                let mut query = sqlx::QueryBuilder::<$database>::new(SELECT);
                query.push(" WHERE i.id = ").push_bind(id.to_string());
                query.push(" AND i.session_id = ").push_bind(session_id.to_string());
                query
                    .build_query_as::<InvocationRow>()
                    .fetch_optional(&mut *self.connection)
                    .await
                    .map_err(during("invocations.find"))?
                    .map(T::try_from)
                    .transpose()
            }

            async fn changed(
                &mut self,
                mut query: sqlx::QueryBuilder<$database>,
                operation: &'static str,
            ) -> Result<Vec<ChangedInvocation>, Error> {
                query
                    .push(CHANGED)
                    .build_query_as::<ChangedRow>()
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during(operation))?
                    .into_iter()
                    .map(ChangedInvocation::try_from)
                    .collect()
            }

            /// The start of a statement that expires what waits, and has waited until
            /// its end or until `closed_at`.
            fn expiring(closed_at: Option<Timestamp>) -> sqlx::QueryBuilder<$database> {
                let mut query = sqlx::QueryBuilder::new(
                    "UPDATE action_invocations SET status = 'expired', \
                     params_sealed = NULL, params_key_id = NULL, denied_reason = ",
                );
                query
                    .push_bind(DeniedReason::Expired.to_text())
                    .push(", completed_at = ");
                match closed_at {
                    Some(time) => query.push_bind(time.as_micros()),
                    None => query.push("expires_at"),
                };
                query.push(" WHERE status = 'pending'");
                query
            }

            async fn count(&mut self, filter: &InvocationFilter) -> Result<u64, Error> {
                Self::matching(COUNT, filter)
                    .build_query_scalar()
                    .fetch_one(&mut *self.connection)
                    .await
                    .map(read::count)
                    .map_err(during("invocations.list"))
            }

            async fn page<T>(&mut self, filter: &InvocationFilter) -> Result<Page<T>, Error>
            where
                T: TryFrom<InvocationRow, Error = Error>,
            {
                let mut query = Self::matching(SELECT, filter);
                query
                    .push(" ORDER BY i.created_at DESC, i.id LIMIT ")
                    .push_bind(i64::from(filter.limit))
                    .push(" OFFSET ")
                    .push_bind(i64::from(filter.offset));
                let rows = query
                    .build_query_as::<InvocationRow>()
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during("invocations.list"))?;
                Ok(Page {
                    items: rows.into_iter().map(T::try_from).collect::<Result<_, _>>()?,
                    total: self.count(filter).await?,
                })
            }
        }

        #[async_trait]
        impl InvocationRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.invocations.add", level = "debug", skip_all,
                fields(invocation.id = %new.invocation.id, session.id = %new.invocation.session_id)
            )]
            async fn add(&mut self, new: &NewInvocation, entry: &AuditEntry) -> Result<(), Error> {
                let invocation = &new.invocation;
                let sealed = new.sealed_params.as_ref();
                let query = sqlx::query::<$database>(concat!(
                    $before_add,
                    "INSERT INTO action_invocations (id, session_id, organization_id,
                         integration_id, integration, action, risk_level, mode, mode_source,
                         drifted, params, params_sealed, params_key_id, params_digest,
                         definition_digest, plugin_digest, status, result, result_truncated,
                         error, denied_reason, duration_ms, approved_by, approved_at,
                         completed_at, expires_at, created_at, node, lease_expires_at,
                         connection_version, decision_reason)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                         $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30,
                         $31)",
                    $after_add
                ))
                .bind(invocation.id.to_string())
                .bind(invocation.session_id.to_string())
                .bind(invocation.organization_id.as_str())
                .bind(invocation.connection_id.map(|id| id.to_string()))
                .bind(invocation.source.as_str())
                .bind(invocation.action.as_str())
                .bind(invocation.risk.as_str())
                .bind(invocation.mode.as_str())
                .bind(invocation.mode_source.as_str())
                .bind(invocation.drifted)
                .bind(invocation.params.to_string())
                .bind(sealed.map(|sealed| sealed.bytes.as_slice()))
                .bind(sealed.map(|sealed| sealed.key_id.as_str()))
                .bind(&new.params_digest)
                .bind(invocation.definition_digest.map(|digest| digest.to_string()))
                .bind(invocation.plugin_digest.map(|digest| digest.to_string()))
                .bind(invocation.status.as_str())
                .bind(invocation.result.as_ref().map(Value::to_string))
                .bind(invocation.result_truncated)
                .bind(invocation.error.as_ref().map(error_to_text))
                .bind(invocation.denied_reason.as_ref().map(DeniedReason::to_text))
                .bind(invocation.duration_ms)
                .bind(invocation.approved_by.as_ref().map(UserId::as_str))
                .bind(invocation.approved_at.map(Timestamp::as_micros))
                .bind(invocation.completed_at.map(Timestamp::as_micros))
                .bind(invocation.expires_at.map(Timestamp::as_micros))
                .bind(invocation.created_at.as_micros())
                .bind(new.node.as_deref())
                .bind(new.lease_expires_at.map(Timestamp::as_micros))
                .bind(new.connection_version)
                .bind(invocation.decision_reason.as_deref());
                bind_event!(query, entry)
                    .execute(&mut *self.connection)
                    .await
                    .map(drop)
                    .map_err(during("invocations.add"))
            }

            #[tracing::instrument(
                name = "storage.invocations.find", level = "debug", skip_all,
                fields(invocation.id = %id, session.id = %session_id)
            )]
            async fn find(
                &mut self,
                id: InvocationId,
                session_id: SessionId,
            ) -> Result<Option<Invocation>, Error> {
                self.one(id, session_id).await
            }

            #[tracing::instrument(
                name = "storage.invocations.find_waiting", level = "debug", skip_all,
                fields(invocation.id = %id, session.id = %session_id)
            )]
            async fn find_waiting(
                &mut self,
                id: InvocationId,
                session_id: SessionId,
            ) -> Result<Option<WaitingInvocation>, Error> {
                self.one(id, session_id).await
            }

            #[tracing::instrument(
                name = "storage.invocations.list", level = "debug", skip_all,
                fields(?filter)
            )]
            async fn list(&mut self, filter: &InvocationFilter) -> Result<Page<Invocation>, Error> {
                self.page(filter).await
            }

            #[tracing::instrument(
                name = "storage.invocations.list_with_titles", level = "debug", skip_all,
                fields(?filter)
            )]
            async fn list_with_titles(
                &mut self,
                filter: &InvocationFilter,
            ) -> Result<Page<TitledInvocation>, Error> {
                self.page(filter).await
            }

            #[tracing::instrument(
                name = "storage.invocations.oldest_since", level = "debug", skip_all,
                fields(session.id = %session_id, %since)
            )]
            async fn oldest_since(
                &mut self,
                session_id: SessionId,
                since: Timestamp,
            ) -> Result<Option<Timestamp>, Error> {
                sqlx::query_scalar::<$database, Option<i64>>(
                    "SELECT MIN(created_at) FROM action_invocations
                     WHERE session_id = $1 AND created_at > $2",
                )
                .bind(session_id.to_string())
                .bind(since.as_micros())
                .fetch_one(&mut *self.connection)
                .await
                .map_err(during("invocations.oldest_since"))?
                .map(created_at)
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.invocations.renew_leases", level = "debug", skip_all,
                fields(invocations = ids.len(), node)
            )]
            async fn renew_leases(
                &mut self,
                ids: &[InvocationId],
                node: &str,
                lease_expires_at: Timestamp,
            ) -> Result<u64, Error> {
                if ids.is_empty() {
                    return Ok(0);
                }
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "UPDATE action_invocations SET lease_expires_at = ",
                );
                query
                    .push_bind(lease_expires_at.as_micros())
                    .push(" WHERE status = 'executing' AND node = ")
                    .push_bind(node.to_owned())
                    .push(" AND id IN (");
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(id.to_string());
                }
                query.push(")");
                let done = query
                    .build()
                    .execute(&mut *self.connection)
                    .await
                    .map_err(during("invocations.renew_leases"))?;
                Ok(done.rows_affected())
            }

            #[tracing::instrument(
                name = "storage.invocations.approve", level = "debug", skip_all,
                fields(invocation.id = %id)
            )]
            async fn approve(
                &mut self,
                id: InvocationId,
                approval: &Approval,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE action_invocations
                     SET status = 'executing', approved_by = $1, approved_at = $2, node = $3,
                         lease_expires_at = $4
                     WHERE id = $5 AND status = 'pending' AND expires_at > $2",
                )
                .bind(approval.approved_by.as_str())
                .bind(approval.approved_at.as_micros())
                .bind(&approval.node)
                .bind(approval.lease_expires_at.as_micros())
                .bind(id.to_string())
                .execute(&mut *self.connection)
                .await
                .map_err(during("invocations.approve"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.invocations.refuse", level = "debug", skip_all,
                fields(invocation.id = %id)
            )]
            async fn refuse(&mut self, id: InvocationId, refusal: &Refusal) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE action_invocations
                     SET status = 'denied', denied_reason = $1, decision_reason = $2,
                         completed_at = $3, params_sealed = NULL, params_key_id = NULL
                     WHERE id = $4 AND status = 'pending' AND expires_at > $3",
                )
                .bind(refusal.denied_reason.to_text())
                .bind(refusal.decision_reason.as_deref())
                .bind(refusal.at.as_micros())
                .bind(id.to_string())
                .execute(&mut *self.connection)
                .await
                .map_err(during("invocations.refuse"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.invocations.finish", level = "debug", skip_all,
                fields(invocation.id = %id, node)
            )]
            async fn finish(
                &mut self,
                id: InvocationId,
                node: &str,
                completion: &Completion,
            ) -> Result<bool, Error> {
                let query = sqlx::query::<$database>(finish_statement!());
                let done = bind_finish!(query, id, node, completion)
                .execute(&mut *self.connection)
                .await
                .map_err(during("invocations.finish"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.invocations.fail_interrupted", level = "debug", skip_all,
                fields(%now, ?scope)
            )]
            async fn fail_interrupted(
                &mut self,
                now: Timestamp,
                error: &InvocationError,
                scope: Interrupted,
                limit: u32,
            ) -> Result<Vec<ChangedInvocation>, Error> {
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "UPDATE action_invocations SET status = 'failed', \
                     params_sealed = NULL, params_key_id = NULL, completed_at = ",
                );
                query
                    .push_bind(now.as_micros())
                    .push(", error = ")
                    .push_bind(error_to_text(error))
                    .push(" WHERE status = 'executing' AND id IN (SELECT id FROM action_invocations \
                        WHERE status = 'executing'");
                if scope == Interrupted::LeaseExpired {
                    query.push(" AND lease_expires_at <= ").push_bind(now.as_micros());
                }
                query.push(" LIMIT ").push_bind(i64::from(limit)).push(concat!($skip, ")"));
                if scope == Interrupted::LeaseExpired {
                    query.push(" AND lease_expires_at <= ").push_bind(now.as_micros());
                }
                self.changed(query, "invocations.fail_interrupted").await
            }

            #[tracing::instrument(
                name = "storage.invocations.expire_pending", level = "debug", skip_all,
                fields(%now)
            )]
            async fn expire_pending(
                &mut self,
                now: Timestamp,
                limit: u32,
            ) -> Result<Vec<ChangedInvocation>, Error> {
                let mut query = Self::expiring(None);
                query
                    .push(" AND expires_at <= ")
                    .push_bind(now.as_micros())
                    .push(" AND id IN (SELECT id FROM action_invocations \
                        WHERE status = 'pending' AND expires_at <= ")
                    .push_bind(now.as_micros())
                    .push(" ORDER BY expires_at LIMIT ")
                    .push_bind(i64::from(limit))
                    .push(concat!($skip, ")"));
                self.changed(query, "invocations.expire_pending").await
            }

            #[tracing::instrument(
                name = "storage.invocations.expire_session", level = "debug", skip_all,
                fields(session.id = %session_id, %now)
            )]
            async fn expire_session(
                &mut self,
                session_id: SessionId,
                now: Timestamp,
            ) -> Result<Vec<ChangedInvocation>, Error> {
                let mut query = Self::expiring(Some(now));
                query.push(" AND session_id = ").push_bind(session_id.to_string());
                self.changed(query, "invocations.expire_session").await
            }
        }
    };
}

invocation_repository!(
    SqliteInvocationRepository,
    sqlx::Sqlite,
    skip: "",
    add: "" "; INSERT INTO audit_events (id, chain, kind, actor, subject, details, at, mac)
             VALUES ($32, $33, $34, $35, $36, $37, $38, $39)"
);
invocation_repository!(
    PostgresInvocationRepository,
    sqlx::Postgres,
    skip: " FOR UPDATE SKIP LOCKED",
    add: "WITH added AS (" " RETURNING id)
         INSERT INTO audit_events (id, chain, kind, actor, subject, details, at, mac)
         SELECT $32, $33, $34, $35, $36, $37, $38, $39 FROM added"
);

/// Ends an execution and adds its event, in one round trip; for
/// [`Storage::finish`](crate::Storage::finish).
pub(crate) async fn finish_on_sqlite(
    connection: &mut SqliteConnection,
    id: InvocationId,
    node: &str,
    completion: &Completion,
    entry: &AuditEntry,
) -> Result<bool, Error> {
    // A savepoint is a transaction by itself where there is none.
    let query = sqlx::query::<sqlx::Sqlite>(concat!(
        "SAVEPOINT finish; ",
        finish_statement!(),
        " RETURNING id; INSERT INTO audit_events (id, chain, kind, actor, subject, details, at, mac)
         SELECT $9, $10, $11, $12, $13, $14, $15, $16 WHERE changes() > 0; RELEASE finish"
    ));
    bind_event!(bind_finish!(query, id, node, completion), entry)
        .fetch_all(connection)
        .await
        .map(|finished| !finished.is_empty())
        .map_err(during("invocations.finish"))
}

/// As [`finish_on_sqlite`].
pub(crate) async fn finish_on_postgres(
    connection: &mut PgConnection,
    id: InvocationId,
    node: &str,
    completion: &Completion,
    entry: &AuditEntry,
) -> Result<bool, Error> {
    let query = sqlx::query::<sqlx::Postgres>(concat!(
        "WITH finished AS (",
        finish_statement!(),
        " RETURNING id)
         INSERT INTO audit_events (id, chain, kind, actor, subject, details, at, mac)
         SELECT $9, $10, $11, $12, $13, $14, $15, $16 FROM finished"
    ));
    bind_event!(bind_finish!(query, id, node, completion), entry)
        .execute(connection)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(during("invocations.finish"))
}
