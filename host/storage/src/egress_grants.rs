//! Origins the operator grants although they are not globally routable.

use async_trait::async_trait;
use portcullis_core::{id::EgressGrantId, time::Timestamp};

use crate::{Error, error::during, read::Table};

/// A granted origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressGrant {
    /// Its id.
    pub id: EgressGrantId,
    /// Scheme, host and port, in the one spelling that the caller compares.
    pub origin: String,
    /// When it was granted.
    pub created_at: Timestamp,
    /// Who granted it.
    pub created_by: String,
}

/// Keeps granted origins.
#[async_trait]
pub trait EgressGrantRepository: Send {
    /// Grants an origin; false, changing nothing, when it is granted already.
    ///
    /// # Errors
    ///
    /// [`Constraint::Id`](crate::Constraint::Id) when the id is taken.
    async fn add(&mut self, grant: &EgressGrant) -> Result<bool, Error>;

    /// The grant of this origin.
    async fn find_by_origin(&mut self, origin: &str) -> Result<Option<EgressGrant>, Error>;

    /// All grants, by origin.
    async fn list(&mut self) -> Result<Vec<EgressGrant>, Error>;

    /// All granted origins, in order.
    async fn origins(&mut self) -> Result<Vec<String>, Error>;

    /// Withdraws a grant; false when there was none.
    async fn remove(&mut self, id: EgressGrantId) -> Result<bool, Error>;
}

const EGRESS_GRANTS: Table = Table("egress_grants");

#[derive(sqlx::FromRow)]
struct EgressGrantRow {
    id: String,
    origin: String,
    created_at: i64,
    created_by: String,
}

impl TryFrom<EgressGrantRow> for EgressGrant {
    type Error = Error;

    fn try_from(row: EgressGrantRow) -> Result<Self, Error> {
        Ok(Self {
            id: EGRESS_GRANTS.parse("id", &row.id)?,
            origin: row.origin,
            created_at: EGRESS_GRANTS.time("created_at", row.created_at)?,
            created_by: row.created_by,
        })
    }
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! egress_grant_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl EgressGrantRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.egress_grants.add", level = "debug", skip_all,
                fields(grant.id = %grant.id, grant.origin = %grant.origin)
            )]
            async fn add(&mut self, grant: &EgressGrant) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "INSERT INTO egress_grants (id, origin, created_at, created_by)
                     VALUES ($1, $2, $3, $4) ON CONFLICT (origin) DO NOTHING",
                )
                .bind(grant.id.to_string())
                .bind(&grant.origin)
                .bind(grant.created_at.as_micros())
                .bind(&grant.created_by)
                .execute(&mut *self.connection)
                .await
                .map_err(during("egress_grants.add"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.egress_grants.find_by_origin", level = "debug", skip_all,
                fields(grant.origin = %origin)
            )]
            async fn find_by_origin(&mut self, origin: &str) -> Result<Option<EgressGrant>, Error> {
                sqlx::query_as::<$database, EgressGrantRow>(
                    "SELECT id, origin, created_at, created_by FROM egress_grants
                     WHERE origin = $1",
                )
                .bind(origin)
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("egress_grants.find_by_origin"))?
                .map(EgressGrant::try_from)
                .transpose()
            }

            #[tracing::instrument(name = "storage.egress_grants.list", level = "debug", skip_all)]
            async fn list(&mut self) -> Result<Vec<EgressGrant>, Error> {
                sqlx::query_as::<$database, EgressGrantRow>(
                    "SELECT id, origin, created_at, created_by FROM egress_grants ORDER BY origin",
                )
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("egress_grants.list"))?
                .into_iter()
                .map(EgressGrant::try_from)
                .collect()
            }

            #[tracing::instrument(
                name = "storage.egress_grants.origins",
                level = "debug",
                skip_all
            )]
            async fn origins(&mut self) -> Result<Vec<String>, Error> {
                sqlx::query_scalar::<$database, String>(
                    "SELECT origin FROM egress_grants ORDER BY origin",
                )
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("egress_grants.origins"))
            }

            #[tracing::instrument(
                name = "storage.egress_grants.remove", level = "debug", skip_all,
                fields(grant.id = %id)
            )]
            async fn remove(&mut self, id: EgressGrantId) -> Result<bool, Error> {
                let done = sqlx::query::<$database>("DELETE FROM egress_grants WHERE id = $1")
                    .bind(id.to_string())
                    .execute(&mut *self.connection)
                    .await
                    .map_err(during("egress_grants.remove"))?;
                Ok(done.rows_affected() == 1)
            }
        }
    };
}

egress_grant_repository!(SqliteEgressGrantRepository, sqlx::Sqlite);
egress_grant_repository!(PostgresEgressGrantRepository, sqlx::Postgres);
