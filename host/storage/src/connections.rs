//! Connections: sealed credentials and where they are used.
//!
//! The table is called `integrations`.

use async_trait::async_trait;
use portcullis_core::{
    id::{ConnectionId, OrganizationId, SourceId, UserId},
    invocation::BaseUrls,
    plugin::ConnectionType,
    time::Timestamp,
};
use serde_json::Value;

use crate::{Error, Sealed, error::during, read::Table};

/// A credential of an organization or a user for one provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The user who alone may use it; `None`: the whole organization.
    pub user_id: Option<UserId>,
    /// The provider it is for.
    pub provider: SourceId,
    /// How it was made, which decides where the credential goes in a request.
    pub credential_type: ConnectionType,
    /// The credential.
    pub sealed_credential: Sealed,
    /// Base URLs that replace the provider's own.
    pub base_urls: BaseUrls,
    /// Whether it can be used.
    pub status: ConnectionStatus,
    /// Starts at 1 and grows with each rotation; approvals are bound to it.
    pub version: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Whether a connection can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionStatus {
    /// As far as is known.
    Active,
    /// The upstream refused the credential; a person must renew it.
    NeedsReauth,
}

impl ConnectionStatus {
    /// The name in JSON and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsReauth => "needs_reauth",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::NeedsReauth]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// Keeps connections.
#[async_trait]
pub trait ConnectionRepository: Send {
    /// Adds a connection.
    ///
    /// # Errors
    ///
    /// [`Constraint::Id`](crate::Constraint::Id) when the id is taken,
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no
    /// such organization.
    async fn add(&mut self, connection: &Connection) -> Result<(), Error>;

    /// The organization's connection with this id.
    async fn find(
        &mut self,
        id: ConnectionId,
        organization_id: &OrganizationId,
    ) -> Result<Option<Connection>, Error>;

    /// An organization's connections, oldest first.
    async fn list(&mut self, organization_id: &OrganizationId) -> Result<Vec<Connection>, Error>;

    /// Those of the given connections that the organization has, oldest first.
    async fn find_many(
        &mut self,
        ids: &[ConnectionId],
        organization_id: &OrganizationId,
    ) -> Result<Vec<Connection>, Error>;

    /// Replaces the credential, and the base URLs where some are given; raises
    /// the version and makes the connection active. False when the organization
    /// has no such connection.
    async fn rotate(
        &mut self,
        id: ConnectionId,
        organization_id: &OrganizationId,
        sealed_credential: &Sealed,
        base_urls: Option<BaseUrls>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Notes whether the credential works. False, changing nothing, when that was
    /// known, or when the connection is no longer at this version: what is known
    /// of an old credential says nothing about the new one.
    async fn set_status(
        &mut self,
        id: ConnectionId,
        organization_id: &OrganizationId,
        version: i64,
        status: ConnectionStatus,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Removes a connection and takes it from its sessions; invocations keep its
    /// id. False when the organization has no such connection.
    async fn remove(
        &mut self,
        id: ConnectionId,
        organization_id: &OrganizationId,
    ) -> Result<bool, Error>;
}

const INTEGRATIONS: Table = Table("integrations");

#[derive(sqlx::FromRow)]
struct ConnectionRow {
    id: String,
    organization_id: String,
    user_id: Option<String>,
    provider: String,
    credential_type: String,
    credential_sealed: Vec<u8>,
    credential_key_id: String,
    base_urls: String,
    status: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<ConnectionRow> for Connection {
    type Error = Error;

    fn try_from(row: ConnectionRow) -> Result<Self, Error> {
        let table = INTEGRATIONS;
        Ok(Self {
            id: table.parse("id", &row.id)?,
            organization_id: table.parse("organization_id", &row.organization_id)?,
            user_id: table.parse_optional("user_id", row.user_id.as_deref())?,
            provider: table.parse("provider", &row.provider)?,
            credential_type: table.name(
                "credential_type",
                &row.credential_type,
                ConnectionType::from_name,
            )?,
            sealed_credential: Sealed {
                key_id: row.credential_key_id,
                bytes: row.credential_sealed,
            },
            base_urls: base_urls_from_text(&row.base_urls)?,
            status: table.name("status", &row.status, ConnectionStatus::from_name)?,
            version: row.version,
            created_at: table.time("created_at", row.created_at)?,
            updated_at: table.time("updated_at", row.updated_at)?,
        })
    }
}

fn base_urls_to_text(base_urls: &BaseUrls) -> String {
    base_urls
        .iter()
        .map(|(endpoint, url)| (endpoint.as_str(), url.as_str()))
        .collect::<Value>()
        .to_string()
}

fn base_urls_from_text(text: &str) -> Result<BaseUrls, Error> {
    serde_json::from_str(text)
        .map_err(|_| INTEGRATIONS.corrupt("base_urls", "not a map from endpoints to URLs"))
}

macro_rules! select_connection {
    ($rest:literal) => {
        concat!(
            "SELECT id, organization_id, user_id, provider, credential_type, ",
            "credential_sealed, credential_key_id, base_urls, status, version, ",
            "created_at, updated_at FROM integrations WHERE ",
            $rest
        )
    };
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! connection_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl ConnectionRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.connections.add", level = "debug", skip_all,
                fields(
                    connection.id = %connection.id,
                    organization.id = %connection.organization_id
                )
            )]
            async fn add(&mut self, connection: &Connection) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO integrations (id, organization_id, user_id, provider,
                         credential_type, credential_sealed, credential_key_id, base_urls,
                         status, version, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                )
                .bind(connection.id.to_string())
                .bind(connection.organization_id.as_str())
                .bind(connection.user_id.as_ref().map(UserId::as_str))
                .bind(connection.provider.as_str())
                .bind(connection.credential_type.as_str())
                .bind(connection.sealed_credential.bytes.as_slice())
                .bind(&connection.sealed_credential.key_id)
                .bind(base_urls_to_text(&connection.base_urls))
                .bind(connection.status.as_str())
                .bind(connection.version)
                .bind(connection.created_at.as_micros())
                .bind(connection.updated_at.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("connections.add"))?;
                Ok(())
            }

