//! The statements about `action_invocations`.

use async_trait::async_trait;
use portcullis_core::{
    id::{InvocationId, OrganizationId, SessionId, UserId},
    invocation::{DeniedReason, Invocation, InvocationError, InvocationStatus},
    time::Timestamp,
};
use serde_json::Value;

use super::{
    Completion, Interrupted, InvocationFilter, InvocationRepository, NewInvocation, Page,
    TitledInvocation,
    row::{COUNT, InvocationRow, SELECT, created_at, error_to_text},
};
use crate::{Error, error::during, read};

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! invocation_repository {
    ($name:ident, $database:ty) => {
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
                if let Some(status) = filter.status {
                    query.push(" AND i.status = ").push_bind(status.as_str());
                }
                query
            }

            fn with_id(id: InvocationId) -> sqlx::QueryBuilder<$database> {
                let mut query = sqlx::QueryBuilder::new(SELECT);
                query.push(" WHERE i.id = ").push_bind(id.to_string());
                query
            }

            async fn one(
                &mut self,
                mut query: sqlx::QueryBuilder<$database>,
            ) -> Result<Option<Invocation>, Error> {
                query
                    .build_query_as::<InvocationRow>()
                    .fetch_optional(&mut *self.connection)
                    .await
                    .map_err(during("invocations.find"))?
                    .map(Invocation::try_from)
                    .transpose()
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
            async fn add(&mut self, new: &NewInvocation) -> Result<(), Error> {
                let invocation = &new.invocation;
                let sealed = new.sealed_params.as_ref();
                sqlx::query::<$database>(
                    "INSERT INTO action_invocations (id, session_id, organization_id,
                         integration_id, integration, action, risk_level, mode, mode_source,
                         drifted, params, params_sealed, params_key_id, params_digest,
                         definition_digest, plugin_digest, status, result, result_truncated,
                         error, denied_reason, duration_ms, approved_by, approved_at,
                         completed_at, expires_at, created_at, node, lease_expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                         $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)",
                )
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
                .bind(new.definition_digest.as_deref())
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
                .execute(&mut *self.connection)
                .await
                .map_err(during("invocations.add"))?;
                Ok(())
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
                let mut query = Self::with_id(id);
                query.push(" AND i.session_id = ").push_bind(session_id.to_string());
                self.one(query).await
            }

            #[tracing::instrument(
                name = "storage.invocations.find_in_organization", level = "debug", skip_all,
                fields(invocation.id = %id, organization.id = %organization_id)
            )]
            async fn find_in_organization(
                &mut self,
                id: InvocationId,
                organization_id: &OrganizationId,
            ) -> Result<Option<Invocation>, Error> {
                let mut query = Self::with_id(id);
                query.push(" AND i.organization_id = ").push_bind(organization_id.as_str());
                self.one(query).await
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
                name = "storage.invocations.finish", level = "debug", skip_all,
                fields(invocation.id = %id, node)
            )]
            async fn finish(
                &mut self,
                id: InvocationId,
                node: &str,
                completion: &Completion,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE action_invocations
                     SET status = $1, result = $2, result_truncated = $3, error = $4,
                         duration_ms = $5, completed_at = $6,
                         params_sealed = NULL, params_key_id = NULL
                     WHERE id = $7 AND status = 'executing' AND node = $8",
                )
                .bind(InvocationStatus::from(completion.status).as_str())
                .bind(completion.result.as_ref().map(Value::to_string))
                .bind(completion.result_truncated)
                .bind(completion.error.as_ref().map(error_to_text))
                .bind(completion.duration_ms)
                .bind(completion.completed_at.as_micros())
                .bind(id.to_string())
                .bind(node)
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
            ) -> Result<u64, Error> {
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "UPDATE action_invocations SET status = 'failed', \
                     params_sealed = NULL, params_key_id = NULL, completed_at = ",
                );
                query
                    .push_bind(now.as_micros())
                    .push(", error = ")
                    .push_bind(error_to_text(error))
                    .push(" WHERE status = 'executing'");
                if scope == Interrupted::LeaseExpired {
                    query.push(" AND lease_expires_at <= ").push_bind(now.as_micros());
                }
                let done = query
                    .build()
                    .execute(&mut *self.connection)
                    .await
                    .map_err(during("invocations.fail_interrupted"))?;
                Ok(done.rows_affected())
            }

            #[tracing::instrument(
                name = "storage.invocations.expire_pending", level = "debug", skip_all,
                fields(%now)
            )]
            async fn expire_pending(&mut self, now: Timestamp) -> Result<u64, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE action_invocations
                     SET status = 'expired', denied_reason = $1, completed_at = $2,
                         params_sealed = NULL, params_key_id = NULL
                     WHERE status = 'pending' AND expires_at <= $2",
                )
                .bind(DeniedReason::Expired.to_text())
                .bind(now.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("invocations.expire_pending"))?;
                Ok(done.rows_affected())
            }
        }
    };
}

invocation_repository!(SqliteInvocationRepository, sqlx::Sqlite);
invocation_repository!(PostgresInvocationRepository, sqlx::Postgres);
