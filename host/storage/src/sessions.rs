//! Sessions and the connections they may use.

use async_trait::async_trait;
use portcullis_core::{
    id::{AutomationId, ConnectionId, OrganizationId, SessionId, UserId},
    time::Timestamp,
};

use crate::{Error, error::during, read::Table};

/// One agent's working session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The person it works for, if it is one.
    pub user_id: Option<UserId>,
    /// The automation it runs for, if any.
    pub automation_id: Option<AutomationId>,
    /// For people.
    pub title: Option<String>,
    /// The connections it may use, each once, in the order they were given.
    pub connection_ids: Vec<ConnectionId>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was closed; a closed session admits nothing.
    pub closed_at: Option<Timestamp>,
}

/// Keeps sessions.
#[async_trait]
pub trait SessionRepository: Send {
    /// Adds a session and its connections.
    ///
    /// # Errors
    ///
    /// [`Constraint::Id`](crate::Constraint::Id) when the id is taken;
    /// [`Constraint::Reference`](crate::Constraint::Reference) when the
    /// organization, or its automation or one of its connections, does not
    /// exist; [`Constraint::SessionConnection`](crate::Constraint::SessionConnection)
    /// when a connection is named twice.
    async fn add(&mut self, session: &Session) -> Result<(), Error>;

    /// The session with this id. The caller compares the organization: a
    /// sandbox's token names only a session.
    async fn find(&mut self, id: SessionId) -> Result<Option<Session>, Error>;

    /// An organization's sessions, newest first.
    async fn list(&mut self, organization_id: &OrganizationId) -> Result<Vec<Session>, Error>;

    /// Closes an open session; false when the organization has no open session
    /// with this id.
    async fn close(
        &mut self,
        id: SessionId,
        organization_id: &OrganizationId,
        now: Timestamp,
    ) -> Result<bool, Error>;
}

const SESSIONS: Table = Table("sessions");
const SESSION_CONNECTIONS: Table = Table("session_connections");

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    organization_id: String,
    user_id: Option<String>,
    automation_id: Option<String>,
    title: Option<String>,
    /// Of all connections, separated by spaces; null when there are none.
    connection_ids: Option<String>,
    created_at: i64,
    closed_at: Option<i64>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Error;

    fn try_from(row: SessionRow) -> Result<Self, Error> {
        let ids = row.connection_ids.unwrap_or_default();
        Ok(Self {
            id: SESSIONS.parse("id", &row.id)?,
            organization_id: SESSIONS.parse("organization_id", &row.organization_id)?,
            user_id: SESSIONS.parse_optional("user_id", row.user_id.as_deref())?,
            automation_id: SESSIONS
                .parse_optional("automation_id", row.automation_id.as_deref())?,
            title: row.title,
            connection_ids: ids
                .split_ascii_whitespace()
                .map(|id| SESSION_CONNECTIONS.parse("connection_id", id))
                .collect::<Result<_, _>>()?,
            created_at: SESSIONS.time("created_at", row.created_at)?,
            closed_at: SESSIONS.time_optional("closed_at", row.closed_at)?,
        })
    }
}

// One statement rather than two: a session is read at each request.
macro_rules! select_session {
    ($rest:literal) => {
        concat!(
            "SELECT id, organization_id, user_id, automation_id, title, created_at, closed_at, ",
            "(SELECT string_agg(c.connection_id, ' ' ORDER BY c.position) ",
            "FROM session_connections AS c WHERE c.session_id = s.id) AS connection_ids ",
            "FROM sessions AS s WHERE ",
            $rest
        )
    };
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! session_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        impl $name<'_> {
            async fn add_connection(
                &mut self,
                session: &Session,
                position: usize,
                connection_id: ConnectionId,
            ) -> Result<(), sqlx::Error> {
                sqlx::query::<$database>(
                    "INSERT INTO session_connections
                         (session_id, connection_id, organization_id, position)
                     VALUES ($1, $2, $3, $4)",
                )
                .bind(session.id.to_string())
                .bind(connection_id.to_string())
                .bind(session.organization_id.as_str())
                .bind(i64::try_from(position).unwrap_or(i64::MAX))
                .execute(&mut *self.connection)
                .await?;
                Ok(())
            }
        }

        #[async_trait]
        impl SessionRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.sessions.add", level = "debug", skip_all,
                fields(session.id = %session.id, organization.id = %session.organization_id)
            )]
            async fn add(&mut self, session: &Session) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO sessions (id, organization_id, user_id, automation_id, title,
                         created_at, closed_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(session.id.to_string())
                .bind(session.organization_id.as_str())
                .bind(session.user_id.as_ref().map(UserId::as_str))
                .bind(session.automation_id.map(|id| id.to_string()))
                .bind(session.title.as_deref())
                .bind(session.created_at.as_micros())
                .bind(session.closed_at.map(Timestamp::as_micros))
                .execute(&mut *self.connection)
                .await
                .map_err(during("sessions.add"))?;
                for (position, id) in session.connection_ids.iter().enumerate() {
                    self.add_connection(session, position, *id)
                        .await
                        .map_err(during("sessions.add"))?;
                }
                Ok(())
            }

            #[tracing::instrument(
                name = "storage.sessions.find", level = "debug", skip_all,
                fields(session.id = %id)
            )]
            async fn find(&mut self, id: SessionId) -> Result<Option<Session>, Error> {
                sqlx::query_as::<$database, SessionRow>(select_session!("id = $1"))
                    .bind(id.to_string())
                    .fetch_optional(&mut *self.connection)
                    .await
                    .map_err(during("sessions.find"))?
                    .map(Session::try_from)
                    .transpose()
            }

            #[tracing::instrument(
                name = "storage.sessions.list", level = "debug", skip_all,
                fields(organization.id = %organization_id)
            )]
            async fn list(
                &mut self,
                organization_id: &OrganizationId,
            ) -> Result<Vec<Session>, Error> {
                sqlx::query_as::<$database, SessionRow>(select_session!(
                    "organization_id = $1 ORDER BY created_at DESC, id"
                ))
                .bind(organization_id.as_str())
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("sessions.list"))?
                .into_iter()
                .map(Session::try_from)
                .collect()
            }

            #[tracing::instrument(
                name = "storage.sessions.close", level = "debug", skip_all,
                fields(session.id = %id, organization.id = %organization_id)
            )]
            async fn close(
                &mut self,
                id: SessionId,
                organization_id: &OrganizationId,
                now: Timestamp,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE sessions SET closed_at = $1
                     WHERE id = $2 AND organization_id = $3 AND closed_at IS NULL",
                )
                .bind(now.as_micros())
                .bind(id.to_string())
                .bind(organization_id.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("sessions.close"))?;
                Ok(done.rows_affected() == 1)
            }
        }
    };
}

session_repository!(SqliteSessionRepository, sqlx::Sqlite);
session_repository!(PostgresSessionRepository, sqlx::Postgres);