            #[tracing::instrument(
                name = "storage.connections.find", level = "debug", skip_all,
                fields(connection.id = %id, organization.id = %organization_id)
            )]
            async fn find(
                &mut self,
                id: ConnectionId,
                organization_id: &OrganizationId,
            ) -> Result<Option<Connection>, Error> {
                sqlx::query_as::<$database, ConnectionRow>(select_connection!(
                    "id = $1 AND organization_id = $2"
                ))
                .bind(id.to_string())
                .bind(organization_id.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("connections.find"))?
                .map(Connection::try_from)
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.connections.list", level = "debug", skip_all,
                fields(organization.id = %organization_id)
            )]
            async fn list(
                &mut self,
                organization_id: &OrganizationId,
            ) -> Result<Vec<Connection>, Error> {
                sqlx::query_as::<$database, ConnectionRow>(select_connection!(
                    "organization_id = $1 ORDER BY created_at, id"
                ))
                .bind(organization_id.as_str())
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("connections.list"))?
                .into_iter()
                .map(Connection::try_from)
                .collect()
            }

            #[tracing::instrument(
                name = "storage.connections.find_many", level = "debug", skip_all,
                fields(connections = ids.len(), organization.id = %organization_id)
            )]
            async fn find_many(
                &mut self,
                ids: &[ConnectionId],
                organization_id: &OrganizationId,
            ) -> Result<Vec<Connection>, Error> {
                if ids.is_empty() {
                    return Ok(Vec::new());
                }
                let mut query =
                    sqlx::QueryBuilder::<$database>::new(select_connection!("organization_id = "));
                query
                    .push_bind(organization_id.as_str())
                    .push(" AND id IN (");
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(id.to_string());
                }
                query.push(") ORDER BY created_at, id");
                query
                    .build_query_as::<ConnectionRow>()
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during("connections.find_many"))?
                    .into_iter()
                    .map(Connection::try_from)
                    .collect()
            }

            #[tracing::instrument(
                name = "storage.connections.rotate", level = "debug", skip_all,
                fields(connection.id = %id, organization.id = %organization_id)
            )]
            async fn rotate(
                &mut self,
                id: ConnectionId,
                organization_id: &OrganizationId,
                sealed_credential: &Sealed,
                base_urls: Option<BaseUrls>,
                now: Timestamp,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE integrations
                     SET credential_sealed = $1, credential_key_id = $2,
                         base_urls = COALESCE($3, base_urls), status = 'active',
                         version = version + 1, updated_at = $4
                     WHERE id = $5 AND organization_id = $6",
                )
                .bind(sealed_credential.bytes.as_slice())
                .bind(&sealed_credential.key_id)
                .bind(base_urls.as_ref().map(base_urls_to_text))
                .bind(now.as_micros())
                .bind(id.to_string())
                .bind(organization_id.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("connections.rotate"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.connections.set_status", level = "debug", skip_all,
                fields(connection.id = %id, organization.id = %organization_id, ?status)
            )]
            async fn set_status(
                &mut self,
                id: ConnectionId,
                organization_id: &OrganizationId,
                version: i64,
                status: ConnectionStatus,
                now: Timestamp,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE integrations SET status = $1, updated_at = $2
                     WHERE id = $3 AND organization_id = $4 AND version = $5 AND status <> $1",
                )
                .bind(status.as_str())
                .bind(now.as_micros())
                .bind(id.to_string())
                .bind(organization_id.as_str())
                .bind(version)
                .execute(&mut *self.connection)
                .await
                .map_err(during("connections.set_status"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.connections.remove", level = "debug", skip_all,
                fields(connection.id = %id, organization.id = %organization_id)
            )]
            async fn remove(
                &mut self,
                id: ConnectionId,
                organization_id: &OrganizationId,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "DELETE FROM integrations WHERE id = $1 AND organization_id = $2",
                )
                .bind(id.to_string())
                .bind(organization_id.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("connections.remove"))?;
                Ok(done.rows_affected() == 1)
            }
        }
    };
}

connection_repository!(SqliteConnectionRepository, sqlx::Sqlite);
connection_repository!(PostgresConnectionRepository, sqlx::Postgres);
